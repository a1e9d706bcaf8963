"""Known answers and properties of binomial-normal pooling of proportions."""

import math
from dataclasses import replace
from functools import partial
from itertools import combinations, pairwise, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.special import expit, gammaln, log_expit, logit
from scipy.stats import binom, chi2, norm, t

from rdmas.stats import binomial_normal, pooling
from rdmas.stats.pooling import (
    heterogeneity,
    leave_one_out,
    pool,
    pool_each_way,
    predictive_probability,
    wald,
)

pytestmark = pytest.mark.filterwarnings("error")
quick = settings(derandomize=True, max_examples=6, deadline=None)

# Deaths and patients of published adult cohorts of macrophage activation syndrome: one cohort
# per overlap group, and all that may be pooled.
MAIN = (
    [14, 15, 17, 7, 6, 5, 0, 0, 5, 5, 2, 1, 19, 4],
    [61, 67, 41, 20, 30, 89, 20, 7, 56, 9, 7, 6, 54, 21],
)
ALL = (
    [14, 15, 17, 7, 6, 4, 5, 0, 0, 17, 12, 5, 5, 2, 1, 19, 4],
    [61, 67, 41, 20, 30, 32, 89, 20, 7, 116, 118, 56, 9, 7, 6, 54, 21],
)
# With a cohort of another disease, an outlier, 18 of 22.
MAIN_AND_OUTLIER = (MAIN[0] + [18], MAIN[1] + [22])
# metafor's dat.pritz1997: 14 studies of hyperdynamic therapy in cerebral vasospasm.
PRITZ = (
    [16, 10, 4, 43, 10, 25, 13, 12, 22, 4, 5, 18, 58, 6],
    [17, 12, 8, 58, 10, 42, 14, 12, 41, 5, 6, 23, 68, 10],
)
# metafor's dat.bcg, control arms: rare events, cohorts of 139 to 88391.
BCG = (
    [11, 29, 11, 248, 47, 372, 10, 499, 45, 65, 141, 3, 29],
    [139, 303, 220, 12867, 5808, 1451, 629, 88391, 7277, 1665, 27338, 2341, 17854],
)
# One large cohort at one half and four small ones that disagree: the likelihood has a maximum
# at tau = 0 and another near 1.
ONE_IS_BEST = ([500_000, 11, 11, 1, 1], [1_000_000, 12, 12, 12, 12])
ZERO_IS_BEST = ([500_000, 10, 10, 2, 2], [1_000_000, 12, 12, 12, 12])


@st.composite
def cohorts(draw, fewest=2, most=5, largest=30):
    """Events and sizes that have an estimate."""
    n = draw(st.lists(st.integers(2, largest), min_size=fewest, max_size=most))
    events = [draw(st.integers(0, size)) for size in n]
    assume(any(0 < count < size for count, size in zip(events, n, strict=True)))
    return events, n


def log_likelihood(events, n, centre, sd):
    """Brute force: each cohort's integral by scipy's adaptive quadrature."""
    total = 0.0
    for count, size in zip(events, n, strict=True):
        coefficient = gammaln(size + 1) - gammaln(count + 1) - gammaln(size - count + 1)
        value, _ = quad(
            lambda u, count=count, size=size, coefficient=coefficient: math.exp(
                coefficient
                - u**2 / 2
                + count * log_expit(centre + sd * u)
                + (size - count) * log_expit(-centre - sd * u)
            ),
            -12,
            12,
            points=[-6, -4, -2, 0, 2, 4, 6],
            epsabs=0,
            epsrel=1e-11,
            limit=500,
        )
        total += math.log(value) - math.log(2 * math.pi) / 2
    return total


@pytest.mark.parametrize(
    ("cohorts", "proportion", "sd", "se"),
    [
        (MAIN, 0.1928062, 0.8059131, 0.2671371),
        (ALL, 0.1763391, 0.7293434, 0.2191213),
        (MAIN_AND_OUTLIER, 0.2188269, 1.1257773, 0.3331006),
        (PRITZ, 0.7984434, 0.7676654, 0.2883799),
        (BCG, 0.01605136, 1.58209281, 0.44366931),
    ],
    ids=["main", "all", "main and outlier", "pritz", "bcg"],
)
def test_estimate_agrees_with_lme4_to_five_decimals(cohorts, proportion, sd, se):
    """
    Oracle: R 4.2.2, lme4 1.1-31.

    f <- glmer(cbind(events, n - events) ~ 1 + (1 | study), family = binomial, data = x,
               nAGQ = 25)
    glmer stops at about five digits, so its own deviance is minimised further:
    dev <- update(f, devFunOnly = TRUE)
    o <- nlminb(c(getME(f, "theta"), fixef(f)), dev, lower = c(0, -Inf),
                control = list(rel.tol = 1e-15, x.tol = 1e-12))
    c(plogis(o$par[[2]]), o$par[[1]], sqrt(solve(numDeriv::hessian(dev, o$par) / 2)[2, 2]))

    Printed: the numbers above. For the first set glmer alone prints plogis(fixef(f))
    0.1928061112, getME(f, "theta") 0.8059130421, sqrt(vcov(f)[1, 1]) 0.2671371231 and, from
    vcov(f, use.hessian = FALSE), 0.2620400150: by default it takes, as here, the Hessian for
    mean and standard deviation together.
    """
    pooled = pool(*cohorts)
    assert pooled.proportion == pytest.approx(proportion, abs=5e-7)
    assert pooled.between_study_sd_logit == pytest.approx(sd, abs=5e-6)
    assert pooled.logit_se == pytest.approx(se, abs=5e-6)


