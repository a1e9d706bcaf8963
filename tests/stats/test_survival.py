"""Tests of rdmas.stats.survival.

Oracle: the 6-MP leukaemia trial (Freireich 1963; MASS::gehan) in R 4.2.2 with survival 3.5-3:

    summary(survfit(Surv(time, cens) ~ treat, data = MASS::gehan, conf.type = "log-log"))

and, without censoring, the empirical survival function. The envelope of all orders of deaths is
compared with the curves of every order, one by one.
"""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rdmas.stats.survival import (
    at_risk,
    deaths_until,
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
