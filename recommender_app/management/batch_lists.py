"""Writing the lists of one shard of the users: what the command and the Celery task both call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recommender_app.management.list_files import format_of, list_file, rows_of
from recommender_app.serving.batch import begin_batch, lists_of
from recommender_app.trainers.base import Progress, silent
from recommender_app.usecases.site import get_use_case
from recommender_app.usecases.users import Shard, count_users, named_users, read_users


@dataclass(frozen=True)
class ListOptions:
    """What lists are asked for.

    Attributes:
        use_case: key.
        out: the file.
        limit: places per list; LIMIT_DEFAULT if None.
        users: keys as text; () = all users of the shard.
        shard: part of the users, ``2/8``.
        chunk: users read and scored together.
        kind: parquet, csv or jsonl; the file's ending if None.
        seed: of exploration; the setting SEED if None.
    """

    use_case: str
    out: Path
    limit: int | None = None
    users: tuple[str, ...] = ()
    shard: str = "1/1"
    chunk: int = 500
    kind: str | None = None
    seed: int | None = None


@dataclass(frozen=True)
class WrittenLists:
    """What was written: the file, how many users have a list in it, how many rows."""

    path: Path
    n_users: int
    n_rows: int


def write_lists(options: ListOptions, progress: Progress = silent) -> WrittenLists:
    """Write the lists of every user of a shard, one release for all of them.

    Users for whom nothing may be shown have no row. Memory is bounded by ``chunk``.

    Raises:
        RecommenderError: a wrong option, an unknown user, or a file that cannot be written.
    """
    use_case, shard = get_use_case(options.use_case), Shard.parse(options.shard)
    kind = format_of(options.out, options.kind)
    batch = begin_batch(use_case, options.limit, options.seed)
    named = named_users(use_case, options.users) if options.users else None
    total = count_users(use_case) if named is None else len(named)
    chunks = read_users(use_case, shard, options.chunk) if named is None else _chunks(named, options.chunk)
    n_seen = n_users = n_rows = 0
    with list_file(options.out, kind, use_case) as writer:
        for n_looked_at, users in chunks:
            rows = [rows_of(user, answer) for user, answer in lists_of(batch, users)]
            writer.write([row for own in rows for row in own])
            n_seen, n_users = n_seen + n_looked_at, n_users + sum(1 for own in rows if own)
            n_rows += sum(len(own) for own in rows)
            progress(min(n_seen, total), total, "lists")
    return WrittenLists(options.out, n_users, n_rows)


def _chunks(users: Sequence[Any], size: int) -> Iterator[tuple[int, list[Any]]]:
    for start in range(0, len(users), size):
        chunk = list(users[start : start + size])
        yield len(chunk), chunk
