"""Implicit-feedback matrix factorisation by alternating least squares, on ``implicit``."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits

from recommender_app.dataset.dataset import Dataset
from recommender_app.engines.confidence import Confidence
from recommender_app.engines.factors import FactorEngine
from recommender_app.exceptions import TrainingError
from recommender_app.trainers.als_config import ALSConfig
from recommender_app.trainers.base import Progress, Trainer, TrainerConfig, Watch, require_data, silent

MAX_INTERACTIONS = 1_500_000_000  # scipy's int32 indices overflow silently at 2 ** 31
DIVERGED = "ALS diverged: its factors are not finite. Raise regularization or lower alpha."


class ALSTrainer(Trainer):
    """Learns item factors (Hu, Koren and Volinsky 2008; conjugate gradient: Takács et al. 2011).

    Differs from the papers in the normalised, rescaled weights (see ``ALSConfig``) and in the
    dislikes, which are kept as preference 0 with confidence |weight|.
    """

    key = "als"
    Config = ALSConfig

    def train(
        self, dataset: Dataset, config: TrainerConfig | None = None, seed: int = 0, progress: Progress = silent
    ) -> FactorEngine:
        """Return the engine; same bytes for the same seed with ``n_threads=1``."""
        return self.train_watched(dataset, config, seed, progress, lambda done, total, engine_of_now: None)

    def train_watched(
        self, dataset: Dataset, config: TrainerConfig | None, seed: int, progress: Progress, watch: Watch
    ) -> FactorEngine:
        """Like ``train``; a step is an iteration."""
        require_data(dataset, n_users=2, n_items=2)
        config = config or ALSConfig()
        assert isinstance(config, ALSConfig)
        options = config.resolve(dataset.positives)
        weights = without_mere_dislikers(dataset.matrix)
        degrees = dataset.positives.getnnz(axis=0).astype(np.float32)
        confidence = scaled_confidence(weights, degrees, options)

        def engine_of(factors: NDArray[np.float32]) -> FactorEngine:
            return FactorEngine(
                factors,
                gramian_of(factors),
                degrees,
                float(options.regularization or 0.0),
                confidence,
                float(options.popularity_exponent or 0.0),
            )

        def after_each(done: int, total: int, factors: NDArray[np.float32]) -> None:
            progress(done, total, "learning")
            watch(done, total, lambda: engine_of(factors))

        return engine_of(fit(confidence.of(weights, degrees), options, seed, after_each))


def without_mere_dislikers(weights: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return ``weights`` with empty rows for users who liked nothing: they only pull factors to 0."""
    if weights.nnz > MAX_INTERACTIONS:
        raise TrainingError(f"{weights.nnz} pairs are more than ALS can index: train on a part of the users.")
    user_of_entry = np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr))
    has_liked = np.bincount(user_of_entry, weights=weights.data > 0, minlength=weights.shape[0]) > 0
    kept = weights.copy()
    kept.data[~has_liked[user_of_entry]] = 0.0
    kept.eliminate_zeros()
    return kept


def scaled_confidence(weights: sparse.csr_matrix, degrees: NDArray[np.float32], config: ALSConfig) -> Confidence:
    """Return the confidence rule whose mean over the liked pairs is ``config.alpha``."""
    alpha, exponent = float(config.alpha or 1.0), config.normalization
    if not exponent:  # the plan's raw weights, times alpha
        return Confidence(alpha, 0.0, 0.0)
    plain = Confidence(1.0, exponent, exponent).of(weights, degrees).data
    return Confidence(alpha / float(plain[plain > 0].mean()), exponent, exponent)


def fit(
    confidences: sparse.csr_matrix,
    config: ALSConfig,
    seed: int,
    after_each: Callable[[int, int, NDArray[np.float32]], None],
) -> NDArray[np.float32]:
    """Return (n_items, f) float32 item factors of a canonical CSR matrix of signed confidences.

    Args:
        after_each: told iterations done, iterations in all, and the item factors of now.

    Raises:
        TrainingError: learning ended in NaN or infinity.
    """
    from implicit.cpu.als import AlternatingLeastSquares  # implicit.als is a function that may choose a GPU
    from implicit.recommender_base import ModelFitError

    with threadpool_limits(limits=1, user_api="blas"):  # a BLAS pool under implicit's own is up to 10x slower
        model = AlternatingLeastSquares(  # a new one each time: refitting with another shape gives NaN
            factors=config.factors,
            regularization=config.regularization,
            alpha=1.0,
            iterations=config.iterations,
            num_threads=config.n_threads,
            random_state=seed,
        )

        def report(iteration: int, _seconds: float, _loss: float | None) -> None:
            after_each(iteration + 1, config.iterations, model.item_factors)

        try:
            model.fit(confidences, show_progress=False, callback=report)
        except ModelFitError as error:
            raise TrainingError(DIVERGED) from error
    if not (np.all(np.isfinite(model.item_factors)) and np.all(np.isfinite(model.user_factors))):
        raise TrainingError(DIVERGED)  # implicit looks for NaN only
    factors: NDArray[np.float32] = model.item_factors
    return factors


def gramian_of(factors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the (f, f) float64 Gramian of (n, f) factors."""
    wide = factors.astype(np.float64)
    return wide.T @ wide
