"""Twelve readers of two tastes, with times that a global cut can be made in."""

from __future__ import annotations

from datetime import timedelta

from tests.app import library
from tests.toyhost.models import Book, Reading

N_READERS = 12
N_ROUNDS = 5  # each reader likes one book a day: the last day is a fifth of all


def own_shelf(books: list[Book], number: int) -> list[Book]:
    """Return the six books of the reader's taste."""
    return books[:6] if number < N_READERS // 2 else books[6:]


def missing_book(books: list[Book], number: int) -> Book:
    """Return the one book of the own taste that the reader has not read."""
    return own_shelf(books, number)[number % 6]


def fill(kinds: tuple[str, ...] = ("like",) * N_ROUNDS) -> list[Book]:
    """Let every reader read all of the own shelf but one book, one a day; ``kinds`` has an event per day."""
    books = library.add_shelves(6)
    readers = [library.add_reader(f"reader{number}") for number in range(N_READERS)]
    rows = []
    for number, reader in enumerate(readers):
        shelf = [book for book in own_shelf(books, number) if book != missing_book(books, number)]
        for day, kind in enumerate(kinds):
            at = library.START + timedelta(days=day)
            rows.append(Reading(reader=reader, book=shelf[(number + day) % N_ROUNDS], kind=kind, at=at))
    Reading.objects.bulk_create(rows)
    return books


def only(*engines: str, **paths: str) -> dict[str, str | None]:
    """Return a setting TRAINERS of the real trainers of ``engines``, of others by dotted path, and no more."""
    from recommender_app.conf import DEFAULTS

    return {key: path if key in engines else None for key, path in DEFAULTS["TRAINERS"].items()} | paths
