"""What the content trainer makes of little and strange data."""

from __future__ import annotations

import numpy as np
import pytest

from recommender_app.dataset.dataset import Dataset
from recommender_app.dataset.features import Features
from recommender_app.dataset.ids import IdMap
from recommender_app.engines.content import ContentEngine
from recommender_app.exceptions import ConfigurationError, NotEnoughData
from recommender_app.trainers.content import ContentTrainer
from recommender_app.trainers.content_config import ContentConfig
from tests.core.toys import dataset_of, item_features, request, table, two_tastes

CONFIG = ContentConfig(n_threads=1)
FRUIT = ("red apple", "red cherry", "blue plum", "blue grape")


def described(likes: list[tuple[int, int]], texts: tuple[str, ...] = FRUIT, n_users: int = 3) -> Dataset:
    users, items = IdMap("int", np.arange(n_users)), IdMap("int", np.arange(len(texts)))
    return Dataset(users, items, table(likes), Features(texts, [()] * len(texts)), Features.empty(n_users))


def train(dataset: Dataset, **options: float) -> ContentEngine:
    return ContentTrainer().train(dataset, ContentConfig(n_threads=1, **options))  # type: ignore[arg-type]


def ask(engine: ContentEngine, history: dict[int, float], text: str = "") -> np.ndarray:
    profiles = Features([text], [()])
    return engine.score(request(history, n_items=engine.n_items, profiles=profiles))[0]


def test_without_interactions_words_alone_decide() -> None:
    engine = train(described([]))
    assert engine.item_vectors.shape == (4, 0)
    scores = ask(engine, {}, "anything red")
    assert scores[:2].min() > scores[2:].max()
    assert np.isnan(ask(engine, {}, "unheard of")).all()


@pytest.mark.parametrize(
    ("likes", "texts"),
    [
        ([(0, 0)], ("red apple",)),
        ([(0, 0), (0, 1)], FRUIT),
        ([(0, 0), (1, 0), (2, 0)], FRUIT),
    ],
    ids=["one user and one item", "one user", "one item liked"],
)
def test_too_little_for_factors_still_compares_words(likes: list[tuple[int, int]], texts: tuple[str, ...]) -> None:
    scores = ask(train(described(likes, texts)), {}, "red apple")
    assert np.nanargmax(scores) == 0


def test_identical_histories_leave_finite_scores() -> None:
    engine = train(described([(user, item) for user in range(3) for item in (0, 1)]))
    scores = ask(engine, {0: 1.0})
    assert np.isfinite(scores).all()
    assert scores[:2].min() > scores[2:].max()


def test_a_single_category_for_all_leaves_finite_scores() -> None:
    plain = two_tastes()
    same = Features([""] * plain.n_items, [("kind=thing",)] * plain.n_items)
    everyone = Features([""] * plain.n_users, [("kind=person",)] * plain.n_users)
    engine = train(Dataset(plain.users, plain.items, plain.interactions, same, everyone))
    assert np.isfinite(engine.score(request({0: 1.0}))).all()
    assert np.isfinite(engine.score(request({}, profiles=Features([""], [("kind=person",)])))).all()


def test_numbers_alone_are_features_enough() -> None:
    plain = two_tastes()
    sizes = np.where(np.arange(plain.n_items) % 12 < 6, 1.0, 9.0)[:, np.newaxis].astype(np.float32)
    sizes[3] = np.nan
    features = Features([""] * plain.n_items, [()] * plain.n_items, sizes, ("size",))
    engine = train(Dataset(plain.users, plain.items, plain.interactions, features, plain.user_features))
    batch = request({0: 1.0, 1: 1.0, 2: 1.0})
    small, large, unknown = engine.score_encoded(
        batch, engine.encode_items(Features([""] * 3, [()] * 3, np.array([[1], [9], [np.nan]], np.float32), ("size",)))
    )[0]
    assert small > large
    assert np.isnan(unknown)


def test_no_features_at_all_is_said_in_one_line() -> None:
    likes = [(user, item) for user in range(12) for item in range(5)]
    with pytest.raises(NotEnoughData, match="no features"):
        ContentTrainer().train(dataset_of(table(likes)), CONFIG)


def test_profiles_without_items_to_compare_or_learn_from_are_too_little() -> None:
    users, items = IdMap("int", np.arange(2)), IdMap("int", np.arange(2))
    dataset = Dataset(users, items, table([]), Features.empty(2), Features(["red", "blue"], [(), ()]))
    with pytest.raises(NotEnoughData, match="no interactions"):
        ContentTrainer().train(dataset, CONFIG)


def test_an_uninformative_profile_gets_what_is_popular() -> None:
    """Nobody else's profile has words of the newcomer but "person", which all have."""
    likes = [(user, item) for user in range(30) for item in ([0, 1] if user < 24 else [2, 3]) + [4 + user % 5]]
    users, items = IdMap("int", np.arange(30)), IdMap("int", np.arange(9))
    texts = Features([f"item {item}" for item in range(9)], [()] * 9)
    engine = train(Dataset(users, items, table(likes), texts, Features(["person"] * 30, [()] * 30)))
    scores = ask(engine, {}, "person")
    assert set(np.argsort(-scores)[:2].tolist()) == {0, 1}


def test_more_users_than_the_profile_map_needs_are_sampled() -> None:
    engine = train(two_tastes(), max_profile_users=6)
    assert np.isfinite(engine.score(request({}, profiles=Features(["likes red"], [()])))).all()


def test_the_vocabulary_keeps_the_most_frequent_words() -> None:
    engine = train(two_tastes(), max_words=2)
    assert engine.wording.words.words(np.arange(2)) == ["blue", "red"]
    assert len(item_features()) == engine.n_items


@pytest.mark.parametrize(
    "options", [{"max_words": 60_000}, {"item_penalty": 0.0}, {"half_count": float("nan")}, {"wording_share": -1.0}]
)
def test_options_that_make_no_sense_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        ContentConfig(**options)  # type: ignore[arg-type]
