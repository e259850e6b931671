"""Business rules: read, saved and deleted in one place, with a trail."""

from __future__ import annotations

from functools import partial

from django.core.exceptions import ValidationError
from django.db import IntegrityError

from recommender_app.exceptions import ConfigurationError
from recommender_app.models import BusinessRule, RuleChange
from recommender_app.registry.database import atomic
from recommender_app.registry.edits import delete_with_trail, save_with_trail

Said = dict[str, object] | None  # what a rule says


def published_rules(use_case_key: str) -> list[BusinessRule]:
    """Return the published rules of a use case in one query, whatever their dates, the most important first."""
    return list(BusinessRule.objects.filter(use_case=use_case_key, is_active=True).order_by("-priority", "id"))


def save_rule(rule: BusinessRule, *, by: str) -> BusinessRule:
    """Check and store a rule together with who changed what; every process follows within RELOAD_SECONDS.

    Raises:
        ConfigurationError: a field is wrong.
    """
    try:
        rule.full_clean()
        return save_with_trail(rule, partial(_record, by))
    except (ValidationError, IntegrityError) as error:
        text = " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
        raise ConfigurationError(f"The rule was not saved: {text}") from error


def publish_rule(key: int, *, by: str) -> None:
    """Put a stored rule in force, as it is stored now.

    Raises:
        ConfigurationError: it makes no sense, or it is gone.
    """
    with atomic():
        rule = BusinessRule.objects.select_for_update().filter(pk=key).first()
        if rule is None:
            raise ConfigurationError("The rule was deleted meanwhile.")
        try:
            rule.full_clean()
        except ValidationError as error:
            raise ConfigurationError(" ".join(error.messages)) from error
        _switch(rule, by, is_active=True)


def withdraw_rule(key: int, *, by: str) -> None:
    """Take a stored rule out of force, whether or not it makes sense; nothing where it is gone."""
    with atomic():
        rule = BusinessRule.objects.select_for_update().filter(pk=key).first()
        if rule is not None:
            _switch(rule, by, is_active=False)


def delete_rule(rule: BusinessRule, *, by: str) -> None:
    """Delete a rule; what it said stays in the trail."""
    delete_with_trail(rule, partial(_record, by))


def _switch(rule: BusinessRule, by: str, *, is_active: bool) -> None:
    """Change nothing else: somebody may be editing the rest."""
    rule.is_active = is_active
    save_with_trail(rule, partial(_record, by), fields=("is_active", "updated_at"))


def _record(by: str, rule: BusinessRule, before: Said, after: Said) -> RuleChange:
    return RuleChange.objects.create(
        use_case=rule.use_case, rule_id=rule.pk, name=rule.name, changed_by=by, before=before, after=after
    )
