"""How alike the items of a pool are."""

from pathlib import Path

import numpy as np

from recommender_app.artifacts.opening import OpenedArtifact
from recommender_app.dataset.ids import IdMap
from recommender_app.serving.arranging.similarity import category_similarities, content_of, content_similarities
from recommender_app.testing import FixedEngine
from recommender_app.usecases.rules import Facts
from tests.core.toys import GROUP, N_ITEMS
from tests.core.trained import trained


def opened(engine, n_items=N_ITEMS):
    items = IdMap.from_values(range(100, 100 + n_items))
    return OpenedArtifact(engine, items, None, Path("content_based_v1"))  # type: ignore[arg-type]


def test_items_of_one_group_are_more_alike_than_items_of_two():
    found = content_similarities(opened(trained("content_based")), [100, 101, 100 + GROUP, 101 + GROUP])
    assert found[0, 1] > found[0, 2]
    assert found[2, 3] > found[2, 1]
    np.testing.assert_allclose(found.diagonal(), 1, atol=1e-5)
    np.testing.assert_allclose(found, found.T, atol=1e-6)
    assert found.min() >= 0


def test_items_that_the_engine_does_not_know_are_like_no_other():
    found = content_similarities(opened(trained("content_based")), ["no such", 100, 99_999])
    assert found[[0, 2]].sum() == found[:, [0, 2]].sum() == 0
    assert content_similarities(opened(trained("content_based")), []).shape == (0, 0)


def test_another_engine_under_the_name_is_not_asked():
    assert content_of({"content_based": opened(FixedEngine([100]), 1)}) is None
    assert content_of({}) is None
    assert content_of({"content_based": opened(trained("content_based"))}) is not None


def test_shared_of_all_values_of_both():
    facts = [
        Facts({"colour": frozenset({"red"}), "tag": frozenset({"new", "big"})}),
        Facts({"colour": frozenset({"red"}), "tag": frozenset({"new"})}),
        Facts({"colour": frozenset({"blue"})}),
        Facts(),
    ]
    found = category_similarities(("colour", "tag"), facts)
    np.testing.assert_allclose(found, [[1, 2 / 3, 0, 0], [2 / 3, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]], atol=1e-6)


def test_the_same_value_of_two_attributes_is_not_shared():
    facts = [Facts({"colour": frozenset({"orange"})}), Facts({"fruit": frozenset({"orange"})})]
    assert category_similarities(("colour", "fruit"), facts)[0, 1] == 0
