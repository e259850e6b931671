"""Posting events to the toy host, as its clients do."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from django.test import Client

from recommender_app.models import FeedbackEvent
from recommender_app.testing import FixedEngine, override_engine
from tests.toyhost.models import Book, Reading

URL = "/api/recommendations/books/events/"


def show(client: Client, *books: Book) -> str:
    """Have the client shown these books in this order; return the answer's request_id."""
    with override_engine("books", FixedEngine([book.pk for book in books])):
        answer = client.get("/api/recommendations/books/", {"limit": len(books)}).json()
    return str(answer["request_id"])


def event(book: Book, name: str = "like", **fields: Any) -> dict[str, Any]:
    """Return an event of its own id."""
    return {"event_id": str(uuid.uuid4()), "item": str(book.pk), "event": name, **fields}


def post(client: Client, body: Any) -> Any:
    """Post one event or a list."""
    return client.post(URL, body, content_type="application/json")


def errors(answer: Any) -> dict[str, list[str]]:
    """Return what a refusal names; nothing was recorded."""
    assert answer.status_code == 400, answer.content
    assert not FeedbackEvent.objects.exists()
    assert not Reading.objects.exists()
    found: dict[str, list[str]] = answer.json()["errors"]
    return found


def ago(**span: float) -> str:
    """Return the time so long ago."""
    return (datetime.now(UTC) - timedelta(**span)).isoformat()
