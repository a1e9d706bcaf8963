"""Known answers and properties of the posteriors under declared priors."""

from math import comb, inf, isnan, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta, fisher_exact, norm

from rdmas.stats import priors
from rdmas.stats.checks import Table
from rdmas.stats.priors import (
    BETA_PRIORS,
    PowerPriorTipping,
    posterior_effects,
    power_prior_curve,
    power_prior_tipping,
    probability_better,
)
from rdmas.stats.two_by_two import effects

quick = settings(derandomize=True, max_examples=10, deadline=None)
z95 = norm.isf(0.025)
perondi = (7, 34, 1, 34)
great = (13, 163, 23, 148)
zero_cell = (0, 16, 15, 72)
survivors = (19, 20, 13, 21)
deaths = (1, 20, 8, 21)


@st.composite
def tables(draw, largest=30):
    """Events and size of two arms, empty cells included."""
    n_a, n_b = draw(st.integers(1, largest)), draw(st.integers(1, largest))
    return draw(st.integers(0, n_a)), n_a, draw(st.integers(0, n_b)), n_b


def swapped(table):
    """The same table with the arms exchanged."""
    return *table[2:], *table[:2]


def mirrored(table):
    """The same table with events and non-events exchanged."""
    events_a, n_a, events_b, n_b = table
    return n_a - events_a, n_a, n_b - events_b, n_b


def better(table, margin=0.0, prior=(0.5, 0.5)):
    """One probability from `probability_better`."""
    return probability_better(*table, [margin], {"prior": prior})["probability"].item()


def summary(frame, row=0):
    """Median and limits of one row."""
    return tuple(frame[["median", "low", "high"]].iloc[row])


# Beta priors: known answers -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "prior", "expected"),
    [
        (survivors, "Jeffreys", (0.9962573345, 0.9692071771, 0.8413350506)),
        (survivors, "uniform", (0.9942146431, 0.9572901609, 0.8071858650)),
        (perondi, "Jeffreys", (0.9905973345, 0.8295831489, 0.3392960535)),
        (perondi, "uniform", (0.9862476913, 0.8062121281, 0.3232710644)),
    ],
)
def test_probability_better_agrees_with_r(table, prior, expected):
    # Oracle: R 4.2.2, 1 - integrate(function(p) dbeta(p, a2, b2) * pbeta(p + m, a1, b1),
    # 0, 1 - m, rel.tol = 1e-10)$value - pbeta(1 - m, a2, b2, lower = FALSE).
    frame = probability_better(*table, margins=(0, 0.1, 0.2))
    found = frame.loc[frame["prior"] == prior, "probability"]
    assert tuple(found) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (
            perondi,
            [
                (0.16825880, 0.02961041, 0.32938348),
                (6.01358383, 1.30089675, 68.46975143),
                (7.45259889, 1.35328113, 91.22426882),
            ],
        ),
        (zero_cell, [(-0.185562975, -0.296754347, -0.047059834)]),
        (survivors, [(0.314522775, 0.089217360, 0.540938789)]),
    ],
)
def test_posterior_effects_agree_with_r(table, expected):
    # Oracle: R 4.2.2, uniroot on the integral of the posterior of arm b times pbeta(p + d),
    # pbeta(p * r) and pbeta(plogis(qlogis(p) + log(or))) of arm a; Jeffreys priors.
    frame = posterior_effects(*table)
    for row, values in enumerate(expected):
        assert summary(frame, row) == pytest.approx(values, rel=2e-7)


