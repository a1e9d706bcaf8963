"""Known answers and properties of tests and effects of two-by-two tables."""

import subprocess
import sys

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import minimize_scalar
from scipy.stats import barnard_exact, binom, boschloo_exact, fisher_exact, mannwhitneyu
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    score_test_proportions_2indep,
)
from statsmodels.stats.proportion import (
    test_proportions_2indep as statsmodels_test,
)

from rdmas.stats.checks import Table
from rdmas.stats.two_by_two import (
    TESTS,
    Statistic,
    effects,
    fisher_grid,
    p_value,
    p_values,
)
from rdmas.stats.two_by_two._effects import _restricted_p_b

# pytest would collect the imported function by its name.
statsmodels_test.__test__ = False

quick = settings(derandomize=True, max_examples=25, deadline=None)
levels = st.sampled_from([0.5, 0.9, 0.95, 0.99])
two_sided_keys = [key for key, test in TESTS.items() if test.sides == "two-sided"]
one_sided_keys = [key for key in TESTS if key not in two_sided_keys]
exact_keys = [key for key in TESTS if key.startswith(("fisher", "barnard", "boschloo"))]
undefined_keys = ["z_unpooled", "likelihood_ratio", "chi2", "chi2_n_minus_1", "chi2_yates"]


@st.composite
def tables(draw, largest=14):
    """Events and size of two arms, empty cells and margins included."""
    n_a, n_b = draw(st.integers(1, largest)), draw(st.integers(1, largest))
    return draw(st.integers(0, n_a)), n_a, draw(st.integers(0, n_b)), n_b


def arms_as_columns(events_a, n_a, events_b, n_b):
    """The layout that scipy's unconditional tests expect."""
    return [[events_a, events_b], [n_a - events_a, n_b - events_b]]


def effect(table, measure, method, **options):
    """Estimate and limits from one row of `effects`."""
    frame = effects(*table, **options)
    row = frame[(frame["measure"] == measure) & (frame["method"] == method)]
    return tuple(row[["estimate", "low", "high"]].iloc[0])


# Tests of equality: known answers -------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "p"),
    [
        ("z_unpooled", 0.004548),
        ("likelihood_ratio", 0.006876),
        ("chi2", 0.010495),
        ("z_agresti_caffo", 0.011450),
        ("chi2_n_minus_1", 0.011482),
        ("barnard_unpooled", 0.011581),
        ("barnard_pooled", 0.011613),
        ("boschloo_central", 0.011808),
        ("fisher_midp_central", 0.013295),
        ("fisher_midp_minlike", 0.014677),
        ("boschloo_minlike", 0.014889),
        ("fisher", 0.020486),
        ("fisher_central", 0.024911),
        ("chi2_yates", 0.029134),
        ("z_log_odds_ratio", 0.028139),
        ("z_log_risk_ratio", 0.016549),
        ("z_log_risk_ratio_of_non_event", 0.045133),
        ("fisher_midp_sas", 0.014677),
    ],
)
def test_19_of_20_against_13_of_21(key, p):
    # Oracle: R 4.2 (stats, coin): the commands of the tests below; formulas of Agresti and Caffo
    # 2000 and of the Wald z by pnorm(); mid-P from dhyper(), Barnard and Boschloo by enumeration.
    assert p_value(19, 20, 13, 21, key) == pytest.approx(p, abs=6e-7)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (
            (7, 34, 1, 34),
            {
                "chi2": 0.02392584348,
                "chi2_yates": 0.05984529896,
                "chi2_n_minus_1": 0.02498392562,
                "likelihood_ratio": 0.01732610309,
                "fisher": 0.0544001305,
                "fisher_a_lower": 0.9975438068,
                "fisher_a_higher": 0.02720006525,
            },
        ),
        (
            (3, 4, 1, 4),
            {
                "chi2": 0.1572992071,
                "chi2_yates": 0.4795001222,
                "chi2_n_minus_1": 0.1858767324,
                "likelihood_ratio": 0.1479759594,
                "fisher": 0.4857142857,
            },
        ),
        (
            (0, 16, 15, 72),
            {
                "chi2": 0.0450099985,
                "chi2_yates": 0.1016183183,
                "chi2_n_minus_1": 0.04624623763,
                "likelihood_ratio": 0.009793239114,
                "fisher": 0.06286666463,
                "fisher_a_lower": 0.03641394686,
                "fisher_a_higher": 1,
            },
        ),
        (
            (5, 9, 6, 30),
            {
                "chi2": 0.0376209555,
                "chi2_yates": 0.09758583298,
                "chi2_n_minus_1": 0.04015660698,
                "likelihood_ratio": 0.04519880825,
                "fisher": 0.08498344045,
            },
        ),
    ],
)
def test_conditional_and_large_sample_tests_agree_with_r(table, expected):
    # Oracle: R 4.2.2, chisq.test(m, correct = FALSE and TRUE), wilcox.test(exact = FALSE,
    # correct = FALSE) for N-1, anova(glm(binomial)) for the likelihood ratio, fisher.test(m).
    for key, p in expected.items():
        assert p_value(*table, key) == pytest.approx(p, abs=2e-10), key


def test_n_minus_1_chi_square_is_the_mantel_haenszel_test():
    # Oracle: R 4.2.2, coin::cmh_test(y ~ g) and coin::lbl_test(y ~ g) on 7/34 against 1/34.
    assert p_value(7, 34, 1, 34, "chi2_n_minus_1") == pytest.approx(0.02498392562, abs=1e-10)


