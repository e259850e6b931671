"""What the app adds to ``manage.py check``: python -m tests.benchmarks.startup.

Against the same project without the app that already imports DRF, numpy and scipy.sparse. The
app has its declarations, its checks, and a live release to preload.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.rounds import interleave, report

LIMIT_SECONDS = 0.3
ROUNDS = 9
ROOT = Path(__file__).resolve().parents[2]
PLAIN = """
import sys
sys.modules["jinja2"] = None  # is here for a test only; django.test, which drf-spectacular imports, loads what it finds
SECRET_KEY = "of-a-benchmark-only"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "django_filters"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
ROOT_URLCONF = "plain_urls"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
"""
WITH_APP = """
from plain_settings import *
INSTALLED_APPS = [*INSTALLED_APPS, "drf_spectacular", "recommender_app", "tests.toyhost"]
ROOT_URLCONF = "app_urls"
"""
PLAIN_URLS = "import numpy, scipy.sparse, rest_framework.views\nurlpatterns = []\n"
APP_URLS = """
from django.urls import include, path
urlpatterns = [path("api/", include("recommender_app.urls"))]
"""


def main() -> int:
    """Print the medians and their difference; 1 if it is above the limit."""
    with TemporaryDirectory(prefix="startup-") as name:
        folder = Path(name)
        for module, code in {
            "plain_settings": PLAIN,
            "app_settings": WITH_APP,
            "plain_urls": PLAIN_URLS,
            "app_urls": APP_URLS,
        }.items():
            (folder / f"{module}.py").write_text(code)
        works = {which: lambda which=which: check_seconds(folder, f"{which}_settings") for which in ("plain", "app")}
        rounds = interleave(works, ROUNDS)
    added = (rounds.median_ms("app") - rounds.median_ms("plain")) / 1000
    verdict = "PASS" if added <= LIMIT_SECONDS else "FAIL"
    print(f"manage.py check: the app adds {added:.3f} s, at most {LIMIT_SECONDS}: {verdict}")  # noqa: T201
    claim = rounds.claim("manage.py check with the app and without", "app", "plain")
    report("start-up", [claim], Path("bench/startup.json"), added_seconds=added, limit_seconds=LIMIT_SECONDS)
    return int(verdict == "FAIL")


def check_seconds(folder: Path, settings: str) -> float:
    """Return the seconds of one ``manage.py check``."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": settings,
        "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
    }
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "django", "check"], cwd=folder, env=environment, check=True, stdout=-3)
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
