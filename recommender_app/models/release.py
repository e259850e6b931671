"""What is live for a use case."""

from django.db import models

from recommender_app.models.model_version import ModelVersion


class Release(models.Model):
    """One version per engine, promoted together; exactly one release of a use case is live."""

    class Status(models.TextChoices):
        LIVE = "live"
        RETIRED = "retired"

    use_case = models.CharField(max_length=64)
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=16, choices=Status, default=Status.RETIRED)
    previous = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="next_releases")
    versions = models.ManyToManyField(ModelVersion, through="ReleaseMember", related_name="releases")
    reason = models.CharField(max_length=200, blank=True)
    promoted_by = models.CharField(max_length=150, blank=True)
    promoted_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("use_case", "-number")
        constraints = [
            models.UniqueConstraint(fields=["use_case", "number"], name="recommender_release_number"),
            models.UniqueConstraint(
                fields=["use_case"], condition=models.Q(status="live"), name="recommender_one_live_release"
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=["live", "retired"]), name="recommender_release_status"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.use_case} release {self.number}"


class ReleaseMember(models.Model):
    """The version that serves one engine in a release."""

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="members")
    engine = models.CharField(max_length=32)
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="memberships")

    class Meta:
        ordering = ("engine",)
        constraints = [models.UniqueConstraint(fields=["release", "engine"], name="recommender_one_version_per_engine")]

    def __str__(self) -> str:
        return f"{self.release}: {self.version.name}"
