"""What experiments cost a request: python -m tests.benchmarks.assignment.

The same requests with and without a look at experiments: where none runs, where the user has an
arm, and where the user gets one, once in a lifetime. And the assignment alone against its bare
statements by psycopg: one SELECT, or a SELECT and an INSERT with its commit. One process, PostgreSQL
with durable commits.
"""

# ruff: noqa: T201  a benchmark prints what it measured

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from itertools import count, repeat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.site.settings"

import psycopg
from psycopg.types.json import Jsonb

from tests.benchmarks.rounds import interleave, report, timed
from tests.services import running_postgres

REQUESTS, ROUNDS = 100, 7  # per round
N_BOOKS, N_LIKED = 1_000, 10
NONE_LIMIT = 0.01  # of a request: the look at what runs, where nothing does
ALONE_LIMIT = {"warm": 3.0, "cold": 2.0}  # of what the bare statements take


def main() -> int:
    """Print the ratios and the milliseconds; 1 if a limit is not kept."""
    with running_postgres(is_durable=True) as database, TemporaryDirectory(prefix="bench-") as folder:
        os.environ.update(BENCH_DATABASE=database, BENCH_ARTIFACTS=folder)
        import django

        django.setup()
        return _measured()


def _measured() -> int:
    readers = _loaded()
    once = _requests(repeat(readers[0]))
    none = interleave({name: timed(work, REQUESTS) for name, work in {**once, "look": _look()}.items()}, ROUNDS)
    _start()
    warm = interleave({name: timed(work, REQUESTS) for name, work in once.items()}, ROUNDS)
    cold = interleave({name: timed(work, REQUESTS) for name, work in _requests(iter(readers[1:])).items()}, ROUNDS)
    alone = interleave({name: timed(work, REQUESTS) for name, work in _alone().items()}, ROUNDS)
    claims = [
        none.claim("look where nothing runs / request", "look", "without", NONE_LIMIT),
        none.claim("request where nothing runs / without a look", "with", "without"),
        warm.claim("request of who has an arm / without a look", "with", "without"),
        cold.claim("request of who gets an arm / without a look", "with", "without"),
        alone.claim("arm that is stored / bare SELECT", "warm", "bare_warm", ALONE_LIMIT["warm"]),
        alone.claim("arm that is given / bare SELECT and INSERT", "cold", "bare_cold", ALONE_LIMIT["cold"]),
    ]
    added = {
        kind: each.median_ms("with") - each.median_ms("without") for kind, each in (("warm", warm), ("cold", cold))
    }
    print(", ".join(f"{kind}: {spent:+.2f} ms a request" for kind, spent in added.items()))
    return report("assignment", claims, Path("bench/assignment.json"), added_ms=added)


def _loaded() -> list[Any]:
    """Return the first reader, who has liked books, and those of whom each makes one request."""
    from django.core.management import call_command

    from tests.app import library
    from tests.toyhost.models import Reader

    call_command("migrate", verbosity=0)
    call_command("migrate", run_syncdb=True, verbosity=0)  # the toy host has no migrations
    books = library.add_shelves(N_BOOKS // 2)
    library.publish("als_v1", library.als_engine(books), books)
    library.put_live(1, "als_v1")
    first = library.add_reader("first", likes=tuple(books[:N_LIKED]))
    n_readers = 2 * REQUESTS * (ROUNDS + 1)
    others = Reader.objects.bulk_create(Reader(name=f"r{n}", account=first.account) for n in range(n_readers))
    return [first, *others]


def _start() -> None:
    from tests.experiments.making import make_phase

    make_phase({"control": {}, "b": {"diversity": 0.0}})


def _requests(readers: Iterator[Any]) -> dict[str, Callable[[], Any]]:
    from recommender_app.serving.service import recommend

    return {
        "with": lambda: recommend(next(readers), "books"),
        "without": lambda: recommend(next(readers), "books", in_experiments=False),
    }


def _look() -> Callable[[], Any]:
    from recommender_app.experiments.assigning import Unit, assign
    from recommender_app.experiments.facts import Facts
    from recommender_app.usecases.site import get_use_case

    use_case, unit, facts = get_use_case("books"), Unit("user", "1"), Facts(N_LIKED)
    return lambda: assign(use_case, unit, facts)


def _alone() -> dict[str, Callable[[], Any]]:
    """Return the assignment of one unit again and again and of one after the other, and their bare statements."""
    from recommender_app.experiments.assigning import Unit, assign
    from recommender_app.experiments.facts import Facts
    from recommender_app.models import Assignment
    from recommender_app.usecases.site import get_use_case

    use_case, facts, numbers = get_use_case("books"), Facts(N_LIKED), count()
    assign(use_case, Unit("user", "alone"), facts)
    row = Assignment.objects.get(unit_id="alone")
    bare = psycopg.connect(os.environ["BENCH_DATABASE"], autocommit=True)
    select = "SELECT phase_id, arm_id FROM recommender_app_assignment"
    select += " WHERE phase_id IN (%s) AND unit_type = %s AND unit_id = %s ORDER BY id"
    columns = [field.column for field in Assignment._meta.concrete_fields if not field.primary_key]
    places = ", ".join(["%s"] * len(columns))
    insert = f"INSERT INTO recommender_app_assignment ({', '.join(columns)}) VALUES ({places}) ON CONFLICT DO NOTHING"

    def bare_cold() -> None:
        unit = f"bare{next(numbers)}"
        bare.execute(select, [row.phase_id, "user", unit]).fetchall()
        values = {**vars(row), "unit_id": unit, "eligibility": Jsonb(row.eligibility)}
        bare.execute(insert, [values[column] for column in columns])

    return {
        "warm": lambda: assign(use_case, Unit("user", "alone"), facts),
        "bare_warm": lambda: bare.execute(select, [row.phase_id, "user", "alone"]).fetchall(),
        "cold": lambda: assign(use_case, Unit("user", f"alone{next(numbers)}"), facts),
        "bare_cold": bare_cold,
    }


if __name__ == "__main__":
    sys.exit(main())
