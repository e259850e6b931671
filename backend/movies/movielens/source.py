"""Where the files are: a folder, a zip, a wheel, or a package index to fetch the wheel from."""

import subprocess
import sys
import zipfile
from pathlib import Path

from backend.movies.movielens import official, recbole
from backend.movies.movielens.records import MovieLens, MovieLensError

WHEEL = "recbole==1.2.1"
WHEEL_PATTERN = "recbole-1.2.1-*.whl"
DOWNLOAD_SECONDS = 300
HOW_TO = "Give the official files with --source (the ml-100k folder or ml-100k.zip), or a recbole 1.2.1 wheel."

_READERS = ((official.FILES, official.read_official), (recbole.FILES, recbole.read_recbole))


def read_movielens(path: Path) -> MovieLens:
    """Read the data set from the official folder or zip, a recbole wheel, or a folder with either.

    Raises:
        MovieLensError: nothing is there, or not what was expected.
    """
    if not path.exists():
        raise MovieLensError(f"There is no {path}. {HOW_TO}")
    for names, read in _READERS:
        try:
            files = _zipped(path, names) if path.is_file() else _in_folder(path, names)
            if files is not None:
                return read(files)
        except (zipfile.BadZipFile, OSError, ValueError, IndexError) as error:
            raise MovieLensError(f"{path} cannot be read as MovieLens-100k ({error}). {HOW_TO}") from error
    wheel = cached_wheel(path)
    if wheel is not None:
        return read_movielens(wheel)
    raise MovieLensError(f"{path} holds no MovieLens-100k files. {HOW_TO}")


def fetch_wheel(folder: Path) -> Path:
    """Return the recbole wheel in ``folder``; download it with pip if it is not there.

    Raises:
        MovieLensError: pip cannot get it.
    """
    wheel = cached_wheel(folder)
    if wheel is None:
        _download(folder)
        wheel = cached_wheel(folder)
    if wheel is None:
        raise MovieLensError(f"pip brought no wheel of {WHEEL} into {folder}. {HOW_TO}")
    return wheel


def cached_wheel(folder: Path) -> Path | None:
    """Return the recbole wheel in a folder, None if there is none."""
    return next(iter(sorted(folder.glob(WHEEL_PATTERN))), None) if folder.is_dir() else None


def _download(folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary=:all:", "--dest", str(folder), WHEEL]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS)  # noqa: S603
    except subprocess.CalledProcessError as error:
        reason = (error.stderr.strip().splitlines() or ["pip failed"])[-1]
        raise MovieLensError(f"{WHEEL} cannot be downloaded ({reason}). {HOW_TO}") from error
    except (subprocess.TimeoutExpired, OSError) as error:
        raise MovieLensError(f"{WHEEL} cannot be downloaded ({error}). {HOW_TO}") from error


def _in_folder(folder: Path, names: tuple[str, ...]) -> dict[str, bytes] | None:
    for place in (folder, folder / "ml-100k"):
        if all((place / name).is_file() for name in names):
            return {name: (place / name).read_bytes() for name in names}
    return None


def _zipped(path: Path, names: tuple[str, ...]) -> dict[str, bytes] | None:
    with zipfile.ZipFile(path) as archive:
        entries = {Path(entry).name: entry for entry in archive.namelist()}
        if not set(names) <= set(entries):
            return None
        return {name: archive.read(entries[name]) for name in names}
