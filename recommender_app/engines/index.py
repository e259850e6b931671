"""An approximate index of item vectors: a faiss file, mapped read-only and opened when first asked."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

logger = logging.getLogger(__name__)

MIN_ITEMS = 50_000  # below, scoring all costs a millisecond or so (tests/benchmarks/growth.py): not worth missing items

_MOST_FETCHED = 0.2  # share of what is searched; whoever asks for more gets the worst of it, late
_MOST_PROBED = 0.25  # share of the cells; searching more costs as much as scoring all

Rows = NDArray[np.int32]


@dataclass(frozen=True)
class SearchPlan:
    """How an index is searched; measured when it was built.

    Attributes:
        nlist: cells of the index.
        nprobe: cells searched per query. All of them: no item is missed but for half precision,
            and what that can do is bounded (see ``slack``), so that a list can be proven exact.
        largest_norm: of the item vectors, which are stored divided by it.
        name: what the log calls the index.
    """

    nlist: int
    nprobe: int
    largest_norm: float
    name: str = "The index"

    @property
    def share(self) -> float:
        """Share of the items that is looked at, about."""
        return self.nprobe / self.nlist

    @property
    def is_exhaustive(self) -> bool:
        """Whether every item is looked at."""
        return self.nprobe >= self.nlist

    def nprobe_for(self, n_wanted: int, n_items: int) -> int | None:
        """Return how many cells to search for so many items; None where scoring all is as good.

        The plan was measured with short lists. Longer ones lie in more cells.
        """
        if self.is_exhaustive:
            return self.nprobe if n_wanted <= _MOST_FETCHED * n_items else None
        wanted = max(self.nprobe, -(-self.nlist * n_wanted // max(1, int(_MOST_FETCHED * n_items))))
        return wanted if wanted <= _MOST_PROBED * self.nlist else None

    def slack(self, queries: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (b,) by how much the index can misjudge a score of (b, d) queries at most.

        Half precision rounds a number to 2^-11 of itself, or to 2^-25 where it is tiny; by Cauchy
        and Schwarz the inner product is off by no more than the norms times that. Twice as much
        is granted, which covers the summation in float32.
        """
        rounding = 2.0**-10 + queries.shape[1] ** 0.5 * 2.0**-24
        return (np.linalg.norm(queries, axis=1) * self.largest_norm * rounding).astype(np.float32)


class ItemIndex:
    """Finds the items of largest inner product with a query, not always all of them.

    faiss is imported by the first search, never at start: it brings OpenMP, and a process that
    forks after a call into OpenMP can hang. Every process maps the file for itself; the memory is
    shared. Where the file cannot be opened, or faiss is not installed, one line is logged and
    every search says None: score exactly.
    """

    def __init__(self, load: Callable[[], Any], plan: SearchPlan) -> None:
        """Remember how to open it; nothing is imported or read.

        Args:
            load: returns the faiss IVF index.
            plan: how to search it.
        """
        self.plan = plan
        self._load = load
        self._opened: tuple[int, Any] | None = None  # process id, and the index or None

    @classmethod
    def mapped(cls, path: Path, plan: SearchPlan) -> Self:
        """Return the index of a file that is mapped, not read."""
        return cls(partial(_map_file, path), plan)

    def search(
        self, queries: NDArray[np.float32], k: int, nprobe: int | None = None
    ) -> tuple[Rows, NDArray[np.float32]] | None:
        """Return (b, k) item rows and approximate scores, best first, padded with row -1.

        None where the index cannot be used.

        Args:
            queries: (b, d) float32, finite.
            nprobe: cells to search; the plan's if None.
        """
        index = self._index()
        if index is None:
            return None
        import faiss

        faiss.omp_set_num_threads(1)  # holds for the calling thread only, so that each call says it
        search: Any = faiss.IVFSearchParameters()
        search.nprobe = nprobe or self.plan.nprobe  # of this search only: threads share the index
        scores, rows = index.search(widened(queries, index.d), k, params=search)
        with np.errstate(over="ignore"):  # padding has the lowest number there is
            return rows.astype(np.int32), scores * np.float32(self.plan.largest_norm)

    def _index(self) -> Any:
        """Return this process's index; a fork opens its own. Two threads may both open it: the last one stays."""
        opened = self._opened
        if opened is None or opened[0] != os.getpid():
            opened = self._opened = (os.getpid(), self._open())
        return opened[1]

    def _open(self) -> Any:
        try:
            index = self._load()
        except (
            ImportError,
            OSError,
            RuntimeError,
            MemoryError,
            AttributeError,
        ) as error:  # what faiss has for bad files
            reason = " ".join(str(error).split())
            logger.warning("%s is not used, all items are scored instead: %s", self.plan.name, reason)
            return None
        return index


def widened(vectors: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Return contiguous float32 (n, width) vectors, zeros appended: faiss is fast at multiples of 16 only."""
    if vectors.shape[1] == width:
        return np.ascontiguousarray(vectors, dtype=np.float32)
    wide = np.zeros((len(vectors), width), dtype=np.float32)
    wide[:, : vectors.shape[1]] = vectors
    return wide


def _map_file(path: Path) -> Any:
    import faiss

    index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY)
    lists: Any = faiss.downcast_InvertedLists(index.invlists)  # type: ignore[attr-defined]
    lists.prefetch_nthread = 0  # or every search starts 32 threads
    return index
