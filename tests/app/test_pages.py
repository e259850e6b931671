"""Pages of a fixed slate: nothing twice, nothing hidden, nobody else's."""

from uuid import UUID, uuid4

import pytest
from django.core import signing
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from recommender_app.exceptions import InvalidCursor
from recommender_app.models import RequestLog
from recommender_app.serving.cursors import MAX_CHARACTERS, Place, Rest, read_cursor, write_cursor
from recommender_app.serving.policies import forced_policy
from recommender_app.serving.router import Policy
from recommender_app.serving.service import recommend
from recommender_app.testing import FixedEngine, override_engine
from tests.app import library
from tests.toyhost.models import Book, Reader

OWNER = ("books", "7", "")


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": str(tmp_path), "COLD_START_THRESHOLD": 1}


def put_als_live(books, number=1):
    library.publish(f"als_v{number}", library.als_engine(books), books)
    library.put_live(number, f"als_v{number}")


def all_pages(reader, limit, between=lambda page: None):
    """Return the titles of every page; ``between`` is called with the pages so far."""
    pages, cursor = [], "first"
    while cursor:
        answer = recommend(reader, "books", limit, cursor=cursor)
        pages.append(library.titles(answer.results))
        cursor = answer.next_cursor
        between(pages)
    return pages


@pytest.mark.django_db
def test_pages_go_on_where_the_last_one_stopped():
    books = library.add_shelves(12)
    put_als_live(books)
    pages = all_pages(library.add_reader(likes=(books[0],)), 5)
    assert pages[:2] == [[f"tea-{n}" for n in range(5)], [f"tea-{n}" for n in range(5, 10)]]
    assert sorted(title for page in pages for title in page) == sorted(book.title for book in books)


@pytest.mark.django_db
def test_the_first_page_is_the_usual_list_and_only_asked_for_pages_have_a_next():
    books = library.add_shelves(12)
    put_als_live(books)
    reader = library.add_reader(likes=(books[0],))
    usual, first = recommend(reader, "books", 4), recommend(reader, "books", 4, cursor="first")
    assert library.titles(first.results) == library.titles(usual.results)
    assert (usual.next_cursor, bool(first.next_cursor)) == ("", True)


@pytest.mark.django_db
def test_without_a_model_the_newest_items_are_paged():
    library.add_shelves(4)
    assert all_pages(library.add_reader(), 3) == [
        ["sea-3", "sea-2", "sea-1"],
        ["sea-0", "tea-3", "tea-2"],
        ["tea-1", "tea-0"],
    ]


@pytest.mark.django_db
def test_a_slate_ends_after_a_hundred_places():
    library.add_shelves(70)
    pages = all_pages(library.add_reader(), 30)
    assert [len(page) for page in pages] == [30, 30, 30, 10]


@pytest.mark.django_db
def test_what_is_hidden_between_two_pages_is_skipped_and_its_place_filled():
    books = library.add_shelves(12)
    put_als_live(books)
    reader = library.add_reader(likes=(books[0],))

    def hide(pages):
        Book.objects.filter(title__in=["tea-4", "tea-5"]).update(is_published=False)
        if len(pages) == 1:
            library.read(reader, books[6], "dislike")

    assert all_pages(reader, 4, hide)[1] == ["tea-7", "tea-8", "tea-9", "tea-10"]


@pytest.mark.django_db
def test_a_release_switch_between_pages_shows_nothing_twice_and_names_the_release_that_ranked(settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "RELOAD_SECONDS": 0.0}
    books = library.add_shelves(8)
    put_als_live(books, 1)
    reader = library.add_reader(likes=(books[0],))
    first = recommend(reader, "books", 4, cursor="first")
    put_als_live(books[::-1], 2)
    assert recommend(reader, "books", 4).model_version == "als_v2"
    second = recommend(reader, "books", 4, cursor=first.next_cursor)
    assert library.titles(second.results) == ["tea-4", "tea-5", "tea-6", "tea-7"]
    assert (second.model_version, second.release, second.engine) == ("als_v1", 1, "als")


