"""What the simulator makes, as plain records and arrays."""

from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Scale:
    """How much is simulated."""

    n_startups: int = 600
    n_developers: int = 800
    n_investors: int = 200
    n_days: int = 90


@dataclass(frozen=True)
class SimulatedAccount:
    """A login: username and the person's name."""

    username: str
    first_name: str
    last_name: str


@dataclass(frozen=True)
class SimulatedPosition:
    """A job: "Backend engineer" and its skills."""

    title: str
    skills: tuple[str, ...]
    is_open: bool


@dataclass(frozen=True)
class SimulatedStartup:
    """A company; ``owner`` is the place of its account, ``day`` when it appeared (negative = before day 0)."""

    id: UUID
    owner: int
    name: str
    pitch: str
    description: str
    industry: str
    stage: str
    tags: tuple[str, ...]
    city: str
    day: float
    is_published: bool
    positions: tuple[SimulatedPosition, ...]


@dataclass(frozen=True)
class SimulatedDeveloper:
    """A developer; ``account`` is the place of the login, ``day`` when the person joined."""

    account: int
    headline: str
    about: str
    city: str
    day: float
    interests: tuple[str, ...]
    skills: tuple[str, ...]
    years: int


@dataclass(frozen=True)
class SimulatedInvestor:
    """An investor; tickets in euros."""

    id: UUID
    account: int
    headline: str
    about: str
    city: str
    day: float
    interests: tuple[str, ...]
    industries: tuple[str, ...]
    stage: str
    ticket_min: int
    ticket_max: int


@dataclass(frozen=True)
class Events:
    """n actions, sorted by time.

    Attributes:
        visitors, targets: (n,) int64, places in the lists of who acts and who or what is acted on.
        kinds: (n,) str array.
        days: (n,) float64, days since the simulation began.
        fits: (n,) float32, how well visitor and target suit each other (standard deviations).
    """

    visitors: NDArray[np.int64]
    targets: NDArray[np.int64]
    kinds: NDArray[np.str_]
    days: NDArray[np.float64]
    fits: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.days)


@dataclass(frozen=True)
class World:
    """Everything. ``accounts`` holds developers first, then investors, then founders."""

    accounts: list[SimulatedAccount]
    startups: list[SimulatedStartup]
    developers: list[SimulatedDeveloper]
    investors: list[SimulatedInvestor]
    developer_events: Events  # developers on start-ups, "apply" included
    investor_events: Events  # investors on start-ups
    recruiting_events: Events  # start-ups on developers
    funding_events: Events  # start-ups on investors
