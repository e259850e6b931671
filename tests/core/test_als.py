"""The ALS trainer avoids the traps of its library."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from recommender_app.exceptions import ConfigurationError, NotEnoughData, TrainingError
from recommender_app.trainers.als import ALSTrainer, fit, without_mere_dislikers
from recommender_app.trainers.als_config import ALSConfig
from tests.core.toys import (
    N_GROUPED,
    NEW_ITEM,
    dataset_of,
    excluding,
    history_of,
    liked_items,
    request,
    state_bytes,
    table,
    two_tastes,
)

ONE_THREAD = ALSConfig(n_threads=1)


def test_shuffled_and_repeated_interactions_give_the_same_model() -> None:
    """implicit learns another model from duplicates than from their combination."""
    dataset = two_tastes()
    n = len(dataset.interactions)
    shuffled = dataset.interactions.select(np.random.default_rng(3).permutation(np.concatenate([np.arange(n)] * 2)))
    expected, found = (
        ALSTrainer().train(given, ONE_THREAD, seed=1) for given in (dataset, dataset.with_interactions(shuffled))
    )
    assert state_bytes(expected.state()) == state_bytes(found.state())


def test_a_trainer_can_train_again_on_another_shape() -> None:
    """Refitting one implicit object with another shape gives NaN."""
    trainer = ALSTrainer()
    trainer.train(two_tastes(), ONE_THREAD)
    engine = trainer.train(dataset_of(table([(0, 0), (1, 1), (2, 0), (2, 1)]), 3, 2), ONE_THREAD)
    assert np.isfinite(engine.item_factors).all()


def test_another_seed_gives_another_model() -> None:
    first, second = (ALSTrainer().train(two_tastes(), ONE_THREAD, seed=seed) for seed in (1, 2))
    assert not np.array_equal(first.item_factors, second.item_factors)


@pytest.mark.parametrize("asked", [1, 5, 500])
def test_factors_never_reach_the_size_of_the_matrix(asked: int) -> None:
    engine = ALSTrainer().train(two_tastes(), replace(ONE_THREAD, factors=asked))
    assert engine.item_factors.shape == (N_GROUPED + 1, min(asked, N_GROUPED - 1))


def test_users_who_only_dislike_leave_the_model_as_it_was() -> None:
    likes = [(user, item) for user in range(12) for item in liked_items(user)]
    without, with_them = (
        ALSTrainer().train(dataset_of(table(likes, dislikes), 14), ONE_THREAD)
        for dislikes in ([], [(12, 0), (12, 7), (13, 1)])
    )
    assert state_bytes(without.state()) == state_bytes(with_them.state())


def test_rows_of_users_who_only_dislike_are_emptied() -> None:
    matrix = dataset_of(table([(0, 0)], [(0, 1), (1, 0)]), 2, 2).matrix
    assert without_mere_dislikers(matrix).toarray().tolist() == [[1, -1], [0, 0]]


def test_a_disliked_item_falls_behind_its_like() -> None:
    engine = ALSTrainer().train(two_tastes(), replace(ONE_THREAD, alpha=20.0))
    liked, disliked = history_of(0), history_of(0) | {1: -1.0}
    scores = engine.score(request(liked, disliked))
    assert scores[1, 1] < scores[0, 1]


def test_an_item_nobody_touched_gets_no_opinion() -> None:
    engine = ALSTrainer().train(two_tastes(), ONE_THREAD)
    assert np.isnan(engine.score(request(history_of(0)))[0, NEW_ITEM])


@pytest.mark.parametrize(
    "likes", [[(0, 0)], [(0, 0), (0, 1)], [(0, 0), (1, 0)]], ids=["one pair", "one user", "one item"]
)
def test_too_little_data_is_refused(likes: list[tuple[int, int]]) -> None:
    with pytest.raises(NotEnoughData, match="at least 2"):
        ALSTrainer().train(dataset_of(table(likes)), ONE_THREAD)


def test_factors_that_are_not_finite_are_refused() -> None:
    confidences = two_tastes().matrix * np.float32(1e37)
    with pytest.raises(TrainingError):
        fit(confidences, replace(ONE_THREAD, factors=2, regularization=0.0), 1, lambda *_: None)


def test_the_plan_preset_trains_on_raw_weights() -> None:
    config = ALSConfig.from_json({**ALSConfig.PRESETS["plan"], "n_threads": 1})
    engine = ALSTrainer().train(two_tastes(), config)
    assert (config.factors, config.regularization, config.iterations, config.alpha) == (128, 0.01, 15, 40.0)
    assert (engine.confidence.scale, engine.confidence.user_exponent) == (40.0, 0.0)
    assert engine.candidates(request(history_of(0)), 1)[0][0, 0] in range(6)


def test_the_mean_confidence_of_what_is_liked_is_alpha() -> None:
    dataset = two_tastes()
    engine = ALSTrainer().train(dataset, replace(ONE_THREAD, alpha=7.0))
    assert engine.confidence.of(dataset.matrix, engine.item_degrees).data.mean() == pytest.approx(7.0, rel=1e-5)


def test_choices_depend_on_the_data() -> None:
    chosen = ALSConfig().resolve(two_tastes().positives)
    assert chosen.factors == N_GROUPED - 1
    assert chosen.alpha == pytest.approx(0.5 * (60 / 144) ** -0.5)
    assert chosen.regularization == pytest.approx(0.08 * 60**0.5)
    assert ALSConfig(factors=3, alpha=2.0).resolve(two_tastes().positives).factors == 3


@pytest.mark.parametrize(
    "values",
    [
        {"factors": 0},
        {"factors": "many"},
        {"regularization": -1},
        {"regularization": float("nan")},
        {"iterations": 0},
        {"alpha": 0},
        {"alpha": float("inf")},
        {"n_threads": -1},
    ],
)
def test_options_without_sense_are_refused_by_name(values: dict) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(values))):
        ALSConfig.from_json(values)


def test_progress_counts_the_iterations() -> None:
    reports: list[tuple] = []
    ALSTrainer().train(two_tastes(), replace(ONE_THREAD, iterations=3), progress=lambda *given: reports.append(given))
    assert reports == [(1, 3, "learning"), (2, 3, "learning"), (3, 3, "learning")]


def test_more_pairs_than_indices_can_count_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recommender_app.trainers.als.MAX_INTERACTIONS", 59)
    with pytest.raises(TrainingError, match="60 pairs"):
        ALSTrainer().train(two_tastes(), ONE_THREAD)


def test_a_threaded_blas_is_held_back_while_training() -> None:
    """implicit warns where OpenBLAS has threads of its own, which makes it up to 10x slower."""
    program = (
        "from tests.core.toys import two_tastes; from recommender_app.trainers.als import ALSTrainer;"
        "ALSTrainer().train(two_tastes())"
    )
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    environment["OPENBLAS_NUM_THREADS"] = "2"
    subprocess.run([sys.executable, "-W", "error::RuntimeWarning", "-c", program], env=environment, check=True)


def test_two_threads_learn_the_same_answer() -> None:
    engine = ALSTrainer().train(two_tastes(), replace(ONE_THREAD, n_threads=2))
    seen = excluding([*liked_items(3), NEW_ITEM])
    assert engine.candidates(request(history_of(3)), 1, seen)[0].tolist() == [[3]]
