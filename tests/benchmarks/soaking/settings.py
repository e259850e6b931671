"""The measured site with what the soak breaks: throttles and slates in the cache that CACHE_URL names."""

from tests.benchmarks.site.settings import *  # noqa: F403
from tests.benchmarks.site.settings import RECOMMENDER as MEASURED

RECOMMENDER = {
    **MEASURED,
    "THROTTLE_RATES": {"recommendations": "100000/min"},
    "SLATE_CACHE_SECONDS": 5.0,
    "BUDGET_MS": 200,
}
