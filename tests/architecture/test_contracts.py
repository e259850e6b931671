"""The arrows of the architecture are tests."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINT = Path(sys.executable).parent / "lint-imports"


def lint(folder: Path) -> subprocess.CompletedProcess:
    """Run the import contracts of the project in ``folder``."""
    command = [LINT, "--no-cache", "--config", folder / "pyproject.toml"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env={"PYTHONPATH": str(folder)})


def test_every_import_contract_holds():
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("file", "wrong_import", "contract"),
    [
        ("engines/popularity.py", "from recommender_app.artifacts import store", "Arrows only go down"),
        ("dataset/ids.py", "import django", "The numeric core does not know Django"),
        ("serving/service.py", "import torch", "A web process neither trains nor loads"),
        ("conf.py", "import backend.settings", "The app does not know its host"),
        ("experiments/statistics/srm.py", "import recommender_app.conf", "The statistics of experiments know numbers"),
        ("api/views.py", "from recommender_app.experiments.statistics import srm", "A request reads snapshots and"),
    ],
)
def test_a_wrong_import_is_caught(tmp_path, file, wrong_import, contract):
    for package in ("recommender_app", "backend"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    source = tmp_path / "recommender_app" / file
    source.write_text(f"{source.read_text()}\n\n{wrong_import}\n")
    result = lint(tmp_path)
    assert result.returncode == 1, result.stdout
    assert f"{contract}" in result.stdout.split("Broken contracts", 1)[-1], result.stdout