@pytest.mark.parametrize("table", [perondi, zero_cell, survivors, (9, 9, 0, 7), (5, 5, 5, 5)])
def test_probability_better_under_uniform_priors_is_a_finite_sum(table):
    # Oracle: closed form for whole Beta parameters. With a ~ Beta(i, j) and b ~ Beta(k, l),
    # P(a > b) = sum over s < i of B(k + s, j + l) / ((j + s) B(1 + s, j) B(k, l)), in exact
    # arithmetic through binomial coefficients.
    def beta_function(x, y):
        return 1 / (x * comb(x + y - 1, x))

    events_a, n_a, events_b, n_b = table
    i, j, k, m = events_a + 1, n_a - events_a + 1, events_b + 1, n_b - events_b + 1
    expected = sum(
        beta_function(k + s, j + m) / ((j + s) * beta_function(1 + s, j) * beta_function(k, m))
        for s in range(i)
    )
    assert better(table, prior=(1, 1)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("table", [perondi, survivors, (6, 18, 12, 17)])
def test_posterior_under_althams_priors_is_fishers_one_sided_p(table):
    # Oracle: Altham 1969. With a Beta(0, 1) prior in arm a and Beta(1, 0) in arm b,
    # P(a <= b) is Fisher's one-sided P-value for more events in arm a.
    events_a, n_a, events_b, n_b = table
    pair = priors._beta_pair(Table(*table), (0, 1), (1, 0))
    cells = [[events_a, n_a - events_a], [events_b, n_b - events_b]]
    expected = fisher_exact(cells, alternative="greater").pvalue
    below = pair.cdf("risk difference", 0.0)
    assert below == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("table", "prior"),
    [(survivors, "Jeffreys"), ((0, 6, 2, 40), "Kerman"), ((3, 3, 400, 900), "uniform")],
)
def test_probabilities_lie_within_monte_carlo_error_of_a_million_draws(table, prior):
    random = np.random.default_rng(20)
    events_a, n_a, events_b, n_b = table
    a, b = BETA_PRIORS[prior]
    draws_a = random.beta(a + events_a, b + n_a - events_a, 10**6)
    draws = draws_a - random.beta(a + events_b, b + n_b - events_b, 10**6)
    for margin in (-0.3, 0.1, 0.2):
        found = better(table, margin, (a, b))
        error = max(sqrt(found * (1 - found) / 10**6), 1e-6)
        assert abs(np.mean(draws > margin) - found) < 5 * error


# Beta priors: properties ----------------------------------------------------------------------


@quick
@given(tables(), st.sampled_from([-0.4, -0.1, 0.0, 0.1, 0.25]), st.sampled_from([1 / 3, 0.5, 1.0]))
def test_both_directions_sum_to_one(table, margin, shape):
    prior = (shape, shape)
    total = better(table, margin, prior) + better(swapped(table), -margin, prior)
    assert total == pytest.approx(1, abs=1e-9)


@quick
@given(tables(), st.sampled_from([0.0, 0.1]))
def test_exchanging_events_and_arms_changes_nothing(table, margin):
    assert better(table, margin) == pytest.approx(
        better(swapped(mirrored(table)), margin), abs=1e-9
    )


@quick
@given(tables())
def test_probability_falls_as_the_margin_grows(table):
    found = probability_better(*table, margins=(-0.9, -0.2, 0, 0.1, 0.5, 0.9))
    for _, group in found.groupby("prior"):
        assert (np.diff(group["probability"]) <= 1e-13).all()
        assert group["probability"].between(0, 1).all()


@quick
@given(tables(12), st.sampled_from([0.5, 0.9, 0.99]))
def test_limits_are_the_quantiles_of_the_posterior(table, level):
    frame = posterior_effects(*table, level=level)
    median, low, high = summary(frame)
    assert low < median < high
    assert better(table, median) == pytest.approx(0.5, abs=1e-9)
    assert better(table, low) == pytest.approx((1 + level) / 2, abs=1e-9)
    assert better(table, high) == pytest.approx((1 - level) / 2, abs=1e-9)


@quick
@given(tables(12))
def test_ratios_invert_when_the_arms_are_exchanged(table):
    there, back = posterior_effects(*table), posterior_effects(*swapped(table))
    for row in (1, 2):
        median, low, high = summary(back, row)
        assert summary(there, row) == pytest.approx((1 / median, 1 / high, 1 / low), rel=1e-6)
    median, low, high = summary(back)
    assert summary(there) == pytest.approx((-median, -high, -low), abs=1e-9)


@quick
@given(tables(12))
def test_odds_ratio_inverts_when_events_and_non_events_are_exchanged(table):
    median, low, high = summary(posterior_effects(*mirrored(table)), 2)
    found = summary(posterior_effects(*table), 2)
    assert found == pytest.approx((1 / median, 1 / high, 1 / low), rel=1e-6)


