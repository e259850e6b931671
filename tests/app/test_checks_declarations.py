"""Mistakes in the outline of a declaration: key, models, interactions."""

import pytest
from django.db import models
from django.test.utils import isolate_apps

from recommender_app.checks.declarations import declaration_problems, duplicate_problems
from tests.app.declarations import declare, found, reading, short_ids
from tests.toyhost.models import Book, Reader, Reading
from tests.toyhost.recommendations import BooksForReaders


def test_the_toy_host_is_declared_well():
    assert found() == []


@pytest.mark.parametrize("key", ["", None, "Books", "my books", "my-books", "../books", "x" * 65, 7, "bücher", "a\n"])
def test_a_key_that_is_no_name(key):
    assert found(key=key) == ["E010"]


@pytest.mark.parametrize("key", ["books", "b", "books_2", "2", "x" * 64])
def test_a_key_that_is_a_name(key):
    assert found(key=key) == []


def test_a_key_that_was_taken():
    assert short_ids(duplicate_problems([("books", BooksForReaders)])) == ["E011"]
    assert duplicate_problems([]) == []


@pytest.mark.parametrize("value", [None, "toyhost.Book", Book(), str, models.Model])
@pytest.mark.parametrize("name", ["users", "items"])
def test_something_that_is_no_model(name, value):
    assert found(**{name: value}) == ["E012"]


def test_models_that_were_forgotten():
    from recommender_app import UseCase

    forgetful = type("Forgetful", (UseCase,), {"key": "books", "interactions": reading(), "weights": {"like": 1.0}})
    assert short_ids(declaration_problems(forgetful())) == ["E012", "E012"]


@isolate_apps("tests.toyhost")
def test_keys_that_cannot_be_external_ids():
    class ByDate(models.Model):  # noqa: DJ008
        id = models.DateTimeField(primary_key=True)

        class Meta:
            app_label = "toyhost"

    class ByTwo(models.Model):  # noqa: DJ008
        pk = models.CompositePrimaryKey("first", "second")
        first = models.IntegerField()
        second = models.IntegerField()

        class Meta:
            app_label = "toyhost"

    for model in (ByDate, ByTwo):
        (problem,) = declaration_problems(declare(items=model))
        assert problem.id == "recommender_app.E013"
        assert model.__name__ in problem.msg


@isolate_apps("tests.toyhost")
def test_every_usual_key_is_good():
    class Slugged(models.Model):  # noqa: DJ008
        slug = models.SlugField(primary_key=True)

        class Meta:
            app_label = "toyhost"

    class Extended(models.Model):  # noqa: DJ008
        book = models.OneToOneField(Book, models.CASCADE, primary_key=True)

        class Meta:
            app_label = "toyhost"

    for model in (Slugged, Extended):
        assert "E013" not in found(items=model)


@pytest.mark.parametrize("value", [None, (), [], Reading, [Reading], "reader", {"model": Reading}])
def test_interactions_that_are_missing_or_something_else(value):
    assert found(interactions=value) == ["E014"]


@pytest.mark.parametrize("model", [None, "toyhost.Reading", str])
def test_interactions_of_something_that_is_no_model(model):
    assert found(interactions=[reading(), reading(model=model)]) == ["E014"]


def test_one_source_a_list_and_a_tuple_are_good():
    for value in (reading(), [reading()], (reading(), reading())):
        assert found(interactions=value) == []


def test_the_outline_comes_first():
    """Fields cannot be looked up in what is no model, so nothing else is said."""
    assert found(items=None, weights={}, item_text="title") == ["E012"]
    assert found(key="", weights={}) == ["E010", "E030"]
    assert found(users=Reader, items=Book) == []


@pytest.mark.parametrize(
    "limits", [None, {"MIN_RECALL": 0.5}, {"MIN_USERS": 0}, {"MIN_PUSHERS": 1}, {"POPULARITY_TOLERANCE": 2}]
)
def test_gate_limits_that_make_no_sense(limits):
    assert found(gate=limits) == ["E017"]


def test_gate_limits_of_a_use_case():
    assert found(gate={"POPULARITY_TOLERANCE": None, "MIN_PUSHERS": None, "MIN_USERS": 50}) == []
