"""A phase with 400 units, each where its hash says, and ten impressions a day for every one of them."""

from django.utils import timezone

from recommender_app.experiments.hashing import arm_of, bucket
from recommender_app.models import Assignment, RolledUpDay, RollUp
from tests.app.measured import DAY

N = 400  # units
CLICKS = {"control": (0, 1, 2), "b": (1, 2, 3)}  # of ten impressions, in turn


def unit(number: int) -> str:
    return f"u{number}"


def hashed_arm(phase, name: str):
    return arm_of(bucket(phase.arm_salt, "user", name), list(phase.arms.order_by("pk")))


def populate(phase, day=DAY, clicks=CLICKS, *, lost=()):
    """Give every unit its row and a day of ten impressions; those of ``lost`` arms never arrive."""
    arms = {unit(number): hashed_arm(phase, unit(number)) for number in range(N)}
    arms = {name: arm for name, arm in arms.items() if arm.key not in lost}
    Assignment.objects.bulk_create(
        Assignment(
            phase=phase,
            unit_id=name,
            arm=arm,
            enrol_bucket=bucket(phase.enrol_salt, "user", name),
            arm_bucket=bucket(phase.arm_salt, "user", name),
            enrol_bp=10_000,
            assigned_at=phase.started_at,
            first_exposed_at=phase.started_at,
        )
        for name, arm in arms.items()
    )
    add_day(phase, day, clicks)


def add_day(phase, day, clicks=CLICKS):
    """Add a day of ten impressions for every unit, as a roll-up would."""
    rows = Assignment.objects.filter(phase=phase).select_related("arm")
    RollUp.objects.bulk_create(
        RollUp(
            **{"use_case": "books", "day": day, "engine": "als", "model_version": "als_v1", "experiment": "e"},
            **{"phase": phase.number, "arm": row.arm.key, "user_id": row.unit_id, "requests": 1, "impressions": 10},
            clicks=clicks[row.arm.key][place % 3],
        )
        for place, row in enumerate(rows.order_by("pk"))
    )
    RolledUpDay.objects.create(use_case="books", day=day, rolled_up_at=timezone.now())
