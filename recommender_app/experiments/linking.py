"""A session that logs in: its arm becomes the user's, unless the user has one.

Who was in two arms, by two sessions or before and after a login, counts in neither; how many there
are of each arm says whether that leaves out more of one than of the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import router, transaction
from django.db.models import Count

from recommender_app.experiments.assignment_rows import insert_unless_there
from recommender_app.experiments.exposures import mark_row
from recommender_app.experiments.running import running_phases
from recommender_app.models import Assignment, Experiment, IdentityLink, Phase
from recommender_app.usecases.declaration import UseCase

CROSSOVER = "crossover"  # the unit was in two arms
TEST_USER = "test user"  # of a session: one of the site's own
COUNTED_AS_USER = "linked"  # of a session: its user's row counts for both
USER, SESSION = Experiment.UnitType.USER, Experiment.UnitType.SESSION


def link(use_case: UseCase, session: str, user: Any) -> int:
    """Make the arms of a session those of the user that it becomes; return how many were taken over.

    To be called before the log calls the session's answers the user's. No query where no
    experiment on sessions runs, one where the session is in none. Once or twice is the same.

    Args:
        user: the host's object.
    """
    phases = [phase.pk for phase in running_phases(use_case.key)]
    if not any(phase.unit_type == SESSION for phase in running_phases(use_case.key)):
        return 0
    units = Assignment.objects.using(router.db_for_write(Assignment)).filter(phase_id__in=phases)
    of_session = units.filter(unit_type=SESSION, unit_id=session).select_related("phase__experiment").order_by("pk")
    if not of_session.exists():
        return 0
    user_id, is_test_user = str(user.pk), use_case.is_test_user(user)
    with transaction.atomic(using=router.db_for_write(Assignment)):
        if is_test_user:
            of_session.update(excluded_reason=TEST_USER)
            return 0
        _note_link(use_case, session, user_id)
        of_user = units.filter(unit_type=USER, unit_id=user_id).order_by("pk")
        return sum(_joined(row, user_id, list(of_user)) for row in of_session.select_for_update(of=("self",)))


def crossovers(phase: Phase) -> Mapping[str, int]:
    """Return {arm key: users who were in another arm, too}; arms without any are there with 0."""
    rows = Assignment.objects.filter(phase=phase, unit_type=USER, excluded_reason=CROSSOVER).order_by()
    found = dict(rows.values("arm__key").annotate(n=Count("pk")).values_list("arm__key", "n"))
    return {key: found.get(key, 0) for key in phase.arms.order_by("pk").values_list("key", flat=True)}


def _note_link(use_case: UseCase, session: str, user_id: str) -> None:
    links = IdentityLink.objects.using(router.db_for_write(IdentityLink))
    links.bulk_create([IdentityLink(session=session, use_case=use_case.key, user_id=user_id)], ignore_conflicts=True)


def _joined(row: Assignment, user_id: str, of_user: list[Assignment]) -> bool:
    """Join a session's row with the user's; tell whether the user took it over."""
    if row.first_exposed_at is None:
        mark_row(row)
    mine = next((each for each in of_user if each.phase_id == row.phase_id), None)
    if mine is None and of_user:
        return False  # the user is in another experiment of the use case already, and stays there
    is_taken = mine is None and insert_unless_there(_taken_over(row, user_id))
    if not is_taken:
        mine = mine or Assignment.objects.using(row._state.db).get(phase=row.phase_id, unit_type=USER, unit_id=user_id)
        _settle(row, mine)
    else:
        _exclude(row, COUNTED_AS_USER)
    return is_taken


def _taken_over(row: Assignment, user_id: str) -> Assignment:
    """Return the user's row with all that the session's says."""
    kept = ("phase_id", "arm_id", "enrol_bucket", "arm_bucket", "enrol_bp", "eligibility", "assigned_at")
    values = {name: getattr(row, name) for name in (*kept, "first_exposed_at", "excluded_reason")}
    if values["excluded_reason"] == COUNTED_AS_USER:
        values["excluded_reason"] = ""  # somebody else logged in on the same device before
    return Assignment(unit_type=USER, unit_id=user_id, source=Assignment.Source.LINKED, **values)


def _settle(row: Assignment, mine: Assignment) -> None:
    """Join a session's row with the one that the user has: the user's stays, unless they are of two arms."""
    if row.arm_id != mine.arm_id:
        _exclude(row, CROSSOVER)
        _exclude(mine, CROSSOVER)
        return
    _exclude(row, COUNTED_AS_USER)
    exposures = [at for at in (row.first_exposed_at, mine.first_exposed_at) if at]
    if exposures and mine.first_exposed_at != min(exposures):
        mine.first_exposed_at = min(exposures)
        mine.save(update_fields=["first_exposed_at"])


def _exclude(row: Assignment, reason: str) -> None:
    if row.excluded_reason != CROSSOVER:
        row.excluded_reason = reason
        row.save(update_fields=["excluded_reason"])
