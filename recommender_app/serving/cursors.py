"""A cursor: the rest of a slate as a signed text that a client hands back for the next page.

Nothing is stored. The signature belongs to one user, use case and set of filters, and expires
(setting CURSOR_SECONDS). Keys are packed as bytes, so that 100 UUIDs fit into a URL.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import numpy as np
from django.core import signing

from recommender_app.conf import settings
from recommender_app.exceptions import InvalidCursor

SALT = "recommender_app.serving.cursors"
CERTAIN, BY_CHANCE = 1, 2  # formats of the packed bytes: without and with propensities; another one is refused
MAX_CHARACTERS = 4_000  # of a cursor: proxies refuse long URLs, most of them from 8 KB on
KEY_BYTES = 16  # of a UUID
_INT64 = np.iinfo(np.int64)


@dataclass(frozen=True)
class Place:
    """One place of a slate that has not been shown yet: external id, score, source, propensity as in a candidate."""

    id: Any
    score: float
    source: str
    propensity: float | None = None


@dataclass(frozen=True)
class Rest:
    """What is left of a slate, and what its pages must know of the request that fixed it.

    Attributes:
        places: in order, each id once.
        rank: 1-based rank of the next item that is shown.
        slate: request id of the first page.
        release, versions: the release that proposed the items, {source: version name}.
        primary: engine that the policy named.
        fallback_reason: why others answer; for items that are not from ``primary``.
        interaction_count, policy, experiment, phase, arm: as in the first answer.
    """

    places: tuple[Place, ...]
    rank: int
    slate: UUID
    release: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    primary: str = ""
    fallback_reason: str = ""
    interaction_count: int = 0
    policy: str = ""
    experiment: str = ""
    phase: int | None = None
    arm: str = ""


def write_cursor(rest: Rest, owner: Sequence[str]) -> str:
    """Return the cursor of a rest; places that would make it too long are dropped from the end.

    Args:
        owner: what the signature is bound to: use case, user, filters.
    """
    while True:
        text = signing.dumps(rest, salt=_salt(owner), serializer=PackedRest, compress=True)
        if len(text) <= MAX_CHARACTERS or not rest.places:
            return text
        rest = replace(rest, places=rest.places[: len(rest.places) * 3 // 4])


def read_cursor(text: str, owner: Sequence[str]) -> Rest:
    """Return the rest that ``write_cursor`` wrote for the same owner.

    Raises:
        InvalidCursor: altered, expired, somebody else's, or of other filters.
    """
    try:
        return signing.loads(text, salt=_salt(owner), serializer=PackedRest, max_age=settings.CURSOR_SECONDS)
    except (signing.BadSignature, ValueError, LookupError, TypeError) as error:
        raise InvalidCursor("This cursor is not valid here, or no longer: start again with cursor=first.") from error


class PackedRest:
    """A rest as bytes: a JSON head, then scores (float32), sources (uint8) and keys (int64 or 16 bytes).

    Where exploration had a say, the propensities (float32, NaN = none) come before the keys.
    """

    def dumps(self, rest: Rest) -> bytes:
        """Return the bytes."""
        sources = list(dict.fromkeys(place.source for place in rest.places))
        kind, texts, keys = _packed_ids([place.id for place in rest.places])
        facts = [rest.rank, rest.slate.hex, rest.release, dict(rest.versions), rest.primary]
        facts += [rest.fallback_reason, rest.interaction_count, rest.policy]
        facts += [rest.experiment, rest.phase, rest.arm] if rest.experiment else []
        head = json.dumps([len(rest.places), kind, texts, sources, facts], separators=(",", ":")).encode()
        scores = np.array([place.score for place in rest.places], dtype="<f4").tobytes()
        numbers = np.array([sources.index(place.source) for place in rest.places], dtype="u1").tobytes()
        chances = [place.propensity for place in rest.places]
        is_certain = all(chance is None for chance in chances)
        packed = b"" if is_certain else np.array(chances, dtype=np.float64).astype("<f4").tobytes()
        form = CERTAIN if is_certain else BY_CHANCE
        return bytes([form]) + len(head).to_bytes(4, "big") + head + scores + numbers + packed + keys

    def loads(self, data: bytes) -> Rest:
        """Return the rest; ValueError, LookupError or TypeError where the bytes are of another format."""
        if data[0] not in (CERTAIN, BY_CHANCE):
            raise ValueError(f"There is no format {data[0]}.")
        body = 5 + int.from_bytes(data[1:5], "big")
        n, kind, texts, sources, (rank, slate, *facts) = json.loads(data[5:body])
        scores = np.frombuffer(data, dtype="<f4", count=n, offset=body).tolist()
        numbers = np.frombuffer(data, dtype="u1", count=n, offset=body + 4 * n).tolist()
        chances, start = _unpacked_chances(data, n, body + 5 * n)
        ids = _unpacked_ids(kind, texts, data[start:])
        places = tuple(
            Place(item_id, score, sources[number], chance)
            for item_id, score, number, chance in zip(ids, scores, numbers, chances, strict=True)
        )
        return Rest(places, rank, UUID(slate), *facts)


def _salt(owner: Sequence[str]) -> str:
    return f"{SALT}:{json.dumps(list(owner))}"


def _unpacked_chances(data: bytes, n: int, offset: int) -> tuple[list[float | None], int]:
    """Return the n propensities, and where the keys begin."""
    if data[0] == CERTAIN:
        return [None] * n, offset
    found = np.frombuffer(data, dtype="<f4", count=n, offset=offset).tolist()
    return [None if math.isnan(chance) else chance for chance in found], offset + 4 * n


def _packed_ids(ids: Sequence[Any]) -> tuple[str, list[str], bytes]:
    """Return kind, texts and bytes of ids: one of the two holds them."""
    if all(isinstance(item_id, UUID) for item_id in ids):
        return "uuid", [], b"".join(item_id.bytes for item_id in ids)
    if all(_is_int64(item_id) for item_id in ids):
        return "int", [], np.array(ids, dtype="<i8").tobytes()
    return "text", [str(item_id) for item_id in ids], b""


def _unpacked_ids(kind: str, texts: list[str], keys: bytes) -> list[Any]:
    if kind == "uuid":
        return [UUID(bytes=keys[start : start + KEY_BYTES]) for start in range(0, len(keys), KEY_BYTES)]
    return np.frombuffer(keys, dtype="<i8").tolist() if kind == "int" else texts


def _is_int64(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and _INT64.min <= value <= _INT64.max
