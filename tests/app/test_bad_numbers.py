"""Numbers that are none: seeds that no library takes, options that are not finite; told in one line, nothing begun."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from recommender_app.exceptions import ConfigurationError
from recommender_app.models import TrainingRun
from recommender_app.training.lifecycle import retrain
from recommender_app.training.run import train_model
from recommender_app.training.seeds import LARGEST_SEED, chosen_seed
from recommender_app.training.trainers import build_config, load_trainer
from recommender_app.usecases.site import get_use_case
from tests.app import readings

pytestmark = pytest.mark.django_db

NO_SEEDS = (-1, 2**32, 2**64)
TRAIN = ("recommender_train", "books", "--engine")


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    trainers = readings.only("popular", "trending", "als", "ensemble")
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": tmp_path / "root", "TRAINERS": trainers}


def said(*arguments: str) -> str:
    """Return the one line that a command ends with, which has begun nothing."""
    with pytest.raises(CommandError) as refused:
        call_command(*arguments)
    assert not TrainingRun.objects.exists()
    return str(refused.value)


@pytest.mark.parametrize("seed", NO_SEEDS)
@pytest.mark.parametrize(
    "command",
    [
        (*TRAIN, "popular"),
        (*TRAIN, "popular", "--dry-run"),
        ("recommender_evaluate", "books"),
        ("recommender_tune", "books", "--engine", "als", "--trials", "1"),
        ("recommender_benchmark", "nowhere"),
    ],
)
def test_a_seed_that_no_library_takes_is_refused_before_anything_is_read(command, seed):
    assert said(*command, "--seed", str(seed)) == f"seed {seed}: write a whole number from 0 to 4294967295."


@pytest.mark.parametrize("seed", [*NO_SEEDS, 1.5, True])
def test_python_is_told_the_same(seed):
    with pytest.raises(ConfigurationError, match=r"seed .*: write a whole number"):
        retrain(get_use_case("books"), ["popular"], by="ann", seed=seed)
    with pytest.raises(ConfigurationError, match=r"seed .*: write a whole number"):
        train_model(get_use_case("books"), "popular", seed=seed)
    assert not TrainingRun.objects.exists()


def test_the_smallest_and_the_largest_seed_train():
    readings.fill()
    for number, seed in enumerate((0, LARGEST_SEED), start=1):
        call_command(*TRAIN, "als", "--seed", str(seed), verbosity=0)
        assert TrainingRun.objects.filter(seed=seed, status="succeeded").count() == 1, number
    assert chosen_seed(None) == 42


@pytest.mark.parametrize("value", ["nan", "inf", "-Infinity", "NaN"])
@pytest.mark.parametrize(
    ("engine", "option"),
    [
        ("ensemble", "validation_fraction"),
        ("als", "regularization"),
        ("trending", "window_days"),
        ("als", "iterations"),
        ("ensemble", "member_options.als.alpha"),
    ],
)
def test_an_option_that_is_not_finite_is_refused(engine, option, value):
    name, _, member = option.partition(".")
    spelled = {"nan": "NaN", "inf": "Infinity"}.get(value, value)
    text = f'{{"als": {{"alpha": {spelled}}}}}' if member else value
    line = said(*TRAIN, engine, "--set", f"{name}={text}")
    assert f"{option.rpartition('.')[2]}=" in line
    assert "is no " in line


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, [1], {}])
@pytest.mark.parametrize("option", ["factors", "regularization"])
def test_python_values_that_are_no_numbers_are_refused(option, value):
    with pytest.raises(ConfigurationError, match=rf"{option}=.* is no"):
        build_config(load_trainer("als"), {option: value})


@pytest.mark.parametrize("options", ['{"ensemble":{}}', '{"als": {}, "ensemble": {"members": "als"}}'])
def test_an_ensemble_is_no_member_of_itself(options):
    line = said(*TRAIN, "ensemble", "--set", f"member_options={options}")
    assert line == "member_options: the ensemble is no member of itself, leave it out."
