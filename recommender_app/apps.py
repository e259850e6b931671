"""Django's entry into the app."""

import sys

from django.apps import AppConfig


class RecommenderConfig(AppConfig):
    """Registers checks, finds the hosts' declarations and loads the live models."""

    name = "recommender_app"
    label = "recommender_app"
    verbose_name = "Recommender"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Make no query, start no thread, import nothing heavy, never raise because of a model."""
        from recommender_app import checks, login  # noqa: F401  registers the system checks, and who merges at login
        from recommender_app.serving.process import is_command, is_to_serve
        from recommender_app.usecases import site

        site.autodiscover(is_checked=is_command(sys.argv))
        if is_to_serve():  # a command answers no request and need not know how
            from recommender_app.api import events, similar, views  # noqa: F401  not with the first request
            from recommender_app.serving import live

            live.preload()
