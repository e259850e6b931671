"""Mistakes in the tables that interactions are read from."""

import pytest
from django.conf import settings
from django.db import models
from django.db.models import Case, F, Value, When
from django.test.utils import isolate_apps

from recommender_app.checks.declarations import declaration_problems
from tests.app.declarations import declare, found, found_in, reading
from tests.toyhost.models import Book, Reader, Reading


class ReadingProxy(Reading):
    """The same rows."""

    class Meta:
        app_label = "toyhost"
        proxy = True


@pytest.mark.parametrize(
    ("argument", "path"),
    [
        ("user", "raeder"),
        ("user", "reader__nobody"),
        ("user", ""),
        ("user", None),
        ("item", "books"),
        ("item", "kind__book"),
        ("at", "created"),
        ("at", "at__year"),
        ("event", "knid"),
        ("event", "like"),
        ("strength", "stars"),
    ],
)
def test_a_field_that_does_not_exist(argument, path):
    assert found_in(**{argument: path}) == ["E020"]


def test_the_hint_names_the_field_that_was_meant():
    (problem,) = declaration_problems(declare(interactions=reading(user="raeder")))
    assert "toyhost.Reading has no field 'raeder'" in problem.msg
    assert problem.hint == "Did you mean 'reader'?"


def test_a_constant_event_that_was_written_like_a_field_is_explained():
    (problem,) = declaration_problems(declare(interactions=reading(event="like")))
    assert 'event=Value("like")' in problem.hint


@pytest.mark.parametrize(
    "event", [F("knid"), Case(When(stars=5, then=Value("like"))), Case(When(kind="x", then=F("knid"))), None, 7]
)
def test_an_event_that_cannot_be_computed(event):
    assert "E020" in found_in(event=event)


@pytest.mark.parametrize("strength", [F("stars"), F("book__stars"), object()])
def test_a_strength_that_cannot_be_computed(strength):
    assert found_in(strength=strength) == ["E020"]


@pytest.mark.parametrize("strength", [None, "book__pages", F("book__pages") / 100, Value(2.0)])
def test_a_strength_that_can(strength):
    assert found_in(strength=strength) == []


@pytest.mark.parametrize(
    ("argument", "path"),
    [
        ("user", "book"),
        ("item", "reader"),
        ("user", "reader__account"),
        ("user", "id"),
        ("user", "kind"),
        ("item", "id"),
    ],
)
def test_a_lookup_that_ends_at_the_wrong_model(argument, path):
    assert found_in(**{argument: path}) == ["E021"]


@pytest.mark.parametrize("user", ["reader", "reader_id", "reader__pk", "reader__id"])
def test_a_relation_or_its_key_is_good(user):
    assert found_in(user=user) == []


def test_a_longer_way_to_the_user_is_good():
    assert found(users=Reader, interactions=reading(user="book__reading__reader")) == []


@pytest.mark.parametrize("path", ["kind", "reader"])
def test_a_time_that_is_none(path):
    assert found_in(at=path) == ["E022"]


@isolate_apps("tests.toyhost")
def test_a_plain_column_of_ids_is_pointed_out():
    class Log(models.Model):  # noqa: DJ008
        user_number = models.IntegerField()
        book = models.ForeignKey(Book, models.CASCADE)
        kind = models.CharField(max_length=9)
        at = models.DateTimeField()

        class Meta:
            app_label = "toyhost"
            indexes = [models.Index(fields=["user_number", "at"], name="log_user_at")]

    assert found_in(model=Log, user="user_number") == ["W023"]
    assert found_in(model=Log, user="kind") == ["E021"]


def log_model(**meta):
    """Return a model of readings with other Meta options."""

    class Log(models.Model):  # noqa: DJ008
        reader = models.ForeignKey(Reader, models.CASCADE)
        book = models.ForeignKey(Book, models.CASCADE)
        kind = models.CharField(max_length=9)
        at = models.DateTimeField()
        Meta = type("Meta", (), {"app_label": "toyhost", **meta})

    return Log


AT_NIGHT = models.Q(kind="night")


@pytest.mark.parametrize(
    "meta",
    [
        {},
        {"indexes": [models.Index(fields=["at", "reader"], name="a")]},
        {"indexes": [models.Index(fields=["reader"], name="b"), models.Index(fields=["at"], name="c")]},
        {"indexes": [models.Index(fields=["reader", "kind", "at"], name="d")]},
        {"indexes": [models.Index(fields=["reader", "at"], name="e", condition=AT_NIGHT)]},
    ],
    ids=["none", "wrong order", "two apart", "something between", "some rows only"],
)
@isolate_apps("tests.toyhost")
def test_a_history_without_an_index(meta):
    (problem,) = declaration_problems(declare(interactions=reading(model=log_model(**meta))))
    assert problem.id == "recommender_app.W024"
    assert 'models.Index(fields=["reader", "at"])' in problem.hint


@pytest.mark.parametrize(
    "meta",
    [
        {"indexes": [models.Index(fields=["reader", "-at"], name="f")]},
        {"indexes": [models.Index(fields=["reader", "at", "book"], name="g")]},
        {"constraints": [models.UniqueConstraint(fields=["reader", "at"], name="h")]},
        {"unique_together": [("reader", "at", "book")]},
        {"managed": False},
    ],
    ids=["newest first", "longer", "unique", "unique together", "a table of others"],
)
@isolate_apps("tests.toyhost")
def test_a_history_with_an_index(meta):
    assert found_in(model=log_model(**meta)) == []


def test_the_index_of_the_real_table_counts_for_its_proxy():
    assert found_in(model=ReadingProxy) == []


def test_the_way_over_another_table_needs_no_index_here():
    assert found_in(user="reader__pk") == []


def test_logins_may_be_the_users(django_user_model):
    assert settings.AUTH_USER_MODEL == "auth.User"
    assert found(users=django_user_model, interactions=reading(user="reader__account"), user_text=("username",)) == []