def test_mid_p_of_0_of_16_against_15_of_72():
    # Oracle: Fagerland, Lydersen and Laake 2017, chapter 4.
    assert p_value(0, 16, 15, 72, "fisher_midp_minlike") == pytest.approx(0.04466, abs=5e-6)


def test_mid_p_counts_half_of_every_tied_table():
    # Oracle: by hand. Tea tasting: probabilities 1, 16, 36, 16, 1 of 70; 3 and 1 are tied.
    assert p_value(3, 4, 1, 4, "fisher_midp_minlike") == pytest.approx((2 + 32 / 2) / 70)
    assert p_value(3, 4, 1, 4, "fisher_midp_central") == pytest.approx(2 * (1 + 16 / 2) / 70)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ((7, 34, 1, 34), (0.0281058411163, 0.0281058411163, 0.0384639221227, 0.0384639221227)),
        ((5, 9, 6, 30), (0.0418630880700, 0.1734141355370, 0.0567493838862, 0.0524718487019)),
    ],
)
def test_unconditional_tests_agree_with_enumeration_in_r(table, expected):
    # Oracle: R 4.2.2, all tables by outer(), dbinom() over 4,001 probabilities, then optimize().
    keys = ("barnard_pooled", "barnard_unpooled", "boschloo_minlike", "boschloo_central")
    for key, p in zip(keys, expected, strict=True):
        assert p_value(*table, key) == pytest.approx(p, abs=1e-9), key


def test_one_sided_tests_of_chan():
    # Oracle: Chan 1998, 7/15 against 12/15 infected, as in scipy's tests, for Fisher and
    # Boschloo; enumeration in R 4.2.2 for Barnard (see the scipy defect below).
    table = (7, 15, 12, 15)
    assert p_value(*table, "fisher_a_lower") == pytest.approx(0.0640680, abs=1e-7)
    assert p_value(*table, "boschloo_a_lower") == pytest.approx(0.0341092, abs=1e-7)
    assert p_value(*table, "barnard_pooled_a_lower") == pytest.approx(0.0341091546616, abs=1e-9)
    assert p_value(*table, "barnard_unpooled_a_lower") == pytest.approx(0.0341091546616, abs=1e-9)


def test_boschloo_of_74_of_117_against_31_of_63():
    # Oracle: scipy's tests of boschloo_exact, columns (74, 43) and (31, 32), "greater".
    table = (74, 117, 31, 63)
    assert p_value(*table, "fisher_a_higher") == pytest.approx(0.0483, abs=5e-5)
    assert p_value(*table, "boschloo_a_higher") == pytest.approx(0.0356, abs=5e-5)


# Tests of equality: defects and conventions of libraries --------------------------------------


def test_scipy_barnard_still_drops_tied_tables():
    # scipy issue 18798. The table 3/15 against 8/15 has the same z as 7/15 against 12/15, up to
    # rounding; scipy leaves it out. On the day scipy mends this, the first assertion fails.
    table = (7, 15, 12, 15)
    dropped = barnard_exact(arms_as_columns(*table), alternative="less").pvalue
    assert dropped == pytest.approx(0.0340767, abs=1e-7)
    assert p_value(*table, "barnard_pooled_a_lower") == pytest.approx(0.0341092, abs=1e-7)


def test_scipy_takes_the_arms_as_columns():
    # A documented convention, not a defect: with the arms as rows the same call tests another
    # hypothesis, and for this table prints numbers close enough to mislead.
    table = (19, 20, 13, 21)
    columns = arms_as_columns(*table)
    rows = np.transpose(columns)
    assert boschloo_exact(columns, n=256).pvalue == pytest.approx(0.011808, abs=1e-6)
    assert boschloo_exact(rows, n=256).pvalue == pytest.approx(0.011173, abs=1e-6)
    assert barnard_exact(columns, n=256).pvalue == pytest.approx(0.011613, abs=1e-6)
    assert barnard_exact(rows, n=256).pvalue == pytest.approx(0.018076, abs=1e-6)
    assert p_value(*table, "boschloo_central") == pytest.approx(0.011808, abs=1e-6)
    assert p_value(*table, "barnard_pooled") == pytest.approx(0.011613, abs=1e-6)


# Tests of equality: properties ----------------------------------------------------------------


@pytest.mark.parametrize(("n_a", "n_b"), [(1, 1), (3, 7), (20, 21), (12, 12)])
def test_fisher_grid_agrees_with_scipy_on_every_table(n_a, n_b):
    grid = fisher_grid(n_a, n_b)
    expected = [
        [fisher_exact([[i, n_a - i], [j, n_b - j]]).pvalue for j in range(n_b + 1)]
        for i in range(n_a + 1)
    ]
    assert grid == pytest.approx(np.array(expected), abs=1e-12)


def test_fisher_stays_accurate_with_hundreds_of_patients():
    for table in ((150, 200, 120, 199), (3, 200, 15, 180)):
        events_a, n_a, events_b, n_b = table
        cells = [[events_a, n_a - events_a], [events_b, n_b - events_b]]
        assert p_value(*table) == pytest.approx(fisher_exact(cells).pvalue, rel=1e-10)


