"""Tables of two cohorts drawn alike: known values of issue 8, quadrature against simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import binom, norm

from rdmas.stats.no_effect import by_spread, table_probabilities, without_effect
from rdmas.stats.pooling import pool
from rdmas.stats.posterior import pool_bayes
from rdmas.stats.two_by_two import TESTS

pytestmark = pytest.mark.filterwarnings("error")

# Deaths and patients of the published cohorts pooled by the book, and of the paper's two arms.
MAIN = (
    [14, 15, 17, 7, 6, 5, 0, 0, 5, 5, 2, 1, 19, 4],
    [61, 67, 41, 20, 30, 89, 20, 7, 56, 9, 7, 6, 54, 21],
)
ARMS = (1, 20, 8, 21)
COLUMNS = ("below", "as_small", "below_this_way", "as_small_this_way")


@pytest.fixture(scope="module")
def fitted():
    pooled = pool(*MAIN)
    return pooled.logit, pooled.between_study_sd_logit


def n_minus_1(found):
    return found.by_test.set_index("key").loc["chi2_n_minus_1"]


def test_known_values_at_the_maximum_of_the_likelihood(fitted):
    found = without_effect(*ARMS, *fitted)
    row = n_minus_1(found)
    assert [round(100 * row[name], 1) for name in COLUMNS] == [24.7, 12.8, 12.7, 6.5]
    assert round(100 * found.as_wide, 1) == 6.6


@pytest.mark.parametrize(("scale", "below"), [(0.5, 23.1), (1.0, 27.6)])
def test_known_values_under_a_prior_of_the_spread(scale, below):
    posterior = pool_bayes(*MAIN, tau_scale=scale)
    found = without_effect(*ARMS, *posterior.joint.points(), tests=["chi2_n_minus_1"])
    assert round(100 * n_minus_1(found)["below"], 1) == below


def test_known_values_against_the_spread(fitted):
    mu, tau = fitted
    shares = by_spread(*ARMS, mu, [0, 0.35, 0.52, tau])["below"]
    assert (100 * shares).round(1).tolist() == [4.9, 9.2, 14.2, 24.7]


def test_both_tails_share_the_mean_and_the_spread():
    # Multiplied as if they did not, they would give 4.1%.
    posterior = pool_bayes(*MAIN)
    found = without_effect(*ARMS, *posterior.joint.points(), tests=["chi2_n_minus_1"])
    assert round(100 * found.both_as_far, 1) == 3.8
    probability = table_probabilities(20, 21, *posterior.joint.points())
    apart = probability[:2].sum() * probability[:, 8:].sum()
    assert round(100 * apart, 1) == 4.1
    # Each tail by itself is that of the predictive distribution.
    counts = probability.sum(axis=0)
    new = posterior.predictive
    expected = [np.exp(new.log_marginal_likelihood(events, 21)) for events in range(22)]
    assert counts == pytest.approx(np.array(expected), abs=1e-9)


def simulated_tables(mu, tau, pairs, seed):
    """Events of both arms in pairs of cohorts, each pair with its own mu and tau."""
    rng = np.random.default_rng(seed)
    arms = [rng.binomial(n, expit(mu + tau * rng.normal(size=pairs))) for n in (20, 21)]
    table = np.zeros((21, 22))
    np.add.at(table, tuple(arms), 1 / pairs)
    return table


def p_grid(key):
    return np.array([[TESTS[key](i, 20, j, 21) for j in range(22)] for i in range(21)])


def assert_simulation_agrees(table, found, pairs, keys):
    """Each share differs by less than 4.5 Monte Carlo errors."""
    i, j = np.mgrid[:21, :22]
    this_way = i / 20 < j / 21
    for key in keys:
        p = p_grid(key)
        marks = p < 0.05, p <= p[1, 8] * (1 + 1e-9)
        marks += tuple(mark & this_way for mark in marks)
        row = found.by_test.set_index("key").loc[key]
        for name, mark in zip(COLUMNS, marks, strict=True):
            error = np.sqrt(row[name] * (1 - row[name]) / pairs)
            assert abs(table[mark].sum() - row[name]) <= 4.5 * error, (key, name)


def test_every_test_agrees_with_a_simulation_of_a_million_pairs(fitted):
    pairs = 1_000_000
    table = simulated_tables(*fitted, pairs, seed=20250708)
    found = without_effect(*ARMS, *fitted, tests=list(TESTS))
    assert_simulation_agrees(table, found, pairs, list(TESTS))
    gap = np.subtract.outer(np.arange(21) / 20, np.arange(22) / 21)
    for mark, share in ((gap <= -0.33, found.as_wide),):
        assert abs(table[mark].sum() - share) < 4.5 * np.sqrt(share * (1 - share) / pairs)
    assert abs(table[:2, 8:].sum() - found.both_as_far) < 4.5 * np.sqrt(0.03 / pairs)


@pytest.mark.parametrize("scale", [0.5, 1.0])
def test_the_posterior_agrees_with_a_simulation_of_a_million_pairs(scale):
    # Mean and spread of each pair are drawn from a posterior of this test's own: a plain grid,
    # and the likelihood of each cohort by Gauss-Hermite quadrature.
    mu, tau = (one.ravel() for one in np.meshgrid(np.linspace(-4, 1, 121), np.linspace(0, 4, 161)))
    u, weight = np.polynomial.hermite_e.hermegauss(60)
    share = expit(mu[:, None] + tau[:, None] * u)
    log = norm.logpdf(mu, 0, 2) + norm.logpdf(tau, 0, scale)
    for events, n in zip(*MAIN, strict=True):
        log += np.log(binom.pmf(events, n, share) @ (weight / weight.sum()))
    # The trapezoidal rule halves the end at no spread.
    density = np.exp(log - log.max()) * np.where(tau == 0, 0.5, 1.0)
    pairs = 1_000_000
    rng = np.random.default_rng(20250709)
    drawn = rng.choice(mu.size, size=pairs, p=density / density.sum())
    table = simulated_tables(mu[drawn], tau[drawn], pairs, seed=20250710)
    posterior = pool_bayes(*MAIN, tau_scale=scale)
    keys = ["chi2_n_minus_1", "fisher"]
    found = without_effect(*ARMS, *posterior.joint.points(), tests=keys)
    assert_simulation_agrees(table, found, pairs, keys)


@pytest.mark.parametrize(("mu", "tau"), [(-1.4, 0.8), (0.5, 0.01), (-3, 6)])
def test_tables_agree_with_adaptive_integration(mu, tau):
    def one_arm(events, n):
        return quad(
            lambda u: binom.pmf(events, n, expit(mu + tau * u)) * norm.pdf(u),
            -9,
            9,
            points=np.linspace(-8, 8, 33),
            limit=400,
            epsabs=1e-12,
        )[0]

    a = [one_arm(events, 4) for events in range(5)]
    b = [one_arm(events, 7) for events in range(8)]
    assert table_probabilities(4, 7, mu, tau) == pytest.approx(np.outer(a, b), abs=1e-9)


def test_without_spread_the_arms_are_binomial():
    p = expit(-1.0)
    expected = np.outer(binom.pmf(range(6), 5, p), binom.pmf(range(4), 3, p))
    assert table_probabilities(5, 3, -1.0, 0) == pytest.approx(expected, abs=1e-9)


@settings(derandomize=True, max_examples=10, deadline=None)
@given(
    st.integers(1, 6),
    st.integers(1, 6),
    st.lists(st.tuples(st.floats(-3, 3), st.floats(0, 3)), min_size=1, max_size=3),
)
def test_probabilities_add_to_one_and_swap_with_the_arms(n_a, n_b, points):
    mu, tau = np.transpose(points)
    weight = np.full(len(points), 1 / len(points))
    probability = table_probabilities(n_a, n_b, mu, tau, weight)
    assert probability.sum() == pytest.approx(1, abs=1e-8)
    swapped = table_probabilities(n_b, n_a, mu, tau, weight).T
    assert swapped == pytest.approx(probability)
    mirrored = table_probabilities(n_a, n_b, -mu, tau, weight)[::-1, ::-1]
    assert mirrored == pytest.approx(probability, abs=1e-9)
    # Shares of points are shares of tables: two arms depend on each other through them alone.
    parts = [table_probabilities(n_a, n_b, *point) for point in points]
    assert probability == pytest.approx(np.mean(parts, axis=0))


def test_directions_add_up_and_follow_the_observed_difference(fitted):
    lower = without_effect(*ARMS, *fitted, tests=["fisher"]).by_test.iloc[0]
    higher = without_effect(8, 20, 1, 21, *fitted, tests=["fisher"]).by_test.iloc[0]
    assert lower["below"] == pytest.approx(higher["below"])
    assert lower["below_this_way"] + higher["below_this_way"] == pytest.approx(lower["below"])


def test_equal_arms_have_no_direction(fitted):
    found = without_effect(5, 20, 5, 20, *fitted, tests=["fisher"])
    row = found.by_test.iloc[0]
    assert (row["p_value"], row["below_this_way"]) == (1.0, 0.0)
    assert row["as_small"] == pytest.approx(1)
    assert found.as_wide == pytest.approx(1)


def test_an_undefined_p_value_counts_nowhere():
    # Nobody has the event: the chi-square is 0/0 on the observed table, and it is the likeliest.
    found = without_effect(0, 5, 0, 5, -5, 0.1, tests=["chi2"])
    row = found.by_test.iloc[0]
    assert np.isnan(row["p_value"])
    assert row["as_small"] == 0
    assert row["below"] < 1e-3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: table_probabilities(0, 5, 0, 1), "n_a must be a whole number of at least 1"),
        (lambda: table_probabilities(5, 5, np.nan, 1), "mu must be finite"),
        (lambda: table_probabilities(5, 5, 0, 51), "tau between 0 and 50"),
        (lambda: table_probabilities(5, 5, 0, -0.1), "tau between 0 and 50"),
        (lambda: table_probabilities(5, 5, [0, 0], 1, [0.5, 0.4]), "add to 1; they add to 0.9"),
        (lambda: table_probabilities(5, 5, 0, 1, -1), "The weights must be at least 0"),
        (lambda: without_effect(6, 5, 1, 5, 0, 1), "Arm a: events must be a whole number"),
        (lambda: without_effect(1, 5, 1, 5, 0, 1, alpha=5), "alpha must be a number"),
        (lambda: without_effect(1, 5, 1, 5, 0, 1, tests=["t"]), "test must be one of"),
        (lambda: by_spread(1, 5, 1, 5, 0, []), "taus must hold at least one entry"),
    ],
)
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
