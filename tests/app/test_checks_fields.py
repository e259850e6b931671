"""Mistakes in the fields that describe users and items."""

import pytest

from recommender_app.checks.declarations import declaration_problems
from tests.app.declarations import declare, found


@pytest.mark.parametrize("name", ["item_text", "item_categories", "item_numbers", "user_text", "user_numbers"])
@pytest.mark.parametrize("value", ["title", None, ("title", 3), {"title": 1}])
def test_a_list_of_fields_that_is_none(name, value):
    assert found(**{name: value}) == ["E040"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("item_text", ("title", "blurp")),
        ("item_categories", ("genre__name",)),
        ("item_numbers", ("page",)),
        ("item_text", ("",)),
        ("user_text", ("title",)),
        ("user_categories", ("account__nickname",)),
        ("user_numbers", ("age",)),
    ],
)
def test_a_field_that_does_not_exist(name, value):
    assert found(**{name: value}) == ["E041"]


def test_a_field_behind_no_relation_is_explained():
    (problem,) = declaration_problems(declare(item_categories=("genre__name",)))
    assert "'genre__name' goes on after 'genre', which is no relation" in problem.msg


@pytest.mark.parametrize("lookup", ["title", "id", "created_at", "reading"])
def test_numbers_that_are_none(lookup):
    assert found(item_numbers=("pages", lookup)) == ["E042"]


def test_fields_behind_relations_are_good():
    assert found(user_categories=("account__username",), item_text=("reading__kind",)) == []
    assert found(item_numbers=("pages", "is_published", "reading__id"), user_numbers=("account__id",)) == []


def test_the_text_of_a_relation_is_pointed_out():
    assert found(user_text=("bio", "account")) == ["W043"]
    assert found(user_categories=("account",)) == []


@pytest.mark.parametrize("name", ["updated", "title", "reading__at", "", 3])
def test_a_time_of_change_that_is_none(name):
    assert found(changed_at=name) == ["E044"]


def test_a_time_of_change_that_is_one():
    assert found(changed_at=None) == found(changed_at="created_at") == []


@pytest.mark.parametrize("value", ["-created_at", (), None, ("-created",), ("?",), ("created_at", "-titel"), (3,)])
def test_an_order_that_is_none(value):
    assert found(newest_first=value) == ["E045"]


@pytest.mark.parametrize("value", [("-pk",), ["created_at", "-id"], ("-reading__at",)])
def test_an_order_that_is_one(value):
    assert found(newest_first=value) == []
