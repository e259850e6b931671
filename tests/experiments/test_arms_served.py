"""A request of an eligible user gets an arm, the arm's policy serves it, and its row in the log says so."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recommender_app.experiments import running
from recommender_app.models import Arm, Assignment, Experiment, Phase
from recommender_app.serving import arms, live, policies
from recommender_app.serving.batch import begin_batch, lists_of
from recommender_app.serving.service import recommend
from recommender_app.serving.spool.draining import drain
from recommender_app.testing import FixedEngine
from recommender_app.usecases.site import get_use_case
from tests.app import library
from tests.experiments.making import make_phase
from tests.experiments.served import ALS, POPULAR, logged, reader_in

pytestmark = pytest.mark.django_db


def test_the_arm_serves_and_is_in_the_row_of_the_answer(books):
    phase = make_phase({"control": {}, "b": POPULAR})
    control, treated = reader_in(phase, "control", books), reader_in(phase, "b", books)
    for reader in (control, treated, treated):
        recommend(reader, "books", 2)
    assert logged("engine", "policy") == [
        ("e", 1, "control", "als", "default"),
        ("e", 1, "b", "popular", "arm"),
        ("e", 1, "b", "popular", "arm"),
    ]
    stored = dict(Assignment.objects.values_list("unit_id", "arm__key"))
    assert stored == {str(control.pk): "control", str(treated.pk): "b"}


def test_the_row_from_the_spool_names_the_arm_too(books, settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "LOG_WRITER": "spool"}
    phase = make_phase({"control": {}, "b": POPULAR})
    recommend(reader_in(phase, "b", books), "books", 2)
    assert logged() == []
    drain()
    assert logged("engine") == [("e", 1, "b", "popular")]


def test_who_is_not_enrolled_is_served_by_the_policy_in_force(books):
    phase = make_phase({"control": {}, "b": POPULAR}, enrol_bp=0)
    answer = recommend(reader_in(phase, "b", books), "books", 2)
    assert (answer.engine, answer.arm) == ("als", "")
    assert logged("engine", "policy") == [(None, None, None, "als", "default")]
    assert Assignment.objects.count() == 0


def test_where_nothing_runs_no_query_is_added(books):
    reader = library.add_reader(likes=(books[0],))
    recommend(reader, "books", 2)
    with CaptureQueriesContext(connection) as found:
        recommend(reader, "books", 2)
    tables = (Assignment._meta.db_table, Experiment._meta.db_table, Phase._meta.db_table, Arm._meta.db_table)
    assert not [each["sql"] for each in found.captured_queries if any(table in each["sql"] for table in tables)]


def test_digests_enrol_nobody_and_are_made_by_the_policy_in_force(books):
    phase = make_phase({"control": {}, "b": POPULAR})
    people = [reader_in(phase, arm, books) for arm in ("control", "b")]
    answers = [answer for _, answer in lists_of(begin_batch(get_use_case("books"), 2), people)]
    assert [(answer.engine, answer.arm) for answer in answers] == [("als", "")] * 2
    assert Assignment.objects.count() == 0


def test_eligibility_counts_what_the_user_has_done_until_now(books):
    phase = make_phase({"control": {}, "b": {}}, eligibility={"min_interactions": 2})
    reader = reader_in(phase, "b", books)
    assert recommend(reader, "books", 2).arm == ""
    library.read(reader, books[1], "like")
    assert recommend(reader, "books", 2).arm == "b"
    assert Assignment.objects.get().eligibility == {"interaction_count": 2}


def test_an_arm_has_the_last_word_and_leaves_the_rest_as_it_is(settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ENABLE_ALS": False}
    phase = make_phase({"control": {}, "b": {**ALS, "disabled": ["popular"], "diversity": 0.3}})
    found = running.running_phases("books")[0]
    policy = arms.policy_of("books", arms.arm_named("books", "e", phase.number, "b"))
    assert policy.routes == ((0, "als"),)
    assert policy.disabled == {"als", "popular"}
    assert (policy.origins["routes"], policy.origins["switch:popular"], policy.diversity) == ("arm", "arm", 0.3)
    assert [arm.key for arm in found.arms] == ["control", "b"]
    control = arms.arm_named("books", "e", phase.number, "control")
    assert arms.policy_of("books", control) == policies.policy_for("books")


def test_a_stopped_phase_serves_nobodys_arm(books, settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "RELOAD_SECONDS": 0}
    phase = make_phase({"control": {}, "b": POPULAR})
    reader = reader_in(phase, "b", books)
    assert recommend(reader, "books", 2).engine == "popular"
    phase.ended_at = phase.started_at
    phase.save()
    assert (recommend(reader, "books", 2).engine, recommend(reader, "books", 2).arm) == ("als", "")


class FailingAls(FixedEngine):
    """ALS that fails whenever it is told to."""

    key = "als"
    is_down = False

    def score(self, batch, items=None):
        """Fail, or propose."""
        if FailingAls.is_down:
            raise RuntimeError("ALS was told to fail.")
        return super().score(batch, items)


def test_requirement_6_the_assigned_arm_is_logged_whoever_served(books, monkeypatch, settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "BREAKER_FAILURES": 1000}
    phase = make_phase({"control": POPULAR, "a": ALS})
    release = live.current("books")
    engine = FailingAls([book.pk for book in books])
    opened = release.artifacts["als"]
    monkeypatch.setattr(type(opened.engine), "score", lambda self, batch, items=None: engine.score(batch, items))
    monkeypatch.setattr(type(opened.engine), "candidates", lambda self, *args: engine.candidates(*args))
    treated, control = reader_in(phase, "a", books), reader_in(phase, "control", books)
    for number in range(10):
        monkeypatch.setattr(FailingAls, "is_down", number % 10 < 3)
        recommend(treated, "books", 2)
        recommend(control, "books", 2)
    rows = logged("engine", "fallback_reason", "policy")
    assert [row for row in rows if row[2] == "control"] == [("e", 1, "control", "popular", "", "arm")] * 10
    assert sorted(row for row in rows if row[2] == "a") == sorted(
        [("e", 1, "a", "popular", "engine_failed", "arm")] * 3 + [("e", 1, "a", "als", "", "arm")] * 7
    )


def test_later_pages_keep_the_arm_of_the_first_even_where_it_has_ended(books):
    phase = make_phase({"control": {}, "b": POPULAR})
    reader = reader_in(phase, "b", books)
    first = recommend(reader, "books", 2, cursor="first")
    second = recommend(reader, "books", 2, cursor=first.next_cursor)
    phase.ended_at = phase.started_at
    phase.save()
    running.forget()
    third = recommend(reader, "books", 2, cursor=second.next_cursor)
    assert logged("engine", "policy") == [("e", 1, "b", "popular", "arm")] * 3
    shown = [title for answer in (first, second, third) for title in library.titles(answer.results)]
    assert shown == [f"tea-{number}" for number in range(6)]


def test_a_later_page_of_who_was_in_none_enrols_nobody(books):
    reader = library.add_reader(likes=(books[0],))
    first = recommend(reader, "books", 2, cursor="first")
    make_phase()
    recommend(reader, "books", 2, cursor=first.next_cursor)
    assert logged() == [(None, None, None)] * 2
    assert Assignment.objects.count() == 0


def test_the_slate_cache_holds_a_slate_for_each_policy_of_a_user(books, settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "SLATE_CACHE_SECONDS": 60}
    reader = library.add_reader(likes=(books[0],))
    assert [recommend(reader, "books", 2).engine for _ in range(2)] == ["als", "als"]
    phase = make_phase({"control": POPULAR, "b": POPULAR})
    assert [recommend(reader, "books", 2).engine for _ in range(2)] == ["popular", "popular"]
    phase.ended_at = phase.started_at
    phase.save()
    running.forget()
    assert recommend(reader, "books", 2).engine == "als"
