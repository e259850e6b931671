"""The two hashes: always the same, even, and independent of each other and of other experiments'."""

import hashlib
import os
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chi2_contingency, chisquare

from recommender_app.experiments.hashing import arm_of, bucket
from recommender_app.models import Arm

ROOT = Path(__file__).resolve().parents[2]
N_UNITS, LEAST_P = 100_000, 0.001
QUARTERS = [Arm(key=key, weight_bp=2_500) for key in ("control", "a", "b", "c")]

GOLDEN = [  # by sha256sum and bc: the first 16 hexadecimal digits of "salt:type:id", times 10,000, over 16^16
    ("salt", "user", "1", 124),
    ("salt", "user", "2", 6526),
    ("salt", "session", "1", 6292),
    ("pepper", "user", "1", 4682),
    ("", "user", "", 3755),
    ("salt", "user", "é😀", 3506),
    ("salt", "user", "3", 2663),
    ("salt", "user", "10", 9533),
    ("salt", "user", "1000000", 158),
    ("pepper", "user", "2", 7528),
    ("pepper", "session", "1", 2187),
    ("e-in", "user", "reader", 3941),
    ("e-arm", "user", "reader", 2060),
    ("line", "user", "0", 8573),
    ("line", "user", "00", 8886),
    ("0123456789abcdef", "user", "7", 8850),
    ("fedcba9876543210", "user", "7", 1821),
    ("salt", "user", "7d444840-9dc0-11d1-b245-5ffdce74fad2", 8938),
    ("salt", "session", "x:y", 7157),
    ("salt", "user", " ", 3599),
]


@pytest.mark.parametrize(("salt", "unit_type", "unit_id", "expected"), GOLDEN)
def test_golden_vectors(salt, unit_type, unit_id, expected):
    assert bucket(salt, unit_type, unit_id) == expected


@cache
def buckets(salt):
    """Return the buckets of 100,000 users."""
    return np.array([bucket(salt, "user", str(number)) for number in range(N_UNITS)])


def arms(salt):
    return buckets(salt) // 2_500


@pytest.mark.parametrize("share", [1_000, 5_000, 10_000])
def test_as_many_as_wanted_are_enrolled_and_every_arm_gets_its_share(share):
    is_in = buckets("in") < share
    expected = N_UNITS * share / 10_000
    assert abs(is_in.sum() - expected) < 4 * np.sqrt(expected)
    counts = np.bincount(arms("arm")[is_in], minlength=4)
    assert chisquare(counts).pvalue > LEAST_P, counts


def test_who_is_enrolled_says_nothing_about_the_arm():
    tenths = buckets("in") // 1_000
    assert chi2_contingency(table(tenths, arms("arm"))).pvalue > LEAST_P


def test_the_arm_in_one_experiment_says_nothing_about_that_in_another():
    assert chi2_contingency(table(arms("first"), arms("second"))).pvalue > LEAST_P


def test_one_hash_for_both_would_put_the_first_tenth_into_one_arm():
    """Why there are two salts."""
    assert set(arms("one")[buckets("one") < 1_000]) == {0}


def table(rows, columns):
    found = np.zeros((rows.max() + 1, columns.max() + 1), dtype=int)
    np.add.at(found, (rows, columns), 1)
    return found


def test_weights_are_parts_of_a_line_in_the_order_of_the_arms():
    line = [Arm(key="first", weight_bp=1), Arm(key="second", weight_bp=9_998), Arm(key="third", weight_bp=1)]
    assert [arm_of(place, line).key for place in (0, 1, 9_998, 9_999)] == ["first", "second", "second", "third"]
    assert Counter(arm_of(place, QUARTERS).key for place in range(10_000)) == dict.fromkeys(
        ("control", "a", "b", "c"), 2_500
    )


def test_new_weights_on_the_same_line_would_move_two_of_three_units():
    """Why weights never change, and a new phase draws new salts: 65 % of all would move, 67 % of the treated."""
    before = [
        Arm(key=arm.key, weight_bp=weight) for arm, weight in zip(QUARTERS, (7_000, 1_000, 1_000, 1_000), strict=True)
    ]
    arms_then = [arm_of(place, before).key for place in range(10_000)]
    moves = [arm_of(place, QUARTERS).key != then for place, then in enumerate(arms_then)]
    treated = [moved for moved, then in zip(moves, arms_then, strict=True) if then != "control"]
    assert (np.mean(moves), round(np.mean(treated), 2)) == (0.65, 0.67)


@pytest.mark.parametrize("arms", [[], [Arm(key="half", weight_bp=5_000)], [Arm(key="none", weight_bp=0)]])
def test_where_the_weights_do_not_reach_there_is_no_arm(arms):
    assert arm_of(9_000, arms) is None


def test_every_process_says_the_same_whatever_its_hash_seed():
    code = (
        "import django; django.setup()\n"
        "from recommender_app.experiments.hashing import bucket\n"
        "print([bucket('in', 'user', str(number)) for number in range(2000)])"
    )
    printed = {run(code, seed) for seed in ("1", "2")}
    assert printed == {str(buckets("in")[:2_000].tolist())}


def run(code, seed):
    environment = {**os.environ, "PYTHONHASHSEED": seed, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


def test_the_first_eight_bytes_decide():
    digest = hashlib.sha256(b"salt:user:1").digest()
    assert bucket("salt", "user", "1") == int(int.from_bytes(digest[:8], "big") / 2**64 * 10_000)
