"""Settings of the site; what differs between tests comes from the environment."""

import os

from tests.settings import *  # noqa: F403
from tests.settings import CACHES, MIDDLEWARE, RECOMMENDER, REST_FRAMEWORK

RECOMMENDER = {
    **RECOMMENDER,
    "ARTIFACT_ROOT": os.environ["FAULTS_ARTIFACTS"],
    "COLD_START_THRESHOLD": 1,
    "RELOAD_SECONDS": float(os.environ.get("FAULTS_RELOAD_SECONDS", "0")),  # 0: each request reads what is live
    "THROTTLE_RATES": {"recommendations": os.environ.get("FAULTS_RATE", "100000/min")},
}
if "FAULTS_CACHE_SECONDS" in os.environ:  # a busy machine must not look like a broken cache where all is counted
    CACHES["default"]["OPTIONS"]["socket_timeout"] = float(os.environ["FAULTS_CACHE_SECONDS"])
REST_FRAMEWORK = {
    **REST_FRAMEWORK,
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "tests.faults.site.signed.SignedAuthentication",
        *REST_FRAMEWORK["DEFAULT_AUTHENTICATION_CLASSES"],
    ],
}
MIDDLEWARE = [*MIDDLEWARE, "tests.faults.site.routing.routed_by_header"]
