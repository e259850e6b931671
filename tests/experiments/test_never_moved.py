"""Units never move: no way of writing changes a row of an assignment but for its exposure and its exclusion."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from recommender_app.models import Assignment
from tests.experiments.phases import assign, two_arms

pytestmark = pytest.mark.django_db


@pytest.fixture
def row() -> Assignment:
    phase = two_arms()
    assign(phase, "control", "7")
    return Assignment.objects.get()


@pytest.mark.parametrize(
    "move",
    [
        lambda row: Assignment.objects.filter(pk=row.pk).update(arm=row.arm),
        lambda row: Assignment.objects.filter(pk=row.pk).update(unit_id="8", excluded_reason=""),
        lambda row: Assignment.objects.bulk_update([row], ["arm"]),
        lambda row: Assignment.objects.update_or_create(pk=row.pk, defaults={"arm": row.arm}),
        lambda row: row.save(),
        lambda row: row.save(update_fields=["arm_bucket"]),
    ],
    ids=["update", "two fields", "bulk_update", "update_or_create", "save", "save one field"],
)
def test_no_way_of_writing_moves_a_unit(row, move):
    with pytest.raises(ValidationError, match=r"units never move\. Begin a new phase"):
        move(row)


def test_exposure_and_exclusion_are_noted(row):
    row.first_exposed_at = timezone.now()
    row.save(update_fields=["first_exposed_at"])
    assert Assignment.objects.update(excluded_reason="bot") == 1
    assert Assignment.objects.filter(excluded_reason="bot", first_exposed_at__isnull=False).exists()
