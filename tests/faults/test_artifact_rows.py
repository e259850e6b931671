"""Rows 1 to 4 and 14 to 16 of the fault matrix: artifacts that are missing or taken away, and full disks."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from recommender_app.artifacts.live_hint import LiveHint, write_live_hint
from recommender_app.models import ModelVersion
from recommender_app.serving import live
from recommender_app.serving.health import health
from recommender_app.serving.service import recommend
from recommender_app.training.retention import prune
from recommender_app.usecases.site import get_use_case
from tests.app import library
from tests.core.test_artifacts_disk import plain_account
from tests.faults.artifacts import ask, folder_of, put_als_live
from tests.faults.servers import ROOT
from tests.toyhost.models import Book

pytestmark = pytest.mark.django_db


def test_row_1_without_any_model_the_newest_are_shown(client, reader):
    body = ask(client, reader)
    assert (body["engine"], body["model_version"], body["fallback_reason"]) == ("newest", None, "no_model")
    assert len(body["results"]) == 3


def test_row_2_without_any_item_the_list_is_empty(client, reader, books):
    put_als_live(1, books)
    Book.objects.all().delete()
    body = ask(client, reader)
    assert (body["engine"], body["results"]) == ("none", [])


@pytest.mark.parametrize("what", ["missing", "a file", "unreadable"])
def test_row_3_a_root_that_is_gone_or_closed_costs_the_models_not_the_answers(client, settings, root, reader, what):
    with closed_root(root, what) as place:
        settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": str(place)}
        library.put_live(1, "als_v1")
        live.preload()
        body = ask(client, reader)
        assert (body["engine"], body["fallback_reason"], len(body["results"])) == ("newest", "artifact_damaged", 3)
        assert health([get_use_case("books")])["status"] == "degraded"


@contextlib.contextmanager
def closed_root(root, what):
    if what == "missing":
        yield root / "missing"
    elif what == "a file":
        (root / "file").write_text("mine")
        yield root / "file"
    else:
        place = Path(tempfile.mkdtemp())  # pytest's folders are closed to other accounts anyway
        place.chmod(0o000)
        with plain_account():
            yield place
        place.chmod(0o700)
        shutil.rmtree(place)


@pytest.mark.parametrize("text", ["", "garbage", "{}", "[" * 9999, '{"release": 1, "versions": {"als": "als_v9"}}'])
def test_row_4_whatever_the_hint_says_the_database_decides(client, root, books, reader, text):
    put_als_live(1, books)
    (root / "LIVE").mkdir()
    (root / "LIVE" / "books").write_text(text)
    live.preload()
    assert ask(client, reader)["model_version"] == "als_v1"


def test_row_14_what_was_pruned_while_mapped_goes_on_until_the_next_release(client, settings, books, reader):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "KEEP_VERSIONS": 1}
    put_als_live(1, books)
    before = ask(client, reader)
    for number in (2, 3):
        library.publish(f"als_v{number}", library.als_engine(books), books)
        library.put_live(number, f"als_v{number}")
    settings.RECOMMENDER["RELOAD_SECONDS"] = 3600  # this process has not looked since
    ModelVersion.objects.update(created_at=timezone.now() - timedelta(hours=2))
    assert [each.name for each in prune("books")] == ["als_v1", "als_v2"]
    assert not folder_of("als_v1").exists()

    assert ask(client, reader)["results"] == before["results"]
    settings.RECOMMENDER["RELOAD_SECONDS"] = 0.0
    assert ask(client, reader)["model_version"] == "als_v3"


MAP_AND_READ = """
import sys
from recommender_app.artifacts.opening import open_engine
opened = open_engine(sys.argv[1])
print("mapped", flush=True)
sys.stdin.readline()
print(float(opened.engine.state()["item_factors"].sum()))
"""


def test_row_15_a_file_that_was_cut_in_place_kills_its_readers_and_the_next_process_does_without(
    client, root, books, reader
):
    folder = put_als_live(1, books)
    command = [sys.executable, "-c", MAP_AND_READ, str(folder)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, **pipes) as process:
        assert process.stdout.readline() == "mapped\n"
        os.truncate(folder / "item_factors.npy", 0)
        process.communicate("go on\n", timeout=60)
    assert process.returncode == -7, "SIGBUS cannot be survived: never edit an artifact"

    assert ask(client, reader)["fallback_reason"] == "artifact_damaged"


FULL_DISK = """
import json, resource
from dataclasses import replace
from django.core.management import call_command
call_command("migrate", verbosity=0)
from tests.faults.publishing import killing
from recommender_app.exceptions import ArtifactError
from recommender_app.models import TrainingRun
from recommender_app.dataset.ids import IdMap
from recommender_app.training.recording import RecordedRun
killing.publish_and_promote()
large = replace(killing.DATASET, items=IdMap("int", killing.np.arange(300_000)))  # 2.4 MB of ids
run = killing.start_run("books", "popular", config={}, seed=1, requested_by="test")
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, resource.RLIM_INFINITY))  # the database is smaller
try:
    with RecordedRun(run):
        counts = killing.np.ones(300_000, dtype=killing.np.float32)
        killing.publishing.publish(run, killing.PopularityEngine(counts), large, {})
    raised = ""
except ArtifactError as error:
    raised = str(error)
seen, row = killing.seen(), TrainingRun.objects.get(pk=run.pk)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
killing.publish_and_promote()
print(json.dumps([raised, seen, [row.status, row.reason], killing.seen()]))
"""


def test_row_16_a_disk_that_is_full_fails_the_run_and_nothing_else(tmp_path):
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.faults.publishing.settings",
        "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
        "ARTIFACT_ROOT": str(tmp_path / "artifacts"),
        "OPENBLAS_NUM_THREADS": "1",
    }
    command = [sys.executable, "-c", f"import django; django.setup()\n{FULL_DISK}"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-4000:]
    raised, seen, row, later = json.loads(done.stdout.splitlines()[-1])
    assert "Make room on the disk" in raised
    assert row == ["failed", raised]
    assert seen["rows"] == seen["folders"] == ["popular_v1"]
    assert (seen["live"], seen["staging"]) == ([1, "popular_v1"], 0)
    assert later["live"] == later["hint"] == [2, "popular_v2"]


def test_a_starting_process_with_an_old_hint_serves_it_until_the_new_release_is_whole(client, root, books, reader):
    put_als_live(1, books)
    write_live_hint(root, LiveHint("books", 1, {"als": "als_v1"}))
    library.put_live(2, "als_v2")
    live.preload()
    assert recommend(reader, "books", 3).model_version == "als_v1"
    assert "als_v2" in live.waits_for("books")
