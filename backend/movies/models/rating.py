"""What a viewer thought of a movie."""

from django.db import models
from django.utils import timezone

from backend.movies.models.movie import Movie
from backend.movies.models.viewer import Viewer


class Rating(models.Model):
    """One to five stars; a viewer rates a movie once."""

    viewer = models.ForeignKey(Viewer, on_delete=models.CASCADE, related_name="ratings")
    movie = models.ForeignKey(Movie, on_delete=models.CASCADE, related_name="ratings")
    stars = models.PositiveSmallIntegerField()
    rated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["viewer", "movie"], name="one_rating_per_viewer_and_movie"),
            models.CheckConstraint(condition=models.Q(stars__range=(1, 5)), name="one_to_five_stars"),
        ]
        indexes = [models.Index(fields=["viewer", "rated_at"], name="rating_viewer_time")]

    def __str__(self) -> str:
        return f"{self.viewer}: {self.movie} {self.stars}"
