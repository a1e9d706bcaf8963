"""Known answers and properties of fragility, also over orders of deaths, and of maps."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rdmas.stats.fragility import (
    fragility,
    fragility_by_test,
    fragility_index,
    fragility_index_walsh,
    logrank_fragility,
    logrank_fragility_range,
    significance_map,
)
from rdmas.stats.logrank import orderings
from rdmas.stats.two_by_two import TESTS, fisher_grid, p_value

quick = settings(derandomize=True, max_examples=25, deadline=None)
slow = settings(derandomize=True, max_examples=10, deadline=None)
levels = st.sampled_from([0.01, 0.05, 0.2])
two_sided_keys = [key for key, test in TESTS.items() if test.sides == "two-sided"]
fast_keys = st.sampled_from(["chi2", "chi2_n_minus_1", "fisher", "fisher_central"])


@st.composite
def tables(draw, largest=9):
    """Events and size of two arms, empty cells and margins included."""
    n_a, n_b = draw(st.integers(1, largest)), draw(st.integers(1, largest))
    return draw(st.integers(0, n_a)), n_a, draw(st.integers(0, n_b)), n_b


def swapped(events_a, n_a, events_b, n_b):
    """The same table with the arms' names exchanged."""
    return events_b, n_b, events_a, n_a


# Fragility of a table -------------------------------------------------------------------------


def test_fragility_of_40_of_60_against_100_of_210():
    # Oracle: README of the R package FragilityTools: P 0.0124, index 3 (37/60), P 0.0586.
    assert p_value(40, 60, 100, 210) == pytest.approx(0.0124, abs=5e-5)
    assert fragility_index(40, 60, 100, 210) == 3
    best = fragility(40, 60, 100, 210).sort_values("index").iloc[0]
    assert best[["arm", "direction", "index", "events_a", "events_b"]].tolist() == [
        "a",
        "to non-event",
        3,
        37,
        100,
    ]
    assert best["p_value"] == pytest.approx(0.0586, abs=5e-5)


def test_fragility_of_15_of_40_against_6_of_40():
    # Oracle: README of the R package fragilityindex: P 0.04061, then 0.07836, index 1.
    assert p_value(15, 40, 6, 40) == pytest.approx(0.04061, abs=5e-6)
    assert fragility_index(15, 40, 6, 40) == fragility_index_walsh(15, 40, 6, 40) == 1
    assert p_value(15, 40, 7, 40) == pytest.approx(0.07836, abs=5e-6)


def test_fragility_of_1_of_20_against_8_of_21():
    # Oracle: R 4.2.2, fisher.test: one more event in the first arm takes P from 0.020 to 0.067.
    assert p_value(1, 20, 8, 21) == pytest.approx(0.020, abs=5e-4)
    assert p_value(2, 20, 8, 21) == pytest.approx(0.067, abs=5e-4)
    assert fragility_index(1, 20, 8, 21) == fragility_index_walsh(1, 20, 8, 21) == 1


@pytest.mark.parametrize("key", ["fisher", "chi2", "boschloo_central"])
def test_fragility_index_is_the_fewest_switches_by_exhaustive_search(key):
    for table in ((1, 12, 8, 11), (0, 9, 6, 9), (12, 14, 3, 9), (0, 10, 10, 10)):
        events_a, n_a, events_b, n_b = table
        assert p_value(*table, key) < 0.05
        distances = [
            abs(a - events_a) for a in range(n_a + 1) if p_value(a, n_a, events_b, n_b, key) >= 0.05
        ] + [
            abs(b - events_b) for b in range(n_b + 1) if p_value(events_a, n_a, b, n_b, key) >= 0.05
        ]
        assert fragility_index(*table, test=key) == min(distances)


@quick
@given(tables(largest=10), st.sampled_from([0.01, 0.05, 0.2]))
def test_fragility_index_is_zero_exactly_when_p_is_not_below_alpha(table, alpha):
    assert (fragility_index(*table, alpha=alpha) == 0) == (p_value(*table) >= alpha)
    assert (fragility_index_walsh(*table, alpha=alpha) == 0) == (p_value(*table) >= alpha)


