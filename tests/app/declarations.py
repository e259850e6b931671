"""Declarations with mistakes in them, and what the system checks say."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage

from recommender_app import Interactions
from recommender_app.checks.declarations import declaration_problems
from recommender_app.usecases.declaration import UseCase
from tests.toyhost.models import Reading
from tests.toyhost.recommendations import BooksForReaders


def declare(**changes: Any) -> UseCase:
    """Return the toy host's use case with other attributes, unregistered."""
    return type("Declared", (BooksForReaders,), changes)()


def reading(**changes: Any) -> Interactions:
    """Return the toy host's interactions with other arguments."""
    return Interactions(**{"model": Reading, "user": "reader", "item": "book", "event": "kind", "at": "at", **changes})


def found(**changes: Any) -> list[str]:
    """Return the short ids (``E041``) of what the checks find in ``declare(**changes)``."""
    return short_ids(declaration_problems(declare(**changes)))


def found_in(**changes: Any) -> list[str]:
    """Return the short ids of what the checks find with the interactions ``reading(**changes)``."""
    return found(interactions=reading(**changes))


def short_ids(problems: list[CheckMessage]) -> list[str]:
    """Return the ids without the app's name; every problem must be one line with a hint."""
    for problem in problems:
        assert problem.hint
        assert len(problem.msg.splitlines()) == len(problem.hint.splitlines()) == 1
    return [problem.id.removeprefix("recommender_app.") for problem in problems]
