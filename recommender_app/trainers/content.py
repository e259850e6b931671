"""Learns the content engine: wording, item factors, and ridge maps from features into them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender_app.dataset.dataset import Dataset
from recommender_app.engines.content import ContentEngine
from recommender_app.engines.content_features import FeatureMap, Standardizer, encode_vectors
from recommender_app.engines.content_users import UserSide
from recommender_app.engines.tfidf import unit_rows
from recommender_app.exceptions import NotEnoughData
from recommender_app.trainers.base import Progress, Trainer, TrainerConfig, silent
from recommender_app.trainers.content_config import ContentConfig
from recommender_app.trainers.content_factors import ItemFactors, learn_factors, users_at_unit_deviation
from recommender_app.trainers.ridge import ridge
from recommender_app.trainers.text_fit import FittedWording, fit_wording

_SAMPLED_USERS = 256  # whose word comparisons are measured to bring them to the scale of the factors


class ContentTrainer(Trainer):
    """Features to ALS factors by ridge regression (see ``ContentEngine``); needs no history at request time.

    With features but too few interactions for factors, the engine compares wording alone.
    """

    key = "content_based"
    Config = ContentConfig

    def train(
        self, dataset: Dataset, config: TrainerConfig | None = None, seed: int = 0, progress: Progress = silent
    ) -> ContentEngine:
        """Return the engine; same bytes for the same seed with ``n_threads=1``.

        Raises:
            NotEnoughData: no feature of any item or user is known, or only users' and nobody
                liked anything.
        """
        options = config if isinstance(config, ContentConfig) else ContentConfig()
        progress(0, options.iterations + 3, "reading texts")
        fitted = fit_wording(dataset.item_features, dataset.user_features, options.max_words)
        numbers = [Standardizer.fit(features) for features in (dataset.item_features, dataset.user_features)]
        _require_features(fitted, numbers)
        factors = learn_factors(dataset, options, seed, _shifted(progress, options.iterations))
        if not factors.vectors.shape[1] and not fitted.items.nnz:
            raise NotEnoughData("Too little to learn from: no interactions, and no item has a text or a category.")
        item_map, vectors = _learn_items(dataset, fitted, numbers[0], factors, options.item_penalty)
        progress(options.iterations + 2, options.iterations + 3, "mapping profiles")
        users = _learn_users(dataset, fitted, numbers[1], factors, options, seed)
        weight = options.wording_share / _cosine_deviation(dataset.positives, fitted.items, seed)
        progress(options.iterations + 3, options.iterations + 3, "done")
        return ContentEngine(fitted.wording, item_map, users, vectors, fitted.items, weight)


def _require_features(fitted: FittedWording, numbers: list[Standardizer]) -> None:
    if not fitted.items.nnz and not fitted.users.nnz and not any(part.width for part in numbers):
        raise NotEnoughData(
            "Nothing to learn from: no features. Declare item_text, item_categories or item_numbers, "
            "or the user's, in the use case."
        )


def _learn_items(
    dataset: Dataset, fitted: FittedWording, standardizer: Standardizer, factors: ItemFactors, penalty: float
) -> tuple[FeatureMap, NDArray[np.float32]]:
    """Return the map, and (n_items, f) factors: ALS's for liked items, mapped ones for the rest."""
    numbers = standardizer.encode(dataset.item_features)
    item_map = learn_map(fitted.items, numbers, standardizer, factors.vectors, factors.is_liked, penalty)
    mapped = encode_vectors(item_map, fitted.items, numbers)
    return item_map, np.where(factors.is_liked[:, np.newaxis], factors.vectors, mapped)


def _learn_users(
    dataset: Dataset,
    fitted: FittedWording,
    standardizer: Standardizer,
    factors: ItemFactors,
    options: ContentConfig,
    seed: int,
) -> UserSide:
    """Return the user side; its profile map learns what users of a profile have in their histories."""
    chosen = _sample(np.flatnonzero(dataset.positives.getnnz(axis=1)), options.max_profile_users, seed)
    targets = users_at_unit_deviation(dataset.positives[chosen], factors)
    numbers = standardizer.encode(dataset.user_features)[chosen]
    everyone = np.ones(len(chosen), dtype=bool)
    wording, penalty = fitted.users[chosen], options.profile_penalty
    profile_map = learn_map(wording, numbers, standardizer, targets, everyone, penalty)
    return UserSide(profile_map, factors.history_map, factors.covariance, options.half_count)


def learn_map(
    wording: sparse.csr_matrix,
    numbers: NDArray[np.float32],
    standardizer: Standardizer,
    targets: NDArray[np.float32],
    is_known: NDArray[np.bool_],
    penalty: float,
) -> FeatureMap:
    """Return the ridge map from features to targets, learned from the rows that ``is_known`` marks.

    Args:
        wording: (n, w) CSR; columns that no known row has get no weight.
        numbers: (n, 2 m) standardised.
        targets: (n, f); their mean over the known rows becomes the intercept.
    """
    if not is_known.any() or not targets.shape[1]:
        return FeatureMap.zeros(standardizer, targets.shape[1])
    wording, numbers, targets = wording[is_known], numbers[is_known], targets[is_known]
    columns = np.flatnonzero(wording.getnnz(axis=0)).astype(np.int32)
    features = sparse.hstack([wording[:, columns], sparse.csr_matrix(numbers)], format="csr", dtype=np.float32)
    intercept = targets.mean(axis=0, dtype=np.float64).astype(np.float32)
    return FeatureMap(columns, ridge(features, targets - intercept, penalty), intercept, standardizer)


def _cosine_deviation(positives: sparse.csr_matrix, wording: sparse.csr_matrix, seed: int) -> float:
    """Return the typical deviation over the catalogue of the cosine of a history's wording with the items'."""
    users = _sample(np.flatnonzero(positives.getnnz(axis=1)), _SAMPLED_USERS, seed)
    described = wording[np.flatnonzero(wording.getnnz(axis=1))]
    pooled = unit_rows(positives[users] @ wording)
    pooled = pooled[np.flatnonzero(pooled.getnnz(axis=1))]
    if not pooled.shape[0] or not described.shape[0]:
        return 1.0
    deviation = float((pooled @ described.T).toarray().std(axis=1).mean())
    return deviation if deviation > 1e-6 else 1.0  # all items say the same: nothing to scale


def _sample(rows: NDArray[np.intp], most: int, seed: int) -> NDArray[np.intp]:
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def _shifted(progress: Progress, iterations: int) -> Progress:
    """Report ALS's iterations as steps 1.. of the whole training."""
    return lambda done, _total, label: progress(1 + min(done, iterations), iterations + 3, label)