def brute_force_unconditional(as_extreme):
    """Maximum over a fine grid of probabilities, tables summed one by one."""
    n_a, n_b = np.array(as_extreme.shape) - 1
    p = np.linspace(0, 1, 4001)[:, None]
    mass_a, mass_b = binom.pmf(np.arange(n_a + 1), n_a, p), binom.pmf(np.arange(n_b + 1), n_b, p)
    total = np.zeros(len(p))
    for i, j in zip(*np.nonzero(as_extreme), strict=True):
        total += mass_a[:, i] * mass_b[:, j]
    return total.max()


@pytest.mark.parametrize(("n_a", "n_b"), [(4, 4), (5, 6), (5, 2)])
def test_barnard_and_boschloo_agree_with_brute_force_on_every_table(n_a, n_b):
    i, j = np.mgrid[: n_a + 1, : n_b + 1]
    pooled = (i + j) / (n_a + n_b)
    variance = pooled * (1 - pooled) * (1 / n_a + 1 / n_b)
    with np.errstate(invalid="ignore"):
        z = np.nan_to_num((i / n_a - j / n_b) / np.sqrt(variance))
    fisher = np.array(
        [
            [fisher_exact([[a, n_a - a], [b, n_b - b]]).pvalue for b in range(n_b + 1)]
            for a in range(n_a + 1)
        ]
    )
    # Ties are frequent in such small arms, and more so in equal ones.
    z, fisher = z.round(9), fisher.round(9)
    for a in range(n_a + 1):
        for b in range(n_b + 1):
            table = (a, n_a, b, n_b)
            expected = brute_force_unconditional(np.abs(z) >= abs(z[a, b]))
            assert p_value(*table, "barnard_pooled") == pytest.approx(expected, abs=2e-6)
            expected = brute_force_unconditional(z <= z[a, b])
            assert p_value(*table, "barnard_pooled_a_lower") == pytest.approx(expected, abs=2e-6)
            expected = brute_force_unconditional(fisher <= fisher[a, b])
            assert p_value(*table, "boschloo_minlike") == pytest.approx(expected, abs=2e-6)


@settings(quick, max_examples=15)
@given(tables(largest=8))
def test_scipy_boschloo_agrees(table):
    ours = p_value(*table, "boschloo_central")
    theirs = boschloo_exact(arms_as_columns(*table), n=64).pvalue
    # scipy returns NaN where nobody or everybody has the event; ours is 1 by convention.
    assert ours == pytest.approx(1.0 if np.isnan(theirs) else theirs, abs=1e-6)


@pytest.mark.parametrize("key", two_sided_keys)
@quick
@given(tables())
def test_two_sided_p_is_the_same_with_arms_or_outcomes_swapped(key, table):
    events_a, n_a, events_b, n_b = table
    p = p_value(*table, key)
    assert p_value(events_b, n_b, events_a, n_a, key) == pytest.approx(p, nan_ok=True, rel=1e-8)
    # A risk ratio of the event becomes one of the non-event.
    of_other = {"z_log_risk_ratio": "z_log_risk_ratio_of_non_event"}
    of_other |= {other: this for this, other in of_other.items()}
    mirrored = p_value(n_a - events_a, n_a, n_b - events_b, n_b, of_other.get(key, key))
    assert mirrored == pytest.approx(p, nan_ok=True, rel=1e-8)


@pytest.mark.parametrize("key", [key for key in one_sided_keys if key.endswith("lower")])
@quick
@given(tables(largest=10))
def test_swapping_arms_or_outcomes_swaps_the_sides(key, table):
    events_a, n_a, events_b, n_b = table
    other = key.replace("lower", "higher")
    p = p_value(*table, key)
    assert p_value(events_b, n_b, events_a, n_a, other) == pytest.approx(p, rel=1e-8)
    mirrored = p_value(n_a - events_a, n_a, n_b - events_b, n_b, other)
    assert mirrored == pytest.approx(p, rel=1e-8)


@quick
@given(tables())
def test_every_p_is_a_probability_or_undefined(table):
    p = p_values(*table)["p_value"]
    assert (p.isna() | p.between(0, 1)).all()


@quick
@given(tables())
def test_unconditional_tests_are_no_more_conservative_than_fisher(table):
    # Boschloo's defining property: its P never exceeds that of the Fisher test it starts from.
    assert p_value(*table, "boschloo_minlike") <= p_value(*table, "fisher") + 1e-9
    assert p_value(*table, "boschloo_central") <= p_value(*table, "fisher_central") + 1e-9


@quick
@given(tables())
def test_large_sample_tests_are_ordered_by_construction(table):
    assume(0 < table[0] + table[2] < table[1] + table[3])
    p = {key: p_value(*table, key) for key in ("chi2", "chi2_n_minus_1", "chi2_yates")}
    assert p["chi2"] <= p["chi2_n_minus_1"] + 1e-12
    assert p["chi2"] <= p["chi2_yates"] + 1e-12
    assert p_value(*table, "fisher_midp_central") <= p_value(*table, "fisher_central")
    assert p_value(*table, "fisher_midp_minlike") <= p_value(*table, "fisher")


@quick
@given(tables())
def test_z_tests_agree_with_statsmodels(table):
    assume(0 < table[0] < table[1] and 0 < table[2] < table[3])
    for key, method in (("z_unpooled", "wald"), ("z_agresti_caffo", "agresti-caffo")):
        expected = statsmodels_test(*table, compare="diff", method=method).pvalue
        assert p_value(*table, key) == pytest.approx(expected)


