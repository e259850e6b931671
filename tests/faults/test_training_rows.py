"""Rows 67 and 68: data that no model should be made of, and keys that nothing may stumble over."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from django.db.models import Value

from recommender_app import Interactions
from recommender_app.artifacts.store import ArtifactStore
from recommender_app.conf import settings as app_settings
from recommender_app.dataset.folder import write_dataset
from recommender_app.dataset.ids import IdMap
from recommender_app.exceptions import DatasetError
from recommender_app.models import ModelVersion, TrainingRun
from recommender_app.training.lifecycle import retrain
from recommender_app.training.run import train_model
from recommender_app.usecases.site import get_use_case
from tests.app import library, readings
from tests.app.registered import live_names
from tests.core.toys import two_tastes
from tests.toyhost.models import Reader, Reading

pytestmark = pytest.mark.django_db
ENGINES = ("popular", "trending", "als", "content_based", "item_graph", "ensemble")
BEFORE = ["als_v1", "popular_v1"]


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    values = {"ARTIFACT_ROOT": tmp_path, "N_THREADS": 1, "TRAINERS": readings.only(*ENGINES)}
    settings.RECOMMENDER = {**settings.RECOMMENDER, **values}
    return tmp_path


@pytest.fixture
def books():
    """A library with popularity and ALS live."""
    filled = readings.fill()
    retrain(get_use_case("books"), ["popular", "als"], by="test")
    assert live_names() == BEFORE
    return filled


def train(*engines):
    """Train engines; return {engine: (how its run ended, why)}."""
    last = TrainingRun.objects.latest("pk").pk
    retrain(get_use_case("books"), engines or ENGINES, by="test")
    return {run.engine: (run.status, run.reason) for run in TrainingRun.objects.filter(pk__gt=last)}


def declare(monkeypatch, **attributes):
    for name, value in attributes.items():
        monkeypatch.setattr(type(get_use_case("books")), name, value)


@pytest.mark.parametrize("weight", [float("nan"), float("inf"), -float("inf"), 1e30])
def test_row_67_weights_that_are_no_numbers_fail_with_a_reason(books, monkeypatch, weight):
    declare(monkeypatch, weights={"like": weight})
    assert [status for status, _ in train().values()] == ["failed"]
    assert "is not a finite number within" in TrainingRun.objects.latest("pk").reason
    assert live_names() == BEFORE


@pytest.mark.parametrize("strength", [float("nan"), float("inf"), None])
def test_row_67_strengths_that_are_no_numbers_fail_with_a_reason(books, monkeypatch, strength):
    table = Interactions(Reading, user="reader", item="book", event="kind", at="at", strength=Value(strength))
    declare(monkeypatch, interactions=table)
    assert [status for status, _ in train().values()] == ["failed"]
    assert "is not a finite number within" in TrainingRun.objects.latest("pk").reason
    assert live_names() == BEFORE


def test_row_67_dislikes_alone_teach_nobody_what_to_recommend(books):
    Reading.objects.update(kind="dislike")
    ended = train()
    assert {status for status, _ in ended.values()} == {"skipped"}
    assert {reason.partition(":")[0] for _, reason in ended.values()} == {"Too little to learn from"}
    assert live_names() == BEFORE


def test_row_67_a_table_without_rows_fails_with_a_reason(books):
    Reading.objects.all().delete()
    ((status, reason),) = train().values()
    assert (status, "has no interactions to export" in reason) == ("failed", True)
    assert live_names() == BEFORE


def test_row_67_the_same_row_fifty_times_counts_as_one_user(books):
    rows = [Reading(reader=row.reader, book=row.book, kind=row.kind, at=row.at) for row in Reading.objects.all()]
    Reading.objects.bulk_create(rows * 49)
    assert {status for status, _ in train("popular", "als").values()} == {"succeeded"}
    store = ArtifactStore(app_settings.artifact_root)
    first, second = (store.open("books", "popular", f"popular_v{number}").engine.counts for number in (1, 2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("of", ["user", "item"])
@pytest.mark.parametrize("is_enough", [False, True])
def test_row_67_one_user_or_one_item_trains_or_is_skipped_and_never_goes_live(books, settings, of, is_enough):
    if is_enough:
        minimum = {"MIN_USERS": 1, "MIN_ITEMS": 1, "MIN_INTERACTIONS": 1}
        settings.RECOMMENDER = {**settings.RECOMMENDER, **minimum}
    kept = {"reader": Reader.objects.first()} if of == "user" else {"book": books[0]}
    Reading.objects.exclude(**kept).delete()
    if of == "item":  # each reader has an earlier and a later moment
        for reader in Reader.objects.all():
            Reading.objects.create(reader=reader, book=books[0], kind="view", at=library.START + timedelta(days=50))
    ended = train()
    assert {status for status, _ in ended.values()} <= ({"succeeded", "skipped"} if is_enough else {"skipped"})
    assert all(reason for status, reason in ended.values() if status == "skipped")
    assert live_names() == BEFORE


@pytest.mark.parametrize("values", [[1, "2"], ["a", b"a"], [1, 1.5], [True, 1], [None]])
def test_row_68_ids_of_several_kinds_are_refused_in_one_line(values):
    with pytest.raises(DatasetError) as raised:
        IdMap.from_values(values)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("values", [["a\0b"], [2**63], [-(2**63) - 1]])
def test_row_68_ids_that_no_array_holds_are_refused_in_one_line(values):
    with pytest.raises(DatasetError, match="is not a usable"):
        IdMap.from_values(values)


NAMES = ("x" * 300, "книга", "本", "📚" * 20, " ", "a b", "../../etc/passwd", "'; DROP TABLE books; --", "é", "é")


@pytest.mark.parametrize("engine", ENGINES)
def test_row_68_long_and_odd_keys_come_back_as_they_were(tmp_path, engine):
    toy = two_tastes()
    names = [f"{NAMES[number % len(NAMES)]}{number}" for number in range(toy.n_items)]
    items = IdMap.from_values(names)
    assert set(items.ids(range(len(items)))) == set(names)
    odd = replace(toy, items=items, users=IdMap.from_values([f"\u202e{NAMES[0]}{row}" for row in range(toy.n_users)]))
    write_dataset(odd, tmp_path / "dataset")
    overrides = {"members": "popular,als"} if engine == "ensemble" else {}
    trained = train_model(get_use_case("books"), engine, dataset_path=tmp_path / "dataset", overrides=overrides)
    assert ModelVersion.objects.get() == trained.version
    opened = ArtifactStore(app_settings.artifact_root).open("books", engine, trained.version.name)
    assert opened.items == items
    if engine != "ensemble":
        history = items.ids(odd.positives[0].indices)
        found = [result.id for result in opened.recommend(history, k=3)]
        assert found
        assert set(found) <= set(names) - set(history)
