"""Builds the approximate index of an engine's items, and measures what it misses before it is let in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender_app.dataset.dataset import Dataset
from recommender_app.engines.batch import batch_of_users
from recommender_app.engines.index import ItemIndex, SearchPlan, widened
from recommender_app.engines.indexed import IndexedEngine
from recommender_app.engines.vector_engine import VectorEngine
from recommender_app.exceptions import IndexRefused
from recommender_app.trainers.index_lists import Lists, VectorLists, lists_of

RECALL_AT = 100
MIN_RECALL = 0.98
N_QUERIES = 1000
_MIN_QUERIES = 20
_DOUBT = 3.0  # standard errors: the recall shall hold for other users than those it is measured with
_PROVEN_SHARE = 0.9  # of what an exhaustive search finds; the rest is scored in full, so all lists are exact
_FIRST_NPROBE = 8
_PER_CELL = 256  # items that k-means looks at, as faiss would sample them
_PIECE = 65_536
_WIDTH_STEP = 16  # faiss scans vectors of other widths without SIMD


@dataclass(frozen=True)
class BuiltIndex:
    """An index that has proven itself.

    Attributes:
        index: the faiss IVF index, half precision, inner product.
        plan: how it is to be searched.
        recall: mean share of the exact top ``RECALL_AT`` that it finds.
        n_queries: users that this was measured with.
        build_seconds: clustering, filling and measuring.
    """

    index: Any
    plan: SearchPlan
    recall: float
    n_queries: int
    build_seconds: float

    @property
    def n_bytes(self) -> int:
        """Bytes of its file, about."""
        return int(self.index.ntotal * (2 * self.index.d + 8) + 4 * self.index.nlist * self.index.d)

    def details(self) -> dict[str, Any]:
        """Return what the manifest says about it."""
        return {
            "nlist": self.plan.nlist,
            "nprobe": self.plan.nprobe,
            "largest_norm": self.plan.largest_norm,
            "recall": round(self.recall, 4),
            "recall_at": RECALL_AT,
            "n_queries": self.n_queries,
            "build_seconds": round(self.build_seconds, 1),
        }

    def write(self, path: Path) -> None:
        """Write the file that ``ItemIndex.mapped`` opens.

        Raises:
            OSError: the disk refuses.
        """
        import faiss

        try:
            faiss.write_index(self.index, str(path))
        except RuntimeError as error:
            raise OSError(f"the index of {self.n_bytes // 1_000_000} MB cannot be written") from error


def build_index(engine: IndexedEngine, dataset: Dataset, seed: int, min_recall: float = MIN_RECALL) -> BuiltIndex:
    """Index an engine's items, measured with users of the dataset as they would ask.

    They are folded in from their history, which is left out of the lists; see ``fit_index``.

    Raises:
        IndexRefused, ImportError: as ``fit_index``.
    """
    chosen = np.random.default_rng(seed).permutation(dataset.n_users)[: 2 * N_QUERIES]
    batch = batch_of_users(dataset, chosen.astype(np.int32))
    return fit_lists(engine, lists_of(engine, batch, N_QUERIES), seed, min_recall)


def fit_index(
    engine: VectorEngine,
    queries: NDArray[np.float32],
    hidden: sparse.csr_matrix | None,
    seed: int,
    min_recall: float = MIN_RECALL,
) -> BuiltIndex:
    """Do what ``fit_lists`` does for users who are given as vectors.

    Args:
        queries: (b, d) float32 user vectors to measure with.
        hidden: (b, n_items) CSR of what is left out of their lists.
        min_recall: 1 = search every cell; lists are then proven to be exact.

    Raises:
        IndexRefused, ImportError: as ``fit_lists``.
    """
    return fit_lists(engine, VectorLists(engine, queries, hidden), seed, min_recall)


def fit_lists(engine: IndexedEngine, lists: Lists, seed: int, min_recall: float = MIN_RECALL) -> BuiltIndex:
    """Cluster the item vectors, and raise the number of cells searched until the recall holds.

    Same seed: same bytes, as one thread works.

    Args:
        lists: what is measured with.
        min_recall: 1 = search every cell.

    Raises:
        IndexRefused: too few users can ask, or half precision cannot tell the items apart.
        ImportError: faiss is not installed.
    """
    started = time.perf_counter()
    if len(lists) < _MIN_QUERIES:
        raise IndexRefused(f"Only {len(lists)} users can be asked for, {_MIN_QUERIES} are needed to measure it.")
    vectors, is_indexed = engine.index_vectors()
    if not vectors.shape[1]:
        raise IndexRefused("It has no factors, only words decide.")
    with _one_thread():
        norm = float(np.linalg.norm(vectors, axis=1).max(initial=0)) or 1.0
        index = train_ivf(vectors, np.flatnonzero(is_indexed), norm, seed)
        plan, recall = _searched(lists, index, norm, min_recall)
    return BuiltIndex(index, plan, recall, len(lists), time.perf_counter() - started)


def train_ivf(vectors: NDArray[np.float32], rows: NDArray[np.intp], norm: float, seed: int) -> Any:
    """Return a faiss IVF index of the given rows divided by ``norm``, in half precision, with about sqrt(n) cells."""
    import faiss

    width = -(-vectors.shape[1] // _WIDTH_STEP) * _WIDTH_STEP
    nlist = max(1, round(len(rows) ** 0.5))
    half, metric = faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
    by_residual = False  # half precision of the vector itself: what ``SearchPlan.slack`` reckons with
    index = faiss.IndexIVFScalarQuantizer(faiss.IndexFlatIP(width), width, nlist, half, metric, by_residual)
    index.cp.seed = seed % 2**31
    index.cp.spherical = True  # cells by direction, as the metric is the inner product
    sampled = np.random.default_rng(seed).permutation(rows)[: nlist * _PER_CELL]
    index.train(widened(vectors[sampled] / np.float32(norm), width))
    for start in range(0, len(rows), _PIECE):  # no second copy of a large catalogue
        piece = rows[start : start + _PIECE]
        index.add_with_ids(widened(vectors[piece] / np.float32(norm), width), piece.astype(np.int64))
    return index


def _searched(lists: Lists, index: Any, norm: float, min_recall: float) -> tuple[SearchPlan, float]:
    """Return the cheapest plan that reaches the recall, and its recall."""
    exact = lists.exact(RECALL_AT)
    recall = 0.0
    for nprobe in _nprobes(index.nlist, min_recall):
        plan = SearchPlan(index.nlist, nprobe, norm)
        found = lists.found(ItemIndex(lambda: index, plan), RECALL_AT)
        shares = overlaps(found, exact)
        recall = float(shares.mean())
        doubt = _DOUBT * float(shares.std()) / len(shares) ** 0.5
        if recall - doubt >= min_recall or (plan.is_exhaustive and recall >= _PROVEN_SHARE):
            return plan, recall
    raise IndexRefused(f"An index finds only {recall:.3f} of the best {RECALL_AT} items, {min_recall:g} is wanted.")


def _nprobes(nlist: int, min_recall: float) -> Iterator[int]:
    """Yield rising numbers of cells, in steps of about the square root of 2, up to all of them."""
    nprobe = float(_FIRST_NPROBE)
    while min_recall < 1 and nprobe < nlist / 2:  # scanning more than half costs as much as all, and proves nothing
        yield round(nprobe)
        nprobe *= 2**0.5
    yield nlist


def overlaps(found: NDArray[np.int32], exact: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return (b,) the share of each row's ``exact`` items (-1 = padding, none = 1) that are in ``found``."""
    pairs = ((ours, theirs[theirs >= 0]) for ours, theirs in zip(found, exact, strict=True))
    return np.array([np.isin(theirs, ours).mean() if len(theirs) else 1.0 for ours, theirs in pairs])


@contextmanager
def _one_thread() -> Iterator[None]:
    """Threads would sum in another order each time."""
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
