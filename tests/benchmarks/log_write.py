"""What an answer pays for its row of the request log: python -m tests.benchmarks.log_write.

Our writer, from the answer to the committed row, against psycopg alone: ``execute`` of an INSERT of
an equal row (values and JSON ready) and ``commit``. One process, one connection each, PostgreSQL
with durable commits, which is what is judged, and without, where Python's share shows.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.site.settings"

import psycopg
from psycopg.types.json import Jsonb

from tests.benchmarks.rounds import interleave, report, timed
from tests.services import running_postgres

LIMIT = 1.5
ROWS = 200  # per round
ROUNDS = 7
RESULTS = 10  # of an answer


def main() -> int:
    """Print the ratios; 1 if the writer costs more than 1.5 times the bare INSERT and COMMIT."""
    failures = []
    for is_durable in (True, False):
        child = os.fork()  # Django is set up for one database
        if child == 0:
            os._exit(_measured(is_durable))
        failures.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    return int(any(failures))


def _measured(is_durable: bool) -> int:
    with running_postgres(is_durable=is_durable) as database, TemporaryDirectory(prefix="bench-") as folder:
        os.environ.update(BENCH_DATABASE=database, BENCH_ARTIFACTS=folder)
        works = _works(database)
        rounds = interleave({name: timed(work, ROWS) for name, work in works.items()}, ROUNDS)
    kind = "durable" if is_durable else "not durable"
    claims = [
        rounds.claim(f"log write / INSERT and COMMIT, {kind}", "ours", "bare", LIMIT if is_durable else None),
        rounds.claim(f"log write / INSERT in autocommit, {kind}", "ours", "autocommit"),
        rounds.claim(f"Model.save() / INSERT and COMMIT, {kind}", "save", "bare"),
        rounds.claim(f"spool / INSERT and COMMIT, {kind}", "spool", "bare"),
    ]
    return report(f"log write, {kind}", claims, Path(f"bench/log_write_{kind.replace(' ', '_')}.json"), n_rows=ROWS)


def _works(database: str) -> dict[str, Callable[[], Any]]:
    """Return what is compared; every call stores one row that no other has."""
    import django

    django.setup()
    from django.core.management import call_command

    from recommender_app.models import RequestLog
    from recommender_app.serving import request_log
    from recommender_app.serving.log_rows import values_of
    from recommender_app.serving.spool.writing import append

    call_command("migrate", verbosity=0)
    statement, values = _bare_row()
    manual, autocommit = (psycopg.connect(database, autocommit=each) for each in (False, True))

    def bare() -> None:
        manual.execute(statement, [uuid4(), *values])
        manual.commit()

    made = iter([_answer() for _ in range(3 * ROWS * (ROUNDS + 1))])  # before anything is measured
    return {
        "ours": lambda: request_log.write(next(made)) or sys.exit("a row is lost"),
        "bare": bare,
        "autocommit": lambda: autocommit.execute(statement, [uuid4(), *values]),
        "save": lambda: RequestLog(**values_of(next(made))).save(force_insert=True),
        "spool": lambda: append(values_of(next(made))),
    }


def _answer() -> Any:
    from recommender_app.serving.answer import Answer, Result

    results = tuple(Result(rank, 10_000 + rank, 1 / rank, "als", None) for rank in range(1, RESULTS + 1))
    return Answer(
        uuid4(), "books", "4711", RESULTS, "als", "als_v3", 7, "", 12, "default", results, 8.125, {"als": 3.5}
    )


def _bare_row() -> tuple[str, list[Any]]:
    """Return an INSERT and its values but the first, of a row that equals those of ``_answer``."""
    from recommender_app.models import RequestLog
    from recommender_app.serving.log_rows import values_of

    row = RequestLog(**values_of(_answer()))
    fields = [field for field in RequestLog._meta.concrete_fields if not field.primary_key]
    columns = [field.column for field in sorted(fields, key=lambda field: field.name != "request_id")]
    values = [getattr(row, column) for column in columns[1:]]
    places = ", ".join(["%s"] * len(columns))
    statement = f"INSERT INTO recommender_app_requestlog ({', '.join(columns)}) VALUES ({places})"
    return statement, [Jsonb(value) if isinstance(value, dict | list) else value for value in values]


if __name__ == "__main__":
    sys.exit(main())
