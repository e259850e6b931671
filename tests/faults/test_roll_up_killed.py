"""A roll-up that is killed in the middle of a day leaves the day as it was; the next one completes it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

pytestmark = [pytest.mark.services, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
ROLL_UP = """
import django; django.setup()
from recommender_app.measurement import roll_up as rolling
from tests.app.measured import roll_up
rolling.MANY = {many}
roll_up()
"""
LOGGED = """
import django; django.setup()
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
settings.MIGRATION_MODULES = {app.label: None for app in apps.get_app_configs()}
call_command("migrate", run_syncdb=True, verbosity=0)
from tests.app.measured import answer, roll_up
answer("ann", "tea")
roll_up()
answer("bob", "tea", engine="popular")
"""
ROWS = "SELECT user_id, engine, requests FROM recommender_app_rollup ORDER BY user_id"
# The same group as the killed one's last row, of a transaction that is not over: that has to wait for it.
IN_THE_WAY = """
INSERT INTO recommender_app_rollupshape (use_case, day, engine, model_version, experiment, phase, arm, latencies, items)
VALUES ('books', '2026-03-10', 'popular', 'als_v1', '', 0, '', '{}', '')
"""
WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'INSERT%rollupshape%'"


def start(database: str, *arguments: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "DATABASE_URL": database, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    return subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=environment)


def run(database: str, *arguments: str) -> None:
    assert start(database, *arguments).wait(120) == 0


def wait_for(connection: psycopg.Connection, query: str, *, is_there: bool) -> int | None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        row = connection.execute(query).fetchone()
        if bool(row) is is_there:
            return row[0] if row else None
        time.sleep(0.02)
    return pytest.fail(f"Still waiting: {query}")


@pytest.mark.parametrize("many", [10**9, 0], ids=["few answers", "many answers"])
def test_no_half_day(postgres_database, many):
    run(postgres_database, "-c", LOGGED)
    before = [("ann", "als", 1)]
    with (
        psycopg.connect(postgres_database) as other,
        psycopg.connect(postgres_database, autocommit=True) as looking,
    ):
        other.execute(IN_THE_WAY)
        killed = start(postgres_database, "-c", ROLL_UP.format(many=many))
        backend = wait_for(looking, WAITING, is_there=True)  # bob's row is written, his group's is not
        killed.kill()
        killed.wait(10)
        other.rollback()
        wait_for(looking, f"SELECT pid FROM pg_stat_activity WHERE pid = {backend}", is_there=False)
        assert looking.execute(ROWS).fetchall() == before
        run(postgres_database, "-c", ROLL_UP.format(many=many))
        assert looking.execute(ROWS).fetchall() == [*before, ("bob", "popular", 1)]
