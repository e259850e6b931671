"""The ensemble's trainer: fits how much each member counts, on interactions that the members did not see."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from recommender_app.dataset.dataset import Dataset
from recommender_app.dataset.splits import Split, last_fraction_split, random_split, temporal_split
from recommender_app.engines.base import Engine
from recommender_app.engines.ensemble import PLANNED, EnsembleEngine
from recommender_app.exceptions import ConfigurationError, NotEnoughData
from recommender_app.trainers.base import Progress, Trainer, TrainerConfig, require_data, silent, with_threads
from recommender_app.trainers.catalog import trainer_of
from recommender_app.trainers.contributions import Recipe, collect_contributions
from recommender_app.trainers.fusion_choice import DEFAULT_RECIPE, RECIPES, choose_recipe, users_to_choose_on
from recommender_app.trainers.fusion_fit import fit_weights

logger = logging.getLogger(__name__)

_SECOND = 1_000_000  # microseconds


@dataclass(frozen=True)
class EnsembleConfig(TrainerConfig):
    """Options of the ensemble.

    Attributes:
        members: engine keys, comma-separated; one that cannot learn from the data is left out.
        member_options: how members are trained, JSON such as ``{"als": {"factors": 128}}``; "" =
            with their defaults.
        weights: ``learned`` fits them on validation; ``planned`` is 0.6 ALS + 0.4 two-tower.
        als_weight: ALS's part where weights are planned; two-tower has the rest.
        fusion: ``weighted`` (min-max), ``rrf``, ``hybrid``, or ``auto``: weighted, unless another
            with learned weights is significantly better on validation; see ``choose_recipe``.
        depth: an engine's items below this rank count as not proposed, 0 = all count; ``auto``
            chooses it too.
        validation: how interactions are held out for fitting: ``temporal``, ``random`` (per user),
            ``last`` (of each user), or ``auto``: temporal where times differ, else random.
        validation_fraction: how much is held out.
        max_users: users that weights are fitted on, at most.
        k: the weights maximise NDCG at this length.
        n_threads: of the members that are trained for it; 0 = as each of them has it.
    """

    members: str = "popular,trending,als,item_graph,two_tower,content_based"
    member_options: str = ""
    weights: Literal["learned", "planned"] = "learned"
    als_weight: float = PLANNED["als"]
    fusion: Literal["auto", "weighted", "rrf", "hybrid"] = "auto"
    depth: int = 0
    validation: Literal["auto", "temporal", "random", "last"] = "auto"
    validation_fraction: float = 0.15
    max_users: int = 3000
    k: int = 20
    n_threads: int = 0

    PRESETS = {"planned": {"weights": "planned", "members": "als,two_tower"}, "learned": {"weights": "learned"}}

    def __post_init__(self) -> None:
        if not 0 <= self.als_weight <= 1:
            raise ConfigurationError(f"als_weight={self.als_weight:g} must lie between 0 and 1.")
        if self.n_threads < 0:
            raise ConfigurationError(f"n_threads={self.n_threads} must be at least 0.")
        self.member_configs()

    def member_configs(self) -> dict[str, TrainerConfig]:
        """Return {engine key: options} of the members that are not trained with their defaults.

        Raises:
            ConfigurationError: ``member_options`` is no such JSON, or an option that there is not.
        """
        try:
            options = dict(json.loads(self.member_options or "{}"))
            if "ensemble" in options:
                raise ConfigurationError("member_options: the ensemble is no member of itself, leave it out.")
            return {key: trainer_of(key).Config.from_json(values) for key, values in options.items()}
        except (TypeError, ValueError, AttributeError) as error:
            raise ConfigurationError(
                f'member_options={self.member_options!r}: write JSON such as {{"als": {{"factors": 128}}}}.'
            ) from error


class EnsembleTrainer(Trainer):
    """Stacks engines by one non-negative weight each.

    With ``learned``, members are trained without the held-out part, the weights are fitted on
    it, and the members are then trained on everything.
    """

    key = "ensemble"
    Config = EnsembleConfig

    def __init__(self) -> None:
        self._last: _HeldOut | None = None

    def train(
        self, dataset: Dataset, config: TrainerConfig | None = None, seed: int = 0, progress: Progress = silent
    ) -> EnsembleEngine:
        """Return the ensemble with its members, trained on everything; see ``Trainer.train``."""
        return self.train_beside({}, dataset, config, seed, progress)

    def train_beside(
        self,
        trained: Mapping[str, Engine],
        dataset: Dataset,
        config: TrainerConfig | None = None,
        seed: int = 0,
        progress: Progress = silent,
    ) -> EnsembleEngine:
        """Return the ensemble; only members that are not in ``trained`` are trained on everything."""
        recipe = self.train_for_release(dataset, config, seed, progress)
        known = {key: trained[key] for key in recipe.weights if key in trained}
        missing = tuple(key for key in recipe.weights if key not in known)
        options = config if isinstance(config, EnsembleConfig) else EnsembleConfig()
        return recipe.bind(known | (train_members(dataset, missing, options, seed, progress) if missing else {}))

    def train_for_release(
        self, dataset: Dataset, config: TrainerConfig | None = None, seed: int = 0, progress: Progress = silent
    ) -> EnsembleEngine:
        """Return the recipe without members."""
        options = config if isinstance(config, EnsembleConfig) else EnsembleConfig()
        require_data(dataset, n_users=2, n_items=2, n_interactions=2)
        if options.weights == "planned":
            recipe = _named(options)
            weights = {"als": options.als_weight, "two_tower": round(1 - options.als_weight, 4)}
        else:
            recipe, weights = self._learned(dataset, options, seed, progress)
        return EnsembleEngine(weights, dataset.n_items, recipe.fusion, recipe.depth)

    def _learned(
        self, dataset: Dataset, options: EnsembleConfig, seed: int, progress: Progress
    ) -> tuple[Recipe, dict[str, float]]:
        keys = tuple(key.strip() for key in options.members.split(",") if key.strip())
        if not keys or "ensemble" in keys:
            raise ConfigurationError("members: name at least one engine, and not the ensemble itself.")
        try:
            split, members = self._hold_out(dataset, keys, options, seed, progress)
            recipe = _recipe(members, split, options, seed, progress)
            known = collect_contributions(members, split, [recipe], options.max_users, seed, progress)
        except NotEnoughData as error:
            logger.info("The ensemble's weights are equal, for want of validation data: %s", error)
            return _named(options), dict.fromkeys(keys, 1.0 / len(keys))
        return recipe, fit_weights(known[recipe], options.k)

    def _hold_out(
        self, dataset: Dataset, keys: tuple[str, ...], options: EnsembleConfig, seed: int, progress: Progress
    ) -> tuple[Split, dict[str, Engine]]:
        """Return the split and the members of its train part: those of the last time, if they are the same."""
        asked = (keys, options.member_options, options.validation, options.validation_fraction, seed)
        if self._last is None or self._last.dataset is not dataset or self._last.asked != asked:
            split = hold_out(dataset, options, seed)
            members = train_members(split.train, keys, options, seed, progress)
            self._last = _HeldOut(dataset, asked, split, members)
        return self._last.split, self._last.members


@dataclass(frozen=True)
class _HeldOut:
    """Members without the held-out part; a search asks for the same ones again and again."""

    dataset: Dataset
    asked: tuple[Any, ...]
    split: Split
    members: dict[str, Engine]


def train_members(
    dataset: Dataset,
    keys: tuple[str, ...],
    options: EnsembleConfig,
    seed: int,
    progress: Progress,
) -> dict[str, Engine]:
    """Return {engine key: engine} of those that can learn from the dataset.

    Args:
        options: of the ensemble: how members are trained, and with how many threads.

    Raises:
        NotEnoughData: none can.
    """
    members: dict[str, Engine] = {}
    unusual = options.member_configs()
    for key in keys:
        trainer = trainer_of(key)
        config = with_threads(unusual.get(key) or trainer.Config(), options.n_threads)
        try:
            members[key] = trainer.train(dataset, config, seed, progress)
        except NotEnoughData as error:
            logger.info("The ensemble goes without %s: %s", key, error)
    if not members:
        raise NotEnoughData(f"None of the ensemble's members ({', '.join(keys)}) can learn from this data.")
    return members


def hold_out(dataset: Dataset, options: EnsembleConfig, seed: int) -> Split:
    """Return the split that weights are fitted on."""
    how = options.validation
    if how == "auto":
        times = dataset.interactions.times
        how = "temporal" if len(times) and int(times.max()) - int(times.min()) > _SECOND else "random"
    if how == "temporal":
        return temporal_split(dataset, options.validation_fraction)
    if how == "last":
        return last_fraction_split(dataset, options.validation_fraction)
    return random_split(dataset, options.validation_fraction, seed)


def _named(options: EnsembleConfig) -> Recipe:
    return DEFAULT_RECIPE if options.fusion == "auto" else Recipe(options.fusion, options.depth)


def _recipe(
    members: Mapping[str, Engine], split: Split, options: EnsembleConfig, seed: int, progress: Progress
) -> Recipe:
    if options.fusion != "auto":
        return _named(options)
    n_users = users_to_choose_on(split.train.n_items, options.max_users)
    return choose_recipe(collect_contributions(members, split, RECIPES, n_users, seed, progress), options.k, seed)
