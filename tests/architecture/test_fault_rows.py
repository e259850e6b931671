"""The table of faults names a test for every row, and every test that it names is there and bears the number."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
LINES = [line for line in (TESTS / "faults" / "README.md").read_text().splitlines() if re.match(r"\| \d+ \|", line)]
ROWS = {int(line.split("|")[1]): re.findall(r"`([\w/]+\.py)::(\w+)`", line) for line in LINES}
N_ROWS = 74


def names_in(path):
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}


def test_every_row_is_in_the_table_once():
    assert [int(line.split("|")[1]) for line in LINES] == list(range(1, N_ROWS + 1))


@pytest.mark.parametrize("row", range(1, N_ROWS + 1))
def test_every_row_has_tests_that_exist_and_name_it(row):
    assert ROWS[row]
    for file, name in ROWS[row]:
        assert name in names_in(TESTS / file), f"{file}::{name} is gone: name its successor in tests/faults/README.md"
        assert str(row) in re.findall(r"\d+", name)
