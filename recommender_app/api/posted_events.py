"""What a posted event looks like in JSON, read strictly: no field that we do not know, no value of another type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from recommender_app.measurement.checking import MOST_POSITION
from recommender_app.measurement.events import PostedEvent

MOST_EVENTS = 500  # of one post
NAME_LENGTH, KEY_LENGTH = 64, 255
_EVENT_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}\Z", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.ASCII | re.IGNORECASE)


@extend_schema_field({"type": "string", "pattern": "^[A-Za-z0-9_.:-]{1,64}$"})
class EventIdField(serializers.Field):  # type: ignore[type-arg]
    """A name that the client chose."""

    default_error_messages = {"invalid": "Give each event an id of its own: up to 64 letters, digits and _.:- as text."}

    def to_internal_value(self, data: Any) -> str:
        """Return the name."""
        if not isinstance(data, str) or not _EVENT_ID.match(data):
            self.fail("invalid")
        return data


class TextField(serializers.CharField):
    """A JSON string, as it is; numbers are none."""

    def to_internal_value(self, data: Any) -> str:
        """Return the text."""
        if not isinstance(data, str):
            self.fail("invalid")
        return data


class NumberField(serializers.IntegerField):
    """A JSON integer; texts, ``1.0`` and ``true`` are none."""

    def to_internal_value(self, data: Any) -> int:
        """Return the integer."""
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return data


@extend_schema_field({"oneOf": [{"type": "integer"}, {"type": "string", "maxLength": KEY_LENGTH}]})
class KeyField(serializers.Field):  # type: ignore[type-arg]
    """A primary key: an integer or a string."""

    default_error_messages = {"invalid": f"A primary key is an integer, or text of up to {KEY_LENGTH} characters."}

    def to_internal_value(self, data: Any) -> int | str:
        """Return the key as it was given."""
        is_text = isinstance(data, str) and 0 < len(data) <= KEY_LENGTH
        if not is_text and (not isinstance(data, int) or isinstance(data, bool)):
            self.fail("invalid")
        return data


@extend_schema_field({"type": "string", "format": "uuid"})
class IdField(serializers.Field):  # type: ignore[type-arg]
    """A UUID as text."""

    default_error_messages = {"invalid": "This is no id of an answer: send its request_id as it was given."}

    def to_internal_value(self, data: Any) -> UUID:
        """Return the UUID."""
        if not isinstance(data, str) or not _UUID.match(data):
            self.fail("invalid")
        return UUID(data)


@extend_schema_field({"type": "string", "format": "date-time"})
class MomentField(serializers.Field):  # type: ignore[type-arg]
    """A time with a date; whether it has a time zone is checked with the rest of the event."""

    default_error_messages = {"invalid": "This is no time: write 2024-05-01T12:00:00Z."}

    def to_internal_value(self, data: Any) -> datetime:
        """Return the moment."""
        try:
            moment = parse_datetime(data) if isinstance(data, str) else None
        except ValueError:  # of the right form, but no such day
            moment = None
        if moment is None:
            self.fail("invalid")
        return moment


class EventSerializer(serializers.Serializer[Any]):
    """What the requester did with an item."""

    event_id = EventIdField(
        help_text="A name of its own that you give the event, such as a UUID; an event sent again is stored once.",
    )
    item = KeyField(help_text="The item's primary key: an integer or a string.")
    event = TextField(
        max_length=NAME_LENGTH,
        help_text="An event of the use case (`like`), one that takes it back (`unlike`), `impression` (really seen), "
        "`click`, or `rating`.",
    )
    occurred_at = MomentField(
        required=False,
        help_text="When it happened, with time zone; within the last 7 days, at most 5 minutes ahead. Left out = now.",
    )
    request_id = IdField(required=False, help_text="The answer in which the item was shown, if it was.")
    position = NumberField(
        required=False,
        min_value=1,
        max_value=MOST_POSITION,
        help_text="The item's rank in that answer; filled in if left out.",
    )
    rating = NumberField(required=False, min_value=1, max_value=5, help_text="1 to 5; of a `rating` only.")

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Return the values; name what is no field of an event: users, weights and the like are not the client's."""
        if not isinstance(data, Mapping):
            return super().to_internal_value(data)
        unknown = {str(name): ["An event has no such field."] for name in data if name not in self.fields}
        if unknown:
            raise serializers.ValidationError(unknown)
        return super().to_internal_value(data)


class RecordedSerializer(serializers.Serializer[Any]):
    """What became of one event."""

    event_id = serializers.CharField(help_text="As it was posted.")
    status = serializers.ChoiceField(
        ["recorded", "duplicate"],
        help_text="`duplicate`: it was there already, or it is a second click or impression of an item in one answer.",
    )


class ReceiptSerializer(serializers.Serializer[Any]):
    """What became of a post."""

    results = RecordedSerializer(many=True, help_text="One for each event, in the order of the post.")


def posted_events(data: Any) -> list[PostedEvent]:
    """Return the events of a body: one object, or a list of up to MOST_EVENTS.

    Raises:
        ValidationError: names what is wrong with which.
    """
    if isinstance(data, list):
        many: Any = EventSerializer(data=data, many=True, allow_empty=False, max_length=MOST_EVENTS)  # type: ignore[call-arg]
        many.is_valid(raise_exception=True)
        return [PostedEvent(**values) for values in many.validated_data]
    one = EventSerializer(data=data)
    one.is_valid(raise_exception=True)
    return [PostedEvent(**one.validated_data)]
