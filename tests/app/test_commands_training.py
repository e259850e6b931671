"""``recommender_train`` and ``recommender_evaluate``: what they print, what they refuse."""

import json

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from recommender_app import conf
from recommender_app.management.commands import recommender_train
from recommender_app.management.training import chosen_engines, quick_engines
from recommender_app.models import ModelVersion, TrainingRun
from recommender_app.trainers.catalog import trainer_of
from recommender_app.training.export import export_dataset
from recommender_app.usecases.site import get_use_case
from tests.app import odd_trainers, readings
from tests.app.registered import live_names
from tests.toyhost.models import Reading

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    values = {
        "ARTIFACT_ROOT": tmp_path / "root",
        "N_THREADS": 1,
        "TRAINERS": readings.only("popular", "trending", "als"),
    }
    settings.RECOMMENDER = {**settings.RECOMMENDER, **values}
    return tmp_path / "root"


def run(capsys, *arguments, **options) -> str:
    """Return what a command printed."""
    capsys.readouterr()
    call_command(*arguments, **options)
    return capsys.readouterr().out


def rows_of(printed: str) -> dict[str, list[str]]:
    """Return {first cell: other cells} of the first printed table that has them."""
    rows: dict[str, list[str]] = {}
    for line in printed.splitlines():
        if line and not line.startswith(" "):  # progress is indented
            first, *others = line.split()
            rows.setdefault(first, others)
    return rows


def test_every_engine_is_trained_promoted_and_put_into_one_table(capsys):
    readings.fill()
    printed = run(capsys, "recommender_train", "books", "--promote")
    assert live_names() == ["als_v1", "popular_v1", "trending_v1"]
    assert "Live in books release 1: popular_v1, trending_v1, als_v1.\n" in printed
    assert "seed 42" in printed
    rows = rows_of(printed)
    assert rows["engine"][:3] == ["precision@10", "recall@10", "ndcg@10"]
    for version in ModelVersion.objects.all():
        measured = version.metrics["engines"][version.engine]
        assert rows[version.engine][0] == f"{measured['precision@10']:.4f}"
    assert "(global time cut, newest 20% held out;" in printed


def test_engines_that_learn_for_minutes_are_trained_on_request(settings):
    paths = readings.only("two_tower", "als", "popular")
    settings.RECOMMENDER = {**settings.RECOMMENDER, "TRAINERS": paths}
    assert quick_engines() == ["popular", "als"]
    assert chosen_engines(["all"]) == ["popular", "als", "two_tower"]
    settings.RECOMMENDER = {**settings.RECOMMENDER, "TRAINERS": readings.only(mine=paths["als"])}
    assert quick_engines() == ["mine"]


def test_progress_is_told_step_by_step(capsys):
    readings.fill()
    printed = run(capsys, "recommender_train", "books", "--engine", "als")
    assert "  interactions: 60/60\n" in printed
    assert "  als on the train part: learning: 10/10\n" in printed
    assert "  als on everything: learning: 10/10\n" in printed


def test_without_promote_the_next_step_is_named(capsys):
    readings.fill()
    printed = run(capsys, "recommender_train", "books", "--engine", "popular", "--engine", "als")
    assert "manage.py recommender_promote books als_v1" in printed
    assert list(ModelVersion.objects.values_list("engine", "status")) == [
        ("als", "candidate"),
        ("popular", "candidate"),
    ]


def test_quiet_is_quiet(capsys):
    readings.fill()
    assert run(capsys, "recommender_train", "books", engine="als", verbosity=0) == ""
    assert ModelVersion.objects.count() == 1


def test_options_and_seed_are_recorded(capsys):
    readings.fill()
    options = ["--preset", "plan", "--set", "factors=8", "--set", "iterations = 2", "--seed", "9"]
    run(capsys, "recommender_train", "books", "--engine", "als", *options)
    version = ModelVersion.objects.get()
    assert (version.config["factors"], version.config["iterations"], version.config["alpha"]) == (8, 2, 40.0)
    assert version.seed == 9


def test_the_epochs_of_the_two_tower_have_an_option_of_their_own(settings, capsys):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "TRAINERS": readings.only("popular", "two_tower")}
    readings.fill()
    run(capsys, "recommender_train", "books", "--engine", "two_tower", "--epochs", "2", "--set", "dimension=8")
    assert ModelVersion.objects.get().config["epochs"] == 2


def test_the_help_names_every_preset():
    for key in conf.DEFAULTS["TRAINERS"]:
        for preset in trainer_of(key).Config.PRESETS:
            assert preset in recommender_train.PRESETS


def test_a_dataset_is_learned_from_as_it_is(capsys):
    readings.fill()
    path = export_dataset(get_use_case("books")).path
    Reading.objects.all().delete()
    run(capsys, "recommender_train", "books", "--engine", "als", "--dataset", str(path))
    assert ModelVersion.objects.get().dataset_fingerprint == path.name


