"""Small rooms, and nothing unsafe in them."""

import re
import statistics
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    path for package in ("recommender_app", "backend") for path in (ROOT / package).rglob("*.py")
    if "migrations" not in path.parts and path.stat().st_size
]  # fmt: skip
UNSAFE = re.compile(r"\bimport pickle\b|allow_pickle=True|weights_only=False|joblib\.load|\beval\(|\bexec\(")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_a_small_room_without_unsafe_calls(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 300
    assert path.stem not in ("utils", "helpers", "common")
    assert not UNSAFE.search(text)


def test_the_median_file_has_about_a_hundred_lines():
    assert statistics.median(len(path.read_text().splitlines()) for path in SOURCES) <= 120


def test_broad_excepts_stand_only_in_the_three_documented_places():
    allowed = {"artifacts", "serving"}
    places = [path for path in SOURCES if re.search(r"except (Exception|BaseException)\b", path.read_text())]
    assert {path.relative_to(ROOT).parts[1] for path in places} <= allowed, places
