"""Settings of the measured site; database and artifacts come from the environment."""

import os

import environ

from recommender_app.conf import DEFAULTS
from tests.settings import *  # noqa: F403
from tests.settings import RECOMMENDER as TESTED

DEBUG = False
SECRET_KEY = "of-a-benchmark-only"
DATABASES = {"default": environ.Env.db_url_config(os.environ["BENCH_DATABASE"]) | {"CONN_MAX_AGE": 600}}
ROOT_URLCONF = "tests.benchmarks.site.urls"
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
RECOMMENDER = {
    **TESTED,
    "ARTIFACT_ROOT": os.environ["BENCH_ARTIFACTS"],
    "PRELOAD": True,
    "THROTTLE_RATES": {"recommendations": None},
    "BUDGET_MS": DEFAULTS["BUDGET_MS"],  # the tests' own is generous
}
LOGGING = {"version": 1, "disable_existing_loggers": False, "root": {"level": "ERROR"}}
