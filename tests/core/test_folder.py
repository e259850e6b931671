"""Dataset folders: what is written is read; what is damaged is refused in one line."""

import json
import os
import time
import uuid

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from recommender_app.dataset.dataset import Dataset
from recommender_app.dataset.features import Features
from recommender_app.dataset.fingerprint import Fingerprint
from recommender_app.dataset.folder import read_dataset, write_dataset
from recommender_app.dataset.ids import IdMap
from recommender_app.dataset.interactions import InteractionTable
from recommender_app.dataset.manifest import describe_files
from recommender_app.dataset.staging import LEFTOVER_SECONDS
from recommender_app.dataset.tables import read_features, write_features
from recommender_app.exceptions import DatasetError

UUIDS = [uuid.UUID(int=n) for n in (7, 3)]


def make_dataset(order=(0, 1, 2), users=(10, 20), items=UUIDS, **changes):
    """User 10 liked the first item and viewed the second, user 20 disliked the first."""
    order = list(order)
    table = InteractionTable(
        np.array([0, 0, 1], dtype=np.int32)[order],
        np.array([0, 1, 0], dtype=np.int32)[order],
        np.array([0, 1, 2], dtype=np.uint8)[order],
        np.array([2.0, 0.5, -1.0], dtype=np.float32)[order],
        np.array([1, 2_000_000, 3_000_000], dtype=np.int64)[order],
        ("like", "view", "dislike"),
    )
    numbers = np.array([[1.5, np.nan], [np.nan, -2.0]], dtype=np.float32)
    parts = {
        "users": IdMap.from_values(users),
        "items": IdMap.from_values(items),
        "interactions": table,
        "item_features": Features(["a\nb", ""], [("x=1", "y=ü"), ()], numbers, ("pages", "price")),
        "user_features": Features.empty(2),
        "pair_weighting": "max",
        "relevant_events": ("like",),
        "event_weights": {"like": 2.0, "view": 0.5, "dislike": -1.0},
    }
    return Dataset(**parts | changes)


def test_everything_comes_back(tmp_path):
    manifest = write_dataset(make_dataset(), tmp_path / "d", {"use_case": "books"})
    read = read_dataset(tmp_path / "d")
    written = make_dataset()
    assert (read.users, read.items) == (written.users, written.items)
    assert read.items.ids([0, 1]) == sorted(UUIDS)
    for name in ("user_rows", "item_rows", "events", "weights", "times"):
        column = getattr(read.interactions, name)
        assert np.array_equal(column, getattr(written.interactions, name))
        assert column.dtype == getattr(written.interactions, name).dtype
    assert read.interactions.event_names == ("like", "view", "dislike")
    assert (read.item_features.texts, read.item_features.terms) == (["a\nb", ""], [("x=1", "y=ü"), ()])
    assert np.array_equal(read.item_features.numbers, written.item_features.numbers, equal_nan=True)
    assert read.item_features.number_names == ("pages", "price")
    assert read.user_features.texts == ["", ""]
    assert (read.relevant_events, read.pair_weighting) == (("like",), "max")
    assert read.event_weights == {"like": 2.0, "view": 0.5, "dislike": -1.0}
    assert read.fingerprint == manifest["fingerprint"]


def test_the_manifest_counts(tmp_path):
    manifest = write_dataset(make_dataset(), tmp_path / "d", {"use_case": "books"})
    assert json.loads((tmp_path / "d" / "manifest.json").read_text()) == manifest
    assert manifest["use_case"] == "books"
    assert manifest["id_kinds"] == {"users": "int", "items": "uuid"}
    assert manifest["counts"] == {
        "users": 2,
        "items": 2,
        "interactions": 3,
        "pairs": 3,
        "events": {"like": 1, "view": 1, "dislike": 1},
    }
    assert manifest["time_range"] == ["1970-01-01T00:00:00.000001+00:00", "1970-01-01T00:00:03+00:00"]


def test_the_stored_matrix_is_the_dataset_s_matrix(tmp_path):
    write_dataset(make_dataset(), tmp_path / "d")
    data, indices, indptr = (np.load(tmp_path / "d" / f"matrix_{part}.npy") for part in ("data", "indices", "indptr"))
    stored = sparse.csr_matrix((data, indices, indptr), shape=(2, 2))
    assert stored.has_canonical_format
    assert stored.toarray().tolist() == [[2.0, 0.5], [-1.0, 0.0]] == make_dataset().matrix.toarray().tolist()


def test_times_and_events_are_readable_with_any_parquet_tool(tmp_path):
    from datetime import UTC, datetime

    from pyarrow import parquet

    write_dataset(make_dataset(), tmp_path / "d")
    row = parquet.read_table(tmp_path / "d" / "interactions.parquet").to_pylist()[1]
    assert row == {
        "user_row": 0,
        "item_row": 1,
        "event": "view",
        "weight": 0.5,
        "time": datetime(1970, 1, 1, 0, 0, 2, tzinfo=UTC),
    }


@given(order=st.permutations([0, 1, 2]))
def test_the_order_of_rows_does_not_change_the_fingerprint(tmp_path_factory, order):
    folder = tmp_path_factory.mktemp("datasets")
    written = [write_dataset(make_dataset(order), folder / "a"), write_dataset(make_dataset(), folder / "b")]
    assert written[0]["fingerprint"] == written[1]["fingerprint"]


