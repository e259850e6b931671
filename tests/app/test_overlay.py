"""New and changed items are recommended before anything is trained again."""

import gc
import threading
import weakref
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from recommender_app.serving import live
from recommender_app.serving.overlay import Overlay, overlay_of
from recommender_app.serving.overlay_items import LaidItems
from recommender_app.serving.policies import forced_policy
from recommender_app.serving.router import Policy
from recommender_app.serving.service import recommend
from recommender_app.training.run import train_model
from recommender_app.usecases.site import get_use_case
from tests.app import colours, library, readings
from tests.core.trained import trained
from tests.toyhost.models import Book

pytestmark = pytest.mark.django_db

CHAIN = ("content_based", "als", "two_tower", "ensemble")


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": str(tmp_path), "OVERLAY_SECONDS": 0}
    return tmp_path


@pytest.fixture
def books(root):
    found = colours.add_books()
    colours.publish(found, "content_based", "als", "two_tower", "ensemble")
    return found


def routed(engine, reader, limit=13):
    with forced_policy("books", Policy("one", ((0, engine),))):
        return recommend(reader, "books", limit)


@pytest.mark.parametrize("engine", CHAIN)
def test_a_new_item_is_recommended_at_once_to_whom_it_suits(books, engine):
    red_fan = colours.add_reader(colours.RED, books, "likes red")
    blue_fan = colours.add_reader(colours.BLUE, books, "likes blue")
    routed(engine, red_fan)
    new = Book.objects.create(title="red", genre="red")
    for_red, for_blue = routed(engine, red_fan), routed(engine, blue_fan)
    assert for_red.engine == engine
    assert next(result.source for result in for_red.results if result.id == new.pk) == engine
    assert colours.places(for_red.results, new) <= 7  # seven others are red
    assert colours.places(for_blue.results, new) > colours.places(for_red.results, new)


@pytest.mark.parametrize("engine", CHAIN)
def test_a_hidden_new_item_vanishes_at_once(books, engine):
    reader = colours.add_reader(colours.RED, books)
    new = Book.objects.create(title="red", genre="red")
    assert new.pk in [result.id for result in routed(engine, reader).results]
    Book.objects.filter(pk=new.pk).update(is_published=False)
    assert new.pk not in [result.id for result in routed(engine, reader).results]
    Book.objects.filter(pk=new.pk).delete()
    assert new.pk not in [result.id for result in routed(engine, reader).results]


def test_an_item_that_the_reader_disliked_is_not_laid_over_the_list(books):
    reader = colours.add_reader(colours.RED, books)
    new = Book.objects.create(title="red", genre="red")
    library.read(reader, new, "dislike")
    assert new.pk not in [result.id for result in routed("als", reader).results]


def test_an_edited_item_moves(books):
    reader = colours.add_reader(colours.RED, books)
    edited = books[12]  # a red gate
    before = colours.places(routed("content_based", reader).results, edited)
    edited.title, edited.genre = "blue gate", "blue"
    edited.save()
    assert colours.places(routed("content_based", reader).results, edited) > before


def test_an_item_that_was_saved_without_a_change_keeps_its_score(books):
    reader = colours.add_reader(colours.RED, books)
    scores = {engine: scores_of(routed(engine, reader)) for engine in CHAIN}
    for book in books:
        book.save()
    for engine in CHAIN:
        after = scores_of(routed(engine, reader))
        assert after.keys() == scores[engine].keys()
        np.testing.assert_allclose([after[key] for key in scores[engine]], list(scores[engine].values()), rtol=1e-3)


def scores_of(answer):
    return {result.id: result.score for result in answer.results if result.source == answer.engine}


def test_items_that_one_engine_was_trained_without_are_placed_by_another(root):
    books = colours.add_books()
    reader = colours.add_reader(colours.RED, books)
    colours.publish(books, "content_based")
    older = library.als_engine(books[:12])  # the thirteenth came after it was trained
    library.publish("als_v1", older, books[:12])
    library.put_live(2, "als_v1", "content_based_v1")
    assert next(result for result in routed("als", reader).results if result.id == books[12].pk).source == "als"


def drained(release):
    """Return the overlay when nothing is left to read."""
    overlay = overlay_of(get_use_case("books"), release)
    while overlay.cover.reader.n_pending:
        overlay = overlay_of(get_use_case("books"), release)
    return overlay


def test_a_use_case_without_a_stamp_has_no_overlay(books, monkeypatch):
    release = live.current("books")
    monkeypatch.setattr(type(get_use_case("books")), "changed_at", None)
    assert overlay_of(get_use_case("books"), release) is None


def test_a_release_that_cannot_score_new_items_has_no_overlay(root):
    books = colours.add_books()
    colours.publish(books, "als", "popular")
    assert overlay_of(get_use_case("books"), live.current("books")) is None


