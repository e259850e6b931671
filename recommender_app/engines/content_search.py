"""The best items of a content engine without scoring them all.

A score is factors plus wording. The index knows who is best by factors; who shares a word with the
user stands in that word's column. Nobody else has a cosine above 0, so that, as in the threshold
algorithm (Fagin et al., 2001), whoever could still beat the k-th best is among the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender_app.engines.base import Rows
from recommender_app.engines.index import ItemIndex

Values = NDArray[np.float32]
_MOST_SCORED = 0.1  # share of the items: whoever has to score more scores all, which is no slower
_SPARE = 8


class Asking(NamedTuple):
    """One user: ``factors`` (f,) float32, and the ``words`` (columns) of the user with their ``weights``, all > 0."""

    factors: Values
    words: Rows
    weights: Values


@dataclass(frozen=True)
class ContentSearch:
    """What is searched.

    Attributes:
        index: of the factors of all items that are known.
        vectors: (n_items, f) float32 factors.
        word_items: (w, n_items) float32 CSR: which items say a word, and how much.
        wording_weight: what a cosine of 1 is worth.
    """

    index: ItemIndex
    vectors: Values
    word_items: sparse.csr_matrix
    wording_weight: float

    def best(self, asking: Asking, k: int, hidden: Rows) -> tuple[Rows, Values] | None:
        """Return the k best rows and their scores; None where scoring all is better, or the only way.

        Args:
            hidden: rows that are not wanted.
        """
        found = self._by_factors(asking, k + len(hidden))
        if found is None or self.wording_weight < 0:
            return None
        (rows, bound), words = found, added_by_words(self.word_items, asking, self.wording_weight)
        known = _without(np.sort(rows), hidden)
        scores = self._scores(asking, known, words)
        if len(known) < k:
            return None
        kth = np.partition(scores, len(scores) - k)[len(scores) - k]
        if bound >= kth:
            return None
        hopeful = _without(_without(np.flatnonzero(words + bound >= kth).astype(np.int32), known), hidden)
        if len(hopeful) > _MOST_SCORED * len(words):
            return None
        rows = np.concatenate((known, hopeful))
        return _ranked(rows, np.concatenate((scores, self._scores(asking, hopeful, words))), k)

    def _by_factors(self, asking: Asking, k: int) -> tuple[Rows, np.float32] | None:
        """Return the rows of the best factors, and what the factors of no other row are worth more than."""
        n_asked, query = k + k // 8 + _SPARE, asking.factors[np.newaxis]
        nprobe = self.index.plan.nprobe_for(n_asked, len(self.vectors))
        if nprobe is None:
            return None
        found = self.index.search(query, n_asked, nprobe)
        if found is None or found[0][0, -1] < 0:
            return None
        slack = self.index.plan.slack(query)[0] if self.index.plan.is_exhaustive else np.float32(0)
        return found[0][0], np.float32(found[1][0, -1] + slack)

    def _scores(self, asking: Asking, rows: Rows, words: Values) -> Values:
        scores: Values = self.vectors[rows] @ asking.factors + words[rows]
        return scores


def added_by_words(word_items: sparse.csr_matrix, asking: Asking, wording_weight: float) -> Values:
    """Return (n_items,) float32: what the words that an item shares with the user add to its score."""
    added: Values = word_items[asking.words].T @ asking.weights
    added *= np.float32(wording_weight)
    return added


def _without(rows: Rows, unwanted: Rows) -> Rows:
    return rows[~np.isin(rows, unwanted)] if len(unwanted) else rows


def _ranked(rows: Rows, scores: Values, k: int) -> tuple[Rows, Values]:
    """Return the k best, equals by row."""
    order = np.lexsort((rows, -scores))[:k]
    return rows[order], scores[order]
