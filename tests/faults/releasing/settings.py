"""The toy host as a site of several processes; what differs comes from the environment."""

import os

from tests.settings import *  # noqa: F403
from tests.settings import RECOMMENDER

ALLOWED_HOSTS = ["127.0.0.1"]
RECOMMENDER = {
    **RECOMMENDER,
    "ARTIFACT_ROOT": os.environ["ARTIFACT_ROOT"],
    "RELOAD_SECONDS": float(os.environ.get("RELOAD_SECONDS", "5")),
    "THROTTLE_RATES": {"recommendations": None, "schema": None},
}
