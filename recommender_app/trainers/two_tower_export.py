"""From torch tables to the arrays that are served."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from recommender_app.engines.two_tower import TwoTowerArrays, TwoTowerEngine
from recommender_app.engines.two_tower_inputs import FeatureEncoder
from recommender_app.trainers.two_tower_batches import TrainingData
from recommender_app.trainers.two_tower_model import Tables


@dataclass(frozen=True)
class Encoders:
    """What item and user features look like to the towers."""

    content: FeatureEncoder
    profile: FeatureEncoder


def export_engine(tables: Tables, data: TrainingData, encoders: Encoders, half_life_days: float) -> TwoTowerEngine:
    """Return the engine; items that no positive taught are described by their content alone."""
    is_seen = np.zeros((data.content.shape[0], 1), dtype=np.float32)
    is_seen[data.seen_items] = 1.0
    layers = _array(tables["dense"])
    content_vectors = _array(tables["content"])
    of_content = data.content @ content_vectors
    items = _array(tables["ids"]) * is_seen + of_content
    lengths = np.linalg.norm(items, axis=1, keepdims=True)
    return TwoTowerEngine(
        TwoTowerArrays(
            item_vectors=(items / np.where(lengths > 0, lengths, 1.0)).astype(np.float32),
            history_vectors=(_array(tables["history"]) * is_seen + of_content).astype(np.float32),
            content_vectors=content_vectors,
            profile_vectors=_array(tables["profile"]),
            dense_weights=layers[:, :-1].copy(),
            dense_biases=layers[:, -1].copy(),
            half_life_days=np.array(half_life_days, dtype=np.float32),
            content=encoders.content,
            profile=encoders.profile,
        )
    )


def _array(table: Tensor) -> NDArray[np.float32]:
    return table.cpu().numpy().astype(np.float32, copy=True)
