"""Whatever happens in whatever order: lists hold eligible items only, each once, and are never short."""

import math
from uuid import UUID

import numpy as np
import pytest
from django.core.cache import cache
from django.db import transaction
from hypothesis import HealthCheck, Phase, event
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from recommender_app.artifacts.store import ArtifactStore
from recommender_app.conf import settings as app_settings
from recommender_app.dataset.ids import IdMap
from recommender_app.engines.popularity import PopularityEngine
from recommender_app.models import ModelVersion, Release
from recommender_app.registry.releases import promote, roll_back
from recommender_app.serving import live
from recommender_app.serving.cursors import read_cursor
from recommender_app.serving.service import recommend
from recommender_app.usecases.filters import parse_filters
from recommender_app.usecases.site import get_use_case
from tests.app import library
from tests.app.shop_model import Library, Shelf
from tests.core.toys import N_ITEMS
from tests.core.trained import trained
from tests.toyhost.models import Book, Reader, Reading
from tests.toyhost.recommendations import BooksForReaders

pytestmark = pytest.mark.django_db
TRAINED = [UUID(int=number * 10) for number in range(N_ITEMS)]  # what the engines learned from
LATER = [UUID(int=number * 10 + 5) for number in range(6)]  # what they never met
KINDS = ("view", "like", "finish", "dislike")
GENRES = ("tea", "sea")
VERSIONS = {"popular": 2, "als": 2, "content_based": 2, "item_knn": 1}

books = st.sampled_from([*TRAINED, *LATER])
readers = st.integers(0, 1)
narrowings = st.fixed_dictionaries(
    {},
    optional={
        "genre": st.sampled_from([[genre] for genre in GENRES]),
        "max_pages": st.sampled_from([["1"], ["2"]]),
        "met_with": st.sampled_from([[kind] for kind in KINDS]),
    },
)


def books_of_others(self, user):
    """Return what is published and was not written by the reader."""
    own = Reading.objects.filter(reader=user, kind="wrote")
    return Book.objects.filter(is_published=True).exclude(pk__in=own.values("book"))


