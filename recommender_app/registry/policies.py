"""Policies: read, saved and deleted in one place, with a trail."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import IntegrityError

from recommender_app.exceptions import ConfigurationError
from recommender_app.models import PolicyChange, ServingPolicy
from recommender_app.registry.database import atomic


def active_policy(use_case_key: str) -> ServingPolicy | None:
    """Return the policy of a use case that is in force; None if nobody made one."""
    return ServingPolicy.objects.filter(use_case=use_case_key, is_active=True).first()


def save_policy(policy: ServingPolicy, *, by: str) -> ServingPolicy:
    """Check and store a policy together with who changed what; every process follows within RELOAD_SECONDS.

    Raises:
        ConfigurationError: a field is wrong, or another policy of the use case is active.
    """
    try:
        policy.full_clean()
        with atomic():
            stored = ServingPolicy.objects.select_for_update().filter(pk=policy.pk).first()
            before = stored.as_json() if stored else None
            policy.save()
            _record(policy, by, before, policy.as_json())
    except ValidationError as error:
        raise ConfigurationError(f"The policy was not saved: {' '.join(error.messages)}") from error
    except IntegrityError as error:
        raise ConfigurationError(f"Another policy of {policy.use_case} was activated meanwhile: try again.") from error
    return policy


def delete_policy(policy: ServingPolicy, *, by: str) -> None:
    """Delete a policy; what it said stays in the trail."""
    with atomic():
        stored = ServingPolicy.objects.select_for_update().filter(pk=policy.pk).first()
        if stored is not None:
            _record(stored, by, stored.as_json(), None)
            stored.delete()


def _record(
    policy: ServingPolicy, by: str, before: dict[str, object] | None, after: dict[str, object] | None
) -> PolicyChange:
    return PolicyChange.objects.create(
        use_case=policy.use_case, policy_id=policy.pk, name=policy.name, changed_by=by, before=before, after=after
    )
