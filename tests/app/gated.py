"""A dataset with a time cut whose best engine a child can name, and versions that were live before."""

from __future__ import annotations

import numpy as np

from recommender_app.dataset.dataset import Dataset
from recommender_app.dataset.features import Features
from recommender_app.dataset.ids import IdMap
from recommender_app.dataset.interactions import MICROSECONDS_PER_DAY, InteractionTable
from recommender_app.models import ModelVersion
from recommender_app.registry.releases import promote
from recommender_app.training.gate_data import DataProfile
from recommender_app.training.hold_out import HoldOut
from tests.app.registered import candidate

N_USERS, N_ITEMS, N_DAYS = 40, 40, 10
HALF = N_ITEMS // 2


def two_tastes(n_users: int = N_USERS, seed: int = 0) -> Dataset:
    """Return users who like one item of their half of the catalogue a day; no item is more popular than others."""
    rng = np.random.default_rng(seed)
    users, items, times = [], [], []
    for user in range(n_users):
        chosen = rng.permutation(HALF)[:N_DAYS] + HALF * (user % 2)
        users += [user] * N_DAYS
        items += chosen.tolist()
        times += [(day + 1) * MICROSECONDS_PER_DAY for day in range(N_DAYS)]
    return dataset_of(users, items, times, n_users)


def dataset_of(users: list[int], items: list[int], times: list[int], n_users: int, n_items: int = N_ITEMS) -> Dataset:
    """Return a dataset of likes without features."""
    table = InteractionTable(
        np.array(users, dtype=np.int32),
        np.array(items, dtype=np.int32),
        np.zeros(len(users), dtype=np.uint8),
        np.ones(len(users), dtype=np.float32),
        np.array(times, dtype=np.int64),
        ("like",),
    )
    ids = IdMap("int", np.arange(n_users)), IdMap("int", np.arange(n_items))
    return Dataset(*ids, table, Features.empty(n_items), Features.empty(n_users), relevant_events=("like",))


def hold_out(dataset: Dataset | None = None) -> HoldOut:
    """Return what the gate judges on."""
    return HoldOut(dataset or two_tastes(), seed=1)


def put_live(engine: str = "popular", dataset: Dataset | None = None, **values) -> ModelVersion:
    """Make a version live that has learned from ``dataset``, as its verdict says."""
    version = candidate(engine, **values)
    gate = {
        "passed": True,
        "outcome": "passed",
        "reason": "",
        "dataset": DataProfile.of(dataset or two_tastes()).to_json(),
    }
    ModelVersion.objects.filter(pk=version.pk).update(gate=gate)
    promote(version, by="ann")
    version.refresh_from_db()
    return version
