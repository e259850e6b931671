"""Registering an artifact that has no row: restored from a backup, or orphaned by one of the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Model

from recommender_app.artifacts.manifest import Manifest
from recommender_app.exceptions import RegistryError
from recommender_app.models import ModelVersion
from recommender_app.registry.tombstones import is_any_buried
from recommender_app.registry.versions import number_of

ADOPTED = "Adopted from its folder: nobody has judged it here."


def check_adoptable(manifest: Manifest, models: Sequence[type[Model]]) -> None:
    """Refuse an artifact that must not have a row.

    Args:
        models: whose objects it learned from: the users and items of its use case.

    Raises:
        RegistryError: its name is not one that training gives, or one of its users or items was forgotten later.
    """
    if number_of(manifest.engine, manifest.version) is None:
        raise RegistryError(f"name it {manifest.engine}_v and a number.")
    if is_any_buried(models, since=manifest.knows_until):
        raise RegistryError(
            f"it may have learned from somebody who was forgotten after {manifest.knows_until:%Y-%m-%d %H:%M} UTC: "
            "delete its folder and train again."
        )


def adopt_version(manifest: Manifest) -> ModelVersion:
    """Make a candidate of an artifact that is adoptable; a row that was marked as gone is one again.

    What was turned down stays so: an artifact does not get better by being lost and found.
    """
    version, _ = ModelVersion.objects.update_or_create(
        **_key(manifest),
        defaults={"gone_at": None, "data_read_at": manifest.knows_until, **standing_of(manifest)},
        create_defaults={
            "reason": ADOPTED,
            "data_read_at": manifest.knows_until,
            "metrics": dict(manifest.metrics),
            "config": dict(manifest.config),
            "seed": manifest.seed,
            "library_versions": dict(manifest.library_versions),
            "dataset_fingerprint": manifest.dataset_fingerprint,
            "size_bytes": manifest.size_bytes,
        },
    )
    return version


def standing_of(manifest: Manifest) -> dict[str, str]:
    """Return the status and reason that an artifact without a present row gets."""
    lost = ModelVersion.objects.filter(**_key(manifest)).first()
    if lost is not None and lost.status == ModelVersion.Status.REJECTED:
        return {"status": lost.status, "reason": lost.reason}
    if lost is not None and lost.gate and lost.gate.get("outcome") == "rejected":  # it was forced once
        return {"status": ModelVersion.Status.REJECTED, "reason": str(lost.gate.get("reason", ""))}
    return {"status": ModelVersion.Status.CANDIDATE, "reason": ADOPTED}


def _key(manifest: Manifest) -> dict[str, Any]:
    number = number_of(manifest.engine, manifest.version)
    return {"use_case": manifest.use_case, "engine": manifest.engine, "number": number}
