"""Known answers and properties of log-rank P, of orders of deaths and of ensembles."""

import warnings
from itertools import combinations, permutations
from math import comb

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines.statistics import logrank_test
from scipy.special import erfc, factorial

from rdmas.stats.logrank import (
    _orders,
    _statistic,
    data_of_order,
    logrank_p,
    number_of_orders,
    ordering_counts,
    orderings,
    random_data_sets,
    weak_orderings,
)

# 6-MP leukaemia trial (Freireich 1963), R MASS::gehan.
GEHAN_TIME = [
    10, 7, 32, 23, 22, 6, 16, 34, 32, 25, 11, 20, 19, 6, 17, 35, 6, 13, 9, 6, 10,
    1, 22, 3, 12, 8, 17, 2, 11, 8, 12, 2, 5, 4, 15, 8, 23, 5, 11, 4, 1, 8,
]  # fmt: skip
GEHAN_DIED = [1, 1, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 0] + [1] * 21
GEHAN_ARM = [0] * 21 + [1] * 21

impossible_counts = [
    (-1, 5, 1, 5), (6, 5, 1, 5), (1, 5, 6, 5), (0, 0, 1, 5), (1, 5, 0, 0), (1.5, 5, 1, 5),
    ("1", 5, 1, 5), (1, 5, None, 5), (1, float("nan"), 1, 5),
]  # fmt: skip


@st.composite
def data_sets(draw, most=30):
    """Times with ties, deaths and arms of one data set."""
    n = draw(st.integers(1, most))
    time = draw(st.lists(st.integers(-5, 12), min_size=n, max_size=n))
    zero_or_one = st.lists(st.integers(0, 1), min_size=n, max_size=n)
    return np.array(time, dtype=float), np.array(draw(zero_or_one)), np.array(draw(zero_or_one))


@st.composite
def counts(draw, most=5):
    n_a, n_b = draw(st.integers(1, most)), draw(st.integers(1, most))
    return draw(st.integers(0, n_a)), n_a, draw(st.integers(0, n_b)), n_b


def lifelines_p(time, died, arm):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = logrank_test(time[arm == 0], time[arm == 1], died[arm == 0], died[arm == 1])
    return result.p_value


def survivors_to_end(deaths_a, n_a, deaths_b, n_b, times_a, times_b):
    """The arrays of a data set in which all survivors are followed beyond the last death."""
    end = max([0, *times_a, *times_b]) + 1
    time = [*times_a, *[end] * (n_a - deaths_a), *times_b, *[end] * (n_b - deaths_b)]
    died = [1] * deaths_a + [0] * (n_a - deaths_a) + [1] * deaths_b + [0] * (n_b - deaths_b)
    return np.array(time, dtype=float), np.array(died), np.array([0] * n_a + [1] * n_b)


# logrank_p: known answers ---------------------------------------------------------------------


def test_p_of_the_6mp_trial_is_that_of_r_survdiff():
    # R 4.2.2, survival 3.5-3: s <- survdiff(Surv(time, cens) ~ treat, data = MASS::gehan)
    # s$chisq is 16.79294099, and the print method gives p= 4.169e-05
    p_value = logrank_p(GEHAN_TIME, GEHAN_DIED, GEHAN_ARM)
    assert f"{p_value:.3e}" == "4.169e-05"
    observed_minus_expected, variance = _statistic._sums(
        *(np.array([x]) for x in (np.array(GEHAN_TIME, float), np.array(GEHAN_DIED, bool))),
        np.array([GEHAN_ARM], dtype=bool),
    )
    assert observed_minus_expected[0] == pytest.approx(21 - 10.7495, abs=5e-5)
    assert observed_minus_expected[0] ** 2 / variance[0] == pytest.approx(16.79294099, abs=5e-9)


def test_p_of_two_groups_of_ten_is_that_of_scipys_own_test():
    # scipy/stats/tests/test_survival.py, TestLogRank: chi-square 6.91598, P 0.0085429
    time = [8, 12, 26, 14, 21, 27, 8, 32, 20, 40, 33, 28, 41, 48, 48, 25, 37, 48, 25, 43]
    died = [1] * 6 + [0] * 4 + [1] * 3 + [0] * 7
    assert logrank_p(time, died, [0] * 10 + [1] * 10) == pytest.approx(0.0085429, abs=5e-8)


