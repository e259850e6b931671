"""Many answers at once as arrays: what ``answer_texts`` reads, parsed by pyarrow, imported when used."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from recommender_app.measurement.answer_texts import COLUMNS, group_of, unescaped
from recommender_app.measurement.answers import Group, only_texts

if TYPE_CHECKING:
    import pyarrow as pa

READ = ("user", "moment", "reason", "latency_ms", "diversity", "group", "items")


@dataclass(frozen=True)
class AnswerBlock:
    """All answers of some users, in the order of user and time.

    Attributes:
        users, groups, items: their names, in no order.
        user, group: (n_answers,) int64, positions in ``users`` and ``groups``.
        moment: (n_answers,) int64, microseconds since 1970.
        is_fallback: (n_answers,) bool.
        latency_ms, diversity: (n_answers,) float64; unknown = not finite.
        shown_by, shown: (n_shown,) int64, the answer and the position in ``items`` of each shown item.
    """

    users: list[str]
    groups: list[Group]
    items: list[str]
    user: NDArray[np.int64]
    group: NDArray[np.int64]
    moment: NDArray[np.int64]
    is_fallback: NDArray[np.bool_]
    latency_ms: NDArray[np.float64]
    diversity: NDArray[np.float64]
    shown_by: NDArray[np.int64]
    shown: NDArray[np.int64]


def answer_block(lines: Sequence[bytes]) -> AnswerBlock:
    """Return the answers of some lines."""
    table = _table(lines)
    users, user = _coded(table["user"])
    groups, group = _coded(table["group"])
    reasons, reason = _coded(table["reason"])
    n_shown, names, shown = _shown(table["items"])
    return AnswerBlock(
        users=list(map(unescaped, users)),
        groups=list(map(group_of, groups)),
        items=names,
        user=user,
        group=group,
        moment=table["moment"].to_numpy(),
        is_fallback=np.array([name != "" for name in reasons])[reason],
        latency_ms=table["latency_ms"].to_numpy(),
        diversity=table["diversity"].to_numpy(),
        shown_by=np.repeat(np.arange(len(user)), n_shown),
        shown=shown,
    )


def _table(lines: Sequence[bytes]) -> dict[str, pa.Array]:
    import pyarrow as pa
    from pyarrow import csv

    text = b"".join(lines)
    table = csv.read_csv(
        pa.BufferReader(text),
        csv.ReadOptions(column_names=COLUMNS, block_size=len(text) + 1, use_threads=False),
        csv.ParseOptions(delimiter="\t", quote_char=False, double_quote=False),
        csv.ConvertOptions(include_columns=READ, column_types=_types(), null_values=[]),
    )
    return {name: table[name].combine_chunks() for name in READ}


def _types() -> dict[str, Any]:
    import pyarrow as pa

    numbers = {"moment": pa.int64(), "latency_ms": pa.float64(), "diversity": pa.float64(), "items": pa.string()}
    return {name: numbers.get(name, pa.dictionary(pa.int32(), pa.string())) for name in READ}


def _coded(texts: pa.Array) -> tuple[list[str], NDArray[np.int64]]:
    """Return the different texts, and the position of each in them."""
    coded = texts.dictionary_encode()
    return coded.dictionary.to_pylist(), coded.indices.to_numpy().astype(np.int64)


def _shown(texts: pa.Array) -> tuple[NDArray[np.int64], list[str], NDArray[np.int64]]:
    """Return how many items each answer showed, their names, and the place in them of each that was shown.

    What is no text is no item.
    """
    import pyarrow as pa
    from pyarrow import compute as pc

    lists = _split(texts)
    if lists is not None:
        names, shown = _coded(pc.list_flatten(lists))
        if not any('"' in name or "\\" in name for name in names):
            return pc.fill_null(pc.list_value_length(lists), 0).to_numpy().astype(np.int64), names, shown
    one_by_one = [only_texts(json.loads(unescaped(text))) for text in texts.to_pylist()]
    names, shown = _coded(pa.array(chain(*one_by_one), pa.string()))
    return np.array(list(map(len, one_by_one)), dtype=np.int64), names, shown


def _split(texts: pa.Array) -> pa.Array | None:
    """Return lists that PostgreSQL wrote as ``["a", "b"]``, taken apart; None where any is no such list.

    Where a text within has a quote or a backslash, one was not as plain as that.
    """
    from pyarrow import compute as pc

    is_empty = pc.equal(texts, "[]")
    is_list = pc.and_(pc.starts_with(texts, '["'), pc.ends_with(texts, '"]'))
    if not pc.all(pc.or_(is_empty, is_list)).as_py():
        return None
    within = pc.binary_slice(texts.cast("binary"), 2, -2).cast("string")
    return pc.split_pattern(pc.if_else(is_empty, None, within), '", "')
