"""One row per line: whatever happens to one line, the others are read, and never as something else."""

import io
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender_app.serving.spool.framing import MOST_BYTES, framed, lines, unframed

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)


def row(number, **values):
    return {"request_id": UUID(int=number), "created_at": AT, "user_id": str(number), **values}


def read(content):
    """Return the readable rows and the number of lines that are none."""
    found = [unframed(line) for line in lines(io.BytesIO(content))]
    return [values for values in found if values is not None], found.count(None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
THREE = b"".join(framed(row(number, results=[{"item": "7", "score": 0.25}])) for number in (1, 2, 3))
ROWS = [row(number, results=[{"item": "7", "score": 0.25}]) for number in (1, 2, 3)]


@given(results=JSON)
def test_a_row_is_read_as_it_was_written(results):
    assert read(framed(row(5, results=results))) == ([row(5, results=results)], 0)


@given(user_id=st.text())
def test_a_line_is_one_line_whatever_it_holds(user_id):
    line = framed(row(1, user_id=user_id))
    assert (line[:1], line[-1:], line.count(b"\n")) == (b"\n", b"\n", 2)


@settings(max_examples=300)
@given(bit=st.integers(0, 8 * len(THREE) - 1))
def test_a_flipped_bit_costs_one_row_at_most_and_never_changes_one(bit):
    content = bytearray(THREE)
    content[bit // 8] ^= 1 << bit % 8
    rows, _ = read(bytes(content))
    assert len(rows) >= 2
    assert all(values in ROWS for values in rows)


@settings(max_examples=300)
@given(length=st.integers(0, len(THREE)))
def test_of_a_torn_file_every_whole_row_is_read(length):
    rows, n_bad = read(THREE[:length])
    n_whole = sum(len(THREE) // 3 * number - 1 <= length for number in (1, 2, 3))  # the last line feed may be missing
    assert rows == ROWS[:n_whole]
    assert n_bad <= 1


@given(before=st.binary(max_size=50), between=st.binary(max_size=50))
def test_garbage_around_rows_is_skipped(before, between):
    first, second = framed(ROWS[0]), framed(ROWS[1])
    assert read(before + first + between + second)[0] == ROWS[:2]


def test_a_row_that_was_torn_costs_the_next_one_nothing():
    assert read(THREE[:40] + framed(ROWS[1])) == ([ROWS[1]], 1)


def test_a_file_without_line_feeds_is_read_in_pieces():
    assert [len(line) for line in lines(io.BytesIO(b"x" * (MOST_BYTES + 5)))] == [MOST_BYTES, 5]


@pytest.mark.parametrize("payload", [b"[]", b"7", b"{}", b"nope", b'{"request_id": 7, "created_at": "2026-05-01"}'])
def test_what_another_program_wrote_is_no_row(payload):
    import zlib

    assert unframed(b"r1 %08x %08x %s" % (len(payload), zlib.crc32(payload), payload)) is None
