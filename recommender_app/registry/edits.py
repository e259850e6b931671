"""Rows that staff edit, saved and deleted together with who changed what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.db.models import Model

from recommender_app.registry.database import atomic

Row = TypeVar("Row", bound=Model)
Record = Callable[[Any, Any, Any], Any]  # (row, what it said before, what it says now); None = not there


def save_with_trail(row: Row, record: Record, fields: Sequence[str] | None = None) -> Row:
    """Store a row, or these fields of it alone, and record what it said before and says now.

    Raises:
        IntegrityError: the database refuses it.
    """
    with atomic():
        stored = _locked(row)
        before = stored.as_json() if stored else None
        row.save(update_fields=fields)
        record(row, before, row.as_json())  # type: ignore[attr-defined]
    return row


def delete_with_trail(row: Model, record: Record) -> None:
    """Delete a row and record what it said."""
    with atomic():
        stored = _locked(row)
        if stored is not None:
            record(stored, stored.as_json(), None)
            stored.delete()


def _locked(row: Model) -> Any:
    return type(row)._default_manager.select_for_update().filter(pk=row.pk).first()
