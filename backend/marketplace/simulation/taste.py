"""Latent tastes: who is interested in which topics, and how that changes."""

import numpy as np
from numpy.typing import NDArray

from backend.marketplace.simulation.vocabulary import CROSS_TAGS, INDUSTRIES, TAGS

Floats = NDArray[np.float32]

N_TAGS = len(TAGS)
N_INDUSTRIES = len(INDUSTRIES)
TAGS_PER_INDUSTRY = len(INDUSTRIES[0].tags)


def draw_industries(n: int, rng: np.random.Generator, n_each: int = 1) -> NDArray[np.int64]:
    """Return (n, n_each) distinct industries per row; some industries are more common than others."""
    common = rng.normal(0, 0.5, N_INDUSTRIES)
    keys = common + rng.gumbel(size=(n, N_INDUSTRIES))
    return np.argsort(-keys, axis=1)[:, :n_each]


def startup_tags(industries: NDArray[np.int64], rng: np.random.Generator) -> Floats:
    """Return (n, N_TAGS) float32 of 0 and 1: two tags of the own industry and one that cuts across."""
    n = len(industries)
    tags = np.zeros((n, N_TAGS), dtype=np.float32)
    own = np.argsort(rng.random((n, TAGS_PER_INDUSTRY)), axis=1)[:, :2] + industries[:, None] * TAGS_PER_INDUSTRY
    across = N_TAGS - len(CROSS_TAGS) + rng.integers(len(CROSS_TAGS), size=(n, 1))
    np.put_along_axis(tags, np.hstack((own, across)), 1.0, axis=1)
    return tags


def tag_interests(industries: NDArray[np.int64], rng: np.random.Generator) -> Floats:
    """Return (n, N_TAGS) float32 unit rows: a person cares for some tags of the favourite industries.

    ``industries`` (n, k), the favourite first; interest falls by half from one to the next.
    """
    n, k = industries.shape
    interests = np.zeros((n, N_TAGS), dtype=np.float32)
    for place in range(k):
        parts = rng.dirichlet(np.full(TAGS_PER_INDUSTRY, 0.7), size=n) * 0.5**place
        columns = industries[:, [place]] * TAGS_PER_INDUSTRY + np.arange(TAGS_PER_INDUSTRY)
        np.put_along_axis(interests, columns, parts.astype(np.float32), axis=1)
    interests[:, N_TAGS - len(CROSS_TAGS) :] = 0.4 * rng.dirichlet(np.full(len(CROSS_TAGS), 0.3), size=n)
    return unit_rows(interests)


def drifted_interests(
    interests: Floats, industries: NDArray[np.int64], share: float, rng: np.random.Generator
) -> Floats:
    """Return the interests at the end: a ``share`` of the people has left the last favourite industry for a new one."""
    moves = rng.random(len(industries)) < share
    later_industries = industries.copy()
    later_industries[:, -1] = draw_industries(len(industries), rng)[:, 0]
    return np.where(moves[:, None], tag_interests(later_industries, rng), interests)


def top_tags(interests: Floats, n: int) -> list[tuple[str, ...]]:
    """Return the names of each row's n strongest tags."""
    order = np.argsort(-interests, axis=1, kind="stable")[:, :n]
    return [tuple(TAGS[tag] for tag in row) for row in order]


def unit_rows(rows: Floats) -> Floats:
    """Return the rows at length one."""
    return (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)).astype(np.float32)
