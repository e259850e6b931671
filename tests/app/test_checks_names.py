"""A name that is nearly one of ours is told; a host's own names are its own."""

import pytest

from recommender_app.checks.declarations import declaration_problems
from recommender_app.checks.names import name_problems
from recommender_app.usecases.site import all_use_cases
from tests.app.declarations import declare, found


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("get_itemz", "get_items"),
        ("hide_affter", "hide_after"),
        ("recordd", "record"),
        ("weight", "weights"),
        ("item", "items"),
        ("user", "users"),
    ],
)
def test_a_misspelt_name_is_told_with_the_one_that_was_meant(written, meant):
    (problem,) = declaration_problems(declare(**{written: ()}))
    assert problem.id == "recommender_app.W018"
    assert problem.msg == f"{written} means nothing here."
    assert problem.hint == f"Did you mean {meant}?"


def test_it_is_told_also_where_the_outline_is_wrong():
    assert found(users=None, item=None) == ["E012", "W018"]


def test_a_misspelt_hook_of_a_base_class_is_told():
    class Mixin:
        def get_itemz(self, user):
            return []

    declared = type("Mixed", (Mixin, type(declare())), {})()
    assert [problem.msg for problem in name_problems(declared)] == ["get_itemz means nothing here."]


@pytest.mark.parametrize("name", ["published_items", "PAGE", "as_table", "_get_itemz", "price", "hide_after"])
def test_names_that_are_the_hosts_own_or_right_are_left_alone(name):
    assert name_problems(declare(**{name: ()})) == []


def test_the_declarations_of_this_site_are_spelt_right():
    assert all_use_cases()
    assert [problem for use_case in all_use_cases() for problem in name_problems(use_case)] == []
