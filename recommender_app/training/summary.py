"""What came of a training of several engines."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from recommender_app.models import Release
from recommender_app.training.run import TrainedModel
from recommender_app.training.verdict import Outcome, Verdict


class Ending(StrEnum):
    """How it went for one engine."""

    PROMOTED = "promoted"
    FORCED = "promoted in spite of the gate"
    PASSED = "passed"  # nobody asked to promote it
    UNDECIDED = "undecided"
    REJECTED = "rejected"
    LEFT_OUT = "left out"  # too little data to learn from
    FAILED = "failed"


ENDINGS = {Outcome.PASSED: Ending.PASSED, Outcome.REJECTED: Ending.REJECTED, Outcome.UNDECIDED: Ending.UNDECIDED}


@dataclass(frozen=True)
class EngineResult:
    """One engine.

    Attributes:
        model: None where there is no new version: it failed, or nothing was to be published.
        verdict: None where it failed before it was judged.
        reason: why it is not live, in one line.
        seconds: wall time.
        tuning: which search its options come from, "" for none.
    """

    engine: str
    ending: Ending
    model: TrainedModel | None = None
    verdict: Verdict | None = None
    reason: str = ""
    seconds: float = 0.0
    tuning: str = ""

    @property
    def told(self) -> str:
        """How it ended, and why; what passed since there was too little to judge says that."""
        if self.reason:
            return f"{self.ending}: {self.reason}"
        note = self.verdict.not_judged if self.verdict else ""
        return f"{self.ending}, not judged: {note}" if note else str(self.ending)


@dataclass(frozen=True)
class Summary:
    """All engines of one use case.

    Attributes:
        release: what went live, None if nothing did.
        dataset_path: what was learned from, None if it could not be exported.
    """

    use_case: str
    results: tuple[EngineResult, ...]
    release: Release | None = None
    dataset_path: Path | None = None

    @property
    def models(self) -> list[TrainedModel]:
        """The new versions."""
        return [result.model for result in self.results if result.model]

    def reasons(self, ending: Ending) -> list[str]:
        """Return one line per engine that ended like this, use case and engine first."""
        return [f"{self.use_case} {each.engine}: {each.reason}" for each in self.results if each.ending == ending]
