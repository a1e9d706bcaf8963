"""Known answers and properties of the intervals for one proportion."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from statsmodels.stats.proportion import proportion_confint

from rdmas.stats.proportion import METHODS, interval

quick = settings(derandomize=True, max_examples=40, deadline=None)
levels = st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99])
methods = st.sampled_from(list(METHODS))


@st.composite
def arms(draw, largest=30):
    """Events and size of one arm."""
    n = draw(st.integers(1, largest))
    return draw(st.integers(0, n)), n


@pytest.mark.parametrize(
    ("method", "low", "high"),
    [
        ("clopper-pearson", 0.5435, 0.9595),
        ("wilson", 0.5699, 0.9341),
        ("jeffreys", 0.5792, 0.9442),
        ("mid-p", 0.5699, 0.9500),
    ],
)
def test_13_of_16_agrees_with_tables_of_fagerland_lydersen_laake(method, low, high):
    # Oracle: Fagerland, Lydersen and Laake 2017, chapter 2.
    assert interval(13, 16, method) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("events", "n", "method", "low", "high"),
    [
        (0, 9, "blaker", 0, 0.3161),
        (9, 9, "blaker", 0.6839, 1),
        (0, 9, "mid-p", 0, 0.2831),
    ],
)
def test_none_and_all_of_nine_agree_with_fagerland_lydersen_laake(events, n, method, low, high):
    # Oracle: Fagerland, Lydersen and Laake 2017, chapter 2.
    assert interval(events, n, method) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("events", "n", "low", "high"),
    [
        (5, 25, 0.0683114640125, 0.4070374322787),
        (1, 20, 0.00126508949795, 0.24873276277203),
    ],
)
def test_clopper_pearson_agrees_with_r(events, n, low, high):
    # Oracle: R 4.2.2, binom.test(events, n)$conf.int; 5/25 also in textbooks, 0.06831-0.40704.
    assert interval(events, n) == pytest.approx((low, high), abs=1e-9)


def test_wilson_agrees_with_r():
    # Oracle: R 4.2.2, prop.test(13, 16, correct = FALSE)$conf.int.
    expected = (0.569911190380, 0.934084009286)
    assert interval(13, 16, "wilson") == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("events", "n", "low", "high"),
    [
        (13, 16, 0.5655915, 0.9468543),
        (1, 20, 0.002561089, 0.2387948),
        (8, 21, 0.1973756, 0.5988336),
        (5, 25, 0.08229046, 0.3965474),
    ],
)
def test_blaker_agrees_with_the_function_in_the_original_paper(events, n, low, high):
    # Oracle: the function printed in Blaker 2000, run in R 4.2.2 with its search step 1e-6.
    assert interval(events, n, "blaker") == pytest.approx((low, high), abs=2e-6)


def test_wald_and_agresti_coull_agree_with_their_formulas():
    # Oracle: closed forms, Brown, Cai and DasGupta 2001.
    z, events, n = 1.959963984540054, 13, 16
    half = z * np.sqrt(13 / 16 * 3 / 16 / 16)
    assert interval(events, n, "wald") == pytest.approx((13 / 16 - half, 1.0))
    centre = (events + z**2 / 2) / (n + z**2)
    half = z * np.sqrt(centre * (1 - centre) / (n + z**2))
    assert interval(events, n, "agresti-coull") == pytest.approx((centre - half, centre + half))


def test_jeffreys_limit_is_closed_at_the_ends_where_statsmodels_leaves_it_open():
    # Convention of Brown, Cai and DasGupta 2001; statsmodels returns the bare quantiles. Both
    # numbers are kept here so that a change in statsmodels is noticed.
    bare_low, bare_high = proportion_confint(0, 9, method="jeffreys")
    assert bare_low == pytest.approx(5.3064e-5, rel=1e-4)
    assert interval(0, 9, "jeffreys") == (0.0, pytest.approx(bare_high))
    assert interval(9, 9, "jeffreys") == (pytest.approx(1 - bare_high), 1.0)


@quick
@given(arms(), methods, levels)
def test_limits_lie_between_zero_and_one_in_order(arm, method, level):
    low, high = interval(*arm, method, level)
    assert 0 <= low <= high <= 1


@quick
@given(arms(), methods.filter(lambda m: m not in ("agresti-coull", "jeffreys")), levels)
def test_interval_contains_the_observed_proportion(arm, method, level):
    low, high = interval(*arm, method, level)
    assert low - 1e-12 <= arm[0] / arm[1] <= high + 1e-12


@quick
@given(arms(), methods.filter(lambda m: m != "blaker"), levels, levels)
def test_interval_of_a_higher_level_contains_that_of_a_lower_one(arm, method, level, other):
    lower, higher = sorted([level, other])
    inner, outer = interval(*arm, method, lower), interval(*arm, method, higher)
    assert outer[0] <= inner[0] + 1e-12
    assert inner[1] <= outer[1] + 1e-12


@quick
@given(arms(), levels, levels)
def test_blaker_intervals_are_nested(arm, level, other):
    # The point of Blaker's construction, and what Sterne's interval lacks.
    lower, higher = sorted([level, other])
    inner, outer = interval(*arm, "blaker", lower), interval(*arm, "blaker", higher)
    assert outer[0] <= inner[0] + 1e-9
    assert inner[1] <= outer[1] + 1e-9


@quick
@given(arms(), methods, levels)
def test_swapping_events_and_non_events_mirrors_the_interval(arm, method, level):
    events, n = arm
    low, high = interval(events, n, method, level)
    mirrored = interval(n - events, n, method, level)
    assert (1 - high, 1 - low) == pytest.approx(mirrored, abs=1e-10)


@quick
@given(arms(), levels)
def test_blaker_and_mid_p_lie_inside_clopper_pearson(arm, level):
    low, high = interval(*arm, "clopper-pearson", level)
    for method in ("blaker", "mid-p"):
        inner = interval(*arm, method, level)
        assert low - 1e-9 <= inner[0]
        assert inner[1] <= high + 1e-9


@quick
@given(arms(), levels)
def test_mid_p_limits_invert_the_mid_p_test(arm, level):
    events, n = arm
    low, high = interval(events, n, "mid-p", level)
    half = (1 - level) / 2
    if events > 0:
        p = binom.sf(events, n, low) + binom.pmf(events, n, low) / 2
        assert p == pytest.approx(half, abs=1e-9)
    if events < n:
        p = binom.cdf(events - 1, n, high) + binom.pmf(events, n, high) / 2
        assert p == pytest.approx(half, abs=1e-9)


def blaker_p(events, n, p):
    """P-value of Blaker's test by enumeration, from its definition."""
    values = np.arange(-1, n + 1)
    upper, lower = binom.sf(events - 1, n, p), binom.cdf(events, n, p)
    if upper <= lower:
        tail, others = upper, binom.cdf(values, n, p)
    else:
        tail, others = lower, binom.sf(values, n, p)
    return min(1.0, tail + others[others <= tail * (1 + 1e-12)].max(initial=0))


