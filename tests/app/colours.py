"""Red and blue books, live engines that learned from them, and readers who like one colour."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from uuid import UUID

import numpy as np

from recommender_app.artifacts.store import ArtifactStore
from recommender_app.conf import settings
from recommender_app.dataset.features import Features
from recommender_app.engines.base import Engine
from recommender_app.engines.ensemble import EnsembleEngine
from tests.app import library
from tests.core.toys import N_ITEMS, N_USERS, TOY_CONFIG, item_features, liked_items, two_tastes, user_features
from tests.core.trained import SEED, trainer_of
from tests.toyhost.models import Book, Reader

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
TRAINED_AT = datetime(2026, 2, 1, tzinfo=UTC)
RED, BLUE = 0, N_USERS - 1  # toy users


def add_books() -> list[Book]:
    """Add the toy's items, in the order of its rows: six red, six blue, and a red one that nobody touched."""
    titles = item_features().texts
    books = [
        Book(pk=UUID(int=row), title=titles[row], genre=titles[row].split()[0], created_at=LONG_AGO)
        for row in range(N_ITEMS)
    ]
    Book.objects.bulk_create(books)
    Book.objects.update(updated_at=LONG_AGO)
    return books


def add_reader(toy_user: int, books: list[Book], bio: str = "") -> Reader:
    """Add a reader who likes what a toy user liked."""
    return library.add_reader(f"reader {toy_user}", tuple(books[row] for row in liked_items(toy_user)), bio)


def publish(books: list[Book], *keys: str) -> None:
    """Publish what was learned from the toy up to TRAINED_AT, and make it live."""
    store, items = ArtifactStore(settings.artifact_root), library.ids_of(books)
    for key in keys:
        store.publish("books", f"{key}_v1", _engine(key), items, data_as_of=TRAINED_AT.isoformat())
    library.put_live(1, *[f"{key}_v1" for key in keys])


@cache
def _engine(key: str) -> Engine:
    """Train on the toy with the features that the host's declaration gives its books."""
    if key == "ensemble":
        return EnsembleEngine({"als": 0.6, "two_tower": 0.4}, N_ITEMS)
    titles = item_features().texts
    features = Features(titles, [(f"genre={title.split()[0]}",) for title in titles])
    users = Features(user_features().texts, [()] * N_USERS)
    trainer = trainer_of(key)
    config = trainer.Config.from_json(TOY_CONFIG.get(key, {}))
    return trainer.train(replace(two_tastes(), item_features=features, user_features=users), config, SEED)


def places(results, book: Book) -> int:
    """Return the 0-based place of a book among results, a large number where it is not there."""
    ids = [result.id for result in results]
    return ids.index(book.pk) if book.pk in ids else np.iinfo(np.int32).max
