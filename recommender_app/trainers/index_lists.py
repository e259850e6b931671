"""The lists that an index is measured with: exact, and by way of the index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender_app.engines.batch import RequestBatch
from recommender_app.engines.content import ContentEngine
from recommender_app.engines.index import ItemIndex
from recommender_app.engines.indexed import IndexedEngine
from recommender_app.engines.vector_engine import VectorEngine

Rows = NDArray[np.int32]


class Lists(Protocol):
    """Lists of users who can be asked for."""

    def __len__(self) -> int:
        """Return how many users there are."""

    def exact(self, k: int) -> Rows:
        """Return (b, k) the best rows, all items scored; padded with -1."""

    def found(self, index: ItemIndex, k: int) -> Rows:
        """Return (b, k) what the index leads to; -1 for a user whom it cannot serve."""


@dataclass(frozen=True)
class VectorLists:
    """Of users who are vectors.

    Attributes:
        queries: (b, d) float32, finite.
        hidden: (b, n_items) CSR of what is left out of the lists, or None.
    """

    engine: VectorEngine
    queries: NDArray[np.float32]
    hidden: sparse.csr_matrix | None

    def __len__(self) -> int:
        return len(self.queries)

    def exact(self, k: int) -> Rows:
        """See ``Lists``."""
        return self.engine.with_index(None).nearest(self.queries, k, self.hidden)[0]

    def found(self, index: ItemIndex, k: int) -> Rows:
        """See ``Lists``."""
        found = np.full((len(self), k), -1, dtype=np.int32)
        indexed, everybody = self.engine.with_index(index), np.arange(len(self))
        for user, rows, _ in indexed.from_index(self.queries, everybody, k, self.hidden):
            found[user] = rows
        return found


@dataclass(frozen=True)
class ContentLists:
    """Of users of the content engine, who are factors and words.

    Attributes:
        batch: their requests; the history is left out of the lists.
        users: (b,) rows of those of the batch who are known.
    """

    engine: ContentEngine
    batch: RequestBatch
    users: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.users)

    def exact(self, k: int) -> Rows:
        """See ``Lists``."""
        plain = self.engine.with_index(None)
        rows = [plain.candidates(self._alone(user), k, self.batch.history[user])[0] for user in self.users.tolist()]
        return np.concatenate(rows)

    def found(self, index: ItemIndex, k: int) -> Rows:
        """See ``Lists``."""
        found = np.full((len(self), k), -1, dtype=np.int32)
        view, indexed = self.engine.view(self.batch), self.engine.with_index(index)
        for place, user in enumerate(self.users.tolist()):
            searched = indexed.searched(view, user, k, self.batch.history)
            if searched is not None:
                found[place] = searched[0]
        return found

    def _alone(self, user: int) -> RequestBatch:
        return self.batch.rows(user, user + 1)


def lists_of(engine: IndexedEngine, batch: RequestBatch, n_users: int) -> Lists:
    """Return the lists of up to ``n_users`` of a batch who can be asked for."""
    if isinstance(engine, ContentEngine):
        known = np.flatnonzero(engine.view(batch).is_known)[:n_users]
        return ContentLists(engine, batch, known)
    if not isinstance(engine, VectorEngine):
        raise TypeError(f"{type(engine).__name__} is no engine whose lists are known here.")
    queries = engine.query_vectors(batch)
    can_ask = np.flatnonzero(np.isfinite(queries).all(axis=1))[:n_users]
    return VectorLists(engine, queries[can_ask], batch.history[can_ask])
