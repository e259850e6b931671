"""How many users a question needs, from the site's own numbers.

In closed form: the variance of a user's part of the rate is the delta method's, and a treatment
with an effect d is taken to multiply what users do by 1 + d.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import ndtri

from recommender_app.experiments.statistics.confidence_sequence import half_width
from recommender_app.experiments.statistics.delta import standard_error
from recommender_app.experiments.statistics.sums import Totals


@dataclass(frozen=True)
class Question:
    """How sure the answer shall be.

    Attributes:
        alpha: accepted share of false positives.
        power: wanted probability of finding the effect, if it is there.
        treatments: compared with the same control; the first step of Holm divides alpha by them.
        is_always_valid: whether the read-out that may be looked at every day decides, which needs
            about twice the users of a single look. Days before the last one are not counted on.
    """

    alpha: float = 0.05
    power: float = 0.8
    treatments: int = 1
    is_always_valid: bool = True


def sample_size(site: Totals, effect: float, question: Question) -> int:
    """Return the users that each arm needs.

    Args:
        site: of users like those who will be enrolled, over as long a time as the experiment's.
        effect: least relative one worth finding: 0.05 or -0.05 = five per cent.

    Raises:
        ValueError: if the effect is zero, or the site's numbers do not tell.
    """
    if not effect:
        raise ValueError("An effect of zero cannot be found by any number of users: name the least one worth finding.")
    size = abs(effect)
    return math.ceil(_widths(question) ** 2 * _relative_variance(site) * (1 + (1 + size) ** 2) / size**2)


def detectable_effect(site: Totals, n: int, question: Question) -> float | None:
    """Return the least relative effect that n users per arm find; None if they are too few for any.

    Raises:
        ValueError: if the site's numbers do not tell.
    """
    known = n / (_widths(question) ** 2 * _relative_variance(site))
    # known * effect**2 = 1 + (1 + effect)**2
    return (1 + math.sqrt(2 * known - 1)) / (known - 1) if known > 1 else None


def _widths(question: Question) -> float:
    """Return how many standard errors the effect must be: the read-out's half width and the power's part."""
    alpha = question.alpha / question.treatments
    # At the planned users the width does not depend on how many they are.
    boundary = half_width(1, 1, alpha) if question.is_always_valid else float(ndtri(1 - alpha / 2))
    return boundary + float(ndtri(question.power))


def _relative_variance(site: Totals) -> float:
    """Return the variance of one user's part of the rate, relative to the rate's square."""
    error = standard_error(site)
    if error is None or site.y <= 0:
        raise ValueError(
            "The numbers of the site do not tell how users differ: at least two of them must have done what "
            "the metric counts, such as a click, and not all alike. Take more days."
        )
    return site.n * (error * site.x / site.y) ** 2
