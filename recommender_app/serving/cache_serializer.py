"""Values of a Redis cache as JSON.

Django's own serializer pickles: whoever can write to such a Redis can run code in every web
process. Use it where only JSON values are cached (ours are, and DRF's throttles):
``"OPTIONS": {"serializer": "recommender_app.serving.cache_serializer.JSONSerializer"}``.
"""

from __future__ import annotations

import json
from typing import Any


class JSONSerializer:
    """What ``django.core.cache.backends.redis`` asks of a serializer."""

    def dumps(self, value: Any) -> bytes | int:
        """Return the bytes to store; integers as they are, so that Redis can count."""
        is_countable = isinstance(value, int) and not isinstance(value, bool)
        return value if is_countable else json.dumps(value, separators=(",", ":")).encode()

    def loads(self, data: bytes) -> Any:
        """Return the value; ValueError where it is no JSON."""
        return json.loads(data)
