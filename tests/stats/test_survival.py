"""Tests of rdmas.stats.survival.

Oracle: the 6-MP leukaemia trial (Freireich 1963; MASS::gehan) in R 4.2.2 with survival 3.5-3:

    summary(survfit(Surv(time, cens) ~ treat, data = MASS::gehan, conf.type = "log-log"))

and, without censoring, the empirical survival function. The envelope of all orders of deaths is
compared with the curves of every order, one by one.
"""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lifelines import CoxPHFitter
from scipy.stats import chi2
from statsmodels.duration.hazard_regression import PHReg

from rdmas.stats.logrank import data_of_order, logrank_p, orderings
from rdmas.stats.survival import (
    at_risk,
    cox_p_values,
    deaths_until,
    hazard_ratio,
    kaplan_meier,
    order_envelope,
)

derandomised = settings(derandomize=True, deadline=None, max_examples=20)

SIX_MP = "6-MP"
TIME = {
    SIX_MP: [10, 7, 32, 23, 22, 6, 16, 34, 32, 25, 11, 20, 19, 6, 17, 35, 6, 13, 9, 6, 10],
    "control": [1, 22, 3, 12, 8, 17, 2, 11, 8, 12, 2, 5, 4, 15, 8, 23, 5, 11, 4, 1, 8],
}
DIED = {
    SIX_MP: [1, 1, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 0],
    "control": [1] * 21,
}
# time, n.risk, n.event, survival, lower 95% CI, upper 95% CI as printed by R.
R_TABLE = {
    SIX_MP: [
        (6, 21, 3, 0.8571429, 0.6197180, 0.9515517),
        (7, 17, 1, 0.8067227, 0.5631466, 0.9228090),
        (10, 15, 1, 0.7529412, 0.5031995, 0.8893618),
        (13, 12, 1, 0.6901961, 0.4316102, 0.8490660),
        (16, 11, 1, 0.6274510, 0.3675109, 0.8049122),
        (22, 7, 1, 0.5378151, 0.2677789, 0.7467907),
        (23, 6, 1, 0.4481793, 0.1880520, 0.6801426),
    ],
    "control": [
        (1, 21, 2, 0.90476190, 0.670045882, 0.9752941),
        (2, 19, 2, 0.80952381, 0.568905060, 0.9238888),
        (3, 17, 1, 0.76190476, 0.519391415, 0.8932571),
        (4, 16, 2, 0.66666667, 0.425350436, 0.8250440),
        (5, 14, 2, 0.57142857, 0.337976954, 0.7492407),
        (8, 12, 4, 0.38095238, 0.183066549, 0.5777887),
        (11, 8, 2, 0.28571429, 0.116561326, 0.4818196),
        (12, 6, 2, 0.19047619, 0.059481701, 0.3774349),
        (15, 4, 1, 0.14285714, 0.035657355, 0.3211616),
        (17, 3, 1, 0.09523810, 0.016259260, 0.2612500),
        (22, 2, 1, 0.04761905, 0.003324463, 0.1970449),
        # At 23 the last patient dies; R prints no interval there.
    ],
}


@pytest.fixture(scope="module")
def leukaemia():
    return kaplan_meier(
        TIME[SIX_MP] + TIME["control"],
        DIED[SIX_MP] + DIED["control"],
        [SIX_MP] * 21 + ["control"] * 21,
    )


@pytest.mark.parametrize("arm", [SIX_MP, "control"])
def test_leukaemia_trial_agrees_with_survfit(leukaemia, arm):
    deaths = leukaemia.query("arm == @arm and deaths > 0 and survival > 0")
    columns = ["time", "at_risk", "deaths", "survival", "low", "high"]
    np.testing.assert_allclose(deaths[columns].to_numpy(), R_TABLE[arm], rtol=2e-7)


