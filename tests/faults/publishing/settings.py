"""Settings of the publishers: the environment names database, folder of artifacts and, for many hosts, storage."""

import os

import environ
from django.conf import global_settings

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

if BUCKET := os.environ.get("BUCKET"):
    bucket = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": BUCKET}}
    STORAGES = {**global_settings.STORAGES, "bucket": bucket}
    RECOMMENDER["ARTIFACT_STORAGE"] = "bucket"
