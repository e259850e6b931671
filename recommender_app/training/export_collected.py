"""What the interactions of a use case become, whichever way they were read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender_app.dataset.ids import IdMap
from recommender_app.dataset.interactions import MAX_ABSOLUTE_WEIGHT, InteractionTable
from recommender_app.exceptions import DatasetError
from recommender_app.usecases.declaration import UseCase


@dataclass(frozen=True)
class Collected:
    """Row spaces and interactions of a use case, weights without decay."""

    users: IdMap
    items: IdMap
    interactions: InteractionTable


def interaction_weights(
    use_case: UseCase, events: NDArray[np.uint8], strengths: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return (n,) weights: the event's weight x strength.

    Args:
        events: (n,) position in ``use_case.weights``.
        strengths: (n,); NaN for a strength that is NULL.

    Raises:
        DatasetError: a weight is not finite or too large.
    """
    of_events: NDArray[Any] = np.array(list(use_case.weights.values()), dtype=np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        weights = of_events[events] * strengths
        bad = np.flatnonzero(~(np.abs(weights) <= MAX_ABSOLUTE_WEIGHT))
    if len(bad):
        code, strength = events[bad[0]], strengths[bad[0]]
        raise DatasetError(
            f"Use case {use_case.key!r}: an interaction {list(use_case.weights)[code]!r} has weight "
            f"{of_events[code]:g} x strength {strength:g}, which is not a finite number within "
            f"±{MAX_ABSOLUTE_WEIGHT:g}: correct the weights, the rows or the strength expression."
        )
    return weights.astype(np.float32)
