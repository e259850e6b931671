"""The library as plain Python: what may be shown to whom, computed without the app and without SQL."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

HIDING = ("finish", "dislike")
Filters = dict[str, list[str]]


@dataclass
class Shelf:
    """One book."""

    genre: str
    pages: int
    is_published: bool


@dataclass
class Library:
    """Every book and everything that happened to it.

    Attributes:
        books: {id: book}.
        events: (reader id, book id, kind).
        authors: {book id: reader id}.
    """

    books: dict[Any, Shelf] = field(default_factory=dict)
    events: list[tuple[int, Any, str]] = field(default_factory=list)
    authors: dict[Any, int] = field(default_factory=dict)

    def delete(self, book: Any) -> None:
        """Forget a book and what happened to it."""
        del self.books[book]
        self.authors.pop(book, None)
        self.events = [event for event in self.events if event[1] != book]

    def eligible(self, reader: int, filters: Filters) -> set[Any]:
        """Return the ids of what may be shown."""
        return {book for book in self.books if self.may_be_shown(book, reader) and self.passes(book, filters)}

    def may_be_shown(self, book: Any, reader: int) -> bool:
        """Tell whether a book is published, of another author, and neither finished nor disliked."""
        is_hidden = any((reader, book, kind) in self.events for kind in HIDING)
        return self.is_visible(book, reader) and not is_hidden

    def is_visible(self, book: Any, reader: int) -> bool:
        """Tell whether a book is published and of another author."""
        return self.books[book].is_published and self.authors.get(book) != reader

    def passes(self, book: Any, filters: Filters) -> bool:
        """Tell whether a book passes the filters of ``tests.toyhost.filters.BookFilter``."""
        shelf, wanted = self.books[book], {name: values[0] for name, values in filters.items()}
        return (
            wanted.get("genre", shelf.genre) == shelf.genre
            and shelf.pages <= int(wanted.get("max_pages", 10_000))
            and ("met_with" not in wanted or any(event[1:] == (book, wanted["met_with"]) for event in self.events))
        )
