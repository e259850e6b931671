"""The audit hashes every row again and finds the one that is not what its hashes say."""

import tracemalloc

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from recommender_app.experiments import auditing
from recommender_app.experiments.assigning import Unit, assign
from recommender_app.experiments.auditing import count_moved, moved
from recommender_app.experiments.facts import Facts
from recommender_app.models import Assignment, ExclusionLayer, Phase
from recommender_app.usecases.site import get_use_case
from tests.experiments.making import hashed_arm, make_phase

pytestmark = pytest.mark.django_db


@pytest.fixture
def phase():
    """A hundred users in two arms, half a layer, at eighty per cent."""
    line = ExclusionLayer.objects.create(key="line", salt="line")
    phase = make_phase(enrol_bp=8_000, layer=line, layer_from=0, layer_to=5_000)
    for number in range(300):
        assign(get_use_case("books"), Unit("user", str(number)), Facts(0))
    assert Assignment.objects.count() > 80
    return phase


def one(phase):
    return Assignment.objects.filter(phase=phase).order_by("pk")[40]


def audit(capsys, *arguments):
    call_command("recommender_experiment_audit", "e", *arguments)
    return capsys.readouterr().out


def test_what_was_assigned_is_what_the_hashes_say(phase, capsys):
    assert count_moved(phase) == 0
    assert audit(capsys) == f"e/1: {Assignment.objects.count()} assignments, 0 mismatches.\n"


def to_other_arm(row, phase):
    row.arm = phase.arms.exclude(pk=row.arm_id).get()


def to_other_bucket(row, phase):
    row.enrol_bucket += 1


def to_smaller_share(row, phase):
    row.enrol_bp = row.enrol_bucket


def to_other_user(row, phase):
    row.unit_id = next(str(n) for n in range(1_000, 2_000) if hashed_arm(phase, str(n)) == row.arm.key)


def to_linked(row, phase):
    row.source = "linked"


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (to_other_arm, auditing.OTHER_ARM),
        (to_other_bucket, auditing.OTHER_BUCKETS),
        (to_smaller_share, auditing.OUTSIDE_SHARE),
        (to_other_user, auditing.OTHER_BUCKETS),
        (to_linked, auditing.NO_SESSION),
    ],
)
def test_one_row_that_was_edited_by_hand_is_found(phase, capsys, edit, problem):
    row = one(phase)
    edit(row, phase)
    row.save_base()  # by hand, past every guard
    (found,) = moved(phase)
    assert (found.pk, found.problem, found.stored) == (row.pk, problem, row.arm.key)
    with pytest.raises(CommandError, match="1 assignments are not what the hashes say") as error:
        audit(capsys, "--phase", "1")
    assert error.value.returncode == 1
    printed = capsys.readouterr().out
    assert f"row {row.pk}, unit {row.unit_id} in {row.arm.key}" in printed
    assert printed.splitlines()[-1].endswith(" 1 mismatches.")


def test_units_outside_the_experiments_part_of_the_layer_are_found(phase):
    with connection.cursor() as cursor:  # by hand, past every guard
        cursor.execute("UPDATE recommender_app_experiment SET layer_from = 5000, layer_to = 10000")
    problems = {found.problem for found in moved(Phase.objects.get())}
    assert problems == {auditing.OUTSIDE_LAYER}
    assert count_moved(Phase.objects.get()) == Assignment.objects.count()


def test_what_was_forced_is_nobodys_hash(phase, capsys):
    row = one(phase)
    to_other_arm(row, phase)
    row.source = "forced"
    row.save_base()  # by hand, past every guard
    assert count_moved(phase) == 0
    assert f"{Assignment.objects.count() - 1} assignments" in audit(capsys)


@pytest.mark.parametrize("arguments", [("e", "--phase", "7"), ("nothing",)])
def test_what_does_not_exist_is_said_in_one_line(phase, arguments):
    with pytest.raises(CommandError):
        call_command("recommender_experiment_audit", *arguments)


def test_rows_are_streamed(phase, monkeypatch):
    """Six thousand rows cost no more memory than a chunk of them."""
    row = one(phase)
    values = {name: getattr(row, name) for name in ("enrol_bucket", "arm_bucket", "enrol_bp", "arm_id", "phase_id")}
    for start in range(0, 6_000, 2_000):
        Assignment.objects.bulk_create(
            Assignment(unit_id=f"x{number}", **values) for number in range(start, start + 2_000)
        )
    monkeypatch.setattr(auditing, "CHUNK", 100)
    count_moved(phase)
    tracemalloc.start()
    n_moved = count_moved(phase)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert n_moved > 5_900
    assert peak < 1_000_000
