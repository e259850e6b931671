"""``manage.py recommender_batch``: the lists of all users in a file, for e-mail digests."""

from __future__ import annotations

import time
from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from recommender_app.conf import settings
from recommender_app.exceptions import ConfigurationError
from recommender_app.management.base import RecommenderCommand
from recommender_app.management.batch_lists import ListOptions, write_lists
from recommender_app.management.batch_queue import enqueue_shards
from recommender_app.management.list_files import FORMATS
from recommender_app.management.progress import progress_bar

ALL = "all"


class Command(RecommenderCommand):
    """Parses, writes or enqueues, prints what there is."""

    help = (
        "Write what each user would be recommended now: one row per user and place (user, rank, item, score, source, "
        "release). Nothing is logged as shown."
    )
    needs = "a use case"
    examples = (
        ("movies --out lists.parquet", "ten places for everybody"),
        ("movies --out lists.csv --users 7,9 --limit 5", "five for two users"),
        ("movies --out lists.jsonl --shard 2/8", "the second of eight parts of the users"),
        ("movies --out /shared/lists.parquet --celery 8", "eight parts, by Celery workers that see the folder"),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("use_case", help="Key of a use case.")
        parser.add_argument("--out", type=Path, required=True, help="File to write; its ending says the format.")
        parser.add_argument("--limit", type=_between(1, settings.LIMIT_MAX), help="Places per list.")
        parser.add_argument("--users", default=ALL, help="Keys of users, separated by commas; all of them by default.")
        parser.add_argument("--shard", default="1/1", help="Part of the users, such as 2/8.")
        parser.add_argument("--chunk", type=_between(1, 10_000), default=500, help="Users computed together.")
        parser.add_argument("--format", choices=FORMATS, help="If the file's ending does not say it.")
        parser.add_argument("--seed", type=_between(0, 2**32 - 1), help="Of exploration; the setting SEED by default.")
        parser.add_argument("--celery", type=_between(1, 10_000), metavar="N", help="Leave N shards to Celery workers.")
        parser.add_argument("--celery-app", metavar="MODULE", help="Where the Celery application is: mysite.celery.")

    def run(self, **options: Any) -> None:
        wanted = ListOptions(
            options["use_case"],
            options["out"],
            options["limit"],
            () if options["users"] == ALL else tuple(filter(None, options["users"].split(","))),
            options["shard"],
            options["chunk"],
            options["format"],
            options["seed"],
        )
        if options["celery"] is None:
            self._write(wanted, is_told=options["verbosity"] > 0)
        elif wanted.users or wanted.shard != "1/1":
            raise ConfigurationError("--celery makes the shards of all users itself: leave --users and --shard out.")
        else:
            paths = enqueue_shards(wanted, options["celery"], options["celery_app"])
            self.stdout.write(f"{len(paths)} shards are queued:\n" + "\n".join(f"  {path}" for path in paths))

    def _write(self, wanted: ListOptions, *, is_told: bool) -> None:
        started = time.monotonic()
        with progress_bar(self.stdout, is_wanted=is_told) as progress:
            written = write_lists(wanted, progress)
        seconds = time.monotonic() - started
        self.stdout.write(f"{written.path}: lists of {written.n_users} users, {written.n_rows} rows, {seconds:.1f} s")


def _between(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise ArgumentTypeError(f"{text!r} is no whole number from {least} to {most}")
        return int(text)

    return parse
