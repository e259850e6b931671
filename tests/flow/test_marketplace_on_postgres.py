"""The host's schema and loaders on PostgreSQL, by its real command line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.flow.official_movielens import write_official_files

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.services
def test_both_hosts_are_loaded_twice_without_duplicates(postgres_database, tmp_path):
    def manage(*arguments):
        environment = {**os.environ, "DATABASE_URL": postgres_database, "ARTIFACT_ROOT": str(tmp_path / "ml_artifacts")}
        environment["DJANGO_SETTINGS_MODULE"] = "backend.settings"
        command = [sys.executable, "manage.py", *arguments]
        result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        return result.stdout

    source = write_official_files(tmp_path / "ml-100k")
    small = ("load_marketplace", "--startups=20", "--developers=15", "--investors=5", "--days=9")
    manage("migrate", "--verbosity=0")
    assert "20 start-ups, 15 developers, 5 investors" in manage(*small)
    assert "Already loaded" in manage(*small)
    assert "20 start-ups" in manage(*small, "--seed=3", "--replace")
    assert "2 viewers, 3 movies and 4 ratings are new" in manage("load_movielens", f"--source={source}")
    assert "0 viewers, 0 movies and 0 ratings are new" in manage("load_movielens", f"--source={source}")
