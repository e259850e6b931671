"""Data that no textbook has: every trainer learns from it or says in one line why not, and what it made can serve."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recommender_app.dataset.dataset import Dataset
from recommender_app.dataset.features import Features
from recommender_app.engines.base import Engine
from recommender_app.engines.batch import batch_of_users
from recommender_app.exceptions import NotEnoughData
from tests.core.toys import N_ITEMS, N_USERS, TOY_CONFIG, dataset_of, request, table, two_tastes
from tests.core.trained import TRAINER_KEYS, trainer_of

MEGABYTE = "word " * 200_000
ODD_TEXTS = (
    "",
    "one",
    "日本語のテキスト",
    "مرحبا بالعالم",
    "<script>alert(1)</script><p>",
    "&amp;&#0;",
    "\x00\ud800",
    MEGABYTE,
)


def with_item_features(features: Features) -> Dataset:
    return replace(two_tastes(), item_features=features)


def texts(*wanted: str) -> Features:
    """Return features of the toy's items whose texts repeat the wanted ones."""
    filled = [wanted[item % len(wanted)] for item in range(N_ITEMS)]
    return Features(filled, [() for _ in range(N_ITEMS)])


def of_pairs(*pairs: tuple[int, int]) -> Dataset:
    return replace(two_tastes(), interactions=table(list(pairs)))


ODD_DATA = {
    "items without text": lambda: with_item_features(Features.empty(N_ITEMS)),
    "texts of one word": lambda: with_item_features(texts("one")),
    "texts of every kind": lambda: with_item_features(texts(*ODD_TEXTS)),
    "a single category": lambda: with_item_features(Features([""] * N_ITEMS, [("only",)] * N_ITEMS)),
    "users without a profile": lambda: replace(two_tastes(), user_features=Features.empty(N_USERS)),
    "no features at all": lambda: dataset_of(two_tastes().interactions),
    "one user": lambda: of_pairs(*[(0, item) for item in range(5)]),
    "one item": lambda: of_pairs(*[(user, 0) for user in range(5)]),
    "one user and one item": lambda: of_pairs((0, 0)),
    "identical histories": lambda: of_pairs(*[(user, item) for user in range(N_USERS) for item in range(4)]),
    "everything liked by everybody": lambda: of_pairs(
        *[(user, item) for user in range(N_USERS) for item in range(N_ITEMS)]
    ),
}


def learned_or_refused(key: str, data: Dataset) -> Engine | str:
    """Return the engine, or the line that says why there is none."""
    trainer = trainer_of(key)
    try:
        return trainer.train(data, trainer.Config.from_json(TOY_CONFIG.get(key, {})), 1)
    except NotEnoughData as error:
        return str(error)


@pytest.mark.parametrize("odd", ODD_DATA)
@pytest.mark.parametrize("key", TRAINER_KEYS)
def test_odd_data_give_an_engine_that_serves_or_one_line(key: str, odd: str) -> None:
    data = ODD_DATA[odd]()
    engine = learned_or_refused(key, data)
    if isinstance(engine, str):
        assert engine.startswith("Too little") or "content" in engine or "features" in engine
        assert "\n" not in engine
        return
    known = batch_of_users(data, np.arange(N_USERS, dtype=np.int32))
    for batch in (known, request({}), request({0: 1.0, N_ITEMS - 1: 1.0})):
        assert not np.isinf(engine.score(batch)).any()
        rows, scores = engine.candidates(batch, 3)
        assert np.isfinite(scores[rows >= 0]).all()


@pytest.mark.parametrize("key", ["popular", "als", "two_tower", "item_graph", "item_knn", "ensemble"])
def test_without_any_features_behaviour_is_enough(key: str) -> None:
    engine = learned_or_refused(key, ODD_DATA["no features at all"]())
    assert isinstance(engine, Engine)
    assert np.isfinite(engine.score(request({0: 1.0}))).any()


@pytest.mark.parametrize("key", ["popular", "two_tower"])
def test_one_user_with_one_item_is_enough_to_count(key: str) -> None:
    assert isinstance(learned_or_refused(key, ODD_DATA["one user and one item"]()), Engine)
