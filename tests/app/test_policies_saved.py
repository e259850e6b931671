"""Policies of the admin: what is not saved, and the trail of what is."""

import pytest
from django.db import connection

from recommender_app.exceptions import ConfigurationError
from recommender_app.models import PolicyChange, ServingPolicy
from recommender_app.registry.policies import delete_policy, save_policy
from recommender_app.serving.policies import decide

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": str(tmp_path), "RELOAD_SECONDS": 0.0}


def save(**fields) -> ServingPolicy:
    return save_policy(ServingPolicy(use_case="books", **fields), by="ann")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"routes": [[0, "alz"]]}, "There is no engine 'alz'"),
        ({"routes": [[-1, "als"]]}, "a whole number from 0"),
        ({"routes": [[5, "als"]]}, "must begin at 0"),
        ({"routes": [[0, "als"], [0, "popular"]]}, "same interaction count"),
        ({"routes": {"0": "als"}}, "list of pairs"),
        ({"routes": [[0, "als"]], "cold_start_threshold": 3}, "not both"),
        ({"cold_start_threshold": -1}, "greater than or equal to 0"),
        ({"cold_start_threshold": 9, "warm_user_threshold": 8}, "below the cold start"),
        ({"cold_start_threshold": 30}, "warm user threshold in force is 20"),
        ({"warm_user_threshold": 3}, "cold start threshold in force is 5"),
        ({"disabled": ["alz"]}, "There is no engine 'alz'"),
        ({"disabled": {"als": True}}, "list of engines"),
        ({"weights": {"als": -1}}, "from 0"),
        ({"weights": {"als": 0}}, "above 0"),
        ({"weights": {"als": True}}, "from 0"),
        ({"weights": {"ensemble": 1}}, "There is no engine 'ensemble'"),
        ({"fusion": "sum"}, "not a valid choice"),
        ({"diversity": 1.5}, "between 0 and 1"),
        ({"exploration": 0.6}, "between 0 and 0.5"),
        ({"caps": {"genre": 0}}, "whole number from 1"),
        ({"name": "a b"}, "valid"),
    ],
)
def test_a_policy_that_makes_no_sense_is_not_saved(fields, message):
    with pytest.raises(ConfigurationError, match=message):
        save(**fields)
    assert not ServingPolicy.objects.exists()
    assert not PolicyChange.objects.exists()


def test_only_one_policy_of_a_use_case_is_active():
    first = save(name="one")
    with pytest.raises(ConfigurationError, match="deactivate it first"):
        save(name="two")
    first.is_active = False
    save_policy(first, by="ann")
    save(name="two", diversity=1)
    assert decide("books").name == "two"


def test_every_change_leaves_a_trail():
    policy = save(name="one", diversity=0.2)
    policy.diversity = 0.4
    save_policy(policy, by="bob")
    delete_policy(policy, by="cleo")
    trail = [(change.changed_by, change.before, change.after) for change in PolicyChange.objects.order_by("pk")]
    assert [by for by, _, _ in trail] == ["ann", "bob", "cleo"]
    said = [(before and before["diversity"], after and after["diversity"]) for _, before, after in trail]
    assert said == [(None, 0.2), (0.2, 0.4), (0.4, None)]


def test_a_change_whose_trail_cannot_be_written_is_not_made():
    policy = save(diversity=0.2)
    policy.diversity = 0.4

    def no_trail(execute, sql, params, many, context):
        if sql.startswith("INSERT") and PolicyChange._meta.db_table in sql:
            raise RuntimeError("the trail cannot be written")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(no_trail), pytest.raises(RuntimeError):
        save_policy(policy, by="bob")
    assert ServingPolicy.objects.get().diversity == 0.2
