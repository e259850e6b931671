"""Many threads and two processes meet a unit for the first time: one row, one arm."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.db import connections

PROJECT = Path(__file__).resolve().parents[2]
N_THREADS = 50
LIMIT_SECONDS = 120


def set_up() -> None:
    """Begin a phase, once."""
    from django.core.management import call_command

    from tests.experiments.making import make_phase

    call_command("migrate", verbosity=0)
    make_phase({"control": {}, "a": {}, "b": {}, "c": {}})


def first_touches(units: list[str]) -> set[tuple[str, str]]:
    """Assign each unit by 50 threads that start together; return (unit, arm) as they were told."""
    from recommender_app.experiments.assigning import Unit, assign
    from recommender_app.experiments.facts import Facts
    from recommender_app.usecases.site import get_use_case

    told: list[tuple[str, str]] = []
    errors: list[BaseException] = []
    barrier = threading.Barrier(N_THREADS)

    def touch(unit: str) -> None:
        try:
            barrier.wait(LIMIT_SECONDS)
            found = assign(get_use_case("books"), Unit("user", unit), Facts(0))
            told.append((unit, found.arm if found else ""))
        except BaseException as error:  # noqa: BLE001  of a thread: told to the one who waits
            errors.append(error)
        finally:
            connections.close_all()

    for unit in units:
        threads = [threading.Thread(target=touch, args=(unit,)) for _ in range(N_THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LIMIT_SECONDS)
    assert not errors, errors[:3]
    assert len(told) == N_THREADS * len(units)
    return set(told)


UNITS = ["1", "2"]


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def test_row_66_fifty_threads_in_two_processes_meet_a_unit_and_there_is_one_row_and_one_arm(
    database, request, tmp_path
):
    url = request.getfixturevalue("postgres_database") if database == "postgres" else f"sqlite:///{tmp_path / 'db'}"
    environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    begin = "import django; django.setup()\nfrom tests.experiments import test_assigning_concurrency as tests\n"
    run(begin + "tests.set_up()", environment).communicate(timeout=LIMIT_SECONDS)
    touch = begin + "print(sorted(tests.first_touches(tests.UNITS)))"
    processes = [run(touch, environment) for _ in range(2)]
    outputs = [process.communicate(timeout=LIMIT_SECONDS) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    told = {printed.strip().splitlines()[-1] for printed, _ in outputs}
    rows = "from recommender_app.models import Assignment\n"
    rows += "print(sorted(Assignment.objects.values_list('unit_id', 'arm__key')))"
    stored, problem = run(begin + rows, environment).communicate(timeout=LIMIT_SECONDS)
    assert told == {stored.strip().splitlines()[-1]}, (told, stored, problem)
    assert stored.count("('") == len(UNITS)


def run(code: str, environment: dict[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code]
    return subprocess.Popen(
        command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