@pytest.mark.parametrize("n", [1, 2, 5, 9])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_blaker_limits_are_the_ends_of_the_accepted_set(n, level):
    grid = np.linspace(0, 1, 201)
    for events in range(n + 1):
        low, high = interval(events, n, "blaker", level)
        accepted = grid[[blaker_p(events, n, p) > 1 - level for p in grid]]
        assert low - 1e-9 <= accepted.min() <= low + grid[1] + 1e-9
        assert high - grid[1] - 1e-9 <= accepted.max() <= high + 1e-9


def test_whole_numbers_of_other_types_are_accepted():
    assert interval(np.int64(3), 9.0) == interval(3, 9)


@pytest.mark.parametrize(
    ("events", "n", "message"),
    [
        (-1, 9, "between 0 and 9"),
        (10, 9, "between 0 and 9"),
        (0, 0, "at least 1"),
        (1.5, 9, "whole number"),
        (True, 9, "whole number"),
        (np.True_, 9, "whole number"),
        (1, float("nan"), "whole number"),
        (1, float("inf"), "whole number"),
        ("1", 9, "whole number"),
        (None, 9, "whole number"),
    ],
)
def test_impossible_counts_are_refused(events, n, message):
    with pytest.raises(ValueError, match=message):
        interval(events, n)


@pytest.mark.parametrize("level", [0, 1, 95, -0.5, float("nan"), True, "0.95"])
def test_impossible_levels_are_refused(level):
    with pytest.raises(ValueError, match="above 0 and below 1"):
        interval(1, 9, level=level)


def test_unknown_method_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="clopper-pearson, wilson"):
        interval(1, 9, "exact")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99])
def test_ends_are_exact_where_nobody_or_everybody_has_the_event(method, level):
    """Wilson's formula misses them by rounding errors for hundreds of sizes up to 2,000."""
    for n in range(1, 2001 if method == "wilson" else 41):
        low, high = interval(0, n, method, level)
        assert low == 0 <= high < 1, n
        low, high = interval(n, n, method, level)
        assert 0 < low <= 1 == high, n


@pytest.mark.parametrize("method", METHODS)
def test_limits_never_leave_the_scale_and_never_pass_the_estimate(method):
    for n in range(1, 21):
        for events in range(n + 1):
            low, high = interval(events, n, method)
            assert 0 <= low <= events / n <= high <= 1, (events, n)
