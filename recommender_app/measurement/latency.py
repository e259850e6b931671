"""Histograms of response times in fixed buckets: they can be added up over users, days and engines.

A bucket is 12 % wide: 20 of them make a factor of ten, from 0.1 ms to 100 s. What is outside
counts in the first or the last one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

PER_DECADE = 20
FIRST, LAST = -PER_DECADE, 5 * PER_DECADE - 1  # from 0.1 ms, up to 100 s
N_BUCKETS = LAST - FIRST + 1

Histogram = Mapping[int, int]  # bucket -> answers


def lower_bound(bucket: float) -> float:
    """Return the milliseconds at which a bucket begins; of a fraction, a place within it."""
    return float(10 ** (bucket / PER_DECADE))


_BOUNDS = tuple(lower_bound(bucket) for bucket in range(FIRST + 1, LAST + 1))


def bucket_of(milliseconds: float) -> int:
    """Return the bucket of a time."""
    return FIRST + bisect_right(_BOUNDS, milliseconds)


def buckets_of(milliseconds: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the bucket of each of many times."""
    return FIRST + np.searchsorted(_BOUNDS, milliseconds, side="right")


def quantile(histogram: Histogram, share: float) -> float | None:
    """Return the milliseconds within which a share (0..1) of the answers came; None for no answers.

    At most one bucket's width away from the exact quantile; within a bucket, answers are taken to
    be spread evenly on the logarithmic scale.
    """
    wanted = share * sum(histogram.values())
    below = 0
    for bucket, count in sorted(histogram.items()):
        if count and below + count >= wanted:
            return lower_bound(bucket + (wanted - below) / count)
        below += count
    return None


def added(histograms: Iterable[Histogram]) -> Counter[int]:
    """Return the sum of histograms."""
    total: Counter[int] = Counter()
    for histogram in histograms:
        total.update(histogram)
    return total


def as_json(histogram: Histogram) -> dict[str, int]:
    """Return a histogram as JSON, which knows no integer keys."""
    return {str(bucket): count for bucket, count in sorted(histogram.items())}


def from_json(stored: Mapping[str, int]) -> dict[int, int]:
    """Return the histogram that ``as_json`` was given."""
    return {int(bucket): count for bucket, count in stored.items()}
