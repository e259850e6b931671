"""The metrics that experiments are judged by: ratios of user totals, and which way is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LATENCY = "latency"
Direction = Literal[1, -1]


@dataclass(frozen=True)
class Metric:
    """A ratio of two totals of each user.

    Attributes:
        key: for ``Experiment.primary_metric``, ``secondary_metrics`` and ``guardrails``.
        y, x: fields of ``RollUp``; "opinions" = likes and dislikes, "slow" = answers slower than
            95 % of control's.
        direction: 1 = more is better, -1 = less is better.
        label: for people.
        may_decide: whether it may be the primary metric.
        is_share: whether it is a part of a whole, which people read in per cent.
        margin: what a guardrail may lose, relative to control, unless the experiment says otherwise.
    """

    key: str
    y: str
    x: str
    direction: Direction
    label: str
    may_decide: bool = True
    margin: float = 0.05
    is_share: bool = True


METRICS: dict[str, Metric] = {
    metric.key: metric
    for metric in (
        Metric("ctr", "clicks", "impressions", 1, "click-through rate"),
        Metric("conversion", "conversions", "impressions", 1, "conversion rate"),
        Metric("satisfaction", "likes", "opinions", 1, "likes among likes and dislikes"),
        Metric("rating", "ratings_sum", "ratings", 1, "mean rating", is_share=False),
        # A better list may make visits shorter: never alone.
        Metric(
            "session_seconds", "session_seconds", "sessions", 1, "seconds per visit", may_decide=False, is_share=False
        ),
        Metric("fallback_rate", "fallbacks", "requests", -1, "answers by another engine", may_decide=False, margin=0.5),
        Metric("dislike_rate", "dislikes", "impressions", -1, "dislikes per impression", may_decide=False, margin=0.2),
        Metric(
            "diversity",
            "diversity_sum",
            "diversities",
            1,
            "diversity of the lists",
            may_decide=False,
            margin=0.1,
            is_share=False,
        ),
        Metric(LATENCY, "slow", "requests", -1, "answers slower than control's p95", may_decide=False, margin=0.5),
    )
}
DECIDING = tuple(key for key, metric in METRICS.items() if metric.may_decide)
