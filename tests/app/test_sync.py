"""Many hosts: a trainer stores what it has made, and web hosts fetch what is live, whole or not at all."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from recommender_app.artifacts.live_hint import read_live_hint
from recommender_app.artifacts.store import ArtifactStore
from recommender_app.exceptions import ArtifactError, ConfigurationError
from recommender_app.models import Arm, Experiment, ModelVersion, Phase
from recommender_app.registry import storage
from recommender_app.registry.releases import promote, roll_back
from recommender_app.serving.service import recommend
from recommender_app.training.retention import prune
from recommender_app.training.run import train_model
from recommender_app.training.sync import sync_use_case
from recommender_app.usecases.site import get_use_case
from tests.app import library, readings
from tests.app.registered import BOOKS, candidate, live_names
from tests.app.storages import FaultyStorage

pytestmark = pytest.mark.django_db
STORAGE = "tests.app.storages.FaultyStorage"
REMOTE = "models/books/popular"


class Hosts:
    """One database, one storage, and hosts with a disk of their own."""

    def __init__(self, settings, folder):
        self.settings, self.folder, self.bucket = settings, folder, folder / "bucket"
        self.values = {"ARTIFACT_STORAGE": STORAGE, "RELOAD_SECONDS": 0.0, "COLD_START_THRESHOLD": 1}

    def use(self, name):
        """Be another host; its processes start with what its disk has."""
        root = self.folder / name
        self.settings.RECOMMENDER = {**self.settings.RECOMMENDER, **self.values, "ARTIFACT_ROOT": root}
        return root

    def names(self, name):
        """Return the versions on a host's disk."""
        return sorted(path.name for path in (self.folder / name / "models" / "books").glob("*/*"))


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


def breaking(monkeypatch, fault, only=""):
    monkeypatch.setattr(FaultyStorage, "fault", fault)
    monkeypatch.setattr(FaultyStorage, "only", only)


def test_a_training_stores_its_version_the_manifest_last(hosts, settings):
    readings.fill()
    settings.RECOMMENDER = {**settings.RECOMMENDER, "TRAINERS": readings.only("popular", "trending")}
    trained = train_model(get_use_case("books"), "popular", promote=True, force=True)
    assert trained.release is not None
    assert FaultyStorage.saved[-1] == f"{REMOTE}/popular_v1/manifest.json"
    local = {path.name: path.read_bytes() for path in (hosts.folder / "trainer" / REMOTE / "popular_v1").iterdir()}
    assert local == {path.name: path.read_bytes() for path in (hosts.bucket / REMOTE / "popular_v1").iterdir()}


def test_a_host_fetches_what_is_live_and_writes_its_hint_then(hosts, promoted):
    root = hosts.use("web")
    assert sync_use_case("books") == ["books popular_v1: fetched"]
    assert ArtifactStore(root).open("books", "popular", "popular_v1").engine.n_items == len(BOOKS)
    assert read_live_hint(root, "books").versions == {"popular": "popular_v1"}
    assert sync_use_case("books") == []
    assert {path.stat().st_mode & 0o777 for path in (root / REMOTE / "popular_v1").iterdir()} == {0o640}


def test_a_host_fetches_what_an_arm_pins_until_its_phase_has_ended(hosts, promoted):
    for _ in range(2):
        version = candidate()
        storage.store("books", "popular", version.name)
        promote(version, by="ann")
    experiment = Experiment.objects.create(key="e", name="e", use_case="books")
    phase = Phase.objects.create(experiment=experiment, number=1)
    Arm.objects.create(phase=phase, key="b", weight_bp=10_000, policy={"release": 1})
    hosts.use("web")
    assert sync_use_case("books") == [f"books popular_v{number}: fetched" for number in (3, 1, 2)]
    Phase.objects.update(ended_at=timezone.now())
    hosts.use("another web")
    assert sync_use_case("books") == [f"books popular_v{number}: fetched" for number in (3, 2)]


def test_a_version_that_was_never_sent_is_told_with_who_can_send_it(hosts, promoted):
    hosts.use("web")
    (hosts.bucket / REMOTE / "popular_v1" / "manifest.json").unlink()
    with pytest.raises(ArtifactError, match=r"manifest\.json: no such file is stored; recommender_sync on a host that"):
        sync_use_case("books")


def test_a_slow_storage_is_waited_for(hosts, promoted, monkeypatch):
    hosts.use("web")
    breaking(monkeypatch, "slow")
    assert sync_use_case("books") == ["books popular_v1: fetched"]


def test_what_could_not_be_stored_is_kept_not_promoted_and_stored_later(hosts, promoted, monkeypatch, caplog):
    breaking(monkeypatch, "refuse_to_save", "manifest.json")
    second = candidate()
    assert not storage.store("books", "popular", second.name)
    assert "popular_v2 is not stored yet, recommender_sync tries again: The storage refuses" in caplog.text
    with pytest.raises(ArtifactError, match="popular_v2 is not in ARTIFACT_STORAGE yet: run recommender_sync"):
        promote(second, by="ann")
    assert live_names() == ["popular_v1"]
    breaking(monkeypatch, None)
    assert sync_use_case("books") == ["books popular_v2: stored"]
    promote(second, by="ann")


def test_a_training_whose_storage_refuses_is_not_lost(hosts, settings, monkeypatch):
    readings.fill()
    settings.RECOMMENDER = {**settings.RECOMMENDER, "TRAINERS": readings.only("popular", "trending")}
    breaking(monkeypatch, "refuse")
    with pytest.raises(ArtifactError):
        train_model(get_use_case("books"), "popular", promote=True, force=True)
    version = ModelVersion.objects.get()
    assert (version.status, version.training_run.status) == ("candidate", "succeeded")
    assert hosts.names("trainer") == ["popular_v1"]


