"""Fills the measured site: tables, models, one live release. Run as ``python -m tests.benchmarks.site.loading``."""

# ruff: noqa: T201, E402  a benchmark prints what it does; Django is set up before its models are imported

from __future__ import annotations

import django

django.setup()

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from rest_framework.authtoken.models import Token

from recommender_app.dataset.dataset import Dataset
from recommender_app.dataset.folder import read_dataset
from recommender_app.engines.base import Engine
from recommender_app.engines.ensemble import EnsembleEngine
from recommender_app.registry.releases import promote
from recommender_app.registry.runs import start_run
from recommender_app.training.export import export_dataset
from recommender_app.training.publishing import publish
from recommender_app.training.trainers import load_trainer
from recommender_app.usecases.site import get_use_case
from tests.benchmarks.site.catalogue import Catalogue, make_catalogue
from tests.benchmarks.site.figures import N_VISITORS, VISITORS
from tests.toyhost.models import Book, Reader

NOW = timezone.now()
DAYS = 200
SEED = 11
ENGINES: dict[str, dict[str, Any]] = {
    "popular": {},
    "content_based": {},
    "als": {"factors": 128, "iterations": 8},
    "two_tower": {"epochs": 2, "refit": False},
}
PLANNED = {"als": 0.6, "two_tower": 0.4}


def load() -> None:
    """Fill everything that is measured, in an empty database and an empty folder."""
    call_command("migrate", verbosity=0)
    call_command("migrate", run_syncdb=True, verbosity=0)  # the toy host has no migrations
    catalogue = make_catalogue()
    add_books(catalogue)
    add_readers(catalogue)
    add_visitors(catalogue)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    train_release()


def add_books(catalogue: Catalogue) -> None:
    """Add the catalogue, a day apart at most."""
    books = (
        Book(
            pk=key, title=f"Book {place}", blurb=blurb, genre=f"genre{genre}", created_at=NOW - timedelta(minutes=place)
        )
        for place, (key, blurb, genre) in enumerate(
            zip(catalogue.keys, catalogue.blurbs, catalogue.genres, strict=True)
        )
    )
    for chunk in _chunks(books, 2000):
        Book.objects.bulk_create(chunk)


def add_readers(catalogue: Catalogue) -> None:
    """Add readers without a login and what they liked."""
    n = int(catalogue.readers.max()) + 1
    Reader.objects.bulk_create([Reader(pk=1_000_000 + place, name=f"reader {place}") for place in range(n)])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    _copy_readings(
        (1_000_000 + int(reader), catalogue.keys[book], start + timedelta(minutes=place % (DAYS * 1440)))
        for place, (reader, book) in enumerate(zip(catalogue.readers, catalogue.books, strict=True))
    )


def add_visitors(catalogue: Catalogue) -> None:
    """Add those who make the requests, each with a login and a token named after it."""
    liked = itertools.cycle(range(0, len(catalogue.keys), 7))
    for kind, n_liked in VISITORS.items():
        for number in range(N_VISITORS):
            account = get_user_model().objects.create(username=f"{kind}{number}")
            Token.objects.create(user=account, key=f"{kind}{number}")
            reader = Reader.objects.create(
                pk=account.pk, name=account.username, account=account, bio=catalogue.blurbs[number]
            )
            _copy_readings((reader.pk, catalogue.keys[next(liked)], NOW) for _ in range(n_liked))


def train_release() -> None:
    """Train every engine on the exported tables and promote them."""
    use_case = get_use_case("books")
    dataset = read_dataset(export_dataset(use_case).path)
    print(f"{dataset.n_users} users, {dataset.n_items} items, {len(dataset.interactions)} interactions", flush=True)
    for key, options in ENGINES.items():
        trainer = load_trainer(key)
        config = trainer.Config.from_json(options)
        _publish(use_case.key, trainer.train(dataset, config, SEED), config.to_json(), dataset)
    _publish(use_case.key, EnsembleEngine(PLANNED, dataset.n_items), {}, dataset)


def _publish(use_case_key: str, engine: Engine, config: dict[str, Any], dataset: Dataset) -> None:
    run = start_run(use_case_key, engine.key, config=config, seed=SEED, requested_by="benchmark")
    version = publish(run, engine, dataset, {})
    promote(version, by="benchmark")
    print(f"{version.name} is live", flush=True)


def _chunks(rows: Iterator[Book], size: int) -> Iterator[list[Book]]:
    while chunk := list(itertools.islice(rows, size)):
        yield chunk


def _copy_readings(rows: Any) -> None:
    with connection.cursor() as cursor:
        statement = "COPY toyhost_reading (reader_id, book_id, kind, at) FROM STDIN"
        with cursor.copy(statement) as copy:
            for reader, book, at in rows:
                copy.write_row((reader, book, "like", at))


if __name__ == "__main__":
    load()
