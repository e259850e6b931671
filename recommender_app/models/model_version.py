"""The registry's rows: one trained engine each."""

from django.db import models

from recommender_app.models.training_run import TrainingRun


class ModelVersion(models.Model):
    """A trained engine whose artifact folder is computed from its three names, never stored."""

    class Status(models.TextChoices):
        CANDIDATE = "candidate"
        READY = "ready"
        RETIRED = "retired"
        REJECTED = "rejected"

    use_case = models.CharField(max_length=64)
    engine = models.CharField(max_length=32)
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=16, choices=Status, default=Status.CANDIDATE)
    reason = models.TextField(blank=True, help_text="Why it was rejected or retired.")
    training_run = models.ForeignKey(TrainingRun, null=True, blank=True, on_delete=models.SET_NULL)
    metrics = models.JSONField(default=dict, help_text="{protocol, engines: {engine: {metric: value}}, note}.")
    gate = models.JSONField(null=True, blank=True, help_text="{passed, reason, checks}; empty: nobody judged it.")
    config = models.JSONField(default=dict)
    seed = models.BigIntegerField(default=0)
    library_versions = models.JSONField(default=dict)
    dataset_fingerprint = models.CharField(max_length=64, blank=True)
    size_bytes = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    data_read_at = models.DateTimeField(
        null=True, blank=True, help_text="Before its data were read, by the database's clock; empty: not known."
    )
    gone_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when its artifact is no longer there: pruned, or lost. It stays so."
    )

    class Meta:
        ordering = ("use_case", "engine", "-number")
        permissions = [
            ("promote_version", "Can promote versions and roll back releases"),
            ("force_version", "Can promote versions that the gate has turned down"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["use_case", "engine", "number"], name="recommender_version_number"),
            models.CheckConstraint(
                condition=models.Q(status__in=["candidate", "ready", "retired", "rejected"]),
                name="recommender_version_status",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.use_case} {self.name}"

    @property
    def name(self) -> str:
        """Name within the use case, and of the artifact folder: ``als_v3``."""
        return f"{self.engine}_v{self.number}"
