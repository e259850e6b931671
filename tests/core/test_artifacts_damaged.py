"""Whatever is wrong with a folder, one line says so; nothing runs, nothing is allocated."""

import io
import json
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

from recommender_app.artifacts.opening import open_engine
from recommender_app.artifacts.store import ArtifactStore
from recommender_app.exceptions import ArtifactDamaged, ArtifactError, ArtifactMissing
from tests.core.artifact_toys import ROOT, edit_manifest, npy, publish_popular, replace_array, two_tastes

POPULAR_FILES = ("counts.npy", "item_ids.npy", "manifest.json")


@pytest.fixture
def folder(tmp_path):
    return publish_popular(tmp_path)


def refusal(folder) -> str:
    """Return why a folder is not opened; it must be one line that names the version."""
    with pytest.raises(ArtifactDamaged) as caught:
        open_engine(folder)
    message = str(caught.value)
    assert message.startswith(folder.name)
    assert len(message.splitlines()) == 1
    return message


@pytest.mark.parametrize("kept", [lambda size: 0, lambda size: 1, lambda size: size // 2, lambda size: size - 1])
@pytest.mark.parametrize("name", POPULAR_FILES)
def test_a_truncated_file_is_noticed(folder, name, kept):
    size = (folder / name).stat().st_size
    if name == "manifest.json" and kept(size) == size - 1:
        kept = lambda size: size - 2  # noqa: E731  the last byte is only a newline
    os.truncate(folder / name, kept(size))

    refusal(folder)


def test_one_flipped_bit_anywhere_in_any_array_is_noticed(tmp_path):
    folder = ArtifactStore(tmp_path).publish("films", "als_v1", *two_tastes())
    for path in folder.glob("*.npy"):
        whole = path.read_bytes()
        for place in {0, 7, len(whole) // 2, len(whole) - 1}:
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            assert "altered" in refusal(folder)
        path.write_bytes(whole)
    assert open_engine(folder).manifest.n_items == 6


@pytest.mark.parametrize("name", POPULAR_FILES)
def test_a_missing_file_is_noticed(folder, name):
    (folder / name).unlink()

    refusal(folder)


@pytest.mark.parametrize("name", POPULAR_FILES)
def test_a_link_or_a_pipe_in_place_of_a_file_is_refused(folder, name):
    path = folder / name
    path.rename(folder / "real")
    path.symlink_to(folder / "real")
    refusal(folder)
    path.unlink()
    os.mkfifo(path)
    refusal(folder)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "1", "[" * 100_000, '{"format_version": 1}', "\x00", '{"format_version": 3}']
)
def test_a_manifest_that_is_none_is_refused(folder, text):
    (folder / "manifest.json").write_text(text)

    refusal(folder)


def test_a_manifest_in_another_encoding_or_of_absurd_size_is_refused(folder):
    (folder / "manifest.json").write_bytes(b"\xff\xfe{}")
    refusal(folder)
    (folder / "manifest.json").write_bytes(b" " * 5_000_000)
    assert "larger" in refusal(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"format_version": 3},
        {"format_version": 0},
        {"format_version": True},
        {"n_items": "5"},
        {"n_items": 4},
        {"n_items": -5},
        {"id_kind": "uuid"},
        {"id_kind": "float"},
        {"engine": "os.system"},
        {"engine": None},
        {"engine": "als"},
        {"metrics": []},
        {"seed": 1.5},
        {"arrays": {}},
        {"arrays": {"item_ids": None}},
        {"files": []},
        {"files": {"index": None}},
        {"files": {"index": {"file": "../index.faiss", "size": 1, "sha256": "0" * 64}}},
        {"files": {"index": {"file": "index.faiss", "size": -1, "sha256": "0" * 64}}},
        {"recommend": "surprise"},
    ],
    ids=str,
)
def test_a_manifest_with_a_wrong_field_is_refused(folder, change):
    edit_manifest(folder, **change)

    refusal(folder)