@pytest.mark.parametrize(("arm", "median"), [(SIX_MP, 23), ("control", 8)])
def test_leukaemia_medians_agree_with_survfit(leukaemia, arm, median):
    # R: summary(...)$table[, "median"] is 23 (6-MP) and 8 (control).
    curve = leukaemia[leukaemia["arm"] == arm]
    assert curve.loc[curve["survival"] <= 0.5, "time"].min() == median


def test_control_arm_of_the_leukaemia_trial_ends_at_zero(leukaemia):
    last = leukaemia[leukaemia["arm"] == "control"].iloc[-1]
    assert (last["time"], last["survival"], last["at_risk"], last["deaths"]) == (23, 0, 1, 1)


def test_leukaemia_at_risk_agrees_with_survfit_at_times_between_events(leukaemia):
    # R: summary(fit, times = c(0, 6, 6.5, 10, 20, 35), extend = TRUE)$n.risk
    # 21 21 17 15 8 1 (6-MP), 21 12 12 8 2 0 (control)
    found = at_risk(leukaemia, [0, 6, 6.5, 10, 20, 35])
    assert found.query("arm == '6-MP'")["at_risk"].tolist() == [21, 21, 17, 15, 8, 1]
    assert found.query("arm == 'control'")["at_risk"].tolist() == [21, 12, 12, 8, 2, 0]


def test_level_moves_the_interval_and_not_the_estimate(leukaemia):
    # R: the same with conf.int = 0.9; at time 6 in the 6-MP arm 0.6711068 to 0.9421594.
    narrow = kaplan_meier(TIME[SIX_MP], DIED[SIX_MP], [SIX_MP] * 21, level=0.9)
    wide = leukaemia[leukaemia["arm"] == SIX_MP].reset_index(drop=True)
    assert narrow["survival"].tolist() == wide["survival"].tolist()
    row = narrow[narrow["time"] == 6].iloc[0]
    assert (row["low"], row["high"]) == pytest.approx((0.6711068, 0.9421594), rel=2e-7)


def test_arms_are_listed_in_order_of_appearance_and_from_time_zero():
    curves = kaplan_meier([5, 4, 3], [1, 0, 1], ["z", "a", "z"])
    assert curves["arm"].tolist() == ["z", "z", "z", "a", "a"]
    assert curves["time"].tolist() == [0, 3, 5, 0, 4]
    assert curves.query("time == 0")["survival"].tolist() == [1, 1]


def test_a_death_at_time_zero_counts():
    # R: survfit(Surv(c(0, 0, 1, 2), c(1, 0, 1, 1)) ~ 1): n.risk 4 2 1, survival 0.75 0.375 0
    curves = kaplan_meier([0, 0, 1, 2], [1, 0, 1, 1], ["a"] * 4)
    assert curves["at_risk"].tolist() == [4, 2, 1]
    assert curves["survival"].tolist() == pytest.approx([0.75, 0.375, 0])


def test_a_loss_at_the_time_of_a_death_is_still_at_risk():
    # R: survfit(Surv(c(1, 1, 2), c(1, 0, 1)) ~ 1): survival 2/3 at 1, with 3 at risk
    curves = kaplan_meier([1, 1, 2], [1, 0, 1], ["a"] * 3)
    assert curves["survival"].tolist() == pytest.approx([1, 2 / 3, 0])
    assert curves["at_risk"].tolist() == [3, 3, 1]


def test_nobody_dies_and_survival_stays_one():
    curves = kaplan_meier([1, 2, 3], [False, False, False], ["a"] * 3)
    assert curves["survival"].tolist() == [1, 1, 1, 1]
    assert curves["deaths"].tolist() == [0, 0, 0, 0]


def test_limits_are_undefined_before_the_first_death_and_at_survival_zero():
    # log(-log(S)) has no value at S = 1 and S = 0; lifelines fills in [1, 1] and [0, 0]
    curves = kaplan_meier([1, 2, 3], [0, 1, 1], ["a"] * 3)
    assert curves["survival"].tolist() == pytest.approx([1, 1, 0.5, 0])
    assert curves["low"].notna().tolist() == [False, False, True, False]
    assert curves["high"].notna().tolist() == [False, False, True, False]


