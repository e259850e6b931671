"""The approximate index: built the same every time, kept only if it finds enough, stored beside the arrays."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from recommender_app.artifacts.arrays import sha256_of
from recommender_app.artifacts.opening import open_engine
from recommender_app.artifacts.store import ArtifactStore
from recommender_app.dataset.ids import IdMap
from recommender_app.engines.base import Engine
from recommender_app.engines.confidence import Confidence
from recommender_app.engines.factors import FactorEngine
from recommender_app.engines.index import ItemIndex
from recommender_app.engines.two_tower import TwoTowerEngine
from recommender_app.exceptions import ArtifactError, IndexRefused
from recommender_app.trainers.als import gramian_of
from recommender_app.trainers.index import BuiltIndex, build_index, fit_index, overlaps
from tests.core.artifact_toys import ROOT, contents, edit_manifest
from tests.core.fixed_towers import two_tower_of
from tests.core.toys import dataset_of, request, table

N, D = 6000, 16


def clustered(n: int, seed: int) -> np.ndarray:
    """Return (n, D) vectors around 40 directions."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(0).standard_normal((40, D))
    return (centres[rng.integers(0, 40, n)] + 0.4 * rng.standard_normal((n, D))).astype(np.float32)


ITEMS, USERS = clustered(N, 1), clustered(100, 2)


def engine(items: np.ndarray = ITEMS) -> FactorEngine:
    ones = np.ones(len(items), dtype=np.float32)
    return FactorEngine(items, gramian_of(items), ones, 0.1, Confidence(1.0, 0.0, 0.0))


@pytest.fixture(scope="module")
def built() -> BuiltIndex:
    return fit_index(engine(), USERS, None, seed=1)


@pytest.fixture
def folder(tmp_path: Path, built: BuiltIndex) -> Path:
    return ArtifactStore(tmp_path).publish("films", "als_v1", engine(), IdMap("int", np.arange(N)), index=built)


def test_the_same_seed_makes_the_same_bytes(tmp_path: Path, built: BuiltIndex) -> None:
    for name, seed in (("first", 1), ("again", 1), ("other", 2)):
        (built if name == "first" else fit_index(engine(), USERS, None, seed)).write(tmp_path / name)
    first, again, other = ((tmp_path / name).read_bytes() for name in ("first", "again", "other"))
    assert first == again
    assert first != other


def test_it_searches_a_part_and_finds_what_was_asked_for(built: BuiltIndex) -> None:
    assert built.recall >= 0.98
    assert 8 <= built.plan.nprobe < built.plan.nlist
    others = clustered(200, 3)
    found, _ = engine().with_index(ItemIndex(lambda: built.index, built.plan)).nearest(others, 100)
    assert overlaps(found, engine().nearest(others, 100)[0]).mean() >= 0.98


def test_more_recall_searches_more_and_all_of_it_searches_everything() -> None:
    rng = np.random.default_rng(7)
    items, users = (rng.standard_normal((n, D)).astype(np.float32) for n in (N, 50))
    plans = [fit_index(engine(items), users, None, 1, wanted).plan for wanted in (0.3, 0.7, 1.0)]
    assert plans[0].nprobe < plans[1].nprobe < plans[2].nprobe == plans[2].nlist
    assert [plan.is_exhaustive for plan in plans] == [False, False, True]


@pytest.mark.parametrize("scale", [1e-12, 1e6, 1e15])
def test_the_scale_of_the_factors_does_not_matter(scale: float) -> None:
    scaled = fit_index(engine(ITEMS * np.float32(scale)), USERS, None, 1)
    assert scaled.recall >= 0.98
    assert not scaled.plan.is_exhaustive


def test_items_that_half_precision_cannot_tell_apart_are_refused() -> None:
    alike = ITEMS[:1] * np.linspace(1, 1.0001, N, dtype=np.float32)[:, None]
    with pytest.raises(IndexRefused, match=r"of the best 100 items, 0\.98 is wanted"):
        fit_index(engine(alike), USERS, None, 1)


