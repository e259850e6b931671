"""Who looks for start-ups, and is looked for by them."""

import uuid

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from backend.marketplace.models.labels import Industry, Skill, Tag
from backend.marketplace.models.startup import Stage


class Profile(models.Model):
    """What developers and investors say about themselves; a login may have one of each."""

    account = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="%(class)s")
    name = models.CharField(max_length=100)
    headline = models.CharField(max_length=200, blank=True)
    about = models.TextField(blank=True)
    location = models.CharField(max_length=60, blank=True)
    interests = models.ManyToManyField(Tag, related_name="%(class)ss", blank=True)
    is_visible = models.BooleanField(default=True, help_text="Start-ups may find this profile.")
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    updated_at = models.DateTimeField(auto_now=True, db_index=True)

    class Meta:
        abstract = True
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Developer(Profile):
    """A person who looks for work at a start-up."""

    skills = models.ManyToManyField(Skill, related_name="developers", blank=True)
    years_of_experience = models.PositiveSmallIntegerField(default=0)


class Investor(Profile):
    """A person who looks for start-ups to invest in."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    industries = models.ManyToManyField(Industry, related_name="investors", blank=True)
    preferred_stage = models.CharField(max_length=10, choices=Stage.choices, blank=True)
    ticket_min = models.PositiveIntegerField("smallest ticket", default=0, help_text="euros")
    ticket_max = models.PositiveIntegerField(
        "largest ticket", default=100_000, validators=[MinValueValidator(1)], help_text="euros"
    )

    class Meta(Profile.Meta):
        constraints = [
            models.CheckConstraint(condition=Q(ticket_min__lte=F("ticket_max")), name="smallest_ticket_up_to_largest")
        ]
