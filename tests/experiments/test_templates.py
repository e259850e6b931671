"""The templates say what the plan says; the fixtures say what the templates say."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command

from recommender_app.exceptions import ConfigurationError
from recommender_app.experiments import lifecycle
from recommender_app.experiments.templates import TEMPLATES, create_from_template, start_a_a
from recommender_app.experiments.trail import plan_of
from recommender_app.models import Arm, Experiment, Phase

pytestmark = pytest.mark.django_db


def arms(template: str) -> dict[str, Arm]:
    phase = create_from_template(template, "books", template.replace("_", "-"), "ann").phases.get()
    return {arm.key: arm for arm in phase.arms.all()}


def ramp(template: str) -> list[tuple[int, int]]:
    phase = create_from_template(template, "books", template.replace("_", "-"), "ann").phases.get()
    return list(phase.ramp_steps.order_by("after_days").values_list("after_days", "enrol_bp"))


def test_the_four_groups_are_those_of_the_plan():
    found = arms("four_groups")
    assert {key: arm.weight_bp for key, arm in found.items()} == dict.fromkeys(("control", "a", "b", "c"), 2_500)
    assert [key for key, arm in found.items() if arm.is_control] == ["control"]
    engines = {key: {engine for _, engine in arm.policy["routes"]} for key, arm in found.items()}
    assert engines == {
        "control": {"content_based"},
        "a": {"content_based", "als"},
        "b": {"content_based", "two_tower"},
        "c": {"content_based", "als", "ensemble"},
    }
    off = {key: set(arm.policy.get("disabled", ())) for key, arm in found.items()}
    assert off["control"] == {"als", "two_tower", "ensemble"}  # no fallback lends the control another engine
    assert off["a"] == {"two_tower", "ensemble"}
    assert off["b"] == {"als", "ensemble"}
    assert off["c"] == set()


def test_the_rollout_is_that_of_the_plan():
    assert ramp("als_warm") == [(0, 1_000), (7, 5_000)]
    assert ramp("ensemble_hot") == [(0, 1_000)]
    assert ramp("full_rollout") == [(0, 10_000)]
    warm, hot = (Phase.objects.get(experiment__key=key) for key in ("als-warm", "ensemble-hot"))
    assert warm.eligibility == {"min_interactions": 5, "max_interactions": 19}
    assert hot.eligibility == {"min_interactions": 20}


def test_warm_and_hot_users_are_tested_at_the_same_time_and_the_full_rollout_waits():
    for name in ("als_warm", "ensemble_hot", "full_rollout"):
        create_from_template(name, "books", name.replace("_", "-"), "ann")
    warm, hot, everybody = Experiment.objects.order_by("pk")
    lifecycle.start(warm, "ann")
    lifecycle.start(hot, "ann")
    with pytest.raises(ConfigurationError, match="als-warm and ensemble-hot run for books"):
        lifecycle.start(everybody, "ann")
    for experiment, winner in ((warm, "als"), (hot, "ensemble")):
        lifecycle.conclude(experiment, winner, "ann")
    lifecycle.start(everybody, "ann")


def test_counts_are_those_of_the_settings(settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "COLD_START_THRESHOLD": 2, "WARM_USER_THRESHOLD": 8}
    found = arms("ensemble_hot")
    assert found["ensemble"].policy["routes"] == [[0, "content_based"], [2, "als"], [8, "ensemble"]]
    create_from_template("als_warm", "books", "warm", "ann")
    assert Phase.objects.get(experiment__key="warm").eligibility == {"min_interactions": 2, "max_interactions": 7}


def test_an_experiment_does_not_share_its_rows_with_the_template():
    arm = arms("als_warm")["als"]
    arm.policy["routes"].append([99, "popular"])
    Experiment.objects.all().delete()
    assert arms("als_warm")["als"].policy["routes"] == [[0, "content_based"], [5, "als"]]


def test_an_a_a_test_is_two_equal_arms_or_nothing():
    experiment = start_a_a("books", "same", "ann")
    assert experiment.status == "running"
    assert set(Arm.objects.values_list("weight_bp", flat=True)) == {5_000}
    assert [arm.policy for arm in Arm.objects.all()] == [{}, {}]
    with pytest.raises(ConfigurationError, match="could want the same units"):
        start_a_a("books", "again", "ann")
    assert Experiment.objects.get() == experiment


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_fixture_is_its_template_and_loading_it_twice_makes_no_second(name):
    key = name.replace("_", "-")
    template = plan_of(create_from_template(name, "movies", key, "ann"))
    Experiment.objects.all().delete()
    for _ in range(2):
        call_command("loaddata", f"experiment_{name}", verbosity=0)
    assert plan_of(Experiment.objects.get(key=key)) == template
    phase = lifecycle.start(Experiment.objects.get(), "ann")
    assert phase.enrol_salt
    assert phase.enrol_salt != phase.arm_salt
    with pytest.raises(ValidationError, match=r"Phase 1 of .* runs"):
        call_command("loaddata", f"experiment_{name}", verbosity=0)
    phase.refresh_from_db()
    assert phase.ended_at is None