def test_large_samples_give_the_frequentist_limits():
    table = (5200, 10000, 5000, 10000)
    wald = effects(*table).query("method == 'Wald'")
    found = summary(posterior_effects(*table))
    assert found == pytest.approx(tuple(wald[["estimate", "low", "high"]].iloc[0]), abs=2e-5)
    woolf = effects(*table).query("method == 'Woolf'")
    found = summary(posterior_effects(*table), 2)
    assert found == pytest.approx(tuple(woolf[["estimate", "low", "high"]].iloc[0]), rel=1e-4)


def test_prior_can_be_given_by_name_or_by_its_parameters():
    uniform = posterior_effects(*perondi, "uniform")
    assert uniform.equals(posterior_effects(*perondi, (1, 1)))
    assert summary(uniform)[0] != pytest.approx(summary(posterior_effects(*perondi))[0], abs=1e-3)


def test_number_needed_is_the_reciprocal_of_the_difference():
    frame = posterior_effects(*survivors)
    median, low, high = summary(frame)
    row = frame.iloc[-1]
    assert list(frame["measure"]).count("number needed to treat") == 1
    assert row["direction"] == "benefit"
    assert tuple(row[["median", "low", "high"]]) == pytest.approx((1 / median, 1 / high, 1 / low))


def test_fewer_events_are_a_harm():
    harm = posterior_effects(*deaths).iloc[-1]
    benefit = posterior_effects(*survivors).iloc[-1]
    assert (harm["direction"], benefit["direction"]) == ("harm", "benefit")
    ends = ["median", "low", "high"]
    assert tuple(harm[ends]) == pytest.approx(tuple(benefit[ends]))


def test_number_needed_reaches_infinity_both_ways_where_the_difference_includes_zero():
    frame = posterior_effects(10, 20, 9, 20)
    median, low, high = summary(frame)
    assert low < 0 < median < high
    benefit, harm = frame.iloc[-2], frame.iloc[-1]
    assert (benefit["direction"], harm["direction"]) == ("benefit", "harm")
    assert tuple(benefit[["median", "low", "high"]]) == pytest.approx((1 / median, 1 / high, inf))
    assert isnan(harm["median"])
    assert (harm["low"], harm["high"]) == (pytest.approx(-1 / low), inf)


# Power prior ----------------------------------------------------------------------------------


def test_full_weight_is_the_ordinary_posterior():
    full = summary(posterior_effects(*perondi))
    assert summary(power_prior_curve(*perondi, [1])) == pytest.approx(full, abs=1e-12)


def test_no_weight_leaves_the_controls_at_their_prior():
    median = power_prior_curve(*perondi, [0], prior=(2, 5))["median"].item()
    # Oracle: scipy's quad on the definition.
    below, _ = quad(
        lambda p: beta(2, 5).pdf(p) * beta(9, 32).cdf(p + median), 0, 1, epsabs=1e-12, epsrel=1e-12
    )
    assert below == pytest.approx(0.5, abs=1e-10)


def test_half_weight_is_half_the_patients():
    # Oracle: R 4.2.2, integrate() and uniroot() with Beta(7.5, 27.5) against Beta(1, 17).
    assert summary(power_prior_curve(*perondi, [0.5])) == pytest.approx(
        (0.159399019, -0.018741141, 0.326509202), abs=1e-8
    )
    ordinary = power_prior_curve(19, 20, 12, 20, [0.5]).drop(columns="weight")
    halved = power_prior_curve(19, 20, 6, 10, [1]).drop(columns="weight")
    assert ordinary.to_numpy() == pytest.approx(halved.to_numpy(), abs=1e-10)


def test_curve_has_one_row_per_weight():
    frame = power_prior_curve(*perondi, [0, 0.3, 1])
    assert list(frame["weight"]) == [0, 0.3, 1]
    assert list(frame.columns) == ["weight", "median", "low", "high"]


