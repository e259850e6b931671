"""The host project's settings plus a tiny host app whose answers a child can check."""

import tempfile

from backend.settings import *  # noqa: F403
from backend.settings import INSTALLED_APPS, RECOMMENDER

INSTALLED_APPS = [*INSTALLED_APPS, "tests.toyhost"]
RECOMMENDER = {
    **RECOMMENDER,
    "ARTIFACT_ROOT": tempfile.mkdtemp(prefix="recommender-tests-"),
    "MIN_USERS": 2,
    "MIN_ITEMS": 2,
    "MIN_INTERACTIONS": 4,
    "BUDGET_MS": 60_000,  # no answer depends on how busy the machine is; tests of the deadline set their own
}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
