"""A training run with the real trainers, from the host's tables to what is live."""

import json
from datetime import timedelta

import numpy as np
import pytest

from recommender_app.artifacts.store import ArtifactStore
from recommender_app.conf import settings as app_settings
from recommender_app.exceptions import ConfigurationError, DatasetError, NotEnoughData
from recommender_app.models import ModelVersion, TrainingRun
from recommender_app.registry.releases import roll_back
from recommender_app.training.export import export_dataset
from recommender_app.training.run import train_model
from recommender_app.training.trainers import build_config, load_trainer
from recommender_app.usecases.site import get_use_case
from tests.app import library, readings
from tests.app.registered import live_names
from tests.toyhost.models import Reading

pytestmark = pytest.mark.django_db
ENGINES = ("popular", "trending", "als")


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    values = {"ARTIFACT_ROOT": tmp_path, "N_THREADS": 1, "TRAINERS": readings.only(*ENGINES)}
    settings.RECOMMENDER = {**settings.RECOMMENDER, **values}
    return tmp_path


def train(engine="als", **options):
    return train_model(get_use_case("books"), engine, **options)


def opened(trained):
    version = trained.version
    return ArtifactStore(app_settings.artifact_root).open("books", version.engine, version.name)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_run_leaves_a_candidate_measured_beside_popularity(engine):
    readings.fill()
    trained = train(engine)
    version = trained.version
    assert (version.name, version.status, trained.release) == (f"{engine}_v1", "candidate", None)
    assert set(version.metrics["engines"]) == {"popular", "trending", engine}
    assert version.metrics["n_users"] == readings.N_READERS
    assert version.metrics["protocol"].startswith("global time cut, newest 20% held out")
    assert 0 <= version.metrics["engines"][engine]["precision@10"] <= 1
    assert (trained.run.status, trained.run.reason) == ("succeeded", "")
    assert version.training_run == trained.run
    assert opened(trained).engine.n_items == 12


def test_als_proposes_the_book_of_the_own_taste_that_is_left(root):
    books = readings.fill()
    artifact = opened(train())
    for number in range(readings.N_READERS):
        missing = readings.missing_book(books, number)
        history = [book.pk for book in readings.own_shelf(books, number) if book != missing]
        assert artifact.recommend(history, k=1)[0].id == missing.pk


def test_als_beats_popularity_where_tastes_differ():
    readings.fill()
    engines = train().version.metrics["engines"]
    assert engines["als"]["ndcg@5"] > max(engines["popular"]["ndcg@5"], engines["trending"]["ndcg@5"])


def test_row_and_manifest_tell_the_same_story():
    readings.fill()
    trained = train(overrides={"factors": "4"}, seed=7)
    version, manifest = trained.version, opened(trained).manifest
    assert (version.config["factors"], version.config["n_threads"], version.seed) == (4, 1, 7)
    assert (manifest.config, manifest.seed, manifest.metrics) == (version.config, 7, version.metrics)
    assert manifest.library_versions == version.library_versions
    assert {"python", "numpy", "implicit", "Django"} <= set(version.library_versions)
    assert version.dataset_fingerprint == manifest.dataset_fingerprint == trained.dataset_path.name
    assert version.size_bytes == manifest.size_bytes > 0
    run = TrainingRun.objects.get()
    assert (run.config, run.seed, run.requested_by) == (version.config, 7, "command")
    assert run.dataset_fingerprint == version.dataset_fingerprint


def test_the_published_engine_has_learned_from_everything():
    readings.fill()
    counts = opened(train("popular")).engine.counts
    assert int(np.sum(counts)) == readings.N_READERS * readings.N_ROUNDS


def test_equal_data_and_seed_give_equal_files_and_metrics():
    readings.fill()
    first, second = train(), train()
    assert (first.version.name, second.version.name) == ("als_v1", "als_v2")
    assert first.version.metrics == second.version.metrics
    assert opened(first).manifest.arrays == opened(second).manifest.arrays
    assert first.dataset_path == second.dataset_path


def test_each_engine_is_promoted_beside_the_others_and_rolled_back():
    readings.fill()
    releases = [train(engine, promote=True, by="ann").release for engine in ENGINES]
    assert [release.number for release in releases] == [1, 2, 3]
    assert {release.promoted_by for release in releases} == {"ann"}
    assert live_names() == ["als_v1", "popular_v1", "trending_v1"]
    train("als", promote=True)
    assert live_names() == ["als_v2", "popular_v1", "trending_v1"]
    roll_back("books", by="ann")
    assert live_names() == ["als_v1", "popular_v1", "trending_v1"]


def test_a_dataset_that_was_exported_before_is_not_exported_again():
    readings.fill()
    path = export_dataset(get_use_case("books")).path
    Reading.objects.all().delete()
    assert train(dataset_path=path).version.dataset_fingerprint == path.name


