"""Simulated experiments, 200 of each: the bounds are those of the requirements, widened by what luck does in so few."""

import pytest

from tests.benchmarks.calibrating.figure import Figure, share
from tests.benchmarks.calibration import SIMULATIONS

RUNS = 200


@pytest.mark.parametrize("simulate", SIMULATIONS, ids=lambda simulate: simulate.__name__)
def test_what_is_said_to_be_sure_is_as_sure_as_that(simulate):
    figures = simulate(RUNS)
    assert figures
    assert all(figure.is_kept for figure in figures), "\n".join(map(str, figures))


def test_a_figure_out_of_its_bounds_is_not_kept():
    assert Figure("x", 1.0, 1.0, 2.0).is_kept
    assert not Figure("x", 0.99, 1.0, 2.0).is_kept
    assert not Figure("x", 2.01, 1.0, 2.0).is_kept


@pytest.mark.parametrize(("hits", "is_kept"), [(0, False), (1, True), (23, True), (24, False)])
def test_of_200_runs_only_what_luck_cannot_explain_is_refused(hits, is_kept):
    assert share("false positives", hits, 200, 0.035, 0.065).is_kept is is_kept


@pytest.mark.parametrize(("hits", "is_kept"), [(69, False), (70, True), (130, True), (131, False)])
def test_of_2000_runs_nothing_outside_the_stated_bounds_is_kept(hits, is_kept):
    assert share("false positives", hits, 2_000, 0.035, 0.065).is_kept is is_kept
