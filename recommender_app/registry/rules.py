"""Business rules: read, saved and deleted in one place, with a trail."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import IntegrityError

from recommender_app.exceptions import ConfigurationError
from recommender_app.models import BusinessRule, RuleChange
from recommender_app.registry.database import atomic


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
        with atomic():
            stored = BusinessRule.objects.select_for_update().filter(pk=rule.pk).first()
            before = stored.as_json() if stored else None
            rule.save()
            _record(rule, by, before, rule.as_json())
    except (ValidationError, IntegrityError) as error:
        text = " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
        raise ConfigurationError(f"The rule was not saved: {text}") from error
    return rule


def delete_rule(rule: BusinessRule, *, by: str) -> None:
    """Delete a rule; what it said stays in the trail."""
    with atomic():
        stored = BusinessRule.objects.select_for_update().filter(pk=rule.pk).first()
        if stored is not None:
            _record(stored, by, stored.as_json(), None)
            stored.delete()


def _record(
    rule: BusinessRule, by: str, before: dict[str, object] | None, after: dict[str, object] | None
) -> RuleChange:
    return RuleChange.objects.create(
        use_case=rule.use_case, rule_id=rule.pk, name=rule.name, changed_by=by, before=before, after=after
    )
