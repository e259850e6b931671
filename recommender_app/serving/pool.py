"""The candidate items of one request that may be shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

RULE, EXPLORATION = "rule", "exploration"  # sources of candidates that no engine proposed: they got a place otherwise
PLACED = frozenset({RULE, EXPLORATION})

Proposals = list[tuple[Any, float]]  # (external id, score), best first


@dataclass(frozen=True)
class Candidate:
    """An item that may be shown, and who proposed it.

    Attributes:
        id: external id, in the host's own type.
        score: finite; comparable only among candidates of one source; 0.0 for the newest items.
        source: engine key, "newest", or one of PLACED.
        item: the host's model instance.
        is_overlay: the item was laid over the engine's own: it is newer than the artifact.
        propensity: probability with which it was placed where it is; None = certain.
    """

    id: Any
    score: float
    source: str
    item: Any
    is_overlay: bool = False
    propensity: float | None = None


@dataclass
class Pool:
    """Unique eligible candidates in the order in which they were proposed.

    Attributes:
        wanted: how many are needed; there may be more, whatever the database let through.
        candidates: engines in the order of the chain, each one's candidates by score.
        judged: external ids that the database has already decided on.
        failures: {engine: fallback reason} of engines that were asked, or would have been, and gave nothing.
        engine_ms: {engine: milliseconds} spent in each engine.
        ahead: {engine: proposals beyond those that the database was asked about}, for later pages.
    """

    wanted: int
    candidates: list[Candidate] = field(default_factory=list)
    judged: dict[Any, None] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    engine_ms: dict[str, float] = field(default_factory=dict)
    ahead: dict[str, Proposals] = field(default_factory=dict)

    @property
    def n_missing(self) -> int:
        """How many candidates are still needed."""
        return max(self.wanted - len(self.candidates), 0)

    def unjudged(self, proposals: Proposals) -> Proposals:
        """Return the proposals that the database has not been asked about."""
        return [(item_id, score) for item_id, score in proposals if item_id not in self.judged]

    def take(
        self, source: str, proposals: Proposals, eligible: Mapping[Any, Any], overlaid: Iterable[Any] = ()
    ) -> None:
        """Add those ``proposals`` that are in ``eligible`` ({id: item}); all of them are judged now."""
        laid_over = set(overlaid)
        self.judged.update(dict.fromkeys(item_id for item_id, _ in proposals))
        self.candidates.extend(
            Candidate(item_id, score, source, eligible[item_id], is_overlay=item_id in laid_over)
            for item_id, score in proposals
            if item_id in eligible
        )

    def add_unscored(self, source: str, items: Iterable[Any]) -> None:
        """Add eligible items that no engine scored."""
        self.candidates.extend(Candidate(item.pk, 0.0, source, item) for item in items)

    def spend(self, engine: str, milliseconds: float) -> None:
        """Note the time an engine took."""
        self.engine_ms[engine] = round(self.engine_ms.get(engine, 0.0) + milliseconds, 3)
