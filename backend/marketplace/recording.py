"""How an event becomes a row, and is taken back."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError

from backend.marketplace.models import (
    Application,
    Developer,
    Investor,
    PersonInteraction,
    Startup,
    StartupInteraction,
)


def record_on_startup(person: Developer | Investor, startup: Startup, event: str, at: datetime) -> StartupInteraction:
    """Write what a person did with a start-up."""
    _require(event, StartupInteraction.Kind.values)
    side = _side(person)
    return StartupInteraction.objects.create(**{side: person}, startup=startup, kind=event, created_at=at)


def take_back(person: Developer | Investor, startup: Startup, event: str) -> int:
    """Delete what a person did of this kind with a start-up; return how many rows that were."""
    own = StartupInteraction.objects.filter(**{_side(person): person}, startup=startup, kind=event)
    return own.delete()[0]


def forget_person(people: type[Developer] | type[Investor], person_id: UUID) -> int:
    """Delete everything that a person, who may be gone, and start-ups did with each other; return how many rows."""
    named: dict[str, Any] = {"developer_id" if people is Developer else "investor_id": person_id}
    tables = [StartupInteraction, PersonInteraction, *([Application] if people is Developer else [])]
    return sum(table.objects.filter(**named).delete()[0] for table in tables)


def record_on_person(startup: Startup, person: Developer | Investor, event: str, at: datetime) -> PersonInteraction:
    """Write what a start-up did with a person."""
    _require(event, PersonInteraction.Kind.values)
    side = _side(person)
    return PersonInteraction.objects.create(**{side: person}, startup=startup, kind=event, created_at=at)


def record_application(developer: Developer, startup: Startup, at: datetime) -> Application:
    """Apply for the start-up's oldest open position; a second time changes nothing."""
    position = startup.positions.filter(is_open=True).order_by("pk").first()
    if position is None:
        raise ValidationError(f"{startup} has no open position to apply for.")
    application, _ = Application.objects.get_or_create(developer=developer, position=position, defaults={"sent_at": at})
    return application


def _side(person: Developer | Investor) -> str:
    return "developer" if isinstance(person, Developer) else "investor"


def _require(event: str, possible: list[str]) -> None:
    if event not in possible:
        raise ValidationError(f"{event} cannot be recorded here: choose from {', '.join(possible)}.")