@quick
@given(tables())
def test_wald_tests_on_log_ratios_agree_with_statsmodels(table):
    assume(0 < table[0] < table[1] and 0 < table[2] < table[3])
    assert p_value(*table, "z_log_odds_ratio") == pytest.approx(
        statsmodels_test(*table, compare="odds-ratio", method="logit").pvalue, rel=1e-9
    )
    for key, counted in (
        ("z_log_risk_ratio", table),
        ("z_log_risk_ratio_of_non_event", Table(*table).complement()),
    ):
        expected = statsmodels_test(*counted, compare="ratio", method="log").pvalue
        assert p_value(*table, key) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("table", [(1, 20, 8, 21), (7, 34, 1, 34), (3, 12, 4, 9)])
def test_log_odds_test_is_the_wald_test_of_a_logistic_regression(table):
    # Oracle: maximum likelihood of statsmodels on patients, one row each.
    events_a, n_a, events_b, n_b = table
    event = np.repeat([1, 0, 1, 0], [events_a, n_a - events_a, events_b, n_b - events_b])
    arm = sm.add_constant(np.repeat([1.0, 0.0], [n_a, n_b]))
    fitted = sm.Logit(event, arm).fit(disp=False, tol=1e-12)
    assert p_value(*table, "z_log_odds_ratio") == pytest.approx(fitted.pvalues[1], rel=1e-6)


@pytest.mark.parametrize(
    ("key", "undefined"),
    [
        (
            "z_log_odds_ratio",
            [(0, 5, 3, 8), (5, 5, 3, 8), (2, 5, 0, 8), (2, 5, 8, 8), (0, 5, 8, 8)],
        ),
        (
            "z_log_risk_ratio",
            [(0, 5, 3, 8), (2, 5, 0, 8), (0, 5, 0, 8), (5, 5, 8, 8), (0, 5, 8, 8)],
        ),
        (
            "z_log_risk_ratio_of_non_event",
            [(5, 5, 3, 8), (2, 5, 8, 8), (0, 5, 0, 8), (5, 5, 8, 8), (0, 5, 8, 8)],
        ),
    ],
)
def test_wald_tests_on_log_ratios_are_undefined_where_their_formula_is(key, undefined):
    for table in undefined:
        assert np.isnan(p_value(*table, key)), table
    # One arm in which everybody, or nobody, has the event still has a variance of its own.
    if key == "z_log_risk_ratio":
        assert 0 < p_value(5, 5, 3, 8, key) < 1
    if key == "z_log_risk_ratio_of_non_event":
        assert 0 < p_value(0, 5, 3, 8, key) < 1


def test_sas_mid_p_is_fisher_less_half_of_the_observed_table():
    # Tea tasting by hand: 1, 16, 36, 16, 1 of 70; only the observed 16 is halved.
    assert p_value(3, 4, 1, 4, "fisher_midp_sas") == pytest.approx((2 + 32 - 16 / 2) / 70)
    differing = []
    for a in range(21):
        for b in range(21):
            table = (a, 20, b, 20)
            observed = stats.hypergeom.pmf(a, 40, 20, a + b)
            expected = p_value(*table, "fisher") - observed / 2 if 0 < a + b < 40 else 1
            assert p_value(*table, "fisher_midp_sas") == pytest.approx(expected, rel=1e-9)
            if abs(expected - p_value(*table, "fisher_midp_minlike")) > 1e-12:
                differing.append((a, b))
    # The mirror image of a table with unequal counts ties with it.
    assert len(differing) == 420
    assert all(a != b for a, b in differing)


def test_sas_mid_p_on_arms_of_20_and_21_is_the_minimum_likelihood_one():
    for a in range(21):
        for b in range(22):
            sas, ours = (p_value(a, 20, b, 21, f"fisher_midp_{key}") for key in ("sas", "minlike"))
            assert sas == pytest.approx(ours, rel=1e-12)


def test_families_hold_the_tests_that_share_a_statistic():
    families = {}
    for key in two_sided_keys:
        families.setdefault(TESTS[key].statistic, []).append(key)
    assert list(families.values()) == [
        ["z_unpooled", "z_agresti_caffo", "barnard_unpooled"],
        ["chi2", "chi2_n_minus_1", "barnard_pooled", "chi2_yates"],
        ["likelihood_ratio"],
        ["z_log_odds_ratio"],
        ["z_log_risk_ratio_of_non_event", "z_log_risk_ratio"],
        [key for key in two_sided_keys if key.startswith(("fisher", "boschloo"))],
    ]
    assert list(families) == list(Statistic)


@quick
@given(tables())
def test_n_minus_1_is_the_miettinen_nurminen_score_test(table):
    assume(0 < table[0] + table[2] < table[1] + table[3])
    expected = score_test_proportions_2indep(*table, compare="diff", correction=True).pvalue
    assert p_value(*table, "chi2_n_minus_1") == pytest.approx(expected)


@quick
@given(tables())
def test_n_minus_1_is_the_wilcoxon_test_without_correction(table):
    assume(0 < table[0] + table[2] < table[1] + table[3])
    events_a, n_a, events_b, n_b = table
    a, b = np.arange(n_a) < events_a, np.arange(n_b) < events_b
    expected = stats.mannwhitneyu(
        a.astype(int), b.astype(int), method="asymptotic", use_continuity=False
    ).pvalue
    assert p_value(*table, "chi2_n_minus_1") == pytest.approx(expected)


@pytest.mark.parametrize("table", [(0, 5, 0, 8), (5, 5, 8, 8)])
def test_without_both_outcomes_exact_tests_give_one_and_large_sample_tests_none(table):
    for key in exact_keys:
        assert p_value(*table, key) == pytest.approx(1, abs=1e-12), key
    for key in undefined_keys:
        assert np.isnan(p_value(*table, key)), key
    assert 0 < p_value(*table, "z_agresti_caffo") <= 1


