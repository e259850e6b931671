"""Questions of quality: challenger, live version and popularity on the same users of the same hold-out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recommender_app.evaluation.compare import Comparison, compare, paired_bootstrap
from recommender_app.evaluation.evaluate import Evaluation
from recommender_app.training.verdict import Check, Outcome

METRIC = "ndcg@10"
POPULARITY = ("popular", "trending")
LIVE, POPULAR, RECALL, COVERAGE = "quality beside the live version", "quality beside popularity", "recall", "coverage"


def check_against_live(both: Evaluation, challenger: str, live: str, seed: int, tolerance: float) -> Check:
    """Reject what is significantly worse than the live version by more than a share of that."""
    return _beside(LIVE, compare(both, live, challenger, METRIC, seed), live, tolerance)


def check_against_popularity(evaluation: Evaluation, challenger: str, seed: int, tolerance: float | None) -> Check:
    """Reject what is significantly worse than the better of all-time and recent popularity, by more than a share."""
    own = {"metric": METRIC, "challenger": round(evaluation.engines[challenger][METRIC], 6)}
    if challenger in POPULARITY:
        return Check(POPULAR, Outcome.SKIPPED, "It is popularity itself.", own)
    if tolerance is None:
        return Check(POPULAR, Outcome.SKIPPED, "Nobody wants it compared: POPULARITY_TOLERANCE is None.", own)
    there = [key for key in POPULARITY if key in evaluation.engines]
    if not there:
        return Check(POPULAR, Outcome.SKIPPED, "Popularity could not be measured.", own)
    best = max(there, key=lambda key: evaluation.engines[key][METRIC])
    return _beside(POPULAR, compare(evaluation, best, challenger, METRIC, seed), best, tolerance)


def check_recall(now: float, before: float, compared_with: str, max_drop: float) -> Check:
    """Reject a recall that fell by more than a share.

    Args:
        now, before: recall@10 of the challenger and of the live version.
    """
    drop = 1 - now / before if before > 0 else 0.0
    numbers = {"before": round(before, 6), "now": round(now, 6), "drop": round(drop, 4)}
    if drop > max_drop:
        sentence = f"recall@10 fell by {drop:.0%}, from {before:.4f} of {compared_with} to {now:.4f}."
        return Check(RECALL, Outcome.REJECTED, sentence, numbers)
    return Check(RECALL, Outcome.PASSED, f"recall@10 is {now:.4f}, {before:.4f} of {compared_with}.", numbers)


def check_coverage(now: float, before: float | None, compared_with: str, least: float) -> Check:
    """Reject lists that name nothing, or less than a share of what the live version names."""
    numbers = {"before": before, "now": round(now, 6)}
    if now <= 0 or (before is not None and now < least * before):
        beside = "" if before is None else f", {before:.1%} of {compared_with}"
        return Check(COVERAGE, Outcome.REJECTED, f"Its lists hold only {now:.1%} of the catalogue{beside}.", numbers)
    return Check(COVERAGE, Outcome.PASSED, f"Its lists hold {now:.1%} of the catalogue.", numbers)


def expected_recall(stored: Mapping[str, Any], evaluation: Evaluation, engine: str) -> float | None:
    """Return the recall@10 to expect of a recipe that did not change, from what was measured when it went live.

    Data drift: where popularity's recall has fallen since, the engine's may fall as much. None
    where the live version was not measured, or by another protocol.
    """
    then = stored.get("engines", {})
    how = str(stored.get("protocol", "")).rpartition("; ")[0]
    recall = then.get(engine, {}).get("recall@10")
    if recall is None or how != evaluation.protocol.rpartition("; ")[0]:
        return None
    ratios = [
        evaluation.engines[key]["recall@10"] / then[key]["recall@10"]
        for key in POPULARITY
        if key in evaluation.engines and then.get(key, {}).get("recall@10")
    ]
    return float(recall) * min(1.0, *ratios) if ratios else float(recall)


def highest_recall(evaluation: Evaluation, engine: str, seed: int) -> float:
    """Return the upper bound of the 95 % interval of an engine's recall@10: other users, other luck."""
    values = evaluation.per_user[engine]["recall@10"]
    return paired_bootstrap(0 * values, values, seed).high


def _beside(question: str, found: Comparison, baseline: str, tolerance: float) -> Check:
    """Reject where the whole interval of the difference lies below what is tolerated."""
    is_rejected = found.is_significantly_worse and found.high < -tolerance * found.baseline
    allowed = f" Tolerated: {tolerance:.0%} less." if tolerance and found.is_significantly_worse else ""
    outcome = Outcome.REJECTED if is_rejected else Outcome.PASSED
    numbers = _numbers(found, baseline) | ({"tolerance": tolerance} if tolerance else {})
    return Check(question, outcome, _sentence(found, baseline) + allowed, numbers)


def _sentence(found: Comparison, baseline: str) -> str:
    word = "better than" if found.is_significantly_better else "as good as"
    word = "worse than" if found.is_significantly_worse else word
    interval = f"{found.difference:+.4f} [{found.low:+.4f}, {found.high:+.4f}]"
    return f"{METRIC} {found.challenger:.4f} is {word} {found.baseline:.4f} of {baseline}: {interval}."


def _numbers(found: Comparison, baseline: str) -> dict[str, Any]:
    return {
        "metric": METRIC,
        "against": baseline,
        "baseline": round(found.baseline, 6),
        "challenger": round(found.challenger, 6),
        "low": round(found.low, 6),
        "high": round(found.high, 6),
        "n_users": found.n_users,
    }
