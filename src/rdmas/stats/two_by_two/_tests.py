"""Tests of equal proportions in two independent arms."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import numpy as np
import pandas as pd
from scipy.stats import chi2 as chi2_distribution
from scipy.stats import chi2_contingency, norm

from rdmas.stats import checks
from rdmas.stats.checks import Table
from rdmas.stats.two_by_two import _exact

TWO_SIDED = "two-sided"
A_LOWER = "one-sided, a lower"
A_HIGHER = "one-sided, a higher"


@dataclass(frozen=True)
class EqualityTest:
    """One test of equal proportions: called with the four counts, it returns the P-value.

    Attributes
    ----------
    key, name : str
        Short name, the key in `TESTS`, and display name.
    function : callable
        From a checked table to the P-value.
    source : str
        Paper or textbook that defines the test.
    sides : str
        The alternative: "two-sided", "one-sided, a lower" or "one-sided, a higher".
    interval : str
        Method in `effects` whose interval excludes "no difference" exactly when this test
        rejects; empty if there is none.
    same_as : str
        Other names under which the same P-value is known, separated by semicolons.
    software : str
        Programs whose documentation says that they print this P-value, with the command.
    """

    key: str
    name: str
    function: Callable[[Table], float]
    source: str
    sides: str = TWO_SIDED
    interval: str = ""
    same_as: str = ""
    software: str = ""

    def __call__(self, events_a: int, n_a: int, events_b: int, n_b: int) -> float:
        """P-value of the table; see `p_value`."""
        return float(self.function(checks.table(events_a, n_a, events_b, n_b)))


def p_value(events_a: int, n_a: int, events_b: int, n_b: int, test: str = "fisher") -> float:
    """P-value of one test of equal proportions in two independent arms.

    Parameters
    ----------
    events_a, n_a, events_b, n_b : int
        Events and patients in arms a and b.
    test : str, default "fisher"
        A key of `TESTS`.

    Returns
    -------
    float
        The P-value; NaN where the test is undefined. See `p_values` for the conventions.

    Raises
    ------
    ValueError
        If the counts are impossible or the test is unknown.

    Examples
    --------
    >>> round(p_value(7, 34, 1, 34), 4)
    0.0544
    >>> round(p_value(7, 34, 1, 34, test="chi2"), 4)
    0.0239
    """
    return TESTS[checks.one_of("test", test, TESTS)](events_a, n_a, events_b, n_b)


def p_values(events_a: int, n_a: int, events_b: int, n_b: int) -> pd.DataFrame:
    """P-values of the tests in use for two independent proportions, in one table.

    Conventions where a formula leaves a choice:

    - Fisher, "minimum-likelihood": all tables no more likely than the observed one; "central":
      twice the smaller one-sided P-value, at most 1. Boschloo likewise: its statistic is
      Fisher's two-sided minimum-likelihood P-value, or the one-sided one, doubled.
    - mid-P counts half the probability of the observed table and (minimum-likelihood) its ties.
    - Barnard and Boschloo take the maximum over the whole range of the unknown common
      probability; tables tied with the observed one count as equally extreme.
    - Yates's correction never exceeds the difference it is taken from.
    - Nobody, or everybody, with the event: P = 1 for the exact and mid-P tests; NaN for the
      chi-square, likelihood-ratio and Wald tests, whose formulas are 0/0 there. The
      Agresti-Caffo test is defined on every table, and is computed by its formula.
    - Nobody in one arm and everybody in the other: the Wald z is infinite, so P = 0.

    Parameters
    ----------
    events_a, n_a, events_b, n_b : int
        Events and patients in arms a and b.

    Returns
    -------
    pandas.DataFrame
        One row for each of `TESTS`, two-sided tests first, with the columns ``test`` (display
        name), ``p_value``, ``key``, ``sides`` (alternative), ``interval`` (method in `effects`
        that belongs to the test, or empty), ``same_as`` (other names of the same P-value),
        ``software`` (programs documented to print it, or empty) and ``source``.

    Raises
    ------
    ValueError
        If the counts are impossible.

    References
    ----------
    Campbell I (2007). Chi-squared and Fisher-Irwin tests of two-by-two tables with small
    sample recommendations. Statistics in Medicine 26:3661-3675.

    Fagerland MW, Lydersen S, Laake P (2017). Statistical Analysis of Contingency Tables,
    chapter 4. CRC Press.

    Examples
    --------
    Survival after standard against high-dose adrenaline in children, 7/34 against 1/34
    (Perondi 2004):

    >>> table = p_values(7, 34, 1, 34)
    >>> table.loc[table["key"].isin(["chi2", "fisher"]), ["test", "p_value"]].round(4)
                                    test  p_value
    2    Pearson chi-square, uncorrected   0.0239
    11  Fisher exact, minimum-likelihood   0.0544
    """
    table = checks.table(events_a, n_a, events_b, n_b)
    return pd.DataFrame(
        {
            "test": test.name,
            "p_value": float(test.function(table)),
            "key": key,
            "sides": test.sides,
            "interval": test.interval,
            "same_as": test.same_as,
            "software": test.software,
            "source": test.source,
        }
        for key, test in TESTS.items()
    )


def _has_both_outcomes(table: Table) -> bool:
    return 0 < table.events_a + table.events_b < table.n_a + table.n_b


def _z_unpooled(table: Table) -> float:
    if not _has_both_outcomes(table):
        return np.nan
    return 2 * norm.sf(abs(_exact.unpooled_z(*table)))


def _z_agresti_caffo(table: Table) -> float:
    events_a, n_a, events_b, n_b = table
    # One event and one non-event more in each arm, then Wald's formula.
    return _z_unpooled(Table(events_a + 1, n_a + 2, events_b + 1, n_b + 2))


def _chi_square(
    table: Table, correction: bool = False, statistic: str = "pearson", less_one: bool = False
) -> float:
    if not _has_both_outcomes(table):
        return np.nan
    events_a, n_a, events_b, n_b = table
    cells = [[events_a, n_a - events_a], [events_b, n_b - events_b]]
    result = chi2_contingency(cells, correction=correction, lambda_=statistic)
    if not less_one:
        return result.pvalue
    n = n_a + n_b
    return chi2_distribution.sf(result.statistic * (n - 1) / n, df=1)


def _fisher_sides(table: Table, mid: bool = False) -> tuple[float, float]:
    pmf = _exact.conditional_pmf(table.n_a, table.n_b, [table.events_a + table.events_b])
    lower, upper = (tail[0, table.events_a] for tail in _exact.tails(pmf))
    half = pmf[0, table.events_a] / 2 if mid else 0.0
    return lower - half, upper - half


def _fisher_one_sided(table: Table, sides: str) -> float:
    return _fisher_sides(table)[sides == A_HIGHER]


def _fisher_central(table: Table, mid: bool = False) -> float:
    return min(1.0, 2 * min(_fisher_sides(table, mid)))


def _fisher_minimum_likelihood(table: Table, mid: bool = False) -> float:
    if not _has_both_outcomes(table):
        return 1.0
    pmf = _exact.conditional_pmf(table.n_a, table.n_b, [table.events_a + table.events_b])
    no_more_likely, less_likely = (p[0, table.events_a] for p in _exact.minimum_likelihood(pmf))
    return (no_more_likely + less_likely) / 2 if mid else no_more_likely


def _barnard(
    table: Table,
    statistic: Callable[[_exact.Counts, int, _exact.Counts, int], _exact.Grid],
    sides: str = TWO_SIDED,
) -> float:
    all_a, all_b = _exact.all_tables(table.n_a, table.n_b)
    z = statistic(all_a, table.n_a, all_b, table.n_b)
    extremeness = {TWO_SIDED: np.abs(z), A_HIGHER: z, A_LOWER: -z}[sides]
    observed = extremeness[table.events_a, table.events_b]
    # The subtracted tolerance is skipped for an infinite statistic, where it would give NaN.
    tolerance = _exact.TIE * abs(observed) if np.isfinite(observed) else 0.0
    return _exact.unconditional_p(extremeness >= observed - tolerance)


def _boschloo(table: Table, fisher: _exact.Grid) -> float:
    observed = fisher[table.events_a, table.events_b]
    return _exact.unconditional_p(fisher <= observed * (1 + _exact.TIE))


def _boschloo_one_sided(table: Table, sides: str) -> float:
    return _boschloo(table, _exact.one_sided_fisher(table.n_a, table.n_b)[sides == A_HIGHER])


def _boschloo_central(table: Table) -> float:
    return min(1.0, 2 * min(_boschloo_one_sided(table, sides) for sides in (A_LOWER, A_HIGHER)))


def _boschloo_minimum_likelihood(table: Table) -> float:
    return _boschloo(table, _exact.two_sided_fisher(table.n_a, table.n_b))


_FAGERLAND = "Fagerland, Lydersen and Laake 2017, chapter 4"
_BARNARD = "Barnard 1947; Suissa and Shuster 1985"
_BOSCHLOO = "Boschloo 1970"

_TWO_SIDED_TESTS = (
    EqualityTest(
        "z_unpooled",
        "z, unpooled variance (Wald)",
        _z_unpooled,
        source=_FAGERLAND,
        interval="Wald",
        software="statsmodels test_proportions_2indep, method = wald",
    ),
    EqualityTest(
        "likelihood_ratio",
        "likelihood ratio (G)",
        partial(_chi_square, statistic="log-likelihood"),
        source=_FAGERLAND,
        software="SAS PROC FREQ, CHISQ; SPSS Crosstabs; JMP Fit Y by X",
    ),
    EqualityTest(
        "chi2",
        "Pearson chi-square, uncorrected",
        _chi_square,
        source="Pearson 1900",
        interval="Mee",
        same_as="z, pooled variance; score test without N/(N−1)",
        software="SAS PROC FREQ, CHISQ; SPSS Crosstabs; JMP Fit Y by X; Stata tabulate, chi2",
    ),
    EqualityTest(
        "z_agresti_caffo",
        "z, Agresti-Caffo",
        _z_agresti_caffo,
        source="Agresti and Caffo 2000",
        interval="Agresti-Caffo",
        software="statsmodels test_proportions_2indep",
    ),
    EqualityTest(
        "chi2_n_minus_1",
        "chi-square, N−1 (Campbell 2007)",
        partial(_chi_square, less_one=True),
        source="Campbell 2007",
        interval="Miettinen-Nurminen",
        same_as=(
            "Mantel-Haenszel, without correction; linear-by-linear association; "
            "Wilcoxon rank sum, normal approximation without correction; "
            "Miettinen-Nurminen score z"
        ),
        software=(
            "MedCalc comparison of two proportions; "
            "SAS PROC FREQ, CHISQ (Mantel-Haenszel); "
            "SPSS Crosstabs (linear-by-linear association); "
            "statsmodels test_proportions_2indep, method = score; "
            "scipy.stats.mannwhitneyu, asymptotic, without continuity correction"
        ),
    ),
    EqualityTest(
        "barnard_unpooled",
        "Barnard, unpooled",
        partial(_barnard, statistic=_exact.unpooled_z),
        source=_BARNARD,
        software=(
            "scipy.stats.barnard_exact, pooled = False (arms as columns; drops ties, "
            "scipy issue 18798)"
        ),
    ),
    EqualityTest(
        "barnard_pooled",
        "Barnard, pooled",
        partial(_barnard, statistic=_exact.pooled_z),
        source=_BARNARD,
        same_as="Suissa-Shuster",
        software=(
            "R Exact exact.test; "
            "scipy.stats.barnard_exact (arms as columns; drops ties, scipy issue 18798)"
        ),
    ),
    EqualityTest(
        "boschloo_central",
        "Boschloo, twice the smaller side",
        _boschloo_central,
        source=_BOSCHLOO,
        software="R exact2x2 boschloo; scipy.stats.boschloo_exact (arms as columns)",
    ),
    EqualityTest(
        "fisher_midp_central",
        "Fisher mid-P, central",
        partial(_fisher_central, mid=True),
        source="Lancaster 1961",
        interval="conditional mid-P",
        software="R exact2x2 exact2x2, midp = TRUE",
    ),
    EqualityTest(
        "fisher_midp_minlike",
        "Fisher mid-P, minimum-likelihood",
        partial(_fisher_minimum_likelihood, mid=True),
        source=_FAGERLAND,
    ),
    EqualityTest(
        "boschloo_minlike",
        "Boschloo, minimum-likelihood",
        _boschloo_minimum_likelihood,
        source=_BOSCHLOO,
        software="R Exact exact.test, method = Boschloo; R exact2x2 boschloo, tsmethod = minlike",
    ),
    EqualityTest(
        "fisher",
        "Fisher exact, minimum-likelihood",
        _fisher_minimum_likelihood,
        source="Fisher 1935; Irwin 1935",
        same_as="Fisher-Irwin",
        software="R fisher.test; scipy.stats.fisher_exact; JMP Fit Y by X; gretl",
    ),
    EqualityTest(
        "fisher_central",
        "Fisher exact, central",
        _fisher_central,
        source="Fay 2010",
        interval="exact conditional",
        software="R exact2x2 exact2x2, tsmethod = central",
    ),
    EqualityTest(
        "chi2_yates",
        "Yates-corrected chi-square",
        partial(_chi_square, correction=True),
        source="Yates 1934",
        software=(
            "R chisq.test; R prop.test; scipy.stats.chi2_contingency; "
            "SAS PROC FREQ, CHISQ (continuity-adjusted); SPSS Crosstabs (continuity correction)"
        ),
    ),
)

_ONE_SIDED_TESTS = tuple(
    EqualityTest(
        f"{key}_{'a_lower' if sides == A_LOWER else 'a_higher'}",
        f"{name}, {sides}",
        partial(function, sides=sides),
        source=source,
        sides=sides,
    )
    for key, name, function, source in (
        ("fisher", "Fisher exact", _fisher_one_sided, "Fisher 1935"),
        (
            "barnard_unpooled",
            "Barnard, unpooled",
            partial(_barnard, statistic=_exact.unpooled_z),
            _BARNARD,
        ),
        (
            "barnard_pooled",
            "Barnard, pooled",
            partial(_barnard, statistic=_exact.pooled_z),
            _BARNARD,
        ),
        ("boschloo", "Boschloo", _boschloo_one_sided, _BOSCHLOO),
    )
    for sides in (A_LOWER, A_HIGHER)
)

#: Every test of this module by its key, in the order of `p_values`; each is called with
#: events_a, n_a, events_b, n_b and returns the P-value.
TESTS = MappingProxyType({test.key: test for test in _TWO_SIDED_TESTS + _ONE_SIDED_TESTS})
