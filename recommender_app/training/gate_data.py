"""Questions about the data themselves: whether they have shrunk, or somebody has taken over the popular list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from recommender_app.dataset.dataset import Dataset
from recommender_app.dataset.ids import UNKNOWN_ROW
from recommender_app.training.gate_limits import GateLimits
from recommender_app.training.verdict import Check, Outcome

N_POPULAR = 20
SIZES, POPULAR = "size of the data", "popular list"
UNKNOWN = "Nothing live says what data it has learned from."


@dataclass(frozen=True)
class DataProfile:
    """What the next gate compares its dataset with.

    Attributes:
        users, items, interactions: counts.
        popular: ids as text of the N_POPULAR items with the most users, most first.
        pushed: those of the items that crowds have pushed, see ``gate_pushed``.
    """

    users: int
    items: int
    interactions: int
    popular: tuple[str, ...]
    pushed: tuple[str, ...] = ()

    @classmethod
    def of(cls, dataset: Dataset, pushed: Sequence[str] = ()) -> Self:
        """Count a dataset."""
        counts = dataset.positives.getnnz(axis=0)
        best = [int(row) for row in np.argsort(-counts, kind="stable")[:N_POPULAR] if counts[row] > 0]
        popular = tuple(str(key) for key in dataset.items.ids(best))
        return cls(dataset.n_users, dataset.n_items, len(dataset.interactions), popular, tuple(pushed))

    @classmethod
    def from_json(cls, values: Any) -> Self | None:
        """Return what a verdict has kept; None where it kept nothing."""
        try:
            lists = {"popular": tuple(values["popular"]), "pushed": tuple(values.get("pushed", ()))}
            return cls(**{**values, **lists})
        except (TypeError, KeyError):
            return None

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {**asdict(self), "popular": list(self.popular), "pushed": list(self.pushed)}


def check_data(dataset: Dataset, now: DataProfile, live: DataProfile | None, limits: GateLimits) -> list[Check]:
    """Return the checks of a dataset beside that of what is live."""
    if live is None:
        return [Check(name, Outcome.SKIPPED, UNKNOWN) for name in (SIZES, POPULAR)]
    return [_sizes(now, live, limits.min_size), _popular(dataset, live.popular, limits.min_jaccard)]


def _sizes(now: DataProfile, live: DataProfile, least: float) -> Check:
    names = ("users", "items", "interactions")
    numbers = {name: [getattr(live, name), getattr(now, name)] for name in names}
    shrunk = [f"{before} {name} became {after}" for name, (before, after) in numbers.items() if after < least * before]
    if shrunk:
        much = "half" if least == 0.5 else f"{1 - least:.0%}"
        why = f"The data have shrunk by more than {much}: {', '.join(shrunk)}."
        return Check(SIZES, Outcome.REJECTED, why, numbers)
    return Check(SIZES, Outcome.PASSED, f"{now.users} users, {now.items} items, {now.interactions} rows.", numbers)


def _popular(dataset: Dataset, before: Sequence[str], least_alike: float) -> Check:
    """Compare the popular list with the one before; items that are gone are left out of both.

    An item that has as many users as the last of the new list counts as being on it: among
    equals, places are decided by nothing that matters.
    """
    rows = dataset.items.rows_of_texts(before)
    old = rows[rows != UNKNOWN_ROW]
    if not len(old):
        return Check(POPULAR, Outcome.SKIPPED, "No item of the popular list before is there any more.")
    counts = dataset.positives.getnnz(axis=0)
    least = max(int(np.sort(counts)[-len(old)]), 1)
    n_common = int((counts[old] >= least).sum())
    jaccard = n_common / (2 * len(old) - n_common)
    numbers = {"jaccard": round(jaccard, 4), "length": len(old), "in_both": n_common}
    sentence = f"{n_common} of the {len(old)} most popular items are still among them (Jaccard {jaccard:.2f})"
    if jaccard < least_alike:
        return Check(POPULAR, Outcome.REJECTED, f"The popular list was taken over: only {sentence}.", numbers)
    return Check(POPULAR, Outcome.PASSED, f"{sentence}.", numbers)
