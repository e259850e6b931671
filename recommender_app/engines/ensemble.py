"""The ensemble: other engines' scores, fused with weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender_app.engines.base import Engine, Rows, Scores, required_array, take_items
from recommender_app.engines.batch import RequestBatch
from recommender_app.engines.explanations import Evidence
from recommender_app.engines.fusion import FUSIONS, Fusion, fuse
from recommender_app.engines.pool_fusion import POOL_MIN_ITEMS, pool_depth, pooled_candidates
from recommender_app.exceptions import EngineError

_SAMPLE = 512
_TINY = 1e-12

PLANNED: Mapping[str, float] = {"als": 0.6, "two_tower": 0.4}
MEMBER_VERSIONS = "member_versions"  # in the config of a manifest: {engine key: version the weights were fitted beside}


class EnsembleEngine(Engine):
    """Fuses members that live in one item row space. It knows its members by key only.

    Its state names the members and their weights; ``bind`` hands it the engines. An ensemble
    without its members has no opinion (NaN). Members that are missing are left out and the
    weights of the others are used as they are: fusion does not need them to sum to one. The
    capability flags are those of the members that count.
    """

    key = "ensemble"

    def __init__(
        self,
        weights: Mapping[str, float],
        n_items: int,
        fusion: Fusion = "weighted",
        depth: int = 0,
        members: Mapping[str, Engine] | None = None,
    ) -> None:
        """Keep the recipe.

        Args:
            weights: engine key -> weight, finite, >= 0, at least one above 0.
            n_items: size of the members' item row space.
            fusion, depth: see ``fusion.normalise``.
            members: engine key -> engine over ``n_items`` rows.
        """
        if not any(weight > 0 for weight in weights.values()):
            raise EngineError("An ensemble needs at least one weight above zero.")
        if any(not np.isfinite(weight) or weight < 0 for weight in weights.values()) or fusion not in FUSIONS:
            raise EngineError(f"Ensemble weights must be finite and >= 0, the fusion one of {', '.join(FUSIONS)}.")
        self.weights = dict(weights)
        self.fusion = fusion
        self.depth = depth
        self._n_items = n_items
        self.members = {key: engine for key, engine in (members or {}).items() if key in self.weights}
        counted = [engine for key, engine in self.members.items() if self.weights[key] > 0]
        self.covers_new_users = any(engine.covers_new_users for engine in counted)  # type: ignore[misc]
        self.covers_new_items = any(engine.covers_new_items for engine in counted)  # type: ignore[misc]
        self.uses_history = any(engine.uses_history for engine in counted)  # type: ignore[misc]

    @property
    def n_items(self) -> int:
        """Number of items of the members' row space."""
        return self._n_items

    def bind(self, members: Mapping[str, Engine]) -> EnsembleEngine:
        """Return the same recipe with engines, all over one row space."""
        sizes = {engine.n_items for key, engine in members.items() if key in self.weights}
        if len(sizes) > 1:
            raise EngineError(f"Members of an ensemble must share one row space, not {sorted(sizes)} items.")
        n_items = sizes.pop() if sizes else self._n_items
        return EnsembleEngine(self.weights, n_items, self.fusion, self.depth, members)

    def with_weights(self, weights: Mapping[str, float], fusion: Fusion | None = None) -> EnsembleEngine:
        """Return a recipe of other weights, and another fusion unless it is None; without members, see ``bind``."""
        return EnsembleEngine(weights, self._n_items, fusion or self.fusion, self.depth)

    def score(self, batch: RequestBatch, items: Rows | None = None) -> Scores:
        """Return fused scores, (b, n_items) or (b, len(items)) float32, NaN where no member has an opinion."""
        scored = ((weight, engine.score(batch)) for weight, engine in self._counted)
        fused = fuse(scored, batch.history, self.fusion, self.depth)
        return take_items(fused, items)

    def candidates(self, batch: RequestBatch, k: int, exclude: sparse.csr_matrix | None = None) -> tuple[Rows, Scores]:
        """See ``Engine.candidates``; a large catalogue is fused over a pool, see ``pooled_candidates``."""
        if self._n_items < POOL_MIN_ITEMS or not self._counted:
            return super().candidates(batch, k, exclude)
        n_proposed = pool_depth(k, self.depth)
        return pooled_candidates(self._counted, self.fusion, self.depth, batch, k, exclude, n_proposed)

    @property
    def _counted(self) -> list[tuple[float, Engine]]:
        """(weight, engine) of the members that are there and count."""
        return [(self.weights[key], engine) for key, engine in self.members.items() if self.weights[key] > 0]

    @property
    def has_explanations(self) -> bool:  # type: ignore[override]
        """Whether a member that counts explains."""
        return any(engine.has_explanations and self.weights[key] > 0 for key, engine in self.members.items())

    def explain(self, batch: RequestBatch, item_rows: Rows, n: int) -> list[list[Evidence]]:
        """Return for each item what the member says that speaks most for it: weight x deviations above the average.

        Average and deviation are those of an even sample of the items, which is quick and fair to
        members of different scales. Where that member names nothing, the next one is asked.
        """
        rows, first = np.asarray(item_rows), batch.rows(0, 1)
        sample = np.unique(np.linspace(0, max(self._n_items - 1, 0), _SAMPLE).astype(np.int32))
        found: list[list[tuple[float, list[Evidence]]]] = [[] for _ in rows]
        for weight, engine in self._counted:
            if engine.has_explanations:
                loudness = weight * _deviations(engine.score(first, np.concatenate((sample, rows)))[0], len(sample))
                for of_item, loud, evidence in zip(found, loudness, engine.explain(first, rows, n), strict=True):
                    if evidence and np.isfinite(loud):
                        of_item.append((float(loud), evidence))
        return [max(of_item, key=lambda said: said[0])[1] if of_item else [] for of_item in found]

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the recipe; the members are artifacts of their own."""
        return {
            "member_keys": np.array(sorted(self.weights), dtype=np.str_),
            "weights": np.array([self.weights[key] for key in sorted(self.weights)], dtype=np.float32),
            "n_items": np.array(self._n_items, dtype=np.int64),
            "fusion": np.array(FUSIONS.index(self.fusion), dtype=np.int64),
            "depth": np.array(self.depth, dtype=np.int64),
        }

    @classmethod
    def from_state(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild the recipe without members; see ``bind``."""
        keys = required_array(arrays, "member_keys", 1).tolist()
        values = required_array(arrays, "weights", 1).tolist()
        if len(keys) != len(values):
            raise EngineError(f"The ensemble names {len(keys)} members but {len(values)} weights.")
        fusion = int(required_array(arrays, "fusion", 0))
        if not 0 <= fusion < len(FUSIONS):
            raise EngineError(f"The ensemble's fusion {fusion} is unknown.")
        n_items = int(required_array(arrays, "n_items", 0))
        depth = int(required_array(arrays, "depth", 0))
        return cls(dict(zip(keys, values, strict=True)), n_items, cast(Fusion, FUSIONS[fusion]), depth)


def _deviations(scores: NDArray[np.float32], n_sample: int) -> NDArray[np.float32]:
    """Return the scores after the first ``n_sample`` in deviations above the average of those."""
    usual = scores[:n_sample][np.isfinite(scores[:n_sample])]
    if not len(usual):
        return np.full(len(scores) - n_sample, np.nan, dtype=np.float32)
    deviations: NDArray[np.float32] = (scores[n_sample:] - usual.mean()) / max(float(usual.std()), _TINY)
    return deviations
