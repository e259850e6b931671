"""A developer wants a job."""

from django.db import models
from django.utils import timezone

from backend.marketplace.models.people import Developer
from backend.marketplace.models.position import Position


class Application(models.Model):
    """A developer applies for a position, once."""

    developer = models.ForeignKey(Developer, on_delete=models.CASCADE, related_name="applications", db_index=False)
    position = models.ForeignKey(Position, on_delete=models.CASCADE, related_name="applications", db_index=False)
    sent_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["developer", "position"], name="one_application_per_position")]
        indexes = [
            models.Index(fields=["developer", "sent_at"], name="application_developer_time"),
            models.Index(fields=["position", "sent_at"], name="application_position_time"),
        ]

    def __str__(self) -> str:
        return f"{self.developer}: {self.position}"
