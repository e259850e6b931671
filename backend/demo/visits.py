"""A handful of real HTTP requests, and what came back."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import Any

from backend.demo.people import Visitor

Print = Callable[[str], None]


def fetch(base: str, visitor: Visitor, limit: int = 5) -> dict[str, Any]:
    """Return the JSON answer for one visitor."""
    url = f"{base}/api/recommendations/{visitor.use_case}/?limit={limit}{visitor.query}"
    request = urllib.request.Request(url, headers={"Authorization": f"Token {visitor.token}"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310  http on loopback
        return json.load(response)


def show(answer: dict[str, Any], visitor: Visitor, write: Print) -> None:
    """Print one answer as a list of titles."""
    version = answer["model_version"] or "-"
    fallback = f", fallback: {answer['fallback_reason']}" if answer["fallback_reason"] else ""
    count = answer["interaction_count"]
    write(f"\n{visitor.name}: {count} interactions, engine {answer['engine']} ({version}){fallback}")
    for result in answer["results"]:
        item = result["item"]
        write(f"  {result['rank']:>2}. {item.get('title') or item.get('name') or item.get('label') or result['id']}")
