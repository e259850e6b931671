"""The one order of interactions that makes equal content equal bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender_app.dataset.blocks import blocks_of, is_repeated
from recommender_app.dataset.interactions import InteractionTable


def canonical_order(table: InteractionTable) -> InteractionTable:
    """Return the interactions sorted by user, item, time, event and weight; ``table`` itself if it is.

    One sort by (user, item); time, event and weight decide only inside a pair that occurs again,
    block by block. Memory: 16 bytes per interaction, and the new table.
    """
    order = _order(table)
    return table if order is None else table.select(order)


def _order(table: InteractionTable) -> NDArray[np.intp] | None:
    pairs = table.user_rows.astype(np.int64) << 32 | table.item_rows
    is_sorted = bool((pairs[1:] >= pairs[:-1]).all())
    order = np.arange(len(pairs)) if is_sorted else np.argsort(pairs)
    if not is_sorted:
        pairs = pairs[order]
    for block in blocks_of(pairs):
        is_sorted &= _sort_repeated(table, pairs[block], order[block])
    return None if is_sorted else order


def _sort_repeated(table: InteractionTable, pairs: NDArray[np.int64], order: NDArray[Any]) -> bool:
    """Sort the rows of pairs that occur again, in place; tell whether they were sorted."""
    repeated = is_repeated(pairs)
    if not repeated.any():
        return True
    rows = order[repeated]
    sorted_rows = rows[np.lexsort((table.weights[rows], table.events[rows], table.times[rows], pairs[repeated]))]
    order[repeated] = sorted_rows
    return bool((sorted_rows == rows).all())
