"""Known answers and properties of tipping points of a control arm."""

from math import isnan

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from rdmas.stats.controls import (
    KNOWN_RATE_METHODS,
    control_tipping,
    discounted_controls,
    immortal_time,
    known_control_rate,
    tipping_rate,
    tipping_weight,
)
from rdmas.stats.fragility import fragility
from rdmas.stats.proportion import interval
from rdmas.stats.significance import significant
from rdmas.stats.two_by_two import TESTS, p_value

quick = settings(derandomize=True, max_examples=25, deadline=None)
levels = st.sampled_from([0.01, 0.05, 0.2])
two_sided_keys = [key for key, test in TESTS.items() if test.sides == "two-sided"]
fast_keys = ["chi2", "chi2_n_minus_1", "fisher", "fisher_central"]


@st.composite
def tables(draw, largest=12):
    """Events and size of two arms, empty cells and margins included."""
    n_a, n_b = draw(st.integers(1, largest)), draw(st.integers(1, largest))
    return draw(st.integers(0, n_a)), n_a, draw(st.integers(0, n_b)), n_b


@st.composite
def arms(draw, largest=14):
    """Events and size of one arm."""
    n = draw(st.integers(1, largest))
    return draw(st.integers(0, n)), n


def mirrored(events_a, n_a, events_b, n_b):
    """The same patients with the opposite event."""
    return n_a - events_a, n_a, n_b - events_b, n_b


def column(frame, name, key):
    """One value of the row of a test."""
    return frame.loc[frame["key"] == key, name].item()


# Fewer control events -------------------------------------------------------------------------


def test_control_tipping_of_6_of_40_against_15_of_40_agrees_with_r():
    # Oracle: R 4.2.2, m <- matrix(c(6, 34, e, 40 - e), 2, byrow = TRUE), e = 15, 14, 13:
    # chisq.test(m, correct = FALSE)$p.value  0.0222002233621 0.0388671038124 0.065902987989
    # fisher.test(m)$p.value                  0.0406092078731 0.0691650559725 0.113585264127
    frame = control_tipping(6, 40, 15, 40, tests=["chi2", "fisher"])
    assert frame["test"].tolist() == [TESTS["chi2"].name, TESTS["fisher"].name]
    assert frame["p_value_observed"].tolist() == pytest.approx([0.0222002233621, 0.0406092078731])
    assert frame["control_events_needed"].tolist() == [13, 14]
    assert frame["fewer_events"].tolist() == [2, 1]
    assert frame["control_proportion"].tolist() == [13 / 40, 14 / 40]
    assert frame["p_value"].tolist() == pytest.approx([0.065902987989, 0.0691650559725])


def test_control_tipping_of_1_of_20_against_8_of_21():
    # Oracle: R 4.2.2, fisher.test(matrix(c(1, 19, e, 21 - e), 2, byrow = TRUE))$p.value with
    # e = 8, 7, 6: 0.0204857765833 0.0448253131180 0.0930987272451
    frame = control_tipping(1, 20, 8, 21)
    assert frame["key"].tolist() == two_sided_keys
    assert column(frame, "control_events_needed", "fisher") == 6
    assert column(frame, "p_value", "fisher") == pytest.approx(0.0930987272451)
    assert set(frame["fewer_events"]) == {1, 2, 3}


@quick
@given(tables(), levels, st.sampled_from(fast_keys))
def test_control_tipping_is_the_fragility_of_the_control_arm(table, alpha, key):
    events_a, n_a, events_b, n_b = table
    row = control_tipping(*table, alpha=alpha, tests=[key]).iloc[0]
    direction = "to event" if events_a * n_b > events_b * n_a else "to non-event"
    switches = fragility(*table, key, alpha)
    switches = switches[(switches["arm"] == "b") & (switches["direction"] == direction)]
    assert abs(row["fewer_events"]) == switches["index"].item()
    assert row["control_events_needed"] == switches["events_b"].item()
    assert row["p_value"] == pytest.approx(switches["p_value"].item(), nan_ok=True)


