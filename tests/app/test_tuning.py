"""The search for options: what comes first, what is given up, what survives a crash."""

import subprocess
import sys
from collections import Counter
from dataclasses import dataclass

import pytest

from recommender_app.dataset.splits import random_split
from recommender_app.exceptions import ConfigurationError, TrainingError
from recommender_app.trainers.als import ALSTrainer
from recommender_app.trainers.ensemble import EnsembleConfig, EnsembleTrainer
from recommender_app.training.search_spaces import search_space
from recommender_app.training.tuning import Limits, study_path, tune
from recommender_app.training.tuning_data import TuningData
from recommender_app.training.tuning_plot import draw_trials
from recommender_app.training.tuning_study import N_RANDOM, TuningStudy
from recommender_app.training.tuning_trials import Outcome, Trial, TuningResult
from tests.app import readings
from tests.core.toys import two_tastes

ENGINES = ("popular", "trending", "als", "item_knn", "item_graph", "two_tower", "content_based", "ensemble")
MODULE = __name__


class InterruptedALS(ALSTrainer):
    """Somebody presses Ctrl-C in the training number ``at``."""

    at, n_trained = 0, 0

    def train_watched(self, *arguments):
        """Count, and stop."""
        InterruptedALS.n_trained += 1
        if InterruptedALS.n_trained == InterruptedALS.at:
            raise KeyboardInterrupt
        return super().train_watched(*arguments)


class PickyALS(ALSTrainer):
    """Diverges with the options of the plan."""

    def train_watched(self, dataset, config, *others):
        """Diverge."""
        if config.alpha == 40.0:
            raise TrainingError("ALS diverged.")
        return super().train_watched(dataset, config, *others)


@dataclass(frozen=True)
class SmallEnsembleConfig(EnsembleConfig):
    """Members that learn in a moment."""

    members: str = "popular,als"
    validation: str = "random"


class SmallEnsemble(EnsembleTrainer):
    """The ensemble with these."""

    Config = SmallEnsembleConfig


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    values = {"ARTIFACT_ROOT": tmp_path, "N_THREADS": 1, "TRAINERS": readings.only(*ENGINES)}
    settings.RECOMMENDER = {**settings.RECOMMENDER, **values}
    return tmp_path


@pytest.fixture
def use(settings):
    """Let a trainer of this file take the place of ALS."""

    def put(name: str) -> None:
        paths = readings.only("popular", als=f"{MODULE}.{name}")
        settings.RECOMMENDER = {**settings.RECOMMENDER, "TRAINERS": paths}

    return put


@pytest.fixture
def toy() -> TuningData:
    return TuningData(random_split(two_tastes(), 0.2, seed=0), "toy", "", 3)


def found(result: TuningResult) -> list[tuple]:
    """Return everything of the trials but their time."""
    return [(trial.origin, dict(trial.options), trial.outcome, trial.value) for trial in result.trials]


def study_of(path, seed=0, *, resume=True) -> TuningStudy:
    defaults = {"factors": 64, "regularization": 20.0, "alpha": 2.0, "iterations": 10, "normalization": 0.5}
    presets = ALSTrainer.Config.PRESETS
    return TuningStudy(path / "als.log", "one", search_space("als"), defaults, presets, seed, resume=resume)


def test_the_default_and_the_plan_come_first_and_the_best_is_never_worse(toy):
    result = tune(toy, "als", Limits(n_trials=3), seed=1)
    assert [trial.origin for trial in result.trials] == ["default", "plan", ""]
    assert result.trials[0].options == {}
    assert result.trials[1].options == ALSTrainer.Config.PRESETS["plan"]
    assert result.best.value >= result.default.value


def test_the_same_seed_and_number_of_trials_find_the_same(toy):
    once = tune(toy, "als", Limits(n_trials=8), seed=1, preset="plan")
    assert found(tune(toy, "als", Limits(n_trials=8), seed=1, preset="plan")) == found(once)
    assert found(tune(toy, "als", Limits(n_trials=3), seed=2, preset="plan"))[2] != found(once)[2]


def test_a_search_that_was_stopped_and_resumed_is_the_one_that_was_not(toy, use):
    use("InterruptedALS")
    InterruptedALS.at, InterruptedALS.n_trained = 5, 0
    stopped = tune(toy, "als", Limits(n_trials=8), seed=1, preset="plan")
    assert stopped.was_interrupted
    assert len(stopped.trials) == 4
    resumed = tune(toy, "als", Limits(n_trials=8), seed=1, preset="plan", resume=True)
    assert (resumed.n_resumed, len(resumed.trials)) == (4, 8)
    assert InterruptedALS.n_trained == 9, "nothing was measured twice"
    assert found(tune(toy, "als", Limits(n_trials=8), seed=1, preset="plan")) == found(resumed)


def test_an_interrupt_before_anything_was_found_is_an_interrupt(toy, use):
    use("InterruptedALS")
    InterruptedALS.at, InterruptedALS.n_trained = 1, 0
    with pytest.raises(KeyboardInterrupt):
        tune(toy, "als", Limits(n_trials=3), seed=1)


def test_without_resume_a_search_begins_again_and_others_stay(toy):
    tune(toy, "als", Limits(n_trials=3), seed=1)
    tune(toy, "als", Limits(n_trials=2), seed=2)
    assert len(tune(toy, "als", Limits(n_trials=1), seed=2).trials) == 1
    assert tune(toy, "als", Limits(n_trials=1), seed=1, resume=True).n_resumed == 3


