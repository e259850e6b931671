"""A two-tower engine of given vectors: nobody waits for a training that is not what is tested."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender_app.engines.two_tower import TwoTowerArrays, TwoTowerEngine
from recommender_app.engines.two_tower_inputs import FeatureEncoder


def two_tower_of(item_vectors: NDArray[np.float32], item_offsets: NDArray[np.float32]) -> TwoTowerEngine:
    """Return an engine whose users are the mean of what they liked; it knows no features."""
    d, none = item_vectors.shape[1], np.empty(0, dtype=np.float32)
    nothing = FeatureEncoder(np.empty(0, dtype="<U1"), none, np.empty(0, dtype="<U1"), none, none)
    return TwoTowerEngine(
        TwoTowerArrays(
            item_vectors,
            item_offsets,
            np.array(-0.4, dtype=np.float32),
            item_vectors,
            np.empty((0, d), dtype=np.float32),
            np.empty((0, d), dtype=np.float32),
            np.empty((0, d, d), dtype=np.float32),
            np.empty((0, d), dtype=np.float32),
            np.array(0, dtype=np.float32),
            nothing,
            nothing,
        )
    )
