"""``manage.py recommender_evaluate``: engines measured on the same users."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from recommender_app.conf import settings
from recommender_app.dataset.folder import read_dataset
from recommender_app.evaluation.evaluate import Evaluation
from recommender_app.evaluation.report import metric_table
from recommender_app.exceptions import ConfigurationError
from recommender_app.management.base import RecommenderCommand
from recommender_app.management.progress import progress_bar
from recommender_app.management.training import chosen_engines
from recommender_app.training.comparison import SPLIT_NAMES, compare_engines
from recommender_app.training.export import export_dataset
from recommender_app.usecases.site import get_use_case


class Command(RecommenderCommand):
    """Compares engines offline."""

    help = (
        "Measure engines of a use case: export it, cut it into a train and a test part, train each engine on the "
        "train part, rank the whole catalogue for the same test users, and print one table. The line below it says "
        "how it was measured. Nothing is published."
    )
    examples = (
        ("movies", "popularity, trending and ALS on the newest fifth of the interactions"),
        ("movies --split random --seed 7", "on a random fifth of each user's items"),
        ("movies --engines popular,als --json result.json", "two engines, numbers also to a file"),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("use_case", help="Key of the use case.")
        parser.add_argument("--engines", default="popular,trending,als", metavar="A,B", help="popular,trending,als")
        parser.add_argument("--split", default="temporal", help=f"{', '.join(SPLIT_NAMES)}; temporal by default.")
        parser.add_argument("--dataset", type=Path, metavar="PATH", help="Exported folder, instead of a fresh export.")
        parser.add_argument("--seed", type=int, help="Seed of split and trainers; else the setting SEED.")
        parser.add_argument("--json", type=Path, metavar="PATH", help="Also write the numbers to a file.")

    def run(self, **options: Any) -> None:
        use_case = get_use_case(options["use_case"])
        engines = chosen_engines([key.strip() for key in options["engines"].split(",")])
        seed = settings.SEED if options["seed"] is None else options["seed"]
        with progress_bar(self.stdout, is_wanted=options["verbosity"] > 0) as progress:
            path = options["dataset"] or export_dataset(use_case, progress=progress).path
            evaluation = compare_engines(read_dataset(path), engines, options["split"], seed=seed, progress=progress)
        self.stdout.write(metric_table(evaluation))
        if options["json"]:
            _write_json(options["json"], evaluation, seed)


def _write_json(path: Path, evaluation: Evaluation, seed: int) -> None:
    engines = {
        engine: {metric: value if math.isfinite(value) else None for metric, value in measured.items()}
        for engine, measured in evaluation.engines.items()
    }
    numbers = {"protocol": evaluation.protocol, "n_users": evaluation.n_users, "seed": seed, "engines": engines}
    try:
        path.write_text(json.dumps(numbers, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"Cannot write {path}: {error.strerror}.") from error