patients = st.lists(
    st.tuples(st.integers(1, 12), st.booleans(), st.sampled_from("ab")), min_size=1, max_size=25
)


@derandomised
@given(st.lists(st.integers(1, 12), min_size=1, max_size=25))
def test_without_censoring_it_is_the_empirical_survival(times):
    curves = kaplan_meier(times, [1] * len(times), ["a"] * len(times))
    empirical = [np.mean(np.array(times) > time) for time in curves["time"]]
    np.testing.assert_allclose(curves["survival"], empirical, atol=1e-12)


@derandomised
@given(patients)
def test_product_of_the_tabulated_factors_is_the_survival(rows):
    curves = kaplan_meier(*zip(*rows, strict=True))
    for _, curve in curves.groupby("arm"):
        factors = 1 - curve["deaths"] / curve["at_risk"]
        np.testing.assert_allclose(curve["survival"], factors.cumprod(), atol=1e-12)
        defined = (curve["deaths"].cumsum() > 0) & (curve["survival"] > 0)
        inside = (curve["low"] <= curve["survival"]) & (curve["survival"] <= curve["high"])
        assert inside.tolist() == defined.tolist()
        assert curve.loc[~defined, ["low", "high"]].isna().all(axis=None)
        assert curve["survival"].is_monotonic_decreasing


@derandomised
@given(patients)
def test_at_risk_is_a_count_of_patients_and_never_grows(rows):
    times = np.arange(0, 14, 0.5)
    found = at_risk(kaplan_meier(*zip(*rows, strict=True)), times)
    for arm, numbers in found.groupby("arm"):
        members = np.array([time for time, _, name in rows if name == arm])
        assert numbers["at_risk"].tolist() == [int((members >= time).sum()) for time in times]
        assert numbers["at_risk"].is_monotonic_decreasing


@derandomised
@given(patients, st.permutations(range(25)))
def test_order_of_patients_does_not_matter(rows, order):
    shuffled = [rows[place] for place in order if place < len(rows)]
    first, second = (
        kaplan_meier(*zip(*table, strict=True)).sort_values(["arm", "time"]).reset_index(drop=True)
        for table in (rows, shuffled)
    )
    assert first.equals(second)


@pytest.mark.parametrize(
    ("time", "died", "arm", "message"),
    [
        ([1, 2], [1], ["a", "a"], "one value for each patient"),
        ([1, 2], [1, 0], ["a"], "one value for each patient"),
        ([1], [1, 0], ["a", "a"], "one value for each patient"),
        ([-1, 2], [1, 0], ["a", "a"], "finite and at least 0"),
        ([np.nan, 2], [1, 0], ["a", "a"], "finite and at least 0"),
        ([np.inf, 2], [1, 0], ["a", "a"], "finite and at least 0"),
        ([1, 2], [1, 2], ["a", "a"], "died must be 0 or 1"),
        ([1, 2], [1, np.nan], ["a", "a"], "died must be 0 or 1"),
        ([1, 2], [1, -1], ["a", "a"], "died must be 0 or 1"),
    ],
)
def test_impossible_patients_are_refused(time, died, arm, message):
    with pytest.raises(ValueError, match=message):
        kaplan_meier(time, died, arm)


# The envelope of all orders -------------------------------------------------------------------


def curves_of_every_order(deaths_a, n_a, deaths_b, n_b):
    """Yield survival by arm and place under each order of deaths, by the product-limit method."""
    deaths = deaths_a + deaths_b
    arm = ["a"] * n_a + ["b"] * n_b
    for places_of_a in combinations(range(1, deaths + 1), deaths_a):
        places_of_b = [place for place in range(1, deaths + 1) if place not in places_of_a]
        time, died = [], []
        for places, n in ((places_of_a, n_a), (places_of_b, n_b)):
            alive = n - len(places)
            time += [*places, *[deaths + 1] * alive]
            died += [1] * len(places) + [0] * alive
        curves = kaplan_meier(time, died, arm)
        for name in "ab":
            curve = curves[curves["arm"] == name]
            for place in range(deaths + 1):
                yield name, place, curve.loc[curve["time"] <= place, "survival"].iloc[-1]


