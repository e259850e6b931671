"""The runs that one training carries out, from their claim or beginning to their end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any, Self

from recommender_app.exceptions import RegistryError
from recommender_app.models import ModelVersion, TrainingRun
from recommender_app.registry.runs import (
    begin_requested_run,
    finish_run,
    give_back_run,
    record_config,
    renew_lease,
    request_run,
    start_run,
)
from recommender_app.registry.versions import version_of_run
from recommender_app.training.recording import RecordedRun
from recommender_app.training.summary import Ending, EngineResult

Status = TrainingRun.Status
_STATUSES = {Ending.FAILED: Status.FAILED, Ending.LEFT_OUT: Status.SKIPPED}  # all others have succeeded


class ClaimedRuns:
    """Runs by engine: claimed ones, or those that a command begins with each engine; they end together.

    As a context it keeps the leases of what a command has begun until then.
    """

    def __init__(self, use_case_key: str, by: str, runs: Iterable[TrainingRun]) -> None:
        self.use_case, self.by = use_case_key, by
        self._runs = {run.engine: run for run in runs}
        self._begun: dict[str, TrainingRun] = {}
        self._leases = ExitStack()
        self.waiting: set[str] = set()  # engines whose versions could not be tried out or promoted now

    def __enter__(self) -> Self:
        self._leases.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._leases.__exit__(kind, error, traceback)

    @property
    def engines(self) -> list[str]:
        """Whose runs they are."""
        return list(self._runs)

    def run_of(self, engine: str, config: Mapping[str, Any], seed: int) -> TrainingRun:
        """Return the running run that an engine is trained in.

        What a requested training needs besides, the ensemble's new fit, is a requested run as
        well: whoever goes on after a process that died finds it.

        Raises:
            RegistryError: the engine is being trained by somebody else.
        """
        if not self._runs:
            run = start_run(self.use_case, engine, config=config, seed=seed, requested_by=self.by)
            self._begun[engine] = self._leases.enter_context(RecordedRun(run)).run
            return run
        self._begin(engine)
        record_config(self._runs[engine], config, seed)
        return self._runs[engine]

    def left_behind(self, engine: str) -> tuple[TrainingRun, ModelVersion] | None:
        """Return a run whose process died after publishing, and what it has published.

        Raises:
            RegistryError: the engine is being trained by somebody else.
        """
        if self._runs:
            self._begin(engine)  # it may take up a run that waits
        run = self._runs.get(engine)
        version = version_of_run(run) if run is not None and run.attempts > 1 else None
        return (run, version) if run is not None and version is not None and version.gate else None

    def runs_of(self, engines: Iterable[str]) -> list[TrainingRun]:
        """Return the runs of some engines."""
        runs = self._runs | self._begun
        return [runs[engine] for engine in engines if engine in runs]

    def is_lost(self, engine: str) -> bool:
        """Tell whether somebody else has taken the run over; a sign of life where not."""
        return any(not renew_lease(run) for run in self.runs_of([engine]))

    @contextmanager
    def giving_back(self, engine: str, not_now: tuple[type[Exception], ...]) -> Iterator[None]:
        """Have the engine's run given back if the block raises one of these errors."""
        try:
            yield
        except not_now:
            self.waiting.add(engine)
            raise

    def end(self, results: Iterable[EngineResult]) -> None:
        """End every run as its engine has ended; those that were not reached as the last one did.

        What could not be promoted now is given back and rests: whoever claims it next has only to promote it.
        """
        for run in self._begun.values():
            finish_run(run, Status.SUCCEEDED)  # those that failed have ended already
        endings = {result.engine: result for result in results}
        last = next(reversed(endings.values()), None)
        for engine, run in self._runs.items():
            result = endings.get(engine, last)
            if engine in self.waiting and result is not None and result.ending == Ending.FAILED:
                give_back_run(run, result.reason, rests=True)
            elif result is not None:
                status = _STATUSES.get(result.ending, Status.SUCCEEDED)
                finish_run(run, status, "" if status == Status.SUCCEEDED else result.reason)

    def _begin(self, engine: str) -> None:
        if engine in self._runs:
            return
        try:
            self._runs[engine] = begin_requested_run(self.use_case, engine, requested_by=self.by)
        except RegistryError:  # what runs does not know of what is new here
            request_run(self.use_case, engine, requested_by=self.by, is_news=True)
            raise
