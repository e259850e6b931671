"""Who watches."""

from django.conf import settings
from django.db import models
from django.db.models import Case, Value, When


class Viewer(models.Model):
    """A person who rates movies, under a MovieLens number; may have a login."""

    class Gender(models.TextChoices):
        FEMALE = "F", "female"
        MALE = "M", "male"

    id = models.PositiveIntegerField(primary_key=True)
    account = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="viewer"
    )
    age = models.PositiveSmallIntegerField(null=True, blank=True)
    age_group = models.GeneratedField(
        expression=Case(
            When(age__lt=18, then=Value("under 18")),
            When(age__lt=25, then=Value("18-24")),
            When(age__lt=35, then=Value("25-34")),
            When(age__lt=50, then=Value("35-49")),
            When(age__gte=50, then=Value("50 and over")),
        ),
        output_field=models.CharField(max_length=12, null=True),
        db_persist=True,
    )
    gender = models.CharField(max_length=1, choices=Gender.choices, blank=True)
    occupation = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"viewer {self.pk}"
