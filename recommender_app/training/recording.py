"""However a run ends, its row says so."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from recommender_app.exceptions import NotEnoughData, RecommenderError
from recommender_app.models import TrainingRun
from recommender_app.registry.runs import finish_run, give_back_run
from recommender_app.registry.versions import version_of_run
from recommender_app.training.heartbeat import beating

STOPS = (SystemExit, KeyboardInterrupt)
STOPPED = "Its process was told to stop."
PUBLISHED = "It ended early, after its version was published:"


class RecordedRun:
    """Keeps a run's lease during a block, and ends it as SKIPPED or FAILED if the block raises anything.

    Interrupts and mistakes of ours are recorded as well, and left to the caller like every error.
    A requested run whose process is told to stop goes back to those who wait for a worker, and so
    does one that has published its version already: whoever claims it has only to promote that.
    One that nobody asked a worker for has done its work by then: its version stays what it is.

    Args:
        is_companion: it is carried out because another one was; what ends that one early is not its fault.
    """

    def __init__(self, run: TrainingRun, *, is_companion: bool = False) -> None:
        self.run, self.is_companion = run, is_companion
        self._lease = ExitStack()

    def __enter__(self) -> Self:
        self._lease.enter_context(beating(self.run))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._lease.close()
        if error is None:
            return
        if self._waits_again(error):
            is_stopped = isinstance(error, STOPS)
            give_back_run(self.run, STOPPED if is_stopped else _ending(error)[1], rests=not is_stopped)
        elif version_of_run(self.run) is not None:
            finish_run(self.run, TrainingRun.Status.SUCCEEDED, f"{PUBLISHED} {_ending(error)[1]}")
        else:
            finish_run(self.run, *_ending(error))

    def _waits_again(self, error: BaseException) -> bool:
        if self.run.requested_at is None:
            return False
        return self.is_companion or isinstance(error, STOPS) or version_of_run(self.run) is not None


def _ending(error: BaseException) -> tuple[str, str]:
    """Return status and reason."""
    if isinstance(error, NotEnoughData):
        return TrainingRun.Status.SKIPPED, str(error)
    if isinstance(error, RecommenderError):
        return TrainingRun.Status.FAILED, str(error)
    return TrainingRun.Status.FAILED, f"{type(error).__name__}: {error}".removesuffix(": ")
