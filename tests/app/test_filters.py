"""The filters of a request: declared ones only, strictly read, and never an error of ours."""

import json
from datetime import timedelta

import django_filters
import pytest
from django import forms
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommender_app.exceptions import InvalidFilters
from recommender_app.usecases.filters import Filters, apply_filters, parse_filters
from recommender_app.usecases.site import get_use_case
from tests.app import library
from tests.app.declarations import declare
from tests.toyhost.models import Book, Reader

pytestmark = pytest.mark.django_db
FILTERS = "genre, max_pages, met_with, is_short, added_after, added_before, any_genre"


def parse(use_case=None, **data):
    given_values = {name: value if isinstance(value, list) else [value] for name, value in data.items()}
    return parse_filters(use_case or get_use_case("books"), given_values)


def refused(use_case=None, **data):
    with pytest.raises(InvalidFilters) as caught:
        parse(use_case, **data)
    json.dumps(caught.value.errors).encode()
    return caught.value.errors


def shown(**data):
    return {book.title for book in apply_filters(Book.objects.all(), parse(**data))}


@pytest.fixture
def books():
    found = library.add_shelves(2)
    for number, book in enumerate(found):
        book.pages = 50 + 100 * number
        book.save()
    return found


def test_without_filters_nothing_changes(books, django_assert_num_queries):
    with django_assert_num_queries(0):
        none = parse()
        assert (none, none.key, bool(none)) == (Filters(), "", False)
        assert parse(genre="", max_pages=" ", limit="3", cursor="x", format="json", **{"for": "1"}) == none
    everything = Book.objects.all()
    assert apply_filters(everything, none) is apply_filters(everything, None) is everything


def test_each_filter_narrows(books):
    assert shown(genre="tea") == {"tea-0", "tea-1"}
    assert shown(max_pages="150") == {"tea-0", "tea-1"}
    assert shown(genre="sea", max_pages="250") == {"sea-0"}
    assert shown(is_short="true") == {"tea-0"}
    assert shown(is_short="false") == {"tea-1", "sea-0", "sea-1"}
    assert shown(genre="nothing of this kind") == set()
    day = library.START + timedelta(days=2)
    assert shown(added_after=day.date().isoformat()) == {"sea-0", "sea-1"}
    assert shown(any_genre=["tea", "sea"]) == {book.title for book in books}


def test_checked_filters_are_applied_without_asking_again(books, django_assert_num_queries):
    with django_assert_num_queries(0):
        filters = parse(genre="tea", max_pages="150", any_genre=["tea"])
        apply_filters(Book.objects.all(), filters)


def test_a_parameter_that_nobody_reads_is_named_with_those_that_are():
    assert refused(colour="red") == {"colour": [f"There is no such filter for books: choose from {FILTERS}."]}
    assert refused(genre="tea", Genre="tea", added="2026-01-01").keys() == {"Genre", "added"}
    assert refused(colour="").keys() == {"colour"}  # blank, but still nobody's


def test_a_use_case_without_filters_has_none():
    plain = declare(filterset_class=None)
    assert parse(plain, limit="3") == Filters()
    assert refused(plain, genre="tea") == {"genre": ["books has no filters."]}


