"""Rows 53 and 56 of the fault matrix: what a body may not be, before any serializer sees it."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from rest_framework.exceptions import APIException, ParseError

from recommender_app.api.errors import flat
from recommender_app.api.parsing import BODY_MAX, DEPTH_MAX, StrictJSONParser


def read(body: bytes):
    return StrictJSONParser().parse(io.BytesIO(body), "application/json")


REFUSED = {
    "nothing": b"",
    "no JSON": b"{item: 1}",
    "half": b'{"item": ',
    "two": b"{} {}",
    "a comment": b"{} // why",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "bad UTF-8": b'{"item": "\xff"}',
    "UTF-16": '{"item": 1}'.encode("utf-16"),
    "a surrogate in UTF-8": b'{"item": "\xed\xa0\x80"}',
    "half of a pair": rb'{"item": "\ud800"}',
    "half of a pair as a key": rb'{"\udfff": 1}',
    "half of a pair in a list": rb'[["\ud83d", 1]]',
    "NUL": rb'{"item": "a\u0000"}',
    "a bare NUL": b'{"item": "a\x00"}',
    "a line break in a text": b'{"item": "a\nb"}',
    "a key twice": b'{"item": 1, "item": 2}',
    "a key twice, written differently": rb'{"item": 1, "\u0069tem": 2}',
    "a key twice inside": b'{"events": [{"item": 1, "item": 1}]}',
    "NaN": b'{"weight": NaN}',
    "Infinity": b"[Infinity]",
    "-Infinity": b"[-Infinity]",
    "1e400": b'{"weight": 1e400}',
    "-1e400": b"-1e400",
    "10**30": b'{"item": 1000000000000000000000000000000}',
    "2**63": b"9223372036854775808",
    "-2**63": b"-9223372036854775808",
    "5,000 digits": b"[" + b"9" * 5_000 + b"]",
    "lists in lists": b"[" * 30_000 + b"]" * 30_000,
    "opened lists": b"[" * 60_000,
    "objects in objects": b'{"a":' * 9_000 + b"1" + b"}" * 9_000,
    "one level too many": b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1),
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_row_56_a_body_that_is_ambiguous_endless_or_not_json_is_400(body):
    with pytest.raises(ParseError) as refusal:
        read(body)
    assert refusal.value.status_code == 400
    assert len(str(refusal.value)) < 200  # says what is wrong, not what was sent


def test_row_56_of_a_body_that_is_too_long_no_more_than_the_bound_is_read():
    assert read(b'"' + b"x" * (BODY_MAX - 2) + b'"') == "x" * (BODY_MAX - 2)
    stream = io.BytesIO(b" " * 12_000_000)
    with pytest.raises(APIException) as refusal:
        StrictJSONParser().parse(stream)
    assert refusal.value.status_code == 413
    assert stream.tell() == BODY_MAX + 1


def test_what_is_fine_is_read_as_json_reads_it():
    body = rb'{"a": [1, -2, 2.5, 1e3, true, null], "b": {"c": "\ud83d\ude00 \"[[{{\\"}, "d": 9223372036854775807}'
    assert read(body) == json.loads(body)
    assert read(b"[" * DEPTH_MAX + b"]" * DEPTH_MAX) == json.loads("[" * DEPTH_MAX + "]" * DEPTH_MAX)
    assert read(b'"' + b"[" * 100 + b'"') == "[" * 100  # brackets in a text nest nothing


stored = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
numbers = st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | stored,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(stored, inner, max_size=3),
    max_leaves=8,
)


def refusal_of(body: bytes) -> str:
    """Return why a body is refused, or nothing."""
    try:
        read(body)
    except ParseError as error:
        return str(error)
    return ""


@given(values, st.booleans())
@hypothesis_settings(max_examples=150, deadline=None)
def test_whatever_json_writes_is_read_unless_it_is_too_deep(value, is_ascii):
    text = json.dumps(value, ensure_ascii=is_ascii)
    if text.count("[") + text.count("{") <= DEPTH_MAX:
        assert read(text.encode()) == value
    else:
        assert refusal_of(text.encode()) in ("", f"The JSON is nested more than {DEPTH_MAX} levels deep.")


@given(st.binary(max_size=60))
@hypothesis_settings(max_examples=200, deadline=None)
def test_any_bytes_are_read_or_refused_in_words(body):
    assert refusal_of(body)[-1:] in ("", ".")


def test_errors_of_fields_within_each_other_are_named_by_their_path():
    nested = {"limit": ["a"], "events": [{}, {"item": ["b", "c"]}], "more": {"deep": {"non_field_errors": ["d"]}}}
    assert flat(nested) == {
        "limit": ["a"],
        "events.1.item": ["b", "c"],
        "more.deep.non_field_errors": ["d"],
    }
    assert flat(["a"]) == {"non_field_errors": ["a"]}
