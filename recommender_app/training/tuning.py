"""Searches a trainer's options on a validation part; nothing here sees the test part.

The first trials are the default options and the plan's preset, so that the best is never worse
than the default; then come single steps around the default, then what Optuna's TPE sampler draws
(Bergstra et al., NIPS 2011). An engine that learns in steps is measured after a third and two
thirds of them; what is below the median of the others there is given up.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from recommender_app.conf import settings
from recommender_app.engines.base import Engine
from recommender_app.evaluation.evaluate import evaluate
from recommender_app.exceptions import ConfigurationError, NotEnoughData, TrainingError
from recommender_app.trainers.base import Progress, TrainerConfig, silent
from recommender_app.trainers.ensemble import EnsembleConfig, train_members
from recommender_app.training.search_spaces import SearchSpace, decided_defaults, search_space
from recommender_app.training.trainers import build_config, load_trainer
from recommender_app.training.tuning_data import TuningData
from recommender_app.training.tuning_study import Asked, TuningStudy
from recommender_app.training.tuning_trials import DEFAULT, Outcome, Trial, TuningResult, ranked

MAX_USERS = 10_000  # measured at most, the same in every trial
STEP_USERS = 2_000  # measured on the way
STEPS = (1 / 3, 2 / 3)  # of the learning, after which a trial may be given up
MAX_REPEATS = 20  # drawn in a row that were known already: the space is exhausted


@dataclass(frozen=True)
class Limits:
    """When a search ends; both are looked at between trials.

    Attributes:
        seconds: wall time from the first trial on; None = no limit.
        n_trials: those of a resumed search included; None = no limit.
    """

    seconds: float | None = None
    n_trials: int | None = None

    def __post_init__(self) -> None:
        if self.seconds is None and self.n_trials is None:
            raise ConfigurationError("A search needs a budget of time or a number of trials.")
        if self.seconds is not None and not 0 < self.seconds < float("inf"):
            raise ConfigurationError("The budget of a search must be more than 0 minutes.")
        if self.n_trials is not None and self.n_trials < 1:
            raise ConfigurationError(f"A search needs at least 1 trial, not {self.n_trials}.")


class Hopeless(Exception):
    """The trial is below the median of the others on its way."""


def study_path(data: TuningData, engine_key: str) -> Path:
    """Return the file of the searches of an engine on some data."""
    return settings.artifact_root / "tuning" / data.name / f"{engine_key}.log"


def study_name(data: TuningData, space: SearchSpace, seed: int, fixed: Mapping[str, Any] | None = None) -> str:
    """Return what makes searches comparable: data, space, what is the same in every trial, and seed."""
    asked = f"{space!r}{json.dumps(fixed, sort_keys=True) if fixed else ''}"
    version = hashlib.sha256(asked.encode()).hexdigest()[:8]
    return f"data {data.digest}, space {version}, seed {seed}"


def tune(
    data: TuningData,
    engine_key: str,
    limits: Limits,
    *,
    seed: int,
    preset: str | None = None,
    resume: bool = False,
    fixed: Mapping[str, Any] | None = None,
    progress: Progress = silent,
) -> TuningResult:
    """Search the options of an engine and return every trial; Ctrl-C ends it and keeps what was found.

    Args:
        seed: of trainers, measured users and sampler. The same seed and number of trials give the
            same result, as far as the trainer does on its threads.
        preset: ``plan`` or ``recipe``, to draw from one part of the search space only.
        resume: go on with the search of the same data, space and seed.
        fixed: options of every trial that are no part of what is found, see ``tuning_layer.fixed_options``.
        progress: told seconds (or trials) done and the best so far.

    Raises:
        ConfigurationError: the engine has no trainer or nothing to tune, or the search's file
            cannot be read.
        NotEnoughData: there is nobody to measure on, or too little to learn from.
        TrainingError: the default options fail.
    """
    trainer, space = load_trainer(engine_key), search_space(engine_key)
    data.require_users(space.min_history)
    space = space.only(preset)
    defaults = decided_defaults(trainer.Config(), data.split.train)
    name, path = study_name(data, space, seed, fixed), study_path(data, engine_key)
    study = TuningStudy(path, name, space, defaults, trainer.Config.PRESETS, seed, resume=resume)
    return _Search(data, space, study, limits, seed, fixed or {}, progress).run()


class _Search:
    """The loop of one search."""

    def __init__(
        self,
        data: TuningData,
        space: SearchSpace,
        study: TuningStudy,
        limits: Limits,
        seed: int,
        fixed: Mapping[str, Any],
        progress: Progress,
    ) -> None:
        self.data, self.space, self.study, self.limits, self.seed = data, space, study, limits, seed
        self.fixed = fixed
        self.trainer = load_trainer(space.engine)
        self.progress, self.started = progress, monotonic()
        self.members: dict[str, Engine] = {}
        self.protocol, self.n_repeats, self.n_done, self.label = "", 0, 0, ""

    def run(self) -> TuningResult:
        n_resumed, was_interrupted = len(self.study.trials()), False
        self._tell()
        try:
            while self._may_go_on():
                self._try_one()
                self._tell()
        except KeyboardInterrupt:
            if not ranked(self.study.trials()):
                raise
            was_interrupted = True
        return TuningResult(
            self.space.engine,
            self.data.metric,
            self.seed,
            self.study.trials(),
            self.protocol or self.data.split.description,
            n_resumed,
            was_interrupted,
            self.n_repeats >= MAX_REPEATS,
        )

    def _may_go_on(self) -> bool:
        n_done = len(self.study.trials())
        is_late = self.limits.seconds is not None and n_done and monotonic() - self.started >= self.limits.seconds
        is_enough = self.limits.n_trials is not None and n_done >= self.limits.n_trials
        return not (is_late or is_enough or self.n_repeats >= MAX_REPEATS)

    def _try_one(self) -> None:
        asked, started = self.study.ask(), monotonic()
        known = self._known(asked)
        self.n_repeats = self.n_repeats + 1 if known else 0
        if known:
            self.study.tell(asked, known.outcome, known.value, reason=known.reason)
            return
        try:
            value = self._measure(asked)
        except Hopeless:
            self.study.tell(asked, Outcome.PRUNED, seconds=monotonic() - started)
        except TrainingError as error:
            if asked.origin == DEFAULT:
                raise
            self.study.tell(asked, Outcome.FAILED, seconds=monotonic() - started, reason=str(error))
        else:
            self.study.tell(asked, Outcome.MEASURED, value, monotonic() - started)

    def _known(self, asked: Asked) -> Trial | None:
        """Return an earlier trial of the same configuration."""
        wanted = self._text(asked.options)
        known = (trial for trial in self.study.trials() if trial.outcome != Outcome.PRUNED)
        return next((trial for trial in known if self._text(trial.options) == wanted), None)

    def _text(self, options: Any) -> str:
        return json.dumps(self._config(options).to_json(), sort_keys=True)

    def _config(self, options: Mapping[str, Any]) -> TrainerConfig:
        return build_config(self.trainer, {**self.fixed, **options})

    def _measure(self, asked: Asked) -> float:
        engine = self._train(self._config(asked.options), asked)
        return self._quality(engine, MAX_USERS)

    def _train(self, config: TrainerConfig, asked: Asked) -> Engine:
        train, report = self.data.split.train, self._report
        if isinstance(config, EnsembleConfig):
            return self.trainer.train_beside(self._members(config), train, config, self.seed, report)
        steps = [False] * len(STEPS)

        def watch(done: int, total: int, engine_of_now: Callable[[], Engine]) -> None:
            for place, share in enumerate(STEPS):
                if not steps[place] and share * total <= done < total:
                    steps[place] = True
                    if asked.is_hopeless(place, self._quality(engine_of_now(), STEP_USERS)):
                        raise Hopeless
                    return

        return self.trainer.train_watched(train, config, self.seed, report, watch)

    def _members(self, config: EnsembleConfig) -> dict[str, Engine]:
        """Return the members that a configuration names, each trained once in a search."""
        keys = tuple(key.strip() for key in config.members.split(","))
        missing = tuple(key for key in keys if key not in self.members)
        if missing:
            try:
                self.members |= train_members(self.data.split.train, missing, config, self.seed, self._report)
            except NotEnoughData:
                if not self.members:
                    raise
        return self.members

    def _quality(self, engine: Engine, max_users: int) -> float:
        key = self.space.engine
        evaluation = evaluate(
            {key: engine},
            self.data.split,
            (self.data.length,),
            max_users=max_users,
            seed=self.seed,
            min_history=self.space.min_history,
        )
        if max_users == MAX_USERS:
            self.protocol = evaluation.protocol
        return evaluation.engines[key][self.data.metric]

    def _tell(self) -> None:
        """Say how far the search is."""
        trials = self.study.trials()
        best = next(iter(ranked(trials)), None)
        found = f"best {self.data.metric} {best.value:.4f} (trial {best.name})" if best else "the default comes first"
        self.n_done, self.label = len(trials), f"{self.space.engine}: {len(trials)} trials, {found}"
        self._report()

    def _report(self, *_training: Any) -> None:
        """Move the clock on while an engine learns."""
        seconds = self.limits.seconds
        if seconds is None:
            self.progress(self.n_done, self.limits.n_trials or 0, self.label)
        else:
            total = max(1, int(seconds))
            self.progress(int(min(monotonic() - self.started, total - 1)), total, self.label)  # not done before the end