@pytest.mark.parametrize(
    ("time", "died", "arm", "p_value"),
    [
        (
            [2, 3, 7, 4, 7, 2, 7, 2, 6, 8, 8, 3],
            [1, 1, 1, 0, 1, 0, 1, 1, 0, 1, 1, 1],
            [0, 0, 1, 1, 1, 0, 0, 1, 0, 1, 1, 0],
            0.154548032651,
        ),
        (
            [2, 4, 6, 8, 3, 8, 4, 1, 3, 6, 4, 1, 3, 5, 5, 8, 1, 5, 6, 8, 5, 7, 1, 7, 2],
            [1, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 1, 0],
            [1, 1, 1, 1, 1, 1, 0, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0],
            0.829764784175,
        ),
    ],
)
def test_p_with_ties_and_censoring_is_that_of_r_survdiff(time, died, arm, p_value):
    # R 4.2.2: set.seed(7); time <- sample(1:8, n, TRUE); died and arm <- sample(0:1, n, TRUE)
    # sprintf("%.12g", pchisq(survdiff(Surv(time, died) ~ arm)$chisq, 1, lower.tail = FALSE))
    assert logrank_p(time, died, arm) == pytest.approx(p_value, abs=1e-12)


@given(data_sets())
@settings(max_examples=150)
def test_p_with_ties_and_censoring_is_that_of_lifelines(data_set):
    time, died, arm = data_set
    p_value = logrank_p(time, died, arm)
    if np.isnan(p_value):
        # Every time of death that adds variance has both arms and somebody who survives it.
        for death in time[died == 1]:
            at_risk = time >= death
            assert len(set(arm[at_risk])) == 1 or (died[at_risk] & (time[at_risk] == death)).all()
    else:
        assert p_value == pytest.approx(lifelines_p(time, died, arm), abs=1e-12)


# logrank_p: many data sets, conventions, refusals ----------------------------------------------


def test_many_data_sets_give_the_p_of_each_across_chunks(monkeypatch):
    rng = np.random.default_rng(3)
    time = rng.integers(0, 9, (50, 17)).astype(float)
    died, arm = rng.integers(0, 2, (2, 50, 17))
    each = [logrank_p(*rows) for rows in zip(time, died, arm, strict=True)]
    monkeypatch.setattr(_statistic, "_PATIENTS_PER_CHUNK", 17 * 7)
    np.testing.assert_array_equal(logrank_p(time, died, arm), each)


def test_shared_arguments_stand_for_every_data_set():
    time, died, arm = random_data_sets(2, 6, 3, 5, n_datasets=4, lost=1, seed=0)
    spread = [np.tile(x, (4, 1)) for x in (died, arm)]
    np.testing.assert_array_equal(logrank_p(time, died, arm), logrank_p(time, *spread))
    arms = np.array(list(permutations([0, 0, 1, 1])))
    by_row = [logrank_p([1, 2, 3, 4], [1, 1, 0, 1], row) for row in arms]
    np.testing.assert_array_equal(logrank_p([1, 2, 3, 4], [1, 1, 0, 1], arms), by_row)


@given(data_sets())
def test_swapping_arms_leaves_p_unchanged(data_set):
    time, died, arm = data_set
    assert logrank_p(time, died, 1 - arm) == pytest.approx(
        logrank_p(time, died, arm), abs=1e-12, nan_ok=True
    )


@given(data_sets())
def test_a_monotone_change_of_time_leaves_p_unchanged(data_set):
    time, died, arm = data_set
    stretched = np.exp(time / 3) - 7
    np.testing.assert_equal(logrank_p(stretched, died, arm), logrank_p(time, died, arm))


@given(data_sets(), st.randoms(use_true_random=False))
def test_the_sequence_of_patients_does_not_matter(data_set, random):
    patients = list(range(len(data_set[0])))
    random.shuffle(patients)
    assert logrank_p(*(x[patients] for x in data_set)) == pytest.approx(
        logrank_p(*data_set), abs=1e-12, nan_ok=True
    )


