"""The filters of the toy host."""

import django_filters

from tests.toyhost.models import Book


class BookFilter(django_filters.FilterSet):
    """Books by genre, length, and whether anybody did something with them."""

    genre = django_filters.CharFilter("genre", label="genre")
    max_pages = django_filters.NumberFilter("pages", "lte", label="pages, at most")
    met_with = django_filters.CharFilter("reading__kind", label="event that somebody had with the book")
    is_short = django_filters.BooleanFilter(label="under 100 pages", method="short")
    added = django_filters.DateFromToRangeFilter("created_at", label="day of arrival")
    any_genre = django_filters.MultipleChoiceFilter(
        field_name="genre", choices=[("tea", "tea"), ("sea", "sea")], label="one of several genres"
    )

    class Meta:
        model = Book
        fields = []

    def short(self, books, name, value):
        """Keep short books, or the others."""
        return books.filter(pages__lt=100) if value else books.exclude(pages__lt=100)
