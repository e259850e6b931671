"""``manage.py recommender_train``: export, measure, train, publish, register, promote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from recommender_app.exceptions import ConfigurationError, DatasetError, NotEnoughData, RecommenderError
from recommender_app.management.base import RecommenderCommand, chosen_use_cases
from recommender_app.management.progress import progress_bar
from recommender_app.management.training import (
    QUICK_ENGINES,
    check_options,
    chosen_engines,
    closing_table,
    parse_overrides,
    quick_engines,
    summary,
)
from recommender_app.training.run import TrainedModel, train_model
from recommender_app.usecases.declaration import UseCase

PRESETS = "plan of als, the original plan's; planned (0.6 ALS + 0.4 two-tower) and learned (the default) of ensemble"


class Command(RecommenderCommand):
    """Trains engines of use cases."""

    help = (
        "Train engines: export the dataset, measure the engine beside popularity on the newest part of it, train on "
        "everything, and publish an immutable version (als_v1, als_v2, ...) as a candidate. With --promote it goes "
        "live at once. Whatever fails, what is live stays live."
    )
    examples = (
        ("--promote", "every use case, from nothing to live"),
        ("movies --engine all", "every engine, those that learn for minutes included"),
        ("movies --engine als --promote", "a new version of one engine"),
        ("movies --engine als --set factors=128 --set iterations=20", "with options of its trainer"),
        ("movies --engine als --preset plan", "with the options of the original plan"),
        ("movies --engine ensemble --preset planned", "the plan's formula, 0.6 ALS + 0.4 two-tower"),
        ("movies --engine two_tower --epochs 20", "for longer, or shorter"),
        ("movies --dataset ml_artifacts/datasets/movies/<fingerprint>", "from a dataset that was exported before"),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("use_cases", nargs="*", metavar="use_case", help="Keys of use cases; all if none is named.")
        default = ", ".join(QUICK_ENGINES)
        parser.add_argument("--engine", action="append", help=f"Engine to train, or all; repeatable; else {default}.")
        parser.add_argument("--dataset", type=Path, metavar="PATH", help="Exported folder, instead of a fresh export.")
        parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="Option of the trainer.")
        parser.add_argument("--epochs", type=int, metavar="N", help="Short for --set epochs=N, for two_tower.")
        parser.add_argument("--preset", metavar="NAME", help=f"Named options of the trainer: {PRESETS}.")
        parser.add_argument("--seed", type=int, help="Seed of everything random; else the setting SEED.")
        parser.add_argument("--promote", action="store_true", help="Make the new versions live.")

    def run(self, **options: Any) -> None:
        use_cases = chosen_use_cases(options["use_cases"])
        engines = chosen_engines(options["engine"] or quick_engines())
        epochs = [] if options["epochs"] is None else [f"epochs={options['epochs']}"]
        options["overrides"] = parse_overrides([*epochs, *options["set"]])
        check_options(engines, options["overrides"], options["preset"])
        if options["dataset"] and len(use_cases) != 1:
            raise ConfigurationError("--dataset belongs to one use case: name it.")
        failures = [failure for use_case in use_cases for failure in self._train_all(use_case, engines, options)]
        if failures:
            raise CommandError("\n".join(failures))

    def _train_all(self, use_case: UseCase, engines: list[str], options: dict[str, Any]) -> list[str]:
        """Train the engines of one use case; return why some could not be, the others are trained all the same."""
        trained: list[TrainedModel] = []
        failures, left_out = [], []
        for engine in engines:
            path = trained[0].dataset_path if trained else options["dataset"]
            try:
                trained.append(self._train(use_case, engine, path, options))
            except NotEnoughData as error:
                left_out.append(f"{use_case.key} {engine}: {error}")
            except RecommenderError as error:
                failures.append(f"{use_case.key} {engine}: {error}")
                if isinstance(error, DatasetError):  # the others would learn from the same dataset
                    break
        if trained and not options["engine"]:  # nobody asked for the engines that cannot learn from this data
            self.stdout.write("\n".join(f"Left out: {reason}" for reason in left_out))
        else:
            failures = left_out + failures
        if trained and options["verbosity"]:
            self.stdout.write(f"\n{closing_table(trained)}")
            if not options["promote"]:
                name = trained[-1].version.name
                self.stdout.write(f"To make one live: manage.py recommender_promote {use_case.key} {name}\n")
        return failures

    def _train(self, use_case: UseCase, engine: str, path: Path | None, options: dict[str, Any]) -> TrainedModel:
        is_told = options["verbosity"] > 0
        if is_told:
            self.stdout.write(self.style.MIGRATE_HEADING(f"{use_case.key} {engine}"))
        with progress_bar(self.stdout, is_wanted=is_told) as progress:
            trained = train_model(
                use_case,
                engine,
                dataset_path=path,
                overrides=options["overrides"],
                preset=options["preset"],
                seed=options["seed"],
                promote=options["promote"],
                progress=progress,
            )
        if is_told:
            self.stdout.write(self.style.SUCCESS(summary(trained)))
        return trained