def test_a_storage_that_renames_files_is_found_out(hosts, monkeypatch, caplog):
    version = candidate()
    breaking(monkeypatch, "rename")
    assert not storage.store("books", "popular", version.name)
    assert "The storage has kept" in caplog.text
    assert not [path for path in hosts.bucket.rglob("*") if path.is_file()]


def test_a_host_that_lacks_a_version_serves_the_release_before_until_it_has_it(hosts, monkeypatch):
    books = library.add_shelves(3)
    reader = library.add_reader(likes=(books[0],))
    for number in (1, 2):
        library.publish(f"als_v{number}", library.als_engine(books), books)
        library.put_live(number, f"als_v{number}")
        storage.store("books", "als", f"als_v{number}")
        if number == 1:
            hosts.use("web")
            sync_use_case("books")
            hosts.use("trainer")
    hosts.use("web")
    library.put_live(3, "als_v1")
    assert recommend(reader, "books", 3).model_version == "als_v1"
    monkeypatch.setattr("recommender_app.serving.live.RETRY_SECONDS", 0.0)

    library.put_live(4, "als_v2")
    answer = recommend(reader, "books", 3)
    assert (answer.engine, answer.model_version, answer.release) == ("als", "als_v1", 3)
    assert hosts.names("web") == ["als_v1"], "a request fetches nothing"

    sync_use_case("books")
    answer = recommend(reader, "books", 3)
    assert (answer.engine, answer.model_version, answer.release) == ("als", "als_v2", 4)


def test_a_host_can_promote_and_roll_back_to_what_only_others_have(hosts, promoted):
    second = candidate()
    storage.store("books", "popular", second.name)
    hosts.use("web")
    promote(second, by="ann")
    roll_back("books", by="ann")
    assert live_names() == ["popular_v1"]
    assert hosts.names("web") == []


def test_pruning_reaches_the_storage_and_every_host(hosts, promoted, settings, monkeypatch):
    second = candidate()
    storage.store("books", "popular", second.name)
    promote(second, by="ann")
    third = candidate()
    storage.store("books", "popular", third.name)
    promote(third, by="ann")
    hosts.use("web")
    hosts.values["KEEP_VERSIONS"] = 1
    storage_remote = storage.artifact_storage()
    from recommender_app.artifacts import sync

    sync.pull(storage_remote, hosts.folder / "web", "books", "popular", "popular_v1")
    hosts.use("trainer")
    monkeypatch.setattr("recommender_app.registry.retention.YOUNG_SECONDS", -60)
    assert [each.name for each in prune("books")] == ["popular_v1"]
    assert not list((hosts.bucket / REMOTE / "popular_v1").iterdir())
    hosts.use("web")
    assert "books popular_v1: deleted here, it was pruned" in sync_use_case("books")
    assert hosts.names("web") == ["popular_v2", "popular_v3"]


def test_one_version_that_cannot_be_fetched_does_not_hold_up_the_others(hosts, promoted, monkeypatch):
    other = candidate("trending")
    storage.store("books", "trending", other.name)
    promote(other, by="ann")
    hosts.use("web")
    breaking(monkeypatch, "refuse", "popular_v1/counts.npy")
    with pytest.raises(ArtifactError, match="popular_v1 was not fetched"):
        sync_use_case("books")
    assert hosts.names("web") == ["trending_v1"]
    assert read_live_hint(hosts.folder / "web", "books") is None


def test_the_command_says_what_it_did_and_what_went_wrong(hosts, promoted, monkeypatch):
    hosts.use("web")
    out = io.StringIO()
    breaking(monkeypatch, "flip", "counts.npy")
    with pytest.raises(CommandError, match=r"counts.npy was altered"):
        call_command("recommender_sync", stdout=out)
    breaking(monkeypatch, None)
    call_command("recommender_sync", "books", stdout=out)
    call_command("recommender_sync", "books", stdout=out)
    assert out.getvalue() == "books popular_v1: fetched\nEverything is up to date.\n"


@pytest.mark.parametrize(
    ("named", "says"), [(None, "nothing is to be fetched"), ("no.such.Storage", "neither in STORAGES")]
)
def test_without_a_storage_there_is_nothing_to_sync(settings, named, says):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_STORAGE": named}
    with pytest.raises(ConfigurationError, match=says):
        sync_use_case("books")


def test_an_alias_in_storages_is_a_storage(hosts, settings, promoted):
    options = {"location": str(hosts.bucket)}
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "artifacts": backend}
    hosts.values["ARTIFACT_STORAGE"] = "artifacts"
    hosts.use("web")
    assert sync_use_case("books") == ["books popular_v1: fetched"]
    assert hosts.names("web") == ["popular_v1"]


def test_polling_goes_on_after_a_round_that_failed(hosts, promoted, monkeypatch):
    hosts.use("web")
    out, err, pauses = io.StringIO(), io.StringIO(), []

    def pause(seconds):
        pauses.append(seconds)
        breaking(monkeypatch, None)
        if len(pauses) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("recommender_app.management.commands.recommender_sync.time.sleep", pause)
    breaking(monkeypatch, "vanish", "counts.npy")
    with pytest.raises(CommandError, match="Interrupted"):
        call_command("recommender_sync", poll=30.0, stdout=out, stderr=err)
    assert pauses == [30.0, 30.0]
    assert "Connection reset by peer" in err.getvalue()
    assert out.getvalue() == "books popular_v1: fetched\n"
    with pytest.raises(CommandError, match="--poll must be a number of seconds above 0"):
        call_command("recommender_sync", poll=0.0)
