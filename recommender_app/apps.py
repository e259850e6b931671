"""Django's entry into the app."""

from django.apps import AppConfig


class RecommenderConfig(AppConfig):
    """Registers checks, finds the hosts' declarations and loads the live models."""

    name = "recommender_app"
    label = "recommender_app"
    verbose_name = "Recommender"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Make no query, start no thread, import nothing heavy, never raise because of a model."""
        from recommender_app import checks  # noqa: F401  registers the system checks
        from recommender_app.api import login  # noqa: F401  merges at login what was done before
        from recommender_app.serving import live
        from recommender_app.usecases import site

        site.autodiscover()
        live.preload()
