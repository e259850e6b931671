"""What JSON from a form or a script may hold so that every database stores it and every request can read it."""

from __future__ import annotations

import sys
from typing import Any

MOST_LEVELS = 3  # lists within a dict within a list are more than any field needs


def json_problem(value: Any) -> str:
    """Return "" or what about a value is no plain JSON: too deep, endless numbers, characters that text cannot have."""
    level = [value]
    for _ in range(MOST_LEVELS + 1):
        plain = [each for each in level if not isinstance(each, list | tuple | dict)]
        if not all(map(_is_plain, plain)):
            return "Only plain text without control characters and finite numbers are stored."
        level = [inner for each in level if isinstance(each, list | tuple | dict) for inner in _within(each)]
    return f"Write at most {MOST_LEVELS} levels of brackets." if level else ""


def _within(value: Any) -> list[Any]:
    return [*value.keys(), *value.values()] if isinstance(value, dict) else list(value)


def _is_plain(value: Any) -> bool:
    if isinstance(value, str):
        return not any(character < " " or "\ud800" <= character <= "\udfff" for character in value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return not is_number or abs(value) <= sys.float_info.max
