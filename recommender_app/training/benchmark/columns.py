"""Strings become ids, events, times."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from recommender_app.dataset.ids import IdMap
from recommender_app.exceptions import ConfigurationError, DatasetError
from recommender_app.training.benchmark.csv_table import CsvTable

EVENT, TIME = "event_or_rating", "timestamp"
PLAIN_EVENT = "interaction"
MAX_EVENTS = 200  # more different values are amounts, not kinds of events
_INTEGER = re.compile(r"0|-?[1-9]\d{0,18}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_MICROSECONDS = ((1e11, 1_000_000), (1e14, 1_000))  # below 1e11: seconds, below 1e14: milliseconds


def to_ids(values: Sequence[str]) -> IdMap:
    """Return the id map of strings: integers if all are, UUIDs if all are, else strings."""
    return IdMap.from_values(_parse(list(dict.fromkeys(values))))


def to_rows(ids: IdMap, values: Sequence[str]) -> NDArray[np.int32]:
    """Return the (n,) int32 rows of strings; -1 where unknown."""
    places: dict[str, int] = {}
    codes = np.array([places.setdefault(value, len(places)) for value in values], dtype=np.int64)
    if not places:
        return np.empty(0, dtype=np.int32)
    convert = _CONVERSIONS[ids.kind]
    return ids.rows([convert(value) for value in places])[codes]


def to_events(table: CsvTable) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Return (n,) codes and the events' names; one plain event without such a column, or for amounts."""
    values = table.columns.get(EVENT)
    names = sorted(set(values)) if values else []
    if not names or len(names) > MAX_EVENTS:
        return np.zeros(len(table), dtype=np.uint8), (PLAIN_EVENT,)
    codes = {name: code for code, name in enumerate(names)}
    return np.array([codes[value] for value in values or ()], dtype=np.uint8), tuple(names)


def to_weights(codes: NDArray[np.uint8], names: tuple[str, ...], weights: Mapping[str, float]) -> NDArray[np.float32]:
    """Return (n,) float32 weights of events; 1 for those that ``weights`` does not name.

    Raises:
        ConfigurationError: ``weights`` names an event that is not in the data.
    """
    unknown = [name for name in weights if name not in names]
    if unknown:
        raise ConfigurationError(f"There is no event {unknown[0]!r} in the data: choose from {', '.join(names)}.")
    by_code = np.array([weights.get(name, 1.0) for name in names], dtype=np.float32)
    return by_code[codes]


def to_times(table: CsvTable) -> NDArray[np.int64]:
    """Return (n,) microseconds since 1970 UTC, from seconds, milliseconds, microseconds or ISO dates; else zeros.

    Raises:
        DatasetError: a value is none of these.
    """
    values = table.columns.get(TIME)
    if not values:
        return np.zeros(len(table), dtype=np.int64)
    try:
        numbers = np.array(values, dtype=np.float64)
    except ValueError:
        return np.array([_iso(value, table) for value in values], dtype=np.int64)
    largest = float(np.abs(numbers).max())
    if not np.isfinite(largest):
        raise DatasetError(f"{table.path} has a {TIME} that is no time.")
    factor = next((factor for limit, factor in _MICROSECONDS if largest < limit), 1)
    return np.asarray(numbers * factor, dtype=np.int64)


def _iso(value: str, table: CsvTable) -> int:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise DatasetError(
            f"{table.path} has the {TIME} {value!r}: write seconds since 1970, or dates like 2026-01-31T12:00:00."
        ) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1_000_000)


def _parse(values: list[str]) -> list[Any]:
    if values and all(_integer(value) is not None for value in values):
        return [int(value) for value in values]
    if values and all(_UUID.fullmatch(value) for value in values):
        return [UUID(value) for value in values]
    return values


def _integer(value: str) -> int | None:
    """Return a 64-bit integer; None for anything else, numbers with leading zeros included."""
    number = int(value) if _INTEGER.fullmatch(value) else None
    return number if number is not None and -(2**63) <= number < 2**63 else None


def _uuid(value: str) -> UUID | None:
    return UUID(value) if _UUID.fullmatch(value) else None


_CONVERSIONS: dict[str, Callable[[str], Any]] = {"int": _integer, "uuid": _uuid, "str": str}
