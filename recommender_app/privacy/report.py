"""What was removed, what will be and when, and what stays; it names no id."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

REMOVED, LATER, KEPT = "removed", "later", "kept"


@dataclass(frozen=True)
class Line:
    """One kind of data.

    Attributes:
        what: what it is, such as "request log".
        where: use case, table or folder; "" = everywhere.
        outcome: REMOVED, LATER or KEPT.
        n: how many rows, files or folders.
        due: until when at the latest, of LATER; None where it depends on the host.
        note: why.
    """

    what: str
    where: str
    outcome: str
    n: int
    due: datetime | None = None
    note: str = ""


@dataclass
class Report:
    """What came of a request to be forgotten.

    Attributes:
        user_model, reference: the tombstone's; "" in a dry run.
        is_dry_run: nothing was changed; lines say what would be.
    """

    user_model: str
    use_cases: list[str]
    is_dry_run: bool = False
    reference: str = ""
    forgotten_at: datetime | None = None
    lines: list[Line] = field(default_factory=list)

    def add(self, what: str, where: str, outcome: str, n: int, *, due: datetime | None = None, note: str = "") -> None:
        """Add a line."""
        self.lines.append(Line(what, where, outcome, n, due, note))

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON types."""
        lines = [{**asdict(line), "due": line.due and line.due.isoformat()} for line in self.lines]
        moment = self.forgotten_at and self.forgotten_at.isoformat()
        return {**asdict(self), "forgotten_at": moment, "lines": lines}
