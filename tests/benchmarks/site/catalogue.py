"""A synthetic catalogue with tastes: books of genres, readers who mostly keep to two of them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.site.figures import N_BOOKS, N_READERS

N_GENRES = 50
MEAN_HISTORY = 40
SEED = 11
WORDS = 4_000


@dataclass(frozen=True)
class Catalogue:
    """Books and who liked them.

    Attributes:
        keys: primary keys of the books, sorted.
        genres: (n_books,) the genre of each.
        blurbs: a text for each: words of its genre and some of everybody's.
        readers, books: (n,) who liked which.
    """

    keys: list[uuid.UUID]
    genres: NDArray[np.int64]
    blurbs: list[str]
    readers: NDArray[np.int64]
    books: NDArray[np.int64]


def make_catalogue(n_books: int = N_BOOKS, n_readers: int = N_READERS) -> Catalogue:
    """Return the same catalogue for the same sizes."""
    rng = np.random.default_rng(SEED)
    keys = sorted(uuid.UUID(bytes=rng.bytes(16), version=4) for _ in range(n_books))
    genres = rng.integers(N_GENRES, size=n_books)
    readers, books = _likes(rng, genres, n_readers)
    return Catalogue(keys, genres, _blurbs(rng, genres), readers, books)


def _likes(rng: np.random.Generator, genres: NDArray[np.int64], n_readers: int) -> tuple[NDArray, NDArray]:
    """Every reader likes books of two genres, the popular ones more often."""
    shelves = [np.flatnonzero(genres == genre) for genre in range(N_GENRES)]
    readers, books = [], []
    for reader in range(n_readers):
        shelf = np.concatenate([shelves[genre] for genre in rng.choice(N_GENRES, 2, replace=False)])
        n_liked = int(rng.integers(5, 2 * MEAN_HISTORY - 5))
        places = (len(shelf) * rng.random(n_liked) ** 3).astype(int)
        liked = np.unique(shelf[places])
        books.append(liked)
        readers.append(np.full(len(liked), reader))
    return np.concatenate(readers), np.concatenate(books)


def _blurbs(rng: np.random.Generator, genres: NDArray[np.int64]) -> list[str]:
    words = np.array([f"word{number}" for number in range(WORDS)])
    own = rng.integers(WORDS // N_GENRES, size=(len(genres), 12)) + genres[:, None] * (WORDS // N_GENRES)
    common = rng.integers(WORDS, size=(len(genres), 4))
    return [" ".join(row) for row in words[np.concatenate((own, common), axis=1)]]
