"""Switches of the environment: parsed, checked, and never in the way of a request."""

import os
from pathlib import Path

import pytest

from recommender_app.artifacts.pins import Pin, parse_pin
from recommender_app.artifacts.store import ArtifactStore
from recommender_app.checks.declarations import declaration_problems
from recommender_app.checks.settings import settings_problems
from recommender_app.checks.switches import switch_problems
from recommender_app.conf import environment_switches
from recommender_app.engines.catalog import engine_keys
from recommender_app.environment import PATHS, SWITCHES, WEIGHTS, ensemble_weights
from recommender_app.exceptions import ArtifactError
from recommender_app.models import Release, policy_rules
from recommender_app.serving import live, router
from recommender_app.serving.policies import decide
from recommender_app.serving.service import recommend
from recommender_app.usecases.site import get_use_case
from tests.app import library
from tests.app.declarations import short_ids
from tests.app.processes import ROOT, run_python, sqlite

VARIABLES = (*SWITCHES, *PATHS, *WEIGHTS)


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    settings.RECOMMENDER = {
        **settings.RECOMMENDER,
        "ARTIFACT_ROOT": str(tmp_path),
        "RELOAD_SECONDS": 0.0,
        "COLD_START_THRESHOLD": 1,
        "WARM_USER_THRESHOLD": 3,
    }
    return tmp_path


def set_environment(settings, **variables):
    settings.RECOMMENDER = {**settings.RECOMMENDER, **environment_switches(variables)}


def problems(settings, **variables):
    set_environment(settings, **variables)
    return [*settings_problems(), *switch_problems()]


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("1", True), ("Yes", True), ("ON", True), ("false", False), ("0", False), (" no ", False)],
)
def test_a_switch_is_read(text, value):
    assert environment_switches({"ENABLE_ALS": text}) == {"ENABLE_ALS": value}


def test_what_is_not_set_or_blank_is_left_to_others():
    assert environment_switches({}) == {}
    assert environment_switches(dict.fromkeys(VARIABLES, " ") | {"HOME": "/root"}) == {}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *[(name, text) for name in SWITCHES for text in ("maybe", "2", "None")],
        *[(name, text) for name in WEIGHTS for text in ("much", "1.01", "-0.1", "nan", "inf", "0,6")],
    ],
)
@pytest.mark.django_db
def test_nonsense_is_an_error_that_names_the_variable_and_counts_as_not_set(settings, name, text):
    (problem,) = problems(settings, **{name: text})
    assert problem.id == "recommender_app.E003"
    assert name in problem.msg
    policy = decide("books")
    assert (policy.weights, policy.disabled, policy.name) == (None, frozenset(), "default")


@pytest.mark.parametrize(
    ("als", "two_tower", "expected"),
    [
        (0.6, 0.4, (0.6, 0.4)),
        (0.5, 0.3, (0.625, 0.375)),
        (0.7, None, (0.7, 0.3)),
        (None, 0.1, (0.9, 0.1)),
        (1, None, (1, 0)),
        (0, None, (0, 1)),
        (1, 1, (0.5, 0.5)),
    ],
)
def test_weights_sum_to_one_and_one_alone_implies_the_other(als, two_tower, expected):
    weights = ensemble_weights(als, two_tower)
    assert (weights["als"], weights["two_tower"]) == pytest.approx(expected)


def test_no_weights_are_no_weights():
    assert ensemble_weights(None, None) is None
    assert ensemble_weights(0, 0) is None


def test_both_weights_zero(settings):
    (problem,) = problems(settings, ENSEMBLE_ALS_WEIGHT="0", ENSEMBLE_TWO_TOWER_WEIGHT="0.0")
    assert problem.id == "recommender_app.E008"
    assert "ENSEMBLE_ALS_WEIGHT" in problem.msg


