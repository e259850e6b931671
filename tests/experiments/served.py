"""What tests of requests in arms share: policies that name their engine, readers in an arm, what the log says."""

from __future__ import annotations

from typing import Any

from recommender_app.models import Phase, RequestLog
from tests.experiments.making import readers
from tests.toyhost.models import Book, Reader

POPULAR = {"routes": [[0, "popular"]]}
ALS = {"routes": [[0, "als"]]}


def logged(*fields: str) -> list[tuple[Any, ...]]:
    """Return experiment, phase, arm and more fields of every answer in the log, oldest first."""
    return list(RequestLog.objects.order_by("pk").values_list("experiment", "phase", "arm", *fields))


def reader_in(phase: Phase, arm: str, books: list[Book]) -> Reader:
    """Return a new reader of an arm, who likes the first book."""
    return next(readers(phase, arm, likes=(books[0],)))
