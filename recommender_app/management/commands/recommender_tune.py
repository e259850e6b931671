"""``manage.py recommender_tune``: search an engine's options on a validation part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from recommender_app.exceptions import ConfigurationError
from recommender_app.management.base import RecommenderCommand
from recommender_app.management.engine_options import check_writable
from recommender_app.management.progress import progress_bar
from recommender_app.management.training import chosen_engines
from recommender_app.management.trials_table import best_line, result_text, set_options
from recommender_app.registry.tuned import store_tuned
from recommender_app.trainers.base import Progress
from recommender_app.training.run import naming_libraries
from recommender_app.training.search_spaces import PLAN, RECIPE, search_space
from recommender_app.training.seeds import chosen_seed
from recommender_app.training.source import Source
from recommender_app.training.tuning import Limits, study_path, tune
from recommender_app.training.tuning_data import TuningData, data_of_folder, data_of_use_case
from recommender_app.training.tuning_layer import fixed_options
from recommender_app.training.tuning_plot import check_plot_path, draw_trials
from recommender_app.training.tuning_trials import TuningResult
from recommender_app.usecases.site import get_use_case

MINUTES = 10.0


class Command(RecommenderCommand):
    """Searches options of one engine."""

    help = (
        "Search the options of an engine with Optuna, on a validation part that is carved out of the train part; the "
        "test part is never seen. The first trials are the default options and the preset of the original plan. For a "
        "use case the best options are stored, and the next training uses them; for a folder of files (see "
        "recommender_benchmark) they are printed. Ctrl-C ends the search and keeps what was found."
    )
    examples = (
        ("movies --engine als --budget-minutes 10", "the options of ALS, for ten minutes"),
        ("movies --engine als --trials 30 --seed 1", "thirty trials; the same seed gives the same result"),
        ("movies --engine als --budget-minutes 30 --resume", "go on where the last search stopped"),
        ("movies --engine ensemble --preset plan --trials 20", "only the plan's formula: weights .3-.7, three fusions"),
        ("--folder data/yelp2018-lightgcn --engine als", "on files: prints the options to set"),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("use_case", nargs="?", help="Key of the use case.")
        parser.add_argument("--folder", type=Path, help="Tune on a folder of files instead.")
        parser.add_argument("--engine", required=True, help="Engine to tune.")
        parser.add_argument("--budget-minutes", type=float, metavar="M", help=f"Wall time; else {MINUTES:g} minutes.")
        parser.add_argument("--trials", type=int, metavar="N", help="Number of trials, those of before included.")
        parser.add_argument("--seed", type=int, help="Seed of trainers and sampler; else the setting SEED.")
        parser.add_argument("--preset", choices=(PLAN, RECIPE), help="Draw from one part of the search space only.")
        parser.add_argument("--dataset", type=Path, metavar="PATH", help="Exported folder, instead of a fresh export.")
        parser.add_argument("--plot", type=Path, metavar="FILE", help="Where to draw the trials.")
        parser.add_argument("--resume", action="store_true", help="Go on with the last search on this data and seed.")

    def run(self, **options: Any) -> None:
        limits, seed, engine = _limits(options), chosen_seed(options["seed"]), options["engine"]
        chosen_engines([engine])
        search_space(engine).only(options["preset"])
        check_writable(options["plot"])
        if options["plot"]:
            check_plot_path(options["plot"])
        with progress_bar(self.stdout, is_wanted=options["verbosity"] > 0) as progress:
            data = _data(options, seed, progress)
            with naming_libraries(engine):
                result = tune(
                    data,
                    engine,
                    limits,
                    seed=seed,
                    preset=options["preset"],
                    resume=options["resume"],
                    fixed=fixed_options(data.name, engine) if options["use_case"] else None,
                    progress=progress,
                )
        self.stdout.write(f"{result_text(result)}\n{self.style.SUCCESS(best_line(result))}")
        self._keep(result, data, options)
        self._draw(result, options["plot"] or study_path(data, engine).with_suffix(".svg"))

    def _draw(self, result: TuningResult, plot: Path) -> None:
        """Draw the trials; what was found is kept already, and worth more than its picture."""
        try:
            draw_trials(result, plot)
        except ConfigurationError as error:
            self.stderr.write(self.style.WARNING(f"No plot: {error}"))
        else:
            self.stdout.write(f"Plot: {plot}")

    def _keep(self, result: TuningResult, data: TuningData, options: dict[str, Any]) -> None:
        best, engine = result.best, result.engine
        if options["folder"]:
            command = f"recommender_benchmark {options['folder']} --engines {engine}"
            self.stdout.write(set_options(best.options) or "No --set is needed.")
            self.stdout.write(f"To measure it: manage.py {command} {set_options(best.options, f'{engine}.')}".rstrip())
            return
        store_tuned(
            data.name,
            engine,
            config=best.options,
            metric=result.metric,
            value=best.value or 0.0,
            n_trials=len(result.trials),
            seed=result.seed,
            dataset_fingerprint=data.fingerprint,
        )
        self.stdout.write(
            f"Stored: the next training uses it. manage.py recommender_train {data.name} --engine {engine} --promote"
        )


def _limits(options: dict[str, Any]) -> Limits:
    minutes, n_trials = options["budget_minutes"], options["trials"]
    if minutes is None and n_trials is None:
        minutes = MINUTES
    return Limits(None if minutes is None else minutes * 60, n_trials)


def _data(options: dict[str, Any], seed: int, progress: Progress) -> TuningData:
    if bool(options["use_case"]) == bool(options["folder"]):
        raise ConfigurationError("Name a use case or a --folder, one of them.")
    if options["folder"]:
        if options["dataset"]:
            raise ConfigurationError("--dataset is for use cases.")
        return data_of_folder(options["folder"], seed)
    return data_of_use_case(Source(get_use_case(options["use_case"]), options["dataset"], seed, progress))
