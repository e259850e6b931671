"""Trains every engine in one process and asks each for an answer in another (see ``test_ready``)."""

from __future__ import annotations

import json

from django.core.management import call_command
from django.test import Client

from recommender_app.artifacts.store import ArtifactStore
from recommender_app.conf import settings
from recommender_app.engines.catalog import engine_keys
from recommender_app.serving.policies import forced_policy
from recommender_app.serving.router import Policy
from tests.app import library
from tests.toyhost.models import Book, Reader


def train_and_promote() -> None:
    """Train every engine that has a trainer on the toy of the core tests; its rows become books."""
    from tests.core.toys import N_ITEMS, liked_items
    from tests.core.trained import TRAINER_KEYS, train_toy

    call_command("migrate", run_syncdb=True, verbosity=0)
    books = sorted((Book(title=f"book {number}") for number in range(N_ITEMS)), key=lambda book: book.pk.hex)
    Book.objects.bulk_create(books)
    library.add_reader(likes=tuple(books[item] for item in liked_items(0)))
    store = ArtifactStore(settings.artifact_root)
    for key in TRAINER_KEYS:
        store.publish("books", f"{key}_v1", train_toy(key), library.ids_of(books))
    library.put_live(1, *[f"{key}_v1" for key in TRAINER_KEYS])


def serve() -> None:
    """Ask each live engine over HTTP and write who answered."""
    client = Client()
    client.force_login(Reader.objects.get().account)
    served = {}
    for key in engine_keys():
        if not (settings.artifact_root / "models" / "books" / key).exists():
            continue
        with forced_policy("books", Policy("one", ((0, key),))):
            served[key] = client.get("/api/recommendations/books/", {"limit": 3}).json()["engine"]
    (settings.artifact_root / "served.json").write_text(json.dumps(served))