class Serving(RuleBasedStateMachine):
    """Two readers of a small library, with models that come and go."""

    def __init__(self):
        super().__init__()
        live.forget()
        cache.clear()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.model = Library()
        self.readers = [Reader.objects.create(name=name) for name in "ab"]
        self.scrolls = []
        self.turn = 0

    def teardown(self):
        transaction.set_rollback(True)
        self.transaction.__exit__(None, None, None)

    @initialize(
        shelf=st.lists(books, unique=True, min_size=4, max_size=15),
        engines=st.lists(st.sampled_from(sorted(VERSIONS)), unique=True, max_size=4),
        kinds=st.lists(st.sampled_from(KINDS), max_size=4),
    )
    def begin(self, shelf, engines, kinds):
        for place, book in enumerate(shelf):
            self.publish(book, GENRES[place % 2], 1 + place % 3)
        for place, kind in enumerate(kinds):
            self.interact(shelf[place], 0, kind)
        for engine in engines:
            self.promote_next(engine)

    @rule(book=books, genre=st.sampled_from(GENRES), pages=st.integers(1, 3))
    def publish(self, book, genre, pages):
        self.model.books[book] = Shelf(genre, pages, is_published=True)
        values = {"title": str(book), "genre": genre, "pages": pages, "is_published": True}
        Book.objects.update_or_create(pk=book, defaults=values)

    @rule(book=books)
    def hide(self, book):
        if book not in self.model.books:
            return  # assume() would throw away everything that led here
        self.model.books[book].is_published = False
        Book.objects.filter(pk=book).update(is_published=False)

    @rule(book=books)
    def delete(self, book):
        if book not in self.model.books:
            return
        self.model.delete(book)
        Book.objects.get(pk=book).delete()

    @rule(book=books, reader=readers, kind=st.sampled_from(KINDS))
    def interact(self, book, reader, kind):
        if book not in self.model.books:
            return
        self.model.events.append((reader, book, kind))
        library.read(self.readers[reader], Book(pk=book), kind)

    @rule(book=books, reader=readers)
    def change_author(self, book, reader):
        if book not in self.model.books:
            return
        self.model.authors[book] = reader
        Reading.objects.filter(book=book, kind="wrote").delete()
        library.read(self.readers[reader], Book(pk=book), "wrote")

    @rule(engine=st.sampled_from(sorted(VERSIONS)))
    def promote_next(self, engine):
        number = ModelVersion.objects.filter(engine=engine).count() + 1
        if number > VERSIONS[engine] + (engine == "popular"):
            return
        version = ModelVersion.objects.create(use_case="books", engine=engine, number=number, status="candidate")
        promote(version, by="test")

    @precondition(lambda self: Release.objects.filter(status="live", previous__isnull=False).exists())
    @rule()
    def roll_back_once(self):
        roll_back("books", by="test")

    @rule(reader=readers, limit=st.integers(1, 12) | st.just(100), filters=narrowings)
    def ask(self, reader, limit, filters):
        results = self.answered(reader, limit, filters).results
        assert [result.rank for result in results] == list(range(1, len(results) + 1))
        assert len(results) == min(limit, len(self.model.eligible(reader, filters)))

    @invariant()
    def whoever_comes_next_is_served(self):
        self.turn = 1 - self.turn
        self.ask(self.turn, 5, {})

    @rule(reader=readers, limit=st.integers(1, 3), filters=narrowings)
    def begin_to_scroll(self, reader, limit, filters):
        answer = self.answered(reader, limit, filters, "first")
        assert len(answer.results) == min(limit, len(self.model.eligible(reader, filters)))
        self.scrolls.append([reader, filters, answer.next_cursor, {result.id for result in answer.results}])

    @precondition(lambda self: any(cursor for _, _, cursor, _ in self.scrolls))
    @rule(limit=st.integers(1, 3), number=st.integers(0, 9))
    def scroll_on(self, limit, number):
        unfinished = [scroll for scroll in self.scrolls if scroll[2]]
        scroll = unfinished[number % len(unfinished)]
        reader, filters, cursor, seen = scroll
        answer = self.answered(reader, limit, filters, cursor)
        shown = {result.id for result in answer.results}
        assert not shown & seen
        scroll[2:] = answer.next_cursor, seen | shown

    def answered(self, reader, limit, filters, cursor=""):
        """Return an answer that broke none of the promises that hold for every page."""
        parsed = parse_filters(get_use_case("books"), filters)
        answer = recommend(self.readers[reader], "books", limit, filters=parsed, cursor=cursor)
        ids = [result.id for result in answer.results]
        event(f"answered by {answer.engine}")
        assert len(ids) == len(set(ids)) <= limit
        assert set(ids) <= self.model.eligible(reader, filters)
        assert all(result.item.pk == result.id and result.item.is_published for result in answer.results)
        assert all(math.isfinite(result.score) for result in answer.results)
        assert answer.fallback_reason != "database_unavailable"
        if cursor == "first" and answer.next_cursor:
            owner = ("books", str(self.readers[reader].pk), parsed.key)
            ahead = {place.id for place in read_cursor(answer.next_cursor, owner).places}
            assert ahead <= self.model.eligible(reader, filters) - set(ids)
        return answer


def publish_versions():
    """Write the artifacts that the machine promotes: trained ones, and one of items that are mostly gone."""
    store, known = ArtifactStore(app_settings.artifact_root), IdMap.from_values(TRAINED)
    for engine, n_versions in VERSIONS.items():
        for number in range(1, n_versions + 1):
            store.publish("books", f"{engine}_v{number}", trained(engine), known)
    ghosts = IdMap.from_values([*TRAINED[3:6], *[UUID(int=number) for number in range(1, 9)], LATER[0]])
    ranking = np.arange(len(ghosts), dtype=np.float32)
    store.publish("books", f"popular_v{VERSIONS['popular'] + 1}", PopularityEngine(ranking), ghosts)


@pytest.mark.parametrize("overfetch", [(1, 2), (4, 20)], ids=["scored directly", "proposed"])
def test_no_sequence_of_events_breaks_a_promise(settings, monkeypatch, tmp_path, overfetch):
    settings.RECOMMENDER = {
        **settings.RECOMMENDER,
        "ARTIFACT_ROOT": str(tmp_path),
        "OVERFETCH": overfetch,
        "RELOAD_SECONDS": 0.0,
        "COLD_START_THRESHOLD": 1,
        "WARM_USER_THRESHOLD": 3,
        "SLATE_CACHE_SECONDS": 60.0,
    }
    monkeypatch.setattr(BooksForReaders, "get_items", books_of_others)
    publish_versions()
    run_state_machine_as_test(
        Serving,
        settings=hypothesis_settings(
            max_examples=15,
            stateful_step_count=16,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],  # sixteen steps can be read; making them fewer takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
