"""Rates of our own (setting THROTTLE_RATES): the host's throttles stay as they are."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import threading
import time
from collections.abc import Sequence
from typing import Any

from rest_framework.settings import api_settings
from rest_framework.throttling import SimpleRateThrottle

from recommender_app.api.permissions import is_logged_in
from recommender_app.conf import settings
from recommender_app.serving.cache import cache_errors

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 10.0  # how long a cache that failed is left alone
_counting = threading.Lock()


class RecommenderThrottle(SimpleRateThrottle):
    """So many requests per logged-in account, or per address; lets everybody pass while the cache is down.

    DRF's throttle reads a list, changes it and writes it back: of parallel requests too many pass.
    This one counts with the cache's ``incr``, which is exact where that is atomic (Redis,
    Memcached, and the local memory of one process). Time is cut into windows as long as the
    rate's; of the window before, so much counts as a span of that length that ends now still
    covers. Requests that are refused are not counted.
    """

    num_requests: int
    duration: int  # seconds
    _paused_until = 0.0  # monotonic seconds, of the process
    _n_unlimited = 0  # requests of the process that passed because the cache was down
    _place = ""  # key of the counter that counts the request

    def get_rate(self) -> str | None:
        """Return the configured rate; None (or no entry) = no limit."""
        return settings.THROTTLE_RATES.get(self.scope)

    def get_cache_key(self, request: Any, view: Any) -> str:
        """Return the key of the account, or of the address; hashed, because an address is what a client says."""
        account = getattr(request.user, "pk", None)
        ident = self.get_ident(request) if account is None else f"account-{account}"
        digest = hashlib.blake2s(str(ident).encode(errors="replace"), digest_size=16).hexdigest()
        return f"recommender_throttle_{self.scope}_{digest}"

    def get_ident(self, request: Any) -> str:
        """Return the address. What X-Forwarded-For says counts only where the host says how many proxies write it."""
        if api_settings.NUM_PROXIES is None:
            return str(request.META.get("REMOTE_ADDR") or "")
        return super().get_ident(request) or ""

    def allow_request(self, request: Any, view: Any) -> bool:
        """Return whether the request may pass."""
        if self.rate is None:
            return True
        if time.monotonic() < RecommenderThrottle._paused_until:
            return _passes_uncounted()
        try:
            return self._takes_a_place(self.get_cache_key(request, view))
        except cache_errors() as error:
            _pause(error)
            return _passes_uncounted()

    def wait(self) -> float | None:
        """Return the seconds until one more request passes if no other does; None where none ever will."""
        if not self.num_requests:
            return None
        elapsed, n_others = self.now % self.duration, self.n_counted - 1
        if n_others < self.num_requests and self.n_before:  # enough of the window before must fade
            share = (self.num_requests - n_others - 1) / self.n_before
            return self.duration * (1 - share) - elapsed
        return self.duration - elapsed + self.duration / self.num_requests

    def give_back(self) -> None:
        """Count the request no more: another rate has refused it."""
        if self._place:
            _uncount(self.cache, self._place)

    def _takes_a_place(self, key: str) -> bool:
        self.now = self.timer()
        window = int(self.now // self.duration)
        current = f"{key}_{window}"
        self.n_counted = self._counted(current)
        self.n_before = min(self._read(f"{key}_{window - 1}"), self.num_requests)
        if self.n_counted + self.n_before * (1 - self.now % self.duration / self.duration) <= self.num_requests:
            self._place = current
            return True
        _uncount(self.cache, current)
        return False

    def _counted(self, key: str) -> int:
        """Return the counter's value with this request; what is not a number is overwritten."""
        try:
            for _ in range(2):
                with contextlib.suppress(ValueError):  # no such key
                    return self.cache.incr(key)
                self.cache.add(key, 0, 2 * self.duration)
        except not_a_number() as error:
            self.cache.set(key, 1, 2 * self.duration)  # raises again where the cache is down
            logger.warning("A throttle counter was no number and is overwritten: %s", error)
        return 1

    def _read(self, key: str) -> int:
        try:
            return self.cache.incr(key, 0)  # reads without unpickling; the cache has just answered
        except not_a_number():
            return 0


class RecommendationThrottle(RecommenderThrottle):
    """Recommendation requests."""

    scope = "recommendations"


class EventThrottle(RecommenderThrottle):
    """Posts of events."""

    scope = "events"


class AnonymousThrottle(RecommenderThrottle):
    """Requests without a login, per address, beside the rate of everybody."""

    def allow_request(self, request: Any, view: Any) -> bool:
        """Return whether the request may pass; whoever has logged in has a rate of their own."""
        return is_logged_in(request) or super().allow_request(request, view)


class AnonymousListThrottle(AnonymousThrottle):
    """Recommendation requests of visitors."""

    scope = "anonymous_recommendations"


class AnonymousEventThrottle(AnonymousThrottle):
    """Posts of events of visitors."""

    scope = "anonymous_events"


class SchemaThrottle(RecommenderThrottle):
    """Requests for the OpenAPI description, which is computed each time."""

    scope = "schema"


def n_unlimited() -> int:
    """Return how many requests of this process passed because the cache that counts was down."""
    return RecommenderThrottle._n_unlimited


def refusals(throttles: Sequence[Any], request: Any, view: Any) -> list[Any]:
    """Return the throttles that refuse a request, which then counts under none of them."""
    refusing = [throttle for throttle in throttles if not throttle.allow_request(request, view)]
    for throttle in throttles if refusing else ():
        throttle.give_back()
    return refusing


def _uncount(cache: Any, key: str) -> None:
    with contextlib.suppress(ValueError, *cache_errors()):  # it has just expired or been evicted, or cannot be reached
        cache.decr(key)


def _passes_uncounted() -> bool:
    with _counting:
        RecommenderThrottle._n_unlimited += 1
    return True


def _pause(error: Exception) -> None:
    """Leave the cache alone for a while; of parallel requests that meet the error one says so."""
    now = time.monotonic()
    with _counting:
        was_paused = now < RecommenderThrottle._paused_until
        RecommenderThrottle._paused_until = now + PAUSE_SECONDS
    if not was_paused:
        logger.warning("No throttling for %s seconds, the cache cannot be reached: %s", PAUSE_SECONDS, error)


def not_a_number() -> tuple[type[Exception], ...]:
    """Return what an increment of something else than a number raises."""
    return (TypeError, ValueError, *cache_errors())
