"""What ``recommender_app.testing`` promises to the tests of a host."""

import numpy as np
import pytest

from recommender_app import recommend
from recommender_app.engines.popularity import PopularityEngine
from recommender_app.testing import FixedEngine, hidden_item, make_dataset, override_engine
from tests.app import library


@pytest.mark.django_db
def test_an_override_answers_whatever_the_history_and_ends_with_its_block():
    books = library.add_shelves(2)
    reader = library.add_reader(likes=tuple(books))
    with override_engine("books", FixedEngine([books[3].pk, books[0].pk])):
        inside = recommend(reader, "books", 2)
    after = recommend(reader, "books", 2)
    assert [result.id for result in inside.results] == [books[3].pk, books[0].pk]
    assert (inside.engine, inside.model_version, inside.policy) == ("fixed", "fixed_v0", "override")
    assert (after.engine, after.policy) == ("newest", "default")


@pytest.mark.django_db
def test_overrides_may_be_nested():
    books = library.add_shelves(1)
    reader = library.add_reader()
    with override_engine("books", FixedEngine([books[0].pk])):
        with override_engine("books", FixedEngine([books[1].pk])):
            assert recommend(reader, "books", 1).results[0].id == books[1].pk
        assert recommend(reader, "books", 1).results[0].id == books[0].pk


def test_another_engine_needs_its_items_named():
    with pytest.raises(TypeError, match="IdMap"), override_engine("books", PopularityEngine(np.ones(3))):
        pass


def test_a_fixed_engine_survives_its_own_state():
    engine = FixedEngine([2, 0, 1])
    assert FixedEngine.from_state(engine.state()).scores.tolist() == engine.scores.tolist() == [2, 1, 3]


@pytest.mark.parametrize(("n_users", "n_items"), [(12, 10), (3, 4), (40, 6)])
def test_the_toy_hides_one_item_of_the_own_taste_from_each_user(n_users, n_items):
    dataset = make_dataset(n_users, n_items)
    assert (dataset.n_users, dataset.n_items) == (n_users, n_items)
    for user in range(1, n_users + 1):
        liked = set(dataset.items.ids(dataset.positives[user - 1].indices))
        missing = hidden_item(user, n_items)
        assert missing not in liked
        assert liked | {missing} == {item for item in range(1, n_items + 1) if item % 2 == user % 2}
