"""Several treatments are several chances to be lucky."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender_app.experiments.statistics.multiplicity import benjamini_hochberg, holm

p_values = st.dictionaries(st.text(max_size=3), st.floats(0, 1), max_size=6)


def test_a_child_can_check_these():
    assert holm({"a": 0.04, "b": 0.01, "c": 0.03}) == pytest.approx({"a": 0.06, "b": 0.03, "c": 0.06})
    assert benjamini_hochberg({"a": 0.04, "b": 0.01, "c": 0.03}) == pytest.approx({"a": 0.04, "b": 0.03, "c": 0.04})


@given(p_values)
def test_adjusting_never_makes_anything_surer_and_keeps_the_order(found):
    for adjusted in (holm(found), benjamini_hochberg(found)):
        assert list(adjusted) == list(found)
        assert all(found[key] <= adjusted[key] * (1 + 1e-12) <= 1 + 1e-12 for key in found)
        in_order = sorted(found, key=found.get)
        assert [adjusted[key] for key in in_order] == sorted(adjusted.values())


@given(p_values, st.floats(0, 1))
def test_one_more_treatment_makes_none_surer(found, p_value):
    more = holm({**found, "one more": p_value})
    assert all(more[key] >= adjusted for key, adjusted in holm(found).items())