def test_follow_up_that_ends_at_a_time_of_death_counts_as_at_risk_there():
    died, arm = [1, 0, 1, 0], [0, 0, 1, 1]
    assert logrank_p([1, 1, 2, 3], died, arm) == logrank_p([1, 1.5, 2, 3], died, arm)
    assert logrank_p([1, 1, 2, 3], died, arm) != logrank_p([1, 0.5, 2, 3], died, arm)


@pytest.mark.parametrize(
    ("time", "died", "arm"),
    [
        ([1, 2, 3], [0, 0, 0], [0, 1, 1]),
        ([1, 2, 3], [1, 1, 0], [1, 1, 1]),
        ([2, 2, 2], [1, 1, 1], [0, 1, 1]),
        ([1, 2, 3], [0, 1, 1], [0, 1, 1]),
        ([1], [1], [0]),
        ([], [], []),
    ],
    ids=["no events", "empty arm", "all die at once", "arm gone before a death", "one", "none"],
)
def test_an_undefined_p_is_nan(time, died, arm):
    p_value = logrank_p(time, died, arm)
    assert isinstance(p_value, float)
    assert np.isnan(p_value)
    assert np.isnan(logrank_p([time], died, arm)).all()


def test_no_data_sets_give_no_p():
    assert logrank_p(np.empty((0, 4)), [1, 0, 1, 0], [0, 0, 1, 1]).shape == (0,)


@pytest.mark.parametrize(
    ("time", "died", "arm", "complaint"),
    [
        ([1, np.nan], [1, 1], [0, 1], "time must be finite"),
        ([1, np.inf], [1, 1], [0, 1], "time must be finite"),
        ([1, 2], [1, 2], [0, 1], "died may hold only 0 and 1"),
        ([1, 2], [1, np.nan], [0, 1], "died may hold only 0 and 1"),
        ([1, 2], [1, 1], [1, 2], "arm may hold only 0 and 1"),
        ([1, 2], [1, 1], ["a", "b"], "arm must be an array of numbers"),
        (pd.Series(["1", "2"]), [1, 1], [0, 1], "time must be an array of numbers"),
        ([1, 2], pd.array([True, None], dtype="boolean"), [0, 1], "died must be an array"),
        ([1, 2, 3], [1, 1], [0, 1], "do not match"),
        ([[1, 2], [2, 1]], [[1, 1]] * 3, [0, 1], "do not match"),
        ([[[1, 2]]], [1, 1], [0, 1], "time must have the shape"),
        (1, 1, 0, "time must have the shape"),
        (np.array(["2020-01-01", "2020-01-02"], "M8[D]"), [1, 1], [0, 1], "time must be an array"),
    ],
)
def test_arrays_that_are_no_data_set_are_refused(time, died, arm, complaint):
    with pytest.raises(ValueError, match=complaint):
        logrank_p(time, died, arm)


# Orders of deaths -----------------------------------------------------------------------------

# R 4.2.2, arm a 20 patients, arm b 21; for (k in 1:9), the death of arm a in place k:
#   time <- c(k, rep(10, 19), setdiff(1:9, k), rep(10, 13))
#   died <- c(1, rep(0, 19), rep(1, 8), rep(0, 13)); arm <- factor(rep(0:1, c(20, 21)))
# pchisq(survdiff(Surv(time, died) ~ arm)$chisq, 1, lower.tail = FALSE), the same with rho = 1,
# pvalue(coin::logrank_test(Surv(time, died) ~ arm, distribution = "exact")).
R_LOGRANK = [
    0.01417229308, 0.01354017603, 0.01290510701, 0.01226742328, 0.01162753067, 0.01098591546,
    0.01034315834, 0.009699950945, 0.009057115301,
]  # fmt: skip
R_RHO_1 = [
    0.01825247593, 0.01657035611, 0.01501005545, 0.01356546298, 0.01223061576, 0.01099969937,
    0.009867048784, 0.008827149506, 0.007874639048,
]  # fmt: skip
R_COIN_EXACT = [
    0.02048577658, 0.01919504359, 0.01790431059, 0.01661357759, 0.01532284459, 0.01403211159,
    0.0127413786, 0.0114506456, 0.0101599126,
]  # fmt: skip


