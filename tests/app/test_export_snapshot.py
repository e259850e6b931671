"""An export reads one moment, in small pieces, and keeps no writer waiting."""

import threading

import pytest
from django.db import connection, connections

from recommender_app.dataset.folder import read_dataset
from recommender_app.training.export import export_dataset
from recommender_app.training.export_options import ExportOptions
from recommender_app.usecases.exporting import read_item_ids, read_rows
from recommender_app.usecases.site import get_use_case
from recommender_app.usecases.snapshot import snapshot
from tests.app.processes import run_on
from tests.toyhost.models import Book, Reader, Reading


def fill(n=10):
    reader = Reader.objects.create(name="Ann")
    books = Book.objects.bulk_create(Book(title=str(number)) for number in range(n))
    Reading.objects.bulk_create(Reading(reader=reader, book=book, kind="like") for book in books)
    return reader


def in_another_connection(function):
    """Run as another process would: on a connection of its own, which is closed afterwards."""
    errors = []

    def run():
        try:
            function()
        except Exception as error:  # noqa: BLE001  reported in the test's thread
            errors.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
    assert errors == []


@pytest.fixture
def root(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": tmp_path / "artifacts"}


@pytest.mark.django_db
def test_no_more_than_a_chunk_of_rows_is_held():
    fill(10)
    use_case = get_use_case("books")
    assert [len(chunk) for chunk in read_rows(use_case, (None, None), 4)] == [4, 4, 2]
    assert [len(chunk) for chunk in read_item_ids(use_case, 4)] == [4, 4, 2]


def writes_during_an_export_are_not_in_it(in_database):
    """Export chunk by chunk while somebody adds readings and books; also run on PostgreSQL."""
    reader = fill(10)
    told = []

    def write_once(done, total, label):
        if not told:
            told.append(label)
            in_database(lambda: add(reader))

    def add(reader):
        book = Book.objects.create(title="late")
        Reading.objects.create(reader=reader, book=book, kind="finish")

    exported = export_dataset(get_use_case("books"), ExportOptions(), write_once, chunk_size=3)
    assert told == ["interactions"]
    assert exported.manifest["counts"]["interactions"] == 10
    assert read_dataset(exported.path).n_items == 10
    assert Reading.objects.count() == 11


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def test_writes_during_an_export_are_not_in_it_and_do_not_wait(engine, request, tmp_path):
    """In a process of its own: the test database of this one is no file and in a transaction."""
    url = request.getfixturevalue("postgres_database") if engine == "postgres" else f"sqlite:///{tmp_path / 'db'}"
    code = (
        "import django; django.setup()\n"
        "from django.conf import settings; from django.core.management import call_command\n"
        f"settings.RECOMMENDER = {{**settings.RECOMMENDER, 'ARTIFACT_ROOT': {str(tmp_path / 'root')!r}}}\n"
        "call_command('migrate', verbosity=0); call_command('migrate', run_syncdb=True, verbosity=0)\n"
        "from tests.app import test_export_snapshot as tests\n"
        "tests.writes_during_an_export_are_not_in_it(tests.in_another_connection)\n"
    )
    run_on(url, code)


@pytest.mark.django_db(transaction=True)
def test_a_snapshot_leaves_the_connection_as_it_was():
    connection.ensure_connection()
    before = getattr(connection, "transaction_mode", None)
    with snapshot([Reader, Book]):
        assert connection.in_atomic_block
    assert not connection.in_atomic_block
    assert getattr(connection, "transaction_mode", None) == before
