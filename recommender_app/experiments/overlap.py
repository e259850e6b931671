"""Whether two experiments could both want the same unit: then neither could say what made the difference."""

from __future__ import annotations

import math
from typing import Any

from recommender_app.experiments.facts import FEWEST, MOST
from recommender_app.models import Experiment, Phase


def overlapping(experiment: Experiment, phase: Phase) -> list[str]:
    """Return the keys of the running experiments of the use case that could want the same units; one query.

    Two share no unit if they have parts of one layer that do not touch, or interaction counts that do not.
    """
    others = Phase.objects.filter(
        experiment__use_case=experiment.use_case,
        experiment__unit_type=experiment.unit_type,
        experiment__status=Experiment.Status.RUNNING,
        started_at__isnull=False,
        ended_at__isnull=True,
    ).exclude(experiment=experiment)
    return [
        other.experiment.key
        for other in others.select_related("experiment").order_by("pk")
        if not (_apart_in_layer(experiment, other.experiment) or _apart_in_counts(phase, other))
    ]


def _apart_in_layer(one: Experiment, other: Experiment) -> bool:
    if one.layer_id is None or one.layer_id != other.layer_id:
        return False
    return one.layer_to <= other.layer_from or other.layer_to <= one.layer_from


def _apart_in_counts(one: Phase, other: Phase) -> bool:
    (fewest, most), (others_fewest, others_most) = _counts(one.eligibility), _counts(other.eligibility)
    return most < others_fewest or others_most < fewest


def _counts(eligibility: dict[str, Any]) -> tuple[float, float]:
    return eligibility.get(FEWEST, 0), eligibility.get(MOST, math.inf)
