"""The built wheel plugs into a project that was never seen here."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PARTS = Path(__file__).parent / "plugin_project"
SETTINGS = """
INSTALLED_APPS += ["rest_framework", "recommender_app", "shop"]
USE_TZ = True
RECOMMENDER = {"MIN_USERS": 5, "MIN_ITEMS": 5, "MIN_INTERACTIONS": 20}
"""
URLS = """
from django.urls import include, path
urlpatterns = [path("api/", include("recommender_app.urls"))]
"""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def run(*command: object, cwd: Path, path: str = "", stdin: str | None = None) -> str:
    """Run a command away from the repository and return what it printed."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("DJANGO", "PYTHONPATH"))}
    environment["PYTHONPATH"] = path
    result = subprocess.run(command, cwd=cwd, env=environment, input=stdin, capture_output=True, text=True)
    assert result.returncode == 0, f"{command}\n{result.stdout[-3000:]}\n{result.stderr[-3000:]}"
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def serving_python(wheel, tmp_path_factory) -> Path:
    """A virtual environment with the wheel alone: no implicit, torch, scikit-learn, pyarrow."""
    folder = tmp_path_factory.mktemp("serving")
    run(sys.executable, "-m", "venv", folder, cwd=folder)
    python = folder / "bin" / "python"
    pins = folder / "pins.txt"
    pins.write_text(re.sub(r"\[\w+\]", "", (ROOT / "requirements.txt").read_text()))  # pip refuses extras there
    run(python, "-m", "pip", "install", "--quiet", "--constraint", pins, wheel, cwd=folder)
    return python


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    run(sys.executable, "-m", "django", "startproject", "mysite", folder, cwd=folder)
    run(sys.executable, folder / "manage.py", "startapp", "shop", cwd=folder)
    for part in PARTS.glob("*.txt"):
        target = folder / ("shop" if part.stem in ("models.py", "recommendations.py") else "") / part.stem
        target.write_text(part.read_text())
    with (folder / "mysite" / "settings.py").open("a") as settings:
        settings.write(SETTINGS)
    (folder / "mysite" / "urls.py").write_text(URLS)
    return folder


def test_the_wheel_brings_the_app_and_nothing_of_the_host(wheel):
    names = run(sys.executable, "-m", "zipfile", "--list", wheel, cwd=wheel.parent)
    assert "recommender_app/migrations/0001" in names
    assert "backend/" not in names
    assert "tests/" not in names


def test_a_fresh_project_trains_with_the_extra_and_serves_without_it(wheel, serving_python, project, tmp_path):
    site = tmp_path / "site"
    run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", site, wheel, cwd=tmp_path)
    manage = (sys.executable, "manage.py")
    run(*manage, "check", "--fail-level", "WARNING", cwd=project, path=str(site))
    run(*manage, "makemigrations", "shop", cwd=project, path=str(site))
    run(*manage, "migrate", cwd=project, path=str(site))
    run(*manage, "shell", cwd=project, path=str(site), stdin=(project / "fill.py").read_text())
    run(*manage, "recommender_train", "products", "--engine", "als", "--promote", cwd=project, path=str(site))

    script = "import runpy; runpy.run_path('ask.py')"
    printed = run(serving_python, "manage.py", "shell", "-c", script, cwd=project)
    report = json.loads(printed.strip().splitlines()[-1])

    assert not report["heavy"]
    assert str(serving_python.parents[1]) in report["file"]
    for name, group, missing in (("buyer0", "tea", "tea-0"), ("buyer10", "coffee", "coffee-4")):
        answer = report["answers"][name]
        assert answer["status"] == 200, answer
        assert answer["body"]["engine"] == "als", answer
        assert answer["body"]["model_version"] == "als_v1"
        assert answer["body"]["results"][0]["id"] == missing, (group, answer)