@pytest.mark.parametrize(
    "counts",
    [(1, 20, 8, 21), (1, 3, 2, 4), (3, 4, 2, 2), (0, 3, 3, 5), (2, 5, 0, 4), (0, 1, 0, 1)],
)
def test_envelope_is_what_every_order_attains(counts):
    # Oracle: Kaplan-Meier curves of all orders of deaths, nobody lost
    attained = {}
    for arm, place, survival in curves_of_every_order(*counts):
        attained.setdefault((arm, place), []).append(survival)
    envelope = order_envelope(*counts)
    assert list(zip(envelope["arm"], envelope["place"], strict=True)) == sorted(attained)
    for row in envelope.to_dict("records"):
        found, n = attained[row["arm"], row["place"]], counts[1 if row["arm"] == "a" else 3]
        assert (row["low"], row["high"]) == pytest.approx((min(found), max(found)))
        steps = round((row["high"] - row["low"]) * n) + 1  # every count between is attained
        assert len(np.unique(np.round(found, 9))) == steps


@pytest.mark.parametrize("arm", ["a", "b"])
def test_envelope_ends_at_the_counts_and_is_as_wide_as_the_fewer_deaths(arm):
    counts = {"a": (1, 20), "b": (8, 21)}
    mine = order_envelope(*counts["a"], *counts["b"]).query("arm == @arm")
    deaths, n = counts[arm]
    assert mine[["low", "high"]].iloc[-1].tolist() == pytest.approx([1 - deaths / n] * 2)
    assert mine[["low", "high"]].iloc[0].tolist() == [1, 1]
    assert (mine["high"] - mine["low"]).max() * n == pytest.approx(1)


def test_envelope_of_exchanged_arms_is_exchanged():
    first, second = order_envelope(2, 7, 5, 9), order_envelope(5, 9, 2, 7)
    second["arm"] = second["arm"].map({"a": "b", "b": "a"})
    assert first.equals(second.sort_values(["arm", "place"], ignore_index=True))


def test_envelope_refuses_what_is_not_two_arms():
    with pytest.raises(ValueError, match="Arm b: events must be"):
        order_envelope(1, 2, 3, 2)


@derandomised
@given(patients)
def test_on_the_scale_of_deaths_survival_without_losses_stays_in_the_envelope(rows):
    # every survivor is followed beyond the last death, and no two die at the same time
    died = np.array([row[1] for row in rows])
    arm = np.array([row[2] for row in rows])
    time = np.where(died, np.cumsum(died), len(rows) + 1) * 10.0
    place = deaths_until(time, died)
    assert place.tolist() == [int((time[died] <= end).sum()) for end in time]
    counts = [number for name in "ab" for number in (died[arm == name].sum(), (arm == name).sum())]
    assume(min(counts[1], counts[3]) > 0)
    envelope = order_envelope(*counts).set_index(["arm", "place"])
    for row in kaplan_meier(place, died, arm).to_dict("records"):
        low, high = envelope.loc[(row["arm"], row["time"])]
        assert low - 1e-12 <= row["survival"] <= high + 1e-12


# Cox regression on the arm alone --------------------------------------------------------------

WEEKS = TIME[SIX_MP] + TIME["control"]
RELAPSE = DIED[SIX_MP] + DIED["control"]
CONTROL = [0] * 21 + [1] * 21


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ((WEEKS, RELAPSE, CONTROL), (1.37753761987e-4, 3.28295413142e-5, 5.26092053289e-5)),
        (
            ([1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 1, 1, 1, 1, 0, 0], [1, 1, 0, 1, 1, 0, 0, 0]),
            (0.08884908868, 0.05097034051, 0.05212515452),
        ),
    ],
    ids=["6-MP", "eight patients"],
)
def test_cox_p_values_agree_with_r(data, expected):
    # Oracle: R 4.2.2, survival 3.5-3, summary(coxph()): waldtest, sctest, logtest (Efron).
    frame = cox_p_values(*data)
    assert frame["test"].tolist() == ["Wald", "score", "likelihood ratio"]
    assert frame["p_value"].tolist() == pytest.approx(list(expected), rel=1e-8)