@pytest.mark.parametrize("path", ["models/books/als/als_v2", "books/als/als_v2", "models/./books/als/als_v2/"])
def test_a_path_names_an_artifact(root, path):
    assert parse_pin(root, "als", path) == Pin("books", "als", "als_v2")
    assert parse_pin(root, "als", root / "models" / "books" / "als" / "als_v2") == Pin("books", "als", "als_v2")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("als.pkl", "runs code"),
        ("models/books/als/als_v1.PKL", "runs code"),
        ("two_tower.pth", "runs code"),
        ("model.pt", "runs code"),
        ("../models/books/als/als_v1", "outside"),
        ("models/../../books/als/als_v1", "outside"),
        ("/etc/passwd", "outside"),
        ("models/books/als", "names no artifact"),
        ("models/books/als/als_v1/item_ids.npy", "names no artifact"),
        ("models/Books/als/als_v1", "names no artifact"),
        ("models/books/two_tower/two_tower_v1", "not of als"),
    ],
)
def test_paths_that_name_none(root, path, message):
    with pytest.raises(ArtifactError, match=message):
        parse_pin(root, "als", path)


@pytest.mark.django_db
def test_the_check_names_the_folder_to_use(settings):
    (problem,) = problems(settings, ALS_MODEL_PATH="als.pkl")
    assert problem.id == "recommender_app.E009"
    assert "ALS_MODEL_PATH" in problem.msg
    assert "recommender_train --engine als" in problem.hint
    assert "ALS_MODEL_PATH=models/<use case>/als/als_v1" in problem.hint
    books = library.add_shelves(1)
    library.publish("als_v1", library.als_engine(books), books)
    (problem,) = problems(settings, ALS_MODEL_PATH="als.pkl")
    assert problem.hint == "Name an artifact folder: ALS_MODEL_PATH=models/books/als/als_v1"


@pytest.mark.django_db
def test_a_pin_that_is_right_has_no_problem(settings):
    books = library.add_shelves(1)
    library.publish("als_v1", library.als_engine(books), books)
    assert problems(settings, ALS_MODEL_PATH="models/books/als/als_v1") == []
    assert problems(settings, ALS_MODEL_PATH="") == []


@pytest.mark.django_db
def test_pins_of_missing_moved_and_undeclared_artifacts(settings, root):
    books = library.add_shelves(1)
    assert short_ids(problems(settings, ALS_MODEL_PATH="models/books/als/als_v1")) == ["E009"]
    library.publish("als_v1", library.als_engine(books), books)
    folder = root / "models" / "books" / "als" / "als_v1"
    folder.rename(folder.with_name("als_v7"))
    (problem,) = problems(settings, ALS_MODEL_PATH="models/books/als/als_v7")
    assert "somebody moved it" in problem.msg
    ArtifactStore(root).publish("bokks", "als_v1", library.als_engine(books), library.ids_of(books))
    (problem,) = problems(settings, ALS_MODEL_PATH="models/bokks/als/als_v1")
    assert (problem.id, problem.hint) == ("recommender_app.E009", "Did you mean 'books'?")


@pytest.fixture
def two_versions(db):
    books = library.add_shelves(3)
    library.publish("als_v1", library.als_engine(books), books)
    library.publish("als_v2", library.als_engine(books[::-1]), books[::-1])
    library.publish("popular_v1", library.popular_engine(books), books)
    library.put_live(1, "als_v2", "popular_v1")
    return books


def test_a_pinned_artifact_serves_instead_of_the_releases_version(settings, two_versions):
    reader = library.add_reader(likes=(two_versions[0],))
    assert recommend(reader, "books", 2).model_version == "als_v2"
    set_environment(settings, ALS_MODEL_PATH="models/books/als/als_v1")
    answer = recommend(reader, "books", 2)
    assert (answer.engine, answer.model_version, answer.release) == ("als", "als_v1", 1)
    release = live.current("books")
    assert (release.pinned, release.versions["popular"]) == ({"als"}, "popular_v1")


def test_a_pin_adds_an_engine_that_the_release_does_not_have(settings, two_versions):
    library.put_live(2, "popular_v1")
    set_environment(settings, ALS_MODEL_PATH="books/als/als_v2")
    answer = recommend(library.add_reader(likes=(two_versions[0],)), "books", 2)
    assert (answer.engine, answer.model_version, answer.fallback_reason) == ("als", "als_v2", "")


def test_a_pin_without_a_live_release_serves_nothing(settings, two_versions):
    Release.objects.update(status="retired")
    set_environment(settings, ALS_MODEL_PATH="books/als/als_v2")
    assert live.current("books") is None