@quick
@given(tables(largest=10))
def test_fragility_index_is_the_same_with_arms_or_outcomes_swapped(table):
    events_a, n_a, events_b, n_b = table
    index = fragility_index(*table)
    assert fragility_index(events_b, n_b, events_a, n_a) == index
    assert fragility_index(n_a - events_a, n_a, n_b - events_b, n_b) == index


def test_walsh_index_is_none_where_adding_events_never_helps():
    # The arm with fewer events has the higher proportion, so that each event widens the gap.
    assert fragility_index_walsh(40, 60, 100, 210) is None


def test_walsh_index_takes_the_lower_proportion_where_events_are_equal():
    assert fragility_index_walsh(5, 8, 5, 80) == fragility_index_walsh(5, 80, 5, 8)
    frame = fragility(5, 8, 5, 80)
    expected = frame[(frame["arm"] == "b") & (frame["direction"] == "to event")]["index"].item()
    assert fragility_index_walsh(5, 8, 5, 80) == expected


def test_a_table_on_which_the_test_is_undefined_is_not_significant():
    assert fragility_index(0, 9, 0, 8, test="chi2") == 0


def test_index_is_none_where_no_switches_suffice():
    # No number of tenths is 3/7 and no number of sevenths 1/10, so Wald's P never comes near 1.
    table = (3, 7, 1, 10)
    assert fragility(*table, test="z_unpooled", alpha=0.9999)["index"].isna().all()
    assert fragility_index(*table, test="z_unpooled", alpha=0.9999) is None


def test_fragility_refuses_unknown_tests_and_levels():
    with pytest.raises(ValueError, match="test must be one of"):
        fragility_index(1, 20, 8, 21, test="t")
    with pytest.raises(ValueError, match="above 0 and below 1"):
        fragility_index(1, 20, 8, 21, alpha=5)


# Fragility by test ----------------------------------------------------------------------------


def test_fragility_quotients_of_published_tables():
    # Oracle: indices of the READMEs of FragilityTools (3 of 270) and fragilityindex (1 of 80).
    for table, quotient in (((40, 60, 100, 210), 3 / 270), ((15, 40, 6, 40), 1 / 80)):
        frame = fragility_by_test(*table, tests=["fisher"])
        assert frame["quotient"].item() == pytest.approx(quotient)


def test_fragility_by_test_of_1_of_20_against_8_of_21():
    # Oracle: R 4.2.2, fisher.test: one more event in the first arm takes P from 0.0205 to 0.0670.
    frame = fragility_by_test(1, 20, 8, 21).set_index("key")
    assert frame.index.tolist() == two_sided_keys
    fisher = frame.loc["fisher"]
    assert fisher[["index", "walsh", "a_to_event", "b_to_non_event"]].tolist() == [1, 1, 1, 2]
    assert fisher[["a_to_non_event", "b_to_event"]].isna().all()
    assert fisher["quotient"] == pytest.approx(1 / 41)
    assert fisher["p_value"] == pytest.approx(0.0204857765833)
    assert frame.loc["chi2_n_minus_1", "index"] == 2


@slow
@given(tables(), levels)
def test_fragility_by_test_agrees_with_the_indices_of_each_test(table, alpha):
    keys = ["chi2", "fisher", "z_agresti_caffo"]
    frame = fragility_by_test(*table, alpha=alpha, tests=keys).set_index("key")
    for key in keys:
        row = frame.loc[key]
        assert row["index"] == fragility_index(*table, key, alpha)
        assert row["quotient"] == row["index"] / (table[1] + table[3])
        walsh = fragility_index_walsh(*table, key, alpha)
        assert pd.isna(row["walsh"]) if walsh is None else row["walsh"] == walsh
        names = ["a_to_event", "a_to_non_event", "b_to_event", "b_to_non_event"]
        expected = fragility(*table, key, alpha)["index"].fillna(-1).tolist()
        assert [-1 if pd.isna(row[name]) else row[name] for name in names] == expected


def test_fragility_by_test_is_missing_where_no_number_suffices():
    row = fragility_by_test(3, 7, 1, 10, alpha=0.9999, tests=["z_unpooled"]).iloc[0]
    assert row.drop(["test", "key", "statistic", "p_value", "left_out"]).isna().all()


