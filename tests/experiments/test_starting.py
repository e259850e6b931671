"""What must be right before an experiment starts: metrics, eligibility, and others that run."""

from __future__ import annotations

import pytest

from recommender_app.experiments import lifecycle
from recommender_app.models import ExclusionLayer, Phase
from tests.experiments.planned import planned, refused

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("plan", "sentence"),
    [
        ({"primary_metric": "clicks"}, "The primary metric 'clicks' cannot decide: choose from ctr, conversion"),
        ({"primary_metric": "session_seconds"}, "cannot decide"),
        ({"secondary_metrics": ["clicks"]}, "There is no metric 'clicks'"),
        ({"min_days": 0}, "A verdict needs one day at least (min_days)"),
        ({"secondary_metrics": {}}, "Write secondary metrics as"),
        ({"guardrails": {"speed": 0.1}}, "There is no metric 'speed'"),
        ({"guardrails": {"latency": 0}}, "Guardrail latency: the margin is a number above 0, at most 100, not 0."),
        ({"secondary_metrics": [["ctr"]]}, "There is no metric ['ctr']"),
        ({"guardrails": {"latency": 101}}, "the margin is a number above 0, at most 100, not 101."),
        ({"guardrails": {"diversity": 1}}, "the margin is a number between 0 and 1, not 1."),
        ({"guardrails": {"latency": "much"}}, "the margin is a number above 0, at most 100, not 'much'."),
    ],
)
def test_metrics_that_nobody_measures_are_not_started(plan, sentence):
    assert sentence in refused(lifecycle.start, planned(**plan), "ann")


@pytest.mark.parametrize(
    ("eligibility", "sentence"),
    [
        ([], "Eligibility: write"),
        ({"min_interactions": -1}, "min_interactions is a whole number from 0, not -1."),
        ({"max_interactions": 1.5}, "max_interactions is a whole number from 0, not 1.5."),
        ({"min_interactions": 9, "max_interactions": 5}, "nobody has at least 9 and at most 5"),
        ({"min_interaction": 20}, "nothing is called 'min_interaction'; min_interactions is."),
        ({"roles": []}, 'write a list of texts or numbers, such as {"roles": ["developer"]}.'),
        ({"roles": [None]}, "write a list of texts or numbers"),
        ({"roles": [["developer"]]}, "write a list of texts or numbers"),
        ({"roles": 7}, "write a list of texts or numbers"),
    ],
)
def test_eligibility_that_makes_no_sense_is_not_started(eligibility, sentence):
    experiment = planned()
    Phase.objects.update(eligibility=eligibility)
    assert sentence in refused(lifecycle.start, experiment, "ann")


def test_requirement_1_one_salt_for_both_hashes_is_not_started():
    experiment = planned()
    Phase.objects.update(enrol_salt="one", arm_salt="one")
    assert "The two salts are the same" in refused(lifecycle.start, experiment, "ann")


def test_sessions_have_no_facts_to_be_chosen_by():
    experiment = planned(unit_type="session")
    Phase.objects.update(eligibility={"roles": ["developer"]})
    assert "nothing but the interaction count is known of a session" in refused(lifecycle.start, experiment, "ann")


@pytest.mark.parametrize(
    ("one", "other", "is_apart"),
    [
        ({}, {}, False),
        ({"eligibility": {"max_interactions": 4}}, {"eligibility": {"min_interactions": 5}}, True),
        ({"eligibility": {"max_interactions": 5}}, {"eligibility": {"min_interactions": 5}}, False),
        ({"eligibility": {"min_interactions": 5}}, {"eligibility": {"max_interactions": 4}}, True),
        ({"layer_to": 5_000}, {"layer_from": 5_000}, True),
        ({"layer_to": 5_001}, {"layer_from": 5_000}, False),
        ({"layer_from": 5_000}, {"layer_to": 5_000}, True),
        ({"layer_to": 5_000}, {"layer_from": 5_000, "line": "another"}, False),
        ({"layer_to": 5_000}, {"layer_from": 5_000, "line": None}, False),
        ({}, {"unit_type": "session"}, True),
        ({}, {"use_case": "movies"}, True),
    ],
)
def test_two_experiments_that_could_want_the_same_unit_do_not_run_together(one, other, is_apart):
    experiments = []
    for key, plan in (("one", one), ("other", other)):
        fields = dict(plan)
        eligibility, name = fields.pop("eligibility", {}), fields.pop("line", "line")
        layer = name and ExclusionLayer.objects.get_or_create(key=name, defaults={"salt": name})[0]
        experiments.append(planned(key=key, layer=layer or None, **fields))
        Phase.objects.filter(experiment=experiments[-1]).update(eligibility=eligibility)
    lifecycle.start(experiments[0], "ann")
    if is_apart:
        lifecycle.start(experiments[1], "ann")
        return
    said = refused(lifecycle.start, experiments[1], "ann")
    assert f"one runs for {experiments[1].use_case} and could want the same units" in said
    lifecycle.stop(experiments[0], "", "ann")
    lifecycle.start(experiments[1], "ann")
