"""Trainings by real workers: whatever dies, freezes or comes twice, each training is done once."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack

import pytest

from tests import services
from tests.faults.workers.site import SHORT, WATCHDOG_SECONDS, Site, kill

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.xdist_group("celery_runs")]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with services.running_postgres() as database, services.running_redis() as broker:
        yield Site(tmp_path_factory.mktemp("workers"), database, broker)


def finished(site, hand, run):
    """Let the training go on and return the run once it has succeeded."""
    site.let_go()
    row = site.wait_for_status(hand, run, "succeeded")
    assert len(row["versions"]) == 1
    return row


def test_row_73_a_task_that_an_old_worker_does_not_know_is_sent_again(site, hand, crew, run):
    crew.dismiss()
    with site.worker("--queues", "recommender_training", "--pool", "solo", app="tests.faults.workers.old"):
        site.wait_for_words("unregistered task of type 'recommender.train'")
    assert hand.do("run", run)["status"] == "requested"
    crew.worker()
    assert finished(site, hand, run)["attempts"] == 1


def test_row_24_a_worker_that_is_told_to_stop_gives_its_training_back_at_once(site, hand, crew, run):
    worker = crew.worker()
    site.wait_for_training()
    worker.terminate()
    worker.wait(WATCHDOG_SECONDS)
    row = hand.do("run", run)
    assert (row["status"], row["attempts"], row["reason"]) == ("requested", 1, "Its process was told to stop.")
    crew.worker()
    site.wait_for_training(2)
    assert finished(site, hand, run)["attempts"] == 2


def test_a_training_whose_worker_was_killed_is_done_by_another(site, hand, crew, run):
    worker = crew.worker()
    site.wait_for_training()
    kill(worker)
    before = hand.do("run", run)
    assert (before["status"], before["attempts"]) == ("running", 1)
    crew.worker()
    site.wait_for_training(2)
    row = finished(site, hand, run)
    assert row["attempts"] == 2
    assert row["token"] > before["token"]


def test_row_21_the_same_training_queued_twice_is_done_once(site, hand, crew, run):
    crew.worker()
    assert hand.do("request") == run
    hand.do("send", run, 2)
    site.wait_for_training()
    site.wait_for_words(f"run {run}: skipped")
    assert finished(site, hand, run)["attempts"] == 1


def test_row_22_a_trainer_frozen_past_its_lease_publishes_nothing(site, hand, crew, run):
    crew.worker()
    frozen = site.wait_for_training()
    os.kill(frozen, signal.SIGSTOP)
    try:
        assert site.wait_for_training(2) != frozen
        row = finished(site, hand, run)
    finally:
        os.kill(frozen, signal.SIGCONT)
    site.wait_for_words(f"Run {run} was given up before it ended")
    assert hand.do("run", run) == row


def test_row_19_a_training_that_kills_its_process_every_time_fails_after_three_attempts(site, hand, crew, run):
    crew.worker()
    for n in (1, 2, 3):
        os.kill(site.wait_for_training(n), signal.SIGKILL)
    row = site.wait_for_status(hand, run, "failed")
    assert (row["attempts"], row["reason"]) == (3, "Its process gave no sign of life any more.")
    site.let_go()
    hand.do("send", run)
    site.wait_for_words(f"run {run}: skipped")
    assert hand.do("run", run) == row


def test_row_20_a_training_past_its_soft_limit_fails(site, hand, crew):
    crew.worker()
    for seconds in (1, 15, 60):  # on a busy machine the limit may come before the training, in an import
        row = limited(site, hand, seconds)
        if "SoftTimeLimitExceeded" in row["reason"]:
            break
    assert (row["status"], row["versions"]) == ("failed", [])
    assert "SoftTimeLimitExceeded" in row["reason"]


def limited(site, hand, seconds):
    """Have a training end at a soft limit, wherever it is by then, and return its run."""
    site.hold()
    hand.do("purge")
    run = hand.do("request_and_send", soft_time_limit=seconds)
    site.wait_for_words(f"Soft time limit ({seconds}s) exceeded")
    return site.wait_for(lambda: if_ended(hand.do("run", run)), f"run {run} does not end")


def if_ended(row):
    return row if row["status"] != "running" else None


def test_row_20_a_training_past_its_hard_limit_is_tried_again(site, hand, crew):
    crew.worker()
    site.hold()
    hand.do("purge")
    run = hand.do("request_and_send", time_limit=15)  # on a busy machine it takes some seconds to begin
    site.wait_for_words("Hard time limit (15s) exceeded")
    site.wait_for(lambda: hand.do("run", run)["attempts"] == 2, "nobody tries again")
    assert finished(site, hand, run)["attempts"] == 2


def test_row_44_two_beats_ask_for_one_run_per_slot(site, hand, crew):
    crew.worker()
    site.let_go()
    with ExitStack() as stack:
        for number in (1, 2):
            stack.enter_context(site.beat(number))
            stack.enter_context(site.worker(*SHORT, EVERY="hourly"))
        site.wait_for_words("1 due")
        site.wait_for(lambda: all(status == "succeeded" for _, status in hand.do("slots")), "it is not trained")
        site.wait_for_words("0 due, 0 sent")
    slots = [slot for slot, _ in hand.do("slots")]
    assert slots
    assert len(slots) == len(set(slots))
