"""How an interaction loses weight with age."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def decay(ages_days: NDArray[Any], half_life_days: float | None) -> NDArray[np.float64]:
    """Return (n,) factors in (0, 1]: ``2 ** (-age / half_life_days)``, 1.0 for all without a half-life.

    Args:
        ages_days: (n,) ages in days; a negative age (a time in the future) counts as 0.
        half_life_days: age at which half of the weight is left; positive, or None.
    """
    if half_life_days is None:
        return np.ones(len(ages_days))
    return np.exp2(-np.maximum(np.asarray(ages_days, dtype=np.float64), 0.0) / half_life_days)
