"""What is watched."""

from django.db import models
from django.utils import timezone


class Genre(models.Model):
    """Comedy, drama, ..."""

    name = models.CharField(max_length=40, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Movie(models.Model):
    """A movie under its MovieLens number."""

    id = models.PositiveIntegerField(primary_key=True)
    title = models.CharField(max_length=200)
    release_year = models.PositiveSmallIntegerField(null=True, blank=True)
    genres = models.ManyToManyField(Genre, related_name="movies", blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True, db_index=True)

    class Meta:
        ordering = ["title", "pk"]
        indexes = [models.Index(fields=["-release_year", "id"], name="movie_newest_first")]

    def __str__(self) -> str:
        return f"{self.title} ({self.release_year})" if self.release_year else self.title
