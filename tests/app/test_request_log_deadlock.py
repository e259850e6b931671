"""Row 39: a deadlock over the log's table, in a host's own transaction; a process of its own, on PostgreSQL."""

import contextlib
import threading
import time

import pytest

from tests.app.processes import run_on

PATIENT = "SET deadlock_timeout = '20s'"  # who looks for a deadlock first is its victim: not this one


@contextlib.contextmanager
def held_by_somebody(lock, wanted):
    """Hold a lock until the block ends, and want another one; yields what returns once it is waited for."""
    import psycopg
    from django.db import connection

    settings = connection.settings_dict
    address = {"host": settings["HOST"], "port": settings["PORT"], "user": settings["USER"], "dbname": settings["NAME"]}
    with psycopg.connect(**address) as other:
        other.execute(PATIENT)
        other.execute(lock)
        waiting = threading.Thread(target=lambda: other.execute(wanted))

        def want():
            waiting.start()
            until = time.monotonic() + 30
            while not is_anybody_waiting(connection) and time.monotonic() < until:
                time.sleep(0.01)

        yield want
        waiting.join(30)


def is_anybody_waiting(connection):
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0] > 0


def the_log_is_the_victim_and_the_hosts_transaction_goes_on():
    """Somebody holds the log's table and wants a row of ours; our INSERT wants the table."""
    from django.db import transaction

    from recommender_app.models import RequestLog
    from recommender_app.serving import request_log
    from recommender_app.serving.service import recommend
    from recommender_app.serving.spool.draining import drain
    from tests.app import library
    from tests.toyhost.models import Book

    books, reader = library.add_shelves(1), library.add_reader()
    table, book = RequestLog._meta.db_table, Book._meta.db_table
    lock = f"LOCK TABLE {table} IN SHARE MODE"
    wanted = f"SELECT 1 FROM {book} WHERE id = '{books[0].pk}' FOR UPDATE"
    with held_by_somebody(lock, wanted) as want, transaction.atomic():
        Book.objects.filter(pk=books[0].pk).update(pages=7)
        want()
        answer = recommend(reader, "books", 2)
    assert [result.id for result in answer.results] == [books[1].pk, books[0].pk]
    assert Book.objects.get(pk=books[0].pk).pages == 7
    assert request_log.n_spooled() == 1
    assert RequestLog.objects.count() == 0
    assert drain().n_added == 1
    assert RequestLog.objects.get().request_id == answer.request_id


@pytest.mark.slow
@pytest.mark.services
def test_row_39_a_deadlock_over_the_log_costs_neither_the_answer_nor_its_row(postgres_database):
    code = (
        "from pytest_django.fixtures import _disable_migrations\n"
        "_disable_migrations()\n"  # the toy host has none, and its tables name those that have
        "import django; django.setup()\n"
        "from django.core.management import call_command\n"
        "call_command('migrate', run_syncdb=True, verbosity=0)\n"
        "from tests.app import test_request_log_deadlock as tests\n"
        "tests.the_log_is_the_victim_and_the_hosts_transaction_goes_on()\n"
    )
    errors = run_on(postgres_database, code)
    assert "deadlock detected" in errors  # it was one, and the log of the application says so
