"""Artifacts of a storage that do not arrive whole, lead elsewhere, or are not what they are called."""

import json

import pytest

from recommender_app.artifacts.live_hint import read_live_hint
from recommender_app.exceptions import ArtifactError
from recommender_app.registry import storage
from recommender_app.registry.releases import promote
from recommender_app.training.sync import sync_use_case
from tests.app.registered import candidate
from tests.app.storages import FaultyStorage
from tests.app.test_sync import REMOTE, Hosts, breaking

pytestmark = pytest.mark.django_db


@pytest.fixture
def hosts(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(FaultyStorage, "root", tmp_path / "bucket")
    monkeypatch.setattr(FaultyStorage, "fault", None)
    monkeypatch.setattr(FaultyStorage, "only", "")
    monkeypatch.setattr(FaultyStorage, "saved", [])
    found = Hosts(settings, tmp_path)
    found.use("trainer")
    return found


@pytest.fixture
def promoted(hosts):
    """popular_v1 is live, on the trainer's disk and in the storage."""
    version = candidate()
    assert storage.store("books", "popular", version.name)
    promote(version, by="ann")
    return version


def leftovers(root):
    return [path for path in root.rglob("*") if path.name.startswith(".staging")]


@pytest.mark.parametrize(
    ("fault", "only"),
    [
        *[(fault, "counts.npy") for fault in ("refuse", "truncate", "flip", "lengthen", "vanish")],
        *[(fault, "manifest.json") for fault in ("refuse", "flip", "lengthen", "vanish")],
    ],
)
def test_what_does_not_arrive_whole_does_not_arrive(hosts, promoted, monkeypatch, fault, only):
    root = hosts.use("web")
    breaking(monkeypatch, fault, only)
    with pytest.raises(ArtifactError, match="popular_v1 was not fetched") as raised:
        sync_use_case("books")
    assert "\n" not in str(raised.value)
    assert str(raised.value).endswith("What is served here stays.")
    assert hosts.names("web") == leftovers(root) == []
    assert read_live_hint(root, "books") is None
    breaking(monkeypatch, None)
    assert sync_use_case("books") == ["books popular_v1: fetched"]


@pytest.mark.parametrize("name", ["../../../evil.npy", "/tmp/evil.npy", "..", "counts.npy/../../evil.npy", "EVIL.npy"])
def test_names_that_lead_elsewhere_are_refused(hosts, promoted, name):
    manifest = hosts.bucket / REMOTE / "popular_v1" / "manifest.json"
    values = json.loads(manifest.read_text())
    values["arrays"]["counts"]["file"] = name
    manifest.write_text(json.dumps(values))
    root = hosts.use("web")
    with pytest.raises(ArtifactError, match="entry of array 'counts' is not valid"):
        sync_use_case("books")
    assert not [path for path in hosts.folder.rglob("*") if "evil" in path.name.lower()]
    assert hosts.names("web") == leftovers(root) == []


@pytest.mark.parametrize(
    "names", [("..", "popular", "popular_v1"), ("books", "popular", "../x"), ("books", "a/b", "v")]
)
def test_versions_whose_names_lead_elsewhere_are_refused(hosts, names):
    with pytest.raises(ArtifactError, match="cannot name an artifact"):
        storage.is_stored(*names)


def test_another_version_under_this_ones_name_is_refused(hosts, promoted):
    second = candidate()
    storage.store("books", "popular", second.name)
    bucket = hosts.bucket / REMOTE
    (bucket / "popular_v1").rename(hosts.folder / "aside")
    (bucket / "popular_v2").rename(bucket / "popular_v1")
    hosts.use("web")
    with pytest.raises(ArtifactError, match="What is stored as books popular_v1 is books popular popular_v2"):
        sync_use_case("books")


def test_an_artifact_larger_than_the_disk_is_refused_before_it_is_fetched(hosts, promoted):
    manifest = hosts.bucket / REMOTE / "popular_v1" / "manifest.json"
    values = json.loads(manifest.read_text())
    values["arrays"]["counts"] |= {"size": 10**18, "shape": [10**17]}
    manifest.write_text(json.dumps(values))
    hosts.use("web")
    with pytest.raises(ArtifactError, match="MB are free for an artifact of"):
        sync_use_case("books")
