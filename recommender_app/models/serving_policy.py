"""Policies: how a use case is served, as data that staff can edit."""

from django.core.exceptions import ValidationError
from django.db import models

from recommender_app.models.policy_rules import policy_problems

FIELDS = (  # what a policy says; the rest of the row is about the row
    "cold_start_threshold",
    "warm_user_threshold",
    "routes",
    "disabled",
    "weights",
    "fusion",
    "diversity",
    "caps",
    "fatigue_after",
    "exploration",
)


class ServingPolicy(models.Model):
    """Thresholds, switches, weights and the rest; an empty field leaves it to the use case or the settings."""

    class Fusion(models.TextChoices):
        WEIGHTED = "weighted", "weighted: scores scaled to 0..1"
        RRF = "rrf", "rrf: ranks only"
        HYBRID = "hybrid", "hybrid: half of each"

    use_case = models.CharField(max_length=64)
    name = models.SlugField(max_length=40, default="admin", help_text="What the request log calls this policy.")
    is_active = models.BooleanField("active", default=True, help_text="Only one policy of a use case can be active.")
    cold_start_threshold = models.PositiveIntegerField(
        null=True, blank=True, help_text="ALS from this interaction count on; below it, content. Empty: the settings'."
    )
    warm_user_threshold = models.PositiveIntegerField(
        null=True, blank=True, help_text="The ensemble from this interaction count on. Empty: the settings'."
    )
    routes = models.JSONField(
        default=list,
        blank=True,
        help_text='Instead of the thresholds: [[0, "content_based"], [5, "als"], [20, "ensemble"]].',
    )
    disabled = models.JSONField(
        "switched off", default=list, blank=True, help_text='Engines that do not answer, such as ["two_tower"].'
    )
    weights = models.JSONField(
        default=dict, blank=True, help_text='Of the ensemble: {"als": 0.6, "two_tower": 0.4}. Empty: as trained.'
    )
    fusion = models.CharField(max_length=16, choices=Fusion, blank=True, help_text="Empty: as trained.")
    diversity = models.FloatField(
        null=True, blank=True, help_text="0 = by score alone, 1 = as different as possible. Empty: 0."
    )
    caps = models.JSONField(default=dict, blank=True, help_text='At most so many items of one value: {"industry": 3}.')
    fatigue_after = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Items shown so often and ignored sink; 0 = never. Empty: 0."
    )
    exploration = models.FloatField(
        null=True, blank=True, help_text="Share of places for new items, up to 0.5. Empty: 0."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("use_case", "-is_active", "name")
        verbose_name_plural = "serving policies"
        constraints = [
            models.UniqueConstraint(
                fields=["use_case"],
                condition=models.Q(is_active=True),
                name="recommender_one_active_policy",
                violation_error_message="Another policy of this use case is active: deactivate it first.",
            ),
            models.CheckConstraint(
                condition=models.Q(warm_user_threshold__gte=models.F("cold_start_threshold")),
                name="recommender_policy_thresholds",
                violation_error_message="The warm user threshold is below the cold start threshold.",
            ),
            models.CheckConstraint(
                condition=models.Q(diversity__gte=0, diversity__lte=1),
                name="recommender_policy_diversity",
                violation_error_message="Diversity must be between 0 and 1.",
            ),
            models.CheckConstraint(
                condition=models.Q(exploration__gte=0, exploration__lte=0.5),
                name="recommender_policy_exploration",
                violation_error_message="Exploration must be between 0 and 0.5.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.use_case}: {self.name}"

    def clean(self) -> None:
        """Refuse JSON that no request could be served by."""
        problems = policy_problems({name: getattr(self, name) for name in FIELDS})
        if problems:
            raise ValidationError(problems)

    def as_json(self) -> dict[str, object]:
        """Return what the policy says, for the audit trail."""
        return {name: getattr(self, name) for name in ("use_case", "name", "is_active", *FIELDS)}


class PolicyChange(models.Model):
    """One saved or deleted policy: who, when, what it said before and says now. Rows are only ever added."""

    use_case = models.CharField(max_length=64)
    policy_id = models.BigIntegerField(help_text="Key of the policy, which may be gone.")
    name = models.CharField(max_length=40)
    changed_by = models.CharField(max_length=150, blank=True)
    changed_at = models.DateTimeField(auto_now_add=True)
    before = models.JSONField(null=True, blank=True, help_text="Empty for a new policy.")
    after = models.JSONField(null=True, blank=True, help_text="Empty for a deleted policy.")

    class Meta:
        ordering = ("-id",)
        indexes = [models.Index(fields=["use_case", "-id"], name="recommender_policy_change")]

    def __str__(self) -> str:
        return f"{self.use_case} {self.name}: change {self.pk}"
