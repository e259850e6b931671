"""Starting a process: no query, nothing heavy, no thread, and no error whatever is missing."""

import json
import sqlite3

import environ
import pytest

from recommender_app.artifacts.live_hint import LiveHint, write_live_hint
from recommender_app.artifacts.store import ArtifactStore
from recommender_app.dataset.ids import IdMap
from tests.app.library import popular_engine
from tests.app.processes import NO_DATABASE, run_python, sqlite
from tests.toyhost.models import Book

HEAVY = ("torch", "implicit", "sklearn", "scipy.stats", "pandas", "pyarrow", "optuna", "matplotlib", "tqdm", "faiss")
REPORT = f"""
import json, sys, threading
from recommender_app.serving import live
loaded = {{key: sorted(slot.release.artifacts) for key, slot in live._live.items() if slot.release}}
heavy = [name for name in {HEAVY!r} if name in sys.modules]
print(json.dumps({{"loaded": loaded, "heavy": heavy, "threads": threading.active_count()}}))
"""


def report_of(folder, code=REPORT, **where):
    return json.loads(run_python(folder, code, **where).splitlines()[-1])


@pytest.fixture
def artifact_root(tmp_path):
    """A root with one live artifact."""
    root = tmp_path / "artifacts"
    books = [Book(title=str(number)) for number in range(3)]
    items = IdMap.from_values([book.pk for book in books])
    ArtifactStore(root).publish("books", "popular_v1", popular_engine(books), items)
    write_live_hint(root, LiveHint("books", 1, {"popular": "popular_v1"}))
    return root


def test_models_are_loaded_without_a_query_a_thread_or_a_heavy_library(tmp_path, artifact_root):
    # Every query would fail: there is no database server at that address.
    report = report_of(tmp_path, database=NO_DATABASE, artifact_root=artifact_root)
    assert report == {"loaded": {"books": ["popular"]}, "heavy": [], "threads": 1}


@pytest.mark.parametrize("what", ["nothing", "an empty folder", "a file", "garbage"])
def test_a_process_starts_without_artifacts(tmp_path, what):
    root = tmp_path / "artifacts"
    if what == "an empty folder":
        root.mkdir()
    elif what == "a file":
        root.write_text("not a folder")
    elif what == "garbage":
        (root / "LIVE").mkdir(parents=True)
        (root / "LIVE" / "books").write_bytes(b"\xff\x00{")
        (root / "LIVE" / "no such use case").write_text("[]")
    assert report_of(tmp_path, database=NO_DATABASE, artifact_root=root)["loaded"] == {}


def test_a_process_starts_with_a_hint_whose_folder_is_gone(tmp_path, artifact_root):
    ArtifactStore(artifact_root).delete("books", "popular", "popular_v1")
    assert report_of(tmp_path, database=NO_DATABASE, artifact_root=artifact_root)["loaded"] == {"books": []}


def test_a_process_starts_and_migrates_an_empty_database(tmp_path, artifact_root):
    code = "from django.core.management import call_command; call_command('migrate', verbosity=0)"
    run_python(tmp_path, code, sqlite(tmp_path / "db.sqlite3"), artifact_root)
    with sqlite3.connect(tmp_path / "db.sqlite3") as database:
        assert database.execute("SELECT count(*) FROM recommender_app_release").fetchone() == (0,)


WITHOUT_TABLES = """
import json
from django.core.management import call_command
from django.db import transaction
call_command("migrate", verbosity=0)
call_command("migrate", run_syncdb=True, verbosity=0)  # the toy host has no migrations
call_command("migrate", "recommender_app", "zero", verbosity=0)
from tests.app import library
from recommender_app import recommend
with transaction.atomic():  # as ATOMIC_REQUESTS does it
    library.add_books("tea-0")
    answer = recommend(library.Reader.objects.create(name="ann"), "books")
    n_books = library.Book.objects.count()
print(json.dumps([answer.engine, answer.fallback_reason, len(answer.results), n_books]))
"""


def test_without_its_tables_the_app_still_answers(tmp_path):
    where = {"database": sqlite(tmp_path / "db.sqlite3"), "artifact_root": tmp_path / "none"}
    assert report_of(tmp_path, WITHOUT_TABLES, **where) == ["newest", "no_model", 1, 1]


@pytest.mark.services
def test_the_hosts_transaction_on_postgresql_survives_our_missing_tables(tmp_path, postgres_database):
    where = {"database": environ.Env.db_url_config(postgres_database), "artifact_root": tmp_path / "none"}
    assert report_of(tmp_path, WITHOUT_TABLES, **where) == ["newest", "no_model", 1, 1]


@pytest.mark.slow
def test_no_heavy_library_is_loaded_by_a_request_to_any_engine(tmp_path):
    where = {"database": sqlite(tmp_path / "db.sqlite3"), "artifact_root": tmp_path / "artifacts"}
    run_python(tmp_path, "from tests.app import every_engine; every_engine.train_and_promote()", **where)
    report = report_of(tmp_path, "from tests.app import every_engine; every_engine.serve()\n" + REPORT, **where)
    served = json.loads((tmp_path / "artifacts" / "served.json").read_text())
    assert served
    assert all(engine == answered for engine, answered in served.items()), served
    assert report["heavy"] == []
