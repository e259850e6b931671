"""The benchmarks' arithmetic: ratios within a round, claims held to limits."""

import json

import numpy as np
import pytest

from tests.benchmarks.rounds import Rounds, each, interleave, report, timed
from tests.benchmarks.trained_factors import D, TrainedFactors, nearest_distances


def test_works_are_interleaved_and_take_turns_at_being_first():
    calls = []

    def work(name, seconds):
        def measure():
            calls.append(name)
            return seconds

        return measure

    rounds = interleave({"a": work("a", 1.0), "b": work("b", 2.0)}, rounds=3)
    assert "".join(calls) == "ab" + "ab" + "ba" + "ab", "a first call of each is not counted"
    assert rounds.seconds == {"a": [1.0] * 3, "b": [2.0] * 3}
    assert len(rounds.load_averages) == 3


def test_ratios_are_taken_within_a_round():
    """A round in which the machine was ten times as slow changes nothing."""
    rounds = Rounds({"ours": [1.0, 10.0, 1.5], "theirs": [2.0, 20.0, 2.0]}, [0.0] * 3)
    claim = rounds.claim("half", "ours", "theirs", 0.5)
    assert (claim.median, claim.lowest, claim.highest) == (0.5, 0.5, 0.75)
    assert (claim.ours_ms, claim.theirs_ms) == (1500, 2000)
    assert claim.is_kept


@pytest.mark.parametrize(("limit", "code"), [(0.4, 1), (0.5, 0), (None, 0)])
def test_a_claim_that_fails_fails_the_benchmark(tmp_path, capsys, limit, code):
    rounds = Rounds({"ours": [1.0], "theirs": [2.0]}, [0.0])
    output = tmp_path / "bench" / "it.json"
    assert report("it", [rounds.claim("half", "ours", "theirs", limit)], output, note=7) == code
    stored = json.loads(output.read_text())
    assert stored["passed"] == (code == 0)
    assert stored["note"] == 7
    assert stored["claims"][0]["median"] == 0.5
    assert ("FAIL" in capsys.readouterr().out) == (code == 1)


def test_a_measurement_calls_its_work_as_often_as_it_says():
    calls = []
    assert timed(lambda: calls.append(0), repeats=3)() >= 0
    assert each(calls.append, [7, 8])() >= 0
    assert calls == [0, 0, 0, 7, 8]


def test_resampled_factors_keep_their_norms_and_are_no_closer_than_real_ones():
    rng = np.random.default_rng(1)
    items = rng.standard_normal((300, D)).astype(np.float32) * rng.uniform(0.5, 2, (300, 1)).astype(np.float32)
    grown = TrainedFactors(items, items[:1], nearest_distances(items)).resampled(3000)
    norms = np.linalg.norm(items, axis=1)
    assert len(grown.items) == 3000
    found = np.linalg.norm(grown.items, axis=1)
    assert np.abs(found[:, None] - norms).min(axis=1).max() < 1e-4
    assert np.median(nearest_distances(grown.items)) > 0.5 * np.median(nearest_distances(items))
