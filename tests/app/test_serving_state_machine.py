"""Whatever happens in whatever order: lists hold eligible items only, each once, and are never short."""

import math

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

from recommender_app.exceptions import ItemNotFound
from recommender_app.models import BusinessRule, ModelVersion, Release, ServingPolicy
from recommender_app.registry.policies import save_policy
from recommender_app.registry.releases import promote, roll_back
from recommender_app.registry.rules import delete_rule, save_rule
from recommender_app.serving import live, policies, rule_book
from recommender_app.serving.cursors import read_cursor
from recommender_app.serving.service import recommend
from recommender_app.serving.similar import similar_items
from recommender_app.usecases.filters import parse_filters
from recommender_app.usecases.site import get_use_case
from tests.app import library
from tests.app.shop_model import Library, Shelf
from tests.app.shop_versions import LATER, TRAINED, VERSIONS, publish_versions
from tests.toyhost.models import Book, Reader, Reading
from tests.toyhost.recommendations import BooksForReaders

pytestmark = pytest.mark.django_db
KINDS = ("view", "like", "finish", "dislike")
GENRES = ("tea", "sea")
RULES = {
    "bury": {"factor": 0.0},
    "boost": {"factor": 9.0},
    "pin": {"position": 2},
    "quota": {"count": 1, "out_of": 2},
}

POLICIES = (
    {},
    {"caps": {"genre": 1}},
    {"diversity": 0.7, "fatigue_after": 2},
    {"exploration": 0.3},
    {"routes": [[0, "ensemble"]]},
    {"routes": [[0, "two_tower"]], "disabled": ["popular"]},
)

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
    """Two readers of a small library, with models, rules and policies that come and go."""

    answered_by = set()

    def __init__(self):
        super().__init__()
        live.forget()
        policies.forget()
        rule_book.forget()
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

    @rule(kind=st.sampled_from(sorted(RULES)), genre=st.sampled_from(GENRES), book=books, by_id=st.booleans())
    def publish_rule(self, kind, genre, book, by_id):
        about = {"item_ids": [str(book)]} if by_id else {"condition": {"genre": genre}}
        save_rule(BusinessRule(use_case="books", name=kind, kind=kind, is_active=True, **about, **RULES[kind]), by="t")

    @precondition(lambda self: BusinessRule.objects.exists())
    @rule()
    def withdraw_rules(self):
        for each in BusinessRule.objects.all():
            delete_rule(each, by="t")

    @rule(policy=st.sampled_from(POLICIES))
    def change_policy(self, policy):
        ServingPolicy.objects.all().delete()
        if policy:
            save_policy(ServingPolicy(use_case="books", name="p", is_active=True, **policy), by="t")

    @rule(book=books, reader=readers, limit=st.integers(1, 12), filters=narrowings)
    def look_for_similar(self, book, reader, limit, filters):
        parsed = parse_filters(get_use_case("books"), filters)
        is_visible = book in self.model.books and self.model.is_visible(book, reader)
        if not is_visible:
            with pytest.raises(ItemNotFound):
                similar_items(self.readers[reader], "books", book, limit, filters=parsed)
            return
        answer = similar_items(self.readers[reader], "books", book, limit, filters=parsed)
        event(f"similar by {answer.engine}")
        self.check(answer, reader, limit, filters)
        eligible = self.model.eligible(reader, filters) - {book}
        assert {result.id for result in answer.results} <= eligible
        assert len(answer.results) == min(limit, len(eligible))

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
        event(f"answered by {answer.engine}")
        self.answered_by.add(answer.engine)
        ids = self.check(answer, reader, limit, filters)
        if cursor == "first" and answer.next_cursor:
            owner = ("books", str(self.readers[reader].pk), parsed.key)
            ahead = {place.id for place in read_cursor(answer.next_cursor, owner).places}
            assert ahead <= self.model.eligible(reader, filters) - set(ids)
        return answer

    def check(self, answer, reader, limit, filters):
        """Check what holds for every list; return its ids."""
        ids = [result.id for result in answer.results]
        assert len(ids) == len(set(ids)) <= limit
        assert set(ids) <= self.model.eligible(reader, filters)
        assert all(result.item.pk == result.id and result.item.is_published for result in answer.results)
        assert all(math.isfinite(result.score) for result in answer.results)
        assert answer.fallback_reason != "database_unavailable"
        return ids


@pytest.mark.parametrize("overfetch", [(1, 2), (4, 20)], ids=["scored directly", "proposed"])
def test_no_sequence_of_events_breaks_a_promise(settings, monkeypatch, tmp_path, overfetch):
    settings.RECOMMENDER = {
        **settings.RECOMMENDER,
        "ARTIFACT_ROOT": str(tmp_path),
        "OVERFETCH": overfetch,
        "RELOAD_SECONDS": 0.0,
        "COLD_START_THRESHOLD": 1,
        "WARM_USER_THRESHOLD": 3,  # hot users are routed to the ensemble
        "SLATE_CACHE_SECONDS": 60.0,
    }
    monkeypatch.setattr(BooksForReaders, "get_items", books_of_others)
    monkeypatch.setattr(Serving, "answered_by", set())
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
    assert {"ensemble", "two_tower", "als", "popular", "newest"} <= Serving.answered_by
