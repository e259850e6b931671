"""What developers and investors look for."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from backend.marketplace.models.labels import Industry, Tag


class Stage(models.TextChoices):
    """How far a company is."""

    IDEA = "idea", "idea"
    PROTOTYPE = "prototype", "prototype"
    SEED = "seed", "seed"
    SERIES_A = "series_a", "series A"
    GROWTH = "growth", "growth"


class StartupQuerySet(models.QuerySet["Startup"]):
    """Start-ups as the site shows them."""

    def published(self) -> StartupQuerySet:
        """Return those that everybody may see."""
        return self.filter(is_published=True)


class Startup(models.Model):
    """A company, owned by one login; a login may own several."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="startups")
    name = models.CharField(max_length=100)
    pitch = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    industry = models.ForeignKey(Industry, on_delete=models.PROTECT, related_name="startups")
    stage = models.CharField(max_length=10, choices=Stage.choices, default=Stage.IDEA)
    tags = models.ManyToManyField(Tag, related_name="startups", blank=True)
    location = models.CharField(max_length=60, blank=True)
    is_published = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    updated_at = models.DateTimeField(auto_now=True, db_index=True)

    objects = StartupQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
