"""Business rules: what is moved, pinned or guaranteed in the lists of a use case, as data that staff can edit."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from recommender_app.models.json_rules import json_problem

FIELDS = (  # what a rule says; the rest of the row is about the row
    "kind",
    "condition",
    "item_ids",
    "new_within_days",
    "factor",
    "position",
    "count",
    "out_of",
    "starts_at",
    "ends_at",
    "priority",
)
MOST_PLACES = 100


class BusinessRule(models.Model):
    """One boost, bury, pin or quota; published while it is active, in force between its dates."""

    class Kind(models.TextChoices):
        BOOST = "boost", "boost: moves items up"
        BURY = "bury", "bury: moves items down"
        PIN = "pin", "pin: puts items at a place"
        QUOTA = "quota", "quota: at least so many of the places"

    use_case = models.CharField(max_length=64)
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=8, choices=Kind)
    condition = models.JSONField(
        default=dict, blank=True, help_text='Items with one of the values of each attribute: {"stage": ["seed"]}.'
    )
    item_ids = models.JSONField("items", default=list, blank=True, help_text="Only these: a list of keys.")
    new_within_days = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Only items created within so many days."
    )
    factor = models.FloatField(
        null=True, blank=True, help_text="Boost: above 1, 2 lifts the middle to the top. Bury: from 0 to below 1."
    )
    position = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Pin: the place, from 1.")
    count = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Quota: at least so many ...")
    out_of = models.PositiveSmallIntegerField(default=10, help_text="... of so many places.")
    priority = models.SmallIntegerField(default=0, help_text="Where two rules want one place, the larger number wins.")
    starts_at = models.DateTimeField(null=True, blank=True, help_text="Empty: at once.")
    ends_at = models.DateTimeField(null=True, blank=True, help_text="Empty: until it is deactivated.")
    is_active = models.BooleanField("published", default=False, help_text="Look at the preview first.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("use_case", "-priority", "id")
        indexes = [models.Index(fields=["use_case", "is_active"], name="recommender_rule_active")]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="boost", factor__isnull=False, factor__gt=1, factor__lte=1000)
                | Q(kind="bury", factor__isnull=False, factor__gte=0, factor__lt=1)
                | Q(kind__in=["pin", "quota"], factor__isnull=True),
                name="recommender_rule_factor",
                violation_error_message="A boost has a factor above 1, a bury one from 0 to below 1, others have none.",
            ),
            models.CheckConstraint(
                condition=Q(kind="pin", position__isnull=False, position__gte=1, position__lte=MOST_PLACES)
                | (~Q(kind="pin") & Q(position__isnull=True)),
                name="recommender_rule_position",
                violation_error_message=f"A pin has a position from 1 to {MOST_PLACES}, others have none.",
            ),
            models.CheckConstraint(
                condition=Q(kind="quota", count__isnull=False, count__gte=1, count__lte=F("out_of"))
                | (~Q(kind="quota") & Q(count__isnull=True)),
                name="recommender_rule_count",
                violation_error_message="A quota has a count from 1 to the number of places, others have none.",
            ),
            models.CheckConstraint(
                condition=Q(out_of__gte=1, out_of__lte=MOST_PLACES),
                name="recommender_rule_out_of",
                violation_error_message=f"A quota is a share of 1 to {MOST_PLACES} places.",
            ),
            models.CheckConstraint(
                condition=Q(starts_at__isnull=True) | Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="recommender_rule_dates",
                violation_error_message="The rule ends before it starts.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.use_case}: {self.kind} {self.name}"

    def clean(self) -> None:
        """Refuse JSON that means nothing and rules that are about no item."""
        problems = {"condition": condition_problem(self.condition), "item_ids": ids_problem(self.item_ids)}
        problems = {name: problem for name, problem in problems.items() if problem}
        if problems:
            raise ValidationError(problems)
        if not (self.condition or self.item_ids or self.new_within_days is not None):
            raise ValidationError("The rule is about no item: give a condition, items or a number of days.")

    def as_json(self) -> dict[str, object]:
        """Return what the rule says, for the audit trail."""
        values = {name: getattr(self, name) for name in ("use_case", "name", "is_active", *FIELDS)}
        dates = {name: value.isoformat() for name in ("starts_at", "ends_at") if (value := values[name]) is not None}
        return {**values, **dates}


class RuleChange(models.Model):
    """One saved or deleted rule: who, when, what it said before and says now. Rows are only ever added.

    Whoever is forgotten is blanked in them.
    """

    use_case = models.CharField(max_length=64)
    rule_id = models.BigIntegerField(help_text="Key of the rule, which may be gone.")
    name = models.CharField(max_length=100)
    changed_by = models.CharField(max_length=150, blank=True)
    changed_at = models.DateTimeField(auto_now_add=True)
    before = models.JSONField(null=True, blank=True, help_text="Empty for a new rule.")
    after = models.JSONField(null=True, blank=True, help_text="Empty for a deleted rule.")

    class Meta:
        ordering = ("-id",)
        indexes = [models.Index(fields=["use_case", "-id"], name="recommender_rule_change")]

    def __str__(self) -> str:
        return f"{self.use_case} {self.name}: change {self.pk}"


def condition_problem(condition: Any) -> str:
    """Check ``{"stage": ["seed"], "country": "de"}``; return "" or what is wrong."""
    if problem := json_problem(condition):
        return problem
    is_sound = isinstance(condition, dict) and all(
        _is_value(values) or (isinstance(values, list) and values and all(map(_is_value, values)))
        for values in condition.values()
    )
    return "" if is_sound else 'Write {"stage": ["seed", "growth"]}: one value or a list of values per attribute.'


def ids_problem(item_ids: Any) -> str:
    """Check ``[17, 4]``; return "" or what is wrong."""
    if problem := json_problem(item_ids):
        return problem
    is_sound = isinstance(item_ids, list) and all(
        isinstance(item_id, int | str) and not isinstance(item_id, bool) for item_id in item_ids
    )
    return "" if is_sound else 'Write a list of keys: [17, 4] or ["3f1c..."].'


def _is_value(value: Any) -> bool:
    return isinstance(value, str | int | float | bool)
