"""What searches have found, and the next trainings use."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString

from recommender_app.admin.filters import UseCaseFilter
from recommender_app.admin.read_only import ReadOnlyAdmin
from recommender_app.admin.tables import mapping_table
from recommender_app.models import TunedConfig


@admin.register(TunedConfig)
class TunedConfigAdmin(ReadOnlyAdmin):
    """A row per use case and engine; ``recommender_tune`` writes them."""

    list_display = ("use_case", "engine", "metric", "rounded_value", "n_trials", "seed", "created_at")
    list_filter = (UseCaseFilter, "engine")
    fields = (
        "use_case",
        "engine",
        "options",
        "metric",
        "rounded_value",
        "n_trials",
        "seed",
        "dataset_fingerprint",
        "created_at",
    )

    @admin.display(description="value on validation", ordering="value")
    def rounded_value(self, found: TunedConfig) -> str:
        """The metric, with as many digits as mean something."""
        return f"{found.value:.4f}"

    @admin.display(description="options")
    def options(self, found: TunedConfig) -> SafeString | str:
        """What the next training takes instead of the defaults."""
        return mapping_table(found.config) if found.config else "The default options were best."
