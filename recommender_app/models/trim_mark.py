"""Up to where retention has deleted: what is older may be gone, so nobody sums it up again."""

from django.db import models


class TrimMark(models.Model):
    """One row per trimmed table; written before the first row is deleted, and only ever moved forward."""

    class Trimmed(models.TextChoices):
        """The tables that have a retention."""

        LOG = "log", "request log"
        EVENTS = "events", "posted events"

    table = models.CharField(max_length=16, choices=Trimmed, unique=True)
    before = models.DateTimeField(help_text="Rows that are older may be deleted.")

    class Meta:
        ordering = ("table",)

    def __str__(self) -> str:
        return f"{self.table} before {self.before}"
