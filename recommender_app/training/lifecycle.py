"""One pipeline behind every door: export once, train, judge, re-fit the ensemble, promote what passed together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import Any

from recommender_app.exceptions import DatasetError, NotEnoughData
from recommender_app.models import ModelVersion, TrainingRun
from recommender_app.registry.runs import request_run
from recommender_app.trainers.base import Progress, TrainerConfig, silent
from recommender_app.trainers.ensemble import EnsembleConfig
from recommender_app.training.claimed import ClaimedRuns
from recommender_app.training.gate import judge, live_versions
from recommender_app.training.giving_up import GAVE_UP, one_line
from recommender_app.training.going_live import may_go_live, promote_together, versions_going_live, without_lost
from recommender_app.training.member_options import member_options, options_of
from recommender_app.training.resuming import resumed
from recommender_app.training.run import naming_libraries, train_version
from recommender_app.training.source import Source
from recommender_app.training.summary import ENDINGS, Ending, EngineResult, Summary
from recommender_app.training.trainers import load_trainer, trainer_keys
from recommender_app.training.trying_out import NOT_NOW, try_out, try_out_left_behind
from recommender_app.training.tuning_layer import ChosenConfig, choose_config
from recommender_app.usecases.declaration import UseCase

ENSEMBLE = "ensemble"


@dataclass(frozen=True)
class Options:
    """How engines are trained and what is done with them.

    Attributes:
        dataset_path: an exported folder to learn from; a fresh export if None.
        overrides, preset: for the first engine, see ``trainers.build_config``.
        use_tuned: take what a search has found, unless there is a preset.
        seed: the setting SEED if None.
        promote: make live what the gate lets through.
        force: make live what it has rejected as well.
        dry_run: train on the older part and judge, publish nothing; the dataset is written.
        refit: fit the live ensemble again beside a new member.
    """

    dataset_path: Path | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    preset: str | None = None
    use_tuned: bool = True
    seed: int | None = None
    promote: bool = True
    force: bool = False
    dry_run: bool = False
    refit: bool = True


def retrain(
    use_case: UseCase,
    engine_keys: Sequence[str],
    *,
    by: str,
    force: bool = False,
    dry_run: bool = False,
    seed: int | None = None,
    runs: Sequence[TrainingRun] = (),
    options: Options | None = None,
    progress: Progress = silent,
    begin: Callable[[str], None] = lambda engine: None,
    end: Callable[[EngineResult], None] = lambda result: None,
) -> Summary:
    """Train engines of a use case and promote those that pass the gate, all in one release.

    An engine that fails does not stop the others: its run's row and the summary say why. An
    ensemble comes last, is fitted beside the members that are or will be live, and is fitted
    again where it is live and one of its members is new.

    A requested run ends when what it has published is live or turned down. One whose process died
    before that is not trained again: its version is promoted, and a new fit of the ensemble asked
    for, which then is a run of its own.

    Args:
        engine_keys: what to train, each once.
        by: who asked, for runs, release and trail.
        force, dry_run, seed: see ``Options``; given here they count more.
        runs: claimed runs, whose engines are trained first.
        options: see there.
        begin, end: told when an engine begins and how it ended, in order.

    Where what passed cannot be promoted, it stays a candidate and counts as failed; a requested
    run is promoted later if the database was busy or the artifact not stored yet.
    """
    chosen = options or Options()
    chosen = replace(
        chosen,
        force=force or chosen.force,
        dry_run=dry_run or chosen.dry_run,
        seed=chosen.seed if seed is None else seed,
    )
    pipeline = _Pipeline(use_case, by, chosen, progress, runs)
    with pipeline.claimed:
        for engine in pipeline.in_order(engine_keys):
            begin(engine)
            end(pipeline.train(engine))
            if pipeline.is_without_data:
                break
        else:
            if pipeline.needs_refit() and not pipeline.asks_for_refit():
                begin(ENSEMBLE)
                end(pipeline.train(ENSEMBLE))
        return pipeline.finish()


class _Pipeline:
    """Goes through the engines and remembers how each ended."""

    def __init__(
        self, use_case: UseCase, by: str, options: Options, progress: Progress, runs: Sequence[TrainingRun]
    ) -> None:
        self.use_case, self.by, self.options = use_case, by, options
        self.claimed = ClaimedRuns(use_case.key, by, runs)
        self.configs: dict[str, TrainerConfig] = {}  # of the engines that were trained here
        self.source = Source(use_case, options.dataset_path, options.seed, progress)
        self.results: list[EngineResult] = []
        self.live = live_versions(use_case.key)
        self.is_without_data = self.is_going_on = self.is_refit_wanted = False

    def in_order(self, engine_keys: Sequence[str]) -> list[str]:
        """Return the engines of the requested runs, the others, and the ensemble after its members."""
        keys = list(dict.fromkeys([*self.claimed.engines, *engine_keys]))
        return sorted(keys, key=lambda key: key == ENSEMBLE)

    def train(self, engine: str) -> EngineResult:
        """Train and judge one engine; whatever happens is a result."""
        started, tuning = perf_counter(), ""
        try:
            found = self.claimed.left_behind(engine)
            if found is not None:
                result = self._go_on(*found)
            else:
                chosen = self._config(engine)
                tuning, self.configs[engine] = chosen.tuning, chosen.config
                result = self._learn(engine, chosen)
        except NotEnoughData as error:
            result = EngineResult(engine, Ending.LEFT_OUT, reason=str(error))
        except GAVE_UP as error:
            self.is_without_data = isinstance(error, DatasetError)  # the others would learn from the same dataset
            result = EngineResult(engine, Ending.FAILED, reason=one_line(error))
        result = replace(result, seconds=perf_counter() - started, tuning=tuning)
        self.results.append(result)
        return result

    def needs_refit(self) -> bool:
        """Tell whether a live ensemble has a member that is about to change; planned weights are fitted to none."""
        done = {result.engine for result in self.results}
        is_wanted = self.options.refit and self.options.promote and ENSEMBLE in self.live
        if not is_wanted or ENSEMBLE in done or ENSEMBLE not in trainer_keys():
            return False
        fitted = self.live[ENSEMBLE].config
        members = str(fitted.get("members", EnsembleConfig.members)).split(",")
        changed = self._will_be_live() | {each.engine for each in self.results if each.ending == Ending.PROMOTED}
        return fitted.get("weights") != "planned" and bool(changed.intersection(members))

    def asks_for_refit(self) -> bool:
        """Have the ensemble fitted later beside what a dead process has left: what is known of that is its version."""
        self.is_refit_wanted = self.is_going_on
        return self.is_going_on

    def finish(self) -> Summary:
        """Promote what may be, in one release, and end the requested runs."""
        summary = self._promote()
        is_promoted = any(result.ending in (Ending.PROMOTED, Ending.FORCED) for result in summary.results)
        if self.is_refit_wanted and is_promoted:  # before, it would be fitted beside what is not live
            request_run(self.use_case.key, ENSEMBLE, requested_by=self.by, is_news=True)
        self.claimed.end(summary.results)
        return summary

    def _promote(self) -> Summary:
        force, release = self.options.force, None
        self.results = without_lost(self.results, self.claimed, force=force)
        if self.options.promote:
            self.results, release = promote_together(self.results, self.claimed, by=self.by, force=force)
        return Summary(self.use_case.key, tuple(self.results), release, self.source.known_path)

    def _config(self, engine: str) -> ChosenConfig:
        is_meant = not self.results
        overrides, preset = (self.options.overrides, self.options.preset) if is_meant else ({}, None)
        chosen = choose_config(self.use_case.key, engine, overrides, preset, use_tuned=self.options.use_tuned)
        config = chosen.config
        if engine != ENSEMBLE or not isinstance(config, EnsembleConfig):
            return chosen
        if "members" not in overrides:
            config = self._with_members_that_serve(config)
        if not config.member_options:
            config = replace(config, member_options=self._member_options(config))
        return replace(chosen, config=config)

    def _member_options(self, config: EnsembleConfig) -> str:
        """Return how those members are trained that are or will be live: weights fit no others."""
        trained = {key: self.configs[key].to_json() for key in self._will_be_live() if key in self.configs}
        known = {key: options_of(version) for key, version in self.live.items()} | trained
        return member_options({key: known[key] for key in config.members.split(",") if key in known})

    def _with_members_that_serve(self, config: EnsembleConfig) -> EnsembleConfig:
        """Leave out members that are neither live nor about to be: what is measured is what will be served."""
        serving = self._will_be_live() | set(self.live)
        members = [key for key in config.members.split(",") if key in serving]
        if config.weights == "planned" or not members:
            return config
        return replace(config, members=",".join(members))

    def _learn(self, engine: str, chosen: ChosenConfig) -> EngineResult:
        return self._judge_only(engine, chosen.config) if self.options.dry_run else self._publish(engine, chosen)

    def _go_on(self, run: TrainingRun, version: ModelVersion) -> EngineResult:
        """Take up what a process that died has published."""
        self.is_going_on, result = True, resumed(run, version)
        if self._may_go_live(result):
            with self.claimed.giving_back(version.engine, NOT_NOW):
                try_out_left_behind(version, self.source, by=self.by)
        return result

    def _publish(self, engine: str, chosen: ChosenConfig) -> EngineResult:
        run = self.claimed.run_of(engine, chosen.to_json(), self.source.seed)
        beside = {
            version.engine: version.name for version in versions_going_live(self.results, force=self.options.force)
        }
        model = train_version(run, chosen.config, self.source, beside, ends_run=False)
        result = EngineResult(engine, ENDINGS[model.verdict.outcome], model, model.verdict)
        if self._may_go_live(result):
            with self.claimed.giving_back(engine, NOT_NOW):
                try_out(model.version, self.source.dataset, by=self.by)
            self.source.hold_out.lend(engine, chosen.config)
        return replace(result, reason="" if model.verdict.passed else model.verdict.reason)

    def _judge_only(self, engine: str, config: TrainerConfig) -> EngineResult:
        self.source.require_data()
        with naming_libraries(engine):
            verdict = judge(self.use_case.key, engine, config, self.source.hold_out)
            if not self.source.hold_out.has(engine, config):  # the older part is too small; is all of it?
                load_trainer(engine).train_for_release(self.source.dataset, config, self.source.seed)
        if verdict.passed:
            self.source.hold_out.lend(engine, config)
        reason = "" if verdict.passed else verdict.reason
        return EngineResult(engine, ENDINGS[verdict.outcome], None, verdict, reason)

    def _may_go_live(self, result: EngineResult) -> bool:
        return may_go_live(result, force=self.options.force)

    def _will_be_live(self) -> set[str]:
        return {result.engine for result in self.results if self._may_go_live(result)}
