"""The database that the registry is in: a host's router may keep the app's tables apart from its own."""

from __future__ import annotations

from typing import Any

from django.db import router, transaction

from recommender_app.models import Release


def alias() -> str:
    """Return the name of the database that the app's tables are written to."""
    return router.db_for_write(Release)


def atomic() -> Any:
    """Return a transaction of that database, for ``with``."""
    return transaction.atomic(using=alias())
