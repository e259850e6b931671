"""Policies: read, saved and deleted in one place, with a trail."""

from __future__ import annotations

from functools import partial

from django.core.exceptions import ValidationError
from django.db import IntegrityError

from recommender_app.conf import settings
from recommender_app.exceptions import ConfigurationError
from recommender_app.models import PolicyChange, ServingPolicy
from recommender_app.models.policy_rules import lone_threshold_problem
from recommender_app.registry.edits import delete_with_trail, save_with_trail

Said = dict[str, object] | None  # what a policy says


def active_policy(use_case_key: str) -> ServingPolicy | None:
    """Return the policy of a use case that is in force; None if nobody made one."""
    return ServingPolicy.objects.filter(use_case=use_case_key, is_active=True).first()


def check_thresholds(cold: int | None, warm: int | None) -> None:
    """Check one threshold without the other against the settings, which then decide the other.

    Raises:
        ValidationError: ALS would never answer.
    """
    problems = lone_threshold_problem(cold, warm, (settings.COLD_START_THRESHOLD, settings.WARM_USER_THRESHOLD))
    if problems:
        raise ValidationError(problems)


def save_policy(policy: ServingPolicy, *, by: str) -> ServingPolicy:
    """Check and store a policy together with who changed what; every process follows within RELOAD_SECONDS.

    Raises:
        ConfigurationError: a field is wrong, or another policy of the use case is active.
    """
    try:
        policy.full_clean()
        check_thresholds(policy.cold_start_threshold, policy.warm_user_threshold)
        return save_with_trail(policy, partial(_record, by))
    except ValidationError as error:
        raise ConfigurationError(f"The policy was not saved: {' '.join(error.messages)}") from error
    except IntegrityError as error:
        raise ConfigurationError(f"Another policy of {policy.use_case} was activated meanwhile: try again.") from error


def delete_policy(policy: ServingPolicy, *, by: str) -> None:
    """Delete a policy; what it said stays in the trail."""
    delete_with_trail(policy, partial(_record, by))


def _record(by: str, policy: ServingPolicy, before: Said, after: Said) -> PolicyChange:
    return PolicyChange.objects.create(
        use_case=policy.use_case, policy_id=policy.pk, name=policy.name, changed_by=by, before=before, after=after
    )
