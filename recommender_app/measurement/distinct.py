"""Counting different items with a sketch of fixed size that can be united over days and groups.

HyperLogLog (Flajolet et al., 2007) with linear counting while it is sparse: exact for a few
dozen items, with a standard error of 1.6 % for any number. 4 KB, whatever it has seen.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable

PRECISION = 12
N_REGISTERS = 1 << PRECISION
_ALPHA = 0.7213 / (1 + 1.079 / N_REGISTERS)
_REST_BITS = 64 - PRECISION
_FOLDED_FROM = 100_000  # items held by name at most


class DistinctItems:
    """The different items of a group: by name while they are few, then in the sketch only."""

    def __init__(self, sketch: bytes | memoryview = b"") -> None:
        self._registers = bytearray(sketch or N_REGISTERS)
        self._names: set[str] = set()

    def add(self, items: Iterable[str]) -> None:
        """Add items, any of them again and again."""
        self._names.update(items)
        if len(self._names) >= _FOLDED_FROM:
            self._fold()

    def unite(self, sketch: bytes | memoryview) -> None:
        """Add everything that another sketch has seen."""
        self._registers = bytearray(map(max, self._registers, bytes(sketch)))

    def sketch(self) -> bytes:
        """Return the sketch, N_REGISTERS bytes."""
        self._fold()
        return bytes(self._registers)

    def count(self) -> int:
        """Return about how many different items were added."""
        registers = self.sketch()
        n_empty = registers.count(0)
        estimate = _ALPHA * N_REGISTERS**2 / sum(2.0**-register for register in registers)
        if n_empty and estimate <= 2.5 * N_REGISTERS:
            estimate = N_REGISTERS * math.log(N_REGISTERS / n_empty)
        return round(estimate)

    def _fold(self) -> None:
        for name in self._names:
            digest = int.from_bytes(hashlib.blake2b(name.encode(errors="replace"), digest_size=8).digest(), "big")
            place, rest = digest >> _REST_BITS, digest & ((1 << _REST_BITS) - 1)
            self._registers[place] = max(self._registers[place], _REST_BITS - rest.bit_length() + 1)
        self._names.clear()
