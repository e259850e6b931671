"""Days of visits to the site, on a clock that the simulation sets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import time_machine

from backend.marketplace.driving.crowd import VISITS_PER_DAY, draw_crowd, visits_of_day
from backend.marketplace.driving.effects import NONE, Effects
from backend.marketplace.driving.reacting import Shown, Tastes, as_posted, reactions
from backend.marketplace.driving.site import Listed, Site
from backend.marketplace.models import Developer
from recommender_app.models import RequestLog

EndOfDay = Callable[[date], Any]


@dataclass(frozen=True)
class Plan:
    """What is simulated.

    Attributes:
        first: day of UTC.
        effects: {arm: what it does to the people in it}; arms that are not named do nothing.
        seed: of everything: the same people come at the same times and have the same luck.
        visits_per_day: of the average person.
    """

    first: date
    n_days: int
    effects: Mapping[str, Effects]
    seed: int
    visits_per_day: float = VISITS_PER_DAY


class Visitors:
    """People with their habits, tastes and luck."""

    def __init__(self, site: Site, developers: Sequence[Developer], plan: Plan) -> None:
        self._site, self._developers, self._plan = site, developers, plan
        self._rng = np.random.default_rng(plan.seed)
        self._crowd = draw_crowd(len(developers), plan.visits_per_day, self._rng)
        self._tastes = Tastes()

    def visit(self, end_of_day: EndOfDay) -> int:
        """Let the people visit the site on all days; return how many visits that were.

        Args:
            end_of_day: called with each day when it is over, a minute after midnight.
        """
        plan, n_visits = self._plan, 0
        with time_machine.travel(midnight(plan.first), tick=True) as clock:
            for day in (plan.first + timedelta(days=number) for number in range(plan.n_days)):
                for moment, person in visits_of_day(self._crowd, self._rng):
                    clock.move_to(_moment(day, moment))
                    self._come(person)
                    n_visits += 1
                clock.move_to(_moment(day, 1.0) + timedelta(minutes=1))
                end_of_day(day)
        return n_visits

    def _come(self, person: int) -> None:
        """Let one person ask for a list and react to it, by the arm that the log says."""
        developer = self._developers[person]
        listed = self._site.ask(developer)
        arm = RequestLog.objects.filter(request_id=listed.request_id).values_list("arm", flat=True).first()
        effects = self._plan.effects.get(arm or "", NONE)
        eagerness = float(self._crowd.eagerness[person])
        done = list(reactions(self._shown(developer, listed), eagerness, effects, self._rng))
        if done:
            self._site.tell(developer, as_posted(listed.request_id, done))

    def _shown(self, developer: Developer, listed: Listed) -> list[Shown]:
        tastes = self._tastes
        return [Shown(item, tastes.in_common(developer.pk, item), item in tastes.hiring) for item in listed.items]


def midnight(day: date) -> datetime:
    """Return the first moment of a day of UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _moment(day: date, part: float) -> datetime:
    return midnight(day) + timedelta(days=part)
