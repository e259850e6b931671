"""Checkpoints of a two-tower run: tensors and plain values, never code."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from recommender_app.exceptions import TrainingError
from recommender_app.trainers.two_tower_batches import TrainingData
from recommender_app.trainers.two_tower_config import TwoTowerConfig

# A resumed run may get more epochs or time, or other hardware; all else must be the same.
_MAY_CHANGE = ("epochs", "time_budget_seconds", "threads", "device", "checkpoint", "patience")
# Whatever torch.load makes of bytes that are no checkpoint, or of one that would run code.
_DAMAGE = (OSError, RuntimeError, ValueError, EOFError, LookupError, TypeError, UnpicklingError)


def identity(data: TrainingData, config: TwoTowerConfig, seed: int) -> str:
    """Return a hash of what a run learns from and how."""
    options = {name: value for name, value in dataclasses.asdict(config).items() if name not in _MAY_CHANGE}
    digest = hashlib.sha256(json.dumps([options, seed], sort_keys=True).encode())
    for matrix in (data.history, data.targets, data.content, data.profile):
        digest.update(str(matrix.shape).encode())
        for part in (matrix.indptr, matrix.indices, matrix.data):
            digest.update(part.tobytes())
    return digest.hexdigest()


def save_checkpoint(path: Path, values: dict[str, Any]) -> None:
    """Write tensors and plain values; a crash leaves the previous file."""
    staged = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(values, staged)
        os.replace(staged, path)  # noqa: PTH105 - one atomic step
    except (OSError, RuntimeError) as error:
        raise TrainingError(f"Cannot write the checkpoint {path}: {error}.") from error


def load_checkpoint(path: Path, expected_identity: str) -> dict[str, Any] | None:
    """Return what ``save_checkpoint`` wrote, None where there is no file.

    Raises:
        TrainingError: the file is damaged, or of other data, options or seed.
    """
    if not path.exists():
        return None
    try:
        values = torch.load(path, map_location="cpu", weights_only=True)
    except _DAMAGE as error:
        raise TrainingError(f"The checkpoint {path} is damaged or no checkpoint: delete it to start anew.") from error
    if not isinstance(values, dict) or values.get("identity") != expected_identity:
        raise TrainingError(f"The checkpoint {path} belongs to other data, options or seed: delete it to start anew.")
    return values