def test_an_index_that_nobody_can_measure_is_refused() -> None:
    with pytest.raises(IndexRefused, match="Only 19 users"):
        fit_index(engine(), USERS[:19], None, 1)


def test_it_is_measured_with_the_users_of_the_dataset() -> None:
    rng = np.random.default_rng(4)
    likes = [(user, item) for user in range(30) for item in rng.choice(N, 5, replace=False).tolist()]
    data = dataset_of(table(likes), n_users=32, n_items=N)
    found = build_index(engine(), data, seed=1)
    assert found.n_queries == 30, "two have no history"
    assert found.recall >= 0.98


def test_items_that_nobody_liked_are_not_in_it() -> None:
    degrees = np.where(np.arange(N) < 100, 0, 1).astype(np.float32)
    partly = FactorEngine(ITEMS, gramian_of(ITEMS), degrees, 0.1, Confidence(1.0, 0.0, 0.0))
    assert fit_index(partly, USERS, None, 1).index.ntotal == N - 100


def two_tower(n: int = N) -> TwoTowerEngine:
    """Return an engine whose items differ in their offsets as well; ten are unknown."""
    rng = np.random.default_rng(6)
    unit = ITEMS[:n] / np.linalg.norm(ITEMS[:n], axis=1, keepdims=True)
    unit[:10] = 0
    offsets = np.where(rng.random(n) < 0.3, np.float32(-0.4), np.float32(0))
    return two_tower_of(unit, offsets)


def test_cosines_with_offsets_go_through_an_index_too(tmp_path: Path) -> None:
    plain = two_tower()
    users = USERS / np.linalg.norm(USERS, axis=1, keepdims=True)
    exhaustive = fit_index(plain, users, None, 1, 1.0)
    quick = fit_index(plain, users, None, 1, 0.98)
    assert exhaustive.index.ntotal == N - 10
    assert quick.plan.nprobe < quick.plan.nlist
    ArtifactStore(tmp_path).publish("films", "two_tower_v1", plain, IdMap("int", np.arange(N)), index=exhaustive)
    opened = open_engine(tmp_path / "models/films/two_tower/two_tower_v1").engine
    batch = request({20: 1.0, 30: 2.0}, {4000: 1.0}, {}, n_items=N)
    rows, scores = opened.candidates(batch, 40)
    expected_rows, expected = plain.candidates(batch, 40)
    assert opened.has_index
    assert np.array_equal(rows, expected_rows)
    np.testing.assert_allclose(scores, expected, rtol=1e-5)


def test_a_published_index_is_described_and_used(folder: Path, built: BuiltIndex) -> None:
    opened = open_engine(folder)
    entry = opened.manifest.files["index"]
    file = folder / "index.faiss"
    assert (entry.file, entry.size, entry.sha256) == (file.name, file.stat().st_size, sha256_of(file))
    assert {"nlist", "nprobe", "recall", "recall_at", "n_queries", "build_seconds"} < entry.details.keys()
    assert entry.details["recall"] == round(built.recall, 4)
    assert opened.manifest.size_bytes == sum(path.stat().st_size for path in folder.glob("*[!n]"))
    assert file.stat().st_mode & 0o777 == 0o640
    assert opened.engine.has_index
    assert [found.id for found in opened.recommend({7: 1.0}, k=5)] == lists(engine(), {7: 1.0}, 5)[0]


def lists(asked: Engine, history: dict[int, float] | None = None, k: int = 20) -> list[list[int]]:
    """Return the list of one user, what the user has seen left out."""
    batch = request(history or {3: 1.0, 40: 2.0}, n_items=N)
    return asked.candidates(batch, k, batch.history)[0].tolist()


