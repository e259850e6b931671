"""The gate decides whether a new version may take the place of the live one.

Challenger, live version and popularity are measured on the same users of the same temporal
hold-out, all trained on its older part. The live *artifact* cannot be measured there: it has seen
the newest part. Its *recipe* (engine and stored options) is trained on the older part instead,
which is fair and can be repeated. Where the recipes are the same, so would be the engines: then
recall is compared with what was measured when the live version was made.

Users: those with a history; an engine that answers newcomers is judged with the newcomers among
the test users, as are those that it is compared with.

What is tolerated is a setting, ``RECOMMENDER["GATE"]``, and an attribute of the use case.
"""

from __future__ import annotations

from dataclasses import replace

from recommender_app.engines.ensemble import MEMBER_VERSIONS
from recommender_app.evaluation.evaluate import Evaluation
from recommender_app.exceptions import ConfigurationError, TrainingError
from recommender_app.models import ModelVersion
from recommender_app.registry.live import live_release
from recommender_app.registry.tuned import TUNING
from recommender_app.trainers.base import TrainerConfig
from recommender_app.training.gate_data import DataProfile, check_data
from recommender_app.training.gate_latency import SPEED, check_latency
from recommender_app.training.gate_limits import GateLimits
from recommender_app.training.gate_pushed import check_pushed, find_pushed
from recommender_app.training.gate_quality import (
    LIVE,
    check_against_live,
    check_against_popularity,
    check_coverage,
    check_recall,
    expected_recall,
    highest_recall,
)
from recommender_app.training.hold_out import BASELINES, HoldOut, beside, recipe_name
from recommender_app.training.trainers import load_trainer
from recommender_app.training.verdict import TOO_LITTLE, Check, Outcome, Verdict

USERS = "users to judge on"


def judge(use_case_key: str, engine_key: str, config: TrainerConfig, hold_out: HoldOut) -> Verdict:
    """Return the verdict on an engine that is trained with ``config`` on the hold-out's dataset.

    Too little data to judge: it passes with a note where nothing of the engine is live, else it
    stays a candidate.

    Raises:
        TrainingError: the challenger itself cannot be trained.
    """
    limits, live = GateLimits.of(use_case_key), live_versions(use_case_key)
    mine, pushed = live.get(engine_key), find_pushed(hold_out.dataset, limits.min_pushers)
    now = DataProfile.of(hold_out.dataset, [each.item for each in pushed])
    checks = check_data(hold_out.dataset, now, _profile(live, engine_key), limits)
    checks.append(check_pushed(pushed, _known_pushed(live), limits.min_pushers))
    measured = hold_out.measurement(engine_key, config)
    if measured.evaluation is None or measured.evaluation.n_users < limits.min_users:
        why = measured.note or f"Only {measured.evaluation.n_users if measured.evaluation else 0} users to judge on."
        checks.append(Check(USERS, Outcome.UNDECIDED, f"{TOO_LITTLE}{why}"))
    else:
        checks += _quality(engine_key, config, hold_out, mine, limits)
    return Verdict(tuple(checks), mine.name if mine else "", now.to_json())


def live_versions(use_case_key: str) -> dict[str, ModelVersion]:
    """Return {engine key: live version}."""
    live = live_release(use_case_key)
    return {member.engine: member.version for member in live.members.all()} if live else {}


def _profile(live: dict[str, ModelVersion], engine_key: str) -> DataProfile | None:
    """Return what data the engine's live version has learned from; of the newest other one, if there is none."""
    newest_first = sorted(live.values(), key=lambda version: (version.engine == engine_key, version.pk), reverse=True)
    known = (DataProfile.from_json((version.gate or {}).get("dataset")) for version in newest_first)
    return next((profile for profile in known if profile), None)


def _known_pushed(live: dict[str, ModelVersion]) -> set[str]:
    """Return the pushed items that anything live has learned: somebody has let that through."""
    known = (DataProfile.from_json((version.gate or {}).get("dataset")) for version in live.values())
    return {item for profile in known if profile for item in profile.pushed}


