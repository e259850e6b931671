"""One row per answer. Ids are text, never foreign keys: the log outlives what it names."""

from django.db import models
from django.utils import timezone


class RequestLog(models.Model):
    """Who was shown what, in which order, from which engine and version, and why."""

    request_id = models.UUIDField(unique=True)
    use_case = models.CharField(max_length=64)
    user_id = models.CharField(max_length=255, blank=True, help_text="External id of the user as text.")
    requested_limit = models.PositiveSmallIntegerField()
    n_results = models.PositiveSmallIntegerField()
    results = models.JSONField(
        default=list, help_text="[{item, rank, score, source}] in order; propensity where items were explored."
    )
    engine = models.CharField(max_length=32, help_text="The engine that served; 'none' for an empty answer.")
    model_version = models.CharField(max_length=64, blank=True)
    release = models.PositiveIntegerField(null=True, blank=True, help_text="Number of the live release.")
    fallback_reason = models.CharField(max_length=64, blank=True)
    policy = models.CharField(max_length=64, blank=True, help_text="Which policy decided the chain.")
    interaction_count = models.PositiveIntegerField(default=0)
    experiment = models.CharField(max_length=64, blank=True, null=True)  # noqa: DJ001  null = not in any experiment
    phase = models.PositiveIntegerField(null=True, blank=True)
    arm = models.CharField(max_length=64, blank=True, null=True)  # noqa: DJ001
    propensity = models.FloatField(null=True, blank=True)
    candidate_source = models.CharField(max_length=32, blank=True, null=True)  # noqa: DJ001
    latency_ms = models.FloatField(null=True, blank=True)
    engine_ms = models.JSONField(null=True, blank=True, help_text="{engine: milliseconds} of every engine tried.")
    diversity = models.FloatField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)  # of the answer, not of its row

    class Meta:
        ordering = ("-id",)
        indexes = [
            models.Index(fields=["created_at"], name="recommender_log_created"),
            models.Index(fields=["use_case", "user_id", "-id"], name="recommender_log_user"),
        ]

    def __str__(self) -> str:
        return f"{self.request_id}: {self.use_case} {self.engine}"
