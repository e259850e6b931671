"""What a request may say, checked strictly.

Parameters that are not listed here belong to the host (``for``, say, is read by the use case's
``get_user``); those that nobody reads are ignored.
"""

from __future__ import annotations

import re
from typing import Any

from django.http import QueryDict
from rest_framework import serializers

from recommender_app.conf import settings

_INTEGER = re.compile(r"-?[0-9]{1,18}\Z", re.ASCII)


class StrictIntegerField(serializers.IntegerField):
    """Plain decimal digits only: no "1.0", no "1_000", no other scripts' digits, no blank."""

    def to_internal_value(self, data: Any) -> int:
        """Return the integer that the text says."""
        if not isinstance(data, str) or not _INTEGER.match(data):
            self.fail("invalid")
        return int(data)


class RecommendationParameters(serializers.Serializer[Any]):
    """Query parameters of a recommendation request."""

    def get_fields(self) -> dict[str, serializers.Field]:
        """Return the fields with the bounds that are configured now."""
        limit = StrictIntegerField(
            min_value=1,
            max_value=settings.LIMIT_MAX,
            default=settings.LIMIT_DEFAULT,
            help_text="How many items to return at most.",
        )
        return {"limit": limit}


def plain(query: QueryDict) -> dict[str, Any]:
    """Return {name: value}, a list where a name was given more than once: strict fields refuse it."""
    return {name: values[0] if len(values) == 1 else values for name, values in query.lists()}
