"""What the gate says about a version: one sentence and the numbers per check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

TOO_LITTLE = "Too little data to judge: "


class Outcome(StrEnum):
    """How a check, or the gate as a whole, has ended."""

    PASSED = "passed"
    REJECTED = "rejected"
    UNDECIDED = "undecided"  # too little data to judge
    SKIPPED = "skipped"  # there is nothing to compare with; a check only


@dataclass(frozen=True)
class Check:
    """One question and its answer.

    Attributes:
        name: what was asked, such as ``quality against the live version``.
        sentence: the answer for people.
        numbers: what it rests on, JSON values.
    """

    name: str
    outcome: Outcome
    sentence: str
    numbers: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"name": self.name, "outcome": str(self.outcome), "sentence": self.sentence, "numbers": self.numbers}


@dataclass(frozen=True)
class Verdict:
    """All checks of one version.

    Attributes:
        compared_with: name of the engine's live version, "" if there was none.
        dataset: what the next gate compares its dataset with, see ``gate_data.DataProfile``.
    """

    checks: tuple[Check, ...]
    compared_with: str = ""
    dataset: dict[str, Any] = field(default_factory=dict)

    @property
    def outcome(self) -> Outcome:
        """Rejected if a check failed; undecided if one could not decide and something is live that may stay."""
        found = {check.outcome for check in self.checks}
        if Outcome.REJECTED in found:
            return Outcome.REJECTED
        if Outcome.UNDECIDED in found and self.compared_with:
            return Outcome.UNDECIDED
        return Outcome.PASSED

    @property
    def passed(self) -> bool:
        """Whether the version may go live."""
        return self.outcome == Outcome.PASSED

    @property
    def reason(self) -> str:
        """What decided, in one line."""
        decisive = [check.sentence for check in self.checks if check.outcome == self.outcome]
        notes = [check.sentence for check in self.checks if check.outcome == Outcome.UNDECIDED]
        if self.passed:
            return " ".join(["It passed the gate.", *notes])
        return " ".join(decisive)

    @property
    def not_judged(self) -> str:
        """Why it passed without having been judged; "" if it was."""
        notes = [check.sentence for check in self.checks if check.outcome == Outcome.UNDECIDED]
        return " ".join(note.removeprefix(TOO_LITTLE) for note in notes) if self.passed else ""

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Return a verdict from what is stored with its version."""
        checks = (Check(**{**check, "outcome": Outcome(check["outcome"])}) for check in stored["checks"])
        return cls(tuple(checks), stored["compared_with"], stored["dataset"])

    def to_json(self) -> dict[str, Any]:
        """Return what is stored with the version."""
        return {
            "passed": self.passed,
            "outcome": str(self.outcome),
            "reason": self.reason,
            "compared_with": self.compared_with,
            "checks": [check.to_json() for check in self.checks],
            "dataset": self.dataset,
        }
