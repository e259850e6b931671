"""The filters a request may use."""

import django_filters
from django.db.models import QuerySet
from django_filters import CharFilter, NumberFilter

from backend.marketplace.models import Developer, Investor, Startup


class StartupFilter(django_filters.FilterSet):
    """Start-ups by industry, stage, place, tag, and whether they hire."""

    industry = CharFilter("industry__name", "iexact", label="industry")
    tag = CharFilter("tags__name", "iexact", label="tag", distinct=True)
    location = CharFilter("location", "iexact", label="location")
    is_hiring = django_filters.BooleanFilter("positions__is_open", label="has an open position", distinct=True)

    class Meta:
        model = Startup
        fields = ["industry", "stage", "tag", "location", "is_hiring"]


class DeveloperFilter(django_filters.FilterSet):
    """Developers by skill, place and experience."""

    skill = CharFilter("skills__name", "iexact", label="skill", distinct=True)
    location = CharFilter("location", "iexact", label="location")
    experience = NumberFilter("years_of_experience", "gte", label="years of experience, at least")

    class Meta:
        model = Developer
        fields = ["skill", "location", "experience"]


class InvestorFilter(django_filters.FilterSet):
    """Investors by industry, stage, place and ticket size."""

    industry = CharFilter("industries__name", "iexact", label="industry", distinct=True)
    location = CharFilter("location", "iexact", label="location")
    ticket = NumberFilter(label="amount in euros that one ticket should cover", method="covering")

    class Meta:
        model = Investor
        fields = ["industry", "preferred_stage", "location", "ticket"]

    def covering(self, investors: QuerySet[Investor], name: str, amount: int) -> QuerySet[Investor]:
        """Keep investors whose tickets reach the amount."""
        return investors.filter(ticket_min__lte=amount, ticket_max__gte=amount)
