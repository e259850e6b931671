"""Registering an artifact that has no row: restored from a backup, or orphaned by one of the database."""

from __future__ import annotations

from recommender_app.artifacts.manifest import Manifest
from recommender_app.exceptions import RegistryError
from recommender_app.models import ModelVersion
from recommender_app.registry.versions import number_of

ADOPTED = "Adopted from its folder: nobody has judged it here."


def adopt_version(manifest: Manifest) -> ModelVersion:
    """Make a candidate of an artifact that opens; a row that was marked as gone is one again.

    Raises:
        RegistryError: its name is not one that training gives.
    """
    number = number_of(manifest.engine, manifest.version)
    if number is None:
        raise RegistryError(f"{manifest.version} cannot be adopted: name it {manifest.engine}_v and a number.")
    version, _ = ModelVersion.objects.update_or_create(
        use_case=manifest.use_case,
        engine=manifest.engine,
        number=number,
        defaults={"gone_at": None, "status": ModelVersion.Status.CANDIDATE, "reason": ADOPTED},
        create_defaults={
            "reason": ADOPTED,
            "metrics": dict(manifest.metrics),
            "config": dict(manifest.config),
            "seed": manifest.seed,
            "library_versions": dict(manifest.library_versions),
            "dataset_fingerprint": manifest.dataset_fingerprint,
            "size_bytes": manifest.size_bytes,
        },
    )
    return version
