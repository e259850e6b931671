"""Sample ratio mismatch: whether as many users arrive in each arm as its weight says.

If not, something loses users of one arm, and no other number can be believed. Both tests take all
arms at once; an arm to which nobody came counts with its zero.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from scipy.special import chdtrc, chdtri, chndtrinc, gammaln

RED = 0.001  # chi-square: one look, or one a day for weeks
SEQUENTIAL_RED = 0.01  # holds for any number of looks
LEAST_EXPECTED = 5.0  # users per arm, for the chi-square to hold
CONCENTRATION = 1_000.0  # of the alternatives around the weights: the test is keenest at about as many users


@dataclass(frozen=True)
class Mismatch:
    """How well users and weights agree.

    Attributes:
        chi_square: None while an arm expects fewer than five users.
        df: arms - 1.
        p_value: of one look; None where ``chi_square`` is.
        sequential_p: holds however often it is looked at.
        detectable_loss: the least share of its users that an arm can lose, whichever it is, so that
            the chi-square would be red with a probability of 80 %; None if even all of them are too few.
    """

    chi_square: float | None
    df: int
    p_value: float | None
    sequential_p: float
    detectable_loss: float | None

    @property
    def is_red(self) -> bool:
        """Whether the results cannot be believed."""
        return (self.p_value is not None and self.p_value < RED) or self.sequential_p < SEQUENTIAL_RED


def mismatch(users: Mapping[str, int], weights: Mapping[str, float]) -> Mismatch:
    """Return how well users and weights agree.

    Args:
        users: {arm: users}; an arm that is not named has none.
        weights: {arm: weight} of the phase, in any unit.

    Raises:
        ValueError: without two arms of weight, or with users in an arm without weight.
    """
    shares = _shares(users, weights)
    counts = {arm: users.get(arm, 0) for arm in shares}
    df, chi_square = len(shares) - 1, _chi_square(counts, shares)
    return Mismatch(
        chi_square,
        df,
        None if chi_square is None else float(chdtrc(df, chi_square)),
        _sequential_p(counts, shares),
        detectable_loss(sum(counts.values()), weights),
    )


def detectable_loss(n: int, weights: Mapping[str, float], *, alpha: float = RED, power: float = 0.8) -> float | None:
    """Return the least share of its users, of any arm, whose loss would be seen.

    Args:
        n: users that are there, of all arms.
    """
    shares = _shares({}, weights)
    df, least = len(shares) - 1, min(shares.values())
    if n < 1:
        return None
    needed = float(chndtrinc(chdtri(df, alpha), df, 1 - power))
    gap = math.sqrt(needed * least / (n * (1 - least)))
    loss = gap / (1 + gap) / least
    return loss if loss < 1 else None


def _shares(users: Mapping[str, int], weights: Mapping[str, float]) -> dict[str, float]:
    live = {arm: weight for arm, weight in weights.items() if weight > 0}
    strangers = sorted(arm for arm, n in users.items() if n and arm not in live)
    if strangers:
        raise ValueError(f"There are users in {', '.join(strangers)}, an arm without weight: it has none to expect.")
    if len(live) < 2:
        raise ValueError("Two arms with a weight are needed to compare users with weights.")
    return {arm: weight / sum(live.values()) for arm, weight in live.items()}


def _chi_square(counts: Mapping[str, int], shares: Mapping[str, float]) -> float | None:
    n = sum(counts.values())
    if n * min(shares.values()) < LEAST_EXPECTED:
        return None
    return sum((counts[arm] - n * share) ** 2 / (n * share) for arm, share in shares.items())


def _sequential_p(counts: Mapping[str, int], shares: Mapping[str, float]) -> float:
    """Return 1 / Bayes factor of Dirichlet alternatives around the weights (Lindon and Malek, 2022).

    Under the weights the factor is a martingale that starts at 1: it ever reaches 1 / p in a share
    p of all experiments at most.
    """
    n = sum(counts.values())
    log_factor = float(gammaln(CONCENTRATION) - gammaln(CONCENTRATION + n))
    for arm, share in shares.items():
        prior = CONCENTRATION * share
        log_factor += float(gammaln(prior + counts[arm]) - gammaln(prior)) - counts[arm] * math.log(share)
    return math.exp(min(0.0, -log_factor))
