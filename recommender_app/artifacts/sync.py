"""Artifacts on other hosts: copied to a remote place and back, whole or not at all.

A version counts as there once its manifest is: it is sent last, fetched first, and deleted first.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from recommender_app.artifacts.arrays import FILE_MODE, check_file
from recommender_app.artifacts.manifest import FILE_NAME, ArrayEntry, FileEntry, Manifest
from recommender_app.artifacts.opening import MAX_MANIFEST_BYTES, open_folder, read_manifest
from recommender_app.artifacts.paths import MODELS, checked_name, version_folder
from recommender_app.artifacts.store import check_free_space
from recommender_app.dataset.staging import publish_folder, staging_folder
from recommender_app.exceptions import ArtifactDamaged, ArtifactError

NOT_STORED = "no such file is stored; recommender_sync on a host that has it sends it"


class Remote(Protocol):
    """A place for files, by names with slashes. Whatever goes wrong there is an ArtifactError."""

    def exists(self, name: str) -> bool:
        """Tell whether there is a file of this name."""

    def chunks(self, name: str) -> Generator[bytes]:
        """Yield a file in pieces."""

    def save(self, name: str, content: BinaryIO) -> None:
        """Store a file in the place of any of the same name."""

    def delete(self, name: str) -> None:
        """Remove a file, if there is one."""


def is_remote(remote: Remote, use_case: str, engine: str, version: str) -> bool:
    """Tell whether a version is there."""
    return remote.exists(f"{remote_folder(use_case, engine, version)}/{FILE_NAME}")


def push(remote: Remote, root: Path, use_case: str, engine: str, version: str) -> None:
    """Copy a version to the remote place; one that was sent in part before is sent again.

    Raises:
        ArtifactError: the version is missing or damaged here, or the remote place refuses.
    """
    folder = version_folder(root, use_case, engine, version)
    manifest = read_manifest(folder, version)
    place = remote_folder(use_case, engine, version)
    for entry in _entries(manifest):
        check_file(folder / entry.file, entry)
    for name in [*(entry.file for entry in _entries(manifest)), FILE_NAME]:
        with (folder / name).open("rb") as content:
            remote.save(f"{place}/{name}", content)


def pull(remote: Remote, root: Path, use_case: str, engine: str, version: str) -> bool:
    """Copy a version from the remote place: staged, every checksum compared, opened, renamed into place.

    Returns:
        False if it is here already.

    Raises:
        ArtifactTooNew: it is of a format that only newer code reads.
        ArtifactDamaged: a file is missing, longer or other than its manifest says, or the
            manifest is not this version's.
        ArtifactError: the remote place or the disk refuses, or the disk is too full.
    """
    folder = version_folder(root, use_case, engine, version)
    if folder.exists():
        return False
    place = remote_folder(use_case, engine, version)
    with staging_folder(folder.parent, ArtifactError) as staging:
        _copy(remote, f"{place}/{FILE_NAME}", staging / FILE_NAME, MAX_MANIFEST_BYTES)
        manifest = read_manifest(staging, version)
        found = (manifest.use_case, manifest.engine, manifest.version)
        if found != (use_case, engine, version):
            raise ArtifactDamaged(f"What is stored as {use_case} {version} is {' '.join(found)}.")
        check_free_space(staging, manifest.size_bytes)
        for entry in _entries(manifest):
            _copy(remote, f"{place}/{entry.file}", staging / entry.file, entry.size)
            check_file(staging / entry.file, entry)
        open_folder(staging, f"The stored {version}")
        return publish_folder(staging, folder)


def delete_remote(remote: Remote, use_case: str, engine: str, version: str, files: Iterable[str]) -> None:
    """Delete a version; the manifest first, so that nobody begins to fetch what is half gone."""
    place = remote_folder(use_case, engine, version)
    for name in [FILE_NAME, *files]:
        remote.delete(f"{place}/{name}")


def remote_files(remote: Remote, use_case: str, engine: str, version: str) -> list[str]:
    """Return the names of a remote version's files, without the manifest; none if that is not readable."""
    name = f"{remote_folder(use_case, engine, version)}/{FILE_NAME}"
    try:
        manifest = Manifest.from_json(b"".join(_bounded(remote, name, MAX_MANIFEST_BYTES)).decode("utf-8", "replace"))
    except ArtifactError:
        return []
    return [entry.file for entry in _entries(manifest)]


def remote_folder(use_case: str, engine: str, version: str) -> str:
    """Return ``models/<use case>/<engine>/<version>``; raises ArtifactError for a name that is no plain word."""
    return "/".join((MODELS, checked_name(use_case), checked_name(engine), checked_name(version)))


@contextmanager
def refusals(name: str) -> Iterator[None]:
    """Turn whatever a storage raises into one line: each library has errors of its own."""
    try:
        yield
    except ArtifactError:
        raise
    except Exception as error:
        is_absent = isinstance(error, FileNotFoundError)
        reason = NOT_STORED if is_absent else " ".join(str(error).split()) or type(error).__name__
        raise ArtifactError(f"The storage refuses {name}: {reason}.") from error


def _entries(manifest: Manifest) -> Iterator[ArrayEntry | FileEntry]:
    """Yield the entries of all files; their names are plain, or the manifest would not have been read."""
    yield from manifest.arrays.values()
    yield from manifest.files.values()


def _copy(remote: Remote, name: str, place: Path, most_bytes: int) -> None:
    with place.open("wb") as file:
        for chunk in _bounded(remote, name, most_bytes):
            file.write(chunk)
    place.chmod(FILE_MODE)


def _bounded(remote: Remote, name: str, most_bytes: int) -> Iterator[bytes]:
    n_bytes = 0
    with closing(remote.chunks(name)) as chunks:
        for chunk in chunks:
            n_bytes += len(chunk)
            if n_bytes > most_bytes:
                raise ArtifactDamaged(f"{name} is larger than the {most_bytes} bytes that it may have.")
            yield chunk