@pytest.mark.parametrize(
    "changes",
    [
        {"users": [10, 21]},
        {"items": ["a", "b"]},
        {"item_features": Features(["a", "b"], [("x=1", "y=ü"), ()])},
        {"user_features": Features(["", "?"], [(), ()])},
        {"pair_weighting": "sum"},
        {"relevant_events": ()},
        {"event_weights": {"like": 3.0}},
        {"interactions": make_dataset().interactions.select(np.array([0, 1]))},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_other_content_has_another_fingerprint(tmp_path, changes):
    first = write_dataset(make_dataset(), tmp_path / "a")
    assert write_dataset(make_dataset(**changes), tmp_path / "b")["fingerprint"] != first["fingerprint"]


def test_when_it_was_read_comes_back_and_is_no_part_of_the_content(tmp_path):
    moments = ("2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00")
    manifests = [write_dataset(make_dataset(as_of=moment), tmp_path / moment[:10]) for moment in moments]
    assert read_dataset(tmp_path / "2026-01-02").as_of == moments[1]
    assert manifests[0]["fingerprint"] == manifests[1]["fingerprint"]


def test_the_size_of_chunks_does_not_change_features_or_fingerprint(tmp_path):
    whole = make_dataset().item_features
    halves = [
        Features([whole.texts[n]], [whole.terms[n]], whole.numbers[n : n + 1], whole.number_names) for n in (0, 1)
    ]
    digests = []
    for name, chunks in (("whole", [whole]), ("halves", halves)):
        fingerprint = Fingerprint()
        for chunk in write_features(tmp_path / name, chunks):
            fingerprint.add_features(chunk)
        digests.append(fingerprint.hexdigest())
        assert read_features(tmp_path / name).texts == whole.texts
    assert digests[0] == digests[1]


@pytest.mark.parametrize("ids", [["b", "a"], ["ß", "日本"], [2**62, -5]])
def test_keys_of_every_kind_come_back(tmp_path, ids):
    write_dataset(make_dataset(users=ids), tmp_path / "d")
    assert read_dataset(tmp_path / "d").users.ids([0, 1]) == sorted(ids)


def test_a_dataset_without_interactions_can_be_written_and_read(tmp_path):
    nothing = make_dataset().interactions.select(np.array([], dtype=np.intp))
    manifest = write_dataset(make_dataset(interactions=nothing), tmp_path / "d")
    assert manifest["time_range"] is None
    assert len(read_dataset(tmp_path / "d").interactions) == 0


def test_a_folder_is_never_written_twice(tmp_path):
    write_dataset(make_dataset(), tmp_path / "d")
    before = (tmp_path / "d" / "manifest.json").read_bytes()
    with pytest.raises(DatasetError, match="exists already"):
        write_dataset(make_dataset(), tmp_path / "d")
    assert (tmp_path / "d" / "manifest.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["d"]


def test_a_failed_write_leaves_nothing(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DatasetError, match="ARTIFACT_ROOT"):
        write_dataset(make_dataset(), tmp_path / "file" / "books" / "d")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_a_killed_process_left_is_cleared_but_not_what_another_is_writing(tmp_path):
    for name, age in (("old", LEFTOVER_SECONDS + 60), ("new", 60)):
        (tmp_path / f".staging-{name}").mkdir()
        os.utime(tmp_path / f".staging-{name}", (time.time() - age,) * 2)
    write_dataset(make_dataset(), tmp_path / "d")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".staging-new", "d"]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(DatasetError, match=r"no dataset in .*nowhere: make one with recommender_export"):
        read_dataset(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "name",
    ["interactions.parquet", "item_features.parquet", "user_features.parquet", "user_ids.npy", "matrix_data.npy"],
)
@pytest.mark.parametrize("damage", ["delete", "truncate", "flip"])
def test_a_damaged_file_is_refused_by_name(tmp_path, name, damage):
    write_dataset(make_dataset(), tmp_path / "d")
    path = tmp_path / "d" / name
    content = path.read_bytes()
    if damage == "delete":
        path.unlink()
    else:
        path.write_bytes(content[:-1] if damage == "truncate" else content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(DatasetError, match=name):
        read_dataset(tmp_path / "d")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read"),
        ("[]", "does not describe a dataset"),
        ('{"format_version": 1, "engine": "als"}', "does not describe a dataset"),
    ],
)
def test_a_foreign_manifest_is_refused_in_one_line(tmp_path, text, message):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(DatasetError, match=message) as raised:
        read_dataset(tmp_path)
    assert "\n" not in str(raised.value)


def change_manifest(folder, **changes):
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format_version": 2}, "dataset format 2, not 1"),
        ({"event_names": ["like"]}, "does not name"),
        ({"id_kinds": {"users": "uuid", "items": "uuid"}}, "uuid"),
        ({"id_kinds": {}}, "no readable dataset"),
    ],
)
def test_a_manifest_that_does_not_fit_its_files_is_refused(tmp_path, changes, message):
    write_dataset(make_dataset(), tmp_path / "d")
    change_manifest(tmp_path / "d", **changes)
    with pytest.raises(DatasetError, match=message):
        read_dataset(tmp_path / "d")


def test_files_that_do_not_fit_each_other_are_refused(tmp_path):
    write_dataset(make_dataset(), tmp_path / "d")
    np.save(tmp_path / "d" / "user_ids.npy", np.array([10]))
    files = json.loads((tmp_path / "d" / "manifest.json").read_text())["files"]
    change_manifest(tmp_path / "d", files=files | describe_files(tmp_path / "d", ["user_ids.npy"]))
    with pytest.raises(DatasetError, match="do not fit each other"):
        read_dataset(tmp_path / "d")
