"""ARTIFACT_STORAGE: the Django storage that the hosts of a site have their artifacts from. Never asked by a request."""

from __future__ import annotations

import logging
from collections.abc import Generator
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings as django_settings
from django.core.files import File
from django.core.files.storage import Storage, storages
from django.utils.module_loading import import_string

from recommender_app.artifacts import sync
from recommender_app.artifacts.sync import refusals
from recommender_app.conf import settings
from recommender_app.exceptions import ArtifactError, ConfigurationError

logger = logging.getLogger(__name__)

_CHUNK_BYTES = 1 << 20


class StorageRemote:
    """A Django storage as ``artifacts.sync`` sees it."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def exists(self, name: str) -> bool:
        """Tell whether there is a file of this name."""
        with refusals(name):
            return bool(self._storage.exists(name))

    def chunks(self, name: str) -> Generator[bytes]:
        """Yield a file in pieces."""
        with refusals(name), self._storage.open(name, "rb") as file:
            yield from file.chunks(_CHUNK_BYTES)

    def save(self, name: str, content: BinaryIO) -> None:
        """Store a file in the place of any of the same name."""
        with refusals(name):
            self._storage.delete(name)  # most storages would give a second one another name
            written = self._storage.save(name, File(content))
        if Path(written).as_posix() != name:
            self.delete(written)
            raise ArtifactError(f"The storage has kept {name} under another name, {written}: let it keep names.")

    def delete(self, name: str) -> None:
        """Remove a file, if there is one."""
        with refusals(name):
            self._storage.delete(name)


def artifact_storage() -> StorageRemote | None:
    """Return what ARTIFACT_STORAGE names; None where all hosts see one folder.

    Raises:
        ConfigurationError: there is no such storage.
    """
    named = settings.ARTIFACT_STORAGE
    if named is None:
        return None
    if named in django_settings.STORAGES:
        return StorageRemote(storages[named])
    try:
        found: Any = import_string(named)
    except ImportError as error:
        raise ConfigurationError(f"ARTIFACT_STORAGE {named!r} is neither in STORAGES nor a class: {error}.") from error
    return StorageRemote(found() if isinstance(found, type) else found)


def is_stored(use_case: str, engine: str, name: str) -> bool:
    """Tell whether other hosts can have a version; True where they see the same folder."""
    remote = artifact_storage()
    return remote is None or sync.is_remote(remote, use_case, engine, name)


def store(use_case: str, engine: str, name: str) -> bool:
    """Send a version from this host; False, with a line in the log, if the storage refuses: it can be sent later."""
    remote = artifact_storage()
    try:
        if remote is not None:
            sync.push(remote, settings.artifact_root, use_case, engine, name)
    except ArtifactError as error:
        logger.warning("%s %s is not stored yet, recommender_sync tries again: %s", use_case, name, error)
        return False
    return True


def fetch(use_case: str, engine: str, name: str) -> bool:
    """Have a version on this host; False where nothing was fetched: it is here already, or hosts see one folder.

    Raises:
        ArtifactError: it is not stored, damaged there, or storage or disk refuse.
    """
    remote = artifact_storage()
    return remote is not None and sync.pull(remote, settings.artifact_root, use_case, engine, name)


def delete(use_case: str, engine: str, name: str) -> None:
    """Remove a version from the storage, if there is one; a storage that refuses is logged."""
    remote = artifact_storage()
    try:
        if remote is not None:
            sync.delete_remote(remote, use_case, engine, name, sync.remote_files(remote, use_case, engine, name))
    except ArtifactError as error:
        logger.warning("%s %s stays in the storage: %s", use_case, name, error)
