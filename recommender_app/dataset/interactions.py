"""Interactions as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender_app.exceptions import DatasetError

MICROSECONDS_PER_DAY = 86_400_000_000
MAX_ABSOLUTE_WEIGHT = 1_000.0


@dataclass(frozen=True)
class InteractionTable:
    """n interactions, one row each, in any order.

    Attributes:
        user_rows: (n,) int32.
        item_rows: (n,) int32.
        events: (n,) uint8, position in ``event_names``.
        weights: (n,) float32, signed: event weight x strength (x decay); negative = dislike.
        times: (n,) int64, microseconds since 1970-01-01 UTC.
        event_names: the use case's events.
    """

    user_rows: NDArray[np.int32]
    item_rows: NDArray[np.int32]
    events: NDArray[np.uint8]
    weights: NDArray[np.float32]
    times: NDArray[np.int64]
    event_names: tuple[str, ...]

    def __post_init__(self) -> None:
        lengths = {len(self.user_rows), len(self.item_rows), len(self.events), len(self.weights), len(self.times)}
        if len(lengths) != 1:
            raise DatasetError(f"Interaction columns differ in length: {sorted(lengths)}.")
        if not np.all(np.isfinite(self.weights)) or np.any(np.abs(self.weights) > MAX_ABSOLUTE_WEIGHT):
            raise DatasetError(
                f"Interaction weights must be finite and within ±{MAX_ABSOLUTE_WEIGHT:g}: "
                "check the use case's weights, strength and half_life_days."
            )

    def __len__(self) -> int:
        return len(self.user_rows)

    def select(self, chosen: NDArray[np.bool_] | NDArray[np.intp] | slice) -> InteractionTable:
        """Return the rows that a mask, an index array or a slice (without copying) chooses."""
        return InteractionTable(
            self.user_rows[chosen],
            self.item_rows[chosen],
            self.events[chosen],
            self.weights[chosen],
            self.times[chosen],
            self.event_names,
        )

    def has_event(self, names: tuple[str, ...]) -> NDArray[np.bool_]:
        """Return an (n,) mask of the interactions whose event is one of ``names``."""
        codes = [code for code, name in enumerate(self.event_names) if name in names]
        return np.isin(self.events, codes)
