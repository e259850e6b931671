"""Row 18: whenever a trainer is killed, rows, folders and hint are consistent, and the next run works."""

import pytest

from tests.faults.publishing.checking import check, check_slot, killed, killed_slots, reports
from tests.faults.publishing.points import POINTS

N_RANDOM, N_SLOTS = 20, 3
BEFORE_THE_ROW = ("staged", "written", "verified", "synced", "renamed", "row inserted", "run finished")
UNPROMOTED = (*BEFORE_THE_ROW, "committed", "release inserted")


AFTER_PUBLISHING = (
    "first one published",
    "first one tried",
    "ensemble published",
    "release inserted",
    "promoted",
    "hint written",
    "first run ended",
)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    folder = tmp_path_factory.mktemp("killed")
    found = killed(folder, f"sqlite:///{folder}/db.sqlite3", "points")
    return {report["point"]: report for report in found}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    found = reports(folder, f"sqlite:///{folder}/db.sqlite3", "going_on", timeout=240)
    return {report["point"]: report for report in found}


@pytest.mark.parametrize("point", AFTER_PUBLISHING)
def test_row_18_what_a_training_killed_after_publishing_has_left_goes_live_once(trained, point):
    left, after = trained[point]["left"], trained[point]["after"]
    assert left["open"] > 0
    assert after["runs"] == [["popular", "succeeded"], ["trending", "succeeded"]]
    assert (after["open"], after["candidates"]) == (0, [])
    assert set(left["new"]) <= set(after["new"])
    assert after["new"] == sorted(after["live"][engine] for engine in ("popular", "trending"))
    assert after["fitted"].items() <= after["live"].items()
    if not left["candidates"]:
        assert after["n_releases"] == 1


@pytest.mark.parametrize("point", POINTS)
def test_row_18_a_trainer_killed_at_any_step_leaves_nothing_half(published, point):
    report = published[point]
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
    found = killed(tmp_path, postgres_database, "random", N_RANDOM)
    assert len(found) == N_RANDOM
    for report in found:
        check(report)


@pytest.mark.parametrize("n_hosts", [1, 2])
def test_row_18_a_slot_whose_training_is_killed_at_random_moments_is_gone_on_with_in_any_order(tmp_path, n_hosts):
    found = killed_slots(tmp_path, f"sqlite:///{tmp_path}/db.sqlite3", N_SLOTS, n_hosts)
    assert len(found) == N_SLOTS
    assert not all(report["has_ended"] for report in found)
    for report in found:
        check_slot(report)


def test_row_18_what_a_typed_or_called_training_that_was_killed_has_published_is_turned_down(tmp_path):
    found = reports(tmp_path, f"sqlite:///{tmp_path}/db.sqlite3", "typed", timeout=240)
    assert [report["point"] for report in found] == ["watchdog", "repair", "next training", "of Python"]
    for report in found:
        assert report["left"] == ["popular"]
        assert report["run"] == ["failed", "Its process gave no sign of life any more."]
        assert report["version"] == ["rejected", "The process that trained it died before it was promoted."]
        assert (report["is_live"], report["n_running"]) == (False, 0)