@pytest.mark.parametrize(
    ("cohorts", "expected"),
    [
        (MAIN, (0.1928077, 0.1239606, 0.2873497, 0.0432748, 0.5577926)),
        (ALL, (0.1763391, 0.1223005, 0.2475212, 0.0459145, 0.4878207)),
        (MAIN_AND_OUTLIER, (0.2188269, 0.1272627, 0.3498609, 0.0272902, 0.7366303)),
        (PRITZ, (0.7984424, 0.6924031, 0.8745494, 0.4425902, 0.9518383)),
        (BCG, (0.0160514, 0.0067908, 0.0374640, 0.0006511, 0.2900151)),
    ],
    ids=["main", "all", "main and outlier", "pritz", "bcg"],
)
def test_intervals_with_normal_quantiles_agree_with_metafor(cohorts, expected):
    """
    Oracle: R 4.2.2, metafor 3.8-1, its optimiser's last digits not quite settled.

    m <- rma.glmm(measure = "PLO", xi = events, ni = n, data = x, nAGQ = 25)
    predict(m, transf = transf.ilogit, digits = 7)   # pred ci.lb ci.ub pi.lb pi.ub, as above
    """
    pooled = wald(pool(*cohorts))
    found = (
        pooled.proportion,
        pooled.low,
        pooled.high,
        pooled.prediction_low,
        pooled.prediction_high,
    )
    assert found == pytest.approx(expected, abs=6e-6)


# The main cohorts of which a horizon is stated, and with the one that is nearest to the paper's.
STATED = ([14, 15, 0, 2, 19, 4], [61, 67, 20, 7, 54, 21])
STATED_AND_NEAREST = (STATED[0] + [7], STATED[1] + [20])


@pytest.mark.parametrize(
    ("cohorts", "expected"),
    [
        (MAIN, (0.193, 0.11, 0.29, 0.81)),
        (STATED, (0.217, 0.10, 0.32, 0.39)),
        (STATED_AND_NEAREST, (0.234, 0.13, 0.33, 0.35)),
        # Without a cohort above one event the likelihood hardly bounds the mean from below.
        (([0] * 9 + [1], [10] * 10), (0.01, 0.00, 0.04, 0.0)),
        (([1, 3], [10, 12]), (0.182, 0.03, 0.45, 0.0)),
    ],
    ids=["main", "stated", "nearest", "sparse", "two"],
)
def test_profile_limits_of_the_proportion_agree_with_brute_force(cohorts, expected):
    """
    Oracle: the best tau by scipy for a mean, the likelihood by Riemann sums of 4,000 terms.

    The limits to the digits printed are those of issue 8, of an independent computation.
    """
    pooled = pool(*cohorts)
    share, low, high, tau = expected
    assert pooled.proportion == pytest.approx(share, abs=5e-4)
    assert (pooled.low, pooled.high) == pytest.approx((low, high), abs=5e-3)
    assert pooled.between_study_sd_logit == pytest.approx(tau, abs=5e-3)
    u = np.linspace(-9, 9, 4001)
    weight = norm.pdf(u) * (u[1] - u[0])
    each, times = np.unique(np.transpose(cohorts), axis=0, return_counts=True)

    def fall(centre, tau):
        likelihoods = binom.pmf(each[:, :1], each[:, 1:], expit(centre + tau * u)) @ weight
        return pooled.log_likelihood - times @ np.log(likelihoods)

    for limit in (pooled.low, pooled.high):
        at = logit(limit)
        taus = np.concatenate([np.linspace(0, 4, 41), np.linspace(5, 20, 16)])
        start = taus[np.argmin([fall(at, tau) for tau in taus])]
        around = max(start - 1, 0), start + 1
        least = minimize_scalar(partial(fall, at), bounds=around, method="bounded").fun
        assert least == pytest.approx(chi2.ppf(0.95, 1) / 2, abs=1e-4)


def test_a_mean_that_no_tau_bounds_has_no_limit():
    # One of two cohorts has no events: tau up to 50 is likely enough, and with it any mean below.
    pooled = pool([0, 19], [20, 20])
    assert heterogeneity([0, 19], [20, 20]).between_study_sd_high == math.inf
    assert pooled.low == 0.0
    assert 0.99 < pooled.high < 1.0


def test_prediction_is_by_t_with_two_degrees_of_freedom_less_than_cohorts():
    # Higgins, Thompson and Spiegelhalter 2009, section 4; for the main cohorts 4 to 60% where
    # normal quantiles give 4 to 56%.
    pooled = pool(*MAIN)
    half = t.ppf(0.975, 12) * math.hypot(pooled.between_study_sd_logit, pooled.logit_se)
    expected = expit([pooled.logit - half, pooled.logit + half])
    assert (pooled.prediction_low, pooled.prediction_high) == pytest.approx(tuple(expected))
    assert (round(pooled.prediction_low, 2), round(pooled.prediction_high, 2)) == (0.04, 0.60)
    normal = wald(pooled)
    assert (round(normal.prediction_low, 2), round(normal.prediction_high, 2)) == (0.04, 0.56)
    assert (round(normal.low, 2), round(normal.high, 2)) == (0.12, 0.29)


def test_the_mean_of_the_fitted_distribution_agrees_with_brute_force():
    # Oracle: scipy.integrate.quad. The median cohort's proportion is 19%, the mean 22%.
    pooled = pool(*MAIN)
    mean = quad(
        lambda u: expit(pooled.logit + pooled.between_study_sd_logit * u) * norm.pdf(u), -9, 9
    )[0]
    assert pooled.mean_proportion == pytest.approx(mean, abs=1e-9)
    assert round(pooled.mean_proportion, 2) == 0.22


