"""Django's entry into the movies."""

from django.apps import AppConfig


class MoviesConfig(AppConfig):
    """Movies, viewers and their ratings."""

    name = "backend.movies"
    label = "movies"
    default_auto_field = "django.db.models.BigAutoField"
