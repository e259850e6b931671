"""Who looks at what, and when: taste, popularity, freshness and chance."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.marketplace.simulation.taste import Floats

POOL = 1_000  # targets one visitor can come across; more only cost time
PER_SESSION = 6
TASTE, POPULARITY, FRESHNESS = 0.9, 1.0, 0.8  # what draws the eye, against a chance of 1
FRESH_DAYS = 14.0


@dataclass(frozen=True)
class Visitors:
    """Who browses.

    Attributes:
        tastes, later_tastes: (n, d) float32 unit rows, at the beginning and at the end.
        joined: (n,) days; nobody acts before.
        n_sessions: (n,) int.
        accounts: (n,) int, whose login it is.
    """

    tastes: Floats
    later_tastes: Floats
    joined: NDArray[np.float64]
    n_sessions: NDArray[np.int64]
    accounts: NDArray[np.int64]


@dataclass(frozen=True)
class Targets:
    """What is looked at.

    Attributes:
        traits: (m, d) float32 unit rows.
        appeal: (m,) standard normal; how popular, whatever the taste.
        appeared: (m,) days; infinity = never shown.
        accounts: (m,) int, whose login it belongs to; nobody meets the own.
    """

    traits: Floats
    appeal: NDArray[np.float64]
    appeared: NDArray[np.float64]
    accounts: NDArray[np.int64]


@dataclass(frozen=True)
class Visits:
    """n first encounters; ``fits`` in standard deviations of random encounters."""

    visitors: NDArray[np.int64]
    targets: NDArray[np.int64]
    days: NDArray[np.float64]
    fits: Floats


def browse(visitors: Visitors, targets: Targets, n_days: int, rng: np.random.Generator) -> Visits:
    """Return whom or what each visitor met, each target at most once per visitor."""
    scale = _random_fit(visitors, targets, rng)
    found = [_visits_of(row, visitors, targets, n_days, scale, rng) for row in range(len(visitors.joined))]
    who = np.repeat(np.arange(len(found)), np.array([len(rows) for rows, _, _ in found], dtype=np.int64))
    rows, days, fits = (np.concatenate([np.empty(0), *(part[place] for part in found)]) for place in range(3))
    return Visits(who, rows.astype(np.int64), days, fits.astype(np.float32))


def _visits_of(
    visitor: int,
    visitors: Visitors,
    targets: Targets,
    n_days: int,
    scale: tuple[float, float],
    rng: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    pool = _pool(targets, rng)
    days = np.sort(rng.uniform(max(visitors.joined[visitor], 0.0), n_days, visitors.n_sessions[visitor]))
    later = (days / n_days)[:, None]
    tastes = (1 - later) * visitors.tastes[visitor] + later * visitors.later_tastes[visitor]
    fits = (tastes @ targets.traits[pool].T - scale[0]) / scale[1]
    ages = days[:, None] - targets.appeared[pool]
    fresh = np.exp(-np.clip(ages, 0.0, None) / FRESH_DAYS)
    draw = TASTE * fits + POPULARITY * targets.appeal[pool] + FRESHNESS * fresh + rng.gumbel(size=fits.shape)
    draw[(ages < 0) | (targets.accounts[pool] == visitors.accounts[visitor])] = -np.inf
    sessions, places = _best(draw)
    _, first = np.unique(places, return_index=True)  # sessions are in time order: the first encounter stays
    sessions, places = sessions[first], places[first]
    return pool[places], days[sessions] + rng.uniform(0.0, 0.02, len(places)), fits[sessions, places]


def _best(draw: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    k = min(PER_SESSION, draw.shape[1])
    places = np.argpartition(-draw, k - 1, axis=1)[:, :k] if draw.size else np.empty((0, 0), dtype=np.int64)
    sessions = np.repeat(np.arange(len(places)), places.shape[1])
    places = places.ravel()
    shown = np.isfinite(draw[sessions, places])
    return sessions[shown], places[shown]


def _pool(targets: Targets, rng: np.random.Generator) -> NDArray[np.int64]:
    n = len(targets.appeal)
    return np.arange(n) if n <= POOL else rng.choice(n, POOL, replace=False)


def _random_fit(visitors: Visitors, targets: Targets, rng: np.random.Generator) -> tuple[float, float]:
    n = 5_000
    rows = rng.integers(max(len(visitors.tastes), 1), size=n)
    columns = rng.integers(max(len(targets.traits), 1), size=n)
    if not len(visitors.tastes) or not len(targets.traits):
        return 0.0, 1.0
    fits = np.einsum("ij,ij->i", visitors.tastes[rows], targets.traits[columns])
    return float(fits.mean()), float(max(fits.std(), 1e-6))
