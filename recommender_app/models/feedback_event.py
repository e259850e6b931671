"""One row per event that a client posted. Ids are text, never foreign keys: the ledger outlives what it names."""

from django.db import models
from django.utils import timezone


class FeedbackEvent(models.Model):
    """What a user did with an item, when, and in which answer the item was shown."""

    use_case = models.CharField(max_length=64)
    user_id = models.CharField(max_length=255, help_text="External id of the user as text.")
    event_id = models.CharField(max_length=64, help_text="The client's name of the event: sent twice, stored once.")
    item_id = models.CharField(max_length=255, help_text="External id of the item as text.")
    event = models.CharField(max_length=64, help_text="An event of the use case, an undo of one, impression or rating.")
    rating = models.PositiveSmallIntegerField(null=True, blank=True, help_text="1 to 5, of a rating.")
    request_id = models.UUIDField(null=True, blank=True, help_text="The answer that the item was shown in.")
    position = models.PositiveSmallIntegerField(null=True, blank=True, help_text="1-based place in that answer.")
    occurred_at = models.DateTimeField(help_text="When it happened, as the client says; never after received_at.")
    received_at = models.DateTimeField(default=timezone.now)
    undone_at = models.DateTimeField(null=True, blank=True, help_text="When the user took it back.")
    receipt = models.UUIDField(help_text="The post that stored the row.")

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(fields=["use_case", "user_id", "event_id"], name="recommender_event_once"),
            models.UniqueConstraint(
                fields=["request_id", "item_id", "event"],
                condition=models.Q(request_id__isnull=False, event__in=["click", "impression"]),
                name="recommender_shown_item_once",
            ),
            models.CheckConstraint(
                condition=models.Q(event="rating", rating__range=(1, 5))
                | (models.Q(rating__isnull=True) & ~models.Q(event="rating")),
                name="recommender_event_rating_1_to_5",
            ),
        ]
        indexes = [
            models.Index(fields=["use_case", "occurred_at"], name="recommender_event_time"),
            models.Index(fields=["use_case", "user_id", "item_id"], name="recommender_event_item"),
        ]

    def __str__(self) -> str:
        return f"{self.use_case} {self.user_id}: {self.event} {self.item_id}"
