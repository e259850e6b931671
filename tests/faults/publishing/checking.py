"""Has publishers killed in a process of its own, and says what must be true afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
SEED = 18


def killed(folder: Path, database_url: str, kind: str, n: int = 0, timeout: float = 240) -> list[dict[str, Any]]:
    """Kill publishers at every point or at n random moments; return what each left behind."""
    return reports(folder, database_url, "killing", kind, str(n), str(SEED), timeout=timeout)


def killed_slots(
    folder: Path, database_url: str, n: int, n_hosts: int, seed: int = SEED, timeout: float = 240
) -> list[dict[str, Any]]:
    """Kill trainings of a slot at n random moments, and have one or two hosts go on; return what came of each."""
    bucket = {"BUCKET": str(folder / "bucket")} if n_hosts > 1 else {}
    return reports(folder, database_url, "slots", str(n), str(seed), str(n_hosts), timeout=timeout, **bucket)


def reports(
    folder: Path, database_url: str, program: str, *arguments: str, timeout: float, **variables: str
) -> list[dict[str, Any]]:
    """Run a program of this package and return the lines of JSON that it prints."""
    environment = {
        **os.environ,
        **variables,
        "DJANGO_SETTINGS_MODULE": "tests.faults.publishing.settings",
        "DATABASE_URL": database_url,
        "ARTIFACT_ROOT": str(folder / "artifacts"),
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", f"tests.faults.publishing.{program}", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, done.stderr[-4000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def check(report: dict[str, Any]) -> None:
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


def check_slot(report: dict[str, Any]) -> None:
    """What a slot asks for is trained once and live, its ensemble fits it, and every host agrees."""
    left, after = report["left"], report["after"]
    assert after["runs"] == [["popular", "succeeded"], ["trending", "succeeded"]], report
    assert (after["open"], after["candidates"], report["n_live"]) == (0, [], 1), report
    assert set(left["new"]) <= set(after["new"]), report
    assert after["new"] == sorted(after["live"][engine] for engine in ("popular", "trending")), report
    assert after["fitted"].items() <= after["live"].items(), report
    for host in report["hosts"]:
        assert host == {"missing": [], "strays": [], "is_hinted": True, "again": [], "staging": 0}, report
