"""How a problem is told: stable id, one line, and a hint that says what to do."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from django.core.checks import Error, Warning

PREFIX = "recommender_app"


def error(number: int, owner: Any, message: str, hint: str) -> Error:
    """Return an error ``recommender_app.E<number>`` about ``owner``: a use case, or the name of a setting."""
    return Error(message, hint=hint, obj=label(owner), id=f"{PREFIX}.E{number:03}")


def warning(number: int, owner: Any, message: str, hint: str) -> Warning:
    """Return a warning ``recommender_app.W<number>``."""
    return Warning(message, hint=hint, obj=label(owner), id=f"{PREFIX}.W{number:03}")


def label(owner: Any) -> str:
    """Return the dotted path of a use case or its class; text stays as it is."""
    if isinstance(owner, str):
        return owner
    kind = owner if isinstance(owner, type) else type(owner)
    return f"{kind.__module__}.{kind.__qualname__}"


def closest(name: object, known: Iterable[str]) -> str:
    """Return a hint towards the known name that ``name`` was meant to be, else all of them."""
    known = sorted(known)
    found = get_close_matches(str(name), known, n=1)
    return f"Did you mean {found[0]!r}?" if found else f"Choose from: {', '.join(known) or 'nothing'}."
