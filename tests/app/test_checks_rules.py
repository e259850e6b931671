"""Mistakes in declared business rules."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from recommender_app.exceptions import ConfigurationError
from recommender_app.usecases.rules import Boost, Pin, Quota, Rule
from tests.app.declarations import found

KEY = UUID("0c9a7b31-9e0b-4c53-8f6c-2f1f6d1f4a52")
SOUND = (Boost(where={"genre": "tea"}, factor=2), Pin(item_ids=[KEY, str(KEY)]), Quota(new_within_days=7, count=1))


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


@pytest.mark.parametrize("key", [17, "tea", "", None, KEY.hex, str(KEY).upper()])
def test_a_rule_about_what_is_no_items_key_would_be_about_nothing(key):
    assert found(rules=(Pin(item_ids=[KEY, key]),)) == ["E065"]


def test_other_mistakes_are_told_once():
    assert found(rules=SOUND, item_categories=None) == ["E040"]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"factor": "2"}, "The rule 'spring': factor is '2': write a number."),
        ({"factor": True}, "factor is True: write a number"),
        ({"factor": 0.5}, "boosts by 0.5: write one above 1"),
        ({"factor": 2, "new_within_days": "7"}, "new_within_days is '7': write a number"),
        ({"factor": 2, "starts_at": date(2026, 1, 1)}, "starts_at is datetime.date.*with a time zone"),
        ({"factor": 2, "ends_at": datetime(2026, 1, 1)}, "ends_at is datetime.datetime.*with a time zone"),  # noqa: DTZ001
    ],
)
def test_a_rule_that_cannot_be_is_refused_where_it_is_written_and_says_what_to_do(values, says):
    with pytest.raises(ConfigurationError, match=says):
        Boost(name="spring", where={"genre": "tea"}, **values)


def test_dates_with_a_time_zone_are_understood():
    rule = Boost(where={"genre": "tea"}, factor=2, starts_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert rule.is_in_force(datetime(2026, 2, 1, tzinfo=UTC))
