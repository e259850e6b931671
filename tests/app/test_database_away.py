"""What goes on for long outlives a database that is away for a moment."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.core.management import CommandError, call_command
from django.db import InterfaceError, OperationalError

from recommender_app.management.commands import recommender_sync, recommender_work
from recommender_app.models import TrainingRun
from recommender_app.training import heartbeat

pytestmark = pytest.mark.django_db


def away_once(calls: list[int]) -> Any:
    """Return a function that the database refuses once; then somebody stops the process."""

    def look(*_: Any) -> list[str]:
        calls.append(1)
        if len(calls) == 1:
            raise OperationalError("server closed the connection unexpectedly")
        raise KeyboardInterrupt

    return look


def test_the_worker_goes_on_after_a_round_that_the_database_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    monkeypatch.setattr(recommender_work, "look_after_runs", away_once(calls))
    with pytest.raises(CommandError, match="Interrupted"):
        call_command("recommender_work", "--poll", "0.01", verbosity=0)
    assert len(calls) == 2


def test_the_synchroniser_goes_on_after_a_round_that_the_database_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    monkeypatch.setattr(recommender_sync, "sync_artifacts", away_once(calls))
    with pytest.raises(CommandError, match="Interrupted"):
        call_command("recommender_sync", "--poll", "0.01")
    assert len(calls) == 2


@pytest.mark.parametrize("command", ["recommender_work", "recommender_sync"])
@pytest.mark.parametrize("poll", ["inf", "nan", "0"])
def test_a_pause_is_a_finite_number_above_0(command: str, poll: str) -> None:
    with pytest.raises(CommandError, match="--poll must be a number"):
        call_command(command, "--poll", poll)


def test_a_lost_connection_ends_no_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    beats: list[int] = []
    second = threading.Event()

    def renew(_: TrainingRun) -> None:
        beats.append(1)
        if len(beats) == 1:
            raise InterfaceError("connection already closed")
        second.set()

    monkeypatch.setattr(heartbeat, "renew_lease", renew)
    with heartbeat.beating(cast(TrainingRun, SimpleNamespace(pk=1)), every_seconds=0.01):
        assert second.wait(30)
