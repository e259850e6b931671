"""Engines compared on the same users of a split."""

import pytest

from recommender_app.dataset.folder import read_dataset
from recommender_app.exceptions import ConfigurationError, NotEnoughData
from recommender_app.training.comparison import SPLIT_NAMES, compare_engines, make_split
from recommender_app.training.export import export_dataset
from recommender_app.usecases.site import get_use_case
from tests.app import readings
from tests.toyhost.models import Reading

pytestmark = pytest.mark.django_db
ENGINES = ("popular", "trending", "als")


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": tmp_path, "N_THREADS": 1}


@pytest.fixture
def dataset():
    readings.fill()
    return read_dataset(export_dataset(get_use_case("books")).path)


@pytest.mark.parametrize("split", SPLIT_NAMES)
def test_each_split_measures_all_engines_on_all_readers(dataset, split):
    evaluation = compare_engines(dataset, ENGINES, split, seed=3)
    assert tuple(evaluation.engines) == ENGINES
    assert evaluation.n_users == readings.N_READERS
    assert evaluation.engines["als"]["ndcg@5"] > evaluation.engines["popular"]["ndcg@5"]


def test_the_test_fraction_is_the_setting(dataset, settings):
    assert len(make_split(dataset, "random", 0).test) == readings.N_READERS
    settings.RECOMMENDER = {**settings.RECOMMENDER, "TEST_FRACTION": 0.4}
    assert len(make_split(dataset, "random", 0).test) == 2 * readings.N_READERS


def test_the_seed_decides_the_random_split(dataset):
    first, again, other = (compare_engines(dataset, ["als"], "random", seed=seed) for seed in (3, 3, 4))
    assert first.engines == again.engines
    assert first.engines != other.engines


def test_options_reach_the_trainer_they_are_meant_for(dataset):
    plain = compare_engines(dataset, ENGINES, "temporal", seed=3)
    small = compare_engines(dataset, ENGINES, "temporal", seed=3, overrides={"als": {"factors": 1, "iterations": 1}})
    assert small.engines["popular"] == plain.engines["popular"]
    assert small.engines["als"] != plain.engines["als"]


@pytest.mark.parametrize(
    ("engines", "split", "overrides", "message"),
    [
        (["nonsense"], "temporal", {}, "no trainer for 'nonsense'"),
        (["als"], "nonsense", {}, "no split 'nonsense': choose from temporal, random, last, leave-last-out"),
        (["als"], "temporal", {"als": {"colour": 1}}, "Unknown option colour"),
    ],
)
def test_a_wrong_name_is_one_line(dataset, engines, split, overrides, message):
    with pytest.raises(ConfigurationError, match=message):
        compare_engines(dataset, engines, split, seed=3, overrides=overrides)


def test_a_split_without_test_users_is_no_comparison():
    readings.fill()
    Reading.objects.update(at=Reading.objects.first().at)
    dataset = read_dataset(export_dataset(get_use_case("books")).path)
    with pytest.raises(NotEnoughData, match="nothing to measure on with the temporal split"):
        compare_engines(dataset, ENGINES, "temporal", seed=3)
