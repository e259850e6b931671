"""Versions appear whole, are never changed, and come back as they were."""

import json
from uuid import UUID

import numpy as np
import pytest

from recommender_app.artifacts.opening import open_engine
from recommender_app.artifacts.store import ArtifactStore
from recommender_app.dataset.ids import IdMap
from recommender_app.engines.popularity import PopularityEngine
from recommender_app.exceptions import ArtifactError, ArtifactMissing
from tests.core.artifact_toys import NOON, contents, popular, publish_popular, two_tastes


@pytest.fixture
def store(tmp_path):
    return ArtifactStore(tmp_path)


def test_a_published_version_opens_with_its_ids_and_details(store):
    engine, items = popular()
    details = {
        "config": {"window": 7, "names": ["a"]},
        "seed": 3,
        "library_versions": {"numpy": "2"},
        "dataset_fingerprint": "ab" * 32,
        "metrics": {"ndcg@10": 0.25},
    }

    path = store.publish("films", "popular_v1", engine, items, created_at=NOON, **details)
    opened = store.open("films", "popular", "popular_v1")

    assert path == store.root / "models" / "films" / "popular" / "popular_v1" == opened.path
    assert opened.items == items
    assert np.array_equal(opened.engine.counts, engine.counts)
    assert {name: getattr(opened.manifest, name) for name in details} == details
    assert opened.manifest.created_at == "2026-01-01T12:00:00+00:00"
    assert opened.manifest.size_bytes == sum(file.stat().st_size for file in path.glob("*.npy"))


@pytest.mark.parametrize(
    "ids",
    [[3, 1, -(2**63)], [UUID(int=1), UUID(int=2**128 - 1)], ["ä", "b", "𝔘nicode", "x" * 300], []],
    ids=["int", "uuid", "str", "none at all"],
)
def test_every_kind_of_id_comes_back(store, ids):
    items = IdMap.from_values(ids)
    store.publish("films", "popular_v1", PopularityEngine(np.ones(len(ids), dtype=np.float32)), items)

    found = store.open("films", "popular", "popular_v1").recommend(k=10)

    assert {item.id for item in found} == set(ids)


def test_the_arrays_are_read_only_maps_of_the_files(store):
    store.publish("films", "als_v1", *two_tastes())

    opened = store.open("films", "als", "als_v1")

    assert isinstance(opened.engine.item_factors, np.memmap)
    assert isinstance(opened.items.keys, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        opened.items.keys[0] = 5


def test_the_same_engine_and_details_make_the_same_bytes(tmp_path):
    first = contents(publish_popular(tmp_path / "one", metrics={"b": 1, "a": 2}))
    second = contents(publish_popular(tmp_path / "two", metrics={"a": 2, "b": 1}))

    assert first == second


def test_a_version_is_never_written_twice(tmp_path):
    before = contents(publish_popular(tmp_path))

    with pytest.raises(ArtifactError, match="exists already"):
        publish_popular(tmp_path, n=3)

    assert {name.rpartition("/")[2]: data for name, data in contents(tmp_path).items()} == before


def test_only_the_owner_writes_and_only_the_group_reads(tmp_path):
    folder = publish_popular(tmp_path)

    assert folder.stat().st_mode & 0o777 == 0o750
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o640}


def test_versions_are_listed_by_number(tmp_path, store):
    for version in ("popular_v10", "popular_v2", "popular_v1"):
        publish_popular(tmp_path, version)
    (tmp_path / "models/films/popular/.staging-left").mkdir()
    (tmp_path / "models/films/popular/notes.txt").touch()

    assert store.versions("films", "popular") == ["popular_v1", "popular_v2", "popular_v10"]
    assert store.versions("films", "als") == []


def test_a_deleted_version_is_gone_and_a_reader_keeps_its_arrays(tmp_path, store):
    folder = publish_popular(tmp_path)
    opened = store.open("films", "popular", "popular_v1")

    store.delete("films", "popular", "popular_v1")

    assert not folder.exists()
    assert list(folder.parent.iterdir()) == []
    assert [item.id for item in opened.recommend(k=2)] == [50, 40]
    with pytest.raises(ArtifactMissing):
        store.open("films", "popular", "popular_v1")
    with pytest.raises(ArtifactMissing):
        store.delete("films", "popular", "popular_v1")


