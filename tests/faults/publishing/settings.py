"""Settings of the publishers: a database in a file and artifacts in a folder, both named by the environment."""

import os

import environ

from tests.settings import *  # noqa: F403
from tests.settings import RECOMMENDER as TESTED

DATABASES = {"default": environ.Env.db_url_config(os.environ["DATABASE_URL"])}
RECOMMENDER = {**TESTED, "ARTIFACT_ROOT": os.environ["ARTIFACT_ROOT"], "PRELOAD": False}
