"""The marketplace in the admin."""

from django.contrib import admin

from backend.marketplace import models


@admin.register(models.Industry, models.Tag, models.Skill)
class LabelAdmin(admin.ModelAdmin):
    """Names."""

    search_fields = ["name"]


class PositionInline(admin.TabularInline):
    """Positions below their start-up."""

    model = models.Position
    extra = 0
    autocomplete_fields = ["skills"]
    fields = ["title", "skills", "is_open"]


@admin.register(models.Startup)
class StartupAdmin(admin.ModelAdmin):
    """Start-ups."""

    list_display = ["name", "industry", "stage", "location", "owner", "is_published", "created_at"]
    list_filter = ["is_published", "stage", "industry"]
    list_select_related = ["industry", "owner"]
    search_fields = ["name", "pitch"]
    raw_id_fields = ["owner"]
    autocomplete_fields = ["tags"]
    date_hierarchy = "created_at"
    inlines = [PositionInline]


@admin.register(models.Developer)
class DeveloperAdmin(admin.ModelAdmin):
    """Developers."""

    list_display = ["name", "headline", "location", "years_of_experience", "account", "is_visible"]
    list_filter = ["is_visible"]
    list_select_related = ["account"]
    search_fields = ["name", "headline", "account__username"]
    raw_id_fields = ["account"]
    autocomplete_fields = ["interests", "skills"]


@admin.register(models.Investor)
class InvestorAdmin(admin.ModelAdmin):
    """Investors."""

    list_display = ["name", "headline", "location", "ticket_min", "ticket_max", "account", "is_visible"]
    list_filter = ["is_visible", "preferred_stage", "industries"]
    list_select_related = ["account"]
    search_fields = ["name", "headline", "account__username"]
    raw_id_fields = ["account"]
    autocomplete_fields = ["interests", "industries"]


@admin.register(models.StartupInteraction, models.PersonInteraction)
class InteractionAdmin(admin.ModelAdmin):
    """What people did with start-ups, and start-ups with people."""

    list_display = ["startup", "developer", "investor", "kind", "created_at"]
    list_filter = ["kind"]
    list_select_related = ["startup", "developer", "investor"]
    search_fields = ["startup__name", "developer__name", "investor__name"]
    raw_id_fields = ["startup", "developer", "investor"]
    date_hierarchy = "created_at"
    show_full_result_count = False


@admin.register(models.Application)
class ApplicationAdmin(admin.ModelAdmin):
    """Applications."""

    list_display = ["developer", "position", "sent_at"]
    list_select_related = ["developer", "position__startup"]
    search_fields = ["developer__name", "position__title", "position__startup__name"]
    raw_id_fields = ["developer", "position"]
    date_hierarchy = "sent_at"


@admin.register(models.Simulation)
class SimulationAdmin(admin.ModelAdmin):
    """What the simulator loaded; ``load_marketplace --replace`` removes it."""

    list_display = ["__str__", "loaded_at"]
    exclude = ["accounts"]

    def has_add_permission(self, request: object) -> bool:
        """Only the command adds one."""
        return False

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        """A record of what happened."""
        return False