@derandomised
@given(st.permutations(range(12)), st.lists(st.booleans(), min_size=12, max_size=12))
def test_score_test_without_ties_is_the_log_rank_test(order, died):
    arm = [0] * 6 + [1] * 6
    score = cox_p_values(order, died, arm).set_index("test").loc["score", "p_value"]
    assert score == pytest.approx(logrank_p(order, died, arm), rel=1e-9, nan_ok=True)


@derandomised
@given(
    st.lists(st.tuples(st.integers(1, 5), st.booleans(), st.booleans()), min_size=2, max_size=12)
)
def test_cox_p_values_are_the_same_with_arms_exchanged(patients):
    time, died, arm = map(np.array, zip(*patients, strict=True))
    assume(died.any())
    first, second = cox_p_values(time, died, arm), cox_p_values(time, died, ~arm)
    assert first["p_value"].tolist() == pytest.approx(
        second["p_value"].tolist(), rel=1e-8, nan_ok=True
    )


def test_without_a_finite_estimate_only_the_score_test_is_left():
    # The two arms' deaths do not overlap, so the partial likelihood has no maximum.
    p = cox_p_values([1, 2, 3, 4], [1, 1, 0, 0], [0, 0, 1, 1]).set_index("test")["p_value"]
    assert np.isnan(p["Wald"]) and np.isnan(p["likelihood ratio"])
    assert p["score"] == pytest.approx(logrank_p([1, 2, 3, 4], [1, 1, 0, 0], [0, 0, 1, 1]))
    assert cox_p_values([1, 2], [0, 0], [0, 1])["p_value"].isna().all()
    assert cox_p_values([1, 2], [1, 1], [1, 1])["p_value"].isna().all()


def test_cox_refuses_what_is_not_one_data_set():
    with pytest.raises(ValueError, match="one-dimensional"):
        cox_p_values([[1, 2]], [1, 1], [0, 1])
    with pytest.raises(ValueError, match="only 0 and 1"):
        cox_p_values([1, 2], [1, 2], [0, 1])


# The hazard ratio -----------------------------------------------------------------------------


def test_hazard_ratio_of_the_leukaemia_trial_agrees_with_r():
    # Oracle: R 4.2.2, survival 3.5-3, summary(coxph(Surv(time, cens) ~ treat, data = gehan)).
    found = hazard_ratio(WEEKS, RELAPSE, CONTROL)
    assert found[:3] == pytest.approx((4.8169, 2.1465, 10.8093), abs=5e-5)


def test_hazard_ratios_of_one_death_against_eight_by_order():
    # The report that asked for them: 0.12 if the one death came first, 0.10 if it came last.
    orders = orderings(1, 20, 8, 21)["order"]
    found = []
    for order in orders:
        time, died, in_b = data_of_order(order, 20, 21)
        found.append(hazard_ratio(time, died, ~in_b))
    assert (round(found[0].estimate, 2), round(found[-1].estimate, 2)) == (0.12, 0.10)
    estimates = [ratio.estimate for ratio in found]
    assert estimates == sorted(estimates, reverse=True)


survivors = st.lists(
    st.tuples(st.integers(1, 6), st.booleans(), st.booleans()), min_size=4, max_size=14
)


