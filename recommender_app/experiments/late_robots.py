"""Robots that do not say so: found by how much they ask for in a day, and left out of all arms alike.

The rule knows no arm and no outcome: nobody reads a thousand lists a day, whatever is in them.
"""

from __future__ import annotations

from datetime import date

from django.db.models import Q, Sum

from recommender_app.experiments.trail import record
from recommender_app.models import Assignment, Experiment, Phase, RollUp
from recommender_app.registry.database import alias, atomic
from recommender_app.usecases.visitors import PREFIX

MOST_ANSWERS = 1_000  # of a unit in a day; one in a minute and a half, day and night
ROBOT = "bot"  # as excluded_reason


def leave_out_robots(phase: Phase, day: date, by: str = "snapshot") -> int:
    """Leave units of a phase out that were answered too often on a day; return how many are new."""
    found = _asking_most(phase, day)
    if not found:
        return 0
    users = Q(unit_type=Experiment.UnitType.USER, unit_id__in=found)
    sessions = [name.removeprefix(PREFIX) for name in found if name.startswith(PREFIX)]
    visitors = Q(unit_type=Experiment.UnitType.SESSION, unit_id__in=sessions)
    with atomic():
        counted = Assignment.objects.using(alias()).filter(users | visitors, phase=phase, excluded_reason="")
        n_left_out: int = counted.update(excluded_reason=ROBOT)
        if n_left_out:
            after = {"units": n_left_out, "excluded_reason": ROBOT}
            reason = f"More than {MOST_ANSWERS:,} answers each on {day}."
            record(phase.experiment, "leave out", by, phase=phase, after=after, reason=reason)
    return n_left_out


def _asking_most(phase: Phase, day: date) -> list[str]:
    """Return the users, as the log names them, that no person can be; one query."""
    experiment: Experiment = phase.experiment
    rows = RollUp.objects.using(alias()).filter(
        use_case=experiment.use_case, experiment=experiment.key, phase=phase.number, day=day
    )
    answers = rows.exclude(user_id="").order_by().values("user_id").annotate(answers=Sum("requests"))
    return list(answers.filter(answers__gt=MOST_ANSWERS).values_list("user_id", flat=True))