# Fragility of the log-rank test ---------------------------------------------------------------


def fragility_over_orders(table, alpha, arm, step):
    """Both bounds from the list of all orders of each switched table."""
    deaths = {"a": table[0], "b": table[2]}
    some, switched = None, 0
    while 0 <= deaths["a"] <= table[1] and 0 <= deaths["b"] <= table[3]:
        if deaths["a"] + deaths["b"] == 0:
            insignificant = [True]
        else:
            p = orderings(deaths["a"], table[1], deaths["b"], table[3])["p_value"].dropna()
            insignificant = (p >= alpha).tolist()
        if some is None and (any(insignificant) or not insignificant):
            some = switched
        if all(insignificant):
            return some, switched
        deaths[arm] += step
        switched += 1
    return some, None


def bounds(frame, arm, direction):
    """The two bounds of one row, None where missing."""
    row = frame[(frame["arm"] == arm) & (frame["direction"] == direction)].iloc[0]
    return tuple(None if pd.isna(row[c]) else row[c] for c in ("index_low", "index_high"))


def test_logrank_fragility_of_1_of_20_against_8_of_21():
    # Oracle: R 4.2.2, survival 3.5-3, survdiff on every order of deaths (times 1, 2, ...,
    # survivors one later), smallest and largest P:
    # deaths 1 and 8: 0.009057115301 0.014172293077    2 and 8: 0.02643476807 0.05433483073
    #        3 and 8: 0.06253110911  0.14973242987      1 and 7: 0.01969525417 0.02845238328
    #        1 and 6: 0.04103649148  0.05515304727      1 and 5: 0.08242666026 0.10375912722
    frame = logrank_fragility(1, 20, 8, 21)
    assert bounds(frame, "a", "to event") == (1, 2)
    assert bounds(frame, "b", "to non-event") == (2, 3)
    assert bounds(frame, "a", "to non-event") == (None, None)
    assert bounds(frame, "b", "to event") == (None, None)
    assert logrank_fragility_range(1, 20, 8, 21) == (1, 2)
    # Between 0.0265 and 0.0543 an order decides; at 0.06 as alpha none of those does.
    assert logrank_fragility_range(1, 20, 8, 21, alpha=0.06) == (2, 2)


@pytest.mark.parametrize("table", [(1, 5, 4, 6), (0, 6, 3, 5), (5, 5, 1, 5), (2, 4, 0, 5)])
@pytest.mark.parametrize("alpha", [0.02, 0.05, 0.2])
def test_logrank_fragility_agrees_with_the_list_of_orders(table, alpha):
    frame = logrank_fragility(*table, alpha=alpha)
    for arm in ("a", "b"):
        for direction, step in (("to event", 1), ("to non-event", -1)):
            expected = fragility_over_orders(table, alpha, arm, step)
            assert bounds(frame, arm, direction) == expected, (arm, direction)


@slow
@given(tables(largest=5), levels)
def test_logrank_fragility_is_the_same_with_arms_swapped(table, alpha):
    low, high = logrank_fragility_range(*table, alpha=alpha)
    assert logrank_fragility_range(*swapped(*table), alpha=alpha) == (low, high)
    if low is not None and high is not None:
        assert low <= high


@slow
@given(tables(largest=5), levels)
def test_tied_deaths_can_only_widen_the_range_of_the_logrank_index(table, alpha):
    low, high = logrank_fragility_range(*table, alpha=alpha)
    tied_low, tied_high = logrank_fragility_range(*table, alpha=alpha, ties=True)
    if low is not None:
        assert tied_low <= low
    if tied_high is not None:
        assert high <= tied_high


def test_logrank_index_of_a_table_that_is_not_significant_is_zero():
    assert logrank_fragility_range(2, 10, 3, 10) == (0, 0)
    # Nobody died: P is undefined, hence not significant.
    assert logrank_fragility_range(0, 4, 0, 5) == (0, 0)
    # Some orders are significant to begin with and some are not.
    assert logrank_fragility_range(1, 10, 6, 11, alpha=0.04) == (0, 1)


