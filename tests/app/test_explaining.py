"""Every result says why it is there, names only what may be seen, and never costs an answer."""

import pytest
from django.test import Client
from django.utils import translation

from recommender_app.dataset.features import Features
from recommender_app.serving import live
from recommender_app.serving.policies import forced_policy
from recommender_app.serving.profile_words import Said, as_said, field_name
from recommender_app.serving.reasons import because_of_items, because_of_words, because_popular, because_trending
from recommender_app.serving.router import Policy
from recommender_app.serving.service import recommend
from recommender_app.testing import FixedEngine, override_engine
from tests.app import colours, library
from tests.app.test_serving import queries_of
from tests.toyhost.models import Book, Reader

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": str(tmp_path), "OVERLAY_SECONDS": 0}
    return tmp_path


@pytest.fixture
def books(root):
    found = colours.add_books()
    colours.publish(found, "content_based", "als", "two_tower", "ensemble", "popular")
    return found


def routed(engine, reader, limit=13):
    with forced_policy("books", Policy("one", ((0, engine),))):
        return recommend(reader, "books", limit)


def reason_of(answer, book):
    return next(result.reason for result in answer.results if result.id == book.pk)


@pytest.mark.parametrize("engine", ["content_based", "als", "two_tower", "ensemble"])
def test_what_the_reader_liked_is_the_reason(books, engine):
    reader = colours.add_reader(colours.RED, books)
    reason = reason_of(routed(engine, reader), books[0])  # the red one that the reader has not met
    assert reason.code == "because_you_liked"
    assert set(reason.evidence) <= {book.pk for book in books[1:6]}
    assert len(reason.evidence) == 2
    first, second = (books[pk.int].title for pk in reason.evidence)
    assert reason.text == f"because you liked {first} and {second}"


def test_nobody_is_told_to_like_what_they_only_viewed(books):
    reader = library.add_reader("idle")
    library.read(reader, books[1], "view")
    assert reason_of(routed("als", reader), books[0]).text == f"because {books[1].title} interested you"
    with translation.override("de"):
        assert reason_of(routed("als", reader), books[0]).text == f"weil dich {books[1].title} interessiert hat"


@pytest.mark.parametrize("engine", ["content_based", "two_tower"])
def test_without_a_history_the_profile_is_the_reason(books, engine):
    reader = library.add_reader("cold", bio="likes red")
    reason = reason_of(routed(engine, reader), books[0])
    assert (reason.code, reason.evidence) == ("matches_your_profile", ("red",))
    assert reason.text == "matches your profile: red"


def test_a_new_item_is_explained_by_the_words_that_brought_it(books):
    reader = colours.add_reader(colours.RED, books, "likes red")
    new = Book.objects.create(title="red", genre="red")
    assert reason_of(routed("als", reader), new).code in ("because_you_liked", "matches_your_profile")
    assert reason_of(routed("content_based", reader), new).evidence


def test_the_newest_are_new_here():
    library.add_shelves(2)
    answer = recommend(library.add_reader(), "books", 2)
    assert [(result.reason.code, result.reason.text) for result in answer.results] == [("new", "new here")] * 2


def test_what_is_popular_says_so_with_its_category(books):
    answer = routed("popular", library.add_reader("cold"), 3)
    assert {result.reason.text for result in answer.results} <= {"popular in red", "popular in blue"}
    assert {result.reason.code for result in answer.results} == {"popular"}


@pytest.mark.parametrize("gone", ["hidden", "deleted"])
def test_a_book_that_may_not_be_seen_is_not_named(books, gone):
    reader = colours.add_reader(colours.RED, books)
    named = reason_of(routed("als", reader), books[0]).evidence
    for pk in named:
        if gone == "hidden":
            Book.objects.filter(pk=pk).update(is_published=False)
        else:
            Book.objects.filter(pk=pk).delete()
    reason = reason_of(routed("als", reader), books[0])
    assert not set(reason.evidence) & set(named)
    assert reason.evidence, "others are named instead"
    Book.objects.exclude(pk=books[0].pk).update(is_published=False)
    reason = reason_of(routed("als", reader), books[0])
    assert (reason.code, reason.evidence, reason.text) == ("because_you_liked", (), "similar to what you liked")


def test_what_was_finished_may_be_named(books):
    reader = colours.add_reader(colours.RED, books)
    for book in books[1:6]:
        library.read(reader, book, "finish")
    reason = reason_of(routed("als", reader), books[0])
    assert len(reason.evidence) == 2


