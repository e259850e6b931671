"""The checks as ``manage.py check`` runs them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.checks import run_checks

from recommender_app import checks
from recommender_app.usecases import site
from tests.app.declarations import short_ids
from tests.app.processes import NO_DATABASE, ROOT, run_python
from tests.toyhost.recommendations import BooksForReaders

SOURCES = Path(checks.__file__).parent
CALL = re.compile(r"\b(error|warning)\(\s*(\d+),")


def test_the_hosts_of_this_repository_are_declared_without_a_mistake():
    assert run_checks(tags=[checks.TAG]) == []


def test_no_check_makes_a_query():
    """No access to the database was asked for, so pytest-django would refuse one."""
    assert run_checks(tags=[checks.TAG], include_deployment_checks=True) is not None


def test_a_mistake_in_a_registered_declaration_is_found_and_named():
    wrong = type("Wrong", (BooksForReaders,), {"key": "wrong", "item_text": ("titel",)})
    site.register(wrong)
    try:
        (problem,) = run_checks(tags=[checks.TAG])
    finally:
        site.unregister("wrong")

    assert problem.id == "recommender_app.E041"
    assert problem.obj.endswith(".Wrong")
    assert problem.hint == "Did you mean 'title'?"


def test_two_use_cases_with_one_key_are_found():
    second = type("Second", (BooksForReaders,), {"key": "twice"})
    site.register(type("First", (BooksForReaders,), {"key": "twice"}))
    site.register(second)
    try:
        problems = run_checks(tags=[checks.TAG])
    finally:
        site.unregister("twice")

    assert short_ids(problems) == ["E011"]
    assert "'twice'" in problems[0].msg
    assert problems[0].obj.endswith(".Second")


def test_a_host_that_declares_nothing_is_told(monkeypatch):
    monkeypatch.setattr(site, "all_use_cases", list)
    (problem,) = run_checks(tags=[checks.TAG])

    assert problem.id == "recommender_app.W015"
    assert "@register" in problem.hint


def test_a_wrong_setting_stops_manage_py_with_its_hint(tmp_path):
    (tmp_path / "wrong_settings.py").write_text("from tests.settings import *\nRECOMMENDER = {'HISTORY_LIMITS': 3}\n")
    program = "from django.core.management import execute_from_command_line as run; run(['manage.py', 'check'])"
    environment = {"DJANGO_SETTINGS_MODULE": "wrong_settings", "PYTHONPATH": f"{tmp_path}:{ROOT}"}

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )

    assert done.returncode == 1
    assert "(recommender_app.E002) There is no setting 'HISTORY_LIMITS'." in done.stderr
    assert "Did you mean 'HISTORY_LIMIT'?" in done.stderr


def test_the_checks_load_nothing_heavy(tmp_path):
    program = (
        "import sys\n"
        "from django.core.checks import run_checks\n"
        "run_checks(tags=['recommender'], include_deployment_checks=True)\n"
        "heavy = {'torch', 'implicit', 'sklearn', 'pyarrow', 'pandas', 'scipy.stats', 'recommender_app.trainers.als'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert run_python(tmp_path, program, NO_DATABASE, tmp_path) == "[]\n"


def all_ids() -> set[str]:
    calls = [call for path in SOURCES.glob("*.py") for call in CALL.findall(path.read_text())]
    return {f"{'E' if kind == 'error' else 'W'}{int(number):03}" for kind, number in calls}


@pytest.mark.parametrize("identifier", sorted(all_ids()))
def test_every_id_is_tested(identifier):
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    assert f'"{identifier}"' in tests or f"recommender_app.{identifier}" in tests


def test_every_number_is_used_for_one_kind_only():
    numbers = [identifier[1:] for identifier in all_ids()]
    assert len(numbers) == len(set(numbers)) > 30
