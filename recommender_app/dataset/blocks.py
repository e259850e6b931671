"""Cutting sorted rows into blocks, so that work on them needs memory for one block only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROWS_PER_BLOCK = 1 << 19


def blocks_of(keys: NDArray[Any], size: int = ROWS_PER_BLOCK) -> Iterator[slice]:
    """Yield slices of about ``size`` rows that cover all of (n,) non-decreasing ``keys``.

    Equal keys are never parted; a key with more than ``size`` rows is a block of its own.
    """
    start = 0
    while start < len(keys):
        end = start + size
        if end < len(keys):
            end = int(np.searchsorted(keys, keys[end], side="left"))
            if end <= start:
                end = int(np.searchsorted(keys, keys[start], side="right"))
        yield slice(start, min(end, len(keys)))
        start = end


def is_repeated(keys: NDArray[Any]) -> NDArray[np.bool_]:
    """Return an (n,) mask of the non-decreasing ``keys`` that occur more than once."""
    is_same = keys[1:] == keys[:-1]
    repeated = np.zeros(len(keys), dtype=np.bool_)
    repeated[1:] |= is_same
    repeated[:-1] |= is_same
    return repeated
