"""What new items, reasons, rules, policies and odd values promise on SQLite they keep on PostgreSQL."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    "request log": (
        "test_request_log.py",
        "test_spool.py",
        "test_spool_late.py",
        "test_log_retention.py",
        "test_event_retention.py",
    ),
    "new items and reasons": ("test_overlay.py", "test_overlay_refreshed.py", "test_similar.py", "test_explaining.py"),
    "roll-ups and metrics": (
        "test_roll_up.py",
        "test_roll_up_at_once.py",
        "test_roll_up_by_hand.py",
        "test_roll_up_kept.py",
        "test_roll_up_of_all_sources.py",
        "test_onlookers.py",
        "test_roll_up_schedule.py",
        "test_metrics.py",
    ),
    "read-outs of experiments": tuple(
        f"../experiments/{name}" for name in ("test_sums.py", "test_snapshots.py", "test_read_out.py")
    ),
    "events, and who teaches": (
        "test_events.py",
        "test_events_refused.py",
        "test_events_anonymous.py",
        "test_export_trust.py",
    ),
    "forgotten users": (
        "test_forgotten_users.py",
        "test_forgotten_while_training.py",
        "test_reconcile.py",
        "test_adopting.py",
    ),
    "rules and odd values": (
        "test_values.py",
        "test_lax_keys.py",
        "test_odd_rows.py",
        "test_rule_bounds.py",
        "test_choosing.py",
        "test_business_rules.py",
    ),
}


@pytest.mark.services
@pytest.mark.slow
@pytest.mark.parametrize("files", FILES.values(), ids=FILES)
def test_the_same_tests_pass_on_postgresql(postgres_database, files):
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--nomigrations"]
    finished = subprocess.run(
        [*command, *(f"tests/app/{name}" for name in files)],
        env={**os.environ, "DATABASE_URL": postgres_database},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert finished.returncode == 0, finished.stdout[-3000:]
