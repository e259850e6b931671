"""Experiments: a question about a use case, asked in phases. Shares are in basis points: 10,000 = all."""

from django.db import models

from recommender_app.models.append_only import AppendOnly
from recommender_app.models.freezing import Freezing

ALL = 10_000  # basis points


class ExclusionLayer(Freezing):
    """A number line of units that experiments share, each a range of its own: no unit is in two of them."""

    natural_fields = ("key",)

    key = models.SlugField(max_length=64, unique=True)
    salt = models.CharField(max_length=64, help_text="Of the hash that puts a unit on the line.")

    class Meta:
        ordering = ("key",)

    def __str__(self) -> str:
        return self.key


class Experiment(Freezing):
    """What is asked, how it will be judged, and what came of it."""

    class Status(models.TextChoices):
        DRAFT = "draft"
        RUNNING = "running"
        STOPPED = "stopped"
        CONCLUDED = "concluded"

    class UnitType(models.TextChoices):
        USER = "user", "user: a row of the use case's users"
        SESSION = "session", "session: an anonymous visitor"

    natural_fields = ("key",)

    key = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=120)
    hypothesis = models.TextField(blank=True, help_text="What is expected, and why, written before the start.")
    use_case = models.CharField(max_length=64)
    unit_type = models.CharField(max_length=16, choices=UnitType, default=UnitType.USER)
    status = models.CharField(max_length=16, choices=Status, default=Status.DRAFT)
    primary_metric = models.CharField(max_length=32, default="ctr", help_text="The one that decides.")
    secondary_metrics = models.JSONField(default=list, blank=True, help_text='["conversion", "satisfaction"]')
    guardrails = models.JSONField(
        default=dict, blank=True, help_text='{metric: relative margin it may lose}: {"fallback_rate": 0.02}'
    )
    alpha = models.FloatField(default=0.05, help_text="Accepted share of false positives of the primary metric.")
    power = models.FloatField(default=0.8, help_text="Wanted probability of finding the least effect worth finding.")
    least_effect = models.FloatField(default=0.05, help_text="Relative: 0.05 = five per cent more than control.")
    min_days = models.PositiveSmallIntegerField(default=14, help_text="No verdict before so many days.")
    window_days = models.PositiveSmallIntegerField(
        default=0,
        help_text=(
            "How many days of a unit count for the primary and the secondary metrics, from its first answer on; units "
            "that have not had them all do not count yet. 0 = everything so far."
        ),
    )
    layer = models.ForeignKey(ExclusionLayer, null=True, blank=True, on_delete=models.PROTECT)
    layer_from = models.PositiveSmallIntegerField(default=0, help_text="Own range of the layer, in basis points.")
    layer_to = models.PositiveSmallIntegerField(default=ALL, help_text="End of the range, itself outside.")
    winner = models.CharField(max_length=64, blank=True, help_text="Key of the arm, once it is concluded.")
    created_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-id",)
        permissions = [
            ("run_experiments", "Can start, ramp, stop and conclude experiments"),
            ("view_experiment_results", "Can read the results of experiments"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(layer_from__lt=models.F("layer_to"), layer_to__lte=ALL),
                name="recommender_experiment_range",
                violation_error_message="The range of the layer must be within 0 and 10000, and not empty.",
            ),
            models.CheckConstraint(
                condition=models.Q(alpha__gt=0, alpha__lt=0.5, power__gt=0.5, power__lt=1, least_effect__gt=0),
                name="recommender_experiment_plan",
                violation_error_message="Alpha is from 0 to 0.5, power from 0.5 to 1, the least effect above 0.",
            ),
        ]
        indexes = [models.Index(fields=["use_case", "status"], name="recommender_experiment_now")]

    def __str__(self) -> str:
        return self.key


class ExperimentChange(AppendOnly):
    """Who did what to an experiment, when and why; rows are only ever added."""

    experiment = models.CharField(max_length=64, help_text="Key of the experiment, which may be gone.")
    phase = models.PositiveIntegerField(null=True, blank=True)
    action = models.CharField(max_length=32, help_text="create, edit, start, ramp, hold, pause, resume, stop, ...")
    changed_by = models.CharField(max_length=150, blank=True, help_text="User name, or the door: command, beat.")
    changed_at = models.DateTimeField(auto_now_add=True)
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ("-id",)
        indexes = [models.Index(fields=["experiment", "-id"], name="recommender_experiment_change")]

    def __str__(self) -> str:
        return f"{self.experiment}: {self.action}"
