"""``manage.py load_movielens``: MovieLens-100k into the tables."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rest_framework.authtoken.models import Token
from tqdm import tqdm

from backend.movies.models import Viewer
from backend.movies.movielens.records import MovieLensError
from backend.movies.movielens.source import fetch_wheel, read_movielens
from backend.movies.movielens.writing import write_movielens


class Command(BaseCommand):
    """Load viewers, movies and ratings; a second time adds nothing."""

    help = "Load MovieLens-100k (research use, no redistribution): viewers, movies, 100,000 ratings with their times."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--source",
            type=Path,
            help="official ml-100k folder or zip, or a recbole 1.2.1 wheel; without it the wheel is "
            "downloaded with pip into .demo/ once",
        )
        parser.add_argument("--tokens", type=int, default=3, help="API tokens for the first N viewers (default 3)")

    def handle(self, *args: Any, source: Path | str | None, tokens: int, verbosity: int, **options: Any) -> None:
        started = time.perf_counter()
        try:
            path = Path(source) if source else fetch_wheel(settings.BASE_DIR / ".demo")
            data = read_movielens(path)
        except MovieLensError as error:
            raise CommandError(str(error)) from error
        with tqdm(total=len(data.ratings), desc="ratings", unit=" rows", disable=None if verbosity else True) as bar:
            written = write_movielens(data, bar.update)
        seconds = time.perf_counter() - started
        self.stdout.write(
            f"MovieLens-100k from {path.name}: {written.viewers} viewers, {written.movies} movies and "
            f"{written.ratings} ratings are new; {seconds:.1f} s."
        )
        self._show_tokens(max(tokens, 0))

    def _show_tokens(self, n: int) -> None:
        for viewer in Viewer.objects.filter(account__isnull=False).select_related("account").order_by("pk")[:n]:
            token, _ = Token.objects.get_or_create(user=viewer.account)
            self.stdout.write(f"  {viewer.account}: Authorization: Token {token.key}")