@pytest.mark.parametrize(
    ("table", "weight"),
    [(perondi, 0.6163992032), (survivors, 0.2691715328), (deaths, 0.2691715328)],
)
def test_interval_touches_zero_at_the_tipping_weight(table, weight):
    # Oracle: R 4.2.2, uniroot() over the weight of integrate() of dbeta(p, ...) pbeta(p, ...).
    tipping = power_prior_tipping(*table)
    assert tipping.weight == pytest.approx(weight, abs=1e-9)
    assert tipping.effective_controls == pytest.approx(tipping.weight * table[3])
    assert tipping.excludes_at_full_weight
    row = power_prior_curve(*table, [tipping.weight]).iloc[0]
    assert min(abs(row["low"]), abs(row["high"])) == pytest.approx(0, abs=1e-9)
    above, below = power_prior_curve(*table, [tipping.weight + 0.01, tipping.weight - 0.01])[
        ["low", "high"]
    ].to_numpy()
    assert above.prod() > 0 > below.prod()


def test_tipping_can_be_asked_of_another_level():
    tipping = power_prior_tipping(*survivors, level=0.9)
    row = power_prior_curve(*survivors, [tipping.weight], level=0.9).iloc[0]
    assert row["low"] == pytest.approx(0, abs=1e-9)


def test_tipping_has_no_weight_where_the_interval_always_or_never_includes_zero():
    assert power_prior_tipping(10, 20, 9, 20) == PowerPriorTipping(None, None, False)
    # A firm prior in favour of few events holds the conclusion without any control.
    always = power_prior_tipping(50, 50, 2, 50, prior=(3, 60))
    assert always == PowerPriorTipping(None, None, True)


# Bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [
        posterior_effects,
        probability_better,
        lambda *table: power_prior_curve(*table, [1]),
        power_prior_tipping,
    ],
)
@pytest.mark.parametrize(
    ("table", "message"),
    [
        ((5, 4, 1, 4), "Arm a: events must be a whole number between 0 and 4"),
        ((1, 4, 1.5, 4), "Arm b: events must be a whole number"),
        ((True, 4, 1, 4), "Arm a: events must be a whole number"),
        ((1, 4, 0, 0), "Arm b: n must be a whole number of at least 1"),
    ],
)
def test_impossible_counts_are_refused(function, table, message):
    with pytest.raises(ValueError, match=message):
        function(*table)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: posterior_effects(5, 4, 1, 4), "between 0 and 4"),
        (lambda: posterior_effects(*perondi, "flat"), "Jeffreys, uniform, Kerman"),
        (lambda: posterior_effects(*perondi, (1,)), "must hold 2 entries"),
        (lambda: posterior_effects(*perondi, 0.5), "must be a sequence"),
        (lambda: posterior_effects(*perondi, (-1, 1)), "at least 0"),
        (lambda: posterior_effects(*perondi, (float("nan"), 1)), "must be a number"),
        (lambda: posterior_effects(0, 4, 1, 4, (0, 0)), "improper or nearly so"),
        (lambda: posterior_effects(*perondi, level=95), "above 0 and below 1"),
        (lambda: probability_better(*perondi, margins=()), "at least one entry"),
        (lambda: probability_better(*perondi, margins=0.1), "must be a sequence"),
        (lambda: probability_better(*perondi, margins=(1,)), "above -1 and below 1"),
        (lambda: probability_better(*perondi, margins=(True,)), "must be a number"),
        (lambda: probability_better(*perondi, priors={}), "at least one entry"),
        (lambda: power_prior_curve(*perondi, []), "at least one entry"),
        (lambda: power_prior_curve(*perondi, 0.5), "must be a sequence"),
        (lambda: power_prior_curve(*perondi, [1.2]), "at least 0 and at most 1"),
        (lambda: power_prior_curve(*perondi, [0], prior=(0, 0)), "improper or nearly so"),
        (lambda: power_prior_curve(*perondi, [1], level=95), "above 0 and below 1"),
        (lambda: power_prior_tipping(*perondi, level=0), "above 0 and below 1"),
    ],
)
def test_bad_arguments_are_refused_with_a_reason(call, message):
    with pytest.raises(ValueError, match=message):
        call()
