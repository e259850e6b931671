"""The one place that decides which policy routes a use case."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from recommender_app.conf import settings
from recommender_app.serving.router import Policy

_forced: dict[str, Policy] = {}


def default_policy() -> Policy:
    """Return the plan's thresholds: content for new users, ALS for warm ones, the ensemble for active ones."""
    return Policy(
        "default",
        (
            (0, "content_based"),
            (settings.COLD_START_THRESHOLD, "als"),
            (settings.WARM_USER_THRESHOLD, "ensemble"),
        ),
    )


def policy_for(use_case_key: str) -> Policy:
    """Return the policy that routes the requests of a use case."""
    return _forced.get(use_case_key) or default_policy()


@contextmanager
def forced_policy(use_case_key: str, policy: Policy) -> Iterator[None]:
    """Route a use case by ``policy`` inside the block; for tests."""
    before = _forced.get(use_case_key)
    _forced[use_case_key] = policy
    try:
        yield
    finally:
        _forced.pop(use_case_key)
        if before is not None:
            _forced[use_case_key] = before
