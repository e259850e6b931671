"""Movies in the admin."""

from django.contrib import admin

from backend.movies.models import Genre, Movie, Rating, Viewer


@admin.register(Genre)
class GenreAdmin(admin.ModelAdmin):
    """Genres."""

    search_fields = ["name"]


@admin.register(Movie)
class MovieAdmin(admin.ModelAdmin):
    """Movies."""

    list_display = ["title", "release_year", "updated_at"]
    list_filter = ["genres"]
    search_fields = ["title"]
    filter_horizontal = ["genres"]


@admin.register(Viewer)
class ViewerAdmin(admin.ModelAdmin):
    """Viewers."""

    list_display = ["__str__", "age", "gender", "occupation", "account"]
    list_filter = ["gender", "age_group", "occupation"]
    list_select_related = ["account"]
    search_fields = ["=id", "account__username"]
    raw_id_fields = ["account"]


@admin.register(Rating)
class RatingAdmin(admin.ModelAdmin):
    """Ratings."""

    list_display = ["viewer", "movie", "stars", "rated_at"]
    list_filter = ["stars"]
    list_select_related = ["viewer", "movie"]
    search_fields = ["=viewer__id", "movie__title"]
    raw_id_fields = ["viewer", "movie"]
    date_hierarchy = "rated_at"
    show_full_result_count = False
