"""What a rollout needs: guardrails that bark at the right thing, and comparisons that a ramp cannot bend."""

from __future__ import annotations

import numpy as np

from recommender_app.experiments.metrics import LATENCY, METRICS
from recommender_app.experiments.statistics.guardrails import Guardrail, Margin, Safety, guard
from recommender_app.experiments.statistics.ramp import compare_strata
from recommender_app.experiments.statistics.ratio import Difference, compare
from recommender_app.experiments.statistics.sums import Totals, from_arrays
from recommender_app.measurement.latency import PER_DECADE
from tests.benchmarks.calibrating.figure import Figure, share
from tests.benchmarks.calibrating.populations import CTR, arm, days_of_arm, generator, visitors

MARGIN = 0.1
USERS = 2_000  # per arm
SHARE = 0.95
ELIGIBLE, WEEK_1, WEEK_2 = 8_000, 0.10, 0.50
CTR_WEEK_2 = CTR * 2 / 3


def guardrails(runs: int) -> list[Figure]:
    """Be as bad as the margin allows for 28 days, then do nothing, then answer 30 % slower."""
    worst = [_ever_breached(run, lift=MARGIN) for run in range(runs)]
    equal = [_ever_breached(run, lift=0.0) for run in range(runs)]
    equal_latency = [_slower(run, 1.0) is Safety.BREACHED for run in range(runs)]
    slower = [_slower(run, 1.3) is Safety.BREACHED for run in range(runs)]
    return [
        share("guardrail, as bad as the margin allows, 28 daily looks: breached", sum(worst), runs, None, 0.01),
        share("guardrail, A/A, 28 daily looks: breached", sum(equal), runs, None, 0.01),
        share(f"guardrail p95 latency, A/A, {USERS} users per arm: breached", sum(equal_latency), runs, None, 0.01),
        share(f"guardrail p95 latency, +30 %, {USERS} users per arm: breached", sum(slower), runs, 0.95),
    ]


def ramps(runs: int) -> list[Figure]:
    """Let the rate fall by a third from week 1 to week 2, while more and more are enrolled, or treated."""
    enrolled = [_bias(compare_strata(_enrolment(generator(12, run)))) for run in range(runs)]
    phases = [_weights(generator(14, run)) for run in range(runs)]
    stratified = [_bias(compare_strata(strata)) for strata in phases]
    pooled = [_bias(compare(*map(_added, zip(*strata, strict=True)))) for strata in phases]
    return [
        _shift("enrolment 10 % then 50 %, falling rate, no effect: mean difference / error", enrolled, None, 0.25),
        _shift("treatment 10 % then 50 % in two phases, the same", stratified, None, 0.25),
        _shift("treatment 10 % then 50 %, counts added up (why strata are needed)", pooled, 1.0, None),
    ]


def _ever_breached(run: int, lift: float) -> bool:
    random, margin = generator(11, run), Margin(MARGIN, more_is_worse=True)
    days = zip(days_of_arm(random, USERS // 4, lift=lift), days_of_arm(random, USERS // 4), strict=True)
    return any(found.safety is Safety.BREACHED for day in days if (found := guard(*day, margin, USERS // 2)))


def _slower(run: int, factor: float) -> Safety:
    random = generator(13, run)
    control, treatment = (_buckets(random, each) for each in (1.0, factor))
    slow = int(np.quantile(control[0], SHARE, method="inverted_cdf")) + 1
    margin = Margin(METRICS[LATENCY].margin, more_is_worse=True)
    found: Guardrail | None = guard(_slow(*treatment, slow), _slow(*control, slow), margin, 2 * USERS)
    assert found is not None
    return found.safety


def _buckets(random: np.random.Generator, factor: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the bucket of each answer's time, and whose answer it is: some users wait longer than others."""
    answers = 1 + random.lognormal(0.7, 1.0, USERS).astype(np.int64)
    user = np.repeat(np.arange(USERS), answers)
    milliseconds = factor * 20 * random.lognormal(0, 0.3, USERS)[user] * random.lognormal(0, 0.5, len(user))
    return np.floor(np.log10(milliseconds) * PER_DECADE).astype(np.int64), user


def _slow(buckets: np.ndarray, user: np.ndarray, slow: int) -> Totals:
    return from_arrays(np.bincount(user, buckets >= slow, USERS), np.bincount(user, minlength=USERS))


def _enrolment(random: np.random.Generator) -> list[tuple[Totals, Totals]]:
    """Return the arms by enrolment step: the first ones are there in both weeks."""
    early, late = round(ELIGIBLE * WEEK_1 / 2), round(ELIGIBLE * (WEEK_2 - WEEK_1) / 2)
    return [
        (_both_weeks(random, early), _both_weeks(random, early)),
        (arm(random, late, ctr=CTR_WEEK_2), arm(random, late, ctr=CTR_WEEK_2)),
    ]


def _weights(random: np.random.Generator) -> list[tuple[Totals, Totals]]:
    """Return the arms by phase, one a week, all users new in each."""
    return [
        (arm(random, round(ELIGIBLE * treated / 2), ctr=ctr), arm(random, round(ELIGIBLE * (1 - treated) / 2), ctr=ctr))
        for treated, ctr in ((WEEK_1, CTR), (WEEK_2, CTR_WEEK_2))
    ]


def _both_weeks(random: np.random.Generator, n: int) -> Totals:
    clicks, impressions = visitors(random, n)
    again, seen_again = visitors(random, n, ctr=CTR_WEEK_2)
    return from_arrays(clicks + again, impressions + seen_again)


def _added(totals: tuple[Totals, ...]) -> Totals:
    return sum(totals, Totals())


def _bias(difference: Difference | None) -> float:
    assert difference is not None
    return difference.absolute / difference.error


def _shift(name: str, biases: list[float], low: float | None, high: float | None) -> Figure:
    return Figure(f"ramp, {name}", abs(float(np.mean(biases))), low, high)