@quick
@given(tables(), levels)
def test_control_tipping_of_the_opposite_event_has_the_opposite_sign(table, alpha):
    assume(table[0] * table[3] != table[2] * table[1])
    direct = control_tipping(*table, alpha=alpha, tests=fast_keys)
    opposite = control_tipping(*mirrored(*table), alpha=alpha, tests=fast_keys)
    assert (opposite["fewer_events"] == -direct["fewer_events"]).all()
    assert (opposite["control_events_needed"] == table[3] - direct["control_events_needed"]).all()


def test_control_tipping_is_missing_where_no_number_suffices():
    # No number of tenths is 3/7, so Wald's P never comes near 1.
    row = control_tipping(3, 7, 9, 10, alpha=0.9999, tests=["z_unpooled"]).iloc[0]
    assert row[["control_events_needed", "fewer_events", "p_value"]].isna().all()
    assert isnan(row["control_proportion"])


def test_equal_proportions_tip_at_once():
    assert control_tipping(2, 10, 4, 20)["fewer_events"].tolist() == [0] * len(two_sided_keys)


# Immortal time --------------------------------------------------------------------------------


def test_immortal_time_of_6_of_40_against_15_of_40_agrees_with_r():
    # Oracle: R 4.2.2, m <- matrix(c(6, 34, 15 - k, 25), 2, byrow = TRUE), k = 0 to 3:
    # chisq.test(m, correct = FALSE)$p.value
    #   0.0222002233621 0.0327088500882 0.0481967291276 0.0709480886677
    # fisher.test(m)$p.value
    #   0.0406092078731 0.0406092078731 0.0655772699292 0.1055071847218
    frame = immortal_time(6, 40, 15, 40, tests=["chi2", "fisher"])
    assert frame["removed"].tolist() == [3, 2]
    assert frame["events_b"].tolist() == [12, 13]
    assert frame["n_b"].tolist() == [37, 38]
    assert frame["proportion_b"].tolist() == [12 / 37, 13 / 38]
    assert frame["p_value"].tolist() == pytest.approx([0.0709480886677, 0.0655772699292])
    path = [p_value(6, 40, 15 - k, 40 - k, "chi2") for k in range(4)]
    assert path == pytest.approx(
        [0.0222002233621, 0.0327088500882, 0.0481967291276, 0.0709480886677]
    )


def test_immortal_time_of_1_of_20_against_8_of_21():
    # Oracle: R 4.2.2, fisher.test(matrix(c(1, 19, 8 - k, 13), 2, byrow = TRUE))$p.value, k = 0
    # to 3: 0.0204857765833 0.0435960435960 0.0435960435960 0.0828360828361
    frame = immortal_time(1, 20, 8, 21)
    assert frame["key"].tolist() == two_sided_keys
    assert column(frame, "removed", "fisher") == 3
    assert column(frame, "p_value", "fisher") == pytest.approx(0.0828360828361)
    assert column(frame, "removed", "likelihood_ratio") == 4
    assert column(frame, "removed", "chi2_n_minus_1") == 3
    assert column(frame, "removed", "chi2_yates") == 2


@quick
@given(tables(), levels)
def test_immortal_time_is_the_first_number_removed_that_is_not_significant(table, alpha):
    """Events and patients go together, and one patient of the control arm always stays."""
    events_a, n_a, events_b, n_b = table
    for row in immortal_time(*table, alpha=alpha, tests=fast_keys).itertuples():
        left = [(events_b - k, n_b - k) for k in range(min(events_b, n_b - 1) + 1)]
        p_values = [p_value(events_a, n_a, *arm, row.key) for arm in left]
        removed = next((k for k, p in enumerate(p_values) if not significant(p, alpha)), None)
        if removed is None:
            assert row.removed is pd.NA
            assert isnan(row.p_value)
        else:
            assert row.removed == removed
            assert (row.events_b, row.n_b) == left[removed]


def test_immortal_time_is_missing_where_the_control_arm_has_the_lower_proportion():
    frame = immortal_time(15, 20, 4, 20, tests=["chi2", "fisher"])
    assert frame[["removed", "events_b", "n_b", "p_value"]].isna().all(axis=None)


