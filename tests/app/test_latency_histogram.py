"""Response times in fixed buckets."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender_app.measurement.latency import (
    FIRST,
    LAST,
    added,
    as_json,
    bucket_of,
    from_json,
    lower_bound,
    quantile,
)

WIDTH = 10 ** (1 / 20)


@given(st.floats(0.1, 99_000))
def test_a_time_lies_in_its_bucket(milliseconds):
    bucket = bucket_of(milliseconds)
    assert lower_bound(bucket) * 0.999999 <= milliseconds <= lower_bound(bucket + 1) * 1.000001


@pytest.mark.parametrize(("milliseconds", "bucket"), [(0, FIRST), (-3, FIRST), (0.001, FIRST), (1e9, LAST), (1.0, 0)])
def test_what_is_outside_counts_at_the_ends(milliseconds, bucket):
    assert bucket_of(milliseconds) == bucket


@given(st.lists(st.floats(0.2, 50_000), min_size=1, max_size=200), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_quantile_is_at_most_a_bucket_away_from_the_exact_one(times, share):
    histogram = added({bucket_of(each): 1} for each in times)
    exact = float(np.quantile(times, share, method="inverted_cdf"))
    assert exact / WIDTH * 0.999 <= quantile(histogram, share) <= exact * WIDTH * 1.001


def test_no_answers_have_no_quantile():
    assert quantile({}, 0.5) is None
    assert quantile({3: 0}, 0.5) is None


def test_histograms_add_up_and_survive_json():
    total = added([{1: 2, 5: 1}, {5: 4}])
    assert total == {1: 2, 5: 5}
    assert from_json(as_json(total)) == total
