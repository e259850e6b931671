"""A library of two genres, and engines whose answers a child can check."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
from django.contrib.auth import get_user_model
from django.db import OperationalError
from django.utils import timezone

from recommender_app.artifacts.store import ArtifactStore
from recommender_app.conf import settings
from recommender_app.dataset.ids import IdMap
from recommender_app.engines.confidence import Confidence
from recommender_app.engines.factors import FactorEngine
from recommender_app.engines.popularity import PopularityEngine
from recommender_app.models import ModelVersion, Release, ReleaseMember
from tests.toyhost.models import Book, Reader, Reading

START = datetime(2026, 1, 1, tzinfo=UTC)


def add_books(*titles: str) -> list[Book]:
    """Add books, the later the newer; ``tea-1`` has the genre tea."""
    n_before = Book.objects.count()
    return [
        Book.objects.create(title=title, genre=title.split("-")[0], created_at=START + timedelta(days=n_before + place))
        for place, title in enumerate(titles)
    ]


def add_shelves(n: int = 6) -> list[Book]:
    """Add n books on tea, then n newer ones on the sea."""
    return add_books(*[f"tea-{place}" for place in range(n)], *[f"sea-{place}" for place in range(n)])


def add_reader(name: str = "ann", likes: tuple[Book, ...] = (), bio: str = "") -> Reader:
    """Add a reader with a login of the same name."""
    reader = Reader.objects.create(name=name, bio=bio, account=get_user_model().objects.create_user(name))
    for book in likes:
        read(reader, book, "like")
    return reader


def read(reader: Reader, book: Book, kind: str) -> Reading:
    """Add an interaction, now."""
    return Reading.objects.create(reader=reader, book=book, kind=kind, at=timezone.now())


def ids_of(books: list[Book]) -> IdMap:
    """Return the id map of books."""
    return IdMap.from_values([book.pk for book in books])


def als_engine(books: list[Book]) -> FactorEngine:
    """Return an engine that recommends the genres of what was liked, the first book of a genre first."""
    items = ids_of(books)
    genres = sorted({book.genre for book in books})
    factors = np.zeros((len(books), len(genres)), dtype=np.float32)
    for place, (row, book) in enumerate(zip(items.rows([book.pk for book in books]), books, strict=True)):
        factors[row, genres.index(book.genre)] = 1 - 0.001 * place
    gramian = factors.T.astype(np.float64) @ factors
    degrees = np.ones(len(books), dtype=np.float32)
    return FactorEngine(factors, gramian, degrees, 0.01, Confidence(1.0, 0.0, 0.0))


def popular_engine(books: list[Book]) -> PopularityEngine:
    """Return an engine that recommends the books in the order given."""
    counts = np.zeros(len(books), dtype=np.float32)
    counts[ids_of(books).rows([book.pk for book in books])] = np.arange(len(books), 0, -1)
    return PopularityEngine(counts)


def publish(version: str, engine, books: list[Book]) -> None:
    """Write an artifact of the books use case."""
    ArtifactStore(settings.artifact_root).publish("books", version, engine, ids_of(books))


def put_live(number: int, *versions: str) -> Release:
    """Make a release live that consists of versions named like ``als_v1``."""
    Release.objects.filter(use_case="books").update(status=Release.Status.RETIRED)
    live = Release.Status.LIVE
    release = Release.objects.create(use_case="books", number=number, status=live, promoted_at=timezone.now())
    for name in versions:
        engine, version_number = name.rsplit("_v", 1)
        version, _ = ModelVersion.objects.get_or_create(
            use_case="books", engine=engine, number=int(version_number), defaults={"status": "ready"}
        )
        ReleaseMember.objects.create(release=release, engine=engine, version=version)
    return release


def titles(results) -> list[str]:
    """Return the titles of an answer's results."""
    return [result.item.title for result in results]


def refuse(execute, sql, params, many, context):
    """Stand for a database that cannot be reached, in ``connection.execute_wrapper``."""
    if "SAVEPOINT" in sql:
        return execute(sql, params, many, context)
    raise OperationalError("connection refused")
