"""Row 72: during a deploy, old code meets artifacts that newer code has written."""

import logging

import pytest

from recommender_app.serving import live
from recommender_app.serving.service import recommend
from tests.app import library
from tests.core.artifact_toys import edit_manifest

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(settings, tmp_path):
    values = {"ARTIFACT_ROOT": str(tmp_path), "RELOAD_SECONDS": 0.0, "COLD_START_THRESHOLD": 1}
    settings.RECOMMENDER = {**settings.RECOMMENDER, **values}
    return tmp_path


def publish_newer(root, version, engine, books):
    """Publish an artifact as code of the future would."""
    library.publish(version, engine, books)
    edit_manifest(root / "models" / "books" / engine.key / version, format_version=3, invention={"any": "thing"})


def test_row_72_a_newer_format_is_refused_and_the_release_before_it_goes_on_serving(root, caplog):
    books = library.add_shelves(3)
    library.publish("als_v1", library.als_engine(books), books)
    library.publish("popular_v1", library.popular_engine(books), books)
    library.put_live(1, "als_v1", "popular_v1")
    ann = library.add_reader(likes=(books[0],))
    before = recommend(ann, "books", 3)
    publish_newer(root, "als_v2", library.als_engine(books), books)
    library.put_live(2, "als_v2", "popular_v1")

    with caplog.at_level(logging.ERROR):
        after = recommend(ann, "books", 3)

    assert (after.engine, after.model_version, after.release) == ("als", "als_v1", 1)
    assert [result.id for result in after.results] == [result.id for result in before.results]
    assert "als_v2: Its format version 3 is newer than 2: update the app here first." in caplog.text
    caplog.clear()
    recommend(ann, "books", 3)
    assert not caplog.records, "said once, not by every request"


def test_row_72_a_process_that_starts_with_a_newer_format_serves_what_it_can_read(root):
    books = library.add_shelves(3)
    library.publish("popular_v1", library.popular_engine(books), books)
    publish_newer(root, "als_v2", library.als_engine(books), books)
    library.put_live(1, "als_v2", "popular_v1")

    answer = recommend(library.add_reader(likes=(books[0],)), "books", 3)

    assert (answer.engine, answer.release) == ("popular", 1)
    assert len(answer.results) == 3
    assert "newer" in live.current("books").problems["als"]


def test_row_72_what_old_code_cannot_read_serves_as_soon_as_the_code_is_new(root):
    books = library.add_shelves(3)
    library.publish("als_v1", library.als_engine(books), books)
    library.put_live(1, "als_v1")
    ann = library.add_reader(likes=(books[0],))
    assert recommend(ann, "books", 3).release == 1
    folder = root / "models" / "books" / "als" / "als_v2"
    library.publish("als_v2", library.als_engine(books), books)
    edit_manifest(folder, format_version=3)
    library.put_live(2, "als_v2")
    assert recommend(ann, "books", 3).release == 1

    edit_manifest(folder, format_version=2)
    live.forget()  # a new process

    assert recommend(ann, "books", 3).release == 2