def test_what_get_user_reads_must_be_declared():
    assert parse(declare(parameters=("library", "for")), library="1", **{"for": "2"}) == Filters()
    assert refused(declare(parameters=()), **{"for": "2"}).keys() == {"for"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_pages", "many"),
        ("max_pages", "1" + "0" * 30),
        ("max_pages", "-1e40"),
        ("max_pages", "NaN"),
        ("max_pages", "Infinity"),
        ("max_pages", "9" * 5000),
        ("max_pages", ["1", "2"]),
        ("genre", "te\0a"),
        ("genre", "\ud800"),
        ("genre", "x" * 201),
        ("genre", ["tea", "sea"]),
        ("is_short", "perhaps"),
        ("is_short", "1e9"),
        ("any_genre", ["tea", "coffee"]),
        ("any_genre", ["tea"] * 51),
        ("added_after", "31.31.2026"),
        ("added_before", "99999-01-01"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(name, value):
    (field,) = refused(**{name: value})
    assert name.startswith(field)  # a range names its filter: added


def test_names_that_are_no_text_are_repeated_harmlessly():
    (name,) = refused(**{"\ud800" + "x" * 1000: "1"})
    assert name == "?" + "x" * 59


def test_equal_filters_have_equal_keys_and_others_do_not():
    key = parse(genre="tea", max_pages="3").key
    assert key == parse(max_pages="3", genre="tea", added_after="").key
    assert parse(genre="tea", max_pages="3") == parse(max_pages="3", genre="tea")
    others = [parse(genre="tea"), parse(genre="tea", max_pages="4"), parse(), parse(any_genre=["tea"])]
    assert len({key, *(other.key for other in others)}) == 5
    assert key == "0d3ebda1364c0c5a5d8eefa53ede4bb8"  # the same in every process


class Required(django_filters.FilterSet):
    genre = django_filters.CharFilter(required=True)


class OfTheRequest(django_filters.FilterSet):
    mine = django_filters.ModelChoiceFilter(
        field_name="reading__reader", queryset=lambda request: Reader.objects.filter(account=request.user)
    )


def test_a_filter_that_the_host_requires_is_required():
    assert refused(declare(filterset_class=Required)).keys() == {"genre"}
    assert refused(declare(filterset_class=Required), genre=" ").keys() == {"genre"}
    assert parse(declare(filterset_class=Required), genre="tea")


def test_filters_may_depend_on_who_asks(books, rf):
    reader, stranger = library.add_reader(), library.add_reader("bob")
    library.read(reader, books[0], "like")
    request = rf.get("/")
    request.user = reader.account
    use_case = declare(filterset_class=OfTheRequest)
    filters = parse_filters(use_case, {"mine": [str(reader.pk)]}, request)
    assert apply_filters(Book.objects.all(), filters).get() == books[0]
    for wanted in (stranger.pk, "x", "9" * 40):
        with pytest.raises(InvalidFilters):
            parse_filters(use_case, {"mine": [str(wanted)]}, request)


class Everything(django_filters.FilterSet):
    """One of each kind of filter."""

    number = django_filters.NumberFilter("pages", "gt")
    numbers = django_filters.RangeFilter("pages")
    choice = django_filters.ChoiceFilter(field_name="genre", choices=[("tea", "tea")])
    date = django_filters.DateFilter("created_at", "date__gt")
    moment = django_filters.IsoDateTimeFilter("created_at", "gt")
    moments = django_filters.DateTimeFromToRangeFilter("created_at")
    days = django_filters.DateFromToRangeFilter("created_at")
    span = django_filters.DateRangeFilter(field_name="created_at")
    id = django_filters.UUIDFilter()
    reader = django_filters.ModelChoiceFilter(field_name="reading__reader", queryset=Reader.objects.all())
    readers = django_filters.ModelMultipleChoiceFilter(field_name="reading__reader", queryset=Reader.objects.all())
    lookup = django_filters.LookupChoiceFilter("pages", field_class=forms.DecimalField, lookup_choices=[("gt", "gt")])
    values = django_filters.AllValuesFilter(field_name="genre")
    is_published = django_filters.BooleanFilter()


class SeveralNumbers(django_filters.BaseInFilter, django_filters.NumberFilter):
    """?pages=1,2,3"""


class Listed(Everything):
    pages = SeveralNumbers(field_name="pages", lookup_expr="in")


EDGES = [
    "0", "-1", "3", str(2**63 - 1), str(-(2**63)), "1e400", "1e-400", "0." + "3" * 190, "0001-01-01", "9999-12-31",
    "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "9999-12-31 23:59:59", "today", "null", "tea",
    "gt", "true", "00000000-0000-0000-0000-000000000000", "1,2", "1,,2", ",", "٣", "\x1f", "1" * 200,
]  # fmt: skip
NAMES = [
    *("number", "choice", "date", "moment", "span", "id", "reader", "readers", "lookup", "lookup_lookup", "values"),
    *("numbers_min", "numbers_max", "moments_after", "moments_before", "days_after", "days_before", "pages"),
    "is_published",
]


def found_or_refused(data):
    """Look for books; return what came of it. Anything else than these two would raise."""
    try:
        filters = parse_filters(declare(filterset_class=Listed), data)
    except InvalidFilters as refusal:
        return json.loads(json.dumps(refusal.errors))
    return f"found {len(apply_filters(Book.objects.all(), filters))}"


@settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    data=st.dictionaries(
        st.sampled_from(NAMES) | st.text(max_size=5),
        st.lists(st.sampled_from(EDGES) | st.text(max_size=8), min_size=1, max_size=2),
        max_size=3,
    )
)
def test_whatever_is_asked_is_either_refused_or_can_be_looked_for(data):
    assert found_or_refused(data)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Los_Angeles"])
@pytest.mark.parametrize("name", ["date", "moment", "days_after", "days_before", "moments_after", "moments_before"])
@pytest.mark.parametrize("edge", ["0001-01-01", "9999-12-31", "9999-12-31 23:59:59", "0001-01-01T00:00:00"])
def test_the_ends_of_time_fail_in_no_time_zone(zone, name, edge):
    with timezone.override(zone):
        assert found_or_refused({name: [edge]})


def test_only_the_value_that_no_query_can_hold_is_named():
    errors = refused(declare(filterset_class=Listed), moment="9999-12-31T23:59:59-12:00", number="3")
    assert errors == {"moment": ["This value cannot be looked for."]}  # it is the year 10000 in UTC
