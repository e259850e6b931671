"""Users against weights: what is compared, and what is refused."""

import pytest

from recommender_app.experiments.statistics.srm import detectable_loss, mismatch

HALVES = {"control": 5_000, "b": 5_000}


def test_a_child_can_check_this_one():
    found = mismatch({"control": 60, "b": 40}, HALVES)
    assert (found.chi_square, found.df) == (4.0, 1)  # 10 * 10 / 50, twice
    assert found.p_value == pytest.approx(0.0455, abs=1e-4)
    assert not found.is_red


def test_uneven_weights_are_no_mismatch():
    assert mismatch({"control": 9_500, "b": 500}, {"control": 9_500, "b": 500}).chi_square == 0
    assert mismatch({"control": 9_500, "b": 500}, HALVES).is_red


def test_an_arm_to_which_nobody_came_counts():
    found = mismatch({"control": 30, "b": 30}, {"control": 1, "b": 1, "c": 1})
    assert found.df == 2
    assert found.is_red


def test_an_arm_without_weight_is_none():
    assert mismatch({"control": 50, "b": 50}, {**HALVES, "old": 0}).df == 1
    with pytest.raises(ValueError, match="users in old, an arm without weight"):
        mismatch({"control": 50, "b": 50, "old": 1}, {**HALVES, "old": 0})
    with pytest.raises(ValueError, match="users in stranger"):
        mismatch({"stranger": 1}, HALVES)
    with pytest.raises(ValueError, match="Two arms"):
        mismatch({"control": 50}, {"control": 1})


def test_a_handful_of_users_is_too_few_for_the_chi_square_but_not_for_the_other():
    found = mismatch({"control": 9, "b": 0}, HALVES)
    assert (found.chi_square, found.p_value, found.is_red) == (None, None, False)
    assert mismatch({}, HALVES).sequential_p == 1.0


def test_the_sequential_check_sees_what_goes_on_for_long():
    days = [mismatch({"control": 100 * day, "b": 85 * day}, HALVES) for day in range(1, 60)]
    assert days[0].sequential_p > 0.5
    assert days[-1].sequential_p < 1e-6


def test_few_users_detect_only_large_losses():
    quarters = dict.fromkeys("abcd", 1)
    losses = [detectable_loss(n, quarters) for n in (11_000, 45_000, 284_000, 1_140_000)]
    assert losses == pytest.approx([0.10, 0.05, 0.02, 0.01], rel=0.03)
    assert detectable_loss(0, quarters) is None
    assert detectable_loss(20, quarters) is None
