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


def export_engine(
    tables: Tables, data: TrainingData, encoders: Encoders, half_life_days: float, temperature: float
) -> TwoTowerEngine:
    """Return the engine; items that no positive taught are described by their content alone.

    The softmax has learned how often content like theirs is liked per item; they, so far, are not.
    Their offset takes them from the average number of likes down to one: without it, items that
    nobody has touched push proven ones off the lists of everybody.
    """
    is_seen = np.zeros((data.content.shape[0], 1), dtype=np.float32)
    is_seen[data.seen_items] = 1.0
    layers = _array(tables["dense"])
    alone = _array(tables["alone"])
    of_content = data.content @ _array(tables["content"])
    items = np.where(is_seen > 0, _array(tables["ids"]) + of_content, data.content @ alone)
    lengths = np.linalg.norm(items, axis=1, keepdims=True)
    offset = -temperature * np.log(data.likes_per_item)
    return TwoTowerEngine(
        TwoTowerArrays(
            item_vectors=(items / np.where(lengths > 0, lengths, 1.0)).astype(np.float32),
            item_offsets=(offset * (1.0 - is_seen[:, 0])).astype(np.float32),
            new_item_offset=np.array(offset, dtype=np.float32),
            history_vectors=(_array(tables["history"]) * is_seen + of_content).astype(np.float32),
            content_vectors=alone,
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
