"""What may be posted about an item."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from recommender_app.usecases.declaration import UseCase

IMPRESSION, CLICK, RATING = "impression", "click", "rating"
MEASURED = (IMPRESSION, CLICK, RATING)  # may be posted in every use case, whether or not it learns from them


@dataclass(frozen=True)
class PostedEvent:
    """One event as a client tells it; nothing of it is believed yet.

    Attributes:
        event_id: the client's name of it; a second one of the same name is not stored again.
        item: primary key, or its text.
        event: one of ``accepted_events``.
        occurred_at: aware; None = now.
        request_id: of the answer that the item was shown in.
        position: 1-based place in that answer.
        rating: 1 to 5, of a rating and of nothing else.
    """

    event_id: str
    item: int | str
    event: str
    occurred_at: datetime | None = None
    request_id: UUID | None = None
    position: int | None = None
    rating: int | None = None


def accepted_events(use_case: UseCase) -> tuple[str, ...]:
    """Return what may be posted: the use case's events where it can record them, undoing, and MEASURED."""
    own = tuple(use_case.weights) if can_record(use_case) else ()
    undo = tuple(use_case.undo) if can_undo(use_case) else ()
    return tuple(dict.fromkeys((*own, *undo, *MEASURED)))


def can_record(use_case: UseCase) -> bool:
    """Tell whether the host says how an event becomes a row."""
    return type(use_case).record is not UseCase.record


def can_undo(use_case: UseCase) -> bool:
    """Tell whether the host says how a row is taken back."""
    return type(use_case).undo_event is not UseCase.undo_event