def test_complete_separation_has_an_infinite_wald_z():
    assert p_value(0, 5, 8, 8, "z_unpooled") == 0
    # By hand: every table but the two separated ones is less extreme; maximum at p = 8/13 or so.
    p = np.linspace(0, 1, 100001)
    expected = ((1 - p) ** 5 * p**8 + p**5 * (1 - p) ** 8).max()
    assert p_value(0, 5, 8, 8, "barnard_unpooled") == pytest.approx(expected, abs=1e-9)


def test_table_of_p_values_names_every_test_once():
    table = p_values(7, 34, 1, 34)
    assert list(table.columns[:4]) == ["test", "p_value", "key", "statistic"]
    named = ["sides", "interval", "same_as", "software", "source", "left_out"]
    assert list(table.columns[4:]) == named
    assert (table["left_out"] == "").all()
    assert table["test"].is_unique
    assert list(table["key"]) == list(TESTS)
    assert (table["source"] != "").all()
    assert list(table.loc[table["sides"] != "two-sided", "key"]) == one_sided_keys
    for key, p in zip(table["key"], table["p_value"], strict=True):
        assert p == TESTS[key](7, 34, 1, 34) == p_value(7, 34, 1, 34, key)


def test_every_named_interval_is_one_of_effects():
    named = {test.interval for test in TESTS.values()} - {""}
    assert named <= set(effects(7, 34, 1, 34)["method"])


def test_tables_of_two_hundred_patients_a_side_are_computed_and_ordered():
    """Large tables are within reach; exact P brackets: mid-P below Fisher, Fisher below Yates."""
    by_key = p_values(150, 200, 120, 199).set_index("key")["p_value"]
    assert by_key.between(0, 1).all()
    assert by_key["fisher_midp_central"] < by_key["fisher_central"]
    assert fisher_grid(200, 200)[150, 120] == pytest.approx(
        fisher_exact([[150, 50], [120, 80]]).pvalue, rel=1e-9
    )
    assert effects(150, 200, 120, 199)["estimate"].notna().all()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ((1, 0, 1, 5), "Arm a: n must be a whole number of at least 1"),
        ((1, 5, 6, 5), "Arm b: events must be a whole number between 0 and 5"),
        ((-1, 5, 1, 5), "Arm a: events must be"),
        ((1, 5, 1.5, 5), "Arm b: events must be a whole number"),
        ((True, 5, 1, 5), "Arm a: events must be a whole number"),
        ((10**400, 5, 1, 5), "Arm a: events must be a whole number"),
        ((1, 5, 1, 10**400), "Arm b: n must be a whole number"),
    ],
)
def test_impossible_tables_are_refused_everywhere(table, message):
    for function in (p_values, p_value, effects, TESTS["fisher"]):
        with pytest.raises(ValueError, match=message):
            function(*table)


def test_impossible_grid_sizes_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        fisher_grid(0, 5)


def test_unknown_test_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="z_unpooled, z_agresti_caffo"):
        p_value(1, 5, 2, 5, "t")


# Effects: known answers -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("measure", "method", "low", "high", "accuracy"),
    [
        ("risk difference", "Wald", 0.0292, 0.3238, 5e-5),
        ("risk difference", "Agresti-Caffo", 0.0116, 0.3217, 5e-5),
        ("risk difference", "Newcombe", 0.0189, 0.3404, 5e-5),
        ("risk difference", "Miettinen-Nurminen", 0.0270, 0.3453, 5e-5),
        ("risk difference", "Mee", 0.0284, 0.3439, 5e-5),
        ("risk ratio", "Katz", 0.910, 53.87, 5e-3),
        ("risk ratio", "Koopman", 1.2209, 42.5757, 5e-5),
        ("odds ratio", "Woolf", 0.99, 74, 0.5),
        ("odds ratio", "exact conditional", 0.97, 397, 0.5),
        ("odds ratio", "conditional mid-P", 1.19, 200, 0.5),
    ],
)
def test_intervals_of_perondi(measure, method, low, high, accuracy):
    # Oracle: Fagerland, Lydersen and Laake 2015 (and PropCIs, exact2x2), 7/34 against 1/34.
    _, found_low, found_high = effect((7, 34, 1, 34), measure, method)
    assert found_low == pytest.approx(low, abs=min(accuracy, 5e-3))
    assert found_high == pytest.approx(high, abs=accuracy)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (
            (7, 34, 1, 34),
            (8.329343717551, 0.973273632882, 396.994002170178),
        ),
        (
            (19, 20, 13, 21),
            (11.06438035321, 1.23716422239, 545.40247286631),
        ),
        (
            (6, 18, 12, 17),
            (0.2189020682015, 0.0388794092693, 1.0564918005740),
        ),
    ],
)
def test_exact_odds_ratio_agrees_with_r_at_a_tight_tolerance(table, expected):
    # Oracle: R 4.2.2, the conditional likelihood from dhyper(), solved by uniroot(tol = 1e-14).
    # fisher.test itself stops at its default tolerance (11.067 and 543.7 for 19/20, 13/21).
    assert effect(table, "odds ratio", "exact conditional") == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ((7, 34, 1, 34), (7.492491960468, 1.188586788310, 199.616645737100)),
        ((19, 20, 13, 21), (9.99558519454, 1.51911976414, 273.88992329114)),
        ((6, 18, 12, 17), (0.2220349775582, 0.0473919524374, 0.9043139654124)),
    ],
)
def test_mid_p_odds_ratio_agrees_with_r(table, expected):
    # Oracle: R 4.2.2, mid-P tails of the same distribution, solved by uniroot(tol = 1e-14).
    assert effect(table, "odds ratio", "conditional mid-P") == pytest.approx(expected, rel=1e-8)


