"""What numpy serves is what torch learned."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from recommender_app.dataset.features import Features
from recommender_app.engines.batch import batch_of_users
from recommender_app.trainers.two_tower_batches import prepare
from recommender_app.trainers.two_tower_config import TwoTowerConfig
from recommender_app.trainers.two_tower_export import Encoders, export_engine
from recommender_app.trainers.two_tower_features import fit_encoder
from recommender_app.trainers.two_tower_model import ModelShape, item_vectors, new_tables, user_vectors
from tests.core.two_tower_toys import interactions, taste_groups

N_ITEMS, N_USERS, D = 300, 40, 16


@pytest.fixture(scope="module", params=[0, 1, 2], ids="dense{}".format)
def towers(request):
    """Random data with texts, terms, numbers and dislikes; random tables of every kind."""
    rng = np.random.default_rng(3)
    words = np.array(["cat", "dog", "bird", "fish", "tree", "黑猫", "book"])
    items = Features(
        [" ".join(rng.choice(words, 4)) for _ in range(N_ITEMS)],
        [(f"topic={rng.choice(words)}",) for _ in range(N_ITEMS)],
        rng.normal(size=(N_ITEMS, 2)).astype(np.float32),
        ("price", "size"),
    )
    users = Features([" ".join(rng.choice(words, 2)) for _ in range(N_USERS)], [()] * N_USERS)
    rows = [(user, item, rng.choice([-1.0, 1.0, 3.0])) for user in range(N_USERS) for item in rng.choice(N_ITEMS, 20)]
    base = taste_groups(N_USERS, cold_items=N_ITEMS - 12)
    data = type(base)(base.users, base.items, interactions(rows), items, users)
    config = TwoTowerConfig(half_life_days=100.0)
    encoders = Encoders(fit_encoder(items, 100), fit_encoder(users, 100))
    prepared = prepare(data, encoders.content, encoders.profile, config)
    shape = ModelShape(N_ITEMS, encoders.content.width, encoders.profile.width, D, request.param)
    generator = torch.Generator().manual_seed(0)
    tables = new_tables(shape, generator)
    tables["dense"] = torch.randn(tables["dense"].shape, generator=generator) * 0.3
    return data, prepared, tables, export_engine(tables, prepared, encoders, 100.0, 0.1)


def torch_scores(prepared, tables) -> np.ndarray:
    users = user_vectors(tables, prepared.history, prepared.history @ prepared.content, prepared.profile)
    items = item_vectors(tables, prepared.content)
    return (users @ items.T).numpy()


def test_the_normalised_user_vectors_are_those_of_torch(towers):
    data, prepared, tables, engine = towers
    users = user_vectors(tables, prepared.history, prepared.history @ prepared.content, prepared.profile).numpy()
    served = engine.user_vectors(batch_of_users(data, np.arange(N_USERS, dtype=np.int32)))
    np.testing.assert_allclose(served, users, rtol=1e-4, atol=1e-6)


def test_the_item_vectors_are_those_of_torch(towers):
    _, prepared, tables, engine = towers
    seen = prepared.seen_items
    expected = item_vectors(tables, prepared.content).numpy()
    np.testing.assert_allclose(engine.arrays.item_vectors[seen], expected[seen], rtol=1e-4, atol=1e-6)


def test_the_top_20_are_those_of_torch_but_for_ties(towers):
    data, prepared, tables, engine = towers
    scores = torch_scores(prepared, tables)[:, prepared.seen_items]
    served = engine.score(batch_of_users(data, np.arange(N_USERS, dtype=np.int32)), prepared.seen_items)
    by_torch, by_numpy = np.argsort(-scores, kind="stable")[:, :20], np.argsort(-served, kind="stable")[:, :20]
    np.testing.assert_allclose(
        np.take_along_axis(scores, by_numpy, 1), np.take_along_axis(scores, by_torch, 1), rtol=1e-4, atol=1e-6
    )
