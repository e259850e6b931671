"""``recommender_tune``: what it prints, stores and refuses, and how the next training uses it."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from recommender_app.management.engine_options import parse_engine_overrides
from recommender_app.management.training import parse_overrides
from recommender_app.models import ModelVersion, TunedConfig
from recommender_app.registry.tuned import store_tuned
from recommender_app.trainers.als import ALSTrainer
from recommender_app.trainers.als_config import ALSConfig
from recommender_app.training.source import Source
from recommender_app.training.tuning import study_path
from recommender_app.training.tuning_data import data_of_folder, data_of_use_case
from recommender_app.training.tuning_layer import choose_config, fixed_options
from recommender_app.usecases.site import get_use_case
from tests.app import benchmark_files, readings
from tests.app.test_admin import login, url
from tests.app.test_commands_training import run
from tests.toyhost.models import Reading

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    trainers = readings.only("popular", "trending", "als", "item_knn")
    values = {"ARTIFACT_ROOT": tmp_path / "root", "N_THREADS": 1, "TRAINERS": trainers}
    settings.RECOMMENDER = {**settings.RECOMMENDER, **values}
    return tmp_path / "root"


def fill_shelves() -> None:
    """Let readers read one after the other, so that a cut in time can fall within a day."""
    readings.fill()
    for place, reading in enumerate(Reading.objects.order_by("at", "reader_id")):
        Reading.objects.filter(pk=reading.pk).update(at=reading.at + timedelta(minutes=place))


def store(**config) -> TunedConfig:
    """Say that a search has found these options for ALS."""
    found = {"metric": "ndcg@10", "value": 0.5, "n_trials": 7, "seed": 1, "dataset_fingerprint": "abc"}
    return store_tuned("books", "als", config=config, **found)


def test_the_best_options_of_a_use_case_are_stored_and_printed(root, capsys):
    fill_shelves()
    printed = run(capsys, "recommender_tune", "books", "--engine", "als", "--trials", "4", "--seed", "3")
    stored = TunedConfig.objects.get()
    assert (stored.use_case, stored.engine, stored.metric) == ("books", "als", "ndcg@10")
    assert (stored.n_trials, stored.seed) == (4, 3)
    assert stored.dataset_fingerprint in {path.name for path in (root / "datasets" / "books").iterdir()}
    assert "0 (default)" in printed
    assert "1 (plan)" in printed
    assert "4 trials: 4 measured, seed 3." in printed
    assert "validation inside train: global time cut, newest 15% held out; all items ranked" in printed
    assert "manage.py recommender_train books --engine als --promote" in printed
    assert (root / "tuning" / "books" / "als.svg").read_text().startswith("<?xml")


def test_what_was_found_is_kept_where_the_plot_cannot_be_written(root, capsys):
    fill_shelves()
    (root / "tuning" / "books" / "als.svg").mkdir(parents=True)
    call_command("recommender_tune", "books", "--engine", "als", "--trials", "1", verbosity=0)
    printed = capsys.readouterr()
    assert TunedConfig.objects.get().engine == "als"
    assert "Stored: the next training uses it." in printed.out
    assert printed.err == f"No plot: Cannot write {root}/tuning/books/als.svg: Is a directory.\n"


def test_an_ensemble_is_tuned_from_the_command_line(settings, capsys):
    fill_shelves()
    trainers = readings.only("popular", "als", ensemble="tests.app.test_tuning.SmallEnsemble")
    settings.RECOMMENDER = {**settings.RECOMMENDER, "TRAINERS": trainers}
    printed = run(capsys, "recommender_tune", "books", "--engine", "ensemble", "--preset", "plan", "--trials", "6")
    stored = TunedConfig.objects.get()
    assert (stored.engine, stored.n_trials) == ("ensemble", 6)
    rows = [line for line in printed.splitlines() if "als_weight=" in line]
    assert rows
    for row in rows:
        options = dict(pair.split("=") for pair in row.split("  ")[-1].replace(",two_tower", "").split(", "))
        assert 0.3 <= float(options["als_weight"]) <= 0.7
        assert options["fusion"] in ("weighted", "rrf", "hybrid")
    run(capsys, "recommender_train", "books", "--engine", "ensemble")
    assert ModelVersion.objects.get().config["tuning"].startswith("ndcg@10 ")


def test_an_ensemble_is_tuned_beside_members_as_they_will_serve(settings, capsys, monkeypatch):
    fill_shelves()
    trainers = readings.only("popular", "als", ensemble="tests.app.test_tuning.SmallEnsemble")
    settings.RECOMMENDER = {**settings.RECOMMENDER, "TRAINERS": trainers}
    run(capsys, "recommender_train", "books", "--engine", "als", "--set", "factors=5", "--promote", "--force")
    assert fixed_options("books", "ensemble") == {"member_options": '{"als": {"factors": 5}}'}
    store(factors=3)
    assert fixed_options("books", "ensemble") == {"member_options": '{"als": {"factors": 3}}'}
    assert fixed_options("books", "als") == {}
    factors, train = [], ALSTrainer.train
    monkeypatch.setattr(
        ALSTrainer,
        "train",
        lambda self, data, config, *rest: factors.append(config.factors) or train(self, data, config, *rest),
    )
    run(capsys, "recommender_tune", "books", "--engine", "ensemble", "--preset", "recipe", "--trials", "2")
    assert factors == [3, 3], "on the train part, and on that without what the weights are fitted on"
    assert "member_options" not in TunedConfig.objects.get(engine="ensemble").config


def test_progress_tells_the_best_so_far(capsys):
    fill_shelves()
    printed = run(capsys, "recommender_tune", "books", "--engine", "als", "--trials", "2")
    assert "  als: 0 trials, the default comes first: 0/2\n" in printed
    assert "  als: 2 trials, best ndcg@10 " in printed


def test_a_second_search_replaces_what_the_first_has_found():
    store(factors=8)
    first = TunedConfig.objects.get().created_at
    store(factors=16)
    assert TunedConfig.objects.get().config == {"factors": 16}
    assert TunedConfig.objects.get().created_at > first


def test_the_next_training_uses_what_was_found_and_says_so(capsys):
    readings.fill()
    store(factors=3, iterations=2)
    printed = run(capsys, "recommender_train", "books", "--engine", "als", "--set", "iterations=4")
    version = ModelVersion.objects.get()
    assert (version.config["factors"], version.config["iterations"]) == (3, 4)
    assert version.config["tuning"].startswith("ndcg@10 0.5000 on validation, 7 trials, ")
    assert version.training_run.config == version.config
    assert "als: options from a search: ndcg@10 0.5000 on validation, 7 trials, " in printed


def test_a_preset_and_no_tuned_count_more_than_a_search(capsys):
    readings.fill()
    store(factors=3)
    for arguments in (["--preset", "plan"], ["--no-tuned"]):
        printed = run(capsys, "recommender_train", "books", "--engine", "als", *arguments)
        version = ModelVersion.objects.latest("pk")
        assert version.config["factors"] != 3
        assert "tuning" not in version.config
        assert "from a search" not in printed


def test_the_gate_knows_the_options_of_a_live_version_that_was_tuned(capsys):
    readings.fill()
    store(factors=3)
    run(capsys, "recommender_train", "books", "--engine", "als", "--promote", "--force")
    run(capsys, "recommender_train", "books", "--engine", "als", "--set", "factors=4")
    checks = ModelVersion.objects.latest("pk").gate["checks"]
    assert not [check for check in checks if "options of other code" in check["sentence"]]


def test_options_that_the_trainer_does_not_know_any_more_do_not_stop_a_training(caplog):
    store(factors=3, colour="red")
    chosen = choose_config("books", "als", {})
    assert (chosen.config, chosen.tuning) == (ALSConfig(n_threads=1), "")
    assert "Unknown option colour" in caplog.text


def test_defaults_that_were_best_stay_the_defaults():
    store()
    chosen = choose_config("books", "als", {})
    assert chosen.config == ALSConfig(n_threads=1)
    assert chosen.tuning.endswith(", the defaults were best")
    assert choose_config("books", "item_knn", {}).tuning == ""


def test_a_search_of_a_use_case_never_sees_the_test_part():
    fill_shelves()
    source = Source(get_use_case("books"))
    data, test = data_of_use_case(source), source.hold_out.split.test
    assert len(data.split.test)
    assert data.split.train.interactions.times.max() < data.split.test.times.min()
    assert data.split.test.times.max() < test.times.min()


def test_a_search_on_files_never_reads_the_test_file(tmp_path, capsys):
    folder = benchmark_files.published(tmp_path / "toy")
    (folder / "test.csv.gz").unlink()
    printed = run(
        capsys, "recommender_tune", "--folder", str(folder), "--engine", "als", "--trials", "5", "--seed", "1"
    )
    assert "ndcg@20" in printed
    assert not TunedConfig.objects.exists()
    *_, options, command, plot = printed.strip().splitlines()
    assert plot.startswith("Plot: ")
    assert command.startswith(f"To measure it: manage.py recommender_benchmark {folder} --engines als")
    if options != "No --set is needed.":
        pairs = options.removeprefix("--set ").split(" --set ")
        ALSConfig.from_json(parse_overrides(pairs))
        parse_engine_overrides([f"als.{pair}" for pair in pairs])


def test_searches_on_other_files_are_apart(tmp_path):
    first = data_of_folder(benchmark_files.published(tmp_path / "one"), 0)
    second = data_of_folder(benchmark_files.with_times(tmp_path / "two"), 0)
    assert first.digest != second.digest
    assert study_path(first, "als") != study_path(second, "als")
    assert first.digest == data_of_folder(tmp_path / "one", 0).digest
    benchmark_files.write(tmp_path / "one" / "items.csv.gz", "item_id,title", [(0, "red")])
    assert first.digest != data_of_folder(tmp_path / "one", 0).digest


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["books", "--engine", "nonsense"], "no trainer for 'nonsense'"),
        (["books", "--engine", "popular"], "popular has nothing to tune: choose from trending, als"),
        (["books", "--engine", "item_knn", "--preset", "plan"], "the search space of item_knn has only recipe"),
        (["books", "--engine", "als", "--budget-minutes", "0"], "more than 0 minutes"),
        (["books", "--engine", "als", "--budget-minutes", "-1"], "more than 0 minutes"),
        (["books", "--engine", "als", "--trials", "0"], "at least 1 trial"),
        (["books", "--engine", "als", "--seed", "-1"], "seed -1: write a whole number from 0 to 4294967295"),
        (["books", "--engine", "als", "--plot", "a.doc"], "--plot a.doc: the name must end in .svg"),
        (["books", "--engine", "als", "--plot", "nowhere/a.svg"], "Cannot write nowhere/a.svg"),
        (["books", "--engine", "als", "--folder", "x"], "one of them"),
        (["--engine", "als"], "one of them"),
        (["nonsense", "--engine", "als"], "no use case 'nonsense'"),
        (["--engine", "als", "--folder", "nowhere"], "There is no folder nowhere"),
        (["--engine", "als", "--folder", "nowhere", "--dataset", "x"], "--dataset is for use cases"),
        (["books", "--engine", "als"], "Use case 'books' has no interactions"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(arguments, message):
    with pytest.raises(CommandError) as error:
        call_command("recommender_tune", *arguments, verbosity=0)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_too_little_to_hold_out_is_said(capsys):
    readings.fill()  # everything happens at five moments: the newest of the train part cannot be divided
    with pytest.raises(CommandError, match="nobody to tune on"):
        call_command("recommender_tune", "books", "--engine", "als", "--trials", "1", verbosity=0)


def test_the_admin_shows_what_was_found_and_changes_nothing(client):
    login(client, superuser=True)
    found = store(factors=48)
    assert "0.5000" in client.get(url("tunedconfig")).content.decode()
    page = client.get(url("tunedconfig", "change", found.pk)).content.decode()
    assert "<td>factors</td><td>48</td>" in page
    assert client.post(url("tunedconfig", "delete", found.pk)).status_code == 403
    assert client.get(url("tunedconfig", "add")).status_code == 403
