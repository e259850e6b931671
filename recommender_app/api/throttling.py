"""Rates of our own (setting THROTTLE_RATES): the host's throttles stay as they are."""

from __future__ import annotations

import logging
import sys
import time
from typing import Any

from django.db import DatabaseError
from rest_framework.throttling import SimpleRateThrottle

from recommender_app.conf import settings

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 10.0  # how long a cache that failed is left alone
CLIENT_ERRORS = (  # what the clients behind Django's cache backends raise, where they are installed
    ("redis", "RedisError"),
    ("django_redis.exceptions", "ConnectionInterrupted"),
    ("pymemcache", "MemcacheError"),
    ("pylibmc", "Error"),
)


class RecommenderThrottle(SimpleRateThrottle):
    """So many requests per logged-in account, or per address; lets everybody pass while the cache is down."""

    _paused_until = 0.0  # monotonic seconds, of the process

    def get_rate(self) -> str | None:
        """Return the configured rate; None (or no entry) = no limit."""
        return settings.THROTTLE_RATES.get(self.scope)

    def get_cache_key(self, request: Any, view: Any) -> str:
        """Return the key of the account, or of the address."""
        account = getattr(request.user, "pk", None)
        ident = self.get_ident(request) if account is None else f"account-{account}"
        return f"recommender_throttle_{self.scope}_{ident}"

    def allow_request(self, request: Any, view: Any) -> bool:
        """Return whether the request may pass."""
        if time.monotonic() < RecommenderThrottle._paused_until:
            return True
        try:
            return super().allow_request(request, view)
        except cache_errors() as error:
            logger.warning("No throttling for %s seconds, the cache cannot be reached: %s", PAUSE_SECONDS, error)
            RecommenderThrottle._paused_until = time.monotonic() + PAUSE_SECONDS
            return True


class RecommendationThrottle(RecommenderThrottle):
    """Recommendation requests."""

    scope = "recommendations"


class SchemaThrottle(RecommenderThrottle):
    """Requests for the OpenAPI description, which is computed each time."""

    scope = "schema"


def cache_errors() -> tuple[type[Exception], ...]:
    """Return the errors of the cache clients that this process has loaded."""
    found = [getattr(sys.modules.get(module), name, None) for module, name in CLIENT_ERRORS]
    return (OSError, DatabaseError, *(error for error in found if error is not None))
