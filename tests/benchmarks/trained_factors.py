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


@dataclass(frozen=True)
class TrainedFactors:
    """(n_items, 128) float32 item factors, and (2000, 128) users folded in from their histories."""

    items: np.ndarray
    users: np.ndarray


def trained_factors(folder: Path, cache: Path = Path("bench/yelp_factors.npz")) -> TrainedFactors:
    """Train ALS on the published train part, or read what was trained before."""
    if not cache.is_file():
        dataset = read_published_split(folder).train
        engine = ALSTrainer().train(dataset, ALSConfig(factors=D, n_threads=1), SEED)
        chosen = np.random.default_rng(SEED).permutation(dataset.n_users)[:N_USERS].astype(np.int32)
        users = engine.query_vectors(batch_of_users(dataset, chosen))
        cache.parent.mkdir(parents=True, exist_ok=True)
        np.savez(cache, items=engine.item_factors, users=users[np.isfinite(users).all(axis=1)])
    with np.load(cache) as stored:
        return TrainedFactors(stored["items"], stored["users"])


def resampled(items: np.ndarray, n: int, seed: int = SEED) -> np.ndarray:
    """Return (n, d) rows of ``items`` moved as far as their nearest neighbour is, at their old norm.

    Copies that lie closer together than real items do would be clusters that flatter an index.
    """
    rng = np.random.default_rng(seed)
    chosen = rng.integers(0, len(items), n)
    distances = nearest_distances(items)[chosen, None]
    norms = np.linalg.norm(items, axis=1)[chosen, None]
    moved = np.empty((n, items.shape[1]), dtype=np.float32)
    for start in range(0, n, 100_000):
        part = slice(start, start + 100_000)
        noise = rng.standard_normal((len(chosen[part]), items.shape[1]), dtype=np.float32)
        noise *= distances[part] / np.linalg.norm(noise, axis=1, keepdims=True)
        there = items[chosen[part]] + noise
        moved[part] = there * (norms[part] / np.linalg.norm(there, axis=1, keepdims=True))
    return moved


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
    return TrainedFactors(items, users)


def engine_of(items: np.ndarray) -> FactorEngine:
    """Return an engine that is asked with user vectors; nothing is folded in."""
    ones = np.ones(len(items), dtype=np.float32)
    return FactorEngine(items, np.eye(items.shape[1]), ones, 1.0, Confidence(1.0, 0.0, 0.0))
