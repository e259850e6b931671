"""JSON for everything, and never a NaN in it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import JSONRenderer


class FiniteJSONRenderer(JSONRenderer):
    """JSON in which numbers that are not finite (a host's field may hold them) are null."""

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        """Return the bytes."""
        return super().render(finite(data), *args, **kwargs)


class AlwaysFirst(DefaultContentNegotiation):
    """The first renderer, whatever the client says it accepts."""

    def select_renderer(self, request: Any, renderers: Iterable[Any], format_suffix: Any = None) -> Any:
        """Return the first renderer and its media type."""
        first = next(iter(renderers))
        return first, first.media_type


def finite(value: Any) -> Any:
    """Return the value with None in place of NaN and infinities, at any depth."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [finite(inner) for inner in value]
    return value
