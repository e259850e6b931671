"""What a search draws: sensible limits, whole spaces, the plan, single steps and parts on request."""

import pytest
from optuna.samplers import RandomSampler
from optuna.study import create_study

from recommender_app.dataset.splits import random_split
from recommender_app.exceptions import ConfigurationError, NotEnoughData
from recommender_app.trainers.als import ALSTrainer
from recommender_app.training.search_spaces import SPACES, decided_defaults, search_space
from recommender_app.training.trainers import load_trainer
from recommender_app.training.tuning import Limits, tune
from recommender_app.training.tuning_data import TuningData
from tests.app import readings
from tests.core.toys import dataset_of, table, two_tastes

ENGINES = ("popular", "trending", "als", "item_knn", "item_graph", "two_tower", "content_based", "ensemble")
DEFAULT_REGULARIZATION = 0.08 * 48**0.5  # 48 likes are left to learn from: every user hides one of five


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    values = {"ARTIFACT_ROOT": tmp_path, "N_THREADS": 1, "TRAINERS": readings.only(*ENGINES)}
    settings.RECOMMENDER = {**settings.RECOMMENDER, **values}
    return tmp_path


@pytest.fixture
def toy() -> TuningData:
    return TuningData(random_split(two_tastes(), 0.2, seed=0), "toy", "", 3)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({}, "a budget of time or a number of trials"),
        ({"seconds": 0.0}, "more than 0 minutes"),
        ({"seconds": -1.0}, "more than 0 minutes"),
        ({"seconds": float("nan")}, "more than 0 minutes"),
        ({"n_trials": 0}, "at least 1 trial, not 0"),
    ],
)
def test_limits_that_make_no_sense(limits, message):
    with pytest.raises(ConfigurationError, match=message):
        Limits(**limits)


def test_nobody_to_measure_on():
    nobody = random_split(dataset_of(table([(user, user) for user in range(12)])), 0.2)
    with pytest.raises(NotEnoughData, match="nobody to tune on"):
        tune(TuningData(nobody, "toy", "", 3), "als", Limits(n_trials=1), seed=1)


@pytest.mark.parametrize("engine", sorted(SPACES))
def test_everything_that_can_be_drawn_is_a_configuration(engine, tmp_path):
    trainer, space = load_trainer(engine), search_space(engine)
    defaults = decided_defaults(trainer.Config(), two_tastes())
    for branch in space.branches:
        study = create_study(sampler=RandomSampler(seed=0))
        for _ in range(30):
            trial = study.ask()
            drawn = {name: domain.draw(trial, name, defaults.get(name)) for name, domain in branch.domains.items()}
            config = trainer.Config.from_json({**branch.fixed, **drawn})
            written = {name: str(value) for name, value in drawn.items()}
            assert trainer.Config.from_json({**branch.fixed, **written}) == config, "as --set has it"
            study.tell(trial, 0.0)


def test_the_plan_is_in_the_spaces():
    _, plan = search_space("als").branches
    assert plan.domains["factors"].values == (64, 128, 256)
    assert plan.domains["regularization"].values == (0.01, 0.05, 0.1)
    assert plan.domains["iterations"].values == (15, 20, 30)
    assert plan.domains["alpha"].values == (20.0, 40.0, 80.0)
    fused = search_space("ensemble").branches[1].domains
    assert (fused["als_weight"].low, fused["als_weight"].high) == (0.3, 0.7)
    assert fused["fusion"].values == ("weighted", "rrf", "hybrid")


def test_single_steps_around_the_default_come_before_what_is_drawn(toy):
    trials = tune(toy, "als", Limits(n_trials=6), seed=1, preset="recipe").trials
    start = {"factors": 32, "iterations": 10, "normalization": 0.5, "popularity_exponent": 0.15}
    steps = {"regularization": (0.7838, 0.3919), "alpha": (1.225, 0.6124), "popularity_exponent": (0.1,)}
    expected = [{name: value} for name, values in steps.items() for value in values]
    for trial, step in zip(trials[1:], expected, strict=False):
        assert {name: trial.options[name] for name in step} == step
        assert {name: trial.options[name] for name in start if name not in step} == {
            name: value for name, value in start.items() if name not in step
        }


def test_a_part_of_the_space_is_drawn_from_on_request(toy):
    result = tune(toy, "als", Limits(n_trials=5), seed=1, preset="plan")
    drawn = result.trials[2:]
    assert [trial.origin for trial in result.trials[:2]] == ["default", "plan"]
    assert all(trial.options["normalization"] == 0 for trial in drawn)
    assert all(trial.options["regularization"] in (0.01, 0.05, 0.1) for trial in drawn)
    with pytest.raises(ConfigurationError, match="--preset plan: the search space of item_knn has only recipe"):
        tune(toy, "item_knn", Limits(n_trials=1), seed=1, preset="plan")


def test_what_the_data_decide_is_the_middle_of_the_search(toy):
    decided = decided_defaults(ALSTrainer.Config(), toy.split.train)
    assert decided["regularization"] == pytest.approx(DEFAULT_REGULARIZATION)
    drawn = [trial.options for trial in tune(toy, "als", Limits(n_trials=6), seed=1, preset="recipe").trials]
    low, high = DEFAULT_REGULARIZATION / 4, DEFAULT_REGULARIZATION * 4
    assert all(low <= options["regularization"] <= high for options in drawn if options)
