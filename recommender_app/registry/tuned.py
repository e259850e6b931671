"""The best options that a search has found, a row per use case and engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from recommender_app.models import TunedConfig
from recommender_app.registry.database import atomic

TUNING = "tuning"  # in the config of a run and of a version: where its options come from


def store_tuned(
    use_case_key: str,
    engine: str,
    *,
    config: Mapping[str, Any],
    metric: str,
    value: float,
    n_trials: int,
    seed: int,
    dataset_fingerprint: str,
) -> TunedConfig:
    """Replace what the next training uses; an empty config says that the defaults were best."""
    values = {
        "config": dict(config),
        "metric": metric,
        "value": value,
        "n_trials": n_trials,
        "seed": seed,
        "dataset_fingerprint": dataset_fingerprint,
        "created_at": timezone.now(),
    }
    with atomic():
        return TunedConfig.objects.update_or_create(use_case=use_case_key, engine=engine, defaults=values)[0]


def find_tuned(use_case_key: str, engine: str) -> TunedConfig | None:
    """Return the row, None if nobody has searched."""
    return TunedConfig.objects.filter(use_case=use_case_key, engine=engine).first()