def test_minimum_likelihood_fisher_and_central_interval_can_disagree():
    # Oracle: exact2x2 vignette (Fay), 6/18 against 12/17.
    assert p_value(6, 18, 12, 17) < 0.05
    _, low, high = effect((6, 18, 12, 17), "odds ratio", "exact conditional")
    assert (low, high) == pytest.approx((0.0388794, 1.0564918), abs=5e-8)
    assert p_value(6, 18, 12, 17, "fisher_central") > 0.05


@pytest.mark.parametrize(
    ("table", "method", "low", "high"),
    [
        ((19, 20, 13, 21), "Miettinen-Nurminen", 0.0857273811492, 0.5562335501022),
        ((19, 20, 13, 21), "Mee", 0.0891989735464, 0.5536975242320),
        ((7, 34, 1, 34), "Miettinen-Nurminen", 0.0270416265621, 0.3452912170884),
        ((7, 34, 1, 34), "Mee", 0.0283705089632, 0.3439399220588),
        ((5, 9, 6, 30), "Miettinen-Nurminen", 0.0139398465576, 0.6511804501013),
    ],
)
def test_score_intervals_agree_with_r(table, method, low, high):
    # Oracle: R 4.2.2, restricted likelihood by optimize(), score equation by uniroot().
    _, *limits = effect(table, "risk difference", method)
    assert limits == pytest.approx([low, high], abs=1e-7)


def test_statsmodels_score_interval_for_a_difference_is_still_wrong():
    # statsmodels issue 10269: a wrong coefficient in the cubic of the restricted estimate. On
    # the day statsmodels mends this, the first assertion fails.
    table = (19, 20, 13, 21)
    theirs = confint_proportions_2indep(*table, method="score", compare="diff")
    assert theirs == pytest.approx((0.0819, 0.5747), abs=5e-5)
    _, *ours = effect(table, "risk difference", "Miettinen-Nurminen")
    assert ours == pytest.approx([0.0857, 0.5562], abs=5e-5)


def test_katz_and_woolf_agree_with_their_formulas():
    # Oracle: closed forms, Katz 1978 and Woolf 1955.
    z = stats.norm.isf(0.025)
    half = z * np.sqrt(1 / 19 - 1 / 20 + 1 / 13 - 1 / 21)
    ratio = 19 / 20 / (13 / 21)
    expected = (ratio, ratio * np.exp(-half), ratio * np.exp(half))
    assert effect((19, 20, 13, 21), "risk ratio", "Katz") == pytest.approx(expected)
    half = z * np.sqrt(1 / 19 + 1 + 1 / 13 + 1 / 8)
    odds = 19 * 8 / 13
    expected = (odds, odds * np.exp(-half), odds * np.exp(half))
    assert effect((19, 20, 13, 21), "odds ratio", "Woolf") == pytest.approx(expected)


def number_needed_rows(table, **options):
    """Methods and numbers of the number needed to treat."""
    frame = effects(*table, **options)
    rows = frame[frame["measure"] == "number needed to treat"]
    return {
        row.method: pytest.approx((row.estimate, row.low, row.high), nan_ok=True)
        for row in rows.itertuples()
    }


def test_number_needed_to_treat_is_the_reciprocal_of_the_newcombe_interval():
    estimate, low, high = effect((7, 34, 1, 34), "risk difference", "Newcombe")
    expected = (1 / estimate, 1 / high, 1 / low)
    assert number_needed_rows((7, 34, 1, 34)) == {"Newcombe, benefit": expected}
    assert number_needed_rows((7, 34, 1, 34), desirable=False) == {"Newcombe, harm": expected}
    assert number_needed_rows((1, 34, 7, 34), desirable=False) == {"Newcombe, benefit": expected}


def test_number_needed_to_treat_has_two_rows_where_the_difference_may_be_zero():
    # Altman 1998: number needed to benefit from 1/upper limit to infinity, and to harm from
    # 1/|lower limit| to infinity.
    estimate, low, high = effect((12, 30, 9, 30), "risk difference", "Newcombe")
    assert low < 0 < high
    assert number_needed_rows((12, 30, 9, 30)) == {
        "Newcombe, benefit": (1 / estimate, 1 / high, np.inf),
        "Newcombe, harm": (np.nan, -1 / low, np.inf),
    }


def test_number_needed_to_treat_is_infinite_without_a_difference():
    estimates = [row[0] for row in effects(3, 10, 3, 10).iloc[-2:][["estimate"]].to_numpy()]
    assert estimates == [np.inf, np.inf]


# Effects: properties --------------------------------------------------------------------------


@quick
@given(tables(), levels)
def test_intervals_contain_the_estimate(table, level):
    frame = effects(*table, level=level).dropna()
    # Agresti-Caffo is centred on a shrunk difference, which low levels do not bring back.
    frame = frame[(frame["method"] != "Agresti-Caffo") | (level >= 0.95)]
    assert (frame["low"] <= frame["estimate"] + 1e-9).all()
    assert (frame["estimate"] <= frame["high"] + 1e-9).all()


