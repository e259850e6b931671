"""Which options of a trainer a search may try, and how far it may go.

``plan`` holds the values of the original plan, ``recipe`` surroundings of the measured defaults. A
default that the data decide is searched as a multiple of what they decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from recommender_app.dataset.dataset import Dataset
from recommender_app.exceptions import ConfigurationError
from recommender_app.trainers.als_config import ALSConfig
from recommender_app.trainers.base import TrainerConfig
from recommender_app.training.search_domains import Choice, Domain, Factor, Range

PLAN, RECIPE = "plan", "recipe"
FUSIONS = Choice("weighted", "rrf", "hybrid")


@dataclass(frozen=True)
class Branch:
    """One part of a search space.

    Attributes:
        name: ``plan`` or ``recipe``.
        domains: {option: what it may be}.
        fixed: options that are the same in the whole branch.
        preset: of the trainer, inside the branch; it is tried before anything is drawn.
    """

    name: str
    domains: Mapping[str, Domain]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    preset: str = ""


@dataclass(frozen=True)
class SearchSpace:
    """What may be tried for one engine.

    Attributes:
        branches: at least one.
        min_history: measured users have at least so many positive pairs; 0 for an engine that is
            there for newcomers.
    """

    engine: str
    branches: tuple[Branch, ...]
    min_history: int = 1

    def only(self, name: str | None) -> SearchSpace:
        """Return the space with one of its branches; with all for None.

        Raises:
            ConfigurationError: it has no such branch.
        """
        chosen = tuple(branch for branch in self.branches if name in (None, branch.name))
        if not chosen:
            known = ", ".join(branch.name for branch in self.branches)
            raise ConfigurationError(f"--preset {name}: the search space of {self.engine} has only {known}.")
        return replace(self, branches=chosen)


def search_space(engine_key: str) -> SearchSpace:
    """Return the space of an engine.

    Raises:
        ConfigurationError: it has none.
    """
    if engine_key not in SPACES:
        raise ConfigurationError(f"{engine_key} has nothing to tune: choose from {', '.join(SPACES)}.")
    return SPACES[engine_key]


def decided_defaults(config: TrainerConfig, dataset: Dataset) -> dict[str, Any]:
    """Return the options of a default configuration, with what the data decide where it says None."""
    if isinstance(config, ALSConfig):
        config = config.resolve(dataset.positives)
    options = config.to_json()
    if "temperature" in options:
        options["temperature"] = config.temperature_for(dataset)  # type: ignore[attr-defined]
    return options


_ALS_PLAN = Branch(
    PLAN,
    {
        "factors": Choice(64, 128, 256),
        "regularization": Choice(0.01, 0.05, 0.1),
        "iterations": Choice(15, 20, 30),
        "alpha": Choice(20.0, 40.0, 80.0),
    },
    {"normalization": 0.0, "popularity_exponent": 0.0},
    "plan",
)
_ALS_RECIPE = Branch(
    RECIPE,
    {
        "regularization": Factor(0.25, 4.0),
        "alpha": Factor(0.25, 4.0),
        "popularity_exponent": Range(0.0, 0.4),
        "normalization": Range(0.2, 0.7),
        "factors": Choice(32, 64, 128, 256),
        "iterations": Range(6, 20),
    },
)
_ENSEMBLE_PLAN = Branch(
    PLAN,
    {"als_weight": Range(0.3, 0.7), "fusion": FUSIONS},
    {"weights": "planned", "members": "als,two_tower"},
    "planned",
)
_ENSEMBLE_RECIPE = Branch(RECIPE, {"fusion": FUSIONS, "depth": Choice(0, 100, 200, 400)}, {"weights": "learned"})
_TWO_TOWER = Branch(
    RECIPE,
    {
        "dimension": Choice(64, 128),
        "temperature": Factor(0.5, 2.0),
        "learning_rate": Range(2e-3, 1e-2, is_log=True),
        "history_dropout": Range(0.2, 0.7),
        "id_dropout": Range(0.0, 0.4),
        "dense_layers": Choice(0, 1),
    },
)
_ITEM_GRAPH = Branch(
    RECIPE,
    {
        "neighbours": Choice(200, 500, 1000),
        "regularization": Range(0.5, 50.0, is_log=True),
        "target_exponent": Range(0.0, 0.5),
        "low_pass_share": Range(0.1, 2.0, is_log=True),
        "low_pass_vectors": Choice(64, 128, 256),
    },
)
_CONTENT = Branch(
    RECIPE,
    {
        "factors": Choice(64, 128, 256),
        "item_penalty": Range(0.05, 5.0, is_log=True),
        "profile_penalty": Range(10.0, 1000.0, is_log=True),
        "half_count": Range(1.0, 20.0, is_log=True),
        "wording_share": Range(0.05, 2.0, is_log=True),
    },
)
SPACES: dict[str, SearchSpace] = {
    space.engine: space
    for space in (
        SearchSpace("trending", (Branch(RECIPE, {"window_days": Range(1.0, 60.0, is_log=True)}),)),
        SearchSpace("als", (_ALS_RECIPE, _ALS_PLAN)),
        SearchSpace("item_knn", (Branch(RECIPE, {"neighbours": Choice(20, 50, 100, 200, 400)}),)),
        SearchSpace("item_graph", (_ITEM_GRAPH,)),
        SearchSpace("two_tower", (_TWO_TOWER,)),
        SearchSpace("content_based", (_CONTENT,), min_history=0),
        SearchSpace("ensemble", (_ENSEMBLE_RECIPE, _ENSEMBLE_PLAN)),
    )
}
