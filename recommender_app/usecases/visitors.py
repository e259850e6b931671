"""Somebody who has not logged in: whom the host's tables do not know, and the app by a session only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

PREFIX = "anonymous:"  # of keys in the app's tables; no host's key looks like it


@dataclass(frozen=True)
class Visitor:
    """Takes the place of a user of the host's.

    Attributes:
        session: a random number, which the client holds signed.
    """

    session: str

    @property
    def pk(self) -> str:
        """What the app's tables call the visitor."""
        return f"{PREFIX}{self.session}"


def host_user(user: Any) -> Any:
    """Return whom the host is asked about: None for a visitor."""
    return None if isinstance(user, Visitor) else user
