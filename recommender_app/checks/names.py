"""Attributes and hooks that nobody reads, because their names are misspelt."""

from __future__ import annotations

from difflib import get_close_matches

from django.core.checks import CheckMessage

from recommender_app.checks.messages import warning
from recommender_app.usecases.declaration import UseCase

LIKENESS = 0.8  # below it, a name is taken for the host's own


def known_names() -> list[str]:
    """Return every public attribute and hook of a use case."""
    return sorted(name for name in {*vars(UseCase), *UseCase.__annotations__} if not name.startswith("_"))


def name_problems(use_case: UseCase) -> list[CheckMessage]:
    """Return a warning for each name that means nothing here and closely resembles one that does."""
    known = known_names()
    problems: list[CheckMessage] = []
    for name in _own_names(type(use_case)):
        meant = [] if name in known else get_close_matches(name, known, n=1, cutoff=LIKENESS)
        if meant:
            problems.append(warning(18, use_case, f"{name} means nothing here.", f"Did you mean {meant[0]}?"))
    return problems


def _own_names(declared: type[UseCase]) -> list[str]:
    """Return the public names of a class and of its bases below ``UseCase``."""
    own = [kind for kind in declared.__mro__ if kind not in UseCase.__mro__]
    return sorted({name for kind in own for name in vars(kind) if not name.startswith("_")})
