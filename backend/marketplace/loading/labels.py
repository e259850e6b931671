"""Industries, tags and skills by name."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Model

from backend.marketplace.loading.clock import BATCH
from backend.marketplace.models.labels import Label


def label_ids(model: type[Label], names: Iterable[str]) -> dict[str, int]:
    """Return {name: key}; names that are missing are created, others are shared with real rows."""
    wanted = sorted(set(names))
    labels: Any = model._default_manager
    labels.bulk_create([model(name=name) for name in wanted], ignore_conflicts=True)
    return dict(labels.filter(name__in=wanted).values_list("name", "pk"))


def write_links(through: type[Model], rows: Iterable[dict[str, Any]]) -> None:
    """Write rows of a many-to-many table."""
    through._default_manager.bulk_create([through(**row) for row in rows], batch_size=BATCH)
