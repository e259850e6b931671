"""What a study says, in sentences for somebody who decides and does not compute."""

from __future__ import annotations

import math

from recommender_app.evaluation.compare import compare, paired_bootstrap
from recommender_app.evaluation.evaluate import Evaluation
from recommender_app.evaluation.intervals import COMBINED, best_single, mean_interval
from recommender_app.evaluation.labels import label_of
from recommender_app.evaluation.study import Study
from recommender_app.evaluation.study_tables import HEADLINE, format_relative

HITS = "precision@10"
BASELINE = "popular"
HEAD_BANDS = 2  # the most popular fifth of the catalogue


def findings(study: Study) -> list[str]:
    """Return one sentence per finding, the most important first."""
    if not study.overall.n_users:
        return ["Nobody who was active before the cut was active after it: there is nothing to compare."]
    candidates = [
        _best(study.overall, study.seed),
        _against_popularity(study.overall, study.seed),
        _ensemble(study.overall, study.seed),
        _newcomers(study),
        _catalogue(study),
        _certainty(study.overall, study.seed),
    ]
    return [sentence for sentence in candidates if sentence]


def winner(evaluation: Evaluation, metric: str = HEADLINE) -> str:
    """Return the engine with the largest mean, the ensemble included."""
    single = best_single(evaluation, metric)
    if COMBINED not in evaluation.engines:
        return single
    combined, best = (evaluation.engines[name][metric] for name in (COMBINED, single))
    return COMBINED if combined > best else single


def _best(overall: Evaluation, seed: int) -> str:
    name = winner(overall)
    hits = mean_interval(overall.per_user[name][HITS], seed)
    return (
        f"{_and_equals(overall, name, seed)}: of 10 recommendations, {10 * hits.mean:.1f} are things that the "
        f"user really went on to choose (95 % interval {10 * hits.low:.1f} to {10 * hits.high:.1f})."
    )


def _and_equals(overall: Evaluation, name: str, seed: int) -> str:
    """Return who makes the best lists, those included that cannot be told apart from the best."""
    equals = [
        label_of(key).name
        for key in overall.engines
        if key != name and not compare(overall, name, key, HEADLINE, seed).is_significantly_worse
    ]
    if not equals:
        return f"{label_of(name).name} makes the best lists"
    others = equals[0] if len(equals) == 1 else f"{', '.join(equals[:-1])} and {equals[-1]}"
    return f"{label_of(name).name} makes the best lists, though {others} cannot be told apart from it"


def _against_popularity(overall: Evaluation, seed: int) -> str:
    name = winner(overall)
    if BASELINE not in overall.engines or name == BASELINE:
        return "" if name != BASELINE else "Nothing here beats showing everybody the most popular items."
    found = compare(overall, BASELINE, name, HITS, seed)
    if not found.baseline:
        return "Showing everybody the most popular items finds nothing at all here."
    verdict = "" if found.is_significantly_better else ", a difference that may be luck"
    return (
        f"Showing everybody the most popular items finds {10 * found.baseline:.1f}: the best lists have "
        f"{found.challenger / found.baseline:.1f} times as many hits{verdict}."
    )


def _ensemble(overall: Evaluation, seed: int) -> str:
    if COMBINED not in overall.engines:
        return ""
    single = best_single(overall, HEADLINE)
    found = compare(overall, single, COMBINED, HEADLINE, seed)
    if found.is_significantly_better:
        verdict = "the ensemble is better than its best part"
    elif found.is_significantly_worse:
        verdict = "the ensemble is worse than its best part and should not be switched on"
    else:
        verdict = "the ensemble and its best part cannot be told apart"
    return f"Against {label_of(single).name}, the best single engine, {verdict}: {format_relative(found)} NDCG@10."


def _newcomers(study: Study) -> str:
    """Say who serves a user best of whom nothing is known yet."""
    group = study.shortened.get("no history")
    if group is None or not group.n_users:
        return ""
    name = winner(group)
    hits = group.engines[name][HITS]
    with_all = study.overall.engines[winner(study.overall)][HITS]
    return (
        f"Somebody who has just arrived is served best by {label_of(name).name}: {10 * hits:.1f} hits in 10, "
        f"where a known history gives {10 * with_all:.1f}."
    )


def _catalogue(study: Study) -> str:
    name = winner(study.overall)
    coverage = study.overall.engines[name].get("coverage@10", math.nan)
    head = study.tail.engines[name][-HEAD_BANDS:].sum()
    chosen = study.tail.interactions[-HEAD_BANDS:].sum()
    return (
        f"Its lists reach {100 * coverage:.0f} % of the catalogue; {100 * head:.0f} % of the places go to the most "
        f"popular fifth of the items, which also got {100 * chosen:.0f} % of all interactions."
    )


def _certainty(overall: Evaluation, seed: int) -> str:
    """Say how large a difference has to be, from the two best engines."""
    name = winner(overall)
    others = {key: measured for key, measured in overall.engines.items() if key != name}
    if not others:
        return f"Measured on {overall.n_users:,} users."
    second = max(others, key=lambda key: others[key][HEADLINE])
    values = overall.per_user
    found = paired_bootstrap(values[name][HEADLINE], values[second][HEADLINE], seed)
    if not found.baseline:
        return f"Measured on {overall.n_users:,} users."
    margin = 100 * (found.high - found.low) / 2 / found.baseline
    return (
        f"Measured on {overall.n_users:,} users: between the two best engines, differences below about "
        f"{margin:.0f} % could be luck."
    )
