"""The range of log-rank P over unseen follow-up, against enumeration, sampling and lifelines."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lifelines.statistics import logrank_test

from rdmas.stats.logrank import (
    _pareto,
    _range,
    _search,
    logrank_p,
    losses_for_every_order,
    losses_to_exceed,
    orderings,
    p_range,
    p_range_curve,
    random_data_sets,
    weak_orderings,
)
from rdmas.stats.logrank._statistic import p_from_sums


def ends(*counts, **follow_up):
    """Both ends of the range of P."""
    found = p_range(*counts, **follow_up)
    return found.low, found.high


def every_data_set(deaths_a, n_a, deaths_b, n_b, ties):
    """Enumerate all sequences of losses and deaths that fit the counts, one row each.

    Returns losses before the last death, observed minus expected deaths, variance, and the order
    of deaths (a 1 for each death of arm a, in binary). Nothing is left out or merged.
    """
    beginnings = np.zeros((1, 7))  # deaths a, b; losses a, b; E; V; order
    finished = []
    while len(beginnings):
        following = []
        dead_a, dead_b, lost_a, lost_b, expected, variance, order = beginnings.T
        for more_a in range(n_a - deaths_a + 1):
            for more_b in range(n_b - deaths_b + 1):
                for a in range(deaths_a + 1):
                    for b in range(deaths_b + 1):
                        if a + b == 0 or (a + b > 1 and not ties):
                            continue
                        fits = (
                            (lost_a + more_a <= n_a - deaths_a)
                            & (lost_b + more_b <= n_b - deaths_b)
                            & (dead_a + a <= deaths_a)
                            & (dead_b + b <= deaths_b)
                        )
                        at_risk_a = (n_a - dead_a - lost_a - more_a)[fits]
                        at_risk_b = (n_b - dead_b - lost_b - more_b)[fits]
                        at_risk, died = at_risk_a + at_risk_b, a + b
                        e = died * at_risk_a / at_risk
                        v = e * at_risk_b / at_risk * (at_risk - died) / np.maximum(at_risk - 1, 1)
                        following.append(
                            np.column_stack(
                                [
                                    dead_a[fits] + a,
                                    dead_b[fits] + b,
                                    lost_a[fits] + more_a,
                                    lost_b[fits] + more_b,
                                    expected[fits] + e,
                                    variance[fits] + v,
                                    2 * order[fits] + a,
                                ]
                            )
                        )
        beginnings = np.concatenate(following) if following else np.empty((0, 7))
        ended = (beginnings[:, 0] == deaths_a) & (beginnings[:, 1] == deaths_b)
        finished.append(beginnings[ended])
        beginnings = beginnings[~ended]
    _, _, lost_a, lost_b, expected, variance, order = np.concatenate(finished).T
    return lost_a + lost_b, deaths_a - expected, variance, order.astype(int)


def tables(largest):
    return [
        (deaths_a, n_a, deaths_b, n_b)
        for n_a in range(1, largest + 1)
        for n_b in range(1, largest + 1)
        for deaths_a in range(n_a + 1)
        for deaths_b in range(n_b + 1)
    ]


@st.composite
def counts(draw, most=9):
    n_a, n_b = draw(st.integers(1, most)), draw(st.integers(1, most))
    return draw(st.integers(0, min(n_a, 5))), n_a, draw(st.integers(0, min(n_b, 5))), n_b


def lifelines_p(frame):
    a, b = (frame[frame["arm"] == arm] for arm in "ab")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return logrank_test(a["time"], b["time"], a["died"], b["died"]).p_value


# Against enumeration --------------------------------------------------------------------------


@pytest.mark.parametrize("ties", [False, True])
def test_range_is_that_of_all_data_sets_of_up_to_five_patients_an_arm(ties):
    for table in tables(5):
        deaths_a, n_a, deaths_b, n_b = table
        survivors = n_a + n_b - deaths_a - deaths_b
        lost, excess, variance, _ = every_data_set(*table, ties)
        p_value = p_from_sums(excess, variance)
        curve = p_range_curve(*table, max_lost=survivors, ties=ties)
        for row in curve.itertuples():
            within = (lost <= row.lost) & (variance > 0)
            if not within.any():
                assert np.isnan([row.low, row.high]).all(), (table, row)
                assert not row.high_is_bound
                continue
            low, high = p_value[within].min(), p_value[within].max()
            assert row.low == pytest.approx(low, abs=1e-12), (table, row)
            signs = np.sign(excess[within & (np.abs(excess) > 1e-9)])
            if -1 in signs and 1 in signs:
                assert row.high == 1.0, (table, row)
            else:
                assert row.high == pytest.approx(high, abs=1e-12), (table, row)
                assert not row.high_is_bound
            assert high <= row.high + 1e-12


@pytest.mark.parametrize("table", [(3, 4, 1, 5), (0, 5, 4, 5), (4, 4, 2, 5), (1, 5, 2, 4)])
@pytest.mark.parametrize("ties", [False, True])
def test_search_of_frontiers_finds_the_largest_p_from_any_start(table, ties):
    # The tangents met in practice leave it little to do, so here it starts from the worst data
    # set, with tangents of all slopes.
    deaths_a, _n_a, _deaths_b, _n_b = table
    counts = _search.Counts(*table, lost=9, ties=ties)
    lost, excess, variance, _ = every_data_set(*table, ties)
    for budget in range(counts.survivors + 1):
        within = (lost <= budget) & (variance > 0)
        if not within.any() or (excess[within].min() < -1e-9 and excess[within].max() > 1e-9):
            continue
        sign = 1.0 if excess[within].max() > 1e-9 else -1.0
        worst = _range._ends(counts, [budget])[budget].farthest
        smallest = (excess[within] ** 2 / variance[within]).min()
        for slope in (0.05, 0.5, 2.0, 20.0):
            found = _pareto.smallest_z(counts, worst, (sign * slope, 1.0), budget)
            assert found.z_squared == pytest.approx(smallest, abs=1e-12)
            assert sum(step.lost_a + step.lost_b for step in found.steps) <= budget
            again = replace(found, observed=deaths_a)
            frame = _range._data_frame(counts, again)
            p_value = logrank_p(frame["time"], frame["died"], frame["arm"] == "b")
            assert p_value == pytest.approx(float(p_from_sums(found.excess, found.variance)))


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.1, 0.2])
@pytest.mark.parametrize(
    "table", [(0, 5, 5, 6), (1, 6, 5, 5), (0, 4, 4, 4), (5, 5, 0, 3), (2, 2, 0, 5), (0, 3, 0, 3)]
)
def test_losses_needed_are_those_of_enumeration(table, alpha):
    lost, excess, variance, order = every_data_set(*table, ties=False)
    p_value = p_from_sums(excess, variance)
    exceeds = np.nan_to_num(p_value) >= alpha
    fewest = [
        lost[exceeds & (order == one)].min() if exceeds[order == one].any() else None
        for one in np.unique(order)
    ]
    some = [losses for losses in fewest if losses is not None]
    assert losses_to_exceed(*table, alpha=alpha) == min(some, default=None)
    expected = None if None in fewest else max(fewest, default=None)
    assert losses_for_every_order(*table, alpha=alpha) == expected


# Known answers --------------------------------------------------------------------------------


def test_range_without_losses_is_that_of_the_orders():
    # R survdiff over the nine orders: 0.009057115301 (arm a last) to 0.01417229308 (arm a first).
    low, high = ends(1, 20, 8, 21)
    assert (low, high) == pytest.approx((0.009057115301, 0.01417229308), rel=1e-9)
    listed = weak_orderings(1, 20, 8, 21)["p_value"]
    assert ends(1, 20, 8, 21, ties=True) == pytest.approx((listed.min(), listed.max()))


@given(counts())
@settings(max_examples=60)
def test_range_without_losses_is_that_of_the_listed_orders(table):
    for ties, list_orders in [(False, orderings), (True, weak_orderings)]:
        p_value = list_orders(*table)["p_value"].dropna()
        details = p_range(*table, ties=ties)
        if p_value.empty:
            assert np.isnan(details.low)
            continue
        assert details.low == pytest.approx(p_value.min(), abs=1e-12)
        if details.high_is_bound:
            assert details.high == 1.0 >= p_value.max()
        else:
            assert details.high == pytest.approx(p_value.max(), abs=1e-12)


def test_losses_that_one_against_eight_deaths_withstand():
    curve = p_range_curve(1, 20, 8, 21, max_lost=8)
    assert losses_to_exceed(1, 20, 8, 21) == 6 == curve["lost"][curve["high"] >= 0.05].min()
    assert losses_for_every_order(1, 20, 8, 21) == 8


def test_z_of_one_sign_only_makes_the_high_end_exact():
    # With deaths in one arm only, and so few losses, arm b is always worse.
    details = p_range(0, 10, 5, 10, lost=2)
    assert not details.high_is_bound
    assert details.high == details.high_attained < 1.0


def test_z_of_both_signs_makes_the_high_end_a_bound():
    details = p_range(3, 10, 3, 10, lost=1)
    assert details.high_is_bound
    assert details.high_attained < details.high == 1.0


def test_a_corner_without_any_difference_makes_one_exact():
    # At risk 3 and 3 when one of arm b dies, then 2 and 2 after arm a lost one: E is 1/2 + 1/2.
    details = p_range(1, 3, 1, 3, lost=1)
    assert details.high == details.high_attained == pytest.approx(1.0, abs=1e-12)
    assert not details.high_is_bound


# The data sets at the ends ----------------------------------------------------------------------


@given(counts(), st.integers(0, 8), st.booleans())
@settings(max_examples=60)
def test_data_sets_at_the_ends_fit_the_counts_and_give_the_ends(table, lost, ties):
    deaths_a, n_a, deaths_b, n_b = table
    details = p_range(*table, lost=lost, ties=ties)
    if np.isnan(details.low):
        assert details.low_data is details.high_data is None
        return
    for frame, p_value in [
        (details.low_data, details.low),
        (details.high_data, details.high_attained),
    ]:
        assert list(frame["patient"]) == list(range(1, n_a + n_b + 1))
        by_arm = frame.groupby("arm")["died"].agg(["size", "sum"])
        assert by_arm.to_numpy().tolist() == [[n_a, deaths_a], [n_b, deaths_b]]
        deaths = frame.loc[frame["died"], "time"]
        assert (frame["time"] < deaths.max()).sum() - (deaths < deaths.max()).sum() <= lost
        assert ties or deaths.is_unique
        ours = logrank_p(frame["time"], frame["died"], frame["arm"] == "b")
        assert ours == pytest.approx(p_value, abs=1e-12)
        assert lifelines_p(frame) == pytest.approx(p_value, abs=1e-12)


# Properties -----------------------------------------------------------------------------------


@given(counts(), st.integers(0, 5))
@settings(max_examples=40)
def test_range_widens_with_losses_and_with_ties(table, lost):
    plain = p_range_curve(*table, max_lost=lost)
    tied = p_range_curve(*table, max_lost=lost, ties=True)
    for curve in (plain.dropna(), tied.dropna()):
        assert (np.diff(curve["low"]) <= 0).all()
        assert (np.diff(curve["high"]) >= 0).all()
    defined = plain["low"].notna()
    assert (tied["low"][defined] <= plain["low"][defined] + 1e-12).all()
    assert (tied["high"][defined] >= plain["high"][defined] - 1e-12).all()


@given(counts(), st.integers(0, 5), st.booleans())
@settings(max_examples=40)
def test_swapping_arms_leaves_the_range_unchanged(table, lost, ties):
    deaths_a, n_a, deaths_b, n_b = table
    assert ends(deaths_b, n_b, deaths_a, n_a, lost=lost, ties=ties) == pytest.approx(
        ends(*table, lost=lost, ties=ties), abs=1e-12, nan_ok=True
    )


@given(counts(), st.integers(0, 20), st.booleans())
@settings(max_examples=40)
def test_a_row_of_the_curve_is_the_range(table, lost, ties):
    row = p_range_curve(*table, max_lost=lost, ties=ties).iloc[-1]
    assert row["lost"] == lost
    assert (row["low"], row["high"]) == pytest.approx(
        ends(*table, lost=lost, ties=ties), abs=1e-12, nan_ok=True
    )


def test_more_losses_than_survivors_change_nothing():
    assert ends(1, 4, 2, 3, lost=10**9) == ends(1, 4, 2, 3, lost=4)


def test_budgets_searched_apart_give_the_same_curve(monkeypatch):
    together = p_range_curve(2, 9, 4, 8, max_lost=6)
    monkeypatch.setattr(_search, "_ENTRIES_PER_CELL", 1)
    apart = p_range_curve(2, 9, 4, 8, max_lost=6)
    np.testing.assert_allclose(apart.astype(float), together.astype(float), atol=1e-13)


@pytest.mark.parametrize("lost", [0, 3, 12])
def test_random_data_sets_never_leave_the_range(lost):
    table = (1, 20, 8, 21)
    time, died, arm = random_data_sets(*table, n_datasets=40_000, lost=lost, seed=lost)
    low, high = ends(*table, lost=lost)
    p_value = logrank_p(time, died, arm)
    assert low - 1e-12 <= np.nanmin(p_value)
    assert np.nanmax(p_value) <= high + 1e-12
    low, high = ends(*table, lost=lost, ties=True)
    p_value = logrank_p(time // 2, died, arm)
    assert low - 1e-12 <= np.nanmin(p_value)
    assert np.nanmax(p_value) <= high + 1e-12


@given(counts(), st.sampled_from([0.01, 0.05, 0.2]), st.booleans())
@settings(max_examples=40)
def test_losses_to_exceed_is_where_the_curve_first_reaches_alpha(table, alpha, ties):
    deaths_a, n_a, deaths_b, n_b = table
    survivors = n_a + n_b - deaths_a - deaths_b
    curve = p_range_curve(*table, max_lost=survivors, ties=ties)
    reached = curve.loc[curve["high"] >= alpha, "lost"]
    expected = None if reached.empty else reached.min()
    assert losses_to_exceed(*table, alpha=alpha, ties=ties) == expected


@given(counts(most=7))
@settings(max_examples=30)
def test_every_order_needs_at_least_the_losses_that_some_order_needs(table):
    some, every = losses_to_exceed(*table), losses_for_every_order(*table)
    assume(every is not None)
    assert some <= every


# Refusals and limits --------------------------------------------------------------------------


@pytest.mark.parametrize("function", [p_range, losses_to_exceed])
@pytest.mark.parametrize(
    "table", [(-1, 5, 1, 5), (6, 5, 1, 5), (1, 5, 6, 5), (0, 0, 1, 5), (1.5, 5, 1, 5)]
)
def test_impossible_counts_are_refused(function, table):
    with pytest.raises(ValueError, match=r"^Arm [ab]: (n|events) must be a whole number"):
        function(*table)


@pytest.mark.parametrize("lost", [-1, 0.5, "2", None])
def test_impossible_losses_are_refused(lost):
    with pytest.raises(ValueError, match=r"^lost "):
        p_range(1, 5, 1, 5, lost=lost)


@pytest.mark.parametrize("alpha", [0, 1, -0.1, float("nan")])
@pytest.mark.parametrize("function", [losses_to_exceed, losses_for_every_order])
def test_impossible_alpha_is_refused(function, alpha):
    with pytest.raises(ValueError, match="alpha must be a number above 0 and below 1"):
        function(1, 5, 1, 5, alpha=alpha)


def test_too_many_orders_to_search_are_refused():
    with pytest.raises(ValueError, match="more than 1,000 orders"):
        losses_for_every_order(10, 20, 10, 20)


def test_an_alpha_that_only_the_bound_reaches_is_not_answered():
    # Six orders, P 0.317 or more; z of both signs, but no corner of the hull near z = 0.
    with pytest.raises(ValueError, match="whether there is one is not known"):
        losses_to_exceed(2, 2, 2, 2, alpha=0.5)


def test_nobody_died_leaves_no_range():
    assert np.isnan(ends(0, 5, 0, 5, lost=3)).all()
    assert p_range(0, 5, 0, 5).low_data is None
    assert losses_to_exceed(0, 5, 0, 5) is None
    assert p_range_curve(0, 5, 0, 5, max_lost=2)["low"].isna().all()
