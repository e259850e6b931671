"""Requested runs: asked for once per slot, claimed by one, rescued a bounded number of times."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from recommender_app.models import TrainingRun
from recommender_app.registry.queue import mark_sent, unmark_sent, unsent_runs
from recommender_app.registry.runs import (
    MAX_ATTEMPTS,
    claim_run,
    finish_run,
    give_back_run,
    renew_lease,
    request_run,
    requested_runs,
    rescue_expired_runs,
)
from tests.app.registered import start

pytestmark = pytest.mark.django_db
SLOT = "2026-W48"


def ask(engine="popular", slot=""):
    return request_run("books", engine, requested_by="test", slot=slot)


def expire(run):
    TrainingRun.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def succeed(run):
    assert claim_run(run)
    assert finish_run(run, TrainingRun.Status.SUCCEEDED)


def test_a_double_click_asks_once_while_the_run_waits_and_while_it_runs():
    run = ask()
    assert (run.status, run.requested_by, run.attempts) == ("requested", "test", 0)
    assert run.requested_at is not None
    assert ask() == run
    assert claim_run(run)
    assert ask() == run
    finish_run(run, TrainingRun.Status.SUCCEEDED)
    assert ask() not in (run, None)


def test_row_21_a_slot_has_one_run_however_it_ended():
    run = ask(slot=SLOT)
    assert ask(slot=SLOT) == run
    assert claim_run(run)
    finish_run(run, TrainingRun.Status.FAILED, "no")
    assert ask(slot=SLOT) is None
    assert ask(slot="2026-W49") not in (run, None)
    assert ask("trending", SLOT) is not None


def test_the_database_itself_refuses_a_second_run_of_a_slot():
    run = ask(slot=SLOT)
    with pytest.raises(IntegrityError), transaction.atomic():
        TrainingRun.objects.create(use_case="books", engine="popular", slot=SLOT)
    assert requested_runs().get() == run


def test_a_run_is_claimed_once():
    run = ask()
    same = TrainingRun.objects.get(pk=run.pk)
    assert claim_run(run)
    assert (run.status, run.attempts, run.token) == ("running", 1, 1)
    assert run.lease_until > timezone.now()
    assert not claim_run(same)
    assert same.attempts == 1


def test_a_run_waits_while_another_of_its_engine_lives():
    other, run = start(), ask(slot=SLOT)
    assert not claim_run(run)
    assert run.status == "requested"
    finish_run(other, TrainingRun.Status.FAILED)
    assert claim_run(run)
    assert run.token > other.token


def test_row_21_a_request_that_another_run_has_fulfilled_meanwhile_is_skipped():
    scheduled = ask(slot=SLOT)
    clicked = ask(slot="2026-11")
    succeed(clicked)
    assert not claim_run(scheduled)
    assert (scheduled.status, scheduled.finished_at is None) == ("skipped", False)
    assert f"Run {clicked.pk}" in scheduled.reason


def test_a_training_typed_by_somebody_fulfils_no_request():
    run = ask()
    typed = start()
    finish_run(typed, TrainingRun.Status.SUCCEEDED)
    assert claim_run(run)


def test_a_run_whose_process_died_is_asked_for_again_but_not_for_ever():
    run = ask()
    for attempt in range(1, MAX_ATTEMPTS):
        assert claim_run(run)
        expire(run)
        assert rescue_expired_runs() == 1
        run.refresh_from_db()
        assert (run.status, run.attempts, run.lease_until) == ("requested", attempt, None)
    assert claim_run(run)
    expire(run)
    assert rescue_expired_runs() == 1
    run.refresh_from_db()
    assert (run.status, run.reason) == ("failed", "Its process gave no sign of life any more.")
    assert not claim_run(run)
    assert rescue_expired_runs() == 0


def test_only_what_was_asked_for_is_asked_for_again():
    typed = start()
    expire(typed)
    assert rescue_expired_runs() == 1
    typed.refresh_from_db()
    assert typed.status == "failed"


def test_a_run_that_lives_is_left_alone():
    run = ask()
    assert claim_run(run)
    assert rescue_expired_runs() == 0
    assert renew_lease(run)


def test_row_22_whoever_lost_a_run_can_neither_renew_nor_finish_nor_return_it():
    run = ask()
    assert claim_run(run)
    frozen = TrainingRun.objects.get(pk=run.pk)
    expire(run)
    rescue_expired_runs()
    run.refresh_from_db()
    assert claim_run(run)
    assert not renew_lease(frozen)
    assert not give_back_run(frozen, "late")
    assert not finish_run(TrainingRun(pk=run.pk, token=1), TrainingRun.Status.SUCCEEDED)
    run.refresh_from_db()
    assert (run.status, run.token, run.attempts) == ("running", 2, 2)


def test_a_run_that_is_told_to_stop_each_time_fails_in_the_end():
    run = ask()
    for attempt in (1, 2, 3):
        assert claim_run(run)
        assert give_back_run(run, "told to stop")
        assert (run.status, run.attempts) == ("requested" if attempt < 3 else "failed", attempt)


def test_a_message_is_trusted_for_a_while_and_sent_by_one(settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "QUEUE_SECONDS": 60.0}
    run = ask()
    assert list(unsent_runs()) == [run]
    assert mark_sent(run)
    assert not mark_sent(run)
    assert not unsent_runs()
    expire(run)
    assert mark_sent(run)
    unmark_sent(run)
    assert list(unsent_runs()) == [run]
    assert claim_run(run)
    assert not unsent_runs()
    unmark_sent(run)
    assert renew_lease(run)
    run.refresh_from_db()
    assert run.lease_until is not None
