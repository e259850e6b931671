"""What is known of a whole day of a use case beside the sums of its users."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from recommender_app.measurement.answers import Group
from recommender_app.measurement.distinct import DistinctItems
from recommender_app.measurement.latency import Histogram, as_json
from recommender_app.models import RollUpShape
from recommender_app.registry.database import alias

BLANK = ""  # takes the place of a forgotten user, and of a forgotten person as an item: nobody in particular


@dataclass
class Shape:
    """What is kept of a group: how response times are spread, and which items were shown."""

    latencies: Counter[int] = field(default_factory=Counter)
    items: DistinctItems = field(default_factory=DistinctItems)


class WholeDay:
    """Collects the shapes of all groups, user by user.

    Attributes:
        requests: answers so far.
        first_at: moment of the oldest answer.
    """

    def __init__(self) -> None:
        self.requests = 0
        self.first_at: datetime | None = None
        self._shapes: defaultdict[Group, Shape] = defaultdict(Shape)

    def add(self, group: Group, requests: int, latencies: Histogram, items: Iterable[str]) -> None:
        """Add one user's day in one group."""
        self.requests += requests
        shape = self._shapes[group]
        for bucket, count in latencies.items():
            shape.latencies[bucket] += count
        shape.items.add(items)

    def saw(self, moment: datetime | None) -> None:
        """Note the moment of an answer of the day; None = there was none."""
        if moment is not None and (self.first_at is None or moment < self.first_at):
            self.first_at = moment

    def write(self, use_case: str, day: date) -> None:
        """Store the shapes."""
        RollUpShape.objects.using(alias()).bulk_create(
            RollUpShape(
                use_case=use_case,
                day=day,
                latencies=as_json(shape.latencies),
                items=shape.items.sketch(),
                **group._asdict(),
            )
            for group, shape in self._shapes.items()
        )
