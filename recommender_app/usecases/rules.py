"""Business rules: boost, bury, pin and quota, and which items they are about.

>>> rules = (
...     Boost(where={"stage": "seed"}, factor=1.5),
...     Pin(item_ids=[42], position=1),
...     Quota(new_within_days=14, count=2, out_of=10),
... )
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.conf import settings
from django.utils.timezone import is_aware

from recommender_app.exceptions import ConfigurationError

MOST_DAYS = 36_500  # a hundred years: further back, the calendar of a database or of Python may end
MOST_FACTOR = 1000
NUMBERS = ("new_within_days", "factor", "position", "count", "out_of")


@dataclass(frozen=True)
class Facts:
    """What rules and caps may know of an item.

    Attributes:
        values: {attribute: the item's values as text}; an attribute that was not read is missing.
        age_days: since the item was created; None = unknown.
    """

    values: Mapping[str, frozenset[str]] = field(default_factory=dict)
    age_days: float | None = None

    def of(self, attribute: str) -> frozenset[str]:
        """Return the values of one attribute; empty where nothing is known."""
        return self.values.get(attribute, frozenset())


NOTHING_KNOWN = Facts()


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What all rules share. An item is meant where every condition that is given holds.

    Attributes:
        where: {attribute: value or values}; the item has at least one of them. Attributes are
            those that the use case lists as ``item_categories``, ``item_numbers`` or ``rule_attributes``.
        item_ids: the item is one of these.
        new_within_days: the item was created at most so long ago, up to MOST_DAYS.
        name: for messages.
        starts_at, ends_at: the rule is in force from the one until the other; None = no end to that side.
    """

    where: Mapping[str, Any] = field(default_factory=dict)
    item_ids: Sequence[Any] = ()
    new_within_days: float | None = None
    name: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.where, Mapping) or isinstance(self.item_ids, str):
            raise ConfigurationError(f'{self.label}: write where={{"stage": ["seed"]}} and item_ids=[17].')
        self._check_types()
        if not (self.where or self.item_ids or self.new_within_days is not None):
            raise ConfigurationError(f"{self.label} is about no item: give where, item_ids or new_within_days.")
        if self.new_within_days is not None and not 0 <= self.new_within_days <= MOST_DAYS:
            days = self.new_within_days
            raise ConfigurationError(f"{self.label} is about items of {days} days: write a number up to {MOST_DAYS}.")

    def _check_types(self) -> None:
        for name in NUMBERS:
            value = getattr(self, name, None)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int | float | Decimal)):
                raise ConfigurationError(f"{self.label}: {name} is {value!r}: write a number.")
        for name in ("starts_at", "ends_at"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, datetime) and is_aware(value) == settings.USE_TZ):
                kind = "with a time zone (tzinfo=UTC)" if settings.USE_TZ else "without a time zone"
                raise ConfigurationError(f"{self.label}: {name} is {value!r}: write a datetime {kind}.")

    @property
    def label(self) -> str:
        """What messages call the rule."""
        return f"The rule {self.name!r}" if self.name else f"A {type(self).__name__.lower()} rule"

    @cached_property
    def wanted(self) -> dict[str, frozenset[str]]:
        """``where`` with each value as text."""
        return {attribute: frozenset(map(as_text, values_of(values))) for attribute, values in self.where.items()}

    @cached_property
    def ids(self) -> frozenset[str]:
        """``item_ids`` as text."""
        return frozenset(map(str, self.item_ids))

    def is_in_force(self, now: datetime) -> bool:
        """Tell whether ``now`` lies in the rule's time."""
        return not (self.starts_at and now < self.starts_at) and not (self.ends_at and now >= self.ends_at)

    def is_about(self, item_id: Any, facts: Facts) -> bool:
        """Tell whether an item is meant; one of which the attribute is unknown is not."""
        if self.ids and str(item_id) not in self.ids:
            return False
        if self.new_within_days is not None and (facts.age_days is None or facts.age_days > self.new_within_days):
            return False
        return all(values & facts.of(attribute) for attribute, values in self.wanted.items())


@dataclass(frozen=True, kw_only=True)
class Boost(Rule):
    """Moves items up: relevance times ``factor``, which is above 1."""

    factor: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 < self.factor <= MOST_FACTOR:
            raise ConfigurationError(f"{self.label} boosts by {self.factor}: write one above 1, up to {MOST_FACTOR}.")


@dataclass(frozen=True, kw_only=True)
class Bury(Rule):
    """Moves items down: relevance times ``factor``, which is from 0 (to the end) to below 1."""

    factor: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.factor < 1:
            raise ConfigurationError(f"{self.label} buries by {self.factor}: write a factor from 0 to below 1.")


@dataclass(frozen=True, kw_only=True)
class Pin(Rule):
    """Puts items at a place: each of ``item_ids`` in order from ``position`` on, else the best that is meant.

    A pinned item that the user may not see is left out; a place beyond the list's length is not used.
    """

    position: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.position < 1:
            raise ConfigurationError(f"{self.label} pins to place {self.position}: places begin at 1.")


@dataclass(frozen=True, kw_only=True)
class Quota(Rule):
    """At least ``count`` of ``out_of`` places; other lengths in proportion, rounded down."""

    count: int
    out_of: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.count <= self.out_of:
            raise ConfigurationError(f"{self.label} wants {self.count} of {self.out_of}: write at most out_of, from 1.")

    def needed(self, limit: int) -> int:
        """Return how many places of a list of ``limit`` are meant."""
        return self.count * limit // self.out_of


def values_of(value: Any) -> list[Any]:
    """Return one value or several as a list."""
    return list(value) if isinstance(value, list | tuple | set | frozenset) else [value]


def as_text(value: Any) -> str:
    """Return a value as text; equal numbers give equal text (``300``, ``300.0`` and ``Decimal("300.00")``)."""
    is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    return format(Decimal(str(value)).normalize(), "f") if is_number else str(value)
