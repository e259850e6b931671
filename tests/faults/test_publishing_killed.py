"""Row 18: whenever a trainer is killed, rows, folders and hint are consistent, and the next run works."""

import json
import os
import subprocess
import sys

import pytest

from tests.faults.publishing.points import POINTS
from tests.faults.servers import ROOT

N_RANDOM = 20
SEED = 18
BEFORE_THE_ROW = ("staged", "written", "verified", "synced", "renamed", "row inserted", "run finished")
UNPROMOTED = (*BEFORE_THE_ROW, "committed", "release inserted")


def killed(folder, database_url, kind, n=0):
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.faults.publishing.settings",
        "DATABASE_URL": database_url,
        "ARTIFACT_ROOT": str(folder / "artifacts"),
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "tests.faults.publishing.killing", kind, str(n), str(SEED)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-4000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def check(report):
    """Nothing half is ever seen; once repaired, everything agrees and goes on."""
    before, after, later = report["before"], report["after"], report["next"]
    assert before["n_live"] == after["n_live"] == 1, report
    assert set(before["rows"]) <= set(before["folders"]), report
    assert before["live"][1] in before["folders"], report
    assert before["hint"][1] in before["folders"], report
    assert after["rows"] == after["folders"], report
    assert after["live"] == after["hint"] == before["live"], report
    assert (after["running"], after["staging"], report["again"]) == (0, 0, []), report
    assert later["live"] == later["hint"], report
    assert later["live"][0] == after["live"][0] + 1, report
    assert later["live"][1] in later["rows"], report


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


@pytest.mark.slow
def test_row_18_a_trainer_killed_at_random_moments(tmp_path):
    reports = killed(tmp_path, f"sqlite:///{tmp_path}/db.sqlite3", "random", N_RANDOM)
    assert len(reports) == N_RANDOM
    for report in reports:
        check(report)


@pytest.mark.services
def test_row_18_a_trainer_killed_at_any_step_on_postgresql(tmp_path, postgres_database):
    reports = killed(tmp_path, postgres_database, "points")
    assert [report["point"] for report in reports] == list(POINTS)
    for report in reports:
        check(report)