@pytest.mark.django_db
def test_later_pages_give_reasons_while_the_release_that_ranked_is_live(settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "RELOAD_SECONDS": 0.0}
    books = library.add_shelves(8)
    put_als_live(books, 1)
    reader = library.add_reader(likes=(books[0],))
    cursor = recommend(reader, "books", 4, cursor="first").next_cursor
    second = recommend(reader, "books", 2, cursor=cursor)
    assert [result.reason.evidence for result in second.results] == [(books[0].pk,)] * 2
    put_als_live(books, 2)
    assert [result.reason for result in recommend(reader, "books", 2, cursor=cursor).results] == [None, None]


@pytest.mark.django_db
@given(data=st.data())
@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_between_pages_nothing_comes_twice_and_nothing_hidden(data):
    Book.objects.all().delete()
    Reader.objects.all().delete()
    books = library.add_shelves(12)
    reader = Reader.objects.create(name="ann")
    library.read(reader, books[0], "like")
    ranked = data.draw(st.permutations(books).map(lambda order: order[: data.draw(st.integers(0, 24))]))
    arranging = data.draw(
        st.sampled_from([{}, {"diversity": 0.5}, {"caps": {"genre": 1}}, {"exploration": 0.3}, {"fatigue_after": 1}])
    )
    seen: list = []

    def happen(pages):
        results = pages[-1]
        allowed = set(Book.objects.filter(is_published=True).values_list("title", flat=True))
        assert set(results) <= allowed
        assert not set(results) & set(seen)
        seen.extend(results)
        for book in data.draw(st.lists(st.sampled_from(books), max_size=3)):
            Book.objects.filter(pk=book.pk).update(is_published=data.draw(st.booleans()))

    engine = FixedEngine([book.pk for book in ranked])
    with override_engine("books", engine), forced_policy("books", Policy("one", ((0, "fixed"),), **arranging)):
        all_pages(reader, data.draw(st.integers(1, 9)), happen)


@pytest.mark.django_db
def test_every_page_is_logged_under_its_own_request_id_with_ranks_that_go_on():
    books = library.add_shelves(6)
    put_als_live(books)
    reader = library.add_reader(likes=(books[0],))
    first = recommend(reader, "books", 2, cursor="first")
    second = recommend(reader, "books", 3, cursor=first.next_cursor)
    row = RequestLog.objects.get(request_id=second.request_id)
    assert [place["rank"] for place in row.results] == [3, 4, 5]
    assert (row.engine, row.model_version, row.interaction_count) == ("als", "als_v1", 1)
    assert second.request_id != first.request_id
    assert (second.slate, row.candidate_source) == (first.request_id, first.request_id.hex)
    assert RequestLog.objects.get(request_id=first.request_id).candidate_source is None


@pytest.mark.django_db
def test_an_engine_that_knows_few_items_is_followed_by_the_newest():
    books = library.add_shelves(3)
    with override_engine("books", FixedEngine([book.pk for book in books[:3]])):
        reader = library.add_reader()
        pages = all_pages(reader, 2)
        second = recommend(reader, "books", 2, cursor=recommend(reader, "books", 2, cursor="first").next_cursor)
    assert pages == [["tea-0", "tea-1"], ["tea-2", "sea-2"], ["sea-1", "sea-0"]]
    assert [result.source for result in second.results] == ["fixed", "newest"]
    assert second.fallback_reason == "not_enough_items"


@pytest.mark.django_db
def test_the_first_page_costs_one_query_more_where_the_engine_has_enough(django_assert_num_queries):
    books = library.add_shelves(110)
    put_als_live(books)
    reader = library.add_reader(likes=(books[0],))
    recommend(reader, "books", 3, log=False)  # loads the release
    # Savepoint, history, eligibility, keys ahead, a savepoint and its release for reasons, release of savepoint.
    with django_assert_num_queries(7):
        recommend(reader, "books", 3, cursor="first", log=False)


@pytest.mark.django_db
def test_whoever_unpacks_a_cursor_finds_nothing_that_is_hidden():
    books = library.add_shelves(30)
    put_als_live(books)
    reader = library.add_reader(likes=(books[0],))
    hidden = {book.pk for book in books[10:20]}
    Book.objects.filter(pk__in=hidden).update(is_published=False)
    cursor = recommend(reader, "books", 1, cursor="first").next_cursor
    ahead = [place.id for place in read_cursor(cursor, ("books", str(reader.pk), "")).places]
    assert len(ahead) == 60 - 10 - 1
    assert not hidden & set(ahead)


