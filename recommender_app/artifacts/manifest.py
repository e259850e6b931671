"""What an artifact folder says about itself."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from recommender_app.exceptions import ArtifactDamaged, ArtifactError, ArtifactTooNew

FORMAT_VERSION = 2  # what is written
OLDEST_FORMAT = 1  # what is still read: 2 has added data_as_of and files
FILE_NAME = "manifest.json"
ITEM_IDS = "item_ids"
INDEX = "index"
_FILE = re.compile(r"[a-z0-9_]{1,64}\.npy")
_OTHER_FILE = re.compile(r"[a-z0-9_]{1,64}\.faiss")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_KINDS: dict[str, type] = {
    "engine": str,
    "use_case": str,
    "version": str,
    "created_at": str,
    "id_kind": str,
    "n_items": int,
    "arrays": dict,
    "config": dict,
    "seed": int,
    "library_versions": dict,
    "dataset_fingerprint": str,
    "metrics": dict,
    "format_version": int,
    "data_as_of": str,
    "files": dict,
}
_ADDED = {"data_as_of": "", "files": {}}  # what an older manifest does not say


@dataclass(frozen=True)
class ArrayEntry:
    """One stored array: file name, numpy dtype string, shape, size in bytes, SHA-256 of the file."""

    file: str
    dtype: str
    shape: tuple[int, ...]
    size: int
    sha256: str

    @classmethod
    def from_json(cls, name: str, values: Any) -> Self:
        """Build from parsed JSON.

        Raises:
            ArtifactDamaged: a field is missing or not what it must be.
        """
        try:
            entry = cls(**{**values, "shape": tuple(values["shape"])})
        except (TypeError, KeyError) as error:
            raise ArtifactDamaged(f"The manifest's entry of array {name!r} is incomplete.") from error
        are_sizes = all(type(size) is int and size >= 0 for size in (*entry.shape, entry.size))
        is_sound = are_sizes and isinstance(entry.dtype, str)
        if not is_sound or not _matches(_FILE, entry.file) or not _matches(_SHA256, entry.sha256):
            raise ArtifactDamaged(f"The manifest's entry of array {name!r} is not valid.")
        return entry


@dataclass(frozen=True)
class FileEntry:
    """A stored file that is no array, which the engine can do without: name, bytes, SHA-256, and what to know of it."""

    file: str
    size: int
    sha256: str
    details: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, name: str, values: Any) -> Self:
        """Build from parsed JSON.

        Raises:
            ArtifactDamaged: a field is missing or not what it must be.
        """
        try:
            entry = cls(**values)
        except TypeError as error:
            raise ArtifactDamaged(f"The manifest's entry of file {name!r} is incomplete.") from error
        is_sound = type(entry.size) is int and entry.size >= 0 and isinstance(entry.details, dict)
        if not is_sound or not _matches(_OTHER_FILE, entry.file) or not _matches(_SHA256, entry.sha256):
            raise ArtifactDamaged(f"The manifest's entry of file {name!r} is not valid.")
        return entry


@dataclass(frozen=True)
class Manifest:
    """Description of one artifact.

    Attributes:
        engine, use_case, version: its names.
        created_at: ISO 8601, UTC.
        id_kind: int, uuid or str.
        n_items: size of the item row space.
        arrays: array name -> entry; ``item_ids`` is always among them.
        config, seed, library_versions, dataset_fingerprint, metrics: how it came to be.
        data_as_of: ISO 8601, UTC: what the host changed later is not in it; "" = unknown.
        files: name -> entry of what is no array (``index``).
    """

    engine: str
    use_case: str
    version: str
    created_at: str
    id_kind: str
    n_items: int
    arrays: Mapping[str, ArrayEntry]
    config: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    library_versions: Mapping[str, str] = field(default_factory=dict)
    dataset_fingerprint: str = ""
    metrics: Mapping[str, Any] = field(default_factory=dict)
    format_version: int = FORMAT_VERSION
    data_as_of: str = ""
    files: Mapping[str, FileEntry] = field(default_factory=dict)

    @property
    def knows_until(self) -> datetime:
        """The moment up to which the engine can know the host's items."""
        return moment(self.data_as_of) or moment(self.created_at) or datetime.fromtimestamp(0, UTC)

    def to_json(self) -> str:
        """Return the file's text; equal manifests give equal text.

        Raises:
            ArtifactError: a value that JSON cannot hold, NaN and infinity among them.
        """
        try:
            return json.dumps(dataclasses.asdict(self), indent=1, sort_keys=True, allow_nan=False) + "\n"
        except (TypeError, ValueError) as error:
            raise ArtifactError(f"The config or metrics cannot be stored as JSON: {error}.") from error

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Parse the file's text.

        Raises:
            ArtifactTooNew: of a format that only newer code reads.
            ArtifactDamaged: not JSON, of no format version, or a field is missing or wrong.
        """
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:  # RecursionError: absurdly nested lists
            raise ArtifactDamaged("The manifest is not JSON.") from error
        found = values.get("format_version") if isinstance(values, dict) else None
        if type(found) is not int or found < OLDEST_FORMAT:
            raise ArtifactDamaged(f"The manifest is of no format version from {OLDEST_FORMAT} to {FORMAT_VERSION}.")
        if found > FORMAT_VERSION:
            raise ArtifactTooNew(
                f"Its format version {found} is newer than {FORMAT_VERSION}: update the app here first."
            )
        return cls(**_checked({**_ADDED, **values} if found < FORMAT_VERSION else values))

    @property
    def size_bytes(self) -> int:
        """Bytes of all arrays and other files on disk."""
        arrays = sum(entry.size for entry in self.arrays.values())
        return arrays + sum(entry.size for entry in self.files.values())


def _checked(values: dict[str, Any]) -> dict[str, Any]:
    for name, kind in _KINDS.items():
        if type(values.get(name)) is not kind:
            raise ArtifactDamaged(f"The manifest's {name!r} is missing or not of type {kind.__name__}.")
    unknown = set(values) - set(_KINDS)
    if unknown:
        raise ArtifactDamaged(f"The manifest has unknown fields: {', '.join(sorted(unknown))}.")
    if ITEM_IDS not in values["arrays"]:
        raise ArtifactDamaged("The manifest lists no item ids.")
    arrays = {name: ArrayEntry.from_json(name, entry) for name, entry in values["arrays"].items()}
    files = {name: FileEntry.from_json(name, entry) for name, entry in values["files"].items()}
    return {**values, "arrays": arrays, "files": files}


def moment(text: str) -> datetime | None:
    """Parse an ISO 8601 time, which is UTC unless it says otherwise; None where it is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _matches(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and bool(pattern.fullmatch(value))
