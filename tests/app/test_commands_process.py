"""Commands as processes: exit codes, and an interrupt in the middle of learning."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.app import odd_trainers, readings

PROJECT = Path(__file__).resolve().parents[2]
ENGINES = "'--engine', 'popular', '--engine', 'als'"  # the first is trained, the second never ends
pytestmark = pytest.mark.slow


def environment_of(tmp_path) -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db'}",
        "STARTED": str(tmp_path / "started"),
        "OPENBLAS_NUM_THREADS": "1",
    }


def python(tmp_path, code: str) -> list[str]:
    """Return a command line that runs code in the test project, with artifacts below ``tmp_path``."""
    setup = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a background shell ignores it
        "import django; django.setup()\n"
        "from django.conf import settings; from django.core.management import call_command, execute_from_command_line\n"
        f"settings.RECOMMENDER = {{**settings.RECOMMENDER, 'ARTIFACT_ROOT': {str(tmp_path / 'root')!r}, "
        f"'TRAINERS': {readings.only('popular', als=f'{odd_trainers.MODULE}.Endless')}}}\n"
    )
    return [sys.executable, "-c", setup + code]


def test_an_interrupt_while_learning_fails_that_run_alone_and_what_was_published_before_stays(tmp_path):
    environment = {**environment_of(tmp_path), "DJANGO_SETTINGS_MODULE": "tests.settings"}
    prepare = (
        "call_command('migrate', verbosity=0); call_command('migrate', run_syncdb=True, verbosity=0)\n"
        "from tests.app import readings; readings.fill()\n"
    )
    subprocess.run(python(tmp_path, prepare), cwd=PROJECT, env=environment, check=True, timeout=120)
    train = f"execute_from_command_line(['manage.py', 'recommender_train', 'books', {ENGINES}, '--promote'])\n"
    process = subprocess.Popen(
        python(tmp_path, train), cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 150
    while not (tmp_path / "started").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert errors.startswith("CommandError: Interrupted: what was not live yet stays out")
    assert process.returncode == 130
    with sqlite3.connect(tmp_path / "db") as database:
        runs = database.execute("SELECT engine, status, reason FROM recommender_app_trainingrun ORDER BY id").fetchall()
        versions = database.execute("SELECT engine, status FROM recommender_app_modelversion").fetchall()
        n_releases = database.execute("SELECT count(*) FROM recommender_app_release").fetchone()
    early = "It ended early, after its version was published: KeyboardInterrupt"
    assert runs == [("popular", "succeeded", early), ("als", "failed", "KeyboardInterrupt")]
    assert (versions, n_releases) == ([("popular", "candidate")], (0,))
    assert [path.name for path in (tmp_path / "root" / "models" / "books").glob("*/*")] == ["popular_v1"]


@pytest.mark.parametrize(
    "arguments", [("train", "nonsense"), ("promote", "nonsense", "als_v1"), ("evaluate", "nonsense")]
)
def test_a_mistake_ends_the_process_with_exit_code_1(tmp_path, arguments):
    name, *rest = arguments
    command = [sys.executable, "manage.py", f"recommender_{name}", *rest, "--settings", "tests.settings"]
    done = subprocess.run(
        command, cwd=PROJECT, env=environment_of(tmp_path), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1
    assert done.stderr.strip().startswith("CommandError: There is no use case 'nonsense'.")
    assert "Traceback" not in done.stderr
