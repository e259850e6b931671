"""What happened, row by row."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from backend.marketplace.loading.clock import BATCH, Advance, Clock
from backend.marketplace.models import Application, Developer, PersonInteraction, Position, StartupInteraction
from backend.marketplace.simulation.world import Events, World


def write_looks_at_startups(
    events: Events, side: str, people: Sequence[Any], world: World, clock: Clock, advance: Advance
) -> None:
    """Write what people (``side``: developer or investor) did with start-ups, but for applications."""
    ids = [startup.id for startup in world.startups]

    def row(place: int) -> StartupInteraction:
        return StartupInteraction(
            **{f"{side}_id": people[events.visitors[place]].pk},
            startup_id=ids[events.targets[place]],
            kind=str(events.kinds[place]),
            created_at=clock.at(events.days[place]),
        )

    _write(StartupInteraction, np.flatnonzero(events.kinds != "apply"), row, advance)


def write_looks_at_people(
    events: Events, side: str, people: Sequence[Any], world: World, clock: Clock, advance: Advance
) -> None:
    """Write what start-ups did with people (``side``: developer or investor)."""
    ids = [startup.id for startup in world.startups]

    def row(place: int) -> PersonInteraction:
        return PersonInteraction(
            **{f"{side}_id": people[events.targets[place]].pk},
            startup_id=ids[events.visitors[place]],
            kind=str(events.kinds[place]),
            created_at=clock.at(events.days[place]),
        )

    _write(PersonInteraction, np.arange(len(events)), row, advance)


def write_applications(
    world: World,
    people: Sequence[Developer],
    positions: Sequence[Sequence[Position]],
    clock: Clock,
    advance: Advance,
) -> None:
    """Write the applications, each for the position that suits the developer's skills best."""
    events = world.developer_events

    def row(place: int) -> Application:
        visitor, target = int(events.visitors[place]), int(events.targets[place])
        best = _best_position(set(world.developers[visitor].skills), world.startups[target].positions)
        return Application(
            developer_id=people[visitor].pk,
            position_id=positions[target][best].pk,
            sent_at=clock.at(events.days[place]),
        )

    _write(Application, np.flatnonzero(events.kinds == "apply"), row, advance)


def _best_position(skills: set[str], jobs: Sequence[Any]) -> int:
    return max(range(len(jobs)), key=lambda place: (jobs[place].is_open, len(skills & set(jobs[place].skills)), -place))


def _write(model: Any, places: Any, row: Callable[[int], Any], advance: Advance) -> None:
    for batch in _batches(places):
        model._default_manager.bulk_create([row(int(place)) for place in batch])
        advance(len(batch))


def _batches(places: Any) -> Iterator[Any]:
    for start in range(0, len(places), BATCH):
        yield places[start : start + BATCH]