@pytest.mark.django_db
def test_a_cursor_belongs_to_its_user():
    library.add_shelves(4)
    cursor = recommend(library.add_reader("ann"), "books", 2, cursor="first").next_cursor
    with pytest.raises(InvalidCursor):
        recommend(library.add_reader("bob"), "books", 2, cursor=cursor)


@pytest.mark.django_db
def test_over_http_next_is_the_address_of_the_page_after_it():
    library.add_shelves(4)
    reader = library.add_reader()
    client = Client()
    client.force_login(reader.account)
    address, seen = "/api/recommendations/books/?limit=3&cursor=first", []
    while address:
        body = client.get(address).json()
        seen += [result["rank"] for result in body["results"]]
        address = body["next"]
    assert seen == [1, 2, 3, 4, 5, 6, 7, 8]


@pytest.mark.django_db
@pytest.mark.parametrize("cursor", ["x", "first:", "a:b:c", "%00", "é", "A" * 9_000])
def test_a_cursor_that_we_did_not_write_is_a_400_that_names_it(cursor):
    client = Client()
    client.force_login(library.add_reader().account)
    response = client.get("/api/recommendations/books/", {"cursor": cursor})
    assert response.status_code == 400
    assert list(response.json()["errors"]) == ["cursor"]


ids = st.one_of(
    st.lists(st.uuids(), unique=True, max_size=100),
    st.lists(st.integers(-(2**63), 2**63 - 1), unique=True, max_size=100),
    st.lists(st.text(max_size=5), unique=True, max_size=20),
)


@given(ids=ids, rank=st.integers(1, 100), score=st.floats(width=32, allow_nan=False))
@hypothesis_settings(max_examples=60, deadline=None)
def test_a_cursor_says_what_was_written(ids, rank, score):
    places = tuple(Place(item_id, score, ("als", "newest")[n % 2]) for n, item_id in enumerate(ids))
    rest = Rest(places, rank, uuid4(), 3, {"als": "als_v3"}, "als", "not_enough_items", 12, "default")
    cursor = write_cursor(rest, OWNER)
    assert read_cursor(cursor, OWNER) == rest
    assert len(cursor) <= MAX_CHARACTERS


def test_long_keys_shorten_the_slate_and_not_the_patience_of_proxies():
    places = tuple(Place(f"{n:03}-{uuid4()}-{uuid4()}-{uuid4()}", 0.5, "als") for n in range(100))
    cursor = write_cursor(Rest(places, 1, uuid4()), OWNER)
    kept = read_cursor(cursor, OWNER).places
    assert len(cursor) <= MAX_CHARACTERS
    assert 10 < len(kept) < 100
    assert kept == places[: len(kept)]


@pytest.mark.parametrize("owner", [("films", "7", ""), ("books", "8", ""), ("books", "7", "genre=tea")])
def test_a_cursor_is_bound_to_use_case_user_and_filters(owner):
    cursor = write_cursor(Rest((Place(1, 0.5, "als"),), 2, UUID(int=1)), OWNER)
    with pytest.raises(InvalidCursor, match="cursor=first"):
        read_cursor(cursor, owner)


@given(place=st.integers(0, 10_000), character=st.sampled_from("abcXYZ019-_.:"))
@hypothesis_settings(max_examples=60, deadline=None)
def test_an_altered_cursor_is_refused(place, character):
    cursor = write_cursor(Rest((Place(1, 0.5, "als"),), 2, UUID(int=1)), OWNER)
    place %= len(cursor)
    altered = cursor[:place] + character + cursor[place + 1 :]
    if altered != cursor:
        with pytest.raises(InvalidCursor):
            read_cursor(altered, OWNER)


def test_a_cursor_expires(settings):
    cursor = write_cursor(Rest((Place(1, 0.5, "als"),), 2, UUID(int=1)), OWNER)
    settings.RECOMMENDER = {**settings.RECOMMENDER, "CURSOR_SECONDS": -1.0}
    with pytest.raises(InvalidCursor):
        read_cursor(cursor, OWNER)


def test_a_cursor_of_another_format_is_refused_like_any_other():
    class Other:
        def dumps(self, value):
            return bytes([99]) + b"whatever"

    from recommender_app.serving.cursors import _salt

    with pytest.raises(InvalidCursor):
        read_cursor(signing.dumps(None, salt=_salt(OWNER), serializer=Other), OWNER)
