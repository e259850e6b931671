"""One attempt to train one engine of one use case."""

from django.db import models


class TrainingRun(models.Model):
    """A training attempt: who asked, what was learned from, how it ended."""

    class Status(models.TextChoices):
        REQUESTED = "requested"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        SKIPPED = "skipped"

    use_case = models.CharField(max_length=64)
    engine = models.CharField(max_length=32)
    status = models.CharField(max_length=16, choices=Status, default=Status.REQUESTED)
    reason = models.TextField(blank=True, help_text="Why it failed or was skipped, in one line.")
    requested_by = models.CharField(max_length=150, blank=True, help_text="User name, or the door: command, beat.")
    config = models.JSONField(default=dict, help_text="The trainer's configuration.")
    seed = models.BigIntegerField(default=0)
    dataset_fingerprint = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True, help_text="A running run past this is presumed dead.")
    token = models.PositiveIntegerField(default=0, help_text="Fencing token: grows with every owner.")
    slot = models.CharField(max_length=64, blank=True, help_text="The scheduled time it stands for; empty = none.")
    attempts = models.PositiveSmallIntegerField(default=0, help_text="How often it was started.")
    requested_at = models.DateTimeField(null=True, blank=True, help_text="When it was asked for, to be run later.")

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=["use_case", "engine"],
                condition=models.Q(status="running"),
                name="recommender_one_running_run",
            ),
            models.UniqueConstraint(
                fields=["use_case", "engine", "slot"],
                condition=~models.Q(slot="") & models.Q(status__in=["requested", "running", "succeeded"]),
                name="recommender_one_run_per_slot",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=["requested", "running", "succeeded", "failed", "skipped"]),
                name="recommender_run_status",
            ),
        ]
        indexes = [models.Index(fields=["use_case", "engine", "-id"], name="recommender_run_latest")]

    def __str__(self) -> str:
        return f"run {self.pk}: {self.use_case} {self.engine} {self.status}"
