"""The toy host whose trainings take as long as a test wants; what differs comes from the environment."""

import os

from recommender_app.conf import DEFAULTS
from recommender_app.schedule import beat_schedule
from tests.settings import *  # noqa: F403
from tests.settings import CELERY_BROKER_TRANSPORT_OPTIONS, RECOMMENDER

# Processes start all the time here: they import no more than they need.
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "rest_framework",
    "rest_framework.authtoken",
    "recommender_app",
    "tests.toyhost",
]
MIDDLEWARE = []
ROOT_URLCONF = "tests.faults.workers.urls"
ALLOWED_HOSTS = ["127.0.0.1"]
RECOMMENDER = {
    **RECOMMENDER,
    "ARTIFACT_ROOT": os.environ["ARTIFACT_ROOT"],
    "THROTTLE_RATES": {"recommendations": None, "schema": None},
    "TRAINERS": {**dict.fromkeys(DEFAULTS["TRAINERS"]), "popular": "tests.faults.workers.trainers.PatientTrainer"},
    "TRAINING_SCHEDULE": {"popular": os.environ["EVERY"]} if "EVERY" in os.environ else {},
    "LEASE_SECONDS": 3.0,
    "QUEUE_SECONDS": 5.0,
}
CELERY_TASK_SOFT_TIME_LIMIT = None  # tests give a message its limits; Celery lets the hard one follow the soft one
LOGGING = {}  # Celery's own
CELERY_BEAT_SCHEDULE = beat_schedule(dispatch_seconds=1.0)
CELERY_BROKER_TRANSPORT_OPTIONS = {**CELERY_BROKER_TRANSPORT_OPTIONS, "socket_timeout": 2}
