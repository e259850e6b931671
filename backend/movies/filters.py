"""The filters a request for movies may use."""

import django_filters

from backend.movies.models import Movie


class MovieFilter(django_filters.FilterSet):
    """By genre and by year of release."""

    genre = django_filters.CharFilter("genres__name", "iexact", label="genre", distinct=True)
    year_from = django_filters.NumberFilter("release_year", "gte", label="released in or after this year")
    year_to = django_filters.NumberFilter("release_year", "lte", label="released in or before this year")

    class Meta:
        model = Movie
        fields = ["genre", "year_from", "year_to"]
