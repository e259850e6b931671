"""The main job end to end, over HTTP: rows of a host -> export -> ALS -> promotion -> answers."""

import pytest
from django.core.management import call_command
from django.test import Client

from recommender_app.models import ModelVersion, Release, RequestLog
from tests.app import library
from tests.toyhost.models import Book, Reading

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
N_READERS = 12
URL = "/api/recommendations/books/"


@pytest.fixture
def books():
    """Six books on tea, six on the sea."""
    return library.add_shelves(6)


@pytest.fixture
def readers(books):
    """Twelve readers with two tastes; each liked the five books of the own genre but one."""
    readers = []
    for number in range(N_READERS):
        own = books[:6] if number < N_READERS // 2 else books[6:]
        readers.append(library.add_reader(f"reader{number}", [book for book in own if book is not own[number % 6]]))
    return readers


@pytest.fixture
def trained(books, readers, settings, tmp_path):
    """ALS trained and promoted by the command that people use."""
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": str(tmp_path), "RELOAD_SECONDS": 0.0}
    call_command("recommender_train", "books", "--engine", "als", "--promote", verbosity=0)
    return readers


def client_of(reader) -> Client:
    client = Client()
    client.force_login(reader.account)
    return client


def answer_to(reader, limit=1) -> dict:
    response = client_of(reader).get(URL, {"limit": limit})
    assert response.status_code == 200, response.content
    return response.json()


def labels(answer) -> list[str]:
    return [result["item"]["label"] for result in answer["results"]]


def finish_all_likes(reader) -> None:
    """A finished book is never shown again, so that the one that is left must come first."""
    Reading.objects.filter(reader=reader).update(kind="finish")


def test_each_reader_is_shown_the_book_of_the_own_taste_that_is_left(trained, books):
    for number, reader in enumerate(trained):
        finish_all_likes(reader)
        own = books[:6] if number < N_READERS // 2 else books[6:]
        answer = answer_to(reader)
        assert (answer["engine"], answer["model_version"], answer["fallback_reason"]) == ("als", "als_v1", None)
        assert answer["interaction_count"] == 5
        assert labels(answer) == [own[number % 6].title]


def test_the_registry_and_the_log_agree_with_the_answer(trained):
    answer = answer_to(trained[0], 3)
    version = ModelVersion.objects.get()
    assert (version.name, version.status) == ("als_v1", "ready")
    assert Release.objects.get(status="live").versions.get() == version
    row = RequestLog.objects.get(request_id=answer["request_id"])
    assert (row.model_version, row.release) == ("als_v1", Release.objects.get(status="live").number)
    assert [place["item"] for place in row.results] == [result["id"] for result in answer["results"]]


def test_a_request_after_a_new_interaction_returns_a_changed_list(trained, books):
    reader = trained[0]
    finish_all_likes(reader)
    before = answer_to(reader, 3)
    for book in books[6:11]:
        library.read(reader, book, "finish")
    after = answer_to(reader, 3)
    assert labels(before)[0] == "tea-0"
    assert labels(after) != labels(before)
    assert set(labels(after)[:2]) == {"tea-0", "sea-5"}
    assert after["model_version"] == before["model_version"] == "als_v1"


def test_a_reader_who_came_after_the_training_is_served_by_als(trained, books):
    newcomer = library.add_reader("newcomer")
    for book in books[6:11]:
        library.read(newcomer, book, "finish")
    answer = answer_to(newcomer)
    assert (answer["engine"], labels(answer)) == ("als", ["sea-5"])


def test_a_book_that_is_withdrawn_is_gone_with_the_next_request(trained, books):
    reader = trained[0]
    finish_all_likes(reader)
    assert labels(answer_to(reader)) == ["tea-0"]
    Book.objects.filter(pk=books[0].pk).update(is_published=False)
    assert "tea-0" not in labels(answer_to(reader, 50))


def test_a_second_version_answers_once_it_is_promoted_and_the_first_after_a_rollback(trained):
    reader = trained[0]
    call_command("recommender_train", "books", "--engine", "als", verbosity=0)
    assert answer_to(reader)["model_version"] == "als_v1"
    call_command("recommender_promote", "books", "als_v2", verbosity=0)
    assert answer_to(reader)["model_version"] == "als_v2"
    call_command("recommender_rollback", "books", verbosity=0)
    assert answer_to(reader)["model_version"] == "als_v1"
