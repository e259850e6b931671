"""The site over HTTP, as a simulated person's browser uses it."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from rest_framework.authtoken.models import Token

from backend.marketplace.driving.site import LIMIT, USE_CASE, Listed
from backend.marketplace.models import Developer
from recommender_app.measurement.events import PostedEvent


class OverHttp:
    """Asks and posts with the token of each developer's login."""

    def __init__(self, base: str, developers: Sequence[Developer]) -> None:
        self._base = f"{base}/api/recommendations/{USE_CASE}/"
        tokens = [Token(user_id=each.account_id, key=f"{each.account_id:040d}") for each in developers]
        Token.objects.bulk_create(tokens, ignore_conflicts=True)
        self._tokens = dict(Token.objects.values_list("user_id", "key"))

    def ask(self, developer: Developer) -> Listed:
        """GET a list."""
        answer = self._send(developer, f"?limit={LIMIT}")
        items = tuple(UUID(result["id"]) for result in answer["results"])
        return Listed(UUID(answer["request_id"]), items)

    def tell(self, developer: Developer, events: Sequence[PostedEvent]) -> None:
        """POST what was done."""
        body = [
            {"event_id": each.event_id, "item": each.item, "event": each.event, "request_id": str(each.request_id)}
            for each in events
        ]
        self._send(developer, "events/", body)

    def _send(self, developer: Developer, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            self._base + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Token {self._tokens[developer.account_id]}",
                "Content-Type": "application/json",
                "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            },
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.load(response)
