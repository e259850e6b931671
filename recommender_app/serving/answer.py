"""What ``recommend`` returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from recommender_app.serving.pool import PLACED
from recommender_app.serving.reasons import Reason

NO_ENGINE = "none"


@dataclass(frozen=True)
class Result:
    """One place of the slate.

    Attributes:
        rank: 1-based.
        id: the item's external id, in the host's own type.
        score: finite; higher is better; comparable only among results of the same source. 0.0
            for the newest items, which nobody scored.
        source: engine key that proposed it, or "newest".
        item: the host's model instance.
        propensity: probability with which it was placed here; None = certain.
        reason: why it is here; None where nothing is known.
    """

    rank: int
    id: Any
    score: float
    source: str
    item: Any
    propensity: float | None = None
    reason: Reason | None = None


@dataclass(frozen=True)
class Answer:
    """One answered request; the request log holds the same values.

    Attributes:
        request_id: new for each answer.
        use_case, user_id: key, and the user's external id as text.
        limit: how many were asked for.
        engine: the source of the first result that no rule or exploration placed; "newest" or "none"
            where no engine answered.
        model_version: its version (``als_v3``), "" where no engine answered.
        release: number of the live release, None where there is none.
        fallback_reason: "" if every result comes from the routed engine, else a code of ``router``.
        interaction_count: the number that routed.
        policy: name of the policy that routed.
        results: unique items, best first, at most ``limit``.
        latency_ms: from the call to the slate, without the writing of the log.
        engine_ms: {engine: milliseconds} of every engine that was asked.
        slate: request id of the first page, on later pages only.
        candidate_source: "similar" for items similar to one, "" for recommendations.
        diversity: of the list, 0..1, see ``variety``; None = unknown.
        next_cursor: where the next page goes on; "" where there is none, or none was asked for.
        experiment, phase, arm: the arm that the user is in, whichever engine served; "", None, "" = in none.
    """

    request_id: UUID
    use_case: str
    user_id: str
    limit: int
    engine: str = NO_ENGINE
    model_version: str = ""
    release: int | None = None
    fallback_reason: str = ""
    interaction_count: int = 0
    policy: str = ""
    results: tuple[Result, ...] = ()
    latency_ms: float = 0.0
    engine_ms: Mapping[str, float] = field(default_factory=dict)
    slate: UUID | None = None
    next_cursor: str = ""
    candidate_source: str = ""
    diversity: float | None = None
    experiment: str = ""
    phase: int | None = None
    arm: str = ""


def engine_of(results: Sequence[Result]) -> str:
    """Return who answered: the first source that is an engine or the newest items; a rule's only where all are."""
    sources = [result.source for result in results]
    return next((source for source in sources if source not in PLACED), sources[0] if sources else NO_ENGINE)
