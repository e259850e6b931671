"""JSON bodies, read strictly: what is ambiguous, endless or cannot be stored is refused before a serializer sees it."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from recommender_app.api.errors import TooLarge

BODY_MAX = 64 * 1024  # bytes
DEPTH_MAX = 10  # objects and lists within each other
INTEGER_MAX = 2**63 - 1  # what a database's largest integer holds

_MARK = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[\]{}]', re.DOTALL)  # a text as a whole, so that its brackets do not count
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class StrictJSONParser(BaseParser):
    """JSON of at most 64 KB in UTF-8, without duplicate keys, NaN, deep nesting, giant numbers, NUL or halves of pairs.

    Raises (from ``parse``):
        TooLarge: 413, the body is longer than BODY_MAX.
        ParseError: 400, it is anything else that is wrong.
    """

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Return what the body says."""
        body = stream.read(BODY_MAX + 1)
        if len(body) > BODY_MAX:
            raise TooLarge(f"The body is longer than {BODY_MAX:,} bytes; send less at once.")
        try:
            return parsed(body.decode())
        except UnicodeDecodeError:
            raise ParseError("The body is not UTF-8.") from None


def parsed(text: str) -> Any:
    """Return the value of a JSON text.

    Raises:
        ParseError: it is no JSON, or one of those that are refused.
    """
    _refuse_depth(text)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_bounded,
        )
    except json.JSONDecodeError as error:
        raise ParseError(f"The body is not JSON: {error}.") from None
    _refuse_unstorable(value)
    return value


def _refuse_depth(text: str) -> None:
    """Refuse what is nested too deeply, before anything recursive reads it."""
    depth = 0
    for mark in _MARK.findall(text):
        depth += (mark in "[{") - (mark in "]}")
        if depth > DEPTH_MAX:
            raise ParseError(f"The JSON is nested more than {DEPTH_MAX} levels deep.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ParseError("The JSON has an object that names a key twice.")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ParseError(f"{name} is no number in JSON.")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ParseError("The JSON has a number that is too large.")
    return number


def _bounded(text: str) -> int:
    if len(text) > len(str(-INTEGER_MAX)) or abs(int(text)) > INTEGER_MAX:
        raise ParseError("The JSON has an integer that is too large.")
    return int(text)


def _refuse_unstorable(value: Any) -> None:
    """Refuse texts that no database stores: with NUL, or with half of a surrogate pair."""
    if isinstance(value, str) and _UNSTORABLE.search(value):
        raise ParseError("The JSON has a text with a NUL character or half of a surrogate pair.")
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        for inner in value:
            _refuse_unstorable(inner)
