"""Verdicts: health first, then harm, then the primary metric."""

import pytest

from recommender_app.experiments.statistics.guardrails import Safety
from recommender_app.experiments.statistics.read_out import ReadOut
from recommender_app.experiments.statistics.verdict import Plan, Status, Treatment, verdict

PLAN = Plan("ctr", planned=1_000)
LATE = 28


def treatment(arm, difference, p, n=2_000, **guardrails):
    relative = difference / 0.06
    read = ReadOut(
        0.06 + difference, 0.06, difference, difference - 0.004, difference + 0.004, relative, relative - 0.07,
        relative + 0.07, p, 0.05, n,
    )  # fmt: skip
    return Treatment(arm, read, p, guardrails)


def judged(*treatments, days=LATE, smallest_arm=900, plan=PLAN, **more):
    return verdict(plan, treatments, days, smallest_arm=smallest_arm, **more)


BETTER, WORSE, EQUAL = treatment("als", 0.006, 0.001), treatment("tower", -0.006, 0.002), treatment("mix", 0.001, 0.8)


def test_a_red_check_of_health_hides_all_results():
    found = judged(BETTER, red=["sample ratio", "audit"])
    assert found.status is Status.UNHEALTHY
    assert found.sentence == "Do not read the results: sample ratio and audit failed. Find the cause, then start anew."


def test_a_breached_guardrail_counts_more_than_a_win_and_from_the_first_day_on():
    harmful = treatment("als", 0.006, 0.001, latency=Safety.BREACHED, dislikes=Safety.SAFE)
    found = judged(harmful, EQUAL, days=1)
    assert (found.status, found.arm) == (Status.HARMFUL, "als")
    assert found.sentence == "Stop als: latency beyond the margin."


def test_there_is_no_winner_before_the_least_days():
    assert judged(BETTER, days=13).sentence == "Too early: 13 of at least 14 days."
    assert judged(BETTER, days=14).status is Status.WINNER


@pytest.mark.parametrize("few", [treatment("als", 0.006, 0.001, n=99), Treatment("als", None, None)])
def test_a_handful_of_users_tells_nothing(few):
    assert judged(few).sentence == "Too early: fewer than 100 users tell of ctr."


def test_the_best_of_those_that_are_surely_better_wins():
    found = judged(treatment("good", 0.003, 0.01), BETTER, WORSE, EQUAL)
    assert (found.status, found.arm) == (Status.WINNER, "als")
    assert found.sentence == "als wins: ctr 0.066 against 0.06, +10.0% (+3.0% to +17.0%)."


def test_a_winner_says_what_is_not_yet_shown_to_be_safe():
    found = judged(treatment("als", 0.006, 0.001, latency=Safety.UNDECIDED, dislikes=Safety.SAFE))
    assert found.sentence.endswith("(not yet shown to be within the margin: latency).")


def test_less_is_better_where_the_plan_says_so():
    found = judged(BETTER, WORSE, plan=Plan("dislike_rate", more_is_better=False))
    assert (found.status, found.arm) == (Status.WINNER, "tower")


def test_control_is_kept_if_everything_else_is_surely_worse():
    found = judged(WORSE)
    assert (found.status, found.arm) == (Status.LOSER, "tower")
    assert found.sentence.startswith("Keep control, everything else is worse: tower, ctr 0.054 against 0.06, -10.0%")
    assert judged(WORSE, EQUAL).status is Status.UNDECIDED


def test_the_planned_users_without_a_winner_are_an_answer():
    found = judged(EQUAL, smallest_arm=1_000)
    assert found.status is Status.NO_DIFFERENCE
    assert "the planned 1,000 users per arm" in found.sentence


def test_until_then_it_is_undecided():
    found = judged(EQUAL)
    assert found.status is Status.UNDECIDED
    assert found.sentence.startswith("Undecided with 900 of the planned 1,000 users in the smallest arm: mix, ctr")
    assert "900 users" in judged(EQUAL, plan=Plan("ctr")).sentence


def test_near_zero_the_difference_is_said_in_absolute_numbers():
    read = ReadOut(0.002, 0.0, 0.002, 0.001, 0.003, None, None, None, 0.001, 0.05, 2_000)
    assert judged(Treatment("als", read, 0.001)).sentence == "als wins: ctr 0.002 against 0, +0.002 (+0.001 to +0.003)."


def test_shares_are_said_in_per_cent_and_arms_by_their_names():
    read = ReadOut(0.0523, 0.05, 0.0023, 0.001, 0.0036, None, None, None, 0.001, 0.05, 2_000)
    plan = Plan("ctr", is_share=True)
    found = judged(Treatment("a", read, 0.001, name="Content and ALS"), plan=plan)
    assert found.sentence == "Content and ALS (a) wins: ctr 5.23% against 5%, +0.23 (+0.1 to +0.36) points."
    assert found.arm == "a"
    assert judged(Treatment("als", read, 0.001, name="ALS"), plan=plan).sentence.startswith("als wins: ")
