"""The search itself, on Optuna: what to try next, what to give up, and a file that survives a crash.

The file is Optuna's journal: one JSON object per line, appended and synced, never a pickle. A
sampler is made for each trial from the seed and the number of trials before it, so that a search
which was resumed goes on exactly as it would have.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recommender_app.exceptions import ConfigurationError
from recommender_app.training.search_spaces import RECIPE, Branch, SearchSpace
from recommender_app.training.tuning_trials import DEFAULT, Outcome, Trial

N_RANDOM = 6  # trials before the sampler trusts its model, default and preset among them
ORIGIN, OPTIONS, SECONDS, REASON = "origin", "options", "seconds", "reason"
BRANCH = "space"


@dataclass(frozen=True)
class Asked:
    """A configuration that waits to be measured.

    Attributes:
        trial: Optuna's.
        origin, options: see ``tuning_trials.Trial``.
    """

    trial: Any
    origin: str
    options: dict[str, Any]

    def is_hopeless(self, step: int, value: float) -> bool:
        """Report an intermediate value; return whether it is below the median of the others at this step."""
        self.trial.report(value, step)
        return bool(self.trial.should_prune())


class TuningStudy:
    """One search: asks what to try and remembers what came of it.

    Args:
        path: the journal; its folder is made. Several searches share it by name.
        name: of the search, see ``tuning.study_name``.
        space: what may be drawn.
        defaults: {option: value} as the data decide them, see ``search_spaces.decided_defaults``.
        presets: {preset: options} of the trainer.
        resume: go on where the search of that name stopped; else it is forgotten.

    Raises:
        ConfigurationError: the file cannot be read.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        space: SearchSpace,
        defaults: Mapping[str, Any],
        presets: Mapping[str, Mapping[str, Any]],
        seed: int,
        *,
        resume: bool,
    ) -> None:
        self.space, self.defaults, self.presets, self.seed = space, defaults, presets, seed
        self._study = _open(path, name, resume=resume)
        self._first = self._first_trials(presets)
        self._forget_interrupted()

    def ask(self) -> Asked:
        """Return what to try next: the default, the presets, steps around the default, then what is drawn."""
        from optuna.samplers import TPESampler
        from optuna.trial import TrialState

        n_done = len(self.trials())
        if n_done < len(self._first) and not self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
            origin, places = self._first[n_done]
            self._study.enqueue_trial(places, user_attrs={ORIGIN: origin})
        state = np.random.SeedSequence([self.seed, n_done]).generate_state(1)
        with warnings.catch_warnings(action="ignore"):  # both options are marked experimental
            self._study.sampler = TPESampler(
                n_startup_trials=N_RANDOM, multivariate=True, group=True, seed=int(state[0])
            )
            trial = self._study.ask()
        options, origin = self._draw(trial), trial.user_attrs.get(ORIGIN, "")
        if origin:
            options = {} if origin == DEFAULT else dict(self.presets[origin])
        trial.set_user_attr(OPTIONS, options)
        return Asked(trial, origin, options)

    def tell(
        self, asked: Asked, outcome: Outcome, value: float | None = None, seconds: float = 0.0, reason: str = ""
    ) -> None:
        """Record how a trial ended."""
        from optuna.trial import TrialState

        states = {
            Outcome.MEASURED: TrialState.COMPLETE,
            Outcome.PRUNED: TrialState.PRUNED,
            Outcome.FAILED: TrialState.FAIL,
        }
        asked.trial.set_user_attr(SECONDS, round(seconds, 3))
        if outcome == Outcome.FAILED:
            asked.trial.set_user_attr(REASON, reason)
        is_measured = outcome == Outcome.MEASURED
        self._study.tell(asked.trial, value if is_measured else None, state=states[outcome])

    def trials(self) -> tuple[Trial, ...]:
        """Return the trials that ended, in order."""
        ended = [(trial, _outcome(trial)) for trial in self._study.get_trials(deepcopy=False)]
        counted = [(trial, outcome) for trial, outcome in ended if outcome]
        return tuple(_told(number, trial, outcome) for number, (trial, outcome) in enumerate(counted))

    def _draw(self, trial: Any) -> dict[str, Any]:
        branches = {branch.name: branch for branch in self.space.branches}
        branch = branches[trial.suggest_categorical(BRANCH, list(branches))]
        drawn = {
            name: domain.draw(trial, f"{branch.name}.{name}", self.defaults.get(name))
            for name, domain in branch.domains.items()
        }
        return {**branch.fixed, **drawn}

    def _forget_interrupted(self) -> None:
        """End trials whose process was killed; without a reason they do not count."""
        from optuna.trial import TrialState

        for trial in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            self._study.tell(trial.number, state=TrialState.FAIL)

    def _first_trials(self, presets: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
        """Return (origin, what the trial must choose) of those that are not drawn."""
        home = self.space.branches[0]
        start = _places(home, self.defaults)
        first = [(DEFAULT, start)]
        first += [(each.preset, _places(each, presets[each.preset])) for each in self.space.branches if each.preset]
        if home.name == RECIPE:
            first += [
                ("", start | {f"{home.name}.{name}": value})
                for name, domain in home.domains.items()
                for value in domain.steps(self.defaults.get(name))
            ]
        return first


def _places(branch: Branch, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a trial must choose to come close to the options."""
    placed = {f"{branch.name}.{name}": domain.place(options.get(name)) for name, domain in branch.domains.items()}
    return {BRANCH: branch.name, **placed}


def _outcome(trial: Any) -> Outcome | None:
    """Return how an Optuna trial ended; None: it has not, or was interrupted."""
    from optuna.trial import TrialState

    if trial.state == TrialState.FAIL and REASON in trial.user_attrs:
        return Outcome.FAILED
    return {TrialState.COMPLETE: Outcome.MEASURED, TrialState.PRUNED: Outcome.PRUNED}.get(trial.state)


def _told(number: int, trial: Any, outcome: Outcome) -> Trial:
    attributes = trial.user_attrs
    return Trial(
        number,
        attributes.get(ORIGIN, ""),
        attributes.get(OPTIONS, {}),
        outcome,
        trial.value if outcome != Outcome.FAILED else None,
        attributes.get(SECONDS, 0.0),
        attributes.get(REASON, ""),
    )


def _open(path: Path, name: str, *, resume: bool) -> Any:
    import optuna
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _cut_torn_line(path)
        backend = JournalFileBackend(str(path), lock_obj=JournalFileOpenLock(str(path)))
        storage = optuna.storages.JournalStorage(backend)
        if not resume and name in {study.study_name for study in storage.get_all_studies()}:
            optuna.delete_study(study_name=name, storage=storage)
        pruner = optuna.pruners.MedianPruner(n_startup_trials=N_RANDOM)
        return optuna.create_study(
            storage=storage, study_name=name, direction="maximize", load_if_exists=True, pruner=pruner
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, AssertionError) as error:
        raise ConfigurationError(
            f"{path} cannot be used as the file of a search ({type(error).__name__}: {error}): move it away."
        ) from error


def _cut_torn_line(path: Path) -> None:
    """Remove the half line that a crash has left at the end."""
    if not path.is_file():
        return
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if content and whole and len(whole) < len(content):
        with path.open("r+b") as journal:
            journal.truncate(len(whole))
