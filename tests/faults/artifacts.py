"""ALS versions of a site's own, put live by hand, and how the site answers with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.test import Client

from recommender_app.conf import settings
from recommender_app.models import RequestLog
from tests.app import library
from tests.toyhost.models import Book, Reader

PATH = "/api/recommendations/books/?limit=3"


def ask(client: Client, reader: Reader) -> dict[str, Any]:
    """Ask as a browser does; 200, whatever happens, and a row that says the same."""
    client.force_login(reader.account)
    reply = client.get(PATH)
    assert reply.status_code == 200, reply.content
    body = reply.json()
    row = RequestLog.objects.get(request_id=body["request_id"])
    assert (row.engine, row.fallback_reason) == (body["engine"], body["fallback_reason"] or "")
    return body


def put_als_live(number: int, books: list[Book]) -> Path:
    """Publish als_v<number> and put it live; return its folder."""
    library.publish(f"als_v{number}", library.als_engine(books), books)
    library.put_live(number, f"als_v{number}")
    return folder_of(f"als_v{number}")


def folder_of(name: str) -> Path:
    """Return the folder of a version such as als_v1."""
    root: Path = settings.artifact_root
    return root / "models" / "books" / name.rsplit("_", 1)[0] / name