@quick
@given(tables(), levels, levels)
def test_intervals_of_a_higher_level_contain_those_of_a_lower_one(table, level, other):
    lower, higher = sorted([level, other])
    inner, outer = effects(*table, level=lower), effects(*table, level=higher)
    both = inner.merge(outer, on=["measure", "method"], suffixes=("_in", "_out")).dropna()
    assert (both["low_out"] <= both["low_in"] + 1e-9).all()
    assert (both["high_in"] <= both["high_out"] * (1 + 1e-9) + 1e-9).all()


@quick
@given(tables())
def test_swapping_arms_negates_differences_and_inverts_ratios(table):
    frame = effects(*table)
    swapped = effects(*table[2:], *table[:2])
    for measure, turn in (
        ("risk difference", np.negative),
        ("risk ratio", np.reciprocal),
        ("odds ratio", np.reciprocal),
    ):
        ours = frame[frame["measure"] == measure][["estimate", "low", "high"]].to_numpy()
        theirs = swapped[swapped["measure"] == measure][["estimate", "high", "low"]].to_numpy()
        with np.errstate(divide="ignore"):
            turned = turn(theirs)
        assert ours == pytest.approx(turned, rel=1e-6, abs=1e-9, nan_ok=True)


@quick
@given(tables())
def test_swapping_outcomes_negates_differences_and_inverts_odds_ratios(table):
    events_a, n_a, events_b, n_b = table
    frame = effects(*table)
    swapped = effects(n_a - events_a, n_a, n_b - events_b, n_b)
    for measure, turn in (("risk difference", np.negative), ("odds ratio", np.reciprocal)):
        ours = frame[frame["measure"] == measure][["estimate", "low", "high"]].to_numpy()
        theirs = swapped[swapped["measure"] == measure][["estimate", "high", "low"]].to_numpy()
        with np.errstate(divide="ignore"):
            turned = turn(theirs)
        assert ours == pytest.approx(turned, rel=1e-6, abs=1e-9, nan_ok=True)


def restricted_score_p(table, difference, less_one):
    """P-value of the score test of a difference, its restricted estimate found by search."""
    events_a, n_a, events_b, n_b = table

    def unlikelihood(p_b):
        p_a = np.clip(p_b + difference, 0, 1)
        log_a, log_b = binom.logpmf(events_a, n_a, p_a), binom.logpmf(events_b, n_b, p_b)
        return min(-(log_a + log_b), 1e300)

    bounds = (max(0.0, -difference), min(1.0, 1 - difference))
    p_b = minimize_scalar(unlikelihood, bounds=bounds, method="bounded", options={"xatol": 1e-12}).x
    p_a = p_b + difference
    n = n_a + n_b
    variance = p_a * (1 - p_a) / n_a + p_b * (1 - p_b) / n_b
    variance *= n / (n - 1) if less_one else 1
    return stats.chi2.sf((events_a / n_a - events_b / n_b - difference) ** 2 / variance, 1)


@quick
@given(tables(), st.sampled_from([0.8, 0.95]))
def test_score_limits_of_a_difference_invert_the_score_test(table, level):
    for method, less_one in (("Miettinen-Nurminen", True), ("Mee", False)):
        _, low, high = effect(table, "risk difference", method, level=level)
        for limit in (low, high):
            if abs(limit) < 1:
                p = restricted_score_p(table, limit, less_one)
                assert p == pytest.approx(1 - level, abs=1e-5)


def test_scipys_conditional_distribution_still_ends_the_process_near_an_odds_ratio_of_one():
    # Why the conditional odds ratios are computed here: scipy 1.17, "Parameter negative in LnFac
    # function", uncaught. The mid-P estimate of 1/2 against 4/8 leads a search there.
    command = "from scipy.stats import nchypergeom_fisher as f; f(10, 2, 5, 1 - 2**-52).pmf(1)"
    ended = subprocess.run([sys.executable, "-c", command], capture_output=True, check=False)
    assert b"LnFac" in ended.stderr
    assert effect((1, 2, 4, 8), "odds ratio", "conditional mid-P")[0] == pytest.approx(1)


def test_restricted_estimate_without_difference_is_the_pooled_proportion():
    # The search for a limit seldom calls it there, but the formula is 0/0 and must not be used.
    assert _restricted_p_b(Table(7, 34, 1, 34), 0.0) == pytest.approx(8 / 68)
    assert _restricted_p_b(Table(7, 34, 1, 34), 1e-9) == pytest.approx(8 / 68, abs=1e-8)


@quick
@given(tables(), st.sampled_from([0.8, 0.95]))
def test_koopman_limits_invert_the_score_test(table, level):
    # statsmodels has the score test of a ratio right; its correction is Miettinen-Nurminen's.
    _, low, high = effect(table, "risk ratio", "Koopman", level=level)
    for limit in (low, high):
        if 0 < limit < np.inf:
            p = score_test_proportions_2indep(
                *table, value=limit, compare="ratio", correction=False
            ).pvalue
            assert p == pytest.approx(1 - level, abs=1e-5)


