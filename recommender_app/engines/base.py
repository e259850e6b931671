"""The contract of every engine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender_app.engines.batch import RequestBatch
from recommender_app.engines.explanations import Evidence
from recommender_app.engines.top_k import top_k
from recommender_app.exceptions import EngineError

Rows = NDArray[np.int32]
Scores = NDArray[np.float32]
_PIECE = 1 << 20


class Engine(ABC):
    """Scores items for requests. Pure arrays: it neither trains nor knows ids, files or Django.

    ``n_items`` is the size of the engine's own item row space. An unknown user, an empty
    history, a profile it has never seen: never an exception, at worst NaN ("no opinion").
    """

    key: ClassVar[str]
    covers_new_users: ClassVar[bool] = False  # has an opinion for users without any history
    covers_new_items: ClassVar[bool] = False  # can score items that were in no training data
    uses_history: ClassVar[bool] = False  # a fresh interaction changes the answer
    has_similar_items: ClassVar[bool] = False
    has_explanations: ClassVar[bool] = False

    @property
    @abstractmethod
    def n_items(self) -> int:
        """Number of item rows the engine was trained on."""

    @property
    def has_index(self) -> bool:
        """Whether ``candidates`` finds the best items without scoring all."""
        return False

    @abstractmethod
    def score(self, batch: RequestBatch, items: Rows | None = None) -> Scores:
        """Return float32 (b, n_items), or (b, len(items)) for the given rows; higher is better.

        NaN = no opinion. A row of ``items`` outside 0..n_items-1 (-1 included) scores NaN.
        """

    @abstractmethod
    def state(self) -> dict[str, NDArray[Any]]:
        """Return the named arrays that ``from_state`` needs; scalars are 0-d arrays."""

    @classmethod
    @abstractmethod
    def from_state(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild from ``state()``; arrays may be read-only memory maps.

        Raises:
            EngineError: an array is missing, of a wrong shape, or not finite.
        """

    def candidates(self, batch: RequestBatch, k: int, exclude: sparse.csr_matrix | None = None) -> tuple[Rows, Scores]:
        """Return the k best rows and their scores, (b, k) each, padded with -1 and NaN.

        Args:
            exclude: (b, n_items) CSR; stored entries are never proposed.
        """
        return top_k(self.score(batch), k, exclude)

    def similar(self, item_rows: Rows, k: int) -> tuple[Rows, Scores]:
        """Return the k most similar items to each given row, (len(item_rows), k), itself left out.

        Raises:
            EngineError: the engine has no similar items (see ``has_similar_items``).
        """
        raise EngineError(f"The engine {self.key} knows no similar items.")

    def explain(self, batch: RequestBatch, item_rows: Rows, n: int) -> list[list[Evidence]]:
        """Return up to n pieces of evidence for each row, strongest first, from the score of the batch's first user.

        Nothing for a row outside, or where nothing the engine can name speaks for an item.

        Raises:
            EngineError: the engine has no explanations (see ``has_explanations``).
        """
        raise EngineError(f"The engine {self.key} explains nothing.")


def take_items(scores: Scores, items: Rows | None) -> Scores:
    """Return (b, len(items)) columns of full (b, n_items) scores; NaN for rows outside; all if None."""
    if items is None:
        return scores
    items = np.asarray(items)
    inside = (items >= 0) & (items < scores.shape[1])
    taken = np.full((scores.shape[0], len(items)), np.nan, dtype=np.float32)
    taken[:, inside] = scores[:, items[inside]]
    return taken


def required_array(arrays: Mapping[str, NDArray[Any]], name: str, ndim: int) -> NDArray[Any]:
    """Return ``arrays[name]`` after checking its dimensions and that it is finite.

    Raises:
        EngineError: missing, of another dimension, or with NaN or infinity in it.
    """
    if name not in arrays:
        raise EngineError(f"The engine's array {name!r} is missing.")
    array = arrays[name]
    if array.ndim != ndim:
        raise EngineError(f"The engine's array {name!r} has {array.ndim} dimensions instead of {ndim}.")
    if array.dtype.kind == "f" and not _is_finite(array.reshape(-1)):
        raise EngineError(f"The engine's array {name!r} holds NaN or infinity.")
    return array


def _is_finite(flat: NDArray[Any]) -> bool:
    """Tell whether all numbers are; in pieces, as the mask of a million items' factors would take 128 MB."""
    return all(np.isfinite(flat[start : start + _PIECE]).all() for start in range(0, len(flat), _PIECE))
