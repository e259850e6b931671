"""``manage.py recommender_benchmark``: the engines on plain files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from recommender_app.exceptions import ConfigurationError
from recommender_app.management.base import RecommenderCommand
from recommender_app.management.engine_options import check_writable, parse_engine_overrides, write_json
from recommender_app.management.progress import progress_bar
from recommender_app.management.training import chosen_engines, parse_overrides
from recommender_app.training.benchmark.folder import SPLITS, WHOLE, BenchmarkData, FolderOptions, read_folder
from recommender_app.training.benchmark.run import COLD_KS, run_benchmark
from recommender_app.training.benchmark.table import result_json, result_text
from recommender_app.training.seeds import chosen_seed
from recommender_app.training.tuning_layer import tuned_overrides
from recommender_app.usecases.site import get_use_case


class Command(RecommenderCommand):
    """Measures engines on a folder of files; reads no database but for --tuned, and writes none."""

    requires_system_checks: list[str] = []
    help = (
        "Measure engines on a folder with train.csv.gz and test.csv.gz, or with interactions.csv.gz that is cut here. "
        "Columns: user_id,item_id[,event_or_rating][,timestamp]; ids may be integers, strings or UUIDs. items.csv.gz "
        "(item_id, ...) and users.csv.gz (user_id, ...) are side information: a column of numbers, of categories (no "
        "spaces, several separated by |), or of text. All items are ranked but those of the user's train part; "
        "recall@k = hits / test items, ndcg@k with the ideal over min(test items, k), means over the test users. Where "
        "no test item is in train, only the test items are ranked (cold items). Every engine trains in a process of "
        "its own."
    )
    examples = (
        ("data/yelp2018-lightgcn --engines popular,als", "two engines on a published split"),
        ("data/yelp2018-lightgcn --validation --set als.factors=256", "try an option without reading the test part"),
        ("data/deskdrop --split temporal --weights VIEW=1,LIKE=2", "cut the newest fifth off, weigh the events"),
        ("data/citeulike-a/cold_split --items data/citeulike-a/items.csv.gz --item-columns tags", "cold items"),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="Folder of the files.")
        parser.add_argument("--engines", metavar="A,B", help="Engines to measure; all that can learn from the data.")
        parser.add_argument("--k", metavar="K[,K]", help="List lengths; 20, for cold items 20,50,100.")
        parser.add_argument("--split", choices=SPLITS, help="How interactions.csv.gz is cut; temporal if it has times.")
        parser.add_argument("--test-fraction", type=float, default=0.2, help="How much of it is test; 0.2.")
        parser.add_argument("--validation", action="store_true", help="Measure on 15 %% of train; test is not used.")
        parser.add_argument("--cold", action="store_true", help="With --validation: hold out 15 %% of the items whole.")
        parser.add_argument("--weights", metavar="EVENT=W,..", help="Weights of events; 1 if not named, <0 = dislike.")
        parser.add_argument("--items", type=Path, metavar="FILE", help="Side information, if not the folder's own.")
        parser.add_argument("--users", type=Path, metavar="FILE", help="The same for users.")
        parser.add_argument("--item-columns", metavar="A,B", help="Columns of the items' file to use; all.")
        parser.add_argument("--set", action="append", default=[], metavar="ENGINE.NAME=VALUE", help="Engine's option.")
        parser.add_argument("--tuned", metavar="USE_CASE", help="With what recommender_tune has found for a use case.")
        parser.add_argument("--seed", type=int, help="Seed of cuts, trainers and intervals; else the setting SEED.")
        parser.add_argument("--json", type=Path, metavar="FILE", help="Also write the numbers to a file.")

    def run(self, **options: Any) -> None:
        asked = _names(options["engines"])
        engines, overrides = chosen_engines(asked), parse_engine_overrides(options["set"])
        if options["tuned"]:
            overrides = tuned_overrides(get_use_case(options["tuned"]).key, engines, overrides)
        seed = chosen_seed(options["seed"])
        check_writable(options["json"])
        lengths = _lengths(options["k"])
        data = read_folder(options["folder"], _folder_options(options, seed))
        with progress_bar(self.stdout, is_wanted=options["verbosity"] > 0) as progress:
            result = run_benchmark(
                data,
                engines,
                ks=lengths or default_lengths(data),
                seed=seed,
                overrides=overrides,
                required=asked,
                progress=progress,
            )
        self.stdout.write(result_text(result, seed))
        if options["json"]:
            write_json(options["json"], result_json(result, seed))
        if result.failures:
            raise CommandError("\n".join(f"{engine}: {why}" for engine, why in result.failures.items()))


def default_lengths(data: BenchmarkData) -> tuple[int, ...]:
    """Return the list lengths of the protocol: 20; for cold items 20, 50 and 100."""
    return (20,) if WHOLE in data.candidates else COLD_KS


def _folder_options(options: dict[str, Any], seed: int) -> FolderOptions:
    if options["cold"] and not options["validation"]:
        raise ConfigurationError("--cold says how --validation holds out: add --validation.")
    if not 0 < options["test_fraction"] < 1:
        raise ConfigurationError(f"--test-fraction {options['test_fraction']:g} must lie between 0 and 1.")
    return FolderOptions(
        split=options["split"],
        test_fraction=options["test_fraction"],
        is_validation=options["validation"],
        is_cold=options["cold"],
        weights=_weights(options["weights"]),
        items=options["items"],
        users=options["users"],
        item_columns=tuple(_names(options["item_columns"])),
        seed=seed,
    )


def _weights(text: str | None) -> dict[str, float]:
    try:
        return {name: float(value) for name, value in parse_overrides(_names(text)).items()}
    except ValueError as error:
        raise ConfigurationError(f"--weights {text}: write EVENT=number, such as VIEW=1,LIKE=2.") from error


def _lengths(text: str | None) -> tuple[int, ...]:
    names = _names(text)
    if not all(name.isdigit() and int(name) for name in names):
        raise ConfigurationError(f"--k {text}: write list lengths of 1 and more, such as 20 or 20,50.")
    return tuple(sorted({int(name) for name in names}))


def _names(text: str | None) -> list[str]:
    return [name.strip() for name in (text or "").split(",") if name.strip()]
