"""Independent implementations say the same numbers: tea-tasting, statsmodels and scipy.stats."""

import numpy as np
import pyarrow as pa
import pytest
import tea_tasting as tt
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import tt_ind_solve_power

from recommender_app.experiments.statistics.fixed_horizon import fixed_read_out
from recommender_app.experiments.statistics.multiplicity import benjamini_hochberg, holm
from recommender_app.experiments.statistics.power import Question, sample_size
from recommender_app.experiments.statistics.ratio import compare
from recommender_app.experiments.statistics.srm import mismatch
from recommender_app.experiments.statistics.sums import from_arrays
from tests.benchmarks.calibrating.populations import generator, visitors

SAME = {"rel": 1e-6, "abs": 1e-12}


def tabled(*arms):
    """Return a table of the users of control and treatment, each (clicks, impressions)."""
    columns = {
        "variant": np.repeat(range(len(arms)), [len(clicks) for clicks, _ in arms]),
        "clicks": np.concatenate([clicks for clicks, _ in arms]),
        "impressions": np.concatenate([impressions for _, impressions in arms]),
    }
    return pa.table(columns)


def same(ours, theirs):
    found = (ours.control, ours.treatment, ours.difference, ours.low, ours.high)
    expected = (theirs.control, theirs.treatment, theirs.effect_size)
    assert found == pytest.approx((*expected, theirs.effect_size_ci_lower, theirs.effect_size_ci_upper), **SAME)
    relative = (theirs.rel_effect_size, theirs.rel_effect_size_ci_lower, theirs.rel_effect_size_ci_upper)
    assert (ours.relative, ours.relative_low, ours.relative_high) == pytest.approx(relative, **SAME)
    assert ours.p_value == pytest.approx(theirs.pvalue, **SAME)


@pytest.mark.parametrize(("n", "m", "lift"), [(60, 80, 0.0), (500, 500, 0.3), (300, 4_000, -0.2)])
def test_ratios_are_those_of_tea_tasting(n, m, lift):
    random = generator(n, m)
    control, treatment = visitors(random, n), visitors(random, m, lift)
    ours = fixed_read_out(compare(from_arrays(*treatment), from_arrays(*control)))
    metric = tt.RatioOfMeans("clicks", "impressions", equal_var=False, use_t=True, confidence_level=0.95)
    same(ours, metric.analyze(tabled(control, treatment), 0, 1, "variant"))


def test_means_are_those_of_tea_tasting_and_of_welch():
    random = generator(1)
    control, treatment = visitors(random, 200), visitors(random, 300, 0.5)
    ours = fixed_read_out(compare(from_arrays(treatment[0]), from_arrays(control[0])))
    metric = tt.Mean("clicks", equal_var=False, use_t=True, confidence_level=0.95)
    same(ours, metric.analyze(tabled(control, treatment), 0, 1, "variant"))
    assert ours.p_value == pytest.approx(stats.ttest_ind(treatment[0], control[0], equal_var=False).pvalue, **SAME)


@pytest.mark.parametrize("seed", range(5))
def test_adjusted_p_values_are_those_of_statsmodels(seed):
    p_values = dict(zip("abcdef", generator(seed).random(6) ** 3, strict=True))
    for ours, method in ((holm, "holm"), (benjamini_hochberg, "fdr_bh")):
        expected = multipletests(list(p_values.values()), method=method)[1]
        assert list(ours(p_values).values()) == pytest.approx(list(expected), **SAME)


@pytest.mark.parametrize("effect", [0.02, 0.1])
def test_the_calculator_is_that_of_statsmodels_but_for_the_larger_variance_under_the_effect(effect):
    clicks, _ = visitors(generator(2), 5_000)
    size = effect * clicks.mean() / clicks.std(ddof=1)
    expected = tt_ind_solve_power(effect_size=size, alpha=0.05, power=0.8)
    ours = sample_size(from_arrays(clicks), effect, Question(is_always_valid=False))
    assert ours / ((1 + (1 + effect) ** 2) / 2) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("counts", [(2_480, 2_590, 2_430, 2_500), (900, 0, 50, 60)])
def test_the_chi_square_is_that_of_scipy(counts):
    weights = (4_000, 3_000, 2_000, 1_000)
    found = mismatch(dict(zip("abcd", counts, strict=True)), dict(zip("abcd", weights, strict=True)))
    expected = stats.chisquare(counts, np.array(weights) / sum(weights) * sum(counts))
    assert (found.chi_square, found.p_value) == pytest.approx((expected.statistic, expected.pvalue), **SAME)
    assert found.df == 3
