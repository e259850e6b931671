"""Fast pieces of an export, each against the plain way: the COPY format, numbered keys, order, decay."""

from __future__ import annotations

import struct
import uuid
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender_app.dataset.blocks import blocks_of
from recommender_app.dataset.ids import IdMap
from recommender_app.dataset.interactions import InteractionTable
from recommender_app.dataset.ordering import canonical_order
from recommender_app.exceptions import DatasetError
from recommender_app.training.export_collected import Collected
from recommender_app.training.export_columns import Columns
from recommender_app.training.export_columns_format import SIGNATURE, TRAILER, read_blocks
from recommender_app.training.export_columns_keys import number_keys
from recommender_app.training.export_selection import with_active_users, with_decay

ROW = {"user": "V16", "event": ">i2"}
HEADER = SIGNATURE + bytes(8)


def sent(user: bytes, event: int) -> bytes:
    return struct.pack(">hi16sih", 2, 16, user, 2, event)


def received(messages, n_rows=2):
    blocks = [block.copy() for block in read_blocks(messages, ROW, n_rows)]
    return [(bytes(row["user"]), int(row["event"])) for block in blocks for row in block], [len(b) for b in blocks]


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 5])
def test_a_copy_is_read_in_blocks(n):
    rows = [(bytes([number] * 16), number - 1) for number in range(n)]
    messages = [HEADER, *(sent(*row) for row in rows), TRAILER]
    read, sizes = received(messages)
    assert read == rows
    assert sum(sizes) == n
    assert all(size <= 2 for size in sizes)


@given(st.lists(st.binary(min_size=1, max_size=40).map(len), max_size=20))
def test_messages_may_part_the_stream_anywhere(lengths):
    stream = HEADER + sent(b"a" * 16, 7) + sent(b"b" * 16, -1) + TRAILER
    messages, start = [stream[: len(HEADER)]], len(HEADER)
    for length in lengths:
        messages.append(stream[start : start + length])
        start += length
    messages.append(stream[start:])
    assert received([message for message in messages if message])[0] == [(b"a" * 16, 7), (b"b" * 16, -1)]


def test_everything_may_come_in_one_message():
    assert received([HEADER + sent(b"a" * 16, 7) + TRAILER])[0] == [(b"a" * 16, 7)]


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([], "binary format"),
        ([b"ERROR"], "binary format"),
        ([HEADER, sent(b"a" * 16, 7)], "before its end"),
        ([HEADER, sent(b"a" * 16, 7)[:-1], TRAILER], "before its end"),
        ([HEADER, struct.pack(">hi16sihi", 2, 16, b"a" * 16, 4, 7, 9), TRAILER], "another shape"),
        ([HEADER, struct.pack(">hi16sih", 3, 16, b"a" * 16, 2, 7), TRAILER], "another shape"),
        ([HEADER, struct.pack(">hi16sih", 2, -1, b"a" * 16, 2, 7), TRAILER], "another shape"),
    ],
)
def test_a_broken_copy_is_refused(messages, said):
    with pytest.raises(DatasetError, match=said):
        received(messages)


@settings(deadline=None)  # the first call imports pyarrow
@given(st.lists(st.uuids(), max_size=30), st.lists(st.uuids(), max_size=5))
def test_numbered_uuids_are_those_of_a_plain_map(keys, others):
    keys = keys + keys[::2]
    plain = IdMap.from_values([*keys, *others], "uuid")
    ids, rows = number_keys("uuid", *(np.array([key.bytes for key in part], dtype="V16") for part in (keys, others)))
    assert ids == plain
    assert ids.keys.dtype == plain.keys.dtype
    assert rows.tolist() == plain.rows(keys).tolist()
    assert rows.dtype == np.int32


@settings(deadline=None)
@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=30), st.lists(st.integers(0, 5), max_size=5))
def test_numbered_integers_are_those_of_a_plain_map(keys, others):
    keys = keys + keys[::2]
    plain = IdMap.from_values([*keys, *others], "int")
    ids, rows = number_keys("int", np.array(keys, dtype=np.int64), np.array(others, dtype=np.int64))
    assert ids == plain
    assert rows.tolist() == plain.rows(keys).tolist()


