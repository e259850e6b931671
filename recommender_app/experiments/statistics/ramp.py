"""Comparisons that a ramp cannot mislead: within strata of users who were enrolled alike, then averaged.

A stratum is a phase, or an enrolment step of one. Counts are never added up over strata with
different shares of treatment: if rates fall while the share grows, an arm that is better in each
stratum looks worse in the sum (Simpson's paradox). Strata are weighted by their users, as
n m / (n + m) for arms of n and m users. That is nearly the inverse variance, but does not favour
the strata in which little happened to be clicked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from recommender_app.experiments.statistics.ratio import Difference, Estimate, compare
from recommender_app.experiments.statistics.sums import Totals


def compare_strata(strata: Iterable[tuple[Totals, Totals]]) -> Difference | None:
    """Return the difference over all strata; None where none of them tells.

    Args:
        strata: (treatment, control) of each. One in which the users do not tell is left out of both arms.
    """
    found, weights = [], []
    for treatment, control in strata:
        difference = compare(treatment, control)
        if difference is not None:
            found.append(difference)
            weights.append(treatment.n * control.n / (treatment.n + control.n))
    if not found:
        return None
    return Difference(
        _averaged([each.treatment for each in found], weights),
        _averaged([each.control for each in found], weights),
        sum(each.n for each in found),
    )


def _averaged(estimates: Sequence[Estimate], weights: Sequence[float]) -> Estimate:
    total = sum(weights)
    parts = [(weight / total) ** 2 * each.variance for each, weight in zip(estimates, weights, strict=True)]
    value = sum(weight / total * each.value for each, weight in zip(estimates, weights, strict=True))
    df = sum(parts) ** 2 / sum(part**2 / each.df for each, part in zip(estimates, parts, strict=True))
    return Estimate(value, sum(parts), df)