@pytest.mark.parametrize("name", ["version", "created_at", "arrays", "config", "dataset_fingerprint"])
def test_a_manifest_without_a_field_is_refused(folder, name):
    path = folder / "manifest.json"
    values = json.loads(path.read_text())
    del values[name]
    path.write_text(json.dumps(values))

    assert name in refusal(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"shape": [6]},
        {"shape": [5, 1]},
        {"shape": [-5]},
        {"shape": [True]},
        {"shape": "5"},
        {"dtype": "<f8"},
        {"dtype": 4},
        {"size": 1},
        {"size": "148"},
        {"sha256": "0" * 64},
        {"sha256": None},
        {"file": "../popular_v1/counts.npy"},
        {"file": "/etc/passwd"},
        {"extra": 1},
    ],
    ids=str,
)
def test_an_entry_that_does_not_fit_its_file_is_refused(folder, change):
    arrays = json.loads((folder / "manifest.json").read_text())["arrays"]
    arrays["counts"] |= change
    edit_manifest(folder, arrays=arrays)

    assert "counts" in refusal(folder)


def test_a_planted_pickle_never_runs(folder, tmp_path):
    class Payload:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'ran'}",)

    planted = np.empty(5, dtype=object)
    planted[:] = [Payload()] * 5
    as_object_array = io.BytesIO()
    np.save(as_object_array, planted, allow_pickle=True)
    vouched = {"dtype": "|O", "shape": [5]}
    for content in (as_object_array.getvalue(), pickle.dumps(Payload()), b"\x80\x04" + pickle.dumps(Payload())):
        replace_array(folder, "counts", content, **vouched)
        refusal(folder)
        replace_array(folder, "counts", content, dtype="<f4")
        refusal(folder)

    assert not (tmp_path / "ran").exists()
    pickle.loads(pickle.dumps(Payload()))  # the payload is sharp
    assert (tmp_path / "ran").exists()


LIES = {
    "more than the file holds": {"descr": "<f4", "fortran_order": False, "shape": (100_000_000_000,)},
    "an empty array of endless rows": {"descr": "<f4", "fortran_order": False, "shape": (2**60, 0)},
    "one enormous string": {"descr": "<U100000000000", "fortran_order": False, "shape": (0,)},
    "too large for an integer": {"descr": "<f4", "fortran_order": False, "shape": (2**70, 0)},
    "objects in an empty array": {"descr": "|O", "fortran_order": False, "shape": (0,)},
    "not a description": {"descr": "__import__('os')", "fortran_order": False, "shape": (5,)},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_header_that_lies_allocates_nothing(folder, lie):
    header = LIES[lie]
    replace_array(folder, "counts", npy(header, b"\0" * 20), dtype=header["descr"], shape=list(header["shape"]))
    program = (
        "import resource\n"
        "from recommender_app.artifacts.opening import open_engine\n"
        "from recommender_app.exceptions import ArtifactDamaged\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2_000_000_000, 2_000_000_000))\n"
        f"try: open_engine({str(folder)!r})\n"
        "except ArtifactDamaged as error: print('refused:', error)\n"
    )

    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)

    assert done.stdout.startswith("refused: popular_v1"), done


def test_ids_that_do_not_fit_the_rows_are_refused(folder):
    shorter = io.BytesIO()
    np.save(shorter, np.array([1, 2, 3]))
    replace_array(folder, "item_ids", shorter.getvalue(), shape=[3])

    assert "3 ids, 5 engine rows" in refusal(folder)


def test_ids_out_of_order_are_refused(folder):
    mixed = io.BytesIO()
    np.save(mixed, np.array([2, 1, 3, 4, 5]))
    replace_array(folder, "item_ids", mixed.getvalue())

    assert "increasing" in refusal(folder)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_factors_that_are_not_finite_are_refused(tmp_path, value):
    folder = ArtifactStore(tmp_path).publish("films", "als_v1", *two_tastes())
    factors = np.array(np.load(folder / "item_factors.npy"))
    factors[3, 1] = value
    stored = io.BytesIO()
    np.save(stored, factors)
    replace_array(folder, "item_factors", stored.getvalue())

    assert "NaN or infinity" in refusal(folder)


def test_a_folder_that_is_not_there_is_missing(tmp_path):
    with pytest.raises(ArtifactMissing, match="popular_v9"):
        open_engine(tmp_path / "popular_v9")
    (tmp_path / "file").touch()
    with pytest.raises(ArtifactMissing):
        open_engine(tmp_path / "file")


def test_a_version_in_the_place_of_another_is_refused(tmp_path, folder):
    folder.rename(folder.with_name("popular_v2"))

    with pytest.raises(ArtifactError, match="moved"):
        ArtifactStore(tmp_path).open("films", "popular", "popular_v2")
