"""For the tests of a host: answers that are known beforehand, without training.

>>> with override_engine("books", FixedEngine([first.pk, second.pk])):
...     answer = recommend(reader, "books")
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from recommender_app.artifacts.manifest import Manifest
from recommender_app.artifacts.opening import OpenedArtifact
from recommender_app.dataset.dataset import Dataset
from recommender_app.dataset.features import Features
from recommender_app.dataset.ids import IdMap
from recommender_app.dataset.interactions import InteractionTable
from recommender_app.engines.base import Engine, Rows, Scores, required_array, take_items
from recommender_app.engines.batch import RequestBatch
from recommender_app.serving import live
from recommender_app.serving.catalogue import Catalogue
from recommender_app.serving.loading import LoadedRelease
from recommender_app.serving.policies import forced_policy
from recommender_app.serving.router import Policy

GROUPS = ("tea", "coffee")


class FixedEngine(Engine):
    """Proposes the same items to everybody, in the order given.

    Args:
        ids: external ids, best first; scores are n, n-1, ..., 1.
        fails: raise on every request instead, to test what your site shows then.
    """

    key = "fixed"
    covers_new_users = True

    def __init__(self, ids: Sequence[Any], *, fails: bool = False) -> None:
        self.items = IdMap.from_values(ids)
        self.fails = fails
        self.scores = np.full(len(self.items), np.nan, dtype=np.float32)
        rows = self.items.rows(list(ids))[::-1]
        self.scores[rows] = np.arange(1, len(rows) + 1, dtype=np.float32)

    @property
    def n_items(self) -> int:
        """Number of items."""
        return len(self.items)

    def score(self, batch: RequestBatch, items: Rows | None = None) -> Scores:
        """Return the same scores for each request."""
        if self.fails:
            raise RuntimeError("This engine was told to fail.")
        return take_items(np.tile(self.scores, (len(batch), 1)), items)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return ``scores``, by row."""
        return {"scores": self.scores}

    @classmethod
    def from_state(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild; ids become 0..n-1."""
        scores = required_array(arrays, "scores", 1)
        return cls(np.argsort(-scores, kind="stable").tolist())


@contextmanager
def override_engine(use_case_key: str, engine: Engine, items: IdMap | None = None) -> Iterator[None]:
    """Serve every request of a use case from ``engine`` inside the block, as version ``<key>_v0``.

    What may be shown is still decided by the database, and the newest items still fill up.

    Args:
        items: external id <-> the engine's row; a ``FixedEngine`` brings its own.
    """
    items = items if items is not None else getattr(engine, "items", None)
    if items is None:
        raise TypeError("override_engine() needs the engine's items: an IdMap.")
    version = f"{engine.key}_v0"
    opened = OpenedArtifact(engine, items, _manifest(use_case_key, engine, items, version), Path(version))
    catalogue = Catalogue.of({engine.key: items})
    release = LoadedRelease(use_case_key, 0, {engine.key: version}, {engine.key: opened}, catalogue)
    with live.overridden(release), forced_policy(use_case_key, Policy("override", ((0, engine.key),))):
        yield


def make_dataset(n_users: int = 12, n_items: int = 10) -> Dataset:
    """Return two taste groups: each user likes all items of the own group but one.

    Users and items are numbered from 1; odd ones drink tea, even ones coffee. User u has not
    met item ``hidden_item(u, n_items)``, which is what a recommender should find.
    """
    pairs = [
        (user, item)
        for user in range(1, n_users + 1)
        for item in range(1, n_items + 1)
        if user % 2 == item % 2 and item != hidden_item(user, n_items)
    ]
    users, items = np.array(pairs, dtype=np.int32).T - 1
    n = len(pairs)
    times = np.arange(n, dtype=np.int64) * 60_000_000
    table = InteractionTable(users, items, np.zeros(n, np.uint8), np.ones(n, np.float32), times, ("like",))
    texts = [f"{GROUPS[(item + 1) % 2]} number {item}" for item in range(1, n_items + 1)]
    terms = [(f"kind={GROUPS[(item + 1) % 2]}",) for item in range(1, n_items + 1)]
    return Dataset(
        IdMap.from_values(range(1, n_users + 1)),
        IdMap.from_values(range(1, n_items + 1)),
        table,
        Features(texts, terms),
        Features.empty(n_users),
        relevant_events=("like",),
        event_weights={"like": 1.0},
    )


def hidden_item(user: int, n_items: int = 10) -> int:
    """Return the item of the user's group that ``make_dataset`` leaves out."""
    group = range(2 - user % 2, n_items + 1, 2)
    return group[(user - 1) // 2 % len(group)]


def _manifest(use_case_key: str, engine: Engine, items: IdMap, version: str) -> Manifest:
    never = "1970-01-01T00:00:00+00:00"
    return Manifest(engine.key, use_case_key, version, never, items.kind, len(items), arrays={})