def test_a_pinned_artifact_that_does_not_open_falls_back_and_is_named(settings, two_versions, root, caplog):
    (root / "models" / "books" / "als" / "als_v1" / "manifest.json").unlink()
    set_environment(settings, ALS_MODEL_PATH="models/books/als/als_v1")
    answer = recommend(library.add_reader(likes=(two_versions[0],)), "books", 2)
    assert (answer.engine, answer.fallback_reason) == ("popular", "artifact_damaged")
    assert live.current("books").versions["als"] == "als_v1"
    assert "als_v1" in caplog.text


def test_a_pin_for_another_use_case_changes_nothing_here(settings, two_versions):
    set_environment(settings, ALS_MODEL_PATH="models/movies/als/als_v9")
    assert live.current("books").versions["als"] == "als_v2"


@pytest.mark.parametrize("path", ["als.pkl", "../../x", "a\0b", 7])
def test_a_path_that_names_nothing_is_logged_and_the_release_serves(settings, two_versions, caplog, path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ALS_MODEL_PATH": path}
    answer = recommend(library.add_reader(likes=(two_versions[0],)), "books", 2)
    assert answer.model_version == "als_v2"
    assert "ALS_MODEL_PATH is ignored" in caplog.text


def test_a_switched_off_engine_does_not_answer(settings, two_versions):
    reader = library.add_reader(likes=(two_versions[0],))
    set_environment(settings, ENABLE_ALS="false")
    answer = recommend(reader, "books", 2)
    assert (answer.engine, answer.fallback_reason, answer.policy) == ("popular", "switched_off", "environment")


def test_the_example_file_documents_every_variable():
    written = (ROOT / ".env.example").read_text()
    assert all(f"#{name}=" in written for name in VARIABLES)


def test_the_demo_reads_the_switches_from_its_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("ENABLE_TWO_TOWER", "false")
    monkeypatch.setenv("ENSEMBLE_ALS_WEIGHT", "0.25")
    monkeypatch.setenv("ENABLE_ALS", "perhaps")
    code = (
        "from recommender_app.conf import settings\n"
        "from recommender_app.serving.policies import decide\n"
        "print(settings.ENABLE_TWO_TOWER, settings.ENSEMBLE_ALS_WEIGHT, settings.ENABLE_ALS)\n"
        "print(decide('books').weights, sorted(decide('books').disabled))"
    )
    printed = run_python(tmp_path, code, sqlite(tmp_path / "empty.sqlite3"), tmp_path)
    assert printed.splitlines() == ["False 0.25 perhaps", "{'als': 0.25, 'two_tower': 0.75} ['two_tower']"]


def test_the_app_itself_does_not_read_the_environment_for_switches():
    sources = Path(ROOT / "recommender_app").rglob("*.py")
    readers = [path.name for path in sources if "os.environ" in path.read_text() and "ENABLE_" in path.read_text()]
    assert readers == ["environment.py"]  # in its docstring
    assert "import os" not in (ROOT / "recommender_app" / "environment.py").read_text()
    assert os.environ.get("ENABLE_ALS") is None


@pytest.mark.parametrize(
    ("routes", "message"),
    [
        ([(0, "alz")], "There is no engine 'alz'"),
        (((5, "als"),), "must begin at 0"),
        (((0, "als"), (-5, "als")), "whole number"),
        ("als", "list of pairs"),
        (7, "list of pairs"),
    ],
)
def test_declared_routes_are_checked(routes, message, monkeypatch):
    use_case = get_use_case("books")
    monkeypatch.setattr(type(use_case), "routes", routes)
    (problem,) = [problem for problem in declaration_problems(use_case) if problem.id == "recommender_app.E016"]
    assert message in problem.msg


def test_good_routes_have_no_problem(monkeypatch):
    monkeypatch.setattr(type(get_use_case("books")), "routes", ((0, "popular"), (5, "item_graph")))
    assert declaration_problems(get_use_case("books")) == []


def test_policies_and_the_router_mean_the_same_by_newest():
    assert policy_rules.NEWEST == router.NEWEST
    assert policy_rules.ENSEMBLE in engine_keys()
