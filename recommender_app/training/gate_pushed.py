"""Whether a crowd has pushed an item: many accounts that met it within a day, and hardly anything else.

An account is narrow if it has liked at most MAX_ITEMS items. An item is pushed where a number of
narrow accounts (``MIN_PUSHERS``) liked it within 24 hours, they are more than half of all who ever
liked it, and LIFT times as common there as narrow accounts are among everybody else: where most
visitors come once, they are no sign. Nobody is left out: somebody has to look at it. A crowd that
also likes many other items, or takes weeks, is not seen; neither are accounts that
``MIN_ACCOUNT_AGE_DAYS`` leaves out before.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender_app.dataset.dataset import Dataset
from recommender_app.training.verdict import Check, Outcome

PUSHED = "pushed items"
N_NAMED = 20
MAX_ITEMS = 2
LIFT = 3.0
_SECOND, _DAY = 1_000_000, 86_400  # microseconds, seconds


@dataclass(frozen=True)
class PushedItem:
    """An item with a crowd.

    Attributes:
        item: its id as text.
        crowd: narrow accounts that liked it within 24 hours.
        share: of all who like it.
        ordinary: share of narrow accounts among those who do not like it.
    """

    item: str
    crowd: int
    share: float
    ordinary: float


def find_pushed(dataset: Dataset, least: int | None) -> list[PushedItem]:
    """Return the items that at least ``least`` narrow accounts have pushed, largest crowd first; [] for None.

    Beside masks, only the likes of narrow accounts are held.
    """
    if least is None:
        return []
    widths, met = dataset.positives.getnnz(axis=1), dataset.positives.getnnz(axis=0)
    is_narrow = (widths > 0) & (widths <= MAX_ITEMS)
    items, seconds = _first_likes(dataset, is_narrow)
    crowds, n_narrow = _largest_crowds(items, seconds, dataset.n_items), np.bincount(items, minlength=dataset.n_items)
    shares = crowds / np.maximum(met, 1)
    n_others, n_narrow_others = (widths > 0).sum() - met, is_narrow.sum() - n_narrow
    ordinary = n_narrow_others / np.maximum(n_others, 1)
    cautious = (n_narrow_others + 1) / (n_others + 2)  # Laplace: of nobody else, half may be narrow
    rows = np.flatnonzero((crowds >= least) & (shares > 0.5) & (shares > LIFT * cautious))
    rows = rows[np.lexsort((-shares[rows], -crowds[rows]))]
    return [
        PushedItem(str(item), int(crowds[row]), float(shares[row]), float(ordinary[row]))
        for item, row in zip(dataset.items.ids(rows), rows, strict=True)
    ]


def check_pushed(found: list[PushedItem], known: Collection[str], least: int | None) -> Check:
    """Raise the alarm for items that were not pushed already when somebody made live what is live.

    Args:
        known: ids as text of those.
    """
    if least is None:
        return Check(PUSHED, Outcome.SKIPPED, "Nobody wants to know: MIN_PUSHERS is None.")
    new = [each for each in found if each.item not in known]
    if not new:
        before = f" but for {len(found)} that were live before" if found else ""
        return Check(PUSHED, Outcome.PASSED, f"No item was pushed by a crowd{before}.", {"items": len(found)})
    first = new[0]
    numbers = {
        "items": len(new),
        "users": first.crowd,
        "share": round(first.share, 4),
        "ordinary": round(first.ordinary, 4),
        "pushed": [each.item for each in new[:N_NAMED]],
    }
    sentence = (
        f"A crowd pushes {'an item' if len(new) == 1 else f'{len(new)} items, one of them'}: {first.crowd} accounts "
        f"that like no more than {MAX_ITEMS} items liked it within a day, {first.share:.0%} of all who like it; "
        f"such accounts are {first.ordinary:.0%} of the others. Nobody was left out: look who they are."
    )
    return Check(PUSHED, Outcome.REJECTED, sentence, numbers)


def _first_likes(dataset: Dataset, is_narrow: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return (item rows, seconds) of what narrow accounts have liked, each pair once, by item and time."""
    table = dataset.interactions
    rows = np.flatnonzero(is_narrow[table.user_rows] & (table.weights > 0))
    users, items, seconds = table.user_rows[rows], table.item_rows[rows], table.times[rows] // _SECOND
    order = np.lexsort((seconds, users, items))
    users, items, seconds = users[order], items[order], seconds[order]
    is_first = np.ones(len(order), dtype=np.bool_)
    is_first[1:] = (users[1:] != users[:-1]) | (items[1:] != items[:-1])
    items, seconds = items[is_first], seconds[is_first]
    order = np.lexsort((seconds, items))
    return items[order], seconds[order]


def _largest_crowds(items: NDArray[np.int32], seconds: NDArray[np.int64], n_items: int) -> NDArray[np.int64]:
    """Return (n_items,) how many of the likes, sorted by item and time, fall into 24 hours at most."""
    crowds = np.zeros(n_items, dtype=np.int64)
    if len(items):
        since = seconds - seconds.min()
        clock = items.astype(np.int64) * (int(since.max()) + _DAY) + since  # the days of two items never meet
        first = np.searchsorted(clock, clock - _DAY, side="right")
        np.maximum.at(crowds, items, np.arange(len(clock)) - first + 1)
    return crowds
