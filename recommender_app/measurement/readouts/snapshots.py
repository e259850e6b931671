"""Snapshots: one look a day, stored with all that it was computed from, and never changed."""

from __future__ import annotations

from datetime import date
from typing import Any

from recommender_app import __version__
from recommender_app.exceptions import MeasurementError
from recommender_app.experiments.auditing import count_moved
from recommender_app.experiments.exposures import mark_exposed
from recommender_app.experiments.late_robots import leave_out_robots
from recommender_app.experiments.metrics import METRICS
from recommender_app.experiments.statistics.guardrails import Safety
from recommender_app.experiments.statistics.verdict import Plan, Status, Treatment, Verdict, verdict
from recommender_app.measurement.answers import oldest_answer_at
from recommender_app.measurement.days import ONE_DAY, Day, aware, day_of, days_from
from recommender_app.measurement.readouts.gathering import Gathered, data_hash, gather, totals_from
from recommender_app.measurement.readouts.health import Check, blocking, health_of
from recommender_app.measurement.readouts.results import Earlier, Results, results_of, smallest_arm
from recommender_app.measurement.readouts.results_json import as_json
from recommender_app.models import Phase, RolledUpDay, Snapshot
from recommender_app.registry.database import alias, atomic

METHOD_VERSION = 1  # grows with every change of the statistics: old snapshots stay beside new ones


def take_snapshot(phase: Phase, as_of: date) -> Snapshot:
    """Return the snapshot of a day, taken now unless there is one: a second look at a day is the first one.

    Raises:
        MeasurementError: the phase had not begun, or the day is not over or not rolled up.
    """
    found = stored_snapshot(phase, as_of)
    if found is not None:
        return found
    _require_over(phase, as_of)
    mark_exposed(phase)
    leave_out_robots(phase, as_of)
    values = _values(phase, as_of)
    with atomic():
        snapshot, _ = Snapshot.objects.using(alias()).get_or_create(
            phase=phase, as_of=as_of, method_version=METHOD_VERSION, defaults=values
        )
    return snapshot


def stored_snapshot(phase: Phase, as_of: date) -> Snapshot | None:
    """Return the snapshot of a day by today's statistics, if there is one."""
    rows = Snapshot.objects.using(alias()).filter(phase=phase, as_of=as_of, method_version=METHOD_VERSION)
    return rows.first()


def recomputed_hash(snapshot: Snapshot) -> str:
    """Return the hash that the data of a snapshot have today; it is the stored one unless data came late or went."""
    return data_hash(gather(snapshot.phase, snapshot.as_of).as_json())


def _require_over(phase: Phase, as_of: date) -> None:
    if phase.started_at is None or as_of < day_of(phase.started_at):
        raise MeasurementError(f"{phase} had not begun on {as_of}: there is nothing to look at.")
    use_case = phase.experiment.use_case
    row = RolledUpDay.objects.using(alias()).filter(use_case=use_case, day=as_of).first()
    if row is None or aware(row.rolled_up_at) < Day(as_of).end:
        raise MeasurementError(
            f"{as_of} is not over, or not rolled up since: manage.py recommender_roll_up {use_case}."
        )


def _values(phase: Phase, as_of: date) -> dict[str, Any]:
    gathered = gather(phase, as_of)
    checks = health_of(gathered, n_moved=count_moved(phase), days_missing=_days_missing(phase, as_of))
    results = results_of(gathered, _earlier(phase))
    said = _verdict(gathered, results, checks)
    sums, told = gathered.as_json(), as_json(results, gathered)
    _keep_first_fixed(phase, as_of, told)
    return {
        "code_version": __version__,
        "data_hash": data_hash(sums),
        "sums": sums,
        "health": [check.as_json() for check in checks],
        "results": {**told, "arm": said.arm},
        "verdict": said.status.value,
        "sentence": said.sentence,
    }


