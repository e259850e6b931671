"""The serving catalogue: engines that know different items understand each other."""

import uuid

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from recommender_app.dataset.ids import IdMap
from recommender_app.engines.batch import RequestBatch
from recommender_app.exceptions import EngineError
from recommender_app.serving.alignment import AlignedEngine, to_engine_rows
from recommender_app.serving.catalogue import Catalogue, majority_kind
from recommender_app.serving.request import ServingRequest, usable
from recommender_app.testing import FixedEngine
from recommender_app.usecases.history import History

IDS = st.lists(st.integers(-50, 50), max_size=20)


def catalogue(**engines) -> Catalogue:
    return Catalogue.of({engine: IdMap.from_values(ids, "int") for engine, ids in engines.items()})


def test_every_item_of_every_engine_has_one_row():
    both = catalogue(old=[3, 1, 2], new=[2, 9])
    assert both.items.keys.tolist() == [1, 2, 3, 9]
    assert both.to_engine["old"].tolist() == [0, 1, 2, -1]
    assert both.to_engine["new"].tolist() == [-1, 0, -1, 1]
    assert both.from_engine["new"].tolist() == [1, 3]


@given(old=IDS, new=IDS, asked=IDS)
def test_a_row_leads_to_the_same_item_in_every_engine(old, new, asked):
    both = catalogue(old=old, new=new)
    for engine, ids in (("old", old), ("new", new)):
        items = IdMap.from_values(ids, "int")
        rows = both.engine_rows(engine, both.rows(asked))
        assert rows.tolist() == items.rows(asked).tolist()
        assert both.items.ids(both.from_engine[engine]) == items.ids(range(len(items)))


def test_a_catalogue_of_nothing_knows_nothing():
    empty = Catalogue.of({})
    assert len(empty) == 0
    assert empty.rows([1, "a", uuid.uuid4()]).tolist() == [-1, -1, -1]


def test_the_kind_of_most_engines_decides():
    maps = {"a": IdMap.from_values([1]), "b": IdMap.from_values(["x"]), "c": IdMap.from_values(["y"])}
    assert majority_kind(maps) == "str"
    assert majority_kind({}) == "str"


def request(both, ids, weights, ages, hidden=()) -> ServingRequest:
    history = History(ids, np.array(weights, np.float32), np.array(ages, np.float32), len(ids))
    return ServingRequest(both, history, None, tuple(hidden))


def test_the_history_arrives_in_the_engines_rows_with_its_ages():
    asked = request(catalogue(old=[1, 2, 3], new=[2, 9]), [9, 2, 77, 1], [3, -1, 5, 2], [0.5, 7, 1, 30])
    old, new = asked.batch("old"), asked.batch("new")
    assert old.history.toarray().tolist() == [[2, -1, 0]]
    assert old.ages_days.tolist() == [30, 7]
    assert new.history.toarray().tolist() == [[-1, 3]]
    assert new.ages_days.tolist() == [7, 0.5]
    assert old.user_rows.tolist() == [-1]


def test_a_user_who_only_disliked_has_no_history_to_learn_from():
    both = catalogue(old=[1, 2])
    assert not request(both, [1], [-1], [1]).has_history
    assert not request(both, [], [], []).has_history
    assert request(both, [77], [0.5], [1]).has_history


def test_hidden_and_judged_items_are_excluded_where_the_engine_knows_them():
    asked = request(catalogue(old=[1, 2, 3], new=[2, 9]), [], [], [], hidden=[9, 2])
    assert asked.exclusion("old", [3, 2]).indices.tolist() == [1, 2]
    assert asked.exclusion("new", []).indices.tolist() == [0, 1]
    assert asked.exclusion("old", []).shape == (1, 3)


def test_an_aligned_engine_has_no_opinion_on_items_it_does_not_know():
    both = catalogue(old=[1, 2, 3], fixed=[2, 9])
    aligned = AlignedEngine(FixedEngine([9, 2]), both.to_engine["fixed"], both.from_engine["fixed"])
    nothing = RequestBatch(np.array([-1, -1]), sparse.csr_matrix((2, 4), dtype=np.float32))
    nan = np.nan
    np.testing.assert_array_equal(aligned.score(nothing), [[nan, 1, nan, 2]] * 2)
    np.testing.assert_array_equal(aligned.score(nothing, np.array([3, 0, -1])), [[2, nan, nan]] * 2)
    assert aligned.n_items == 4
    with pytest.raises(EngineError):
        aligned.state()


def test_a_batch_of_several_keeps_its_users_apart():
    both = catalogue(a=[1, 2, 3, 4], b=[2, 4])
    history = sparse.csr_matrix(np.array([[1, 2, 0, 0], [0, 0, 0, 0], [0, 3, 4, 5]], dtype=np.float32))
    batch = RequestBatch(np.array([-1, -1, -1]), history, np.arange(5, dtype=np.float32))
    translated = to_engine_rows(batch, both.to_engine["b"], 2)
    assert translated.history.toarray().tolist() == [[2, 0], [0, 0], [3, 5]]
    assert translated.ages_days.tolist() == [1, 2, 4]


def test_proposals_are_cleaned_at_the_border():
    rows = np.array([[2, 2, -1, 0, 7, 1]])
    scores = np.array([[5, 4, 3, np.nan, 2, 1]])
    rows, scores = usable(rows, scores, n_items=3)
    assert rows.tolist() == [2, 1]
    assert scores.tolist() == [5, 1]


def test_an_aligned_engine_proposes_in_catalogue_rows():
    both = catalogue(old=[1, 2, 3], fixed=[2, 9])
    aligned = AlignedEngine(FixedEngine([9, 2]), both.to_engine["fixed"], both.from_engine["fixed"])
    nothing = RequestBatch(np.array([-1, -1]), sparse.csr_matrix((2, 4), dtype=np.float32))
    rows, scores = aligned.candidates(nothing, 3)
    assert rows.tolist() == [[3, 1, -1]] * 2
    np.testing.assert_array_equal(scores, [[2, 1, np.nan]] * 2)
    hidden = sparse.csr_matrix(np.array([[1, 0, 0, 1], [0, 1, 1, 0]], dtype=np.float32))
    assert aligned.candidates(nothing, 1, hidden)[0].tolist() == [[1], [3]]