def test_logrank_bound_that_is_not_known_is_not_given():
    # One death in each arm of one: z is 1 or -1, so P is 0.317 for either order.
    with pytest.raises(ValueError, match="z of both signs is attainable"):
        logrank_fragility(1, 1, 1, 1, alpha=0.5)
    assert logrank_fragility_range(1, 1, 1, 1, alpha=0.3) == (0, 0)


# Significance map -----------------------------------------------------------------------------


def test_map_of_the_tea_tasting_experiment():
    # Oracle: Fagerland, Lydersen and Laake 2017: 3, 1, 1, 3 has Pearson P 0.15730, Fisher 0.4857.
    frame = significance_map(4, 4, tests=["chi2", "fisher"])
    assert len(frame) == 50
    tasted = frame.query("events_a == 3 and events_b == 1").set_index("key")["p_value"]
    assert tasted["chi2"] == pytest.approx(0.15730, abs=5e-6)
    assert tasted["fisher"] == pytest.approx(0.4857, abs=5e-5)


def test_map_holds_every_table_once_and_its_p_value():
    frame = significance_map(5, 7, tests=["boschloo_central", "chi2_n_minus_1", "fisher"])
    assert not frame.duplicated(["key", "events_a", "events_b"]).any()
    assert len(frame) == 3 * 6 * 8
    for row in frame.itertuples():
        p = p_value(row.events_a, 5, row.events_b, 7, row.key)
        assert row.p_value == pytest.approx(p, nan_ok=True)
        assert row.significant == (p < 0.05)
        assert row.test == TESTS[row.key].name


def test_map_of_20_against_21_has_the_fisher_p_value_of_the_grid():
    frame = significance_map(20, 21)
    assert pd.unique(frame["key"]).tolist() == ["fisher", "chi2_n_minus_1"]
    fisher = frame[frame["key"] == "fisher"].pivot(
        index="events_a", columns="events_b", values="p_value"
    )
    assert fisher.shape == (21, 22)
    assert (fisher.to_numpy() == fisher_grid(20, 21)).all()
    # Oracle: R 4.2.2, fisher.test(matrix(c(1, 19, 8, 13), 2, byrow = TRUE))$p.value.
    assert fisher.loc[1, 8] == pytest.approx(0.0204857765833)


@slow
@given(st.integers(1, 8), st.integers(1, 8), fast_keys, levels)
def test_map_is_symmetric_in_arms_and_outcomes(n_a, n_b, key, alpha):
    def wide(n_first, n_second):
        frame = significance_map(n_first, n_second, tests=[key], alpha=alpha)
        return frame.pivot(index="events_a", columns="events_b", values="p_value").to_numpy()

    direct = wide(n_a, n_b)
    assert pytest.approx(direct, nan_ok=True) == wide(n_b, n_a).T
    assert direct[::-1, ::-1] == pytest.approx(direct, nan_ok=True)


# Refusals -------------------------------------------------------------------------------------

ON_COUNTS = [
    fragility,
    fragility_index,
    fragility_index_walsh,
    fragility_by_test,
    logrank_fragility,
    logrank_fragility_range,
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


@pytest.mark.parametrize("function", ON_COUNTS)
def test_levels_given_as_percentages_are_refused(function):
    with pytest.raises(ValueError, match="above 0 and below 1"):
        function(1, 5, 2, 6, alpha=5)


def test_unknown_tests_are_refused():
    with pytest.raises(ValueError, match="test must be one of"):
        fragility_by_test(1, 5, 2, 6, tests=["fisher", "t"])
    with pytest.raises(ValueError, match="tests must be a sequence"):
        fragility_by_test(1, 5, 2, 6, tests="fisher")
    with pytest.raises(ValueError, match="tests must hold at least one entry"):
        fragility_by_test(1, 5, 2, 6, tests=[])


def test_impossible_maps_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        significance_map(0, 5)
    with pytest.raises(ValueError, match="whole number"):
        significance_map(5, 2.5)
    with pytest.raises(ValueError, match="test must be one of"):
        significance_map(5, 5, tests=["t"])
    with pytest.raises(ValueError, match="above 0 and below 1"):
        significance_map(5, 5, alpha=95)
