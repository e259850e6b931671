"""One computation for everybody who asks for the same thing at the same time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from recommender_app.serving.cache import PatientCache

T = TypeVar("T")

LOCK_SECONDS = 2.0  # after that, whoever computes is presumed dead
POLL_SECONDS = 0.01


def fetched(
    cache: PatientCache,
    key: str,
    *,
    seconds: float,
    wait_seconds: float,
    accept: Callable[[str], T | None],
    compute: Callable[[], tuple[T, str]],
) -> T:
    """Return what is stored under a key; else compute it, once for all who ask meanwhile.

    Who comes second waits for the first, but not long: then it computes, too. What cannot be
    accepted (garbage, another format) is computed and overwritten.

    Args:
        seconds: how long it is kept.
        wait_seconds: how long to wait for somebody else's result.
        accept: turns the stored text into a result, None where it is none.
        compute: returns the result and the text to store, "" for nothing.
    """
    found = _accepted(cache, key, accept)
    if found is not None:
        return found
    lock = f"{key}:lock"
    is_first = cache.add(lock, LOCK_SECONDS)
    try:
        # Once more where we are the first: somebody may have finished between our look and our lock.
        found = _awaited(cache, key, wait_seconds, accept) if is_first is False else _accepted(cache, key, accept)
        if found is not None:
            return found
        result, text = compute()
        if text:
            cache.set(key, text, seconds)
        return result
    finally:
        if is_first:
            cache.delete(lock)


def _awaited(cache: PatientCache, key: str, wait_seconds: float, accept: Callable[[str], T | None]) -> T | None:
    until = time.monotonic() + wait_seconds
    while time.monotonic() < until and not cache.is_paused:
        time.sleep(POLL_SECONDS)
        found = _accepted(cache, key, accept)
        if found is not None:
            return found
    return None


def _accepted(cache: PatientCache, key: str, accept: Callable[[str], T | None]) -> T | None:
    text = cache.get(key)
    return None if text is None else accept(text)