def test_only_old_staging_folders_are_cleared(tmp_path, store):
    parent = publish_popular(tmp_path).parent
    (parent / ".staging-left").mkdir()

    store.remove_stale_staging(older_than_seconds=60)
    assert (parent / ".staging-left").exists()

    store.remove_stale_staging(older_than_seconds=-1)
    assert [path.name for path in parent.iterdir()] == ["popular_v1"]


@pytest.mark.parametrize("name", ["../../etc", "a/b", "/etc", "", ".", "..", "A", "a b", "a\0", "a\n", "x" * 65, None])
def test_a_name_that_could_lead_elsewhere_is_refused(store, name):
    for names in ((name, "als", "als_v1"), ("films", name, "als_v1"), ("films", "als", name)):
        with pytest.raises(ArtifactError, match="cannot name an artifact"):
            store.folder(*names)


@pytest.mark.parametrize("place", ["models", "models/films", "models/films/popular", "models/films/popular/popular_v1"])
def test_a_link_below_the_root_is_refused(tmp_path, place):
    publish_popular(tmp_path / "elsewhere")
    root = tmp_path / "root"
    (root / place).parent.mkdir(parents=True)
    (root / place).symlink_to(tmp_path / "elsewhere" / place)

    with pytest.raises(ArtifactError, match="is a link"):
        ArtifactStore(root).open("films", "popular", "popular_v1")


def test_the_root_itself_may_be_a_link(tmp_path):
    publish_popular(tmp_path / "real")
    (tmp_path / "link").symlink_to(tmp_path / "real")

    assert ArtifactStore(tmp_path / "link").open("films", "popular", "popular_v1").manifest.n_items == 5


@pytest.mark.parametrize("details", [{"metrics": {"ndcg": float("nan")}}, {"config": {"model": object()}}])
def test_details_that_json_cannot_hold_are_refused(tmp_path, details):
    with pytest.raises(ArtifactError, match="JSON"):
        publish_popular(tmp_path, **details)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("counts", "ids"),
    [([1.0, float("nan")], [1, 2]), ([1.0, float("inf")], [1, 2]), ([1.0, 2.0, 3.0], [1, 2])],
    ids=["nan", "infinity", "more rows than ids"],
)
def test_an_engine_that_would_not_open_is_not_published(tmp_path, store, counts, ids):
    engine = PopularityEngine(np.array(counts, dtype=np.float32))

    with pytest.raises(ArtifactError, match="The new popular_v1"):
        store.publish("films", "popular_v1", engine, IdMap.from_values(ids))

    assert not any(tmp_path.iterdir())


def test_python_objects_are_never_stored(tmp_path, store):
    engine = PopularityEngine(np.array([object()], dtype=object))

    with pytest.raises(ArtifactError, match="cannot be stored"):
        store.publish("films", "popular_v1", engine, IdMap.from_values([1]))

    assert not any(tmp_path.iterdir())


def test_an_artifact_of_the_first_format_still_opens(tmp_path):
    folder = publish_popular(tmp_path)
    manifest = folder / "manifest.json"
    values = json.loads(manifest.read_text())
    assert values["format_version"] == 2
    del values["files"], values["data_as_of"]
    manifest.write_text(json.dumps({**values, "format_version": 1}))

    opened = open_engine(folder)

    assert [item.id for item in opened.recommend(k=1)] == [50]
    assert opened.manifest.files == {}


@pytest.mark.parametrize(
    ("data_as_of", "expected"),
    [
        ("2025-12-31T08:00:00+00:00", "2025-12-31T08:00:00+00:00"),
        ("", "2026-01-01T12:00:00+00:00"),  # at worst what was known when it was written
        ("yesterday", "2026-01-01T12:00:00+00:00"),
    ],
)
def test_an_artifact_says_up_to_when_its_engine_knows_the_items(store, data_as_of, expected):
    store.publish("films", "popular_v1", *popular(), created_at=NOON, data_as_of=data_as_of)
    manifest = store.open("films", "popular", "popular_v1").manifest
    assert manifest.data_as_of == data_as_of
    assert manifest.knows_until.isoformat() == expected
