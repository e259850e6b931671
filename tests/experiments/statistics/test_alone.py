"""The statistics know numbers only, and none that pretends impressions to be independent."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from recommender_app.experiments import statistics

FOLDER = Path(statistics.__file__).parent
SOURCES = sorted(FOLDER.glob("*.py"))
ALLOWED = ("numpy", "scipy.special", statistics.__name__)
NAIVE = re.compile(r"\(\s*1(\.0)?\s*-\s*(p|rate|share|ctr|self\.value)\s*\)\s*/")


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_a_file_imports_numbers_only(path):
    foreign = [name for name in imported(path) if name.split(".")[0] not in sys.stdlib_module_names]
    assert [name for name in foreign if not name.startswith(ALLOWED)] == []


def test_importing_all_of_it_loads_neither_scipy_stats_nor_django():
    names = [f"{statistics.__name__}.{path.stem}" for path in SOURCES if path.stem != "__init__"]
    asked = "print([name for name in ('scipy.stats', 'django', 'pandas') if name in sys.modules])"
    code = f"import sys, {', '.join(names)}; {asked}"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=FOLDER.parents[2]
    )
    assert found.stdout.strip() == "[]"


def test_no_variance_takes_impressions_for_independent():
    measured = FOLDER.parents[1] / "measurement"
    places = [path for path in (*SOURCES, *measured.rglob("*.py")) if NAIVE.search(path.read_text())]
    assert places == []
    assert NAIVE.search("math.sqrt(rate * (1 - rate) / n)")
