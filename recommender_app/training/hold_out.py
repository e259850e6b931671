"""The temporal hold-out of one dataset: every engine learns from the same part and is measured on the same users."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from functools import cached_property

from recommender_app.conf import settings
from recommender_app.dataset.dataset import Dataset
from recommender_app.dataset.splits import Split, temporal_split
from recommender_app.engines.base import Engine
from recommender_app.evaluation.cohorts import among_users
from recommender_app.evaluation.evaluate import Evaluation, evaluate
from recommender_app.exceptions import NotEnoughData
from recommender_app.trainers.base import THREAD_OPTIONS, Progress, TrainerConfig, silent
from recommender_app.training.giving_up import GAVE_UP, one_line
from recommender_app.training.measuring import NO_TEST_USERS, Measurement, train_engines
from recommender_app.training.member_options import member_recipes
from recommender_app.training.stages import stage
from recommender_app.training.trainers import build_config, load_trainer, trainer_keys

logger = logging.getLogger(__name__)

BASELINES = ("popular", "trending")
MAX_USERS = 20_000  # a random sample of so many test users says as much as all of them


class HoldOut:
    """Trains recipes on the older part of a dataset and measures them on the newest; each of them once.

    A recipe is an engine key with its configuration. Engines and measurements are kept, so that
    baselines, members of an ensemble and a recipe that did not change cost nothing the second
    time.

    Attributes:
        dataset, seed: what everything here is made from.
    """

    def __init__(self, dataset: Dataset, seed: int, progress: Progress = silent) -> None:
        self.dataset, self.seed, self.progress = dataset, seed, progress
        self._lent: dict[str, TrainerConfig] = {}
        self._engines: dict[str, Engine] = {}
        self._measured: dict[str, Evaluation] = {}
        self._given_up: set[str] = set()  # baselines that cannot be trained here

    @cached_property
    def split(self) -> Split:
        """What is learned from and what is predicted."""
        return temporal_split(self.dataset, settings.TEST_FRACTION)

    def engine(self, key: str, config: TrainerConfig) -> Engine:
        """Return an engine trained on the older part.

        Raises:
            NotEnoughData: there is too little to learn from.
        """
        name = recipe_name(key, config)
        if name not in self._engines:
            members = self._members_of(config)
            trained = train_engines(self.split, {key: config}, self.seed, self.progress, members)
            self._engines[name] = trained[key]
        return self._engines[name]

    def has(self, key: str, config: TrainerConfig) -> bool:
        """Tell whether the engine is there already."""
        return recipe_name(key, config) in self._engines

    def lend(self, key: str, config: TrainerConfig) -> None:
        """Let ensembles take an engine that was trained here, if they want that member with these options."""
        if self.has(key, config):
            self._lent[key] = config

    def _members_of(self, config: TrainerConfig) -> dict[str, Engine]:
        """Return the members that an ensemble of this recipe need not train: challenger and live may want others."""
        recipes = member_recipes(config, self._lent)
        return {key: self.engine(key, recipe) for key, recipe in recipes.items() if self.has(key, recipe)}

    def measure(self, key: str, config: TrainerConfig) -> Evaluation:
        """Return the evaluation of one recipe on all test users, under its engine's key; raises like ``engine``."""
        name = recipe_name(key, config)
        if name not in self._measured:
            engines, report = {key: self.engine(key, config)}, stage(self.progress, "measuring")
            self._measured[name] = evaluate(
                engines, self.split, seed=self.seed, min_history=0, max_users=MAX_USERS, progress=report
            )
        return self._measured[name]

    def with_history(self, evaluation: Evaluation) -> Evaluation:
        """Return the same measurement for users with a positive history before the cut."""
        train = self.split.train
        is_known = train.positives.getnnz(axis=1)[evaluation.user_rows] > 0
        return among_users(evaluation, is_known, train.n_items, "users with history >= 1")

    def measurement(self, key: str, config: TrainerConfig) -> Measurement:
        """Return a recipe measured beside the baselines; data too thin to measure give a note, no error."""
        if not len(self.split.test):
            return Measurement(None, f"Not measured: {NO_TEST_USERS}.")
        try:
            own = self.with_history(self.measure(key, config))
        except NotEnoughData as error:
            return Measurement(None, f"Not measured, the older part of the data is too small: {error}")
        if not own.n_users:
            return Measurement(None, f"Not measured: {NO_TEST_USERS}.")
        others = map(self.with_history, self.baselines(without=key))
        return Measurement(beside([own, *others], (*BASELINES, key)))

    def baselines(self, without: str = "") -> list[Evaluation]:
        """Return what an engine is compared with; a baseline that fails is no reason not to have the engine."""
        found = []
        for key in BASELINES:
            if key != without and key in trainer_keys() and key not in self._given_up:
                try:
                    found.append(self.measure(key, build_config(load_trainer(key), {})))
                except GAVE_UP as error:
                    self._given_up.add(key)
                    logger.warning("Measured without %s: %s", key, one_line(error))
        return found


def recipe_name(key: str, config: TrainerConfig) -> str:
    """Return one text per recipe; how many threads work on it is no part of it."""
    options = {name: value for name, value in config.to_json().items() if name not in THREAD_OPTIONS}
    return f"{key} {json.dumps(options, sort_keys=True)}"


def beside(evaluations: Sequence[Evaluation], order: Sequence[str]) -> Evaluation:
    """Return evaluations of the same users as one, engines in ``order``."""
    first = evaluations[0]

    def joined(name: str) -> Mapping:
        every = {key: value for each in evaluations for key, value in getattr(each, name).items()}
        return {key: every[key] for key in order if key in every}

    return Evaluation(
        engines=dict(joined("engines")),
        per_user=dict(joined("per_user")),
        user_rows=first.user_rows,
        protocol=first.protocol,
        rows=dict(joined("rows")),
        seconds=dict(joined("seconds")),
    )
