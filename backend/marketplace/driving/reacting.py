"""What a simulated developer does with a list: looks at it, clicks, likes, dislikes, applies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np

from backend.marketplace.driving.effects import Effects
from backend.marketplace.models import Developer, Position, Startup
from recommender_app.measurement.events import PostedEvent

CLICK, LIKE, DISLIKE, APPLY = 0.06, 0.3, 0.15, 0.1  # of what is shown; of what is clicked
TASTE = 0.8  # how much each tag in common adds to the probability of a click
MOST = 0.9
SEEN_BY_PLACE = 0.93  # the second place is looked at so much less than the first, and so on


class Tastes:
    """The tags of people and start-ups, and who is hiring, read once."""

    def __init__(self) -> None:
        self.hiring = set(Position.objects.filter(is_open=True).values_list("startup_id", flat=True))
        self._of_people = _tags(Developer.interests.through, "developer_id")
        self._of_startups = _tags(Startup.tags.through, "startup_id")

    def in_common(self, developer_id: Any, startup_id: UUID) -> int:
        """Return how many tags a person and a start-up share."""
        nothing: frozenset[int] = frozenset()
        return len(self._of_people.get(developer_id, nothing) & self._of_startups.get(startup_id, nothing))


@dataclass(frozen=True)
class Shown:
    """One place of a list.

    Attributes:
        item: key of the start-up.
        n_common: tags that the person and the start-up share.
        is_hiring: whether there is a position to apply for.
    """

    item: UUID
    n_common: int
    is_hiring: bool


def reactions(
    shown: Sequence[Shown], eagerness: float, effects: Effects, rng: np.random.Generator
) -> Iterator[tuple[UUID, str]]:
    """Yield (start-up, event) of what a person does with a list, best first, in order.

    Every place draws the same numbers whatever happens, so that a seed stays a seed.
    """
    for place, (each, luck) in enumerate(zip(shown, rng.random((len(shown), 4)), strict=True)):
        chance = CLICK * eagerness * SEEN_BY_PLACE**place * (1 + TASTE * each.n_common) * effects.click
        if luck[0] >= min(chance, MOST):
            continue
        yield each.item, "click"
        if luck[1] < min(LIKE * effects.like, MOST):
            yield each.item, "like"
        elif luck[2] < DISLIKE:
            yield each.item, "dislike"
            continue  # nobody applies there
        if each.is_hiring and luck[3] < min(APPLY * effects.apply, MOST):
            yield each.item, "apply"


def as_posted(request_id: UUID, done: Sequence[tuple[UUID, str]]) -> list[PostedEvent]:
    """Return what was done as the events that a client posts."""
    return [
        PostedEvent(f"{request_id.hex}-{number}", str(item), event, request_id=request_id)
        for number, (item, event) in enumerate(done)
    ]


def _tags(through: Any, owner: str) -> dict[Any, frozenset[int]]:
    found: dict[Any, set[int]] = {}
    for key, tag in through.objects.values_list(owner, "tag_id"):
        found.setdefault(key, set()).add(tag)
    return {key: frozenset(tags) for key, tags in found.items()}
