"""Model versions: rows that name artifact folders."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError
from django.db.models import Max

from recommender_app.exceptions import RegistryError
from recommender_app.models import ModelVersion, TrainingRun
from recommender_app.registry.database import atomic
from recommender_app.registry.live import live_release
from recommender_app.registry.runs import renew_lease

_NAME = re.compile(r"(?P<engine>[a-z0-9_]+)_v(?P<number>[1-9][0-9]{0,8})")
N_LISTED = 5  # names in a message


def register_version(
    run: TrainingRun,
    *,
    number: int,
    metrics: Mapping[str, Any],
    config: Mapping[str, Any],
    seed: int,
    library_versions: Mapping[str, str],
    dataset_fingerprint: str,
    size_bytes: int,
    data_read_at: datetime | None = None,
) -> ModelVersion:
    """Insert a CANDIDATE for a published artifact, if the run is still the one that may.

    Args:
        data_read_at: before its data were read. Who was forgotten since is in them.

    Raises:
        RegistryError: the run lost its lease to another one, or the number is taken.
    """
    try:
        with atomic():
            if not renew_lease(run):  # a write: it also locks the run's row
                raise RegistryError(f"Run {run.pk} was given up before it ended: its version is not registered.")
            return ModelVersion.objects.create(
                use_case=run.use_case,
                engine=run.engine,
                number=number,
                training_run=run,
                metrics=dict(metrics),
                config=dict(config),
                seed=seed,
                library_versions=dict(library_versions),
                dataset_fingerprint=dataset_fingerprint,
                size_bytes=size_bytes,
                data_read_at=data_read_at,
            )
    except IntegrityError:
        name = f"{run.engine}_v{number}"
        raise RegistryError(f"{run.use_case} {name} is registered already: train again for a new number.") from None


def next_number(use_case_key: str, engine: str, taken_names: Collection[str] = ()) -> int:
    """Return the number after every registered version and every folder in ``taken_names``."""
    registered = ModelVersion.objects.filter(use_case=use_case_key, engine=engine)
    numbers = [registered.aggregate(number=Max("number"))["number"] or 0]
    numbers += [number_of(engine, name) or 0 for name in taken_names]
    return max(numbers) + 1


def number_of(engine: str, name: str) -> int | None:
    """Return the number in a name like ``als_v3``; None if it names no version of the engine."""
    match = _NAME.fullmatch(name)
    return int(match["number"]) if match and match["engine"] == engine else None


def versions_beside(use_case_key: str, engines: Collection[str], dataset_fingerprint: str) -> dict[str, str]:
    """Return {engine key: version name}: the newest one trained from the same dataset, else the live one.

    Engines that have neither are left out, as are rejected and retired versions.
    """
    live = live_release(use_case_key)
    found = {member.engine: member.version.name for member in live.members.all()} if live else {}
    usable = ModelVersion.objects.filter(
        use_case=use_case_key,
        dataset_fingerprint=dataset_fingerprint,
        status__in=(ModelVersion.Status.CANDIDATE, ModelVersion.Status.READY),
    )
    found |= {version.engine: version.name for version in usable.order_by("number")}
    return {engine: name for engine, name in sorted(found.items()) if engine in engines}


def version_of_run(run: TrainingRun) -> ModelVersion | None:
    """Return the version that a run has published, None as long as there is none."""
    return ModelVersion.objects.filter(training_run=run, gone_at=None).order_by("-pk").first()


def find_version(use_case_key: str, name: str) -> ModelVersion:
    """Return the version of a name like ``als_v3``.

    Raises:
        RegistryError: there is none; the message names the newest that exist.
    """
    versions = ModelVersion.objects.filter(use_case=use_case_key)
    match = _NAME.fullmatch(name)
    version = match and versions.filter(engine=match["engine"], number=int(match["number"])).first()
    if version:
        return version
    newest = [version.name for version in versions.order_by("-pk")[:N_LISTED]]
    known = f"the newest are {', '.join(newest)}" if newest else "none is registered yet: run recommender_train"
    raise RegistryError(f"There is no version {name!r} of {use_case_key}; {known}.")