@pytest.mark.parametrize(
    ("statistic", "r_values"),
    [("logrank", R_LOGRANK), ("peto-peto", R_RHO_1), ("exact-logrank", R_COIN_EXACT)],
)
def test_p_of_the_nine_orders_of_one_against_eight_deaths_is_that_of_r(statistic, r_values):
    table = orderings(1, 20, 8, 21, statistic)
    assert list(table["places_a"]) == [str(place) for place in range(1, 10)]
    assert table["order"][5] == "BBBBBABBB"
    np.testing.assert_allclose(table["p_value"], r_values, rtol=1e-9)
    assert (table["multiplicity"] == 1).all()


def test_gehan_wilcoxon_of_an_order_is_that_of_lifelines():
    for _, row in orderings(2, 6, 3, 7, "gehan-wilcoxon").iterrows():
        places = [[k for k, arm in enumerate(row["order"]) if arm == name] for name in "AB"]
        time, died, arm = survivors_to_end(2, 6, 3, 7, *places)
        result = logrank_test(
            time[arm == 0], time[arm == 1], died[arm == 0], died[arm == 1], weightings="wilcoxon"
        )
        assert row["p_value"] == pytest.approx(result.p_value, abs=1e-12)


def test_p_of_one_order_under_three_statistics_is_that_of_r():
    # R 4.2.2: t <- c(2,4,6,6,6,6, 1,3,5,6,6,6,6); d <- c(1,1,0,0,0,0, 1,1,1,0,0,0,0)
    # a <- factor(rep(0:1, c(6, 7))); survdiff, survdiff with rho = 1, exact coin::logrank_test:
    # 0.746448968215 0.746406843167 0.836829836830
    for statistic, p_value in [
        ("logrank", 0.746448968215), ("peto-peto", 0.746406843167),
        ("exact-logrank", 0.836829836830),
    ]:  # fmt: skip
        table = orderings(2, 6, 3, 7, statistic).set_index("order")
        assert table.loc["BABAB", "p_value"] == pytest.approx(p_value, abs=1e-12)


def test_p_of_a_weak_order_is_that_of_r_survdiff():
    # R 4.2.2: t <- c(1,3,6,6,6,6, 1,2,3,6,6,6,6), d and a as above; survdiff and rho = 1:
    # 0.724507300780 0.745152775831
    for statistic, p_value in [("logrank", 0.724507300780), ("peto-peto", 0.745152775831)]:
        table = weak_orderings(2, 6, 3, 7, statistic).set_index("order")
        assert table.loc["(AB)B(AB)", "p_value"] == pytest.approx(p_value, abs=1e-12)


def test_weak_orders_of_one_against_eight_deaths():
    # By hand: eight deaths fall on k times in comb(7, k - 1) ways, and the ninth is at or between
    # these, in 2k + 1 places: 1,280 in all. The rest: lifelines 0.30, logrank_test of each; P is
    # least for BBBBBBBBA (R's, above) and largest for A(BBBBBBBB).
    assert sum(comb(7, k - 1) * (2 * k + 1) for k in range(1, 9)) == 1280
    table = weak_orderings(1, 20, 8, 21)
    assert len(table) == 1280
    assert (table["p_value"].round(3) == 0.011).sum() == 224
    assert table["p_value"].min() == pytest.approx(0.009057115301, rel=1e-9)
    assert table["p_value"].max() == pytest.approx(0.016685317, rel=1e-7)


def test_all_deaths_tied_give_the_n_minus_1_chi_square():
    # Campbell 2007: Pearson's chi-square times (N - 1) / N; 0.011482 for 1/20 against 8/21.
    row = weak_orderings(1, 20, 8, 21).set_index("order").loc["(ABBBBBBBB)"]
    pearson = 41 * (1 * 13 - 19 * 8) ** 2 / (20 * 21 * 9 * 32)
    tied = _statistic.p_from_sums(np.sqrt(pearson * 40 / 41), np.ones(1))[0]
    assert row["p_value"] == pytest.approx(tied, abs=1e-12)
    assert row["p_value"] == pytest.approx(0.011482, abs=5e-7)


