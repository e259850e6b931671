"""One request to a site, on a connection of its own."""

from __future__ import annotations

import http.client
import json
from typing import Any


def asked(port: int, token: str, path: str) -> tuple[int, str, dict[str, Any]]:
    """Return status, the process that answered, and the body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path, headers={"Authorization": f"Token {token}"})
        response = connection.getresponse()
        body = json.loads(response.read())
    finally:
        connection.close()
    return response.status, response.headers["X-Process"], body
