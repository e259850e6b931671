"""``manage.py recommender_evaluate``: engines measured on the same users."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from recommender_app.dataset.folder import read_dataset
from recommender_app.evaluation.page import page
from recommender_app.evaluation.study import Study
from recommender_app.evaluation.study_tables import study_json, study_text
from recommender_app.management.base import RecommenderCommand
from recommender_app.management.engine_options import check_writable, parse_engine_overrides, write_json, write_text
from recommender_app.management.progress import progress_bar
from recommender_app.management.training import chosen_engines
from recommender_app.training.comparison import SPLIT_NAMES
from recommender_app.training.export import export_dataset
from recommender_app.training.seeds import chosen_seed
from recommender_app.training.study import study_engines
from recommender_app.training.tuning_layer import tuned_overrides
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.site import get_use_case


class Command(RecommenderCommand):
    """Compares engines offline."""

    help = (
        "Measure engines of a use case: export it, cut it into a train and a test part, train each engine on the "
        "train part, rank the whole catalogue for the same test users, and print tables: all metrics, 95 % intervals "
        "and differences to the best single engine, groups of users by activity, and the same users with shorter "
        "histories. The line below the first table says how it was measured. Popularity, trending and item neighbours "
        "are always in it. Nothing is published."
    )
    needs = "a use case"
    examples = (
        ("movies", "every engine on the newest fifth of the interactions"),
        ("movies --split random --seed 7", "on a random fifth of each user's items"),
        ("movies --engines als,ensemble --html report.html", "two engines, and a page with plots to show around"),
        ("movies --engines als --set als.factors=64 --json result.json", "with an option, numbers also to a file"),
        ("movies --tuned", "with the options that recommender_tune has found, as the next training will use them"),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("use_case", help="Key of the use case.")
        parser.add_argument("--engines", metavar="A,B", help="Engines to compare; all that can learn from the data.")
        parser.add_argument("--split", default="temporal", help=f"{', '.join(SPLIT_NAMES)}; temporal by default.")
        parser.add_argument("--dataset", type=Path, metavar="PATH", help="Exported folder, instead of a fresh export.")
        parser.add_argument("--set", action="append", default=[], metavar="ENGINE.NAME=VALUE", help="Engine's option.")
        parser.add_argument("--tuned", action="store_true", help="With the options that recommender_tune has found.")
        parser.add_argument("--seed", type=int, help="Seed of split, trainers and intervals; else the setting SEED.")
        parser.add_argument("--json", type=Path, metavar="FILE", help="Also write the numbers to a file.")
        parser.add_argument("--html", type=Path, metavar="FILE", help="Also write one self-contained page with plots.")

    def run(self, **options: Any) -> None:
        use_case = get_use_case(options["use_case"])
        check_writable(options["json"], options["html"])
        found = self._study(use_case, options)
        self.stdout.write(study_text(found))
        if options["json"]:
            write_json(options["json"], study_json(found))
        if options["html"]:
            write_text(options["html"], page(found, f"Recommendations compared: {use_case.key}"))

    def _study(self, use_case: UseCase, options: dict[str, Any]) -> Study:
        asked = [key.strip() for key in options["engines"].split(",")] if options["engines"] else []
        engines, overrides = chosen_engines(asked), parse_engine_overrides(options["set"])
        if options["tuned"]:
            overrides = tuned_overrides(use_case.key, engines, overrides)
        seed = chosen_seed(options["seed"])
        with progress_bar(self.stdout, is_wanted=options["verbosity"] > 0) as progress:
            path = options["dataset"] or export_dataset(use_case, progress=progress).path
            return study_engines(
                read_dataset(path),
                engines,
                options["split"],
                seed=seed,
                overrides=overrides,
                required=asked,
                progress=progress,
            )