@given(counts())
@settings(max_examples=30)
def test_orders_and_weak_orders_have_the_p_of_their_data_sets(table):
    _deaths_a, _n_a, _deaths_b, _n_b = table
    for listed in (orderings(*table), weak_orderings(*table)):
        assert listed["order"].is_unique
        for _, row in listed.iterrows():
            times, now, tied = {"A": [], "B": []}, 0, False
            for sign in row["order"]:
                if sign in "()":
                    tied, now = sign == "(", now + 1
                else:
                    now += not tied
                    times[sign].append(now)
            data_set = survivors_to_end(*table, times["A"], times["B"])
            assert row["p_value"] == pytest.approx(logrank_p(*data_set), abs=1e-12, nan_ok=True)


@given(counts())
@settings(max_examples=40)
def test_swapping_arms_leaves_the_set_of_p_unchanged(table):
    deaths_a, n_a, deaths_b, n_b = table
    for list_orders in (orderings, weak_orderings):
        one = list_orders(*table)["p_value"].sort_values()
        other = list_orders(deaths_b, n_b, deaths_a, n_a)["p_value"].sort_values()
        np.testing.assert_allclose(one, other, atol=1e-12)


def test_orders_without_ties_are_among_the_weak_orders():
    plain = orderings(2, 5, 3, 6).set_index("order")["p_value"]
    weak = weak_orderings(2, 5, 3, 6).set_index("order")
    assert set(plain.index) == set(weak.index[weak["times_of_death"] == 5])
    np.testing.assert_allclose(weak.loc[plain.index, "p_value"], plain, atol=1e-14)


def test_multiplicity_counts_orders_with_the_same_p():
    # Equal arms with equal deaths: exchanging the arms gives another order with the same P.
    table = orderings(2, 5, 2, 5)
    assert list(table["multiplicity"]) == [2] * 6
    assert list(orderings(2, 2, 0, 1)["multiplicity"]) == [1]
    assert list(orderings(0, 2, 0, 2)["order"]) == [""]


@pytest.mark.parametrize("table", impossible_counts)
@pytest.mark.parametrize("function", [orderings, weak_orderings, ordering_counts])
def test_impossible_counts_are_refused(function, table):
    with pytest.raises(ValueError, match=r"^Arm [ab]: (n|events) must be a whole number"):
        function(*table)


def test_an_unknown_statistic_is_refused():
    with pytest.raises(ValueError, match="statistic must be one of logrank"):
        orderings(1, 3, 1, 3, "wilcoxon")
    with pytest.raises(ValueError, match="statistic must be one of logrank"):
        weak_orderings(1, 3, 1, 3, "exact-logrank")


@pytest.mark.parametrize("list_orders", [orderings, weak_orderings])
def test_too_many_orders_to_list_are_refused_with_a_way_out(list_orders):
    with pytest.raises(
        ValueError, match="more than 100,000 orders of deaths: see number_of_orders"
    ):
        list_orders(20, 40, 20, 40)


# Numbers of orders ----------------------------------------------------------------------------


@given(counts(), st.booleans())
@settings(max_examples=40)
def test_numbers_of_orders_are_those_of_the_list(table, ties):
    listed = (weak_orderings if ties else orderings)(*table)["p_value"]
    counted = ordering_counts(*table, ties=ties)
    assert counted["orders"].sum() == len(listed)
    repeated = np.repeat(counted["p_value"], counted["orders"])
    np.testing.assert_allclose(repeated, listed.sort_values(), atol=1e-12)


def test_rounded_numbers_of_weak_orders_are_those_of_the_list():
    listed = weak_orderings(1, 20, 8, 21)["p_value"].round(3).value_counts().sort_index()
    counted = ordering_counts(1, 20, 8, 21, ties=True)
    counted = counted.groupby(counted["p_value"].round(3))["orders"].sum()
    assert list(counted.index) == list(listed.index)
    assert list(counted) == list(listed)


def test_orders_out_of_reach_are_not_counted():
    assert ordering_counts(8, 30, 9, 33)["orders"].sum() == comb(17, 8)
    with pytest.raises(ValueError, match="more than 2,000,000 orders of deaths"):
        ordering_counts(14, 60, 15, 60)


def test_orders_with_an_undefined_p_are_counted_apart():
    table = ordering_counts(1, 1, 1, 1, ties=True)
    assert list(table["orders"]) == [2, 1]
    assert np.isnan(table["p_value"].iloc[-1])