def test_an_item_is_no_reason_for_itself(books):
    reader = library.add_reader("one", (books[1],))
    for engine in ("als", "content_based", "two_tower"):
        reason = reason_of(routed(engine, reader), books[1])
        assert reason is None or books[1].pk not in reason.evidence


def test_reasons_cost_no_query_of_their_own(books, settings):
    reader, cold = colours.add_reader(colours.RED, books), library.add_reader("cold")
    counts = {}
    for explanations in (False, True):
        settings.RECOMMENDER = {**settings.RECOMMENDER, "EXPLANATIONS": explanations, "RELOAD_SECONDS": 3600}
        for engine, who in (("als", reader), ("popular", cold)):
            routed(engine, who, 3)
            counts[explanations, engine] = len(queries_of(lambda who=who, engine=engine: routed(engine, who, 3)))
    assert counts[True, "als"] == counts[False, "als"], "what the reader liked is read with the proposals"
    assert counts[True, "popular"] == counts[False, "popular"]


def test_switched_off_there_are_none(books, settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "EXPLANATIONS": False}
    assert {result.reason for result in routed("als", colours.add_reader(colours.RED, books)).results} == {None}


def test_an_engine_that_cannot_explain_leaves_results_without_a_reason():
    books = library.add_shelves(2)
    with override_engine("books", FixedEngine([book.pk for book in books])):
        answer = recommend(library.add_reader(), "books", 2)
    assert {result.reason for result in answer.results} == {None}


def test_a_failing_explanation_costs_the_reason_and_nothing_else(books, monkeypatch, caplog):
    reader = colours.add_reader(colours.RED, books)
    before = [result.id for result in routed("als", reader).results]
    engine = live.current("books").artifacts["als"].engine
    monkeypatch.setattr(type(engine), "explain", lambda *_: 1 / 0)
    answer = routed("als", reader)
    assert [result.id for result in answer.results] == before
    assert {result.reason for result in answer.results} == {None}
    assert "unexplained" in caplog.text


def test_the_api_gives_reasons(books):
    reader = colours.add_reader(colours.RED, books)
    client = Client()
    client.force_login(reader.account)
    with forced_policy("books", Policy("one", ((0, "als"),))):
        results = client.get("/api/recommendations/books/", {"limit": 2}).json()["results"]
    reason = results[0]["reason"]
    assert reason["code"] == "because_you_liked"
    assert all(isinstance(one, str) for one in reason["evidence"])
    assert reason["text"].startswith("because you liked")


def test_a_skill_is_named_as_the_profile_writes_it():
    profile = Features(["loves python"], [("skills__name=Machine Learning", "skills__name=Django", "town=Rome")])
    said = as_said(["learning", "machine", "town=Rome", "python", "skills__name=Django"], profile)
    assert said == [
        Said("skills__name", "Machine Learning"),
        Said("town", "Rome"),
        Said("skills__name", "Django"),
    ]
    assert as_said(["python", "loves"], profile) == [Said("", "python"), Said("", "loves")]


def test_a_field_is_named_where_all_words_come_from_it():
    assert field_name(Reader, ["bio", "bio"]) == "bio"
    assert field_name(Reader, ["account__username"]) == "account"
    assert field_name(Reader, ["bio", "name"]) == field_name(Reader, [""]) == field_name(Reader, []) == ""


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (because_of_items([1], ["A"]), "because you liked A"),
        (because_of_items([1, 2, 3], ["A", "B", "C"]), "because you liked A and B"),
        (because_of_items([], []), "similar to what you liked"),
        (because_of_items([1], ["100% %(item)s"]), "because you liked 100% %(item)s"),
        (because_of_words(["python", "django"], "skills"), "matches your skills: python, django"),
        (because_of_words(["python"]), "matches your profile: python"),
        (because_popular(), "popular"),
        (because_popular("fintech"), "popular in fintech"),
        (because_trending(7.0), "popular this week"),
        (because_trending(7.0, "fintech"), "popular in fintech this week"),
        (because_trending(1.0), "popular today"),
        (because_trending(30.0, "fintech"), "popular in fintech in the last 30 days"),
    ],
)
def test_texts(reason, text):
    assert reason.text == text


def test_texts_are_translated():
    with translation.override("de"):
        assert because_of_items([1, 2], ["A", "B"]).text == "weil dir A und B gefallen haben"
        assert because_trending(30.0).text == "beliebt in den letzten 30 Tagen"
