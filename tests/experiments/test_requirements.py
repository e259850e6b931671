"""The table of requirements has a row for each, and every test that it names is there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
LINES = re.findall(r"^\| (\d+) \| (.*) \| (.*) ?\|$", (TESTS / "experiments" / "README.md").read_text(), re.MULTILINE)
NAMED = {test for *_, tests in LINES for test in re.findall(r"`([\w/]+\.py)::(\w+)`", tests)}
COUNTS = {"Requirement": 20, "Decision": 10, "Layer": 2, "Trap": 26, "Figure": 4}


@cache
def names_in(path):
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}


def tables():
    """Return {title of the first column: numbers of its rows}."""
    found = {}
    for line in (TESTS / "experiments" / "README.md").read_text().splitlines():
        if title := re.match(r"\| ([A-Z]\w+) \| Says \|", line):
            found[title[1]] = rows = set()
        elif number := re.match(r"\| (\d+) \|", line):
            rows.add(int(number[1]))
    return found


def test_every_number_has_a_row():
    assert tables() == {title: set(range(1, count + 1)) for title, count in COUNTS.items()}


def test_every_row_has_a_test_or_says_what_was_not_built():
    assert [line for line in LINES if "::" not in line[2] and "*Not built*" not in line[1]] == []


@pytest.mark.parametrize("file", sorted({file for file, _ in NAMED}))
def test_every_test_that_is_named_exists(file):
    named = {name for each, name in NAMED if each == file}
    assert named - names_in(TESTS / file) == set(), "gone: name the successor in tests/experiments/README.md"
