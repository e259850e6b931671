"""A handful of real HTTP requests, and what came back."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import Any

from backend.demo.people import Visitor
from recommender_app.models import RequestLog

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
    arm = arm_of(answer["request_id"])
    write(f"\n{visitor.name}: {count} interactions, {arm}, engine {answer['engine']} ({version}){fallback}")
    for result in answer["results"]:
        item = result["item"]
        write(f"  {result['rank']:>2}. {item.get('title') or item.get('name') or item.get('label') or result['id']}")


def arm_of(request_id: str) -> str:
    """Return the arm of an answer, which staff see in the request log: people are not told."""
    row = RequestLog.objects.filter(request_id=request_id).values("experiment", "phase", "arm").first()
    if row is None:
        return "not logged yet"
    return f"arm {row['arm']} of {row['experiment']}" if row["experiment"] else "in no experiment"
