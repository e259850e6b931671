"""Rows that are only ever added: what was written down stays as it was."""

from __future__ import annotations

from typing import Any, NoReturn

from django.core.exceptions import ValidationError
from django.db import models


def _refuse(model: type[models.Model]) -> NoReturn:
    raise ValidationError(f"A {model._meta.verbose_name} stays as it was written: rows are only added.", code="frozen")


class AppendOnlyQuerySet(models.QuerySet[Any]):
    """Refuses with a ValidationError to change or delete rows."""

    def update(self, **values: Any) -> int:
        """Refuse it."""
        _refuse(self.model)

    def bulk_update(self, objs: Any, fields: Any, *args: Any, **kwargs: Any) -> int:
        """Refuse it."""
        _refuse(self.model)

    def bulk_create(self, objs: Any, *args: Any, **kwargs: Any) -> list[Any]:
        """Add rows; those that are there already stay."""
        if kwargs.get("update_conflicts"):
            _refuse(self.model)
        return super().bulk_create(objs, *args, **kwargs)

    def delete(self) -> tuple[int, dict[str, int]]:
        """Refuse it."""
        _refuse(self.model)


class AppendOnly(models.Model):
    """Base of the models whose rows are only added."""

    objects = models.Manager.from_queryset(AppendOnlyQuerySet)()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add the row; refuse to change one."""
        if not self._state.adding:
            _refuse(type(self))
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refuse it."""
        _refuse(type(self))
