"""An ensemble whose members' options change is compared with the members that serve now, not with the new ones."""

import pytest

from recommender_app.models import ModelVersion, Release, ReleaseMember
from recommender_app.trainers.als import ALSConfig
from recommender_app.trainers.ensemble import EnsembleConfig
from recommender_app.training.gate import judge
from recommender_app.training.member_options import member_options, member_recipes
from recommender_app.training.verdict import Outcome
from tests.app import gated, odd_trainers, readings

pytestmark = pytest.mark.django_db

GOOD = ALSConfig(factors=8)
BAD = ALSConfig(factors=8, iterations=1, regularization=1e9)  # it learns nothing


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    paths = readings.only("popular", "trending", "als", "ensemble")
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": tmp_path, "N_THREADS": 1, "TRAINERS": paths}


@pytest.fixture
def hold_out():
    return gated.hold_out()


def ensemble(als: ALSConfig) -> EnsembleConfig:
    return EnsembleConfig(members="als", member_options=member_options({"als": als.to_json()}))


def put_live(config: EnsembleConfig, **values) -> ModelVersion:
    """Make an ensemble live by its row; its recipe is what counts."""
    version = ModelVersion.objects.create(
        use_case="books", engine="ensemble", number=1, config=config.to_json(), **values
    )
    gated.put_live("popular")
    ReleaseMember.objects.create(release=Release.objects.get(status="live"), engine="ensemble", version=version)
    return version


def outcomes(hold_out, config) -> dict[str, Outcome]:
    return {check.name: check.outcome for check in judge("books", "ensemble", config, hold_out).checks}


def lend(hold_out, config):
    hold_out.measure("als", config)
    hold_out.lend("als", config)


def test_an_ensemble_of_worse_members_is_rejected_although_they_are_about_to_go_live(hold_out):
    put_live(ensemble(GOOD))
    lend(hold_out, BAD)
    assert outcomes(hold_out, ensemble(BAD))["quality beside the live version"] == Outcome.REJECTED


def test_an_ensemble_of_better_members_is_not_compared_with_itself(hold_out):
    put_live(ensemble(BAD))
    lend(hold_out, GOOD)
    checks = {check.name: check for check in judge("books", "ensemble", ensemble(GOOD), hold_out).checks}
    beside = checks["quality beside the live version"]
    assert beside.outcome == Outcome.PASSED
    assert beside.numbers["low"] > 0


def test_each_recipe_takes_the_member_that_it_names(hold_out):
    for config in (GOOD, BAD):
        hold_out.measure("als", config)
    hold_out.lend("als", BAD)
    for config in (GOOD, BAD):
        assert hold_out.engine("ensemble", ensemble(config)).members["als"] is hold_out.engine("als", config)


def test_threads_and_defaults_that_are_spelled_out_are_no_other_options(hold_out):
    lent = ALSConfig(n_threads=3)
    spelled = EnsembleConfig(members="als", member_options=f'{{"als": {{"iterations": {ALSConfig().iterations}}}}}')
    assert member_recipes(spelled, {"als": lent})["als"] is lent
    assert member_recipes(ensemble(GOOD), {"als": lent})["als"] == GOOD


def test_the_engine_of_a_hosts_own_trainer_is_lent_whatever_the_ensemble_says_of_it():
    lent = odd_trainers.UpsideDown.Config()
    assert member_recipes(ensemble(ALSConfig()), {"als": lent})["als"] is lent


def test_an_ensemble_with_the_same_recipe_is_compared_with_what_was_measured_then(hold_out):
    lend(hold_out, GOOD)
    then = hold_out.measurement("ensemble", ensemble(GOOD)).to_json()
    live = put_live(ensemble(GOOD), metrics=then)
    assert outcomes(hold_out, ensemble(GOOD))["recall"] == Outcome.PASSED
    fallen = then["engines"]["ensemble"] | {"recall@10": 9.0}
    live.metrics = then | {"engines": {**then["engines"], "ensemble": fallen}}
    live.save()
    assert outcomes(hold_out, ensemble(GOOD))["recall"] == Outcome.REJECTED
