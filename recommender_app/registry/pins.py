"""Artifacts that the environment pins (ALS_MODEL_PATH, TWO_TOWER_MODEL_PATH), and releases that arms pin."""

from __future__ import annotations

import logging

from django.db.models import QuerySet

from recommender_app.artifacts.pins import Pin, parse_pin
from recommender_app.conf import settings
from recommender_app.environment import PATHS
from recommender_app.exceptions import ArtifactError
from recommender_app.models import Arm, Release

logger = logging.getLogger(__name__)


def pinned_versions(use_case_key: str) -> dict[str, str]:
    """Return {engine key: version name} of the artifacts pinned for a use case.

    Whether they can be opened is found out when they are: like any other artifact of a release.
    """
    return {pin.engine: pin.version for pin in _pins() if pin.use_case == use_case_key}


def releases_of_arms(use_case_key: str) -> QuerySet[Release]:
    """Return the releases that serve an arm of an experiment, now or once its phase has begun."""
    arms = Arm.objects.filter(phase__experiment__use_case=use_case_key, phase__ended_at=None)
    numbers = (policy.get("release") for policy in arms.values_list("policy", flat=True) if isinstance(policy, dict))
    wanted = {number for number in numbers if isinstance(number, int)}
    return Release.objects.filter(use_case=use_case_key, number__in=wanted)


def _pins() -> list[Pin]:
    pins = []
    for name, engine in PATHS.items():
        written = getattr(settings, name)
        if not written:
            continue
        try:
            pins.append(parse_pin(settings.artifact_root, engine, written))
        except (ArtifactError, TypeError, ValueError) as error:
            logger.error("%s is ignored: %s", name, error)  # noqa: TRY400  manage.py check says more
    return pins
