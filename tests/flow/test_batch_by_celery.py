"""Lists of everybody, in shards that Celery workers write."""

import sys
import time
from types import ModuleType

import pytest
from celery import Celery
from celery.exceptions import Retry
from django.core.management import CommandError, call_command
from django.db import connection

from recommender_app.management.batch_lists import ListOptions
from recommender_app.management.batch_queue import as_message
from recommender_app.tasks import batch_shard
from tests import services
from tests.app import library
from tests.faults.releasing.processes import Site

WAIT_SECONDS = 90
N_SHARDS = 3


def rows_of(path):
    return [tuple(line.split(",")) for line in path.read_text().splitlines()[1:]]


@pytest.mark.services
@pytest.mark.slow
def test_workers_write_the_shards_and_together_they_are_the_whole(tmp_path, postgres_database, redis_url):
    site = Site(tmp_path, postgres_database, reload_seconds=5.0, broker_url=redis_url)
    with site.registry() as registry:
        registry.do("fill")
        registry.do("promote", 1)
        registry.do("readers", 20)
        whole = site.manage("recommender_batch", "books", "--out", "whole.csv", "--limit", "3")
        assert whole.returncode == 0, whole.stderr
        asked = ("--out", "lists.csv", "--limit", "3", "--celery", str(N_SHARDS))
        queued = site.manage("recommender_batch", "books", *asked, "--celery-app", "tests.faults.releasing.worker")
        assert queued.returncode == 0, queued.stderr
        assert f"{N_SHARDS} shards are queued" in queued.stdout
        shards = [tmp_path / f"lists-{number}-of-{N_SHARDS}.csv" for number in range(1, N_SHARDS + 1)]
        assert not any(path.exists() for path in shards)
        with site.celery(2):
            until = time.monotonic() + WAIT_SECONDS
            while not all(path.exists() for path in shards) and time.monotonic() < until:
                time.sleep(0.1)
    log = site.log.read_text()
    found = [rows_of(path) for path in shards]
    assert all(found)
    assert sorted(row for rows in found for row in rows) == sorted(rows_of(tmp_path / "whole.csv")), log
    assert len(rows_of(tmp_path / "whole.csv")) == 21 * 3


def test_a_broker_that_cannot_be_reached_is_one_line(tmp_path, monkeypatch):
    app = Celery("site", broker=f"redis://127.0.0.1:{services.free_port()}/0", set_as_current=False)
    module = ModuleType("site_without_broker")
    module.app = app
    monkeypatch.setitem(sys.modules, module.__name__, module)
    asked = ("--out", str(tmp_path / "lists.csv"), "--celery", "2", "--celery-app", module.__name__)
    with pytest.raises(CommandError, match="cannot be reached"):
        call_command("recommender_batch", "books", *asked)


@pytest.mark.django_db
def test_a_shard_is_tried_again_when_nothing_could_be_read(tmp_path):
    message = as_message(ListOptions("books", tmp_path / "lists.csv"))
    with connection.execute_wrapper(library.refuse), pytest.raises(Retry):
        batch_shard.apply(kwargs=message, throw=True).get()
    assert batch_shard.apply(kwargs=message).successful()
    assert (tmp_path / "lists.csv").exists()