@quick
@given(tables(), st.sampled_from([0.8, 0.95]))
def test_exact_and_mid_p_limits_invert_their_tests(table, level):
    events_a, n_a, events_b, n_b = table
    for method, weight in (("exact conditional", 1), ("conditional mid-P", 0.5)):
        _, low, high = effect(table, "odds ratio", method, level=level)
        args = (n_a + n_b, events_a + events_b, n_a)
        for limit, strictly_beyond in ((low, "sf"), (high, "cdf")):
            if not 0 < limit < np.inf:
                continue
            distribution = stats.nchypergeom_fisher(*args, limit)
            beyond = (
                distribution.sf(events_a)
                if strictly_beyond == "sf"
                else distribution.cdf(events_a - 1)
            )
            p = beyond + weight * distribution.pmf(events_a)
            assert p == pytest.approx((1 - level) / 2, abs=1e-6)


@pytest.mark.parametrize(
    ("key", "null"),
    [(key, 0.0) for key in ("z_unpooled", "z_agresti_caffo", "chi2", "chi2_n_minus_1")]
    + [(key, 1.0) for key in ("fisher_central", "fisher_midp_central")]
    + [(key, 1.0) for key in ("z_log_odds_ratio", "z_log_risk_ratio")],
)
@quick
@given(tables())
def test_interval_excludes_no_difference_exactly_when_its_test_rejects(key, null, table):
    p = p_value(*table, key)
    # Where the two agree to rounding, either answer is right.
    assume(not np.isnan(p) and abs(p - 0.05) > 1e-7)
    frame = effects(*table)
    row = frame[frame["method"] == TESTS[key].interval].iloc[0]
    assert (row["low"] > null or row["high"] < null) == (p < 0.05)


def test_limits_where_the_data_set_no_bound():
    # No events at all: the ratios are 0/0, and any value of them fits.
    frame = effects(0, 20, 0, 30).set_index(["measure", "method"])
    assert frame.loc[("risk ratio", "Koopman")].tolist()[1:] == [0, np.inf]
    for method in ("exact conditional", "conditional mid-P"):
        row = frame.loc[("odds ratio", method)]
        assert np.isnan(row["estimate"])
        assert row.tolist()[1:] == [0, np.inf]
    for key in (("risk ratio", "Katz"), ("odds ratio", "Woolf")):
        assert frame.loc[key].isna().all()
    # Closed form where both arms are empty: critical value k over n + k, either side.
    k = stats.chi2.isf(0.05, 1)
    row = frame.loc[("risk difference", "Mee")]
    assert row.tolist() == pytest.approx([0, -k / (30 + k), k / (20 + k)])
    # Complete separation: the limit beyond the estimate is the end of the scale.
    frame = effects(0, 20, 30, 30).set_index(["measure", "method"])
    assert frame.loc[("risk difference", "Miettinen-Nurminen"), "low"] == -1
    assert frame.loc[("risk ratio", "Koopman"), "low"] == 0
    assert frame.loc[("odds ratio", "exact conditional"), ["estimate", "low"]].tolist() == [0, 0]


def test_score_intervals_are_stable_in_very_large_arms_without_events():
    k = stats.chi2.isf(0.05, 1)
    for n in (10**4, 10**7):
        assert effect((0, n, 0, n), "risk difference", "Mee")[2] == pytest.approx(k / (n + k))
        assert effect((n, n, n, n), "risk ratio", "Koopman")[1] == pytest.approx(n / (n + k))


def test_effects_has_the_promised_columns_and_rows():
    frame = effects(7, 34, 1, 34)
    assert list(frame.columns) == ["measure", "method", "estimate", "low", "high"]
    assert frame.groupby("measure", sort=False)["method"].agg(list).to_dict() == {
        "risk difference": [
            "Wald",
            "Agresti-Caffo",
            "Newcombe",
            "Miettinen-Nurminen",
            "Mee",
        ],
        "risk ratio": ["Katz", "Koopman"],
        "odds ratio": ["Woolf", "exact conditional", "conditional mid-P"],
        "number needed to treat": ["Newcombe, benefit"],
    }


def test_level_given_as_a_percentage_is_refused():
    with pytest.raises(ValueError, match="above 0 and below 1"):
        effects(7, 34, 1, 34, level=95)


def test_python_programs_named_for_a_test_print_its_p_value():
    """statsmodels and scipy on 7/34 against 1/34, as the column `software` names them."""
    from statsmodels.stats.proportion import test_proportions_2indep as two_indep

    by_key = p_values(7, 34, 1, 34).set_index("key")["p_value"]
    groups = [1] * 7 + [0] * 27, [1] + [0] * 33
    assert two_indep(7, 34, 1, 34).pvalue == pytest.approx(by_key["z_agresti_caffo"], abs=1e-9)
    wald = two_indep(7, 34, 1, 34, method="wald").pvalue
    assert wald == pytest.approx(by_key["z_unpooled"], abs=1e-9)
    score = two_indep(7, 34, 1, 34, method="score").pvalue
    assert score == pytest.approx(by_key["chi2_n_minus_1"], abs=1e-9)
    ranks = mannwhitneyu(*groups, use_continuity=False, method="asymptotic").pvalue
    assert ranks == pytest.approx(by_key["chi2_n_minus_1"], abs=1e-9)
    logit = two_indep(7, 34, 1, 34, compare="odds-ratio", method="logit").pvalue
    assert logit == pytest.approx(by_key["z_log_odds_ratio"], abs=1e-9)
    log = two_indep(7, 34, 1, 34, compare="ratio", method="log").pvalue
    assert log == pytest.approx(by_key["z_log_risk_ratio"], abs=1e-9)
    unpooled = barnard_exact([[7, 1], [27, 33]], pooled=False).pvalue
    assert unpooled == pytest.approx(by_key["barnard_unpooled"], abs=1e-6)
