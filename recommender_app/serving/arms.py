"""From a request to the arm of an experiment, and from the arm to what it says about serving.

No request fails because of an experiment: whoever cannot be assigned is served by the policy in
force, as everybody is who is in none, and is counted.
"""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from recommender_app import conf
from recommender_app.experiments.arm_policies import RELEASE
from recommender_app.experiments.assigning import Assigned, Unit, assign, assigned, peek
from recommender_app.experiments.facts import Facts
from recommender_app.experiments.running import known_phases, running_phases
from recommender_app.models import Assignment, Experiment, ServingPolicy
from recommender_app.models.policy_rules import policy_problems
from recommender_app.models.serving_policy import FIELDS
from recommender_app.serving import overlay, pinned_releases
from recommender_app.serving.database import NONSENSE, savepoint
from recommender_app.serving.loading import LoadedRelease
from recommender_app.serving.policies import policy_for
from recommender_app.serving.policy_layers import ARM, Layer, admin_layer
from recommender_app.serving.query import Query
from recommender_app.serving.router import PIN_NOT_LOADED, Policy
from recommender_app.usecases.visitors import Visitor, host_user

logger = logging.getLogger(__name__)

KEPT = 64  # arms whose policies are kept as layers

_failures = itertools.count(1)
_n_failed = 0
_failing: set[str] = set()  # use cases whose last assignment failed


def arm_for(query: Query, user_id: str, interaction_count: int, *, writes: bool) -> Assigned | None:
    """Return the arm of who asks; None where nothing runs for them, or where it cannot be found out.

    Args:
        user_id: as it is logged; of who is "", nothing is stored.
        writes: False for previews: nobody is enrolled by them.
    """
    use_case = query.use_case
    _let_go(use_case.key)
    if not user_id or not running_phases(use_case.key):
        return None
    unit, facts = _unit(query.user, user_id), Facts(interaction_count, host_user(query.user))
    try:
        with savepoint(Assignment, writes=True):
            found = assign(use_case, unit, facts) if writes else peek(use_case, unit, facts)
    except Exception:  # noqa: BLE001  around an assignment: a database, or a host's hook, costs the arm and not the answer
        _count_failure(use_case.key)
        return None
    _failing.discard(use_case.key)
    return found


def arm_named(use_case_key: str, experiment: str, phase: int | None, arm: str) -> Assigned | None:
    """Return an arm that an earlier answer names; None where its phase runs no more. No query."""
    if not experiment:
        return None
    running = [each for each in running_phases(use_case_key) if (each.experiment, each.number) == (experiment, phase)]
    return next((assigned(each, found) for each in running for found in each.arms if found.key == arm), None)


def policy_of(use_case_key: str, found: Assigned | None) -> Policy:
    """Return the policy that serves an arm; the one in force for who is in none."""
    return policy_for(use_case_key, _layer(_as_text(found.policy)) if found and found.policy else None)


def release_of(
    use_case_key: str, found: Assigned | None, live: LoadedRelease | None
) -> tuple[LoadedRelease | None, str]:
    """Return the release that serves an arm, and why it is not the one that the arm pins; "" = it is.

    Args:
        live: what is live.
    """
    number = found.policy.get(RELEASE) if found and isinstance(found.policy, Mapping) else None
    if not isinstance(number, int):
        return live, ""
    release = pinned_releases.pinned(use_case_key, number, live)
    return (release, "") if release else (live, PIN_NOT_LOADED)


def pinned_by_arms(use_case_key: str) -> frozenset[int]:
    """Return the numbers of the releases that arms of what runs pin. No query."""
    policies = (arm.policy for phase in running_phases(use_case_key) for arm in phase.arms)
    numbers = (policy.get(RELEASE) for policy in policies if isinstance(policy, Mapping))
    return frozenset(number for number in numbers if isinstance(number, int))


def _let_go(use_case_key: str) -> None:
    """Drop the releases that no arm pins any more: in memory they are, and on the disk if their files are deleted."""
    kept = pinned_releases.pinned_numbers(use_case_key)
    left = kept - pinned_by_arms(use_case_key) if kept else kept
    if left:
        pinned_releases.leave(use_case_key, left)
        overlay.leave(use_case_key, left)


def note_unasked(query: Query) -> None:
    """Count a request whose database failed before anybody could ask for the arm; to be called in the handler."""
    if known_phases(query.use_case.key):
        _count_failure(query.use_case.key)


def failing() -> list[str]:
    """Return the use cases that run experiments to which nobody can be assigned at the moment."""
    return sorted(key for key in _failing if known_phases(key))


def n_failed() -> int:
    """Return how many requests of this process were served without the arm that they may have had."""
    return _n_failed


def _unit(user: Any, user_id: str) -> Unit:
    if isinstance(user, Visitor):
        return Unit(Experiment.UnitType.SESSION.value, user.session)
    return Unit(Experiment.UnitType.USER.value, user_id)


def _as_text(policy: Mapping[str, Any]) -> str:
    return json.dumps(policy, sort_keys=True, default=str)


@lru_cache(maxsize=KEPT)
def _layer(policy_text: str) -> Layer:
    """Return what an arm says; nothing where it makes no sense, which is logged once."""
    try:
        row = ServingPolicy(**{name: value for name, value in json.loads(policy_text).items() if name != RELEASE})
        problems: object = policy_problems({name: getattr(row, name) for name in FIELDS})
        layer = admin_layer(row)
    except NONSENSE as error:
        problems, layer = error, Layer(ARM)
    if problems:
        logger.error("The policy of an arm makes no sense, the one in force serves: %s: %s", policy_text, problems)
        return Layer(ARM)
    return Layer(ARM, layer.values, layer.switches)


def _count_failure(use_case_key: str) -> None:
    global _n_failed
    _n_failed = next(_failures)
    if use_case_key not in _failing:
        _failing.add(use_case_key)
        logger.exception("Users of %s cannot be assigned to experiments; the policy in force serves.", use_case_key)


def _forget() -> None:
    _layer.cache_clear()
    _failing.clear()


conf.on_reload.append(_forget)