def test_data_too_thin_to_measure_say_so(capsys):
    readings.fill()
    Reading.objects.update(at=Reading.objects.first().at)
    assert "als_v1: Not measured: nobody" in run(capsys, "recommender_train", "books", "--engine", "als")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "no use case 'nonsense'. Registered: books, "),
        (["books", "--engine", "nonsense"], "no trainer for 'nonsense': choose from popular, trending, als"),
        (["books", "--set", "factors=8"], "belong to one engine: name it"),
        (["books", "--engine", "als", "--set", "factors"], "--set factors: write name=value"),
        (["books", "--engine", "als", "--set", "=8"], "--set =8: write name=value"),
        (["books", "--engine", "als", "--set", "colour=red"], "Unknown option colour"),
        (["books", "--engine", "als", "--epochs", "3"], "Unknown option epochs"),
        (["books", "--engine", "als", "--preset", "nonsense"], "no preset 'nonsense'"),
        (["books", "movies", "--dataset", "."], "--dataset belongs to one use case"),
        (["books", "--all", "--engine", "als"], "--all trains every engine: leave out --engine"),
        (["books", "--engine", "als", "--dataset", "."], "books als: There is no dataset in"),
        (["books", "--engine", "als"], "books als: Use case 'books' has no interactions"),
    ],
)
def test_mistakes_are_one_line(root, arguments, message):
    with pytest.raises(CommandError, match=message) as raised:
        call_command("recommender_train", *arguments, verbosity=0)
    assert "\n" not in str(raised.value)
    assert raised.value.returncode == 1
    assert not list(root.glob("**/*"))


def test_an_engine_that_fails_does_not_keep_the_others_from_being_trained(settings, capsys):
    readings.fill()
    paths = readings.only("trending", "als", popular=f"{odd_trainers.MODULE}.Diverging")
    settings.RECOMMENDER = {**settings.RECOMMENDER, "TRAINERS": paths}
    with pytest.raises(CommandError, match="books popular: It diverged"):
        run(capsys, "recommender_train", "books", "--promote")
    assert live_names() == ["als_v1", "trending_v1"]
    assert set(ModelVersion.objects.get(engine="als").metrics["engines"]) == {"trending", "als"}
    assert list(TrainingRun.objects.order_by("pk").values_list("status", flat=True)) == [
        "failed",
        "succeeded",
        "succeeded",
    ]


def test_too_little_data_is_one_line_and_a_skipped_run(settings):
    readings.fill()
    settings.RECOMMENDER = {**settings.RECOMMENDER, "MIN_USERS": 13}
    with pytest.raises(CommandError, match=r"Too little to learn from: 12 users \(at least 13\)"):
        call_command("recommender_train", "books", "--engine", "als", verbosity=0)
    assert TrainingRun.objects.get().status == "skipped"


def test_ctrl_c_ends_with_one_line_and_the_shells_exit_code(settings):
    readings.fill()
    paths = readings.only("trending", popular=f"{odd_trainers.MODULE}.Interrupted")
    settings.RECOMMENDER = {**settings.RECOMMENDER, "TRAINERS": paths}
    with pytest.raises(CommandError, match="Interrupted: what was not live yet stays out") as raised:
        call_command("recommender_train", "books", "--engine", "popular", verbosity=0)
    assert raised.value.returncode == 130
    assert TrainingRun.objects.get().status == "failed"


def test_a_database_that_is_not_migrated_is_one_line():
    def refuse(execute, sql, params, many, context):
        raise OperationalError("no such table: recommender_app_trainingrun\nmore")

    with connection.execute_wrapper(refuse), pytest.raises(CommandError, match="Is it migrated") as raised:
        call_command("recommender_train", "books", "--engine", "als", verbosity=0)
    assert "\n" not in str(raised.value)


def test_without_any_use_case_it_says_how_to_declare_one(monkeypatch):
    monkeypatch.setattr("recommender_app.usecases.site._registered", {})
    for command in ("recommender_train", "recommender_models"):
        with pytest.raises(CommandError, match="No use case is declared"):
            call_command(command)


def test_evaluation_prints_a_table_and_how_it_was_measured(capsys, tmp_path):
    readings.fill()
    numbers = tmp_path / "numbers.json"
    printed = run(capsys, "recommender_evaluate", "books", "--split", "random", "--seed", "5", "--json", str(numbers))
    written = json.loads(numbers.read_text())
    assert list(written["engines"]) == ["popular", "trending", "als"]
    assert (written["n_users"], written["seed"]) == (readings.N_READERS, 5)
    rows = rows_of(printed)
    assert rows["als"][0] == f"{written['engines']['als']['precision@10']:.4f}"
    assert f"({written['protocol']})" in printed
    assert not ModelVersion.objects.exists()


def test_evaluation_measures_the_engines_that_are_asked_for(capsys):
    readings.fill()
    path = export_dataset(get_use_case("books")).path
    Reading.objects.all().delete()
    arguments = ["--engines", "popular", "--split", "last", "--dataset", str(path)]
    rows = rows_of(run(capsys, "recommender_evaluate", "books", *arguments, verbosity=0))
    assert "popular" in rows
    assert "als" not in rows


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "no use case 'nonsense'"),
        (["books", "--engines", "als,nonsense"], "no trainer for 'nonsense'"),
        (["books", "--split", "nonsense"], "no split 'nonsense': choose from temporal, random, last, leave-last-out"),
        (["books", "--json", "/nowhere/numbers.json"], "Cannot write /nowhere/numbers.json: No such file or directory"),
    ],
)
def test_mistakes_of_an_evaluation_are_one_line(arguments, message):
    readings.fill()
    with pytest.raises(CommandError, match=message) as raised:
        call_command("recommender_evaluate", *arguments, verbosity=0)
    assert "\n" not in str(raised.value)
