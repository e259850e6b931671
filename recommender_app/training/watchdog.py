"""Looks after trainings: what died, what is due, what nobody was told of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from recommender_app.models import TrainingRun
from recommender_app.registry.runs import rescue_expired_runs
from recommender_app.training.requested import request_due_runs, send_runs


@dataclass(frozen=True)
class Rounds:
    """What one round did: runs taken from dead processes, newly asked for, and sent to workers."""

    n_rescued: int
    n_requested: int
    n_sent: int = 0

    def __str__(self) -> str:
        return f"{self.n_rescued} rescued, {self.n_requested} due, {self.n_sent} sent"


def look_after_runs(send: Callable[[TrainingRun], None] | None = None) -> Rounds:
    """Rescue what died, ask for what is due, and send what waits; cheap, to be called every minute.

    Args:
        send: brings a run to a worker; None where this process does the work itself.
    """
    n_rescued, n_requested = rescue_expired_runs(), request_due_runs()
    return Rounds(n_rescued, n_requested, send_runs(send) if send else 0)
