"""The one place that decides which policy serves a use case, and why.

A policy that staff save is in force in every process within RELOAD_SECONDS: one request in that
time reads it, the others pay nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from recommender_app import conf
from recommender_app.models import ServingPolicy
from recommender_app.models.policy_rules import policy_problems
from recommender_app.registry.policies import active_policy
from recommender_app.registry.rereading import Rereading
from recommender_app.serving.database import DATABASE_ERRORS, NONSENSE, savepoint
from recommender_app.serving.policy_layers import (
    ADMIN,
    Layer,
    admin_layer,
    default_layer,
    environment_layer,
    merged,
    use_case_layer,
)
from recommender_app.serving.router import Policy
from recommender_app.usecases.site import get_use_case

logger = logging.getLogger(__name__)


class PolicyInForce:
    """The policy of one use case in this process; safe to share between threads."""

    def __init__(self, use_case_key: str) -> None:
        self.layers: tuple[Layer, ...] = _layers(use_case_key, Layer(ADMIN))
        self.policy = merged(self.layers)
        self._use_case_key = use_case_key
        self._is_readable = True
        self._rereading = Rereading(self._read)

    def refresh(self) -> PolicyInForce:
        """Read the stored policy if that is due; while one thread reads, others use the one before."""
        self._rereading.when_due()
        return self

    @property
    def is_readable(self) -> bool:
        """Whether the stored policy could be read, and made sense, when it was looked for last."""
        return self._is_readable

    def _read(self) -> None:
        """Take over what is stored; the last known policy stays where it cannot be read or makes no sense."""
        try:
            with savepoint(ServingPolicy):
                row = active_policy(self._use_case_key)
            problems = policy_problems(row.as_json()) if row else {}
            layers = self.layers if problems else _layers(self._use_case_key, admin_layer(row))
            policy = merged(layers)
        except (*DATABASE_ERRORS, *NONSENSE) as error:
            self._report(f"cannot be read: {error}")
            return
        if problems:
            self._report(f"makes no sense: {problems}")
            return
        self._is_readable = True
        self.layers, self.policy = layers, policy

    def _report(self, problem: str) -> None:
        if self._is_readable:
            logger.error("The stored policy of %s %s. The one before stays in force.", self._use_case_key, problem)
        self._is_readable = False


_in_force: dict[str, PolicyInForce] = {}
_forced: dict[str, Policy] = {}


def policy_for(use_case_key: str, arm: Layer | None = None) -> Policy:
    """Return the policy that serves the requests of a use case, or those of one arm."""
    return _forced.get(use_case_key) or decide(use_case_key, arm)


def decide(use_case_key: str, arm: Layer | None = None) -> Policy:
    """Return the policy in force; its ``origins`` say which level decided what.

    Highest first: the arm of an experiment, the environment, the admin, the use case, the settings.

    Raises:
        UnknownUseCase: nothing is registered under the key.
    """
    found = _of(use_case_key).refresh()
    return found.policy if arm is None else merged((*found.layers, arm))


def is_readable(use_case_key: str) -> bool:
    """Return whether the stored policy could be read, and made sense, when it was looked for last."""
    return _of(use_case_key).is_readable


def forget() -> None:
    """Drop what was read; the next request reads anew."""
    _in_force.clear()


@contextmanager
def forced_policy(use_case_key: str, policy: Policy) -> Iterator[None]:
    """Serve a use case by ``policy`` inside the block; for tests."""
    before = _forced.get(use_case_key)
    _forced[use_case_key] = policy
    try:
        yield
    finally:
        _forced.pop(use_case_key)
        if before is not None:
            _forced[use_case_key] = before


def _of(use_case_key: str) -> PolicyInForce:
    return _in_force.get(use_case_key) or _in_force.setdefault(use_case_key, PolicyInForce(use_case_key))


def _layers(use_case_key: str, stored: Layer) -> tuple[Layer, ...]:
    return (default_layer(), use_case_layer(get_use_case(use_case_key)), stored, environment_layer())


conf.on_reload.append(forget)
