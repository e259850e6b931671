"""What the broker itself says: asked by ``check --deploy`` only, and never for long."""

from __future__ import annotations

from typing import Any

from django.conf import settings as django_settings
from django.core.checks import CheckMessage

from recommender_app.checks.messages import warning

SETTING = "CELERY_BROKER_URL"
TIMEOUT_SECONDS = 1.0
SAFE = "noeviction"


def broker_advice() -> list[CheckMessage]:
    """Warn of a Redis that throws messages away when its memory is full; silent where it cannot be asked."""
    url = str(getattr(django_settings, SETTING, None) or "")
    policy = _eviction_policy(url) if url.startswith(("redis://", "rediss://")) else None
    if policy is None or policy == SAFE:
        return []
    message = f"The broker's Redis has the eviction policy {policy}: when its memory is full, whole queues are deleted."
    hint = "Give the broker a Redis of its own with maxmemory-policy noeviction; caches belong into another."
    return [warning(106, SETTING, message, hint)]


def _eviction_policy(url: str) -> str | None:
    """Return what ``INFO memory`` says; hosted Redis servers refuse ``CONFIG GET``."""
    try:
        from redis import Redis, RedisError
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError:
        return None
    waits: dict[str, Any] = {"socket_connect_timeout": TIMEOUT_SECONDS, "socket_timeout": TIMEOUT_SECONDS}
    try:
        with Redis.from_url(url, retry=Retry(NoBackoff(), 0), **waits) as client:
            return client.info("memory").get("maxmemory_policy")
    except (RedisError, OSError, ValueError):
        return None
