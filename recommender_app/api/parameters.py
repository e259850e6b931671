"""What a request may say, checked strictly.

The API reads ``limit``, ``cursor`` and ``exclude``; a use case's ``get_user`` reads those that it declares in
``parameters`` (``for``); the rest are filters (``usecases.filters``), and what is none of them is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import QueryDict
from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers

from recommender_app.conf import settings
from recommender_app.usecases.filters import filter_fields
from recommender_app.usecases.site import all_use_cases

CURSOR_LENGTH = 8_000  # characters; ours are half as long
EXCLUDE_MAX = 200  # ids of one request
_INTEGER = re.compile(r"-?[0-9]{1,18}\Z", re.ASCII)


class StrictIntegerField(serializers.IntegerField):
    """Plain decimal digits only: no "1.0", no "1_000", no other scripts' digits, no blank."""

    def to_internal_value(self, data: Any) -> int:
        """Return the integer that the text says."""
        if not isinstance(data, str) or not _INTEGER.match(data):
            self.fail("invalid")
        return int(data)


class NamedChoiceField(serializers.ChoiceField):
    """One of a few texts; whoever gives another one hears which."""

    def __init__(self, choices: Sequence[str], **kwargs: Any) -> None:
        said = f"{{input}} is none of them: choose from {', '.join(choices)}."
        super().__init__(list(choices), error_messages={"invalid_choice": said}, **kwargs)


@extend_schema_field(str)
class ItemKeysField(serializers.Field):  # type: ignore[type-arg]
    """Keys of items in one text, separated by commas, at most EXCLUDE_MAX of them."""

    default_error_messages = {
        "invalid": "Give the parameter once, its ids separated by commas.",
        "max_length": f"At most {EXCLUDE_MAX} ids are read.",
    }

    def to_internal_value(self, data: Any) -> list[str]:
        """Return the keys as text; which of them exist is nobody's concern."""
        if not isinstance(data, str):
            self.fail("invalid")
        if data.count(",") >= EXCLUDE_MAX:
            self.fail("max_length")
        return [key.strip() for key in data.split(",") if key.strip()]


class RecommendationParameters(serializers.Serializer[Any]):
    """Query parameters of a recommendation request."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse what is given more than once in words that say so; ``exclude`` has its own."""
        twice = [name for name in ("limit", "cursor") if isinstance(data.get(name), list)]
        if twice:
            raise serializers.ValidationError({name: ["It is given twice; give it once."] for name in twice})
        return super().to_internal_value(data)

    def get_fields(self) -> dict[str, serializers.Field]:
        """Return the fields with the bounds that are configured now."""
        limit = StrictIntegerField(
            min_value=1,
            max_value=settings.LIMIT_MAX,
            default=settings.LIMIT_DEFAULT,
            help_text="How many items to return at most.",
        )
        cursor = serializers.CharField(
            default="",
            allow_blank=True,
            max_length=CURSOR_LENGTH,
            help_text=(
                "`first` asks for a page that can be continued; `next` of its answer is the page after it. "
                "Pages keep the order of the first one, show nothing twice and nothing that was hidden meanwhile."
            ),
        )
        return {"limit": limit, "cursor": cursor, "exclude": ItemKeysField(default=tuple)}


EXCLUDE = OpenApiParameter(
    "exclude",
    type={"type": "array", "items": {"type": "string"}, "maxItems": EXCLUDE_MAX},
    style="form",
    explode=False,
    description=(
        f"Primary keys of items to leave out, at most {EXCLUDE_MAX}, separated by commas: `?exclude=7,9`. "
        "Those that do not exist are ignored. The pages of a list need the same ones; `next` holds them."
    ),
)


FOR_USER = OpenApiParameter(
    "for",
    str,
    description=(
        "Primary key of the user whose list it is, where the login has several. Anybody else's is a 404, unless the "
        "login is staff and has the permission `recommender_app.view_requestlog`; such lists are not logged as shown."
    ),
)


def plain(query: QueryDict) -> dict[str, Any]:
    """Return {name: value}, a list where a name was given more than once: strict fields refuse it."""
    return {name: values[0] if len(values) == 1 else values for name, values in query.lists()}


class FilterParameters(serializers.Serializer[Any]):
    """The filters of every use case, for the description only: ``parse_filters`` is what checks them."""

    def get_fields(self) -> dict[str, serializers.Field]:
        """Return a field for each parameter; its text says which use cases have it."""
        found: dict[str, list[tuple[str, Any]]] = {}
        for use_case in all_use_cases():
            for name, form_field in filter_fields(use_case).items():
                found.setdefault(name, []).append((use_case.key, form_field))
        return {name: _described_filter(uses) for name, uses in found.items()}


def _described_filter(uses: list[tuple[str, Any]]) -> serializers.Field:
    """Return the field of one parameter; text where use cases disagree on its type."""
    labels: dict[str, list[str]] = {}
    for key, form_field in uses:
        labels.setdefault(str(form_field.label or "filter"), []).append(key)
    text = "; ".join(f"{label} ({', '.join(keys)})" for label, keys in labels.items())
    kinds = {_kind_of(form_field) for _, form_field in uses}
    kind = kinds.pop() if len(kinds) == 1 else serializers.CharField
    blank: dict[str, Any] = {"allow_blank": True} if kind is serializers.CharField else {}
    return kind(required=False, help_text=f"Filter: {text}.", **blank)


def _kind_of(form_field: Any) -> type[serializers.Field]:
    if isinstance(form_field, forms.NullBooleanField | forms.BooleanField):
        return serializers.BooleanField
    if isinstance(form_field, forms.DecimalField | forms.FloatField | forms.IntegerField):
        return serializers.FloatField
    return serializers.CharField
