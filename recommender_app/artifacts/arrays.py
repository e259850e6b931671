"""Plain arrays on disk: one ``.npy`` each, never pickle, memory-mapped to read."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender_app.artifacts.manifest import ArrayEntry, FileEntry
from recommender_app.exceptions import ArtifactDamaged, ArtifactError

FILE_MODE = 0o640
_CHUNK_BYTES = 1 << 20
_STORABLE_KINDS = "biufSU"


def write_array(folder: Path, name: str, array: NDArray[Any]) -> ArrayEntry:
    """Write one array as ``<name>.npy`` and return its entry.

    Raises:
        ArtifactError: the array holds Python objects.
        OSError: the disk refuses.
    """
    if array.dtype.kind not in _STORABLE_KINDS:
        raise ArtifactError(f"Array {name!r} of {array.dtype} cannot be stored: use numbers or fixed-size text.")
    array = np.ascontiguousarray(array).reshape(array.shape)  # a 0-d array stays one
    path = folder / f"{name}.npy"
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
        file.write(array.reshape(-1).view(np.uint8).data)  # ndarray.tofile would not say why the disk refuses
    path.chmod(FILE_MODE)
    return ArrayEntry(path.name, array.dtype.str, array.shape, path.stat().st_size, sha256_of(path))


def open_array(folder: Path, name: str, entry: ArrayEntry) -> NDArray[Any]:
    """Map one array after checking size, checksum, dtype and shape; read-only.

    Raises:
        ArtifactDamaged: the file is missing, altered, or not what its entry says.
    """
    path = folder / entry.file
    check_file(path, entry)
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError:
        array = _open_empty(path, name)
    if array.dtype.str != entry.dtype or array.shape != entry.shape:
        raise ArtifactDamaged(f"Array {name!r} is {array.dtype.str} {array.shape}, not what the manifest says.")
    return array


def sha256_of(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def check_file(path: Path, entry: ArrayEntry | FileEntry) -> None:
    """Raise ArtifactDamaged unless the file is there, whole and unaltered."""
    if path.is_symlink() or not path.is_file():
        raise ArtifactDamaged(f"There is no file {entry.file}.")
    size = path.stat().st_size
    if size != entry.size:
        raise ArtifactDamaged(f"{entry.file} has {size} bytes instead of {entry.size}.")
    if sha256_of(path) != entry.sha256:
        raise ArtifactDamaged(f"{entry.file} was altered: its checksum differs from the manifest's.")


def _open_empty(path: Path, name: str) -> NDArray[Any]:
    """An empty array cannot be mapped: read it; anything else that cannot be mapped is damaged."""
    try:
        with path.open("rb") as file:
            version = np.lib.format.read_magic(file)
            header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, _, dtype = header(file)
    except ValueError as error:
        raise ArtifactDamaged(f"Array {name!r} is no readable .npy file.") from error
    if dtype.hasobject or 0 not in shape:
        raise ArtifactDamaged(f"Array {name!r} cannot be mapped: its header does not fit its file.")
    return np.empty(shape, dtype=dtype)
