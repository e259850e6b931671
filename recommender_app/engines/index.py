"""An approximate index of item vectors: a faiss file, mapped read-only and opened when first asked."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

logger = logging.getLogger(__name__)

MIN_ITEMS = 50_000  # below, exact scoring is as fast (measured: tests/benchmarks/growth.py)

Rows = NDArray[np.int32]


class ItemIndex:
    """Finds the items of largest inner product with a query, not all of them always.

    faiss is imported by the first search, never at start: it brings OpenMP, and a process that
    forks after a call into OpenMP can hang. Every process maps the file for itself; the memory is
    shared. Where the file cannot be opened, or faiss is not installed, one line is logged and
    every search says None: score exactly.
    """

    def __init__(self, load: Callable[[], Any], nprobe: int, name: str = "") -> None:
        """Remember how to open it; nothing is imported or read.

        Args:
            load: returns the faiss IVF index.
            nprobe: cells that are searched per query.
            name: what the log calls it.
        """
        self.nprobe = nprobe
        self.name = name
        self._load = load
        self._opened: tuple[int, Any] | None = None  # process id, and the index or None

    @classmethod
    def mapped(cls, path: Path, nprobe: int, name: str) -> Self:
        """Return the index of a file that is mapped, not read."""
        return cls(lambda: _map_file(path), nprobe, name)

    @classmethod
    def of(cls, index: Any, nprobe: int) -> Self:
        """Return an index that is in memory already."""
        return cls(lambda: index, nprobe)

    def search(self, queries: NDArray[np.float32], k: int) -> Rows | None:
        """Return (b, k) item rows by descending approximate score, padded with -1; None = cannot be searched.

        Args:
            queries: (b, d) float32, finite.
        """
        index = self._index()
        if index is None:
            return None
        import faiss

        faiss.omp_set_num_threads(1)  # holds for the calling thread only, so that each call says it
        _, rows = index.search(widened(queries, index.d), k)
        return rows.astype(np.int32)

    def _index(self) -> Any:
        """Return this process's index; a fork opens its own. Two threads may both open it: the last one stays."""
        opened = self._opened
        if opened is None or opened[0] != os.getpid():
            opened = self._opened = (os.getpid(), self._open())
        return opened[1]

    def _open(self) -> Any:
        try:
            index = self._load()
            index.nprobe = self.nprobe
        except (
            ImportError,
            OSError,
            RuntimeError,
            MemoryError,
            AttributeError,
        ) as error:  # what faiss has for bad files
            logger.warning("%s is not used, all items are scored instead: %s", self.name, " ".join(str(error).split()))
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
