"""The tables in docs/ name everything that a host may write, and nothing that does not exist."""

import re
from pathlib import Path

from recommender_app.checks.names import known_names
from recommender_app.conf import DEFAULTS

DOCS = Path(__file__).resolve().parents[2] / "docs"


def first_cells(name: str) -> list[str]:
    """The names in the first column of a page's tables."""
    rows = re.findall(r"^\| (`[^|]*) \|", (DOCS / name).read_text(), re.MULTILINE)
    return [re.match(r"\w+", code).group() for row in rows for code in re.findall(r"`([^`]+)`", row)]


def test_every_attribute_and_hook_of_a_use_case_stands_in_the_table_once():
    assert sorted(first_cells("use-cases.md")) == known_names()


def test_every_setting_stands_in_the_table_once():
    assert sorted(first_cells("settings.md")) == sorted(DEFAULTS)


def test_the_readme_leads_to_both():
    readme = (DOCS.parent / "README.md").read_text()
    assert "(docs/use-cases.md)" in readme
    assert "(docs/settings.md)" in readme
