"""Why an engine proposes an item: which parts of what it knows of the user speak for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

NO_ROW = -1
_TINY = 1e-3  # lengths below are rounding error


class Evidence(NamedTuple):
    """One reason for one item.

    Attributes:
        row: item row of the history that speaks for it, in the engine's row space; -1 where a term does.
        term: word or ``field=value`` of the user's profile, "" where an item of the history speaks.
        part: how much of the score it accounts for, > 0; comparable within one explanation.
    """

    row: int
    term: str
    part: float


def from_history(rows: NDArray[np.int32], parts: NDArray[np.floating], n: int) -> list[list[Evidence]]:
    """Return, for each explained item, the history items of the n largest positive parts.

    Args:
        rows: (h,) item rows of the history.
        parts: (h, j): what each history item adds to the score of each explained item.
    """
    return [[Evidence(int(rows[place]), "", part) for place, part in _largest(column, n)] for column in parts.T]


def from_terms(terms: Sequence[str], parts: NDArray[np.floating], n: int) -> list[list[Evidence]]:
    """Return, for each explained item, the terms of the n largest positive parts; ``parts`` is (len(terms), j)."""
    return [[Evidence(NO_ROW, terms[place], part) for place, part in _largest(column, n)] for column in parts.T]


def strongest(n: int, *explanations: list[list[Evidence]]) -> list[list[Evidence]]:
    """Return the n largest parts of several explanations of the same items."""
    merged = [[one for found in of_item for one in found] for of_item in zip(*explanations, strict=True)]
    return [sorted(found, key=lambda one: -one.part)[:n] for found in merged]


def without_each(values: NDArray[np.floating], vectors: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return (h, d): ``values @ vectors`` with one of the h values left out, the others scaled to length 1 again.

    Args:
        values: (h,) of length 1.
        vectors: (h, d).
    """
    left = np.sqrt(np.maximum(1.0 - values.astype(np.float64) ** 2, 0.0))[:, np.newaxis]
    rest = values @ vectors - values[:, np.newaxis] * vectors
    return np.where(left > _TINY, rest / np.maximum(left, _TINY), 0.0)


def _largest(parts: NDArray[np.floating], n: int) -> list[tuple[int, float]]:
    best = np.argsort(-np.nan_to_num(parts, nan=-np.inf), kind="stable")[:n]
    return [(int(place), float(parts[place])) for place in best if parts[place] > 0]
