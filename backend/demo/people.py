"""Who asks the demo's server for recommendations."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count
from rest_framework.authtoken.models import Token

from backend.marketplace.models import Developer, Investor, Startup
from backend.movies.models import Viewer


@dataclass(frozen=True)
class Visitor:
    """One person, one use case, one token."""

    name: str
    use_case: str
    token: str
    query: str = ""


def movie_viewers() -> list[Visitor]:
    """Return three viewers: few, many and very many ratings."""
    viewers = Viewer.objects.filter(account__isnull=False).annotate(n=Count("ratings")).order_by("n", "pk")
    places = [0, viewers.count() // 2, viewers.count() - 1]
    return [_visitor(f"Viewer {viewer.pk}", "movies", viewer.account) for viewer in (viewers[at] for at in places)]


def marketplace_people() -> list[Visitor]:
    """Return a developer, an investor, and a start-up that looks for each of them."""
    developer = Developer.objects.select_related("account").order_by("pk").first()
    investor = Investor.objects.select_related("account").order_by("pk").first()
    startup = Startup.objects.select_related("owner").filter(is_published=True).order_by("created_at").first()
    return [
        _visitor(f"Developer {developer}", "developer_startup", developer.account),
        _visitor(f"Investor {investor}", "investor_startup", investor.account),
        _visitor(f"Start-up {startup}", "startup_developer", startup.owner, f"&for={startup.pk}"),
        _visitor(f"Start-up {startup}", "startup_investor", startup.owner, f"&for={startup.pk}"),
    ]


def _visitor(name: str, use_case: str, account: object, query: str = "") -> Visitor:
    token, _ = Token.objects.get_or_create(user=account)
    return Visitor(name, use_case, token.key, query)
