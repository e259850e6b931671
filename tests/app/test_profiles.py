"""Texts, terms and numbers of users and items."""

import numpy as np
import pytest
from django.contrib.auth.models import Group, User

from recommender_app.exceptions import ConfigurationError
from recommender_app.usecases.profiles import TEXT_LIMIT, ProfileFields, item_fields, load_features, load_profile
from recommender_app.usecases.site import get_use_case
from tests.toyhost.models import Book, Reader
from tests.toyhost.recommendations import BooksForReaders

pytestmark = pytest.mark.django_db


def use_case_with(**attributes):
    return type("Changed", (BooksForReaders,), attributes)()


@pytest.fixture
def reader():
    account = User.objects.create(username="ada")
    account.groups.set([Group.objects.create(name=name) for name in ("poetry", "crime")])
    return Reader.objects.create(name="Ada", bio="Likes sea stories.", account=account)


def test_a_profile_of_plain_fields_needs_no_query(reader, django_assert_num_queries):
    with django_assert_num_queries(0):
        profile = load_profile(get_use_case("books"), reader)
    assert (profile.texts, profile.terms) == (["Likes sea stories."], [()])


def test_a_profile_over_relations_needs_one_query_and_one_per_many(reader, django_assert_num_queries):
    use_case = use_case_with(
        user_text=("name", "account__username", "bio"), user_categories=("account__groups__name", "account")
    )
    with django_assert_num_queries(2):
        profile = load_profile(use_case, reader)
    assert profile.texts == ["Ada\nada\nLikes sea stories."]
    assert profile.terms == [
        (f"account={reader.account_id}", "account__groups__name=crime", "account__groups__name=poetry")
    ]


def test_a_profile_without_relations_set_says_nothing():
    use_case = use_case_with(user_text=("account__username",), user_categories=("account__groups__name",))
    profile = load_profile(use_case, Reader.objects.create(name="Bob"))
    assert (profile.texts, profile.terms) == ([""], [()])


def test_nothing_declared_says_nothing(reader):
    profile = load_profile(use_case_with(user_text=()), reader)
    assert (len(profile), profile.texts, profile.number_names) == (1, [""], ())


def test_items_are_read_position_for_position(django_assert_num_queries):
    a = Book.objects.create(title="A", blurb="first", genre="crime", pages=100)
    b = Book.objects.create(title="B", genre="  ")
    gone = Book.objects.create(title="C")
    key = gone.pk
    gone.delete()
    with django_assert_num_queries(1):
        features = load_features(item_fields(get_use_case("books")), [b.pk, key, a.pk])
    assert features.texts == ["B", "", "A\nfirst"]
    assert features.terms == [(), (), ("genre=crime",)]
    assert np.array_equal(features.numbers[:, 0], [np.nan, np.nan, 100.0], equal_nan=True)
    assert features.number_names == ("pages",)


def test_many_valued_categories_cost_one_query_for_all(django_assert_num_queries):
    users = [User.objects.create(username=name) for name in "abc"]
    Group.objects.create(name="x").user_set.set(users[:2])
    Group.objects.create(name="w").user_set.set(users[:1])
    fields = ProfileFields(User, ("username",), ("groups__name",), ())
    with django_assert_num_queries(2):
        features = load_features(fields, [user.pk for user in users])
    assert features.terms == [("groups__name=w", "groups__name=x"), ("groups__name=x",), ()]


def test_a_text_is_capped():
    book = Book.objects.create(title="A", blurb="x" * 30_000)
    assert len(load_features(item_fields(get_use_case("books")), [book.pk]).texts[0]) == TEXT_LIMIT


def test_a_number_that_is_none_is_a_wrong_declaration():
    book = Book.objects.create(title="A")
    with pytest.raises(ConfigurationError, match="title is declared as a number but holds 'A'"):
        load_features(ProfileFields(Book, (), (), ("title",)), [book.pk])
