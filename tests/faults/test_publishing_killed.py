"""Row 18: whenever a trainer is killed, rows, folders and hint are consistent, and the next run works."""

import pytest

from tests.faults.publishing.checking import check, killed
from tests.faults.publishing.points import POINTS

N_RANDOM = 20
BEFORE_THE_ROW = ("staged", "written", "verified", "synced", "renamed", "row inserted", "run finished")
UNPROMOTED = (*BEFORE_THE_ROW, "committed", "release inserted")


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    folder = tmp_path_factory.mktemp("killed")
    found = killed(folder, f"sqlite:///{folder}/db.sqlite3", "points")
    return {report["point"]: report for report in found}


@pytest.mark.parametrize("point", POINTS)
def test_row_18_a_trainer_killed_at_any_step_leaves_nothing_half(reports, point):
    report = reports[point]
    check(report)
    before, after = report["before"], report["after"]
    has_orphan = set(before["folders"]) - set(before["rows"])
    assert bool(has_orphan) == (point in ("renamed", "row inserted", "run finished"))
    assert (before["running"] == 1) == (point in BEFORE_THE_ROW)
    newest = after["rows"][-1]
    assert (after["live"][1] == newest) == (point not in ("committed", "release inserted")), report
    assert (before["hint"] != before["live"]) == (point in ("promoted", "hint staged"))


@pytest.mark.services
def test_row_18_a_trainer_killed_at_random_moments_on_postgresql(tmp_path, postgres_database):
    reports = killed(tmp_path, postgres_database, "random", N_RANDOM)
    assert len(reports) == N_RANDOM
    for report in reports:
        check(report)