def test_a_line_that_a_crash_has_torn_costs_no_more_than_its_trial(toy):
    before = tune(toy, "als", Limits(n_trials=3), seed=1)
    with study_path(toy, "als").open("a") as journal:
        journal.write('{"op_code":4,"worker')
    after = tune(toy, "als", Limits(n_trials=4), seed=1, resume=True)
    assert found(after)[:3] == found(before)
    assert len(tune(toy, "als", Limits(n_trials=4), seed=1, resume=True).trials) == 4


@pytest.mark.parametrize(
    "content", ["nonsense\n\n", "[1]\n[2]\n", '{"op_code": 99}\n', '{"op_code": 1}\n', "\x00\n\x00\n"]
)
def test_a_file_that_is_no_search_is_named(toy, content):
    path = study_path(toy, "als")
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(ConfigurationError, match=r"als\.log cannot be used as the file of a search .*: move it away"):
        tune(toy, "als", Limits(n_trials=1), seed=1, resume=True)


def test_a_folder_in_the_place_of_the_file_is_named(toy):
    study_path(toy, "als").mkdir(parents=True)
    with pytest.raises(ConfigurationError, match="IsADirectoryError"):
        tune(toy, "als", Limits(n_trials=1), seed=1)


def test_the_default_wins_ties():
    values = [("", 0.5), ("default", 0.5), ("plan", 0.4)]
    trials = tuple(
        Trial(place, origin, {}, Outcome.MEASURED, value, 1.0) for place, (origin, value) in enumerate(values)
    )
    assert TuningResult("als", "ndcg@10", 0, trials, "").best.origin == "default"


def test_what_was_given_up_is_never_the_best():
    trials = (
        Trial(0, "default", {}, Outcome.MEASURED, 0.5, 1.0),
        Trial(1, "", {}, Outcome.PRUNED, 0.9, 1.0),
        Trial(2, "", {}, Outcome.FAILED, None, 1.0, "It diverged."),
    )
    assert TuningResult("als", "ndcg@10", 0, trials, "").best.number == 0


def test_a_trial_below_the_median_on_its_way_is_given_up(tmp_path):
    study = study_of(tmp_path)
    for place in range(N_RANDOM):
        asked = study.ask()
        assert not asked.is_hopeless(0, 0.1 * place), "too few to compare with"
        study.tell(asked, Outcome.MEASURED, 0.5)
    bad, good = study.ask(), study.ask()
    assert not good.is_hopeless(0, 0.9)
    assert bad.is_hopeless(0, 0.1)
    study.tell(bad, Outcome.PRUNED)
    trial = study.trials()[-1]
    assert (trial.outcome, trial.value) == (Outcome.PRUNED, 0.1)


def test_a_search_measures_als_on_its_way(toy, monkeypatch):
    steps = []
    monkeypatch.setattr(
        "recommender_app.training.tuning_study.Asked.is_hopeless", lambda self, step, value: steps.append(step)
    )
    tune(toy, "als", Limits(n_trials=1), seed=1)
    assert steps == [0, 1]


def test_options_that_fail_are_told_and_the_search_goes_on(toy, use):
    use("PickyALS")
    result = tune(toy, "als", Limits(n_trials=3), seed=1)
    assert (result.trials[1].outcome, result.trials[1].reason) == (Outcome.FAILED, "ALS diverged.")
    assert result.trials[2].outcome == Outcome.MEASURED


def test_a_budget_is_looked_at_between_trials(toy):
    assert len(tune(toy, "als", Limits(seconds=1e-9), seed=1).trials) == 1


def test_a_space_that_is_exhausted_ends_the_search(toy):
    result = tune(toy, "item_knn", Limits(n_trials=10_000), seed=1)
    assert result.is_exhausted
    tried = {trial.options.get("neighbours", 100) for trial in result.trials}
    assert tried == {20, 50, 100, 200, 400}
    assert result.best.origin == "default", "with thirteen items all are the same"


def test_the_members_of_an_ensemble_are_trained_once(toy, settings, monkeypatch):
    paths = readings.only("popular", ensemble=f"{MODULE}.SmallEnsemble")
    settings.RECOMMENDER = {**settings.RECOMMENDER, "TRAINERS": paths}
    n_trained = Counter()
    train = ALSTrainer.train
    monkeypatch.setattr(ALSTrainer, "train", lambda self, *args: n_trained.update(["als"]) or train(self, *args))
    result = tune(toy, "ensemble", Limits(n_trials=5), seed=1, preset="recipe")
    assert len({str(trial.options) for trial in result.trials}) > 2
    assert n_trained["als"] == 2, "on the train part, and on that without what the weights are fitted on"
    assert result.best.value >= result.default.value


def test_the_plot_shows_every_kind_of_trial(tmp_path):
    trials = (
        Trial(0, "default", {}, Outcome.MEASURED, 0.5, 1.0),
        Trial(1, "", {}, Outcome.PRUNED, 0.2, 1.0),
        Trial(2, "", {}, Outcome.FAILED, None, 1.0, "It diverged."),
        Trial(3, "", {}, Outcome.MEASURED, 0.6, 1.0),
    )
    result = TuningResult("als", "ndcg@10", 0, trials, "")
    for name in ("one.svg", "two.svg", "one.png"):
        draw_trials(result, tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")


def test_nothing_heavy_is_imported_before_a_search_begins():
    code = (
        "import django, sys; django.setup(); import recommender_app.management.commands.recommender_tune;"
        "found = {'optuna', 'matplotlib', 'torch', 'implicit', 'sqlalchemy'} & set(sys.modules);"
        "sys.exit(str(found) if found else 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
