"""External ids survive the way to rows and back."""

from __future__ import annotations

from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender_app.dataset import ids
from recommender_app.dataset.ids import IdMap
from recommender_app.exceptions import DatasetError

KINDS = {
    "int": st.integers(-(2**63), 2**63 - 1),
    "uuid": st.uuids(),
    "str": st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=300),
}
some_ids = st.sampled_from(sorted(KINDS)).flatmap(
    lambda kind: st.tuples(st.just(kind), st.lists(KINDS[kind], max_size=30))
)


@given(some_ids)
def test_ids_round_trip_with_their_own_type(kind_and_ids: tuple) -> None:
    kind, ids = kind_and_ids
    known = IdMap.from_values(ids, kind)
    rows = known.rows(ids)
    assert known.ids(rows) == ids
    assert all(type(back) is type(given) for back, given in zip(known.ids(rows), ids, strict=True))


@given(some_ids)
def test_every_id_comes_once_in_order_whatever_the_blocks(kind_and_ids: tuple) -> None:
    kind, values = kind_and_ids
    known = IdMap.from_values(values, kind)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ids, "_IDS_PER_BLOCK", 3)
        assert list(known.every_id()) == known.ids(range(len(known)))


@given(some_ids)
def test_ids_are_found_by_what_str_makes_of_them(kind_and_ids: tuple) -> None:
    kind, values = kind_and_ids
    known = IdMap.from_values(values, kind)
    assert known.rows_of_texts([str(value) for value in values]).tolist() == known.rows(values).tolist()


@pytest.mark.parametrize(("known", "text"), [(7, "07"), (7, "seven"), (7, " 7"), (UUID(int=7), "7"), ("7", "07")])
def test_a_text_that_str_does_not_make_of_an_id_is_unknown(known: object, text: str) -> None:
    assert IdMap.from_values([known]).rows_of_texts([text]).tolist() == [-1]


@given(some_ids)
def test_rows_are_0_to_n_in_any_order_of_arrival(kind_and_ids: tuple) -> None:
    kind, ids = kind_and_ids
    known = IdMap.from_values(ids, kind)
    assert IdMap.from_values([*reversed(ids), *ids], kind) == known
    assert sorted(set(known.rows(ids).tolist())) == list(range(len(set(ids))))


@given(some_ids, st.one_of(*KINDS.values(), st.booleans(), st.none(), st.floats()))
def test_an_unknown_id_is_row_minus_one_and_never_an_error(kind_and_ids: tuple, other: object) -> None:
    kind, ids = kind_and_ids
    known = IdMap.from_values([known_id for known_id in ids if known_id != other], kind)
    assert known.rows([other]).tolist() == [-1]


def test_a_number_and_its_text_are_different_ids() -> None:
    assert IdMap.from_values([1, 2]).rows(["1", 1, True]).tolist() == [-1, 0, -1]


def test_longer_text_than_any_known_is_not_cut_to_a_match() -> None:
    assert IdMap.from_values(["ab"]).rows(["ab", "abc", "a"]).tolist() == [0, -1, -1]


def test_uuids_keep_their_order_as_text() -> None:
    low, high = UUID(int=1), UUID(int=2**127)
    assert IdMap.from_values([high, low]).ids([0, 1]) == [low, high]


def test_mixed_kinds_are_refused() -> None:
    with pytest.raises(DatasetError, match="several kinds"):
        IdMap.from_values([1, "1"])


@pytest.mark.parametrize("value", [1.5, None, b"x", True])
def test_values_that_are_no_ids_are_refused(value: object) -> None:
    with pytest.raises(DatasetError, match="must be int, str or UUID"):
        IdMap.from_values([value])


def test_integers_beyond_64_bits_are_refused() -> None:
    with pytest.raises(DatasetError):
        IdMap.from_values([2**63])


def test_text_with_a_nul_character_is_refused() -> None:
    with pytest.raises(DatasetError):
        IdMap.from_values(["a\0"])


@pytest.mark.parametrize("keys", [np.array([2, 1]), np.array([1, 1]), np.array(["a"]), np.array([[1]])])
def test_damaged_keys_are_refused(keys: np.ndarray) -> None:
    with pytest.raises(DatasetError):
        IdMap("int", keys)


@pytest.mark.parametrize("row", [-1, 2])
def test_rows_outside_the_map_have_no_id(row: int) -> None:
    with pytest.raises(DatasetError, match="outside"):
        IdMap.from_values([1, 2]).ids([row])
