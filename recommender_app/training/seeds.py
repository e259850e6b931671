"""Which seeds there are: those that every library takes."""

from __future__ import annotations

from recommender_app.conf import settings
from recommender_app.exceptions import ConfigurationError

LARGEST_SEED = 2**32 - 1


def chosen_seed(asked: int | None) -> int:
    """Return the seed that was asked for, the setting SEED for None.

    Raises:
        ConfigurationError: it is none.
    """
    seed: int = settings.SEED if asked is None else asked
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= LARGEST_SEED:
        raise ConfigurationError(f"seed {seed}: write a whole number from 0 to {LARGEST_SEED}.")
    return seed
