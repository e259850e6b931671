"""The trail of what was made live, and what was turned down."""

from django.db import models


class ReleaseChange(models.Model):
    """Who changed what is live, when and why; rows are only ever added."""

    class Action(models.TextChoices):
        PROMOTE = "promote"
        FORCE = "force", "force: promoted in spite of the gate"
        ROLL_BACK = "roll_back", "roll back"
        REJECT = "reject"

    at = models.DateTimeField(auto_now_add=True)
    by = models.CharField(max_length=150, blank=True, help_text="User name, or the door: command, beat.")
    action = models.CharField(max_length=16, choices=Action)
    use_case = models.CharField(max_length=64)
    release = models.PositiveIntegerField(null=True, blank=True, help_text="Number of the release that went live.")
    version = models.CharField(max_length=64, blank=True, help_text="Name of the version; empty for a roll back.")
    reason = models.TextField(blank=True)
    details = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ("-id",)
        indexes = [models.Index(fields=["use_case", "-id"], name="recommender_release_change")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(action__in=["promote", "force", "roll_back", "reject"]),
                name="recommender_release_action",
            )
        ]

    def __str__(self) -> str:
        return f"{self.use_case}: {self.action} {self.version}".rstrip()
