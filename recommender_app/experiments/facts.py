"""Who may be enrolled: what is known of a unit, held against the eligibility of a phase."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recommender_app.usecases.declaration import UseCase

FEWEST, MOST = "min_interactions", "max_interactions"  # both included
COUNT = "interaction_count"  # how a frozen eligibility names it


@dataclass(frozen=True)
class Facts:
    """What is known of a unit when a request is answered.

    Attributes:
        interaction_count: the number that routes.
        user: the host's object; None for a session.
    """

    interaction_count: int
    user: Any = None


def frozen_eligibility(use_case: UseCase, eligibility: Mapping[str, Any], facts: Facts) -> dict[str, Any] | None:
    """Return what makes a unit eligible, to be stored as it is now; None where it is not eligible.

    {"min_interactions": 5, "max_interactions": 19, "roles": ["developer"]}: the counts are
    bounds; every other key is a fact of ``UseCase.unit_facts``, one of whose values must be named.
    """
    count = facts.interaction_count
    if not _bound(eligibility, FEWEST, 0) <= count <= _bound(eligibility, MOST, count):
        return None
    frozen: dict[str, Any] = {COUNT: count}
    names = [name for name in eligibility if name not in (FEWEST, MOST)]
    known = use_case.unit_facts(facts.user) if names and facts.user is not None else {}
    for name in names:
        frozen[name] = _as_texts(known.get(name))
        if not set(frozen[name]) & set(_as_texts(eligibility[name])):
            return None
    return frozen


def _bound(eligibility: Mapping[str, Any], name: str, default: int) -> int:
    bound = eligibility.get(name)
    return default if bound is None else int(bound)


def _as_texts(value: Any) -> list[str]:
    """Return one value or several as sorted texts, which JSON can hold."""
    if value is None:
        return []
    several = value if isinstance(value, list | tuple | set | frozenset) else [value]
    return sorted(map(str, several))
