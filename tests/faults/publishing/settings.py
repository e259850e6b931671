"""Settings of the publishers: a database in a file and artifacts in a folder, both named by the environment."""

import os

import environ

from recommender_app.conf import DEFAULTS
from tests.settings import *  # noqa: F403
from tests.settings import RECOMMENDER as TESTED

DATABASES = {"default": environ.Env.db_url_config(os.environ["DATABASE_URL"])}
RECOMMENDER = {
    **TESTED,
    "ARTIFACT_ROOT": os.environ["ARTIFACT_ROOT"],
    "PRELOAD": False,
    "N_THREADS": 1,
    "TRAINERS": {key: None for key in DEFAULTS["TRAINERS"] if key not in ("popular", "trending", "ensemble")},
    "TRAINING_SCHEDULE": {},  # tests ask for what they want
}
