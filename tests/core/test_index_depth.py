"""Long lists lie in more cells of an index than short ones."""

from __future__ import annotations

import numpy as np
import pytest

from recommender_app.engines.index import ItemIndex, SearchPlan
from recommender_app.trainers.index import train_ivf

N, D = 4000, 8
VECTORS = np.random.default_rng(1).standard_normal((N, D)).astype(np.float32)


@pytest.mark.parametrize(
    ("n_wanted", "cells"),
    [(100, 8), (200, 8), (1100, 18), (5000, 79), (6000, None)],
    ids=[
        "a short list",
        "as many as the plan is good for",
        "longer",
        "a quarter of the cells",
        "scoring all is as good",
    ],
)
def test_a_longer_list_looks_into_more_cells_up_to_a_quarter(n_wanted, cells):
    assert SearchPlan(316, 8, 1.0).nprobe_for(n_wanted, 100_000) == cells


def test_a_plan_that_searches_every_cell_goes_on_doing_so():
    assert SearchPlan(316, 316, 1.0).nprobe_for(1000, 100_000) == 316
    assert SearchPlan(316, 316, 1.0).nprobe_for(20_001, 100_000) is None


def test_searching_more_cells_finds_more():
    ivf = train_ivf(VECTORS, np.arange(N), 1.0, seed=1)
    index = ItemIndex(lambda: ivf, SearchPlan(ivf.nlist, 1, 1.0))
    query, exact = VECTORS[:1], set(np.argsort(-(VECTORS @ VECTORS[0]))[:200].tolist())
    found = [len(exact & set(index.search(query, 200, nprobe)[0][0].tolist())) for nprobe in (None, 8, ivf.nlist)]
    assert found[0] < found[1] < found[2]
