"""A disk that refuses, fills up, or a process that dies: never half a version."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections import namedtuple
from pathlib import Path

import pytest

from recommender_app.artifacts import store as store_module
from recommender_app.artifacts.opening import open_engine
from recommender_app.artifacts.store import ArtifactStore
from recommender_app.exceptions import ArtifactDamaged, ArtifactError
from tests.core.artifact_toys import ROOT, contents, publish_popular

NOBODY = 65_534


@pytest.fixture
def open_folder():
    """A folder that any account may pass through; pytest's own are the owner's alone."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@contextlib.contextmanager
def plain_account():
    """Permissions do not hold root back: stand in another's shoes."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


def run(program: str, *arguments: str) -> str:
    """Run a program in a process of its own; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("mode", [0o555, 0o000])
def test_an_unwritable_root_is_named_with_what_to_do(open_folder, mode):
    root = open_folder / "root"
    root.mkdir()
    root.chmod(mode)

    with plain_account():
        with pytest.raises(ArtifactError, match=r"root.*Permission denied\..*this process"):
            publish_popular(root)
        with pytest.raises(ArtifactError, match="Permission denied"):
            ArtifactStore(root).check_writable("films", "popular")

    root.chmod(0o755)
    assert not any(root.iterdir())


def test_a_root_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("mine")

    with pytest.raises(ArtifactError, match="ARTIFACT_ROOT"):
        publish_popular(tmp_path / "file")

    assert contents(tmp_path) == {"file": b"mine"}


def test_a_folder_that_may_not_be_read_is_damaged_not_a_crash(open_folder):
    folder = publish_popular(open_folder)
    for path in [*open_folder.rglob("*")]:
        path.chmod(0o755)
    for place in (folder / "counts.npy", folder / "manifest.json", folder, folder.parent):
        place.chmod(0o000)
        with plain_account(), pytest.raises(ArtifactDamaged, match="popular_v1"):
            open_engine(folder)
        place.chmod(0o755)


def test_a_writable_root_stays_empty_after_the_check(tmp_path):
    ArtifactStore(tmp_path / "new").check_writable("films", "popular")

    assert not any(tmp_path.iterdir())


def test_a_disk_that_fills_up_leaves_nothing_behind(tmp_path):
    before = contents(publish_popular(tmp_path))
    program = f"""
import resource
from pathlib import Path
from recommender_app.exceptions import ArtifactError
from tests.core.artifact_toys import publish_popular
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try: publish_popular(Path({str(tmp_path)!r}), "popular_v2", n=200_000)
except ArtifactError as error: print(error)
"""

    message = run(program)

    assert "File too large. Make room on the disk" in message
    assert len(message.splitlines()) == 1
    (folder,) = (tmp_path / "models/films/popular").iterdir()
    assert contents(folder) == before


def test_space_is_counted_before_anything_is_written(tmp_path, monkeypatch):
    usage = namedtuple("Usage", ["free"])
    monkeypatch.setattr(store_module.shutil, "disk_usage", lambda folder: usage(79))

    with pytest.raises(ArtifactError, match="make room first"):
        publish_popular(tmp_path)

    assert not any(tmp_path.iterdir())


def test_of_two_publishers_of_one_version_one_wins(tmp_path, monkeypatch):
    place = tmp_path / "models/films/popular/popular_v1"
    original = store_module.open_folder

    def slow(staging, name):
        if not place.exists():  # while the first is busy checking, the second publishes
            place.mkdir()
            (place / "other").touch()
        return original(staging, name)

    monkeypatch.setattr(store_module, "open_folder", slow)
    with pytest.raises(ArtifactError, match="somebody else"):
        publish_popular(tmp_path)

    assert [path.name for path in place.parent.iterdir()] == ["popular_v1"]
    assert [path.name for path in place.iterdir()] == ["other"]


KILLER = """
import os, random, signal, sys, time
from pathlib import Path
from tests.core.artifact_toys import publish_popular

def publish(number):
    publish_popular(Path(sys.argv[1]), f"popular_v{number}", n=20_000)

rng = random.Random(5)
started = time.monotonic()
publish(0)
publish(1)
usual_seconds = (time.monotonic() - started) / 2
for attempt in range(1, 61):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        for number in range(1_000):
            publish(1_000 * attempt + number)
            os.write(writer, b".")
    for _ in range(attempt % 3):
        os.read(reader, 1)  # so many are finished, whatever the machine is busy with
    time.sleep(rng.uniform(0, usual_seconds))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(reader)
    os.close(writer)
"""


def test_whenever_a_publisher_is_killed_every_visible_version_opens(tmp_path):
    run(KILLER, str(tmp_path))
    store = ArtifactStore(tmp_path)

    versions = store.versions("films", "popular")
    assert len(versions) >= 2 + 60
    for version in versions:
        assert store.open("films", "popular", version).manifest.n_items == 20_000
    store.remove_stale_staging(older_than_seconds=-1)
    assert {path.name for path in (tmp_path / "models/films/popular").iterdir()} == set(versions)
