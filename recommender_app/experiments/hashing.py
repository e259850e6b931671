"""Where a unit falls: a hash proposes who is enrolled and in which arm; the stored row is what counts.

Two salts make two independent hashes. With one for both, the first ten per cent that are enrolled
would all be in the first arm.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Protocol, TypeVar

from recommender_app.models.experiment import ALL

HASH_BYTES = 8  # of the digest


class Weighted(Protocol):
    """An arm, as far as its share is concerned: a row, or what a process keeps of it."""

    @property
    def weight_bp(self) -> int:
        """Share of the enrolled units, in basis points."""


A = TypeVar("A", bound=Weighted)


def bucket(salt: str, unit_type: str, unit_id: str) -> int:
    """Return 0..9999, every value equally likely, the same in every process and on every machine."""
    digest = sha256(f"{salt}:{unit_type}:{unit_id}".encode()).digest()
    return (int.from_bytes(digest[:HASH_BYTES], "big") * ALL) >> (8 * HASH_BYTES)


def arm_of(arm_bucket: int, arms: Iterable[A]) -> A | None:
    """Return the arm whose part of the line holds a bucket; None where the weights do not reach so far.

    Args:
        arms: in order of their ids.
    """
    end = 0
    for arm in arms:
        end += arm.weight_bp
        if arm_bucket < end:
            return arm
    return None