def test_profile_limits_agree_with_lme4():
    # Oracle: R 4.2.2, lme4 1.1-31, confint(profile(f, which = "theta_")), f as above:
    # 0.4349324769 1.494317143 (main), 0.3423538042 1.544109748 (pritz).
    found = heterogeneity(*MAIN)
    limits = found.between_study_sd_low, found.between_study_sd_high
    assert limits == pytest.approx((0.4349324769, 1.494317143), abs=5e-6)
    found = heterogeneity(*PRITZ)
    limits = found.between_study_sd_low, found.between_study_sd_high
    assert limits == pytest.approx((0.3423538042, 1.544109748), abs=5e-6)


def test_boundary_estimate_agrees_with_lme4():
    # Oracle: R 4.2.2, lme4 1.1-31, glmer as above on 1/10 and 3/12, "boundary (singular) fit":
    # fixef -1.5040773968, sqrt(vcov(f)[1, 1]) 0.5527707983, theta 0.
    pooled = pool([1, 3], [10, 12])
    assert pooled.between_study_sd_logit == 0.0
    assert pooled.logit == pytest.approx(-1.5040773968, abs=1e-9)
    assert pooled.logit_se == pytest.approx(0.5527707983, abs=1e-9)
    # From two cohorts' spread nothing can be predicted.
    assert (pooled.prediction_low, pooled.prediction_high, pooled.prediction_df) == (0, 1, 0)
    with pytest.raises(ValueError, match="pool at least three"):
        predictive_probability(pooled, 20, at_most=1)


def test_pooling_as_one_cohort_agrees_with_glm():
    # Oracle: R 4.2.2, f <- glm(cbind(events, n - events) ~ 1, family = binomial, data = x);
    # logLik(f) is -49.05721304 (main), -1335.05728012 (bcg); the rest is in closed form.
    pooled = pool(*MAIN, between_study_sd_logit=0)
    assert pooled.log_likelihood == pytest.approx(-49.05721304, abs=1e-8)
    assert pooled.proportion == pytest.approx(100 / 488)
    se = math.sqrt(1 / 100 + 1 / 388)
    assert pooled.logit_se == pytest.approx(se)
    normal = wald(pooled)
    assert normal.low == pytest.approx(expit(logit(100 / 488) - 1.959963984540054 * se))
    assert normal.high == pytest.approx(expit(logit(100 / 488) + 1.959963984540054 * se))
    assert pooled.mean_proportion == pytest.approx(100 / 488)
    # The likelihood-ratio limits of one binomial proportion.
    for limit in (pooled.low, pooled.high):
        fall = binom.logpmf(100, 488, 100 / 488) - binom.logpmf(100, 488, limit)
        assert fall == pytest.approx(chi2.ppf(0.95, 1) / 2)
    assert (pooled.studies, pooled.events, pooled.n, pooled.level) == (14, 100, 488, 0.95)
    found = pool(*BCG, between_study_sd_logit=0).log_likelihood
    assert found == pytest.approx(-1335.05728012, abs=1e-7)


@pytest.mark.parametrize(
    "cohorts", [([14, 0, 5, 5], [61, 20, 89, 9]), ([1, 30], [40, 40])], ids=["four", "two"]
)
def test_quadrature_agrees_with_brute_force_integration(cohorts):
    pooled = pool(*cohorts)
    estimate = pooled.logit, pooled.between_study_sd_logit
    peak = log_likelihood(*cohorts, *estimate)
    assert pooled.log_likelihood == pytest.approx(peak, abs=1e-7)
    # The estimate is a maximum of the brute-force likelihood, and the standard error follows
    # from its second differences.
    h = 1e-2

    def at(a, b):
        return log_likelihood(*cohorts, estimate[0] + a * h, estimate[1] + b * h)

    around = {(a, b): at(a, b) for a, b in product((-1, 0, 1), repeat=2)}
    assert max(around, key=around.get) == (0, 0)
    hessian = np.empty((2, 2))
    hessian[0, 0] = around[1, 0] - 2 * peak + around[-1, 0]
    hessian[1, 1] = around[0, 1] - 2 * peak + around[0, -1]
    hessian[0, 1] = hessian[1, 0] = (
        around[1, 1] - around[1, -1] - around[-1, 1] + around[-1, -1]
    ) / 4
    assert pooled.logit_se == pytest.approx(
        math.sqrt(np.linalg.inv(-hessian / h**2)[0, 0]), rel=1e-3
    )


def test_a_single_cohort_with_given_tau_agrees_with_brute_force_integration():
    pooled = pool([3], [1000], between_study_sd_logit=1.5)
    peak = log_likelihood([3], [1000], pooled.logit, 1.5)
    assert pooled.log_likelihood == pytest.approx(peak, abs=1e-8)
    sides = [log_likelihood([3], [1000], pooled.logit + step, 1.5) for step in (-0.1, 0.1)]
    assert max(sides) < peak
    assert pooled.logit_se == pytest.approx(0.1 / math.sqrt(2 * peak - sum(sides)), rel=1e-2)


@pytest.mark.parametrize("cohorts", [MAIN, PRITZ, BCG], ids=["main", "pritz", "bcg"])
def test_more_nodes_change_nothing(cohorts, monkeypatch):
    few = pool(*cohorts)
    monkeypatch.setattr(binomial_normal, "_STEP", binomial_normal._STEP / 4)
    many = pool(*cohorts)
    assert few.logit == pytest.approx(many.logit, abs=1e-7)
    assert few.between_study_sd_logit == pytest.approx(many.between_study_sd_logit, abs=1e-7)
    assert few.logit_se == pytest.approx(many.logit_se, abs=1e-7)
    assert few.log_likelihood == pytest.approx(many.log_likelihood, abs=1e-7)


def likelihood(events, n):
    return binomial_normal.Likelihood(np.array(events), np.array(n))


