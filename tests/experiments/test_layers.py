"""Experiments that share a line of units by ranges that do not touch share no unit."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from recommender_app.experiments.overlap import overlapping
from recommender_app.experiments.phases import RunningPhase
from recommender_app.models import ExclusionLayer, Experiment, Phase
from tests.experiments.making import make_phase

PLACES = st.integers(0, 10_000)
LOW, HIGH = 2_500, 7_500  # of the experiment that runs


def with_range(number: int, first: int, end: int) -> RunningPhase:
    salts = {"enrol_salt": f"in {number}", "arm_salt": f"arm {number}", "layer_salt": "line"}
    return RunningPhase(
        f"e{number}", number, 1, "user", **salts, eligibility={}, enrol_bp=10_000, is_enrolling=True, arms=(),
        layer_from=first, layer_to=end,
    )  # fmt: skip


@given(cuts=st.sets(st.integers(1, 9_999), max_size=5))
def test_ranges_that_meet_hold_every_unit_once(cuts):
    phases = [with_range(number, *both) for number, both in enumerate(pairwise([0, *sorted(cuts), 10_000]))]
    for unit in range(50):
        assert sum(phase.is_in_layer("user", str(unit)) for phase in phases) == 1


@pytest.fixture
def line(db) -> ExclusionLayer:
    line = ExclusionLayer.objects.create(key="line", salt="line")
    make_phase(key="runs", layer=line, layer_from=LOW, layer_to=HIGH)
    return line


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ends=st.tuples(PLACES, PLACES).filter(lambda ends: ends[0] < ends[1]))
@example(ends=(0, LOW))
@example(ends=(0, LOW + 1))
@example(ends=(HIGH, 10_000))
@example(ends=(HIGH - 1, 10_000))
@example(ends=(LOW + 1, HIGH - 1))
@example(ends=(0, 10_000))
def test_another_experiment_is_refused_just_where_the_ranges_touch(line, ends):
    first, end = ends
    other = Experiment(pk=0, key="other", use_case="books", layer=line, layer_from=first, layer_to=end)
    touches = bool(set(range(first, end)) & set(range(LOW, HIGH)))
    assert overlapping(other, Phase(experiment=other, number=1)) == (["runs"] if touches else [])
