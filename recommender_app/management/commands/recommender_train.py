"""``manage.py recommender_train``: export, train, re-fit the ensemble, judge, promote; one pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from recommender_app.exceptions import ConfigurationError
from recommender_app.management.base import RecommenderCommand, chosen_use_cases
from recommender_app.management.refit_line import refit_line
from recommender_app.management.steps import Steps
from recommender_app.management.summary_table import live_line, result_line, summary_table
from recommender_app.management.training import (
    ALL,
    QUICK_ENGINES,
    check_options,
    chosen_engines,
    closing_table,
    parse_overrides,
    quick_engines,
)
from recommender_app.training.lifecycle import Options, retrain
from recommender_app.training.summary import Ending, Summary
from recommender_app.usecases.declaration import UseCase

PRESETS = "plan of als, the original plan's; planned (0.6 ALS + 0.4 two-tower) and learned (the default) of ensemble"


class Command(RecommenderCommand):
    """Trains engines of use cases."""

    help = (
        "Train engines: export the dataset, judge each engine on the newest part of it beside its live version and "
        "popularity, train on everything, and publish an immutable version (als_v1, als_v2, ...) as a candidate. With "
        "--all or --promote, what passes the gate goes live in one release; what does not is kept as rejected. "
        "Whatever fails, what is live stays live."
    )
    examples = (
        ("--all", "everything: every engine of every use case, judged, and live if it passes"),
        ("movies --all --dry-run", "what the gate would say; nothing is published"),
        ("--promote", "the engines that learn in seconds, from nothing to live"),
        ("movies --engine als --promote", "a new version of one engine"),
        ("movies --engine als --promote --force --by ann", "live whatever the gate says; the trail says who"),
        ("movies --engine als --set factors=128 --set iterations=20", "with options of its trainer"),
        ("movies --engine als --preset plan", "with the options of the original plan"),
        ("movies --engine ensemble --preset planned", "the plan's formula, 0.6 ALS + 0.4 two-tower"),
        ("movies --engine two_tower --epochs 20", "for longer, or shorter"),
        ("movies --dataset ml_artifacts/datasets/movies/<fingerprint>", "from a dataset that was exported before"),
    )

    interrupted = (
        "Interrupted: what was not live yet stays out; recommender_models shows what is live, and candidates that "
        "recommender_promote makes live."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("use_cases", nargs="*", metavar="use_case", help="Keys of use cases; all if none is named.")
        default = ", ".join(QUICK_ENGINES)
        parser.add_argument("--engine", action="append", help=f"Engine to train, or all; repeatable; else {default}.")
        parser.add_argument("--all", action="store_true", help="Short for --engine all --promote.")
        parser.add_argument("--dataset", type=Path, metavar="PATH", help="Exported folder, instead of a fresh export.")
        parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="Option of the trainer.")
        parser.add_argument("--epochs", type=int, metavar="N", help="Short for --set epochs=N, for two_tower.")
        parser.add_argument("--preset", metavar="NAME", help=f"Named options of the trainer: {PRESETS}.")
        parser.add_argument("--no-tuned", action="store_true", help="Without the options that recommender_tune found.")
        parser.add_argument("--seed", type=int, help="Seed of everything random; else the setting SEED.")
        parser.add_argument("--promote", action="store_true", help="Make live what passes the gate.")
        parser.add_argument("--force", action="store_true", help="Make live what does not pass, too; leaves a trail.")
        parser.add_argument("--dry-run", action="store_true", help="Only train on the older part and judge.")
        parser.add_argument("--by", default="command", metavar="NAME", help="Who trains and promotes.")

    def run(self, **options: Any) -> None:
        use_cases = chosen_use_cases(options["use_cases"])
        if options["all"] and options["engine"]:
            raise ConfigurationError("--all trains every engine: leave out --engine, or take --promote instead.")
        asked = [ALL] if options["all"] else options["engine"]
        engines = chosen_engines(asked or quick_engines())
        chosen = _options(options)
        check_options(engines, dict(chosen.overrides), chosen.preset)
        if options["dataset"] and len(use_cases) != 1:
            raise ConfigurationError("--dataset belongs to one use case: name it.")
        is_everything = asked in (None, [ALL])  # nobody asked for the engines that cannot learn from this data
        summaries = [self._train(use_case, engines, chosen, options) for use_case in use_cases]
        failures = [line for summary in summaries for line in _failures(summary, is_everything=is_everything)]
        if failures:
            raise CommandError("\n".join(failures))

    def _train(self, use_case: UseCase, engines: list[str], chosen: Options, options: dict[str, Any]) -> Summary:
        with Steps(self.stdout, is_wanted=options["verbosity"] > 0) as steps:
            summary = retrain(
                use_case,
                engines,
                by=options["by"],
                options=chosen,
                progress=steps.progress,
                begin=lambda engine: steps.begin(self.style.MIGRATE_HEADING(f"{use_case.key} {engine}")),
                end=lambda result: steps.end(result_line(result)),
            )
        if options["verbosity"]:
            self._tell(summary, chosen)
        return summary

    def _tell(self, summary: Summary, chosen: Options) -> None:
        tables = [closing_table(summary.models), summary_table(summary)]
        self.stdout.write("\n" + "\n\n".join(table for table in tables if table))
        if chosen.dry_run:
            self.stdout.write("Nothing was published: this was a dry run.")
            if chosen.force:
                self.stdout.write("--force was not looked at: a dry run only judges.")
        elif summary.release is not None:
            self.stdout.write(self.style.SUCCESS(live_line(summary)))
            if line := refit_line(summary.release):
                self.stdout.write(self.style.WARNING(line))
        elif summary.models and not chosen.promote:
            name = summary.models[-1].version.name
            self.stdout.write(f"To make one live: manage.py recommender_promote {summary.use_case} {name}\n")


def _options(options: dict[str, Any]) -> Options:
    epochs = [] if options["epochs"] is None else [f"epochs={options['epochs']}"]
    return Options(
        dataset_path=options["dataset"],
        overrides=parse_overrides([*epochs, *options["set"]]),
        preset=options["preset"],
        use_tuned=not options["no_tuned"],
        seed=options["seed"],
        promote=options["promote"] or options["all"] or options["force"],
        force=options["force"],
        dry_run=options["dry_run"],
        refit=False,  # the ensemble is among the engines, or it is not wanted
    )


def _failures(summary: Summary, *, is_everything: bool) -> list[str]:
    """Return what makes the command end with exit code 1; a version that the gate turns down is no failure."""
    left_out = summary.reasons(Ending.LEFT_OUT)
    may_be_left_out = is_everything and len(left_out) < len(summary.results)
    return [*([] if may_be_left_out else left_out), *summary.reasons(Ending.FAILED)]
