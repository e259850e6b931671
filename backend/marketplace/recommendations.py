"""Who gets what recommended on the marketplace, and learned from what."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Case, QuerySet, Value, When
from django.http import HttpRequest

from backend.marketplace import filters, recording, requesters, serializers
from backend.marketplace.models import (
    Application,
    Developer,
    Investor,
    PersonInteraction,
    Startup,
    StartupInteraction,
)
from recommender_app import Interactions, UseCase, register


class StartupsForPeople(UseCase):
    """What the use cases of developers and investors share."""

    items = Startup
    item_text = ("name", "pitch", "description", "positions__title", "positions__skills__name")
    item_categories = ("industry__name", "stage", "tags__name")
    changed_at = "updated_at"
    newest_first = ("-created_at", "pk")
    filterset_class = filters.StartupFilter
    item_serializer = serializers.StartupSerializer
    undo = {"unlike": "like", "unfavorite": "favorite", "undislike": "dislike"}
    joined_at = "created_at"

    def get_items(self, user: Developer | Investor) -> QuerySet[Startup]:
        """What is published, but never the person's own start-ups."""
        others = Startup.objects.published().exclude(owner=user.account_id)
        return others.select_related("industry").prefetch_related("tags")

    def undo_event(self, user: Developer | Investor, item: Startup, event: str) -> Any:
        """The person's rows of this kind about the start-up go."""
        return recording.take_back(user, item, event)

    def forget(self, user_id: UUID) -> int:
        """What the person did, applications too, and what start-ups did with the person."""
        return recording.forget_person(self.users, user_id)


@register
class StartupsForDevelopers(StartupsForPeople):
    """Start-ups for developers."""

    key = "developer_startup"
    users = Developer
    interactions = [
        Interactions(StartupInteraction, user="developer", item="startup", event="kind", at="created_at"),
        Interactions(Application, user="developer", item="position__startup", event=Value("apply"), at="sent_at"),
    ]
    weights = {
        "view": 0.5, "click": 1.0, "like": 2.0, "favorite": 2.5, "apply": 3.0, "interest": 3.5, "dislike": -1.0,
    }  # fmt: skip
    conversions = ("apply", "interest")
    hide_after = ("apply", "interest", "dislike")
    user_text = ("headline", "about", "skills__name", "interests__name")
    user_categories = ("skills__name", "interests__name")
    user_numbers = ("years_of_experience",)

    def get_user(self, request: HttpRequest) -> Developer:
        """The login's developer profile."""
        return requesters.developer_of(request)

    def record(self, user: Developer, item: Startup, event: str, at: datetime) -> Any:
        """An application, or a row of the interactions."""
        if event == "apply":
            return recording.record_application(user, item, at)
        return recording.record_on_startup(user, item, event, at)


@register
class StartupsForInvestors(StartupsForPeople):
    """Start-ups for investors."""

    key = "investor_startup"
    users = Investor
    interactions = Interactions(StartupInteraction, user="investor", item="startup", event="kind", at="created_at")
    weights = {"view": 0.5, "click": 1.0, "like": 2.0, "favorite": 2.5, "interest": 3.5, "dislike": -1.0}
    conversions = ("interest",)
    hide_after = ("interest", "dislike")
    user_text = ("headline", "about", "industries__name", "interests__name")
    user_categories = ("industries__name", "preferred_stage", "interests__name")
    user_numbers = ("ticket_min", "ticket_max")

    def get_user(self, request: HttpRequest) -> Investor:
        """The login's investor profile."""
        return requesters.investor_of(request)

    def record(self, user: Investor, item: Startup, event: str, at: datetime) -> Any:
        """A row of the interactions."""
        return recording.record_on_startup(user, item, event, at)


class PeopleForStartups(UseCase):
    """What the reverse use cases share: the user is a start-up, ``?for=<id>`` says which."""

    users = Startup
    user_text = ("pitch", "description", "positions__title", "positions__skills__name", "tags__name")
    user_categories = ("industry__name", "stage", "tags__name")
    item_text = ("headline", "about", "interests__name")
    conversions = ("contact",)
    hide_after = ("contact",)
    changed_at = "updated_at"
    newest_first = ("-created_at", "pk")
    joined_at = "created_at"

    def get_items(self, user: Startup) -> QuerySet[Any]:
        """People who want to be found, but never the start-up's own owner."""
        return self.items._default_manager.filter(is_visible=True).exclude(account=user.owner_id)

    def get_user(self, request: HttpRequest) -> Startup:
        """The start-up that the login asks for."""
        return requesters.startup_of(request)

    def record(self, user: Startup, item: Developer | Investor, event: str, at: datetime) -> Any:
        """A row of the interactions; what the other side did cannot be posted for it."""
        return recording.record_on_person(user, item, event, at)

    def forget(self, user_id: UUID) -> int:
        """What the start-up did; what people did with it is theirs, and stays."""
        return PersonInteraction.objects.filter(startup_id=user_id).delete()[0]


@register
class DevelopersForStartups(PeopleForStartups):
    """Developers for start-ups."""

    key = "startup_developer"
    items = Developer
    interactions = [
        Interactions(PersonInteraction, user="startup", item="developer", event="kind", at="created_at"),
        Interactions(
            Application, user="position__startup", item="developer", event=Value("apply_received"), at="sent_at"
        ),
    ]
    weights = {"view": 0.5, "click": 1.0, "apply_received": 2.0, "contact": 3.0}
    item_text = (*PeopleForStartups.item_text, "skills__name")
    item_categories = ("skills__name", "interests__name")
    item_numbers = ("years_of_experience",)
    filterset_class = filters.DeveloperFilter
    item_serializer = serializers.DeveloperSerializer

    def get_items(self, user: Startup) -> QuerySet[Developer]:
        """See above; skills come along for the serializer."""
        return super().get_items(user).prefetch_related("skills")


@register
class InvestorsForStartups(PeopleForStartups):
    """Investors for start-ups."""

    key = "startup_investor"
    items = Investor
    interactions = [
        Interactions(PersonInteraction, user="startup", item="investor", event="kind", at="created_at"),
        Interactions(
            StartupInteraction,
            user="startup",
            item="investor",
            event=Case(When(kind="interest", then=Value("interest_received"))),
            at="created_at",
        ),
    ]
    weights = {"view": 0.5, "click": 1.0, "interest_received": 2.0, "contact": 3.0}
    item_text = (*PeopleForStartups.item_text, "industries__name")
    item_categories = ("industries__name", "preferred_stage", "interests__name")
    item_numbers = ("ticket_min", "ticket_max")
    filterset_class = filters.InvestorFilter
    item_serializer = serializers.InvestorSerializer

    def get_items(self, user: Startup) -> QuerySet[Investor]:
        """See above; industries come along for the serializer."""
        return super().get_items(user).prefetch_related("industries")
