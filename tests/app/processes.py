"""Processes of a site with settings of its own, as ``ready()`` meets them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = """
from tests.settings import *
DATABASES = {{"default": {database!r}}}
RECOMMENDER = {{**RECOMMENDER, "ARTIFACT_ROOT": {root!r}, "PRELOAD": True}}
"""
NO_DATABASE = {
    "ENGINE": "django.db.backends.postgresql",
    "NAME": "nowhere",
    "HOST": "127.0.0.1",
    "PORT": "1",
    "OPTIONS": {"connect_timeout": 1},
}


def sqlite(path: Path) -> dict[str, str]:
    """Return the settings of a database in a file."""
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path)}


def run_python(
    folder: Path, code: str, database: dict, artifact_root: Path | str, settings_module: str = "site_settings"
) -> str:
    """Run code in a new process after ``django.setup()``; return what it printed."""
    (folder / "site_settings.py").write_text(SETTINGS.format(database=database, root=str(artifact_root)))
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": settings_module,
        "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
    program = f"import django; django.setup()\n{code}"
    result = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", program],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert result.returncode == 0, result.stderr[-4000:]
    return result.stdout


def run_on(database_url: str, code: str) -> str:
    """Run code, which sets Django up itself, on a database in a new process; return what it wrote on stderr."""
    environment = {**os.environ, "DATABASE_URL": database_url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stderr
