"""Factors as catalogues have them: trained on Yelp2018, and resampled to any number of items."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recommender_app.engines.batch import batch_of_users
from recommender_app.engines.confidence import Confidence
from recommender_app.engines.factors import FactorEngine
from recommender_app.trainers.als import ALSTrainer
from recommender_app.trainers.als_config import ALSConfig
from tests.benchmarks.public_data import read_published_split

D = 128
N_USERS = 2000
SEED = 1
_CHUNK = 1000
_PART = 100_000


@dataclass(frozen=True)
class TrainedFactors:
    """Factors of items and of users who ask.

    Attributes:
        items: (n_items, 128) float32.
        users: (2000, 128) float32, folded in from histories.
        distances: (n_items,) float32, of every item to the one nearest to it; empty if unknown.
    """

    items: np.ndarray
    users: np.ndarray
    distances: np.ndarray

    def resampled(self, n: int, seed: int = SEED) -> TrainedFactors:
        """Return n of the items moved as far as their nearest neighbour is, at their old norm.

        Copies that lie closer together than real items do would be clusters that flatter an index.
        """
        rng = np.random.default_rng(seed)
        moved = np.empty((n, D), dtype=np.float32)
        for start in range(0, n, _PART):
            chosen = rng.integers(0, len(self.items), min(_PART, n - start))
            noise = rng.standard_normal((len(chosen), D), dtype=np.float32)
            noise *= self.distances[chosen, None] / np.linalg.norm(noise, axis=1, keepdims=True)
            there = self.items[chosen] + noise
            norms = np.linalg.norm(self.items[chosen], axis=1, keepdims=True)
            moved[start : start + _PART] = there * (norms / np.linalg.norm(there, axis=1, keepdims=True))
        return TrainedFactors(moved, self.users, np.empty(0, dtype=np.float32))


def trained_factors(folder: Path, cache: Path = Path("bench/yelp_factors.npz")) -> TrainedFactors:
    """Train ALS on the published train part, or read what was trained before."""
    if not cache.is_file():
        dataset = read_published_split(folder).train
        engine = ALSTrainer().train(dataset, ALSConfig(factors=D, n_threads=1), SEED)
        chosen = np.random.default_rng(SEED).permutation(dataset.n_users)[:N_USERS].astype(np.int32)
        users = engine.query_vectors(batch_of_users(dataset, chosen))
        users = users[np.isfinite(users).all(axis=1)]
        cache.parent.mkdir(parents=True, exist_ok=True)
        np.savez(cache, items=engine.item_factors, users=users, distances=nearest_distances(engine.item_factors))
    with np.load(cache) as stored:
        return TrainedFactors(stored["items"], stored["users"], stored["distances"])


def nearest_distances(items: np.ndarray) -> np.ndarray:
    """Return (n,) the distance of every item to the one nearest to it."""
    squares = np.einsum("if,if->i", items, items)
    nearest = np.empty(len(items), dtype=np.float32)
    for start in range(0, len(items), _CHUNK):
        part = slice(start, start + _CHUNK)
        distances = squares[part, None] + squares - 2 * (items[part] @ items.T)
        distances[np.arange(len(distances)), np.arange(start, start + len(distances))] = np.inf
        nearest[part] = np.sqrt(np.maximum(distances.min(axis=1), 0))
    return nearest


def gaussian(n: int, seed: int = SEED) -> TrainedFactors:
    """Return factors without any structure, the hardest there are for an index."""
    rng = np.random.default_rng(seed)
    items, users = (rng.standard_normal((size, D), dtype=np.float32) for size in (n, N_USERS))
    return TrainedFactors(items, users, np.empty(0, dtype=np.float32))


def engine_of(items: np.ndarray) -> FactorEngine:
    """Return an engine that is asked with user vectors; nothing is folded in."""
    ones = np.ones(len(items), dtype=np.float32)
    return FactorEngine(items, np.eye(items.shape[1]), ones, 1.0, Confidence(1.0, 0.0, 0.0))