def test_tables_that_are_not_significant_need_no_change():
    for function, name in ((control_tipping, "fewer_events"), (immortal_time, "removed")):
        assert (function(7, 34, 6, 34, tests=fast_keys)[name] == 0).all()
        # Nobody has the event: chi-square tests are undefined, hence not significant.
        assert function(0, 9, 0, 8, tests=["chi2"])[name].item() == 0


# A known control rate -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rate", "minlike", "central", "mid_p"),
    [
        (0.1, 0.0979936211955, 0.1959872423909, 0.1313935658070),
        (0.25, 0.651772300108, 0.756557023275, 0.592019435076),
        (0.4, 0.0425312782811, 0.0587244095845, 0.0388330357174),
    ],
)
def test_known_control_rate_of_5_of_25_agrees_with_r(rate, minlike, central, mid_p):
    # Oracle: R 4.2.2, binom.test(5, 25, rate)$p.value, 2 * min(pbinom(5, 25, rate),
    # 1 - pbinom(4, 25, rate)), and the same with dbinom(5, 25, rate) / 2 taken from each.
    frame = known_control_rate(5, 25, [rate])
    assert frame["key"].tolist() == ["minlike", "central", "mid-p"]
    assert frame["method"].tolist() == list(KNOWN_RATE_METHODS.values())
    assert frame["p_value"].tolist() == pytest.approx([minlike, central, mid_p], abs=1e-11)


def test_known_control_rate_of_1_of_20():
    # Oracle: R 4.2.2, binom.test(1, 20, 8/21)$p.value 0.00179951710091, (1, 20, 0.25)
    # 0.0381770418089.
    frame = known_control_rate(1, 20, [8 / 21, 0.25]).query("key == 'minlike'")
    assert frame["p_value"].tolist() == pytest.approx([0.00179951710091, 0.0381770418089])


@pytest.mark.parametrize(
    ("events", "n", "alpha", "high"),
    [
        (1, 20, 0.05, 0.244256),
        (3, 15, 0.05, 0.46572),
        (0, 9, 0.1, 0.275425),
        (2, 8, 0.2, 0.4999975),
        (5, 25, 0.05, 0.39844),
    ],
)
def test_minimum_likelihood_tipping_rate_agrees_with_a_search_in_r(events, n, alpha, high):
    # Oracle: R 4.2.2, g <- seq(events / n, 1, length.out = 200001) (5/25: steps of 1e-5),
    # max(g[sapply(g, function(p) binom.test(events, n, p)$p.value) >= alpha]).
    assert tipping_rate(events, n, alpha)[1] == pytest.approx(high, abs=1.1e-5)


def test_tipping_rates_in_closed_form():
    # None of n: P is (1 - rate)^n beyond the probability at which nobody and everybody are
    # equally likely, 1/2; twice that for the central method, and once for its mid-P.
    assert tipping_rate(0, 3, 0.1)[1] == pytest.approx(1 - 0.1 ** (1 / 3))
    assert tipping_rate(0, 9, 0.1, "central")[1] == pytest.approx(1 - 0.05 ** (1 / 9))
    assert tipping_rate(0, 9, 0.1, "mid-p")[1] == pytest.approx(1 - 0.1 ** (1 / 9))
    # Two and six of eight are equally likely at 1/2; P drops from 0.289 to 0.145 there.
    assert tipping_rate(2, 8, 0.2)[1] == pytest.approx(0.5)


def test_tipping_rates_of_1_of_20():
    # Oracle: R 4.2.2, binom.test(1, 20)$conf.int: 0.001265089 0.248732763.
    assert tipping_rate(1, 20, method="central") == pytest.approx((0.00126508949795, 0.24873276277))
    assert tipping_rate(1, 20, method="mid-p") == pytest.approx(interval(1, 20, "mid-p"))


@quick
@given(arms(), levels)
def test_minimum_likelihood_p_is_below_alpha_everywhere_beyond_the_tipping_rates(arm, alpha):
    events, n = arm
    low, high = tipping_rate(events, n, alpha)
    for rate in [*np.linspace(0, low, 40) - 2e-6, *np.linspace(high, 1, 40) + 2e-6]:
        if 0 <= rate <= 1:
            assert binomtest(events, n, rate).pvalue < alpha
    for rate in (low, high):
        assert binomtest(events, n, rate).pvalue >= alpha * (1 - 1e-9)