def _quality(
    engine_key: str, config: TrainerConfig, hold_out: HoldOut, live: ModelVersion | None, limits: GateLimits
) -> list[Check]:
    answers_newcomers = hold_out.engine(engine_key, config).covers_new_users
    judged = _unchanged if answers_newcomers else hold_out.with_history
    own = judged(hold_out.measure(engine_key, config))
    baselines = [judged(each) for each in hold_out.baselines(without=engine_key)]
    together = beside([own, *baselines], (*BASELINES, engine_key))
    checks = [check_against_popularity(together, engine_key, hold_out.seed, limits.popularity_tolerance)]
    if live is None:
        return [*checks, check_coverage(own.engines[engine_key]["coverage@10"], None, "", limits.min_coverage)]
    recipe, why_not = _live_recipe(live)
    if recipe is not None and recipe_name(engine_key, recipe) != recipe_name(engine_key, config):
        try:
            other = judged(hold_out.measure(engine_key, recipe))
            speed = _speed(config, recipe, hold_out, live, limits.max_slowdown)
            return [*checks, *_beside_recipe(own, other, hold_out.seed, live, limits), speed]
        except TrainingError as error:
            why_not = f"{live.name} cannot be trained on this data: {error}"
    return checks + _beside_record(config, hold_out, live, why_not, limits)


def _unchanged(evaluation: Evaluation) -> Evaluation:
    return evaluation


def _live_recipe(live: ModelVersion) -> tuple[TrainerConfig | None, str]:
    """Return the options of a live version, or why its trainer does not take them any more."""
    options = {name: value for name, value in live.config.items() if name not in (MEMBER_VERSIONS, TUNING)}
    try:
        return load_trainer(live.engine).Config.from_json(options), ""
    except ConfigurationError as error:
        return None, f"{live.name} has options of other code: {error}"


def _beside_recipe(
    own: Evaluation, other: Evaluation, seed: int, live: ModelVersion, limits: GateLimits
) -> list[Check]:
    """Compare with the live recipe, trained on the same part and measured on the same users."""
    key = live.engine
    both = beside([own, _renamed(other, key, live.name)], (live.name, key))
    before, now = both.engines[live.name], both.engines[key]
    return [
        check_against_live(both, key, live.name, seed, limits.live_tolerance),
        check_recall(now["recall@10"], before["recall@10"], live.name, limits.max_recall_drop),
        check_coverage(now["coverage@10"], before["coverage@10"], live.name, limits.min_coverage),
    ]


def _speed(
    config: TrainerConfig, recipe: TrainerConfig, hold_out: HoldOut, live: ModelVersion, max_slowdown: float
) -> Check:
    challenger, other = (hold_out.engine(live.engine, options) for options in (config, recipe))
    user_rows = hold_out.measure(live.engine, config).user_rows
    return check_latency(challenger, other, hold_out.split, user_rows, live.name, max_slowdown)


def _beside_record(
    config: TrainerConfig, hold_out: HoldOut, live: ModelVersion, why_not: str, limits: GateLimits
) -> list[Check]:
    """Compare with what was measured when the live version was made: its recipe is this one, or lost."""
    key = live.engine
    same = f"The same options as {live.name}: they learn the same from the same data, and answer as quickly."
    checks = [Check(name, Outcome.SKIPPED, why_not or same) for name in (LIVE, SPEED)]
    measured = hold_out.with_history(hold_out.measure(key, config))
    stored = live.metrics.get("engines", {}).get(key, {})
    together = beside([measured, *map(hold_out.with_history, hold_out.baselines(without=key))], (*BASELINES, key))
    expected = expected_recall(live.metrics, together, key)
    if expected is not None:
        best = highest_recall(measured, key, hold_out.seed)
        checks.append(check_recall(best, expected, f"{live.name} then", limits.max_recall_drop))
    now, before = measured.engines[key]["coverage@10"], stored.get("coverage@10")
    return [*checks, check_coverage(now, before, live.name, limits.min_coverage)]


def _renamed(evaluation: Evaluation, old: str, new: str) -> Evaluation:
    """Return the evaluation of one engine under another name."""
    return replace(
        evaluation,
        engines={new: evaluation.engines[old]},
        per_user={new: evaluation.per_user[old]},
        rows={new: evaluation.rows[old]},
        seconds={},
    )
