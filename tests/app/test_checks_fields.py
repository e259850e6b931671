"""Mistakes in the fields that describe users and items."""

import pytest
from django.db import models
from django.test.utils import isolate_apps

from recommender_app.checks.declarations import declaration_problems
from recommender_app.checks.fields import _changed_at
from tests.app.declarations import declare, found, short_ids


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


@pytest.mark.parametrize(
    ("field", "meta", "expected"),
    [
        ({}, {}, ["W046"]),
        ({"db_index": True}, {}, []),
        ({"unique": True}, {}, []),
        ({}, {"indexes": [models.Index(fields=["-changed", "name"], name="changed_first")]}, []),
        ({}, {"indexes": [models.Index(fields=["name", "changed"], name="changed_last")]}, ["W046"]),
        ({}, {"managed": False}, []),
    ],
)
@isolate_apps("tests.toyhost")
def test_a_stamp_that_no_index_begins_with(field, meta, expected):
    class Film(models.Model):
        name = models.CharField(max_length=9)
        changed = models.DateTimeField(auto_now=True, **field)
        Meta = type("Meta", (), {"app_label": "toyhost", **meta})

        def __str__(self):
            return self.name

    wanted = declare(items=Film, changed_at="changed")
    problems = short_ids(_changed_at(wanted))
    assert problems == expected