@quick
@given(arms(), levels, st.sampled_from(list(KNOWN_RATE_METHODS)))
def test_tipping_rates_mirror_with_the_opposite_event(arm, alpha, method):
    events, n = arm
    low, high = tipping_rate(events, n, alpha, method)
    assert tipping_rate(n - events, n, alpha, method) == pytest.approx((1 - high, 1 - low))
    assert 0 <= low <= events / n <= high <= 1
    assert (low == 0) == (events == 0)
    assert (high == 1) == (events == n)


@quick
@given(arms(), levels, st.sampled_from(["central", "mid-p"]))
def test_p_at_a_continuous_tipping_rate_is_alpha(arm, alpha, method):
    events, n = arm
    for rate in tipping_rate(events, n, alpha, method):
        if 0 < rate < 1:
            frame = known_control_rate(events, n, [rate])
            assert column(frame, "p_value", method) == pytest.approx(alpha, rel=1e-6)


@quick
@given(arms(), st.floats(0, 1))
def test_known_rate_p_mirrors_with_the_opposite_event(arm, rate):
    events, n = arm
    direct = known_control_rate(events, n, [rate])["p_value"]
    opposite = known_control_rate(n - events, n, [1 - rate])["p_value"]
    assert opposite.tolist() == pytest.approx(direct.tolist(), abs=1e-9)
    assert direct.between(0, 1).all()


def test_a_rate_of_nought_or_one_is_certain():
    for rate in (0, 1):
        assert (known_control_rate(1, 4, [rate])["p_value"] == 0).all()
    assert (known_control_rate(0, 4, [0])["p_value"] == 1).all()
    assert (known_control_rate(4, 4, [1])["p_value"] == 1).all()


# Discounted controls --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "p_values"),
    [
        ((6, 40, 15, 40), (0.130105825983, 0.0543992838196, 0.0205670086882)),
        ((7, 34, 1, 34), (0.157385538387, 0.0611330245355, 0.0173261030908)),
        ((1, 20, 8, 21), (0.0616783572848, 0.0210984651131, 0.00687643308701)),
    ],
)
def test_discounted_p_agrees_with_weighted_logistic_regression_in_r(table, p_values):
    # Oracle: R 4.2.2, y <- c(1, 0, 1, 0), g <- c(0, 0, 1, 1), wt <- the four cells, those of the
    # second arm times w = 0.25, 0.5, 1; pchisq(deviance(m0) - deviance(m1), 1, lower = FALSE)
    # with m1 <- glm(y ~ g, binomial, weights = wt), m0 <- glm(y ~ 1, binomial, weights = wt).
    frame = discounted_controls(*table, [0.25, 0.5, 1])
    assert frame["p_value"].tolist() == pytest.approx(p_values, rel=1e-8)
    assert frame["effective_events_b"].tolist() == [w * table[2] for w in (0.25, 0.5, 1)]
    assert frame["effective_n_b"].tolist() == [w * table[3] for w in (0.25, 0.5, 1)]


@quick
@given(tables())
def test_full_weight_is_the_likelihood_ratio_test(table):
    p = discounted_controls(*table, [1])["p_value"].item()
    assert p == pytest.approx(p_value(*table, "likelihood_ratio"), nan_ok=True, abs=1e-7)


@quick
@given(tables())
def test_weight_that_leaves_whole_patients_is_the_test_of_those(table):
    events_a, n_a, events_b, n_b = table
    p = discounted_controls(events_a, n_a, 4 * events_b, 4 * n_b, [0.25])["p_value"].item()
    assert p == pytest.approx(p_value(*table, "likelihood_ratio"), nan_ok=True, abs=1e-7)


