"""Rows 5 to 11: artifacts that are damaged, lie or carry code are refused, and the release before serves."""

import json
import os
import pickle
import shutil
import zipfile

import numpy as np
import pytest

from recommender_app.exceptions import ArtifactError
from recommender_app.models import ModelVersion
from recommender_app.registry.releases import promote
from recommender_app.serving import live
from recommender_app.serving.health import health
from recommender_app.usecases.site import get_use_case
from tests.app import library
from tests.core.artifact_toys import edit_manifest, npy, replace_array
from tests.faults.artifacts import ask, folder_of, put_als_live

pytestmark = pytest.mark.django_db


def check_refused(client, books, reader, damage, says):
    """A release is live whose ALS was damaged: the one before serves, health tells, nobody can promote it."""
    put_als_live(1, books)
    assert ask(client, reader)["model_version"] == "als_v1"
    library.publish("als_v2", library.als_engine(books), books)
    damage(folder_of("als_v2"))
    library.put_live(2, "als_v2")

    body = ask(client, reader)
    assert (body["engine"], body["model_version"], body["fallback_reason"]) == ("als", "als_v1", None)
    (problem,) = health([get_use_case("books")])["problems"]
    assert "release 2 cannot be loaded here, the one before goes on" in problem
    assert says in problem, problem

    live.forget()  # a process that starts now has no release before it
    body = ask(client, reader)
    assert (body["engine"], body["fallback_reason"], len(body["results"])) == ("newest", "artifact_damaged", 3)
    library.put_live(3, "als_v1")
    with pytest.raises(ArtifactError, match="als_v2"):
        promote(ModelVersion.objects.get(number=2), by="ann")
    assert ask(client, reader)["model_version"] == "als_v1"


@pytest.mark.parametrize("kept", [lambda size: 0, lambda size: size // 2, lambda size: size - 1])
def test_row_5_a_truncated_array_is_refused_and_the_release_before_serves(client, books, reader, kept):
    def damage(folder):
        path = folder / "item_factors.npy"
        os.truncate(path, kept(path.stat().st_size))

    check_refused(client, books, reader, damage, "bytes instead of")


def test_row_6_a_flipped_bit_is_refused_and_the_release_before_serves(client, books, reader):
    def damage(folder):
        path = folder / "item_factors.npy"
        content = path.read_bytes()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))

    check_refused(client, books, reader, damage, "was altered")


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda folder: (folder / "manifest.json").unlink(), "has no manifest"),
        (lambda folder: (folder / "manifest.json").write_text("{"), "is not JSON"),
        (lambda folder: reshape(folder), "not what the manifest says"),
        (lambda folder: shutil.rmtree(folder), "There is no artifact folder als_v2"),
    ],
    ids=["missing", "not JSON", "another shape", "no folder"],
)
def test_row_7_a_manifest_that_is_none_or_lies_is_refused(client, books, reader, damage, says):
    check_refused(client, books, reader, damage, says)


def reshape(folder):
    arrays = json.loads((folder / "manifest.json").read_text())["arrays"]
    arrays["item_factors"]["shape"] = arrays["item_factors"]["shape"][::-1]
    edit_manifest(folder, arrays=arrays)


class Malicious:
    """Says so when it is unpickled."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return (os.mkdir, (self.trace,))


def test_row_8_pickled_code_in_an_artifact_never_runs(client, root, books, reader):
    trace = root / "it-ran"
    program = pickle.dumps(Malicious(str(trace)))

    def damage(folder):
        (folder / "model.pt").write_bytes(program)
        replace_array(folder, "item_factors", npy({"descr": "|O", "fortran_order": False, "shape": (6,)}, program))

    check_refused(client, books, reader, damage, "als_v2")
    assert not trace.exists()


def test_row_9_an_archive_that_would_unpack_to_gigabytes_is_refused(client, books, reader):
    def damage(folder):
        path = folder / "bomb.npz"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("item_factors.npy", bytes(50_000_000))
        replace_array(folder, "item_factors", path.read_bytes())

    check_refused(client, books, reader, damage, "als_v2")


def test_row_9_a_header_that_promises_terabytes_is_refused_before_anything_is_allocated(client, books, reader):
    def damage(folder):
        shape = (2**40, 2)
        lie = npy({"descr": "<f4", "fortran_order": False, "shape": shape}, bytes(48))
        replace_array(folder, "item_factors", lie, shape=list(shape))

    check_refused(client, books, reader, damage, "cannot be mapped")


def test_row_9_an_array_longer_than_its_manifest_says_is_refused(client, books, reader):
    def damage(folder):
        with (folder / "item_factors.npy").open("ab") as file:
            file.truncate(10_000_000_000)  # a hole, not ten gigabytes

    check_refused(client, books, reader, damage, "10000000000 bytes instead of")


def test_row_10_other_ids_than_factors_are_refused(client, books, reader):
    def damage(folder):
        others = library.ids_of(books[:2]).keys
        write_npy(folder, "item_ids", others)

    check_refused(client, books, reader, damage, "disagrees on its items")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_row_11_factors_that_are_no_numbers_are_refused(client, books, reader, value):
    def damage(folder):
        factors = np.array(np.load(folder / "item_factors.npy"))
        factors[0, 0] = value
        write_npy(folder, "item_factors", factors)

    check_refused(client, books, reader, damage, "als_v2")


def write_npy(folder, name, array):
    """Put another array in place, with a manifest that vouches for it."""
    np.save(folder / "new.npy", array)
    content = (folder / "new.npy").read_bytes()
    replace_array(folder, name, content, shape=list(array.shape), dtype=array.dtype.str)
