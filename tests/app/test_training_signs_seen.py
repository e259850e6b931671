"""Only training workers count as signs of life of training workers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from recommender_app.models import TrainingRun
from recommender_app.registry.runs import LEASE_EXPIRED, finish_run, start_run
from recommender_app.registry.training_signs import training_signs

pytestmark = pytest.mark.django_db


def leave_waiting() -> None:
    long_ago = timezone.now() - timedelta(days=1)
    TrainingRun.objects.create(use_case="books", engine="als", status="requested", requested_at=long_ago)


def test_a_training_at_the_keyboard_is_no_worker() -> None:
    leave_waiting()
    finish_run(start_run("books", "popular", config={}, seed=0, requested_by="command"), "succeeded")
    signs = training_signs()
    assert signs.last_seen_at is None
    assert "was ever seen" in signs.problems[0]


def test_the_end_that_the_watchdog_gives_a_dead_run_is_no_sign_of_life() -> None:
    leave_waiting()
    long_ago, now = timezone.now() - timedelta(days=1), timezone.now()
    TrainingRun.objects.create(
        use_case="books",
        engine="popular",
        status="failed",
        reason=LEASE_EXPIRED,
        requested_at=long_ago,
        started_at=long_ago,
        finished_at=now,
    )
    assert training_signs().last_seen_at == long_ago