@quick
@given(tables())
def test_discounted_p_never_rises_with_the_weight_and_goes_to_one(table):
    assume(0 < table[0] + table[2] < table[1] + table[3])
    p = discounted_controls(*table, [1e-12, *np.linspace(0.01, 1, 30)])["p_value"].to_numpy()
    # P close to 1 goes with the root of the statistic, hence of its rounding error.
    assert (np.diff(p) <= 1e-7).all()
    assert p[0] == pytest.approx(1, abs=1e-4)


@quick
@given(tables(), levels)
def test_p_at_the_tipping_weight_is_alpha(table, alpha):
    weight = tipping_weight(*table, alpha)
    p_full = p_value(*table, "likelihood_ratio")
    assert (weight == 1) == (not p_full < alpha)
    if weight < 1:
        p = discounted_controls(*table, [weight])["p_value"].item()
        assert p == pytest.approx(alpha, rel=1e-6)
        assert tipping_weight(*mirrored(*table), alpha) == pytest.approx(weight)


def test_tipping_weight_of_1_of_20_against_8_of_21():
    # Oracle: discounted P brackets 0.05, see the weighted regressions above for their method.
    weight = tipping_weight(1, 20, 8, 21)
    assert weight == pytest.approx(0.2887, abs=5e-5)


def test_discounted_p_is_undefined_where_nobody_has_the_event():
    assert discounted_controls(0, 5, 0, 6, [0.5, 1])["p_value"].isna().all()
    assert tipping_weight(0, 5, 0, 6) == 1


# Refusals -------------------------------------------------------------------------------------

ON_COUNTS = [
    control_tipping,
    immortal_time,
    tipping_weight,
    lambda *table: discounted_controls(*table, [0.5]),
]


@pytest.mark.parametrize("function", ON_COUNTS)
@pytest.mark.parametrize(
    ("table", "message"),
    [
        ((1, 5, 7, 6), "Arm b: events must be a whole number between 0 and 6"),
        ((1.5, 5, 2, 6), "Arm a: events must be a whole number"),
        ((1, 0, 2, 6), "Arm a: n must be a whole number of at least 1"),
        ((1, 5, True, 6), "Arm b: events must be a whole number"),
    ],
)
def test_impossible_counts_are_refused(function, table, message):
    with pytest.raises(ValueError, match=message):
        function(*table)


@pytest.mark.parametrize("function", [control_tipping, immortal_time])
def test_unknown_tests_and_levels_are_refused(function):
    with pytest.raises(ValueError, match="test must be one of"):
        function(1, 5, 2, 6, tests=["t"])
    with pytest.raises(ValueError, match="tests must be a sequence"):
        function(1, 5, 2, 6, tests="fisher")
    with pytest.raises(ValueError, match="tests must hold at least one entry"):
        function(1, 5, 2, 6, tests=[])
    with pytest.raises(ValueError, match="above 0 and below 1"):
        function(1, 5, 2, 6, alpha=5)


@pytest.mark.parametrize("rate", [-0.1, 1.1, 38, float("nan"), True, "0.5"])
def test_rates_that_are_no_probabilities_are_refused(rate):
    with pytest.raises(ValueError, match="at least 0 and at most 1"):
        known_control_rate(1, 5, [0.5, rate])


@pytest.mark.parametrize("weight", [0, -0.1, 1.1, float("nan"), True, "0.5"])
def test_weights_outside_0_to_1_are_refused(weight):
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        discounted_controls(1, 5, 2, 6, [0.5, weight])


def test_empty_lists_unknown_methods_and_levels_are_refused():
    with pytest.raises(ValueError, match="rates must hold at least one entry"):
        known_control_rate(1, 5, [])
    with pytest.raises(ValueError, match="weights must hold at least one entry"):
        discounted_controls(1, 5, 2, 6, [])
    with pytest.raises(ValueError, match="method must be one of minlike, central, mid-p"):
        tipping_rate(1, 5, method="blaker")
    with pytest.raises(ValueError, match="events must be a whole number between"):
        tipping_rate(6, 5)
    for function in (lambda: tipping_rate(1, 5, alpha=95), lambda: tipping_weight(1, 5, 2, 6, 95)):
        with pytest.raises(ValueError, match="above 0 and below 1"):
            function()