def test_uuids_of_zeros_and_of_ones_keep_their_place():
    keys = [uuid.UUID(int=number) for number in (2**128 - 1, 0, 2**64, 1, 2**127)]
    ids, rows = number_keys("uuid", np.array([key.bytes for key in keys], dtype="V16"), np.empty(0, "V16"))
    assert ids.ids(rows) == keys
    assert rows.tolist() == [4, 0, 2, 1, 3]


@pytest.mark.parametrize("capacity", [0, 1, 5, 9])
def test_columns_hold_what_was_added_whatever_was_expected(capacity):
    columns = Columns({"a": np.int64, "b": np.uint8}, capacity)
    for start in (0, 2, 4):
        columns.append({"a": np.arange(start, start + 2), "b": np.array([start, 7])})
    columns.append({"a": np.empty(0), "b": np.empty(0)})
    assert len(columns) == 6
    assert columns.take("a").tolist() == [0, 1, 2, 3, 4, 5]
    assert columns.take("b").tolist() == [0, 7, 2, 7, 4, 7]


@given(st.lists(st.integers(0, 4), max_size=30).map(sorted), st.integers(1, 6))
def test_blocks_cover_everything_and_part_no_key(keys, size):
    keys = np.array(keys, dtype=np.int64)
    blocks = [keys[block].tolist() for block in blocks_of(keys, size)]
    assert [key for block in blocks for key in block] == keys.tolist()
    assert all(len(block) <= size or len(set(block)) == 1 for block in blocks)
    assert sum(len(set(block)) for block in blocks) == len(set(keys.tolist()))


rows = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 1), st.sampled_from([-1.0, 2.0]), st.integers(0, 2)),
    max_size=25,
)


def table_of(entries) -> InteractionTable:
    columns = list(zip(*entries, strict=True)) if entries else [()] * 5
    types = (np.int32, np.int32, np.uint8, np.float32, np.int64)
    return InteractionTable(*(np.array(c, dtype=t) for c, t in zip(columns, types, strict=True)), ("view", "like"))


def entries_of(table: InteractionTable):
    return list(zip(*(getattr(table, field.name).tolist() for field in fields(table)[:5]), strict=True))


@given(rows, st.sampled_from([1, 3, 1000]))
def test_the_canonical_order_is_by_user_item_time_event_weight(entries, size):
    import recommender_app.dataset.ordering as ordering

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ordering, "blocks_of", lambda keys: blocks_of(keys, size))
        ordered = canonical_order(table_of(entries))
    assert entries_of(ordered) == sorted(entries, key=lambda row: (row[0], row[1], row[4], row[2], row[3]))
    assert canonical_order(ordered) is ordered


@pytest.mark.parametrize("block", [1, 2, 100])
def test_decay_in_blocks_is_decay(monkeypatch, block):
    monkeypatch.setattr("recommender_app.training.export_selection.ROWS_PER_BLOCK", block)
    day = 86_400_000_000
    table = table_of([(0, 0, 0, 2.0, 0), (0, 1, 1, 2.0, day), (1, 0, 0, -1.0, 2 * day)])
    assert with_decay(table, 1.0, None).weights.tolist() == [0.5, 1.0, -1.0]
    assert with_decay(table, 1.0, 3 * day).weights.tolist() == [0.25, 0.5, -0.5]
    assert with_decay(table, None, None) is table


def test_users_are_counted_by_distinct_items_and_events():
    ids = IdMap.from_values([1, 2])
    table = table_of([(0, 0, 0, 2.0, 0), (0, 0, 0, 2.0, 1), (1, 0, 0, 2.0, 0), (1, 0, 1, 2.0, 0)])
    kept = with_active_users(Collected(ids, ids, table), 2)
    assert kept.users.ids([0]) == [2]
    assert entries_of(kept.interactions) == [(0, 0, 0, 2.0, 0), (0, 0, 1, 2.0, 0)]
    assert len(with_active_users(Collected(ids, ids, replace(table)), 1).interactions) == 4
