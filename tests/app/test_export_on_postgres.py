"""What the export promises on SQLite it keeps on PostgreSQL, where it copies columns."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = ("test_export.py", "test_export_forgotten.py", "copying.py")
SQLITE_ONLY = "not number_of_queries"  # COPY is none that Django counts


@pytest.mark.services
@pytest.mark.slow
def test_the_same_tests_pass_on_postgresql(postgres_database):
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--nomigrations"]
    finished = subprocess.run(
        [*command, "-k", SQLITE_ONLY, *(f"tests/app/{name}" for name in FILES)],
        env={**os.environ, "DATABASE_URL": postgres_database},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert finished.returncode == 0, finished.stdout[-3000:]
