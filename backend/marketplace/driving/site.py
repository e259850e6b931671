"""The site as people use it: asked for a list, told what was done with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from backend.marketplace.models import Developer
from recommender_app.measurement.events import PostedEvent
from recommender_app.measurement.recording import record_events
from recommender_app.serving.service import recommend
from recommender_app.usecases.site import get_use_case

USE_CASE = "developer_startup"
LIMIT = 10


@dataclass(frozen=True)
class Listed:
    """A list as it was answered.

    Attributes:
        items: keys of the start-ups, best first.
    """

    request_id: UUID
    items: tuple[Any, ...]


class Site(Protocol):
    """What a simulated person can do; over HTTP or in the same process."""

    def ask(self, developer: Developer) -> Listed:
        """Return a list for a person, which is logged."""

    def tell(self, developer: Developer, events: Sequence[PostedEvent]) -> None:
        """Post what the person did."""


class InProcess:
    """The services behind the API, without HTTP: same answers, same rows."""

    def ask(self, developer: Developer) -> Listed:
        """Return what ``recommend`` answers."""
        answer = recommend(developer, USE_CASE, LIMIT)
        return Listed(answer.request_id, tuple(result.id for result in answer.results))

    def tell(self, developer: Developer, events: Sequence[PostedEvent]) -> None:
        """Record the events."""
        record_events(get_use_case(USE_CASE), developer, events)