def test_popular_stays_as_it_is(root):
    books = colours.add_books()
    reader = colours.add_reader(colours.RED, books)
    colours.publish(books, "content_based", "popular")
    before = [result.id for result in routed("popular", reader, 8).results]
    Book.objects.create(title="red", genre="red")
    assert [result.id for result in routed("popular", reader, 8).results] == before


def test_a_failing_judge_changes_nothing(books, caplog, monkeypatch):
    reader = colours.add_reader(colours.RED, books)
    before = [result.id for result in routed("als", reader, 6).results]
    Book.objects.create(title="red", genre="red")
    monkeypatch.setattr(
        type(trained("content_based")), "score_both", lambda *_: (_ for _ in ()).throw(MemoryError("full"))
    )
    answer = routed("als", reader, 6)
    assert [result.id for result in answer.results] == before
    assert answer.engine == "als"
    assert "cannot be merged" in caplog.text


def test_the_next_release_keeps_what_was_read_where_the_engines_are_the_same(books):
    Book.objects.create(title="red chair", genre="red")
    first = drained(live.current("books"))
    second = overlay_of(get_use_case("books"), replace(first.cover.release, number=2))
    assert second.cover is not first.cover
    assert second.laid is first.laid


def test_threads_may_ask_while_one_reads(books):
    Book.objects.bulk_create([Book(title=f"red apple {number}", genre="red") for number in range(200)])
    release = live.current("books")
    overlay = overlay_of(get_use_case("books"), release)
    with overlay.cover.reader._lock:  # somebody else is reading
        seen = []
        thread = threading.Thread(target=lambda: seen.append(overlay.cover.reader.current()))
        thread.start()
        thread.join(10)
    assert seen == [overlay.cover.reader.laid]


def test_laid_items_replace_and_forget_the_oldest():
    engine = trained("two_tower")
    first = LaidItems().updated({1: 10, 2: 20}, {"two_tower": np.array([[1.0], [2.0]])}, most=3)
    second = first.updated({2: 30, 3: 5, 4: 40}, {"two_tower": np.array([[2.5], [3.0], [4.0]])}, most=3)
    assert engine.key in second.encoded
    assert dict(zip(second.ids, second.stamps, strict=True)) == {1: 10, 2: 30, 4: 40}
    assert [second.encoded["two_tower"][second.row_of[item]].item() for item in (1, 2, 4)] == [1.0, 2.5, 4.0]
    assert first.ids == (1, 2)


def test_an_overlay_knows_what_is_newer_than_an_engine(books):
    new = Book.objects.create(title="red chair", genre="red")
    overlay = drained(live.current("books"))
    assert isinstance(overlay, Overlay)
    assert overlay.newer_than("als", [books[0].pk, new.pk]) == {new.pk}


def test_items_that_the_engine_was_trained_with_are_not_read_again(books):
    just_before = colours.TRAINED_AT - timedelta(minutes=1)
    Book.objects.update(updated_at=just_before)
    new = Book.objects.create(title="red door", genre="red")
    Book.objects.filter(pk=new.pk).update(updated_at=just_before)  # committed after the export
    assert drained(live.current("books")).laid.ids == (new.pk,)


@pytest.mark.django_db(transaction=True)  # training drops idle connections, and a transaction with them
def test_after_a_real_training_only_what_came_later_is_laid_over(root):
    readings.fill()
    before = timezone.now()
    train_model(get_use_case("books"), "content_based", promote=True)
    release = live.current("books")
    assert before <= release.artifacts["content_based"].manifest.knows_until <= timezone.now()
    assert len(drained(release).laid) == 0
    new = Book.objects.create(title="tea-99", genre="tea")
    assert drained(release).laid.ids == (new.pk,)


def test_a_release_that_is_gone_is_not_kept_in_memory(books):
    first = overlay_of(get_use_case("books"), live.current("books"))
    variant = replace(first.cover.release)  # another policy's
    assert overlay_of(get_use_case("books"), variant).cover is not first.cover
    assert overlay_of(get_use_case("books"), first.cover.release).cover is first.cover
    gone = weakref.ref(first.cover)
    following = replace(first.cover.release, number=2)
    overlay_of(get_use_case("books"), following)
    del first
    gc.collect()
    assert gone() is None


def test_a_stamp_that_is_no_field_costs_no_answer(books, monkeypatch, caplog):
    reader = colours.add_reader(colours.RED, books)
    monkeypatch.setattr(type(get_use_case("books")), "changed_at", "no_such_field")
    for _ in range(2):
        assert routed("als", reader, 3).engine == "als"
    assert len([record for record in caplog.records if "cannot be laid over" in record.getMessage()]) == 1
