"""Django's entry into the marketplace."""

from django.apps import AppConfig


class MarketplaceConfig(AppConfig):
    """Start-ups and the people who look for them."""

    name = "backend.marketplace"
    label = "marketplace"
    default_auto_field = "django.db.models.BigAutoField"