def test_number_of_weak_orders_is_the_length_of_their_list():
    for deaths_a, deaths_b in [(0, 0), (0, 4), (1, 3), (3, 2)]:
        listed = list(_orders._weak_orders(deaths_a, deaths_b))
        assert number_of_orders(deaths_a, deaths_b, ties=True) == len(listed)


# Ensembles ------------------------------------------------------------------------------------


def test_random_data_sets_have_the_counts_asked_for():
    time, died, arm = random_data_sets(2, 7, 3, 6, n_datasets=200, lost=4, seed=2)
    assert time.shape == (200, 13)
    assert died[~arm].sum() == 2
    assert died[arm].sum() == 3
    assert (~arm).sum() == 7
    assert (np.sort(time[:, died], axis=1) == [1, 2, 3, 4, 5]).all()
    ends = time[:, ~died]
    assert ((ends < 5).sum(axis=1) == 4).all()
    assert set(np.unique(ends)) == {0.5, 1.5, 2.5, 3.5, 4.5, 6.0}


def test_random_data_sets_follow_the_declared_law():
    from scipy.stats import chisquare

    time, died, arm = random_data_sets(1, 4, 3, 5, n_datasets=8000, lost=2, seed=11)
    place = time[:, died & ~arm][:, 0]
    assert chisquare(np.unique(place, return_counts=True)[1]).pvalue > 0.001
    ends = time[:, ~died]
    lost = ends < 4
    pairs = np.unique(lost, axis=0, return_counts=True)[1]
    assert pairs.size == comb(5, 2)
    assert chisquare(pairs).pvalue > 0.001
    gaps = np.unique(ends[lost].reshape(-1, 2), axis=0, return_counts=True)[1]
    assert gaps.size == 16
    assert chisquare(gaps).pvalue > 0.001


def every_pattern(deaths_a, n_a, deaths_b, n_b, lost):
    """P, and its weight, of every pattern of the law: order, arms and gaps of the early ends.

    Patterns are numbers of early ends in each gap, so that their weights are multinomial. Sums
    and P are written out here.
    """
    deaths, alive = deaths_a + deaths_b, (n_a - deaths_a, n_b - deaths_b)

    def gaps(number):
        dividers = np.array(list(combinations(range(number + deaths - 1), deaths - 1)))
        edges = np.pad(dividers, ((0, 0), (1, 1)), constant_values=(-1, number + deaths - 1))
        in_gap = np.diff(edges) - 1
        ways = factorial(number) / factorial(in_gap).prod(axis=1)
        return in_gap.cumsum(axis=1), ways / deaths**number

    p_values, weights = [], []
    for lost_a in range(max(0, lost - alive[1]), min(lost, alive[0]) + 1):
        arms = comb(alive[0], lost_a) * comb(alive[1], lost - lost_a) / comb(sum(alive), lost)
        (gone_a, weight_a), (gone_b, weight_b) = gaps(lost_a), gaps(lost - lost_a)
        for places in combinations(range(deaths), deaths_a):
            in_a = np.isin(np.arange(deaths), places)
            at_risk_a = n_a - (in_a.cumsum() - in_a) - gone_a[:, None]
            at_risk_b = n_b - ((~in_a).cumsum() - ~in_a) - gone_b
            share = at_risk_a / (at_risk_a + at_risk_b)
            excess, variance = deaths_a - share.sum(axis=2), (share * (1 - share)).sum(axis=2)
            p_values.append(erfc(abs(excess) / np.sqrt(2 * variance)).ravel())
            weights.append((np.outer(weight_a, weight_b) * arms / comb(deaths, deaths_a)).ravel())
    return np.concatenate(p_values), np.concatenate(weights)


@pytest.mark.parametrize("lost", [2, 4])
def test_shares_of_random_data_sets_are_those_of_every_pattern(lost):
    """By the same enumeration, 99.95964% of data sets with 8 early ends are below 0.05."""
    p_values, weights = every_pattern(1, 20, 8, 21, lost)
    assert weights.sum() == pytest.approx(1)
    drawn = logrank_p(*random_data_sets(1, 20, 8, 21, 40_000, lost, seed=1))
    for low, high in ((0.0105, 0.0115), (0, 0.012), (0, 0.05)):
        share = weights[(p_values >= low) & (p_values < high)].sum()
        error = np.sqrt(max(share * (1 - share), 0) / 40_000)
        assert abs(((drawn >= low) & (drawn < high)).mean() - share) <= 4 * error + 1e-12