@pytest.mark.parametrize("kind", ["missing", "of another use case", "damaged"])
def test_a_dataset_that_cannot_be_meant_is_refused(tmp_path, kind):
    readings.fill()
    path = export_dataset(get_use_case("books")).path
    if kind == "missing":
        path = tmp_path / "nowhere"
    elif kind == "damaged":
        (path / "item_ids.npy").write_bytes(b"nothing")
    else:
        manifest = json.loads((path / "manifest.json").read_text())
        (path / "manifest.json").write_text(json.dumps(manifest | {"use_case": "films"}))
    with pytest.raises(DatasetError) as raised:
        train(dataset_path=path)
    run = TrainingRun.objects.get()
    assert (run.status, run.reason) == ("failed", str(raised.value))
    assert not ModelVersion.objects.exists()


def test_data_without_a_newest_part_are_published_with_a_note():
    readings.fill()
    Reading.objects.update(at=library.START)
    version = train().version
    assert version.metrics["engines"] == {}
    assert version.metrics["note"].startswith("Not measured: nobody")


def test_newcomers_alone_in_the_newest_part_give_a_note():
    readings.fill()
    newcomer = library.add_reader("newcomer")
    for day, book in enumerate(get_use_case("books").items.objects.all()[:12]):
        Reading.objects.create(reader=newcomer, book=book, kind="like", at=library.START + timedelta(days=10 + day))
    trained = train()
    assert trained.evaluation is None
    assert trained.version.metrics["note"].startswith("Not measured: nobody")


def test_an_older_part_that_nobody_can_learn_from_gives_a_note():
    readings.fill(("dislike",) * 4 + ("like",))
    version = train("popular").version
    assert version.metrics["engines"] == {}
    assert "the older part of the data is too small: Too little to learn from: 0 users" in version.metrics["note"]


@pytest.mark.parametrize("minimum", ["MIN_USERS", "MIN_ITEMS", "MIN_INTERACTIONS"])
def test_too_little_data_is_a_skipped_run_and_one_line(settings, root, minimum):
    readings.fill()
    settings.RECOMMENDER = {**settings.RECOMMENDER, minimum: 61}
    with pytest.raises(NotEnoughData, match=r"(12 users|12 items|60 interactions) \(at least 61\)") as raised:
        train()
    run = TrainingRun.objects.get()
    assert (run.status, run.reason) == ("skipped", str(raised.value))
    assert run.dataset_fingerprint
    assert not list(root.glob("models/**/manifest.json"))


def test_an_empty_table_leaves_nothing_on_disk(root):
    with pytest.raises(DatasetError, match="has no interactions"):
        train()
    assert TrainingRun.objects.get().status == "failed"
    assert list(root.iterdir()) == []


@pytest.mark.parametrize("weight", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused_before_training(root, monkeypatch, weight):
    readings.fill()
    monkeypatch.setattr(type(get_use_case("books")), "weights", {"like": weight})
    with pytest.raises(DatasetError):
        train()
    assert TrainingRun.objects.get().status == "failed"
    assert list(root.iterdir()) == []


@pytest.mark.parametrize(
    ("engine", "options", "message"),
    [
        ("nonsense", {}, "no trainer for 'nonsense': choose from popular, trending, als"),
        ("als", {"overrides": {"colour": "red"}}, "Unknown option colour: choose from"),
        ("als", {"overrides": {"factors": "many"}}, "factors='many'"),
        ("als", {"preset": "nonsense"}, "no preset 'nonsense': choose from plan"),
        ("popular", {"preset": "plan"}, "popular has no preset 'plan': it has none"),
    ],
)
def test_a_wrong_option_starts_no_run(engine, options, message):
    with pytest.raises(ConfigurationError, match=message):
        train(engine, **options)
    assert not TrainingRun.objects.exists()


def test_a_preset_is_overridden_by_single_options():
    readings.fill()
    config = train(preset="plan", overrides={"factors": 8, "iterations": 2}).version.config
    assert (config["alpha"], config["factors"], config["iterations"]) == (40.0, 8, 2)


def test_a_trainer_that_cannot_be_imported_names_the_extra(settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "TRAINERS": {"als": "recommender_app.trainers.gone.ALSTrainer"}}
    with pytest.raises(ConfigurationError, match=r"pip install 'django-recommender-app\[train\]'"):
        train()


@pytest.mark.parametrize(
    ("option", "message"), [("factors", "factors='abc' is no whole number"), ("alpha", "alpha='abc' is no number")]
)
def test_an_option_of_the_wrong_kind_is_told_in_words(option, message):
    with pytest.raises(ConfigurationError, match=message):
        build_config(load_trainer("als"), {option: "abc"})
