"""A rule that cannot be, in a host's recommendations.py: told by the checks, and never served without."""

import subprocess
import sys
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.core.checks import run_checks

from recommender_app import checks
from recommender_app.exceptions import ConfigurationError
from recommender_app.usecases import site
from tests.app.declarations import short_ids
from tests.app.processes import ROOT

WRONG = """from recommender_app import Boost

RULES = (
    Boost(name="spring", where={"genre": "tea"}, factor=0.5),
)
"""


@pytest.fixture
def folder(tmp_path):
    """A folder with the app ``wronghost``."""
    (tmp_path / "wronghost").mkdir()
    (tmp_path / "wronghost" / "__init__.py").touch()
    (tmp_path / "wronghost" / "recommendations.py").write_text(WRONG)
    return tmp_path


@pytest.fixture
def _only_app(folder, monkeypatch):
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "wronghost", raising=False)
    app = SimpleNamespace(name="wronghost", module=import_module("wronghost"))
    monkeypatch.setattr(site, "apps", SimpleNamespace(get_app_configs=lambda: [app]))
    monkeypatch.setattr(site, "_unreadable", [])


@pytest.mark.usefixtures("_only_app")
def test_the_check_names_file_line_rule_and_what_to_write(folder):
    site.autodiscover(is_checked=True)
    (problem,) = run_checks(tags=[checks.TAG])
    assert short_ids([problem]) == ["E064"]
    assert problem.msg == "The rule 'spring' boosts by 0.5: write one above 1, up to 1000."
    assert problem.obj == f"wronghost.recommendations, {folder / 'wronghost' / 'recommendations.py'}:4"


@pytest.mark.usefixtures("_only_app")
def test_a_process_that_makes_no_checks_does_not_start():
    with pytest.raises(ConfigurationError, match=r"boosts by 0\.5"):
        site.autodiscover()


@pytest.mark.usefixtures("_only_app")
def test_a_host_whose_module_raises_anything_else_is_not_spared(folder):
    (folder / "wronghost" / "recommendations.py").write_text("import no_such_module\n")
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        site.autodiscover(is_checked=True)


def test_manage_py_says_it_without_a_traceback(folder):
    text = "from tests.settings import *\nINSTALLED_APPS = [*INSTALLED_APPS, 'wronghost']\n"
    (folder / "wrong_settings.py").write_text(text)
    environment = {"DJANGO_SETTINGS_MODULE": "wrong_settings", "PYTHONPATH": f"{folder}:{ROOT}"}
    command = [sys.executable, str(ROOT / "manage.py"), "check"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "(recommender_app.E064) The rule 'spring' boosts by 0.5" in done.stderr