@derandomised
@given(survivors)
def test_hazard_ratio_agrees_with_lifelines_and_statsmodels(patients):
    time, died, arm = map(np.array, zip(*patients, strict=True))
    found = hazard_ratio(time, died, arm)
    assume(0 < found.estimate < np.inf)
    likelihood = PHReg(time, arm[:, np.newaxis].astype(float), status=died, ties="efron")
    best = np.log(found.estimate)
    # No ratio near the estimate has a higher likelihood, and both ends are as far below it as
    # the likelihood ratio test allows.
    top = likelihood.loglike(np.array([best]))
    assert top >= max(likelihood.loglike(np.array([best + step])) for step in (-0.01, 0.01))
    for end in (found.profile_low, found.profile_high):
        if 0 < end < np.inf:
            drop = 2 * (top - likelihood.loglike(np.array([np.log(end)])))
            assert drop == pytest.approx(chi2.isf(0.05, 1), rel=1e-6)
    data = pd.DataFrame({"time": time, "died": died, "arm": arm.astype(float)})
    fitted = CoxPHFitter().fit(
        data, "time", "died", fit_options={"precision": 1e-12, "r_precision": 1e-12}
    )
    expected = fitted.summary.loc["arm"]
    names = ["exp(coef)", "exp(coef) lower 95%", "exp(coef) upper 95%"]
    assert found[:3] == pytest.approx(expected[names].tolist(), rel=1e-4)


@derandomised
@given(survivors, st.sampled_from([0.8, 0.95, 0.99]))
def test_an_interval_that_excludes_one_is_a_test_that_rejects(patients, level):
    time, died, arm = map(np.array, zip(*patients, strict=True))
    assume(died.any())
    found = hazard_ratio(time, died, arm, level)
    p_values = cox_p_values(time, died, arm).set_index("test")["p_value"]
    assume(np.isfinite(p_values["Wald"]))
    for test, low, high in (
        ("Wald", found.wald_low, found.wald_high),
        ("likelihood ratio", found.profile_low, found.profile_high),
    ):
        assume(abs(p_values[test] - (1 - level)) > 1e-6)
        assert (low > 1 or high < 1) == (p_values[test] < 1 - level)


@derandomised
@given(survivors)
def test_hazard_ratio_of_exchanged_arms_is_the_inverse(patients):
    time, died, arm = map(np.array, zip(*patients, strict=True))
    assume(died.any())
    found, other = hazard_ratio(time, died, arm), hazard_ratio(time, died, ~arm)
    with np.errstate(divide="ignore"):
        inverse = 1 / np.array(other)[[0, 2, 1, 4, 3]]
    assert np.array(found) == pytest.approx(inverse, rel=1e-7, nan_ok=True)


def test_without_deaths_in_an_arm_the_profile_has_one_end():
    # By hand: arm 1 never dies; after 1 and 2 of 4, the likelihood is 1 / ((2 + 2r)(1 + 2r)).
    found = hazard_ratio([1, 2, 3, 3], [1, 1, 0, 0], [0, 0, 1, 1])
    assert found.estimate == 0
    assert np.isnan([found.wald_low, found.wald_high]).all()
    assert found.profile_low == 0
    r = found.profile_high
    assert 2 * np.log((2 + 2 * r) * (1 + 2 * r) / 2) == pytest.approx(chi2.isf(0.05, 1))
    other = hazard_ratio([1, 2, 3, 3], [1, 1, 0, 0], [1, 1, 0, 0])
    assert (other.estimate, other.profile_high) == (np.inf, np.inf)
    assert other.profile_low == pytest.approx(1 / r)


def test_where_no_death_left_a_choice_nothing_is_known():
    found = hazard_ratio([1, 2], [0, 1], [0, 1])
    assert np.isnan(found.estimate)
    assert (found.profile_low, found.profile_high) == (0, np.inf)
    assert np.isnan(hazard_ratio([1, 2], [0, 0], [0, 1]).estimate)


def test_hazard_ratio_refuses_what_the_tests_refuse():
    with pytest.raises(ValueError, match="one-dimensional"):
        hazard_ratio([[1, 2]], [1, 1], [0, 1])
    with pytest.raises(ValueError, match="level must be"):
        hazard_ratio([1, 2], [1, 1], [0, 1], level=95)