def test_the_same_seed_gives_the_same_data_sets():
    draws = [random_data_sets(1, 4, 2, 4, 5, lost=2, seed=seed)[0] for seed in (1, 1, 2)]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert (draws[0] != draws[2]).any()


def test_random_data_sets_without_losses_have_only_p_of_orders():
    p_value = logrank_p(*random_data_sets(1, 20, 8, 21, n_datasets=500, seed=4))
    attainable = orderings(1, 20, 8, 21)["p_value"].to_numpy()
    distance = np.abs(p_value[:, None] - attainable).min(axis=1)
    assert distance.max() < 1e-12
    assert len(set(p_value.round(9))) == 9


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((1, 3, 1, 3, 5, 5), "lost must be a whole number between 0 and 4, got 5"),
        ((0, 3, 0, 3, 5, 1), "Nobody dies"),
        ((1, 3, 1, 3, -1), "n_datasets must be a whole number of at least 0, got -1"),
        ((4, 3, 1, 3, 5), "Arm a: events must be a whole number between 0 and 3, got 4"),
    ],
)
def test_random_data_sets_that_cannot_exist_are_refused(arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        random_data_sets(*arguments, seed=0)


def test_one_loss_lists_every_order_arm_and_gap_and_agrees_with_lifelines():
    """lifelines.statistics.logrank_test on the same data sets, rebuilt from the rows."""
    from lifelines.statistics import logrank_test

    from rdmas.stats.logrank import one_loss

    table = one_loss(1, 4, 2, 3)
    assert len(table) == 3 * 2 * 3
    for row in table.to_dict("records"):
        times = {"A": [], "B": []}
        for place, letter in enumerate(row["order"], start=1):
            times[letter].append((place, 1))
        for letter, n in (("A", 4), ("B", 3)):
            times[letter] += [(4, 0)] * (n - len(times[letter]))
        times[row["lost_arm"]][-1] = (row["deaths_before"] + 0.5, 0)
        (time_a, died_a), (time_b, died_b) = (zip(*times[arm], strict=True) for arm in "AB")
        expected = logrank_test(time_a, time_b, died_a, died_b).p_value
        assert row["p_value"] == pytest.approx(expected, abs=1e-12)


def test_one_loss_lies_within_the_range_for_one_loss():
    from rdmas.stats.logrank import one_loss, p_range

    found = p_range(2, 6, 3, 7, lost=1)
    p_value = one_loss(2, 6, 3, 7)["p_value"]
    assert p_value.min() == pytest.approx(found.low, rel=1e-12)
    assert found.low <= p_value.max() <= found.high


# data_of_order ----------------------------------------------------------------------------------


@pytest.mark.parametrize("table", [(1, 20, 8, 21), (2, 5, 3, 4), (0, 3, 2, 2), (2, 2, 0, 3)])
def test_the_data_of_every_order_have_its_counts_and_its_p(table):
    _deaths_a, n_a, _deaths_b, n_b = table
    for order, p_value in orderings(*table)[["order", "p_value"]].itertuples(index=False):
        time, died, arm = data_of_order(order, n_a, n_b)
        assert (died[~arm].sum(), (~arm).sum(), died[arm].sum(), arm.sum()) == table
        assert (
            "".join("AB"[int(a)] for _, a in sorted(zip(time[died], arm[died], strict=True)))
            == order
        )
        assert time[~died].min(initial=np.inf) > time[died].max(initial=0)
        assert logrank_p(time, died, arm) == pytest.approx(p_value, rel=1e-12)


def test_orders_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="letters A and B only, got 'AXB'"):
        data_of_order("AXB", 3, 3)
    with pytest.raises(ValueError, match="Arm a: events must be"):
        data_of_order("AAB", 1, 3)


def test_an_exact_p_value_that_is_one_twentieth_is_not_below_it():
    orders = orderings(2, 2, 2, 14, statistic="exact-logrank")
    assert orders.loc[orders["places_a"] == "3, 4", "p_value"].item() == 6 / 120
