"""Caps: at most so many items with the same value of an attribute."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from recommender_app.usecases.rules import Facts

Value = tuple[str, str]  # attribute, value as text
Caps = Mapping[str, int]  # {attribute: at most so many items of one value}


def capped_values(caps: Caps, facts: Facts) -> list[Value]:
    """Return the values of an item that are counted; an item without any is never capped."""
    return [(attribute, value) for attribute in caps for value in facts.of(attribute)]


class CapCounts:
    """How many items of a list have each value.

    Args:
        taken: the items.
    """

    def __init__(self, caps: Caps, taken: Iterable[Facts] = ()) -> None:
        self._caps = caps
        self._counts = Counter(value for facts in taken for value in capped_values(caps, facts))

    def has_room_for(self, facts: Facts) -> bool:
        """Tell whether an item can join without going over a cap."""
        return all(self._counts[value] < self._caps[value[0]] for value in capped_values(self._caps, facts))

    def add(self, facts: Facts) -> None:
        """Count one more item."""
        self._counts.update(capped_values(self._caps, facts))


class CapCounter:
    """Counts the values of items that are taken one after the other, and says which items are now too many.

    Args:
        facts: of the n items, by place.
        taken: items that have their places already.

    Attributes:
        is_allowed: (n,) bool by place, whether taking the item keeps the caps.
    """

    def __init__(self, caps: Caps, facts: Sequence[Facts], taken: Iterable[Facts] = ()) -> None:
        self._caps = caps
        self._values = [capped_values(caps, each) for each in facts]
        self._counts: Counter[Value] = Counter()
        self._holders: defaultdict[Value, list[int]] = defaultdict(list)
        for place, values in enumerate(self._values):
            for value in values:
                self._holders[value].append(place)
        self.is_allowed = np.array([all(caps[name] > 0 for name, _ in values) for values in self._values], dtype=bool)
        for each in taken:
            self._count(capped_values(caps, each))

    def take(self, place: int) -> None:
        """Count the item at a place."""
        self._count(self._values[place])

    def _count(self, values: list[Value]) -> None:
        self._counts.update(values)
        for value in values:
            if self._counts[value] >= self._caps[value[0]]:
                self.is_allowed[self._holders[value]] = False
