"""External ids and rows: a sorted array of the host's primary keys, searched by bisection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from recommender_app.exceptions import DatasetError

IdKind = Literal["int", "uuid", "str"]
UNKNOWN_ROW = -1
_INT64 = np.iinfo(np.int64)
_IDS_PER_BLOCK = 1 << 16  # objects at a time


class IdMap:
    """Maps external ids (int, UUID or str) to rows 0..n-1 and back.

    Attributes:
        kind: what the host's keys are.
        keys: (n,) strictly increasing; int64 for ``int``, ``S32`` lower-case hex for
            ``uuid``, ``U<longest>`` for ``str``. Position is the row. May be memory-mapped.

    Raises:
        DatasetError: keys are not strictly increasing or not of the kind's dtype.
    """

    def __init__(self, kind: IdKind, keys: NDArray[Any]) -> None:
        _check_keys(kind, keys)
        self.kind = kind
        self.keys = keys

    @classmethod
    def from_values(cls, values: Iterable[Any], kind: IdKind | None = None) -> IdMap:
        """Build from ids in any order, duplicates allowed; the kind is inferred if not given."""
        values = list(values)
        kind = kind or infer_kind(values)
        return cls(kind, np.unique(_encode(kind, values)))

    def __len__(self) -> int:
        return len(self.keys)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IdMap) and self.kind == other.kind and np.array_equal(self.keys, other.keys)

    __hash__ = None  # type: ignore[assignment]

    def rows(self, values: Sequence[Any]) -> NDArray[np.int32]:
        """Return the (len(values),) int32 rows; -1 where an id is unknown or of another kind."""
        rows = np.full(len(values), UNKNOWN_ROW, dtype=np.int32)
        known = [(place, value) for place, value in enumerate(values) if _fits(self.kind, value)]
        if known and len(self.keys):
            places, kept = zip(*known, strict=True)
            rows[list(places)] = self.rows_of_keys(_encode(self.kind, kept))
        return rows

    def rows_of_keys(self, keys: NDArray[Any]) -> NDArray[np.int32]:
        """Return rows of an array that is already encoded like ``self.keys``; -1 where unknown."""
        if not len(self.keys):
            return np.full(len(keys), UNKNOWN_ROW, dtype=np.int32)
        found = np.searchsorted(self.keys, keys)
        clipped = np.minimum(found, len(self.keys) - 1)
        return np.where(self.keys[clipped] == keys, clipped, UNKNOWN_ROW).astype(np.int32)

    def ids(self, rows: Sequence[int] | NDArray[Any]) -> list[Any]:
        """Return the host's own id values (int, UUID, str) of rows that must all be known."""
        rows = np.asarray(rows, dtype=np.int64)
        if len(rows) and (rows.min() < 0 or rows.max() >= len(self.keys)):
            raise DatasetError(f"A row is outside 0..{len(self.keys) - 1}: ask only for rows that the map knows.")
        keys = self.keys[rows].tolist()
        return [UUID(key.decode("ascii")) for key in keys] if self.kind == "uuid" else keys

    def every_id(self) -> Iterator[Any]:
        """Yield the host's own id values in order; a block of them is held at a time."""
        for start in range(0, len(self), _IDS_PER_BLOCK):
            yield from self.ids(np.arange(start, min(start + _IDS_PER_BLOCK, len(self))))

    def rows_of_texts(self, texts: Sequence[str]) -> NDArray[np.int32]:
        """Return the (len(texts),) int32 rows of ids that were written with ``str``; -1 where unknown."""
        return self.rows([_read(self.kind, text) for text in texts])


def infer_kind(values: Sequence[Any]) -> IdKind:
    """Return the one kind that all values have; ``str`` for none at all."""
    kinds = {_kind_of(value) for value in values}
    if len(kinds) > 1:
        raise DatasetError(f"Ids of several kinds ({', '.join(sorted(kinds))}) in one map: use one key type.")
    return kinds.pop() if kinds else "str"


def _kind_of(value: Any) -> IdKind:
    if isinstance(value, UUID):
        return "uuid"
    if isinstance(value, str):
        return "str"
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return "int"
    raise DatasetError(f"Ids must be int, str or UUID, not {type(value).__name__}.")


def _fits(kind: IdKind, value: Any) -> bool:
    if kind == "int":
        is_integer = isinstance(value, int | np.integer) and not isinstance(value, bool)
        return is_integer and _INT64.min <= value <= _INT64.max
    if kind == "uuid":
        return isinstance(value, UUID)
    return isinstance(value, str) and "\0" not in value


def _read(kind: IdKind, text: str) -> Any:
    """Return the id that a text stands for; the text itself, which no map of the kind knows, for none."""
    try:
        value = {"int": int, "uuid": UUID, "str": str}[kind](text)
    except ValueError:
        return text
    return value if str(value) == text else text


def _encode(kind: IdKind, values: Sequence[Any]) -> NDArray[Any]:
    for value in values:
        if not _fits(kind, value):
            raise DatasetError(f"{value!r} is not a usable {kind} id (64-bit integers, no NUL characters).")
    if kind == "int":
        return np.array(values, dtype=np.int64)
    if kind == "uuid":
        return np.array([value.hex.encode("ascii") for value in values], dtype="S32")
    return np.array(values, dtype=np.str_) if len(values) else np.empty(0, dtype="U1")


def _check_keys(kind: IdKind, keys: NDArray[Any]) -> None:
    expected = {"int": "i", "uuid": "S", "str": "U"}.get(kind)
    if expected is None or keys.ndim != 1 or keys.dtype.kind != expected:
        raise DatasetError(f"An id map of kind {kind!r} cannot hold an array of {keys.dtype}, {keys.ndim} dimensions.")
    if len(keys) > 1 and not bool(np.all(keys[:-1] < keys[1:])):
        raise DatasetError("The keys of an id map must be strictly increasing.")