def test_quadrature_error_falls_as_nodes_are_added(monkeypatch):
    pooled = pool(*MAIN)
    exact = log_likelihood(*MAIN, pooled.logit, pooled.between_study_sd_logit)
    at = np.array([pooled.logit]), np.array([pooled.between_study_sd_logit])
    monkeypatch.setattr(binomial_normal, "_AGREEMENT", math.inf)
    monkeypatch.setattr(binomial_normal, "_AGREEMENT_BEFORE", math.inf)
    errors = []
    for step in (1, 0.5, 0.125):
        monkeypatch.setattr(binomial_normal, "_STEP", step)
        errors.append(abs(likelihood(*MAIN).log(*at)[0] - exact))
    assert errors[0] > 10 * errors[1] > 100 * errors[2]
    assert errors[2] < 1e-8


def test_an_integral_that_does_not_converge_is_not_returned(monkeypatch):
    monkeypatch.setattr(binomial_normal, "_AGREEMENT", -1.0)
    with pytest.raises(ArithmeticError, match="has not converged"):
        pool(*MAIN)


@pytest.mark.parametrize("sd", [1e-4, 0.05, 1, 5, 20, 50])
@pytest.mark.parametrize(
    "cohorts",
    [([0] * 9 + [1], [10] * 10), ([14, 0, 5, 9], [61, 20, 89, 9]), ([1000, 0], [2000, 3000])],
    ids=["sparse", "mixed", "large"],
)
def test_log_likelihood_agrees_with_brute_force_integration_for_every_tau(cohorts, sd):
    # A cohort without events has a likelihood that falls within 1 / tau: breakpoints about the
    # edge keep scipy's integration honest.
    for centre in (-8, -2, 0.5):
        exact = 0.0
        for count, size in set(zip(*cohorts, strict=True)):
            mode = likelihood([count], [size])._modes(np.array([[centre]]), np.array([[sd]]))
            top = mode[0].item()
            edge = (logit((count + 0.5) / (size + 1)) - centre) / sd
            points = edge + np.array([-8, -2, -0.5, 0, 0.5, 2, 8]) / sd
            points = np.unique([top, *np.clip([-12, 12, *points], top - 12, top + 12)])
            peak = binom.logpmf(count, size, expit(centre + sd * top)) - top**2 / 2

            def integrand(u, count=count, size=size, peak=peak, centre=centre):
                return math.exp(binom.logpmf(count, size, expit(centre + sd * u)) - u**2 / 2 - peak)

            pieces = [
                quad(integrand, a, b, epsabs=0, epsrel=1e-11, limit=400)[0]
                for a, b in pairwise(points)
            ]
            one = math.log(sum(pieces) / math.sqrt(2 * math.pi)) + peak
            exact += one * list(zip(*cohorts, strict=True)).count((count, size))
        found = likelihood(*cohorts).log(np.array([centre]), np.array([sd]))[0]
        assert found == pytest.approx(exact, rel=1e-9, abs=1e-7)


@pytest.mark.parametrize("sd", [0.01, 0.5, 3, 30])
def test_derivatives_are_those_of_the_log_likelihood(sd):
    of = likelihood([14, 0, 5, 5000], [61, 20, 5, 10_000])
    h = 1e-2 * min(sd, 0.3)
    mu, tau = np.meshgrid(-1 + h * np.arange(-1, 2), sd + h * np.arange(-1, 2), indexing="ij")
    v = of.log(mu.ravel(), tau.ravel()).reshape(3, 3)
    found = of.terms(np.array([-1.0]), np.array([sd]))
    assert found.d_mu[0] == pytest.approx((v[2, 1] - v[0, 1]) / (2 * h), rel=1e-3)
    assert found.d_tau[0] == pytest.approx((v[1, 2] - v[1, 0]) / (2 * h), rel=1e-3)
    seconds = (
        (found.d_mu_mu, v[2, 1] - 2 * v[1, 1] + v[0, 1]),
        (found.d_mu_tau, (v[2, 2] - v[2, 0] - v[0, 2] + v[0, 0]) / 4),
        (found.d_tau_tau, v[1, 2] - 2 * v[1, 1] + v[1, 0]),
    )
    for exact, difference in seconds:
        assert exact[0] == pytest.approx(difference / h**2, rel=1e-2)


@quick
@given(cohorts(), st.randoms(use_true_random=False))
def test_order_of_the_studies_does_not_matter(cohorts, random):
    events, n = cohorts
    order = random.sample(range(len(n)), len(n))
    shuffled = pool([events[i] for i in order], [n[i] for i in order])
    assert vars(shuffled) == pytest.approx(vars(pool(events, n)), rel=1e-6, abs=1e-8)


@quick
@given(cohorts())
def test_swapping_events_and_non_events_mirrors_the_result(cohorts):
    events, n = cohorts
    pooled = pool(events, n)
    mirror = pool([size - count for count, size in zip(events, n, strict=True)], n)
    assert mirror.proportion == pytest.approx(1 - pooled.proportion, abs=1e-7)
    assert mirror.low == pytest.approx(1 - pooled.high, abs=1e-7)
    assert mirror.prediction_high == pytest.approx(1 - pooled.prediction_low, abs=1e-7)
    assert mirror.logit_se == pytest.approx(pooled.logit_se, rel=1e-6)
    sd = pooled.between_study_sd_logit
    assert mirror.between_study_sd_logit == pytest.approx(sd, abs=1e-6)
    assert mirror.log_likelihood == pytest.approx(pooled.log_likelihood, abs=1e-8)


@quick
@given(cohorts(), st.floats(0, 5))
def test_no_other_tau_is_likelier(cohorts, sd):
    fixed = pool(*cohorts, between_study_sd_logit=sd)
    assert fixed.between_study_sd_logit == sd
    assert fixed.log_likelihood <= pool(*cohorts).log_likelihood + 1e-8


