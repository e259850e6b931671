"""Rows of units in arms: who was assigned stays so; only that a unit was exposed, or is left out, is noted later."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

LATER = {"first_exposed_at", "excluded_reason"}


def refuse_moves(changed: Collection[str]) -> None:
    """Raise a ValidationError if a unit would be moved."""
    moved = sorted(set(changed) - LATER)
    if moved:
        raise ValidationError(
            f"{', '.join(moved)} of an assignment cannot be changed: units never move. Begin a new phase.",
            code="frozen",
        )


class AssignmentQuerySet(models.QuerySet[Any]):
    """Refuses with a ValidationError to move units."""

    def update(self, **values: Any) -> int:
        """Note exposures and exclusions."""
        refuse_moves(values)
        return super().update(**values)

    def bulk_update(self, objs: Iterable[Any], fields: Iterable[str], *args: Any, **kwargs: Any) -> int:
        """Note exposures and exclusions."""
        names = list(fields)
        refuse_moves(names)
        return super().bulk_update(objs, names, *args, **kwargs)

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """Add rows; those that are there already stay."""
        if kwargs.get("update_conflicts"):
            refuse_moves(kwargs.get("update_fields") or ())
        return super().bulk_create(objs, *args, **kwargs)


class NeverMoved(models.Model):
    """Base of the model whose rows never change arms."""

    objects = models.Manager.from_queryset(AssignmentQuerySet)()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the row; of one that is stored already, exposure and exclusion only, by ``update_fields``."""
        if not self._state.adding:
            refuse_moves(kwargs.get("update_fields") or {"the arm"})
        super().save(*args, **kwargs)