def _verdict(gathered: Gathered, results: Results, checks: list[Check]) -> Verdict:
    experiment = gathered.phase.experiment
    metric = METRICS[experiment.primary_metric]
    plan = Plan(
        metric.label,
        experiment.alpha,
        metric.direction > 0,
        experiment.min_days,
        gathered.phase.planned_units,
        metric.is_share,
    )
    names = {arm.key: arm.name for arm in gathered.phase.arms.all()}
    treatments = [
        Treatment(
            each.arm,
            each.always_valid,
            each.p_adjusted,
            {METRICS[key].label: _safety(results, key, each.arm) for key in experiment.guardrails},
            names[each.arm],
        )
        for each in results.primary
    ]
    return verdict(plan, treatments, gathered.days, smallest_arm=smallest_arm(gathered), red=blocking(checks))


def _safety(results: Results, metric: str, arm: str) -> Safety:
    """Return what a guardrail says of an arm; while the users do not tell, nothing is shown to be safe."""
    said = results.guardrails.get(metric, {}).get(arm)
    return said.safety if said else Safety.UNDECIDED


def _days_missing(phase: Phase, as_of: date) -> int:
    """Return how many days of the phase are not rolled up; days before the log's first answer never are."""
    assert phase.started_at is not None
    rows = RolledUpDay.objects.using(alias()).filter(use_case=phase.experiment.use_case)
    done = set(rows.filter(day__lte=as_of).values_list("day", flat=True))
    oldest = oldest_answer_at()
    first = min(done | ({day_of(oldest)} if oldest else set()), default=as_of)
    return len(set(days_from(max(first, day_of(phase.started_at)), as_of)) - done)


def _earlier(phase: Phase) -> Earlier:
    """Return the primary metric's totals of earlier phases that asked the same, from their last snapshots.

    The arms had the same policies then, and the numbers could be believed.
    """
    arms = _policies(phase)
    found: dict[str, list[Any]] = {key: [] for key in arms}
    for before in phase.experiment.phases.filter(number__lt=phase.number, started_at__isnull=False).order_by("number"):
        last = before.snapshots.order_by("-as_of", "-method_version").first()
        if last is not None and last.verdict != Status.UNHEALTHY.value and _policies(before) == arms:
            for key in arms:
                found[key].append(totals_from(last.sums[key]["totals"][phase.experiment.primary_metric]))
    return {key: tuple(totals) for key, totals in found.items()}


def _policies(phase: Phase) -> dict[str, Any]:
    return dict(phase.arms.values_list("key", "policy"))


def _keep_first_fixed(phase: Phase, as_of: date, told: dict[str, Any]) -> None:
    """Let the planned look be the one that was taken first, whichever day it was of: a second one finds luck."""
    for each in told["primary"]:
        each["fixed_as_of"] = str(as_of) if each["fixed"] else None
    rows = Snapshot.objects.using(alias()).filter(phase=phase, method_version=METHOD_VERSION).order_by("pk")
    primary = (row.results["primary"] for row in rows.iterator())
    first = next((arms for arms in primary if any(each["fixed"] for each in arms)), None)
    if first is not None:
        of_first = {each["arm"]: each for each in first}
        for each in told["primary"]:
            each |= {name: of_first[each["arm"]].get(name) for name in ("fixed", "fixed_p_adjusted", "fixed_as_of")}


def days_to_look_at(phase: Phase, today: date) -> list[date]:
    """Return the days of a phase that are over and rolled up and have no snapshot, oldest first."""
    assert phase.started_at is not None
    last = min(today - ONE_DAY, day_of(phase.ended_at)) if phase.ended_at else today - ONE_DAY
    days = list(days_from(day_of(phase.started_at), last))
    rows = Snapshot.objects.using(alias()).filter(phase=phase, method_version=METHOD_VERSION)
    seen = set(rows.values_list("as_of", flat=True))
    rolled_up = RolledUpDay.objects.using(alias()).filter(use_case=phase.experiment.use_case, day__in=days)
    done = {row.day for row in rolled_up if aware(row.rolled_up_at) >= Day(row.day).end}
    return [day for day in days if day in done and day not in seen]
