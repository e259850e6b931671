"""``recommender_tune``: what is found, kept, resumed and used by the next training."""

from datetime import timedelta

import pytest

from recommender_app.dataset.splits import random_split
from recommender_app.models import ModelVersion, TunedConfig
from recommender_app.training.tuning import Limits, tune
from recommender_app.training.tuning_data import TuningData
from recommender_app.training.tuning_trials import TuningResult
from tests.app import readings
from tests.app.test_commands_training import run
from tests.core.toys import two_tastes
from tests.toyhost.models import Reading

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    trainers = readings.only("popular", "trending", "als", "item_knn", "ensemble", "item_graph")
    values = {"ARTIFACT_ROOT": tmp_path / "root", "N_THREADS": 1, "TRAINERS": trainers}
    settings.RECOMMENDER = {**settings.RECOMMENDER, **values}
    return tmp_path / "root"


@pytest.fixture
def toy() -> TuningData:
    return TuningData(random_split(two_tastes(), 0.2, seed=0), "toy", "", 3)


def fill_shelves() -> None:
    """Let readers read one after the other, so that a cut in time can fall within a day."""
    readings.fill()
    for place, reading in enumerate(Reading.objects.order_by("at", "reader_id")):
        Reading.objects.filter(pk=reading.pk).update(at=reading.at + timedelta(minutes=place))


def found(result: TuningResult) -> list[tuple]:
    """Return everything of the trials but their time."""
    return [(trial.origin, dict(trial.options), trial.outcome, trial.value) for trial in result.trials]


def test_the_default_and_the_plan_come_first(toy):
    result = tune(toy, "als", Limits(n_trials=3), seed=1)
    assert [trial.origin for trial in result.trials] == ["default", "plan", ""]
    assert result.trials[0].options == {}
    assert result.trials[1].options["alpha"] == 40.0
    assert (result.best.value or 0) >= (result.default.value or 0)
    assert "validation" not in result.protocol, "the toy names its own split"


def test_a_use_case_is_tuned_and_the_next_training_uses_it(capsys):
    fill_shelves()
    printed = run(capsys, "recommender_tune", "books", "--engine", "als", "--trials", "4", "--seed", "3")
    stored = TunedConfig.objects.get()
    assert (stored.use_case, stored.engine, stored.metric, stored.n_trials, stored.seed) == (
        "books",
        "als",
        "ndcg@10",
        4,
        3,
    )
    assert "4 trials:" in printed
    assert "validation inside train: global time cut" in printed
    assert stored.dataset_fingerprint
    TunedConfig.objects.update(config={"factors": 3, "iterations": 2})
    printed = run(capsys, "recommender_train", "books", "--engine", "als", "--set", "iterations=4")
    version = ModelVersion.objects.get()
    assert (version.config["factors"], version.config["iterations"]) == (3, 4)
    assert version.config["tuning"].startswith("ndcg@10 ")
    assert "als: options from a search: ndcg@10" in printed
