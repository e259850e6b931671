"""Mistakes in declared business rules."""

import pytest

from recommender_app.usecases.rules import Boost, Pin, Quota, Rule
from tests.app.declarations import found

SOUND = (Boost(where={"genre": "tea"}, factor=2), Pin(item_ids=[1]), Quota(new_within_days=7, count=1))


def test_sound_rules_are_no_problem():
    assert found(rules=SOUND) == []
    assert found(rules=list(SOUND), rule_attributes=("title", "reading__kind")) == []
    assert found(rules=(Boost(where={"title": "tea"}, factor=2),), rule_attributes=("title",)) == []


@pytest.mark.parametrize(
    "rules", [None, "boost", Boost(where={"genre": "tea"}, factor=2), ("boost",), (Rule(item_ids=[1]),)]
)
def test_what_is_no_list_of_rules(rules):
    assert found(rules=rules) == ["E060"]


@pytest.mark.parametrize("names", ["title", None, ("colour",), ("title__colour",)])
def test_attributes_that_cannot_be_read(names):
    assert found(rule_attributes=names) == ["E061"]


def test_a_rule_may_look_at_declared_attributes_only():
    assert found(rules=(Boost(where={"title": "tea"}, factor=2),)) == ["E062"]
    assert found(rules=(Boost(where={"reading__reader__account__password": "x"}, factor=2),)) == ["E062"]


def test_ages_need_a_date_of_creation():
    assert found(rules=(Quota(new_within_days=7, count=1),), newest_first=("-pk",)) == ["E063"]
    assert found(rules=(Quota(new_within_days=7, count=1),), newest_first=("created_at",)) == ["E063"]


def test_other_mistakes_are_told_once():
    assert found(rules=SOUND, item_categories=None) == ["E040"]
