"""A content engine that does not score everything gives the lists of one that does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from recommender_app.engines.content import ContentEngine
from recommender_app.engines.content_search import Asking, ContentSearch, added_by_words
from recommender_app.engines.index import ItemIndex, SearchPlan
from recommender_app.engines.top_k import top_k
from recommender_app.exceptions import IndexRefused
from recommender_app.trainers.index import fit_lists, train_ivf
from tests.core.trained import trained

N, F, WORDS = 3000, 8, 40
NOBODY = np.empty(0, dtype=np.int32)
RNG = np.random.default_rng(3)
VECTORS = RNG.standard_normal((N, F)).astype(np.float32)
WORD_ITEMS = sparse.random(WORDS, N, 0.02, format="csr", dtype=np.float32, random_state=3)
NORM = float(np.linalg.norm(VECTORS, axis=1).max())
IVF = train_ivf(VECTORS, np.arange(N), NORM, seed=1)


def search(nprobe: int = IVF.nlist, weight: float = 1.0) -> ContentSearch:
    def load():
        IVF.nprobe = nprobe
        return IVF

    return ContentSearch(ItemIndex(load, SearchPlan(IVF.nlist, nprobe, NORM)), VECTORS, WORD_ITEMS, weight)


def asking(seed: int, n_words: int) -> Asking:
    rng = np.random.default_rng(seed)
    words = np.sort(rng.choice(WORDS, n_words, replace=False)).astype(np.int32)
    return Asking(rng.standard_normal(F).astype(np.float32), words, rng.random(n_words).astype(np.float32))


def all_scored(user: Asking, k: int, hidden: np.ndarray, weight: float) -> tuple[np.ndarray, np.ndarray]:
    scores = VECTORS @ user.factors + added_by_words(WORD_ITEMS, user, weight)
    unwanted = sparse.csr_matrix((np.ones(len(hidden)), hidden, [0, len(hidden)]), shape=(1, N))
    rows, values = top_k(scores[np.newaxis].astype(np.float32), k, unwanted)
    return rows[0], values[0]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n_words=st.integers(0, 12),
    k=st.integers(1, 60),
    n_hidden=st.integers(0, 30),
    weight=st.sampled_from([0.0, 0.3, 2.0, 50.0]),
)
def test_a_search_of_all_cells_is_exact_or_says_nothing(seed, n_words, k, n_hidden, weight):
    user = asking(seed, n_words)
    hidden = all_scored(user, n_hidden, NOBODY, weight)[0].astype(np.int32)  # the very best are not wanted
    found = search(weight=weight).best(user, k, hidden)
    if found is not None:
        rows, scores = all_scored(user, k, hidden, weight)
        assert found[0].tolist() == rows.tolist()
        np.testing.assert_allclose(found[1], scores, rtol=1e-5, atol=1e-5)


def test_it_does_find_lists_by_factors_and_by_words():
    served = [search(weight=weight).best(asking(seed, 5), 10, NOBODY) for seed in range(20) for weight in (0.5, 50.0)]
    assert sum(found is not None for found in served) > 30


def test_an_item_far_down_by_factors_comes_up_by_its_words():
    user = asking(1, 1)
    last = int(np.argmin(VECTORS @ user.factors))
    words = sparse.csr_matrix(([1.0], ([int(user.words[0])], [last])), shape=(WORDS, N), dtype=np.float32)
    found = ContentSearch(search().index, VECTORS, words, 1000.0).best(user, 3, NOBODY)
    assert found is not None
    assert found[0][0] == last


@pytest.mark.parametrize("why", ["too many wanted", "no index", "most of them in question"])
def test_where_scoring_all_is_no_slower_it_says_nothing(why):
    user, k, looked = asking(1, 5), 10, search()
    if why == "too many wanted":
        k = N // 5
    if why == "no index":
        looked = ContentSearch(ItemIndex.mapped(Path("/none"), looked.index.plan), VECTORS, WORD_ITEMS, 1.0)
    if why == "most of them in question":
        looked = ContentSearch(looked.index, VECTORS, sparse.random(WORDS, N, 0.19, "csr", np.float32, 1), 1e6)
    assert looked.best(user, k, NOBODY) is None


def test_an_engine_keeps_its_words_by_item_and_versions_without_them_still_open():
    engine = trained("content_based")
    assert isinstance(engine, ContentEngine)
    state = engine.state()
    old = {name: array for name, array in state.items() if not name.startswith("word_items")}
    assert (ContentEngine.from_state(old)._word_items != ContentEngine.from_state(state)._word_items).nnz == 0


def test_an_engine_without_factors_gets_no_index(monkeypatch):
    class Anybody:
        def __len__(self):
            return 100

    engine = trained("content_based")
    assert isinstance(engine, ContentEngine)
    nothing = np.zeros((engine.n_items, 0), dtype=np.float32), np.ones(engine.n_items, dtype=bool)
    monkeypatch.setattr(ContentEngine, "index_vectors", lambda self: nothing)
    with pytest.raises(IndexRefused, match="only words decide"):
        fit_lists(engine, Anybody(), seed=1)
