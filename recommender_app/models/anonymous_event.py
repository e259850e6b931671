"""What somebody did before logging in; merged into the ledger at login, else deleted after a week."""

from django.db import models
from django.utils import timezone


class AnonymousEvent(models.Model):
    """An impression or a click of a session that nobody has logged in to yet."""

    use_case = models.CharField(max_length=64)
    session = models.CharField(max_length=32, help_text="A random number; the client holds it signed.")
    event_id = models.CharField(max_length=64)
    item_id = models.CharField(max_length=255, help_text="External id of the item as text.")
    event = models.CharField(max_length=64)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField(default=timezone.now)
    receipt = models.UUIDField(help_text="The post that stored the row.")

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(fields=["session", "use_case", "event_id"], name="recommender_anonymous_event_once")
        ]
        indexes = [models.Index(fields=["received_at"], name="recommender_anonymous_time")]

    def __str__(self) -> str:
        return f"{self.use_case}: {self.event} {self.item_id}"
