"""The same users as if they had done less: what an engine is worth after so many interactions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import sparse

from recommender_app.engines.batch import RequestBatch


def most_recent(batch: RequestBatch, n: int) -> RequestBatch:
    """Return the requests with only the n newest pairs of each history; of equal ages, the lower item rows."""
    history = batch.history
    owners = np.repeat(np.arange(len(batch)), np.diff(history.indptr))
    ages = batch.ages_days if len(batch.ages_days) else np.zeros(history.nnz, dtype=np.float32)
    order = np.lexsort((history.indices, ages, owners))
    is_kept = np.zeros(history.nnz, dtype=bool)
    is_kept[order] = np.arange(history.nnz) - history.indptr[owners] < n
    counts = np.bincount(owners[is_kept], minlength=len(batch))
    indptr = np.concatenate(([0], np.cumsum(counts))).astype(history.indptr.dtype)
    shorter = sparse.csr_matrix((history.data[is_kept], history.indices[is_kept], indptr), shape=history.shape)
    return replace(batch, history=shorter, ages_days=batch.ages_days[is_kept] if len(batch.ages_days) else ages[:0])
