"""What the app adds to ``manage.py check``: python -m tests.benchmarks.startup.

Against the same project without the app that already imports DRF, numpy and scipy.sparse. The
app has its declarations and its checks. Processor time is judged: it is what the app adds, however
busy the machine is. What is not imported before it is asked for is paid by the first request for it:
that is printed.
"""

# ruff: noqa: T201  a benchmark prints what it measured

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.rounds import Claim, interleave, report

LIMIT_SECONDS = 0.3
ROUNDS = 9
FIRST_ROUNDS = 5
ROOT = Path(__file__).resolve().parents[2]
PLAIN = """
SECRET_KEY = "of-a-benchmark-only"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "django_filters"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
ROOT_URLCONF = "plain_urls"
ALLOWED_HOSTS = ["*"]
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
FIRST_REQUESTS = """
import json, time, django
django.setup()
import app_urls
from django.contrib.auth.models import User
from django.core.management import call_command
from rest_framework.test import APIClient
from tests.toyhost.models import Reader

call_command("migrate", run_syncdb=True, verbosity=0)
account = User.objects.create_user("ann")
Reader.objects.create(name="Ann", account=account)
client = APIClient()
client.force_authenticate(account)

def ask(path):
    start = time.process_time()
    assert client.get(path).status_code == 200
    return (time.process_time() - start) * 1000

paths = {"recommendations": "/api/recommendations/books/", "schema": "/api/schema/"}
print(json.dumps({name: [ask(path), ask(path)] for name, path in paths.items()}))
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
        requests = first_requests(folder)
    added = (rounds.median_ms("app") - rounds.median_ms("plain")) / 1000
    share = added / LIMIT_SECONDS
    limited = Claim(
        "seconds that the app adds, of those allowed", share, share, share, 1.0, added * 1000, LIMIT_SECONDS * 1000
    )
    print(f"manage.py check: the app adds {added:.3f} s, at most {LIMIT_SECONDS}")
    for name, (first, second) in requests.items():
        print(f"the first request for {name} costs {first:.0f} ms of a process, the second {second:.0f} ms")
    claim = rounds.claim("manage.py check with the app and without", "app", "plain")
    details = {"added_seconds": added, "limit_seconds": LIMIT_SECONDS, "first_and_second_request_ms": requests}
    return report("start-up", [limited, claim], Path("bench/startup.json"), **details)


def check_seconds(folder: Path, settings: str) -> float:
    """Return the processor seconds of one ``manage.py check``."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run_python(folder, settings, "-m", "django", "check")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


def first_requests(folder: Path) -> dict[str, list[float]]:
    """Return the processor milliseconds of the first request of a process and of the second, medians, by what."""
    runs = [json.loads(run_python(folder, "app_settings", "-c", FIRST_REQUESTS)) for _ in range(FIRST_ROUNDS)]
    return {name: [statistics.median(run[name][place] for run in runs) for place in (0, 1)] for name in runs[0]}


def run_python(folder: Path, settings: str, *arguments: str) -> str:
    """Return what a new process prints."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": settings,
        "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
    }
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    sys.exit(main())
