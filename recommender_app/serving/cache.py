"""A Django cache that may be down, slow or full of garbage: then it is empty, and nobody waits for it."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.cache import caches
from django.db import DatabaseError

logger = logging.getLogger(__name__)
T = TypeVar("T")

PAUSE_SECONDS = 10.0  # how long a cache that failed, or took long, is left alone
SLOW_SECONDS = 0.1
CLIENT_ERRORS = (  # what the clients behind Django's cache backends raise, where they are installed
    ("redis", "RedisError"),
    ("django_redis.exceptions", "ConnectionInterrupted"),
    ("pymemcache", "MemcacheError"),
    ("pylibmc", "Error"),
)
GARBAGE_ERRORS = (  # what values raise that others wrote, beside Python's own errors
    ("redis", "ResponseError"),
    ("pickle", "UnpicklingError"),
    ("zlib", "error"),
)


def cache_errors() -> tuple[type[Exception], ...]:
    """Return the errors of the cache clients that this process has loaded."""
    return (OSError, DatabaseError, *_loaded(CLIENT_ERRORS))


def garbage_errors() -> tuple[type[Exception], ...]:
    """Return what reading a value may raise that is none of ours: the backends unpickle it."""
    return (ValueError, TypeError, LookupError, AttributeError, ImportError, EOFError, *_loaded(GARBAGE_ERRORS))


class PatientCache:
    """The cache of one alias; every answer of it may be "nothing"."""

    def __init__(self, alias: str) -> None:
        self.alias = alias

    @property
    def is_paused(self) -> bool:
        """Whether it failed or was slow a moment ago."""
        return time.monotonic() < _paused_until.get(self.alias, 0.0)

    def get(self, key: str) -> str | None:
        """Return the text stored under a key; None where there is none, or something else."""
        value = self._called(lambda: caches[self.alias].get(key), None, garbage_errors())
        return value if isinstance(value, str) else None

    def set(self, key: str, text: str, seconds: float) -> None:
        """Store a text, if that is possible."""
        self._called(lambda: caches[self.alias].set(key, text, seconds), None)

    def add(self, key: str, seconds: float) -> bool | None:
        """Return whether we are the first to store the key; None where nobody can tell."""
        return self._called(lambda: bool(caches[self.alias].add(key, 1, seconds)), None)

    def delete(self, key: str) -> None:
        """Remove a key, if that is possible."""
        self._called(lambda: caches[self.alias].delete(key), None)

    def _called(self, call: Callable[[], T], nothing: T, forgiven: tuple[type[Exception], ...] = ()) -> T:
        if self.is_paused:
            return nothing
        started = time.monotonic()
        try:
            return call()
        except forgiven:
            return nothing
        except cache_errors() as error:
            self._pause(f"cannot be reached: {error}")
            return nothing
        finally:
            seconds = time.monotonic() - started
            if seconds > SLOW_SECONDS and not self.is_paused:
                self._pause(f"took {seconds:.2f} s")

    def _pause(self, why: str) -> None:
        logger.warning("The cache %s is left alone for %s seconds, it %s", self.alias, PAUSE_SECONDS, why)
        _paused_until[self.alias] = time.monotonic() + PAUSE_SECONDS


def forget() -> None:
    """Try every cache again."""
    _paused_until.clear()


def _loaded(names: tuple[tuple[str, str], ...]) -> tuple[Any, ...]:
    found = [getattr(sys.modules.get(module), name, None) for module, name in names]
    return tuple(error for error in found if error is not None)


_paused_until: dict[str, float] = {}  # alias -> monotonic seconds, of the process
