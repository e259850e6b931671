"""Who is asking: the profile or start-up of a login."""

from uuid import UUID

from django.http import HttpRequest

from backend.marketplace.models import Developer, Investor, Startup
from recommender_app.exceptions import UserNotFound


def developer_of(request: HttpRequest) -> Developer:
    """Return the developer profile of the login."""
    developer = Developer.objects.filter(account=request.user.pk).first()
    if developer is None:
        raise UserNotFound("This login has no developer profile.")
    return developer


def investor_of(request: HttpRequest) -> Investor:
    """Return the investor profile of the login."""
    investor = Investor.objects.filter(account=request.user.pk).first()
    if investor is None:
        raise UserNotFound("This login has no investor profile.")
    return investor


def startup_of(request: HttpRequest) -> Startup:
    """Return the start-up named by ``?for=<id>``, the login's oldest one without it.

    A malformed id, an unknown one and anybody else's get the same answer: none of them tells
    whether a start-up exists.
    """
    own = Startup.objects.filter(owner=request.user.pk).order_by("created_at", "pk")
    wanted = request.GET.get("for")
    if wanted is not None:
        own = own.filter(pk=_uuid(wanted))
    startup = own.first()
    if startup is None:
        raise UserNotFound(
            "This login owns no such start-up." if wanted is not None else "This login owns no start-up."
        )
    return startup


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise UserNotFound("This login owns no such start-up.") from None