@pytest.mark.parametrize(("cohorts", "zero_is_best"), [(ONE_IS_BEST, False), (ZERO_IS_BEST, True)])
def test_the_higher_of_two_maxima_is_found(cohorts, zero_is_best):
    grid = [0, 0.001, 0.01, 0.1, 0.5, 1, 2, 4, 8]
    profile = [pool(*cohorts, between_study_sd_logit=sd).log_likelihood for sd in grid]
    lowest = min(profile[:-2])
    # Down from 0, up again to about 1, and down for good.
    assert profile[0] > profile[1] > lowest
    assert max(profile[4:-2]) > lowest + 1
    assert max(profile[4:-2]) > profile[-1]
    pooled = pool(*cohorts)
    assert pooled.log_likelihood >= max(profile)
    assert (pooled.between_study_sd_logit == 0) is zero_is_best


@pytest.mark.parametrize("studies", [2, 5, 30])
def test_identical_proportions_give_zero_tau_and_the_crude_proportion(studies):
    n = [5 * (study % 4 + 1) for study in range(studies)]
    pooled = pool([size // 5 for size in n], n)
    assert pooled.between_study_sd_logit == 0.0
    assert pooled.proportion == pytest.approx(0.2)
    given = pool([size // 5 for size in n], n, between_study_sd_logit=0)
    assert wald(pooled) == wald(given)
    # That tau is not known widens the interval.
    assert pooled.low < given.low < given.high <= pooled.high


def test_less_than_binomial_variation_gives_zero_tau_and_more_gives_some():
    # At tau = 0 the likelihood rises if Pearson's chi-square exceeds the number of studies.
    assert pool([8, 12], [40, 40]).between_study_sd_logit == 0.0
    assert pool([7, 13], [40, 40]).between_study_sd_logit > 0


def test_a_tau_far_below_the_sampling_error_is_found():
    # Two large equal cohorts about one half: the variance of the logits, (2 d / n)^2 for counts
    # that differ by d, less their sampling variance, 4 / n.
    n, d = 1_000_000, 1001
    pooled = pool([500_501, 499_500], [n, n])
    expected = math.sqrt((2 * d / n) ** 2 - 4 / n)
    assert expected < 0.05 * math.sqrt(4 / n)
    assert pooled.between_study_sd_logit == pytest.approx(expected, rel=1e-3)


def test_splitting_a_study_changes_nothing_if_studies_do_not_differ():
    whole = pool([9, 7, 20], [30, 40, 50], between_study_sd_logit=0)
    split = pool([4, 5, 7, 20], [14, 16, 40, 50], between_study_sd_logit=0)
    for name in ("proportion", "low", "high", "logit_se", "events", "n"):
        assert getattr(split, name) == pytest.approx(getattr(whole, name))


def test_repeating_all_studies_keeps_the_estimate_and_halves_the_variance():
    # The log-likelihood of two copies is twice that of one.
    once, twice = pool(*PRITZ), pool(PRITZ[0] * 2, PRITZ[1] * 2)
    assert twice.proportion == pytest.approx(once.proportion, abs=1e-9)
    assert twice.between_study_sd_logit == pytest.approx(once.between_study_sd_logit, abs=1e-9)
    assert twice.logit_se == pytest.approx(once.logit_se / math.sqrt(2), abs=1e-9)
    assert twice.log_likelihood == pytest.approx(2 * once.log_likelihood, abs=1e-9)


def test_large_tau_gives_large_studies_equal_weight():
    # With sampling error negligible beside tau the logits are a normal sample.
    n = [10**7] * 4
    events = [10**6, 3 * 10**6, 6 * 10**6, 2 * 10**6]
    logits = logit(np.array(events) / 1e7)
    pooled = pool(events, n)
    assert pooled.logit == pytest.approx(logits.mean(), abs=1e-5)
    assert pooled.between_study_sd_logit == pytest.approx(logits.std(), abs=1e-5)
    assert pooled.logit_se == pytest.approx(logits.std() / 2, abs=1e-5)


@pytest.mark.parametrize(
    ("events", "n"), [MAIN, ([2, 2], [10, 10]), ([1, 30], [40, 40]), ([0, 3, 9], [8, 9, 10])]
)
def test_a_study_without_events_lowers_the_estimate(events, n):
    assert pool([*events, 0], [*n, 10]).proportion < pool(events, n).proportion


@pytest.mark.parametrize(
    ("events", "n"),
    [
        ([3, 0, 10, 1], [10**7, 10**6, 10**6, 1000]),
        ([10**7 - 3, 10**6, 10**6 - 10, 999], [10**7, 10**6, 10**6, 1000]),
        ([5_000_000, 5_010_000, 1], [10**7, 10**7, 1]),
        ([1, 0, 1, 0, 2], [1, 1, 1, 1, 5]),
        ([0, 10, 3], [10, 10, 6]),
        ([0] * 10 + [500], [1000] * 11),
        ([0, 0, 1], [10**7, 10**7, 10**7]),
        (list(range(30)), list(range(1, 31))),
    ],
)
def test_extreme_counts_give_finite_ordered_results(events, n):
    pooled = pool(events, n)
    found = heterogeneity(events, n)
    assert 0 <= pooled.low <= pooled.proportion <= pooled.high <= 1
    assert 0 <= pooled.prediction_low <= pooled.proportion <= pooled.prediction_high <= 1
    assert 0 < pooled.logit_se < math.inf
    assert found.between_study_sd_low <= pooled.between_study_sd_logit
    assert pooled.between_study_sd_logit <= found.between_study_sd_high
    assert 0 <= found.likelihood_ratio_p_value <= 1


def test_single_patients_tell_nothing_of_tau():
    pooled = pool([1, 0, 1, 0], [1, 1, 1, 1])
    assert (pooled.between_study_sd_logit, pooled.proportion) == (0.0, pytest.approx(0.5))
    found = heterogeneity([1] * 20 + [0] * 100, [1] * 120)
    assert (found.between_study_sd_low, found.between_study_sd_high) == (0.0, math.inf)


def test_interval_of_a_higher_level_is_wider_about_the_same_estimate():
    narrow, wide = pool(*MAIN, level=0.8), pool(*MAIN, level=0.99)
    assert narrow.proportion == wide.proportion
    assert wide.low < narrow.low < narrow.high < wide.high
    assert wide.prediction_low < narrow.prediction_low


def test_likelihood_ratio_test_halves_the_chi_square_p():
    # Self and Liang 1987: half the mass at 0, half chi-square with 1 degree of freedom.
    found = heterogeneity(*MAIN)
    # -49.05721304 from glm in R, -37.59784014 from brute-force integration.
    expected = chi2.sf(2 * (49.05721304 - 37.59784014), 1) / 2
    assert found.likelihood_ratio_p_value == pytest.approx(expected, rel=1e-6)
    nothing = heterogeneity([8, 12], [40, 40])
    assert nothing.likelihood_ratio_p_value == 1.0
    assert (nothing.between_study_sd_low, nothing.median_odds_ratio) == (0.0, 1.0)


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_profile_limits_lie_where_the_likelihood_has_fallen_by_half_the_quantile(level):
    found = heterogeneity(*PRITZ, level=level)
    peak = pool(*PRITZ).log_likelihood
    for limit in (found.between_study_sd_low, found.between_study_sd_high):
        fall = peak - pool(*PRITZ, between_study_sd_logit=limit).log_likelihood
        assert fall == pytest.approx(chi2.ppf(level, 1) / 2, abs=1e-8)


def test_profile_limits_enclose_both_of_two_likely_maxima():
    # Here tau = 0 is best; tau near 1 falls short of it by less than the quantile allows, and
    # what lies between by more.
    found = heterogeneity(*ZERO_IS_BEST)
    peak = pool(*ZERO_IS_BEST).log_likelihood
    allowed = chi2.ppf(0.95, 1)
    between, near_one, beyond = (
        2 * (peak - pool(*ZERO_IS_BEST, between_study_sd_logit=sd).log_likelihood)
        for sd in (0.05, 1, found.between_study_sd_high)
    )
    assert near_one < allowed < between
    assert (found.between_study_sd_low, found.between_study_sd_high > 1) == (0.0, True)
    assert beyond == pytest.approx(allowed)


def test_median_odds_ratio_is_the_median_of_the_larger_over_the_smaller_odds():
    # The difference of two logits is normal with variance 2 tau^2; half of all differences are
    # smaller in size than the log of the median odds ratio.
    found = heterogeneity(*MAIN)
    sd = math.sqrt(2) * found.between_study_sd_logit
    within = norm.cdf(math.log(found.median_odds_ratio) / sd)
    assert within == pytest.approx(0.75)
    # Larsen and Merlo 2005 give the factor as 0.6745 * sqrt(2) = 0.954.
    expected = math.exp(0.9538726 * found.between_study_sd_logit)
    assert found.median_odds_ratio == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("events", "n", "limit"), [([0] * 9 + [1], [10] * 10, 14.18), ([0] * 5 + [1], [20] * 6, 12.19)]
)
def test_profile_limit_of_tau_from_sparse_cohorts_agrees_with_brute_force(events, n, limit):
    # Gauss-Hermite quadrature with 25 nodes gives 17.10 and 11.36.
    found = heterogeneity(events, n)
    assert (found.between_study_sd_logit, found.between_study_sd_low) == (0.0, 0.0)
    assert found.between_study_sd_high == pytest.approx(limit, abs=5e-3)
    # A Riemann sum of ten thousand terms, the best mean logit by scipy.
    u = np.linspace(-9, 9, 10_001)

    def fall(centre):
        eta = centre + found.between_study_sd_high * u
        logs = [
            np.log((binom.pmf(k, size, expit(eta)) * norm.pdf(u)).sum() * (u[1] - u[0]))
            for k, size in zip(events[-2:], n[-2:], strict=True)
        ]
        return pool(events, n).log_likelihood - (len(n) - 1) * logs[0] - logs[1]

    least = minimize_scalar(fall, bounds=(-60, 0), method="bounded").fun
    assert least == pytest.approx(chi2.ppf(0.95, 1) / 2, abs=1e-6)


def test_leaving_one_out_pools_the_others():
    labels = [f"study {position}" for position in range(5)]
    events, n = MAIN[0][:5], MAIN[1][:5]
    frame = leave_one_out(pd.Series(events), np.array(n), labels, level=0.9)
    assert list(frame) == [
        "label",
        "proportion",
        "low",
        "high",
        "between_study_sd_logit",
        "prediction_low",
        "prediction_high",
    ]
    assert list(frame["label"]) == labels
    for row in range(5):
        others = pool(events[:row] + events[row + 1 :], n[:row] + n[row + 1 :], level=0.9)
        for name in frame.columns[1:]:
            assert frame.loc[row, name] == getattr(others, name)


def test_leaving_out_the_study_without_events_moves_the_estimate_up():
    frame = leave_one_out([3, 4, 0, 5], [20, 20, 20, 20], list("abcd")).set_index("label")
    estimate = pool([3, 4, 0, 5], [20, 20, 20, 20]).proportion
    assert frame.loc["c", "proportion"] > estimate
    assert frame["proportion"].idxmax() == "c"


def compatible(selection, touched):
    return not any(touched[a] & touched[b] for a, b in combinations(selection, 2))


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.lists(st.sets(st.sampled_from("uvwx"), max_size=3), min_size=1, max_size=7))
# A ring, in which each row overlaps with the next.
@example([{"u", "v"}, {"v", "w"}, {"w", "x"}, {"x", "y"}, {"y", "z"}, {"z", "u"}])
def test_selections_are_those_found_by_brute_force(touched):
    rows = range(len(touched))
    fitting = [
        set(selection)
        for size in range(len(touched) + 1)
        for selection in combinations(rows, size)
        if compatible(selection, touched)
    ]
    maximal = [one for one in fitting if not any(one < other for other in fitting)]
    groups = [frozenset(entry) for entry in touched]
    assert pooling._choices(groups) == sorted(tuple(sorted(one)) for one in maximal)


def test_rows_without_a_group_are_in_every_selection():
    def selections(groups):
        return pooling._choices(pooling._groups(groups))

    assert selections(["", None, math.nan, " ; "]) == [(0, 1, 2, 3)]
    assert selections(["a", "", "a", "b"]) == [(0, 1, 3), (1, 2, 3)]
    # The row that touches both groups stands alone against one row of each.
    groups = ["beijing", "renji;beijing", "beijing", " renji "]
    assert selections(groups) == [(0, 3), (1,), (2, 3)]


def test_every_way_of_pooling_pools_its_selection():
    labels = [f"s{row}" for row in range(17)]
    groups = [""] * 17
    groups[1] = groups[9] = groups[10] = "beijing"
    groups[5], groups[11], groups[16] = "renji;beijing", "renji", "alone"
    frame = pool_each_way(*ALL, labels, groups)
    assert list(frame) == [
        "chosen",
        "studies",
        "events",
        "n",
        "proportion",
        "low",
        "high",
        "between_study_sd_logit",
        "prediction_low",
        "prediction_high",
    ]
    assert list(frame["chosen"]) == [("s1", "s11"), ("s5",), ("s9", "s11"), ("s10", "s11")]
    assert list(frame["studies"]) == [14, 13, 14, 14]
    assert list(frame["events"]) == [100, 84, 102, 97]
    # The first is the main selection; its order of studies is the same.
    main = pool(*MAIN)
    for name in frame.columns[1:]:
        assert frame.loc[0, name] == getattr(main, name)


def test_without_overlap_there_is_one_way_of_pooling():
    frame = pool_each_way([2, 5, 4], [10, 12, 30], list("abc"), ["", "x", "y"])
    assert frame["chosen"].tolist() == [()]
    assert frame.loc[0, "proportion"] == pool([2, 5, 4], [10, 12, 30]).proportion


def test_predictive_probability_agrees_with_r():
    """
    Oracle: R 4.2.2.

    p <- function(m, s, k, n) integrate(function(t) dbinom(k, n, plogis(t)) * dnorm(t, m, s),
                                        -Inf, Inf, rel.tol = 1e-10)$value
    m <- -1.4318788; s <- sqrt(.8059131^2 + .2671371^2)
    sum(sapply(8:21, function(k) p(m, s, k, 21)))   # 0.19003454
    sum(sapply(0:1, function(k) p(m, s, k, 20)))    # 0.18484544
    """
    pooled = wald(pool(*MAIN))
    assert predictive_probability(pooled, 21, at_least=8) == pytest.approx(0.19003454, abs=5e-8)
    assert predictive_probability(pooled, 20, at_most=1) == pytest.approx(0.18484544, abs=5e-8)


@pytest.mark.parametrize(
    ("cohorts", "df"),
    [(MAIN, 12), ([[11, 29, 11, 45], [139, 303, 220, 7277]], 2), (([9, 8, 0], [9, 9, 9]), 1)],
)
def test_predictive_probability_integrates_a_binomial_over_t(cohorts, df):
    # Oracle: scipy.integrate.quad over the probability of the t variable, whose tails are long.
    pooled = pool(*cohorts)
    sd = math.hypot(pooled.between_study_sd_logit, pooled.logit_se)
    for n, at_least in ((21, 8), (20, 1), (500, 30)):
        steep = t.cdf((logit((at_least - 0.5) / n) - pooled.logit) / sd, df)

        def tail(q, n=n, at_least=at_least):
            return binom.sf(at_least - 1, n, expit(pooled.logit + sd * t.ppf(q, df)))

        pieces = [quad(tail, *ends, epsabs=1e-9, limit=500)[0] for ends in ((0, steep), (steep, 1))]
        found = predictive_probability(pooled, n, at_least=at_least)
        assert found == pytest.approx(sum(pieces), abs=1e-7)


def test_predictive_probabilities_sum_to_one():
    pooled = pool(*MAIN)
    single = [predictive_probability(pooled, 21, at_least=k, at_most=k) for k in range(22)]
    assert sum(single) == pytest.approx(1, abs=1e-10)
    assert predictive_probability(pooled, 21, at_least=8) == pytest.approx(sum(single[8:]))
    assert predictive_probability(pooled, 21, at_most=7) == pytest.approx(sum(single[:8]))
    between = predictive_probability(pooled, 21, at_least=3, at_most=9)
    assert between == pytest.approx(sum(single[3:10]))
    assert predictive_probability(pooled, 21, at_least=0) == pytest.approx(1, abs=1e-10)
    assert predictive_probability(pooled, 21, at_most=21) == pytest.approx(1, abs=1e-10)


def test_predictive_probability_without_uncertainty_is_binomial():
    certain = replace(pool(*PRITZ), between_study_sd_logit=0.0, logit_se=0.0)
    expected = binom.sf(15, 20, certain.proportion)
    assert predictive_probability(certain, 20, at_least=16) == pytest.approx(expected)
    certain = wald(certain)
    assert predictive_probability(certain, 20, at_least=16) == pytest.approx(expected)
    nearly = replace(certain, logit_se=1e-6)
    assert predictive_probability(nearly, 20, at_least=16) == pytest.approx(expected)
    expected = binom.pmf(3, 20, certain.proportion)
    found = predictive_probability(certain, 20, at_least=3, at_most=3)
    assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("share", [0.001, 0.2, 0.5])
def test_predictive_probability_of_a_huge_cohort_is_that_of_its_proportion(share):
    pooled = pool(*MAIN)
    sd = math.hypot(pooled.between_study_sd_logit, pooled.logit_se)
    expected = t.sf((logit(share) - pooled.logit) / sd, 12)
    found = predictive_probability(pooled, 10**7, at_least=int(share * 10**7))
    assert found == pytest.approx(expected, abs=2e-5)


def test_predictive_probability_of_one_number_in_a_huge_cohort_is_a_density():
    # P(X = k) is close to the density of the true proportion at k / n, over n.
    pooled, n, share = pool(*MAIN), 10**7, 0.3
    sd = math.hypot(pooled.between_study_sd_logit, pooled.logit_se)
    expected = t.pdf(logit(share), 12, pooled.logit, sd) / (share * (1 - share)) / n
    k = int(share * n)
    found = predictive_probability(pooled, n, at_least=k, at_most=k)
    assert found == pytest.approx(expected, rel=1e-4)


def test_predictive_probability_matches_the_predictive_interval():
    # Half of (1 - level) lies beyond either limit.
    pooled = pool(*MAIN, level=0.9)
    n = 10**7
    above = predictive_probability(pooled, n, at_least=round(pooled.prediction_high * n))
    below = predictive_probability(pooled, n, at_most=round(pooled.prediction_low * n))
    assert (below, above) == pytest.approx((0.05, 0.05), abs=1e-5)


@pytest.mark.parametrize(
    ("events", "n", "message"),
    [
        ([0, 0], [10, 20], "No study has an event"),
        ([10, 20], [10, 20], "Every patient has the event"),
        ([0, 20], [10, 20], "either no events or only events"),
        ([3], [10], "cannot be estimated from one study"),
        ([], [], "events must hold at least one entry"),
        ([1, 2], [10], "n must hold 2 entries, got 1"),
        ([1, 11], [10, 10], "Cohort 2: events must be a whole number between 0 and 10"),
        ([1, 2.5], [10, 10], "Cohort 2: events must be a whole number"),
        ([True, 2], [10, 10], "Cohort 1: events must be a whole number"),
        ([1, 2], [10, math.nan], "Cohort 2: n must be a whole number"),
        ([0, 2], [0, 10], "Cohort 1: n must be a whole number of at least 1"),
        ([-1, 2], [5, 10], "Cohort 1: events must be a whole number between"),
        (3, 10, "events must be a sequence"),
        ("12", [3, 4], "events must be a sequence"),
        ([[1, 2], [3, 4]], [10, 10], "events must be a whole number"),
    ],
)
def test_impossible_cohorts_are_refused(events, n, message):
    with pytest.raises(ValueError, match=message):
        pool(events, n)
    with pytest.raises(ValueError, match=message):
        heterogeneity(events, n)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"level": 95}, "level must be a number above 0 and below 1"),
        ({"between_study_sd_logit": -1}, "must be a number at least 0 and at most 50"),
        ({"between_study_sd_logit": math.nan}, "must be a number at least 0 and at most 50"),
        ({"between_study_sd_logit": True}, "must be a number at least 0 and at most 50"),
    ],
)
def test_impossible_options_of_pooling_are_refused(option, message):
    with pytest.raises(ValueError, match=message):
        pool(*MAIN, **option)


