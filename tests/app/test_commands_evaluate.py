"""``recommender_evaluate``: baselines beside what is asked for, groups of users, the page."""

import json

import pytest
from django.core.management import CommandError, call_command

from recommender_app.exceptions import NotEnoughData
from recommender_app.registry.tuned import store_tuned
from recommender_app.trainers.popularity import PopularityTrainer
from recommender_app.training.tuning_layer import tuned_overrides
from tests.app import readings

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    chosen = readings.only("popular", "trending", "item_knn", "als", "content_based")
    values = {"ARTIFACT_ROOT": tmp_path / "root", "N_THREADS": 1, "TRAINERS": chosen}
    settings.RECOMMENDER = {**settings.RECOMMENDER, **values}


def run(capsys, *arguments, **options) -> str:
    capsys.readouterr()
    call_command("recommender_evaluate", "books", *map(str, arguments), **options)
    return capsys.readouterr().out


def test_the_baselines_are_always_in_the_table(capsys, tmp_path):
    readings.fill()
    numbers = tmp_path / "numbers.json"
    printed = run(capsys, "--engines", "als", "--json", numbers)
    written = json.loads(numbers.read_text())
    assert list(written["engines"]) == ["popular", "trending", "item_knn", "als"]
    assert "against the best single engine" in printed
    assert "  measuring: newest 3: 4/4\n" in printed


def test_users_are_grouped_by_the_settings_thresholds(capsys, tmp_path, settings):
    readings.fill()
    values = {"COLD_START_THRESHOLD": 2, "WARM_USER_THRESHOLD": 4}
    settings.RECOMMENDER = {**settings.RECOMMENDER, **values}
    numbers = tmp_path / "numbers.json"
    run(capsys, "--engines", "popular", "--json", numbers, verbosity=0)
    groups = {name: group["n_users"] for name, group in json.loads(numbers.read_text())["cohorts"].items()}
    assert groups == {"hot (4+)": readings.N_READERS}


def test_the_page_is_written(capsys, tmp_path):
    readings.fill()
    run(capsys, "--engines", "als", "--html", tmp_path / "report.html", verbosity=0)
    html = (tmp_path / "report.html").read_text()
    assert html.startswith("<!doctype html>")
    assert "Recommendations compared: books" in html
    assert html.count("<svg") == 5


def test_without_names_every_engine_is_measured_with_its_options(capsys, tmp_path):
    readings.fill()
    options = ["--set", "als.factors=2", "--set", "item_knn.neighbours=3", "--json", tmp_path / "numbers.json"]
    run(capsys, *options, verbosity=0)
    engines = json.loads((tmp_path / "numbers.json").read_text())["engines"]
    assert list(engines) == ["popular", "trending", "item_knn", "als", "content_based"]


def test_tuned_options_are_those_that_a_search_has_found(capsys, tmp_path):
    readings.fill()
    store_tuned(
        "books", "als", config={"factors": 2}, metric="ndcg@10", value=0.5, n_trials=3, seed=1, dataset_fingerprint="x"
    )
    written = []
    for options in (["--tuned"], ["--set", "als.factors=2"]):
        run(capsys, "--engines", "als", *options, "--json", tmp_path / "numbers.json", verbosity=0)
        written.append(json.loads((tmp_path / "numbers.json").read_text())["engines"])
    assert written[0] == written[1]


def test_what_is_set_counts_more_than_what_was_tuned_and_members_are_trained_alike(settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "TRAINERS": readings.only("popular", "als", "ensemble")}
    for engine, config in (("als", {"factors": 2, "iterations": 3}), ("ensemble", {"fusion": "rrf"})):
        store_tuned(
            "books", engine, config=config, metric="ndcg@10", value=0.5, n_trials=3, seed=1, dataset_fingerprint="x"
        )
    found = tuned_overrides("books", ["als", "popular", "ensemble"], {"als": {"factors": "4"}})
    assert found["als"] == {"factors": "4", "iterations": 3}
    assert found["ensemble"] == {"member_options": '{"als": {"factors": 4, "iterations": 3}}', "fusion": "rrf"}
    assert found.keys() == {"als", "ensemble"}


def test_without_a_search_there_is_nothing_tuned(capsys):
    with pytest.raises(CommandError, match="no tuned options of books for als: run recommender_tune first"):
        run(capsys, "--engines", "als", "--tuned", verbosity=0)


def test_an_engine_that_cannot_learn_is_left_out_unless_it_was_asked_for(capsys, settings):
    readings.fill()
    paths = {**readings.only("popular", "als"), "content_based": f"{__name__}.Hungry"}
    settings.RECOMMENDER = {**settings.RECOMMENDER, "TRAINERS": paths}
    assert "content_based left out: It is never enough." in run(capsys, verbosity=0)
    with pytest.raises(CommandError, match="It is never enough"):
        run(capsys, "--engines", "content_based", verbosity=0)


class Hungry(PopularityTrainer):
    """Wants more data than there are."""

    def train(self, dataset, config=None, seed=0, progress=None):
        raise NotEnoughData("It is never enough.")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "als.colour=red"], "Unknown option colour"),
        (["--set", "factors=3"], "write engine.option=value"),
        (["--html", "/nowhere/report.html"], "Cannot write /nowhere/report.html"),
    ],
)
def test_mistakes_are_found_before_anything_is_trained(tmp_path, arguments, message):
    readings.fill()
    with pytest.raises(CommandError, match=message):
        call_command("recommender_evaluate", "books", *arguments, verbosity=0)
    assert not (tmp_path / "root").exists()
