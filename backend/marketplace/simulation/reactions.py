"""What follows from a look: click, like, dislike, apply, ..."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.marketplace.simulation.browsing import Visits
from backend.marketplace.simulation.world import Events


@dataclass(frozen=True)
class Reaction:
    """One event that may follow another.

    Its probability is sigmoid(base + slope x fit), fit in standard deviations; ``instead_of``
    names an event that rules it out; ``delay_days`` is the mean of an exponential delay.
    """

    event: str
    after: str
    base: float
    slope: float
    instead_of: str = ""
    delay_days: float = 0.01


PEOPLE = (
    Reaction("click", "view", -1.6, 0.6),
    Reaction("like", "click", -1.8, 0.7),
    Reaction("dislike", "click", -0.8, -0.8, instead_of="like"),
    Reaction("favorite", "like", -1.6, 0.4, delay_days=0.5),
    Reaction("interest", "like", -2.4, 0.5, delay_days=1.0),
)
DEVELOPERS = (*PEOPLE, Reaction("apply", "like", -2.4, 0.6, delay_days=2.0))
STARTUPS = (
    Reaction("click", "view", -1.6, 0.7),
    Reaction("contact", "click", -2.0, 0.6, delay_days=0.5),
)


def react(visits: Visits, reactions: tuple[Reaction, ...], n_days: int, rng: np.random.Generator) -> Events:
    """Return the views and what followed from them before the end, sorted by time."""
    n = len(visits.days)
    happened: dict[str, NDArray[np.bool_]] = {"view": np.ones(n, dtype=bool)}
    times = {"view": visits.days}
    for reaction in reactions:
        chance = 1.0 / (1.0 + np.exp(-(reaction.base + reaction.slope * visits.fits)))
        follows = happened[reaction.after] & (rng.random(n) < chance)
        if reaction.instead_of:
            follows &= ~happened[reaction.instead_of]
        happened[reaction.event] = follows
        times[reaction.event] = times[reaction.after] + rng.exponential(reaction.delay_days, n)
    return _sorted(visits, happened, times, n_days)


def _sorted(
    visits: Visits, happened: dict[str, NDArray[np.bool_]], times: dict[str, NDArray[np.float64]], n_days: int
) -> Events:
    parts = [(name, np.flatnonzero(rows & (times[name] < n_days))) for name, rows in happened.items()]
    rows = np.concatenate([places for _, places in parts])
    days = np.concatenate([times[name][places] for name, places in parts])
    kinds = np.concatenate([np.full(len(places), name, dtype="U10") for name, places in parts])
    order = np.argsort(days, kind="stable")
    rows = rows[order]
    return Events(visits.visitors[rows], visits.targets[rows], kinds[order], days[order], visits.fits[rows])
