"""What a start-up offers to developers."""

from django.db import models
from django.utils import timezone

from backend.marketplace.models.labels import Skill
from backend.marketplace.models.startup import Startup


class Position(models.Model):
    """A job at a start-up."""

    startup = models.ForeignKey(Startup, on_delete=models.CASCADE, related_name="positions")
    title = models.CharField(max_length=100)
    skills = models.ManyToManyField(Skill, related_name="positions", blank=True)
    is_open = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.title} at {self.startup}"
