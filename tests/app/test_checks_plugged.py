"""Mistakes in what the host plugs in."""

import pytest
from django.contrib.auth.models import AbstractUser, User
from django_filters import CharFilter, FilterSet, NumberFilter, OrderingFilter
from rest_framework.serializers import ModelSerializer, Serializer

from recommender_app import UseCase
from recommender_app.checks.declarations import declaration_problems
from tests.app.declarations import declare, found, reading
from tests.toyhost.models import Book, Reader


class BookFilter(FilterSet):
    class Meta:
        model = Book
        fields = ["genre"]


class ReaderFilter(FilterSet):
    class Meta:
        model = Reader
        fields = ["name"]


class BookSerializer(ModelSerializer):
    class Meta:
        model = Book
        fields = ["title"]


@pytest.mark.parametrize("value", ["books.filters.BookFilter", Book, BookFilter(), dict])
def test_something_that_is_no_filterset(value):
    assert found(filterset_class=value) == ["E050"]


def test_filters_of_another_model():
    assert found(filterset_class=ReaderFilter) == ["E050"]


def test_filters_that_fit():
    assert found(filterset_class=BookFilter) == found(filterset_class=FilterSet) == []
    assert found(filterset_class=f"{__name__}.BookFilter") == []


class Colliding(FilterSet):
    limit = NumberFilter("pages", "lte")
    library = CharFilter("title")


class Ordering(FilterSet):
    sort = OrderingFilter(fields=["title"])


def test_filters_with_the_name_of_another_parameter():
    assert found(filterset_class=Colliding) == ["E054"]
    assert found(filterset_class=Colliding, parameters=("for", "library")) == ["E054", "E054"]


@pytest.mark.parametrize("value", ["for", 3, ("for", 3), ("",), None, ("cursor",)])
def test_parameters_that_cannot_be_read(value):
    assert found(parameters=value) == ["E054"]


def test_parameters_that_can():
    assert found(parameters=()) == found(parameters=["for", "library"]) == []


def test_a_filter_that_orders():
    assert found(filterset_class=Ordering) == ["E055"]


@pytest.mark.parametrize(
    "value",
    ["tests.nowhere.BookSerializer", "BookSerializer", f"{__name__}.Nothing", f"{__name__}.BookFilter", Book, 3],
)
def test_something_that_is_no_serializer(value):
    assert found(item_serializer=value) == ["E051"]


def test_serializers_that_are():
    assert found(item_serializer=BookSerializer) == found(item_serializer=Serializer) == []
    assert found(item_serializer=f"{__name__}.BookSerializer") == []


def test_users_without_a_login_of_their_own_need_get_user():
    (problem,) = declaration_problems(declare(get_user=UseCase.get_user))
    assert problem.id == "recommender_app.E052"
    assert "toyhost.Reader" in problem.msg
    assert "auth.User" in problem.msg


@pytest.mark.parametrize("user", [User, AbstractUser])
def test_logins_are_their_own_users(user):
    declared = {"interactions": reading(user="reader__account"), "user_text": (), "get_user": UseCase.get_user}
    expected = [] if user is User else ["E012"]  # an abstract model has no rows
    assert found(users=user, **declared) == expected


@pytest.mark.parametrize(("name", "hint"), [("get_items", "(self, user)"), ("get_user", "(self, request)")])
@pytest.mark.parametrize("written", [lambda self: None, lambda self, first, second: None, None])
def test_methods_that_cannot_be_called_as_we_call_them(name, hint, written):
    (problem,) = declaration_problems(declare(**{name: written}))
    assert problem.id == "recommender_app.E053"
    assert f"def {name}{hint}" in problem.hint


def test_methods_with_more_than_we_give_are_good_where_it_is_optional():
    assert found(get_items=lambda self, user, *, sort=None: None, get_user=lambda self, *given: None) == []
