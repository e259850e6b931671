"""Tombstones: who is forgotten is a stranger to serving and absent from what is written."""

import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from recommender_app.exceptions import ConfigurationError
from recommender_app.models import FeedbackEvent, ForgottenUser, RequestLog
from recommender_app.registry.tombstones import bury, read_tombstones
from recommender_app.serving import forgotten
from recommender_app.serving.batch import begin_batch, lists_of
from recommender_app.serving.policies import forced_policy
from recommender_app.serving.router import Policy
from recommender_app.serving.service import recommend
from recommender_app.serving.similar import similar_items
from recommender_app.serving.spool.draining import drain
from recommender_app.serving.spool.writing import append
from recommender_app.testing import FixedEngine, override_engine
from recommender_app.usecases.site import get_use_case
from tests.app import library
from tests.app.test_spool import row
from tests.toyhost.models import Book, Reader, Reading

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": tmp_path}
    return tmp_path


@pytest.fixture
def books():
    books = library.add_shelves()
    library.publish("als_v1", library.als_engine(books), books)
    library.publish("popular_v1", library.popular_engine(books), books)
    library.put_live(1, "als_v1", "popular_v1")
    return books


def forget(reader):
    tombstone = bury(Reader, reader.pk, by="ann")
    forgotten.forget()  # what RELOAD_SECONDS do to another process
    return tombstone


def test_row_71_a_forgotten_reader_is_answered_as_a_stranger_and_not_logged(books):
    reader = library.add_reader(likes=(books[8],))
    assert library.titles(recommend(reader, "books", 2).results) == ["sea-0", "sea-1"]
    forget(reader)
    answer = recommend(reader, "books", 2)
    assert library.titles(answer.results) == ["tea-0", "tea-1"]  # what is popular
    assert (answer.engine, answer.interaction_count) == ("popular", 0)
    assert all(result.reason is None or result.reason.code != "because_you_liked" for result in answer.results)
    similar_items(reader, "books", books[0].pk, 2)
    recommend(reader, "books", 2, cursor=recommend(reader, "books", 2, cursor="first").next_cursor)
    assert list(RequestLog.objects.order_by("pk").values_list("user_id", flat=True)) == [str(reader.pk), *[""] * 4]


def test_others_are_served_as_before(books):
    ann, bob = library.add_reader("ann", likes=(books[8],)), library.add_reader("bob", likes=(books[9],))
    forget(ann)
    assert library.titles(recommend(bob, "books", 2).results) == ["sea-0", "sea-1"]
    assert RequestLog.objects.get().user_id == str(bob.pk)


def test_a_tombstone_counts_in_a_running_process_after_reload_seconds_and_costs_no_query_before(settings, books):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "RELOAD_SECONDS": 3600.0}
    reader, other = library.add_reader(likes=(books[8],)), library.add_reader("bob")
    bury(Reader, other.pk, by="ann")
    recommend(reader, "books", 2)
    bury(Reader, reader.pk, by="ann")
    with CaptureQueriesContext(connection) as captured:
        recommend(reader, "books", 2)
    assert not [query for query in captured.captured_queries if "forgottenuser" in query["sql"]]
    settings.RECOMMENDER = {**settings.RECOMMENDER, "RELOAD_SECONDS": 0.0}
    with CaptureQueriesContext(connection) as captured:
        answer = recommend(reader, "books", 2)
    assert answer.engine == "popular"
    assert len([query for query in captured.captured_queries if "forgottenuser" in query["sql"]]) >= 1


def test_while_the_table_cannot_be_read_whoever_was_forgotten_stays_so_which_is_logged_once(settings, books, caplog):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "RELOAD_SECONDS": 0.0}
    reader = library.add_reader()
    bury(Reader, reader.pk, by="ann")
    use_case = get_use_case("books")
    for n_told in (1, 2):
        assert forgotten.is_forgotten(use_case, reader.pk)
        with connection.execute_wrapper(library.refuse):
            assert [forgotten.is_forgotten(use_case, reader.pk) for _ in range(3)] == [True] * 3
        assert caplog.text.count("Who is forgotten cannot be read") == n_told


