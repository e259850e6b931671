"""Looking at every experiment once a day, and no further enrolment into one that does harm."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from recommender_app.exceptions import ConfigurationError, RecommenderError
from recommender_app.experiments.lifecycle import pause
from recommender_app.experiments.metrics import METRICS
from recommender_app.experiments.statistics.guardrails import Safety
from recommender_app.experiments.statistics.verdict import Status
from recommender_app.measurement.days import day_of
from recommender_app.measurement.readouts.snapshots import days_to_look_at, take_snapshot
from recommender_app.models import ExperimentChange, Phase, Snapshot
from recommender_app.registry.database import alias

logger = logging.getLogger(__name__)

BY = "snapshot"
AFTER_THE_END = timedelta(days=8)  # its last days may still be rolled up, and clients may be late


def look_at_experiments(now: datetime | None = None) -> Iterator[Snapshot]:
    """Take the snapshots that are due, yielding each; enrolment into a phase whose newest one is harmful is paused."""
    now = now or timezone.now()
    for phase in _watched(now):
        try:
            for day in days_to_look_at(phase, day_of(now)):
                yield take_snapshot(phase, day)
        except RecommenderError as error:  # of one experiment; the others are looked at as well
            logger.warning("%s was not looked at: %s", phase, error)
        pause_if_harmful(phase)


def pause_if_harmful(phase: Phase) -> bool:
    """Stop the enrolment into a running phase if a guardrail is breached; return whether that was done now.

    Also where the snapshot is unhealthy: what loses the units of an arm is often what slows it down.
    """
    newest = phase.snapshots.using(alias()).order_by("-as_of", "-pk").first()
    if newest is None or phase.ended_at is not None or not (reason := _harm(newest)):
        return False
    if not phase.is_enrolling or _was_resumed_since(phase, newest):
        return False
    try:
        pause(phase, BY, reason)
    except ConfigurationError:  # somebody stopped or paused it meanwhile
        return False
    logger.error("%s enrols nobody any more: %s", phase, reason)
    return True


def _harm(snapshot: Snapshot) -> str:
    """Return what is beyond its margin, in a sentence; "" = nothing."""
    if snapshot.verdict == Status.HARMFUL.value:
        return snapshot.sentence
    broken = [each for each in snapshot.results["guardrails"] if each["safety"] == Safety.BREACHED.value]
    return " ".join(f"Stop {each['arm']}: {METRICS[each['metric']].label} beyond the margin." for each in broken)


def _was_resumed_since(phase: Phase, snapshot: Snapshot) -> bool:
    """Tell whether a person has seen it and goes on nevertheless."""
    trail = ExperimentChange.objects.using(alias()).filter(experiment=phase.experiment.key, phase=phase.number)
    return trail.filter(action="resume", changed_at__gte=snapshot.created_at).exists()


def _watched(now: datetime) -> list[Phase]:
    rows = Phase.objects.using(alias()).filter(started_at__isnull=False)
    rows = rows.filter(Q(ended_at__isnull=True) | Q(ended_at__gte=now - AFTER_THE_END))
    return list(rows.select_related("experiment").order_by("pk"))
