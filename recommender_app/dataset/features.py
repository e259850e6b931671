"""What is known about users or items beside interactions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recommender_app.exceptions import DatasetError


@dataclass(frozen=True)
class Features:
    """Side information of n users or items, position = row.

    Attributes:
        texts: n strings, "" where there is none.
        terms: n tuples of category terms ``"field=value"``, () where there are none.
        numbers: (n, m) float32, NaN where unknown.
        number_names: m names.
    """

    texts: Sequence[str]
    terms: Sequence[tuple[str, ...]]
    numbers: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0), dtype=np.float32))
    number_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.texts) != len(self.terms):
            raise DatasetError(f"Features disagree: {len(self.texts)} texts but {len(self.terms)} rows of terms.")
        if self.number_names and self.numbers.shape != (len(self.texts), len(self.number_names)):
            raise DatasetError(f"Numbers of shape {self.numbers.shape} do not fit {len(self.texts)} rows.")

    def __len__(self) -> int:
        return len(self.texts)

    def rows(self, start: int, stop: int) -> Features:
        """Return the features of rows start..stop-1."""
        numbers = self.numbers[start:stop] if self.number_names else self.numbers
        return Features(self.texts[start:stop], self.terms[start:stop], numbers, self.number_names)

    @classmethod
    def empty(cls, n: int) -> Features:
        """Return features that say nothing about n rows."""
        return cls([""] * n, [()] * n)