def test_batches_make_no_list_for_them(books):
    ann, bob = library.add_reader("ann"), library.add_reader("bob")
    forget(ann)
    found = list(lists_of(begin_batch(get_use_case("books"), 2), [ann, bob]))
    assert [user for user, _ in found] == [bob]


def test_events_of_a_forgotten_reader_are_refused_and_leave_nothing(books):
    reader = library.add_reader()
    client = Client()
    client.force_login(reader.account)
    forget(reader)
    body = {"item": str(books[0].pk), "event": "like", "event_id": "a"}
    answer = client.post("/api/recommendations/books/events/", body, content_type="application/json")
    assert answer.status_code == 404
    assert not FeedbackEvent.objects.exists()
    assert not Reading.objects.exists()


def test_a_drain_leaves_out_who_was_forgotten_while_the_row_waited(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "SPOOL_DIR": tmp_path / "spool"}
    for number, user_id in ((1, "7"), (2, "8"), (3, "")):
        append(row(number, user_id=user_id))
    bury(Reader, 7, by="ann")
    assert drain().n_added == 2
    assert set(RequestLog.objects.values_list("user_id", flat=True)) == {"8", ""}
    assert not list((tmp_path / "spool").glob("*.rejected"))


def test_a_tombstone_holds_a_hash_of_the_model_and_the_id_and_is_written_once():
    first, again = bury(Reader, 7, by="ann"), bury(Reader, 7, by="bob")
    assert (again.pk, again.forgotten_by, again.versions_due_at) == (first.pk, "ann", first.versions_due_at)
    tombstones = read_tombstones()
    assert tombstones.holds(Reader, 7)
    assert tombstones.holds(Reader, "7")
    assert not tombstones.holds(Reader, 8)
    assert not tombstones.holds(Book, 7)
    assert tombstones.mask(Reader, [6, 7, 8]).tolist() == [False, True, False]
    number = uuid.UUID(int=7)
    stored = bury(Book, number, by="")
    assert str(number) not in str(ForgottenUser.objects.filter(pk=stored.pk).values())
    assert number.hex not in str(ForgottenUser.objects.filter(pk=stored.pk).values())


def test_a_secret_key_that_is_rotated_is_still_found_among_the_fallbacks(settings):
    bury(Reader, 7, by="ann")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another" * 10
    assert read_tombstones().holds(Reader, 7)
    assert bury(Reader, 7, by="bob").forgotten_by == "ann"
    settings.RECOMMENDER = {**settings.RECOMMENDER, "PRIVACY_KEY": "a key for nothing else, 32 letters"}
    assert read_tombstones().holds(Reader, 7)


def test_a_key_that_is_lost_is_told_instead_of_letting_everybody_come_back(settings):
    bury(Reader, 7, by="ann")
    settings.SECRET_KEY = "another" * 10
    tombstones = read_tombstones()
    assert tombstones.n_lost == 1
    with pytest.raises(ConfigurationError, match=r"1 tombstones .* SECRET_KEY_FALLBACKS"):
        tombstones.check_complete()


def test_what_a_forgotten_reader_disliked_stays_hidden_on_every_rung_while_the_rows_are_kept():
    books = library.add_shelves(3)
    reader = library.add_reader()
    library.read(reader, books[0], "dislike")
    forget(reader)
    for proposed in ([book.pk for book in books], []):  # an engine's list, then the newest items
        with (
            override_engine("books", FixedEngine(proposed)),
            forced_policy("books", Policy("t", ((0, "fixed"),))),
        ):
            shown = library.titles(recommend(reader, "books", 6).results)
        assert shown
        assert "tea-0" not in shown
