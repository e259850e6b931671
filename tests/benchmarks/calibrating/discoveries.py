"""Effects that are there: found as often as the calculator says."""

from __future__ import annotations

from dataclasses import replace

from recommender_app.experiments.statistics.confidence_sequence import always_valid_read_out
from recommender_app.experiments.statistics.fixed_horizon import fixed_read_out
from recommender_app.experiments.statistics.power import Question, sample_size
from recommender_app.experiments.statistics.ratio import compare
from tests.benchmarks.calibrating.figure import Figure, share
from tests.benchmarks.calibrating.populations import arm, generator

LIFT = 0.10
FIXED = Question(power=0.8, is_always_valid=False)
METHODS = {"fixed horizon": FIXED, "always-valid": replace(FIXED, is_always_valid=True)}
SITE_USERS = 100_000  # that the calculator knows
SEEDS, LEAST_FOUND = 20, 18


def power(runs: int) -> list[Figure]:
    """Run experiments of the size that the calculator asks for from another sample of the site."""
    figures = []
    for place, (method, question) in enumerate(METHODS.items()):
        n = sample_size(arm(generator(8), SITE_USERS), LIFT, question)
        hits = sum(_is_found(question, n, 9, place, run) for run in range(runs))
        figures.append(share(f"power with {n} users per arm, planned 80 %, {method}", hits, runs, 0.77, 0.83))
    return figures


def planned_effect(runs: int) -> list[Figure]:
    """Find a planned effect in 20 experiments that were planned with a power of 95 %."""
    del runs  # as few as the requirement says
    figures = []
    for place, (method, question) in enumerate(METHODS.items()):
        n = sample_size(arm(generator(8), SITE_USERS), LIFT, replace(question, power=0.95))
        found = sum(_is_found(question, n, 10, place, seed) for seed in range(SEEDS))
        name = f"planned effect found in {SEEDS} seeds, {n} users per arm, planned 95 %, {method}"
        figures.append(Figure(name, found, LEAST_FOUND, None, "{:.0f}"))
    return figures


def _is_found(question: Question, n: int, *seed: int) -> bool:
    random = generator(*seed)
    difference = compare(arm(random, n, LIFT), arm(random, n))
    assert difference is not None
    read = always_valid_read_out(difference, 2 * n) if question.is_always_valid else fixed_read_out(difference)
    return read.p_value < question.alpha and read.difference > 0