def harm(folder: Path, how: str) -> None:
    path = folder / "index.faiss"
    if how == "missing":
        path.unlink()
    elif how == "truncated":
        os.truncate(path, path.stat().st_size // 2)
    elif how == "a link":
        path.rename(folder / "real")
        path.symlink_to(folder / "real")
    else:
        whole = bytearray(path.read_bytes())
        whole[len(whole) // 2] ^= 1
        path.write_bytes(whole)


@pytest.mark.parametrize("how", ["missing", "truncated", "a link", "altered"])
def test_a_damaged_index_costs_speed_and_one_line(folder: Path, how: str, caplog: pytest.LogCaptureFixture) -> None:
    harm(folder, how)
    opened = open_engine(folder)
    assert lists(opened.engine) == lists(engine())
    assert not opened.engine.has_index
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "films als_v1 is not used, all items are scored instead" in caplog.text


def vouch(folder: Path, content: bytes) -> None:
    """Put other bytes into the index's place, with a manifest that vouches for them."""
    path = folder / "index.faiss"
    path.write_bytes(content)
    files = json.loads((folder / "manifest.json").read_text())["files"]
    files["index"] |= {"size": len(content), "sha256": sha256_of(path)}
    edit_manifest(folder, files=files)


@pytest.mark.parametrize("content", [b"", b"IwSq" + b"\0" * 40, b"no index at all" * 50])
def test_an_index_that_is_none_costs_one_line_however_often_it_is_asked(
    folder: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    vouch(folder, content)
    opened = open_engine(folder)
    assert not caplog.records
    for _ in range(3):
        assert lists(opened.engine) == lists(engine())
    assert len(caplog.records) == 1
    assert "films als_v1 is not used" in caplog.text


def test_a_manifest_that_does_not_say_how_to_search_leaves_the_index_out(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = json.loads((folder / "manifest.json").read_text())["files"]
    del files["index"]["details"]["nprobe"]
    edit_manifest(folder, files=files)
    assert not open_engine(folder).engine.has_index
    assert "does not say how to search" in caplog.text


def test_without_faiss_all_items_are_scored(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    opened = open_engine(folder)
    for _ in range(2):
        assert lists(opened.engine) == lists(engine())
    assert len(caplog.records) == 1


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, built: BuiltIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    import faiss

    def refuse(*_: object) -> None:
        raise RuntimeError("write error")

    monkeypatch.setattr(faiss, "write_index", refuse)
    with pytest.raises(ArtifactError, match="the index of 0 MB cannot be written"):
        ArtifactStore(tmp_path).publish("films", "als_v1", engine(), IdMap("int", np.arange(N)), index=built)
    assert contents(tmp_path) == {}


def test_many_threads_may_ask_at_once(folder: Path) -> None:
    asked = open_engine(folder).engine
    histories = [{number: 1.0, 3 * number: 2.0} for number in range(1, 40)]
    alone = [lists(asked, history) for history in histories]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(partial(lists, asked), histories)) == alone


PROGRAM = """
import os, sys
from pathlib import Path
from recommender_app.artifacts.opening import open_engine
from tests.core.toys import request
folder = Path(sys.argv[1])
def threads(): return len(os.listdir("/proc/self/task"))
def maps(): return [line.split()[1] for line in open("/proc/self/maps") if "index.faiss" in line]
batch = request({3: 1.0}, n_items=int(sys.argv[3]))
engine = open_engine(folder).engine
assert "faiss" not in sys.modules and not maps(), "opened before it was asked"
if "fork" in sys.argv: # the parent has asked before, as after a warm-up under --preload
    first = engine.candidates(batch, 20)[0].tolist()
n_threads = threads()
found = engine.candidates(batch, 20)[0].tolist()
assert "faiss" in sys.modules
assert threads() == n_threads, "a search started threads"
assert maps() and all(mode == "r--s" for mode in maps()), maps()
if "fork" in sys.argv:
    child = os.fork()
    if child == 0:
        same = engine.candidates(batch, 20)[0].tolist() == first
        os._exit(0 if same and engine.index._opened[0] == os.getpid() else 1)
    assert os.waitpid(child, 0)[1] == 0
print("done")
"""


@pytest.mark.parametrize("how", ["alone", "fork"])
def test_it_is_mapped_by_the_first_search_of_a_process_and_starts_no_thread(folder: Path, how: str) -> None:
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", PROGRAM, str(folder), how, str(N)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout == "done\n", done.stderr
