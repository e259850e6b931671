"""The gate decides whether a new version may take the place of the live one.

Challenger, live version and popularity are measured on the same users of the same temporal
hold-out, all trained on its older part. The live *artifact* cannot be measured there: it has seen
the newest part. Its *recipe* (engine and stored options) is trained on the older part instead,
which is fair and can be repeated. Where the recipes are the same, so would be the engines: then
recall is compared with what was measured when the live version was made.

Users: those with a history; an engine that answers newcomers is judged with the newcomers among
the test users, as are those that it is compared with.
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
from recommender_app.training.verdict import Check, Outcome, Verdict

MIN_USERS = 10  # fewer hold-out users say nothing
USERS = "users to judge on"


def judge(use_case_key: str, engine_key: str, config: TrainerConfig, hold_out: HoldOut) -> Verdict:
    """Return the verdict on an engine that is trained with ``config`` on the hold-out's dataset.

    Too little data to judge: it passes with a note where nothing of the engine is live, else it
    stays a candidate.

    Raises:
        TrainingError: the challenger itself cannot be trained.
    """
    now = DataProfile.of(hold_out.dataset)
    live = live_versions(use_case_key)
    mine = live.get(engine_key)
    checks = check_data(hold_out.dataset, now, _profile(live, engine_key))
    measured = hold_out.measurement(engine_key, config)
    if measured.evaluation is None or measured.evaluation.n_users < MIN_USERS:
        why = measured.note or f"Only {measured.evaluation.n_users if measured.evaluation else 0} users to judge on."
        checks.append(Check(USERS, Outcome.UNDECIDED, f"Too little data to judge: {why}"))
    else:
        checks += _quality(engine_key, config, hold_out, mine)
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


def _quality(engine_key: str, config: TrainerConfig, hold_out: HoldOut, live: ModelVersion | None) -> list[Check]:
    answers_newcomers = hold_out.engine(engine_key, config).covers_new_users
    judged = _unchanged if answers_newcomers else hold_out.with_history
    own = judged(hold_out.measure(engine_key, config))
    baselines = [judged(each) for each in hold_out.baselines(without=engine_key)]
    together = beside([own, *baselines], (*BASELINES, engine_key))
    checks = [check_against_popularity(together, engine_key, hold_out.seed)]
    if live is None:
        return [*checks, check_coverage(own.engines[engine_key]["coverage@10"], None, "")]
    recipe, why_not = _live_recipe(live)
    if recipe is not None and recipe_name(engine_key, recipe) != recipe_name(engine_key, config):
        try:
            other = judged(hold_out.measure(engine_key, recipe))
            return checks + _beside_recipe(own, other, hold_out, live) + [_speed(config, recipe, hold_out, live)]
        except TrainingError as error:
            why_not = f"{live.name} cannot be trained on this data: {error}"
    return checks + _beside_record(engine_key, config, hold_out, live, why_not)


def _unchanged(evaluation: Evaluation) -> Evaluation:
    return evaluation


def _live_recipe(live: ModelVersion) -> tuple[TrainerConfig | None, str]:
    """Return the options of a live version, or why its trainer does not take them any more."""
    options = {name: value for name, value in live.config.items() if name not in (MEMBER_VERSIONS, TUNING)}
    try:
        return load_trainer(live.engine).Config.from_json(options), ""
    except ConfigurationError as error:
        return None, f"{live.name} has options of other code: {error}"


def _beside_recipe(own: Evaluation, other: Evaluation, hold_out: HoldOut, live: ModelVersion) -> list[Check]:
    """Compare with the live recipe, trained on the same part and measured on the same users."""
    key = live.engine
    both = beside([own, _renamed(other, key, live.name)], (live.name, key))
    before, now = both.engines[live.name], both.engines[key]
    return [
        check_against_live(both, key, live.name, hold_out.seed),
        check_recall(now["recall@10"], before["recall@10"], live.name),
        check_coverage(now["coverage@10"], before["coverage@10"], live.name),
    ]


def _speed(config: TrainerConfig, recipe: TrainerConfig, hold_out: HoldOut, live: ModelVersion) -> Check:
    challenger, other = (hold_out.engine(live.engine, options) for options in (config, recipe))
    user_rows = hold_out.measure(live.engine, config).user_rows
    return check_latency(challenger, other, hold_out.split, user_rows, live.name)


def _beside_record(key: str, config: TrainerConfig, hold_out: HoldOut, live: ModelVersion, why_not: str) -> list[Check]:
    """Compare with what was measured when the live version was made: its recipe is this one, or lost."""
    same = f"The same options as {live.name}: they learn the same from the same data, and answer as quickly."
    checks = [Check(name, Outcome.SKIPPED, why_not or same) for name in (LIVE, SPEED)]
    measured = hold_out.with_history(hold_out.measure(key, config))
    stored = live.metrics.get("engines", {}).get(key, {})
    together = beside([measured, *map(hold_out.with_history, hold_out.baselines(without=key))], (*BASELINES, key))
    expected = expected_recall(live.metrics, together, key)
    if expected is not None:
        checks.append(check_recall(highest_recall(measured, key, hold_out.seed), expected, f"{live.name} then"))
    checks.append(check_coverage(measured.engines[key]["coverage@10"], stored.get("coverage@10"), live.name))
    return checks


def _renamed(evaluation: Evaluation, old: str, new: str) -> Evaluation:
    """Return the evaluation of one engine under another name."""
    return replace(
        evaluation,
        engines={new: evaluation.engines[old]},
        per_user={new: evaluation.per_user[old]},
        rows={new: evaluation.rows[old]},
        seconds={},
    )
