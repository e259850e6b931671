"""How a host declares who gets what recommended, learned from which table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db.models import F, Model, QuerySet, Value
from django.db.models.expressions import BaseExpression, Combinable
from django.http import HttpRequest

from recommender_app.dataset.pairs import PairWeighting
from recommender_app.exceptions import ConfigurationError, UserNotFound
from recommender_app.usecases.rules import Rule

Expression = str | BaseExpression | Combinable


@dataclass(frozen=True)
class Interactions:
    """One table that interactions are read from.

    Attributes:
        model: the host's model.
        user, item: lookups from it to the user's and the item's primary key (``position__startup``).
        event: field that names the event, ``Value("apply")`` for all rows, or any expression
            that yields the event's name (``Case(When(...))``); null rows are left out.
        at: the time field, indexed together with ``user``.
        strength: number that multiplies the event's weight; field or expression, 1 if None.
    """

    model: type[Model]
    user: str
    item: str
    event: Expression
    at: str
    strength: Expression | None = None

    def event_expression(self) -> Any:
        """Return the event as a query expression."""
        return F(self.event) if isinstance(self.event, str) else self.event

    def strength_expression(self) -> Any:
        """Return the strength as a query expression."""
        if self.strength is None:
            return Value(1.0)
        return F(self.strength) if isinstance(self.strength, str) else self.strength


class UseCase:
    """A named place of recommendation. Subclass, set the attributes, decorate with ``@register``.

    ``users`` and ``items`` are models; ``interactions`` is one ``Interactions`` or a list.
    Everything else has a default that works.
    """

    key: ClassVar[str] = ""
    users: ClassVar[type[Model]]
    items: ClassVar[type[Model]]
    interactions: ClassVar[Interactions | Sequence[Interactions]] = ()
    weights: ClassVar[Mapping[str, float]] = {}
    conversions: ClassVar[tuple[str, ...]] = ()
    hide_after: ClassVar[tuple[str, ...]] = ()
    relevant_events: ClassVar[tuple[str, ...]] = ()  # a hit in evaluation; () = every positive event
    half_life_days: ClassVar[float | None] = None  # time decay of interaction weights
    gate: ClassVar[Mapping[str, Any]] = {}  # limits of RECOMMENDER["GATE"] that are others here
    pair_weighting: ClassVar[PairWeighting] = "max"
    item_text: ClassVar[tuple[str, ...]] = ()
    item_categories: ClassVar[tuple[str, ...]] = ()
    item_numbers: ClassVar[tuple[str, ...]] = ()
    user_text: ClassVar[tuple[str, ...]] = ()
    user_categories: ClassVar[tuple[str, ...]] = ()
    user_numbers: ClassVar[tuple[str, ...]] = ()
    changed_at: ClassVar[str | None] = None  # item field that grows with every change
    newest_first: ClassVar[tuple[str, ...]] = ("-pk",)  # order of the last fallback
    routes: ClassVar[tuple[tuple[int, str], ...]] = ()  # (interaction count, engine); () = the settings' thresholds
    filterset_class: ClassVar[Any] = None  # django-filter FilterSet or its dotted path
    parameters: ClassVar[tuple[str, ...]] = ("for",)  # query parameters that get_user reads; others are refused
    rules: ClassVar[tuple[Rule, ...]] = ()  # Boost, Bury, Pin, Quota; the admin may hold more
    rule_attributes: ClassVar[tuple[str, ...]] = ()  # lookups for rules and caps, beside item_categories and _numbers
    item_serializer: ClassVar[Any] = None  # DRF serializer class or its dotted path
    items_are_shared: ClassVar[bool] = False  # get_items() says the same for every user: batches ask once for many
    allow_anonymous: ClassVar[bool] = False  # impressions and clicks without a login; get_items(None) says on what
    allow_anonymous_lists: ClassVar[bool] = False  # lists without a login; get_items(None) says of what
    undo: ClassVar[Mapping[str, str]] = {}  # {"unlike": "like"}: events that may be posted to take another one back
    attribution_window: ClassVar[timedelta] = timedelta(hours=24)  # how long after it was shown an event is due to that
    joined_at: ClassVar[str | None] = None  # user field that says since when the account is there
    max_events_per_user_day: ClassVar[int | None] = None  # in training; None = the setting, 0 = no cap

    def get_items(self, user: Any) -> QuerySet[Any]:
        """Return the items that may be shown to ``user``: the authority on eligibility.

        Args:
            user: None where nobody has logged in (``allow_anonymous``, ``allow_anonymous_lists``).
        """
        return self.items._default_manager.all()

    def get_user(self, request: HttpRequest) -> Any:
        """Return the user that the requester asks for; ``request.user`` where it is one.

        Raises:
            UserNotFound: the requester has no such user; answered with 404, as are None and
                any model's ``DoesNotExist`` (``request.user.developer`` of a login without one).
        """
        user = getattr(request, "user", None)
        if isinstance(user, self.users):
            return user
        raise UserNotFound(f"{type(self).__name__}.get_user() does not say who is asking: implement it.")

    def record(self, user: Any, item: Any, event: str, at: datetime) -> Any:
        """Write one event as a row of the host's own table."""
        raise ConfigurationError(f"{type(self).__name__} does not implement record(): events cannot be posted.")

    def forget(self, user_id: Any) -> int:
        """Delete the host's rows that tell what a user did, and return how many; asked by ``recommender_forget_user``.

        The user may be deleted already. Rows that the law wants kept may be made anonymous instead.

        Args:
            user_id: primary key of the ``users`` model, in its own type.
        """
        raise ConfigurationError(
            f"{type(self).__name__} does not implement forget(user_id): write it, so that the rows of the host's "
            "tables are deleted too, or say that they stay (--keep-interactions)."
        )

    def export_user(self, user_id: Any) -> Any:
        """Return, as JSON, what else the host holds on a user, for ``recommender_export_user``; None = nothing more."""
        return None

    def unit_facts(self, user: Any) -> Mapping[str, Any]:
        """Return what experiments may choose ``user`` by, beside the count: ``{"roles": ["developer"]}``."""
        return {}

    def is_test_user(self, user: Any) -> bool:
        """Tell whether ``user`` is one of yours who only tries things out: no experiment enrols them."""
        return bool(getattr(user, "is_staff", False))

    def record_rating(self, user: Any, item: Any, rating: int, at: datetime) -> Any:
        """Write 1 to 5 stars as a row of the host's own table; without this, ratings are measured and not learned."""
        return None

    def undo_event(self, user: Any, item: Any, event: str) -> Any:
        """Take back what ``record`` wrote for ``event``; nothing to take back is no error."""
        raise ConfigurationError(f"{type(self).__name__} does not implement undo_event(): nothing can be undone.")

    @property
    def sources(self) -> tuple[Interactions, ...]:
        """The interaction tables, always as a tuple."""
        declared = self.interactions
        return (declared,) if isinstance(declared, Interactions) else tuple(declared)

    @property
    def evaluated_events(self) -> tuple[str, ...]:
        """Events that count as a hit in evaluation."""
        return self.relevant_events or tuple(event for event, weight in self.weights.items() if weight > 0)

    @property
    def label(self) -> str:
        """Human-readable name."""
        return self.key.replace("_", " ")