def test_impossible_options_of_the_other_functions_are_refused():
    with pytest.raises(ValueError, match=r"number of cohorts must be .* at least 3, got 2"):
        leave_one_out([1, 2], [10, 10], ["a", "b"])
    with pytest.raises(ValueError, match="labels must hold 3 entries, got 2"):
        leave_one_out([1, 2, 3], [10, 10, 10], ["a", "b"])
    with pytest.raises(ValueError, match="Without 'a': No study has an event"):
        leave_one_out([1, 0, 0], [10, 10, 10], list("abc"))
    with pytest.raises(ValueError, match="With b: No study has an event"):
        pool_each_way([1, 0, 0], [10, 10, 10], list("abc"), ["x", "x", ""])
    with pytest.raises(ValueError, match="groups must hold 3 entries, got 2"):
        pool_each_way([1, 2, 0], [10, 10, 10], list("abc"), ["x", "x"])
    with pytest.raises(ValueError, match="groups must be a sequence"):
        pool_each_way([1, 2, 0], [10, 10, 10], list("abc"), "abc")
    with pytest.raises(ValueError, match="Cohort 2: a group must be text or missing, got 3"):
        pool_each_way([1, 2, 0], [10, 10, 10], list("abc"), ["a", 3, ""])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 20}, "at_least, at_most or both"),
        ({"n": 0, "at_least": 0}, "n must be a whole number of at least 1"),
        ({"n": 20, "at_least": 21}, "at_least must be a whole number between 0 and 20"),
        ({"n": 20, "at_most": -1}, "at_most must be a whole number between 0 and 20"),
        ({"n": 20, "at_most": 2.5}, "at_most must be a whole number"),
        ({"n": 20, "at_most": math.nan}, "at_most must be a whole number"),
        ({"n": 20, "at_least": 5, "at_most": 4}, "at_least must not exceed at_most"),
    ],
)
def test_impossible_predictions_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        predictive_probability(pool(*PRITZ), **arguments)
