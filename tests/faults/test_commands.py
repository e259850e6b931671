"""Row 43: every management command works while the models are broken, and none loads them without need."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.servers import ROOT

pytestmark = pytest.mark.slow
COMMANDS = Path("recommender_app/management/commands")
SETTINGS = """
from tests.settings import *
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": {folder!r} + "/db.sqlite3"}}}}
RECOMMENDER = {{**RECOMMENDER, "ARTIFACT_ROOT": {folder!r} + "/artifacts", "PRELOAD": "auto"}}
RECOMMENDER["TRAINING_SCHEDULE"] = {{}}  # recommender_work would repair what is broken
"""
PREPARE = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("migrate", run_syncdb=True, verbosity=0)  # the toy host has no migrations
from tests.app import readings
readings.fill()
for _ in range(2):
    call_command("recommender_train", "books", engine=["popular"], promote=True, verbosity=0)
"""
RUN = """
import io, json, sys
from contextlib import redirect_stderr, redirect_stdout
from django.core.management import execute_from_command_line

def run(arguments):
    sys.argv = ["manage.py", *arguments]
    out, err, code = io.StringIO(), io.StringIO(), 0
    with redirect_stdout(out), redirect_stderr(err):
        try:
            execute_from_command_line(sys.argv)
        except SystemExit as exit:
            code = exit.code or 0
    from recommender_app.serving import live
    loaded = sorted(live._live)
    live.forget()
    return {"code": code, "out": out.getvalue(), "err": err.getvalue(), "loaded": loaded}

print(json.dumps([run(arguments) for arguments in json.loads(sys.argv[1])]))
"""
WORKING = {  # arguments: exit code
    "check": 0,
    "migrate": 0,
    "showmigrations": 0,
    "makemigrations --check --dry-run recommender_app": 0,
    "recommender_models": 0,
    "recommender_export books": 0,
    "recommender_evaluate books --engines popular": 0,
    "recommender_benchmark no-such-folder": 1,
    "recommender_promote books popular_v1": 1,  # it would make a broken model live
    "recommender_rollback books": 1,
    "recommender_reconcile books": 0,
    "recommender_prune books": 0,
    "recommender_sync books": 1,  # every host sees the same folder
    "recommender_train books --engine popular": 0,
    "recommender_work --once": 0,
    "recommender_drain": 0,
    "recommender_trim_log": 0,
    "recommender_roll_up": 0,
    "recommender_report": 0,
    "recommender_export_user books 1": 0,
    "recommender_forget_user books 1 --dry-run": 0,
    "recommender_experiment no-such-experiment": 1,
    "recommender_experiment_audit no-such-experiment": 1,
    "recommender_ramp": 0,
}
SERVING = {"recommender_health": 1, "recommender_batch books --out lists.csv": 0}  # these look at the models


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A site whose live model is broken."""
    folder = tmp_path_factory.mktemp("commands")
    (folder / "commands_settings.py").write_text(SETTINGS.format(folder=str(folder)))
    python(folder, PREPARE)
    arrays = list((folder / "artifacts" / "models").rglob("*.npy"))
    assert arrays
    for array in arrays:
        array.chmod(0o600)
        array.write_bytes(array.read_bytes()[:-1])
    assert (folder / "artifacts" / "LIVE" / "books").exists()
    return folder


def python(folder, code, *arguments):
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "commands_settings",
        "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-4000:]
    return done


def reports_of(folder, commands):
    done = python(folder, RUN, json.dumps([command.split() for command in commands]))
    return dict(zip(commands, json.loads(done.stdout.splitlines()[-1]), strict=True)), done.stderr


def commands():
    """Return {arguments: exit code}: those above, and the help of whatever commands there are besides."""
    known = {command.split()[0] for command in (*WORKING, *SERVING)}
    ours = sorted(path.stem for path in (ROOT / COMMANDS).glob("recommender_*.py"))
    return WORKING | {f"{command} --help": 0 for command in ours if command not in known}


def test_row_43_every_command_works_with_broken_models_and_loads_nothing(folder):
    reports, log = reports_of(folder, list(commands()))
    assert {command: report["code"] for command, report in reports.items()} == commands(), reports
    assert [report["loaded"] for report in reports.values()] == [[]] * len(reports), reports
    assert "Traceback" not in log + "".join(report["err"] for report in reports.values())
    assert all(report["err"].count("\n") <= 1 for report in reports.values() if report["code"]), reports


def test_row_43_commands_that_look_at_the_models_say_what_is_broken(folder):
    reports, log = reports_of(folder, list(SERVING))
    assert {command: report["code"] for command, report in reports.items()} == SERVING, reports
    assert "Traceback" not in log + "".join(report["err"] for report in reports.values())
    assert all("serves without popular" in log + report["err"] for report in reports.values()), reports
    assert all("books" in report["loaded"] for report in reports.values()), reports
