"""Whatever fails about an experiment costs the arm and not the answer: the policy in force serves."""

import json

import pytest
from django.db import OperationalError, connection

from recommender_app.experiments import running
from recommender_app.models import Arm, Assignment, Phase
from recommender_app.serving import arms, service
from recommender_app.serving.database import savepoint
from recommender_app.serving.health import health
from recommender_app.serving.service import recommend
from tests.app import library
from tests.experiments.making import make_phase, readers
from tests.experiments.served import ALS, POPULAR, logged, reader_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("nonsense", [{"routes": 7}, {"no_such_field": 1}, {"routes": [[0, "no_engine"]]}, ["als"], 3])
def test_an_arm_whose_policy_makes_no_sense_serves_the_policy_in_force_and_stays_an_arm(books, nonsense, caplog):
    phase = make_phase({"control": {}, "b": {}})
    with connection.cursor() as cursor:  # by hand, past every guard
        cursor.execute(
            f"UPDATE {Arm._meta.db_table} SET policy = %s WHERE {connection.ops.quote_name('key')} = 'b'",
            [json.dumps(nonsense)],
        )
    reader = reader_in(phase, "b", books)
    answers = [recommend(reader, "books", 2) for _ in range(3)]
    assert {(answer.engine, answer.arm) for answer in answers} == {("als", "b")}
    assert caplog.text.count("makes no sense") == 1


def away(execute, sql, params, many, context):
    """Stand for a database in which the table of the assignments cannot be read."""
    if Assignment._meta.db_table in sql:
        sql = sql.replace(Assignment._meta.db_table, "no_such_table")
    return execute(sql, params, many, context)


def test_where_the_database_fails_the_policy_in_force_serves_and_it_is_counted_and_said_once(books, caplog):
    phase = make_phase({"control": {}, "b": POPULAR})
    reader = reader_in(phase, "b", books)
    before = arms.n_failed()
    with connection.execute_wrapper(away):
        answers = [recommend(reader, "books", 2) for _ in range(3)]
    assert {(answer.engine, answer.arm, len(answer.results)) for answer in answers} == {("als", "", 2)}
    assert arms.n_failed() - before == 3
    state = health()
    assert state["n_requests_without_arm"] == arms.n_failed()
    assert "books, experiments: nobody can be assigned, the policy in force serves" in state["problems"]
    assert caplog.text.count("cannot be assigned to experiments") == 1
    assert logged() == [(None, None, None)] * 3
    assert recommend(reader, "books", 2).arm == "b"
    assert "experiments" not in " ".join(health()["problems"])
    with connection.execute_wrapper(away):
        recommend(reader, "books", 2)
    assert caplog.text.count("cannot be assigned to experiments") == 2


def test_an_answer_that_fails_after_the_assignment_is_logged_with_its_arm(books, monkeypatch):
    reader = reader_in(make_phase({"control": {}, "b": POPULAR}), "b", books)

    def is_away(*args, **kwargs):
        raise OperationalError("the database went away")

    monkeypatch.setattr(service, "answered", is_away)
    answer = recommend(reader, "books", 2)
    assert answer.fallback_reason == "database_unavailable"
    assert (answer.experiment, answer.phase, answer.arm) == ("e", 1, "b")


def test_who_could_not_be_asked_for_since_the_history_failed_is_counted_where_something_runs(books, monkeypatch):
    def is_away(*args, **kwargs):
        raise OperationalError("the database went away")

    reader = library.add_reader("ann", likes=(books[0],))
    monkeypatch.setattr(service, "history_of_user", is_away)
    before = arms.n_failed()
    assert recommend(reader, "books", 2).fallback_reason == "database_unavailable"
    assert arms.n_failed() == before
    make_phase({"control": {}, "b": POPULAR})
    running.running_phases("books")  # an earlier request had them read
    assert recommend(reader, "books", 2).arm == ""
    assert recommend(reader, "books", 2, in_experiments=False).arm == ""
    assert arms.n_failed() - before == 1


def test_a_hook_of_the_host_that_fails_costs_the_arm_and_not_the_answer(books, monkeypatch):
    from tests.toyhost.recommendations import BooksForReaders

    def fails(self, user):
        raise RuntimeError("a mistake of the host's")

    phase = make_phase({"control": {}, "b": POPULAR}, eligibility={"roles": ["developer"]})
    monkeypatch.setattr(BooksForReaders, "unit_facts", fails)
    answer = recommend(reader_in(phase, "b", books), "books", 2)
    assert (answer.engine, answer.arm, len(answer.results)) == ("als", "", 2)


def test_what_runs_goes_on_where_it_cannot_be_read_again(books, settings, caplog):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "RELOAD_SECONDS": 0}
    phase = make_phase({"control": {}, "b": POPULAR})
    reader = reader_in(phase, "b", books)
    assert recommend(reader, "books", 2).arm == "b"

    def unreadable(execute, sql, params, many, context):
        return execute(sql.replace(Phase._meta.db_table, "no_such_table"), params, many, context)

    with connection.execute_wrapper(unreadable):
        assert [recommend(reader, "books", 2).arm for _ in range(2)] == ["b", "b"]
    assert caplog.text.count("cannot be read") == 1


def test_row_65_an_experiment_that_is_deleted_while_requests_come_costs_nothing_but_the_arm(books, caplog):
    phase = make_phase({"control": {}, "b": POPULAR})
    known, new = (next(readers(phase, "b", likes=(books[0],))) for _ in range(2))
    assert recommend(known, "books", 2).arm == "b"
    by_hand("assignment", "arm", "phase")  # this process still holds that it runs
    for reader in (known, new):
        with savepoint(Assignment):
            answer = recommend(reader, "books", 2)
        assert len(answer.results) == 2
    by_hand("assignment")  # rows that would name what is gone
    running.forget()
    assert [recommend(reader, "books", 2).engine for reader in (known, new)] == ["als", "als"]


def by_hand(*names):
    """Delete all rows of tables, past every guard."""
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute(f"DELETE FROM recommender_app_{name}")


@pytest.mark.parametrize("weights", [0, 1])
def test_row_65_arms_whose_weights_do_not_make_a_whole_enrol_nobody_beyond_them(books, weights):
    phase = make_phase({"control": {}, "b": POPULAR})
    reader = reader_in(phase, "b", books)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA ignore_check_constraints = 1" if connection.vendor == "sqlite" else "SELECT 1")
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE recommender_app_arm DROP CONSTRAINT recommender_arm_weight")
        cursor.execute("UPDATE recommender_app_arm SET weight_bp = %s", [weights])
    running.forget()
    answer = recommend(reader, "books", 2)
    assert (answer.engine, answer.arm, len(answer.results)) == ("als", "", 2)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA ignore_check_constraints = 0" if connection.vendor == "sqlite" else "SELECT 1")


def test_row_65_an_arm_whose_engine_is_switched_off_meanwhile_stays_an_arm_and_says_why(books, settings):
    phase = make_phase({"control": POPULAR, "b": ALS})
    reader = reader_in(phase, "b", books)
    assert recommend(reader, "books", 2).engine == "als"
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ENABLE_ALS": False}
    answer = recommend(reader, "books", 2)
    assert (answer.arm, answer.engine, answer.fallback_reason) == ("b", "popular", "switched_off")
    assert logged("engine", "fallback_reason")[-1] == ("e", 1, "b", "popular", "switched_off")
