"""Mistakes in events and their weights."""

import pytest
from django.db import models
from django.db.models import Case, F, Value, When
from django.test.utils import isolate_apps

from tests.app.declarations import found, reading
from tests.toyhost.models import Book, Reader

PLAIN = {"conversions": (), "hide_after": ()}


@pytest.mark.parametrize(
    "weights",
    [
        {},
        None,
        ["view"],
        {"": 1.0},
        {3: 1.0},
        {"like": "2"},
        {"like": True},
        {"like": None},
        {"like": float("nan")},
        {"like": float("inf")},
        {"like": 1000.5},
        {"like": 1.0, "dislike": -2000},
        {"like": 0.0},
        {"like": 0, "dislike": -1.0},
    ],
    ids=str,
)
def test_weights_that_teach_nothing(weights):
    assert found(weights=weights, **PLAIN) == ["E030"]


def test_weights_that_are_good():
    assert found(weights={"like": 1000, "view": 0, "dislike": -1000.0}, **PLAIN) == []


@pytest.fixture
def log():
    """A table whose kinds are known: view and like."""
    with isolate_apps("tests.toyhost"):

        class Log(models.Model):  # noqa: DJ008
            reader = models.ForeignKey(Reader, models.CASCADE)
            book = models.ForeignKey(Book, models.CASCADE)
            kind = models.CharField(max_length=9, choices=[("Seen", [("view", "View")]), ("like", "Like")])
            at = models.DateTimeField()

            class Meta:
                app_label = "toyhost"
                indexes = [models.Index(fields=["reader", "at"], name="log_reader_at")]

        yield Log


def test_a_weight_for_an_event_that_the_choices_do_not_know(log):
    source = reading(model=log)

    assert found(interactions=source, weights={"view": 1.0, "like": 2.0}, **PLAIN) == []
    assert found(interactions=source, weights={"view": 1.0, "liek": 2.0}, **PLAIN) == ["E031"]
    assert found(interactions=reading(model=log, event=F("kind")), weights={"veiw": 1.0}, **PLAIN) == ["E031"]


def test_events_of_all_tables_count_together(log):
    sources = [reading(model=log), reading(event=Value("buy"))]

    assert found(interactions=sources, weights={"view": 1.0, "buy": 2.0}, **PLAIN) == []
    assert found(interactions=sources, weights={"buy": 2.0, "sell": 1.0}, **PLAIN) == ["E031"]


def test_a_table_of_unknown_events_may_hold_any(log):
    assert found(interactions=[reading(model=log), reading()], weights={"sell": 1.0}, **PLAIN) == []


def test_a_constant_event_without_a_weight():
    assert found(interactions=[reading(event=Value("apply")), reading()], **PLAIN) == ["E031"]
    hides = {"conversions": (), "hide_after": ("apply",)}
    assert found(interactions=[reading(event=Value("apply")), reading()], **hides) == []


def test_events_of_a_case_are_known_where_they_are_constants():
    event = Case(When(kind="x", then=Value("like")), default=Value("view"))
    open_ended = Case(When(kind="x", then=Value("like")), default=F("kind"))
    silent = Case(When(kind="x", then=Value("like")))

    assert found(interactions=reading(event=event), weights={"like": 1.0, "view": 0.5}, **PLAIN) == []
    assert found(interactions=reading(event=event), weights={"lyke": 1.0}, **PLAIN) == ["E031"]
    assert found(interactions=reading(event=open_ended), weights={"lyke": 1.0}, **PLAIN) == []
    assert found(interactions=reading(event=silent), weights={"like": 1.0}, **PLAIN) == []


@pytest.mark.parametrize("name", ["conversions", "relevant_events"])
def test_success_that_has_no_weight_above_zero(name):
    assert found(**{name: ("like", "finnish")}) == ["E032"]
    assert found(**{name: ("dislike",)}) == ["E032"]
    assert found(**{name: ("like", "finish")}) == []
    assert found(**{name: ["like"]}) == []


def test_an_event_that_hides_but_never_happens(log):
    weights = {"like": 1.0}
    table = {"interactions": reading(model=log), "weights": weights, "conversions": ()}

    assert found(**table, hide_after=("like", "view")) == []  # "view" happens, and needs no weight to hide
    assert found(**table, hide_after=("liek",)) == ["E033"]
    assert found(hide_after=("dislike", "dislikes")) == ["E033"]


@pytest.mark.parametrize("name", ["conversions", "relevant_events", "hide_after"])
@pytest.mark.parametrize("value", ["like", None, ("like", 3), {"like": 1}])
def test_a_list_of_events_that_is_none(name, value):
    assert found(**{name: value}) == ["E034"]


@pytest.mark.parametrize("value", [0, -1, "30", float("nan"), True])
def test_a_half_life_that_is_none(value):
    assert found(half_life_days=value) == ["E034"]
    assert found(half_life_days=30) == found(half_life_days=None) == []


def test_an_unknown_way_to_combine_weights():
    assert found(pair_weighting="maximum") == ["E034"]
    assert found(pair_weighting="sum") == []
