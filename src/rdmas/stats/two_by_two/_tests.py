"""Tests of equal proportions in two independent arms."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from rdmas.stats import checks
from rdmas.stats.checks import Table
from rdmas.stats.two_by_two import _formulas
from rdmas.stats.two_by_two._exact import pooled_z, unpooled_z
from rdmas.stats.two_by_two._formulas import A_HIGHER, A_LOWER, TWO_SIDED

#: Most patients, both arms together, for which unconditional exact tests are computed: of one
#: table, where all of them take some two seconds, and of the many that a search goes through.
UNCONDITIONAL_UP_TO, UNCONDITIONAL_IN_SEARCHES_UP_TO = 400, 70


class Statistic(StrEnum):
    """What a test measures; tests that share it are variants of one another."""

    DIFFERENCE = "difference, unpooled variance"
    SCORE = "difference, pooled variance (chi-square)"
    LIKELIHOOD_RATIO = "likelihood ratio"
    LOG_ODDS_RATIO = "log odds ratio"
    LOG_RISK_RATIO = "log risk ratio"
    PROBABILITY = "probability given the margins (Fisher)"


@dataclass(frozen=True)
class EqualityTest:
    """One test of equal proportions: called with the four counts, it returns the P-value.

    Attributes
    ----------
    key, name : str
        Short name, the key in `TESTS`, and display name.
    statistic : Statistic
        What it measures, shared by the tests of one family.
    function : callable
        From a checked table to the P-value: a fraction if the test is exact. A formula takes a
        table of arrays too.
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
    kind : {"formula", "conditional", "unconditional"}
        How P comes about. An unconditional test is left out where there are more than
        `UNCONDITIONAL_UP_TO` patients: `left_out`.
    """

    key: str
    name: str
    statistic: Statistic
    function: Callable[[Table], Any]
    source: str
    sides: str = TWO_SIDED
    interval: str = ""
    same_as: str = ""
    software: str = ""
    kind: str = "formula"

    def __call__(self, events_a: int, n_a: int, events_b: int, n_b: int) -> float:
        """P-value of the table; see `p_value`."""
        table = checks.table(events_a, n_a, events_b, n_b)
        self.refuse_if_left_out(table.n_a + table.n_b)
        return float(self.function(table))

    def left_out(self, patients: int, searched: bool = False) -> str:
        """Say why the test is left out where arms are large; empty if it is not.

        Parameters
        ----------
        patients : int
            Patients of both arms together.
        searched : bool, default False
            Whether P of many such tables would be needed, and not of one.
        """
        most = UNCONDITIONAL_IN_SEARCHES_UP_TO if searched else UNCONDITIONAL_UP_TO
        if self.kind != "unconditional" or patients <= most:
            return ""
        return f"left out: more than {most} patients"

    def refuse_if_left_out(self, patients: int, searched: bool = False) -> None:
        """Raise a `ValueError` where the test is left out."""
        why = self.left_out(patients, searched)
        if why:
            raise ValueError(f"{self.name} is {why}.")

    def of_many(self, tables: Sequence[Table]) -> Iterable[float | Fraction]:
        """P-values of many checked tables; of an exact test as they are asked for."""
        if self.kind == "formula" and tables:
            return self.function(Table(*np.array(tables).T)).tolist()
        return map(self.function, tables)


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
        If the counts are impossible, or the test is unknown or left out on arms so large.

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
    - mid-P counts half the probability of the observed table: of the one-sided P-value (central),
      of the two-sided one (SAS), or of the two-sided one and with it of all tables exactly as
      likely (minimum-likelihood).
    - A risk ratio is that of the event, or of its absence (the non-event): the two Wald tests
      differ, so which outcome is called the event matters. For the odds ratio it does not.
    - Barnard and Boschloo take the maximum over the whole range of the unknown common
      probability; tables tied with the observed one count as equally extreme.
    - Yates's correction never exceeds the difference it is taken from.
    - Nobody, or everybody, with the event: P = 1 for the exact and mid-P tests; NaN for the
      chi-square, likelihood-ratio and Wald tests, whose formulas are 0/0 there. The
      Agresti-Caffo test is defined on every table, and is computed by its formula.
    - Nobody in one arm and everybody in the other: the Wald z is infinite, so P = 0.
    - Barnard and Boschloo are left out with more than `UNCONDITIONAL_UP_TO` patients: P is then
      NaN, and ``left_out`` says so.
    - The Wald tests on a log ratio are NaN where the logarithm or its variance is infinite or
      both are 0: on the odds ratio with an empty cell; on the risk ratio of the event with an arm
      without events, or with everybody having it (of the non-event likewise). Software that adds
      1/2 to the cells, or lets a regression run until it stops, prints something else there.

    Parameters
    ----------
    events_a, n_a, events_b, n_b : int
        Events and patients in arms a and b.

    Returns
    -------
    pandas.DataFrame
        One row for each of `TESTS`, two-sided tests first and by family, with the columns ``test``
        (display name), ``p_value``, ``key``, ``statistic`` (a `Statistic`, the family), ``sides``
        (alternative), ``interval`` (method in `effects` that belongs to the test, or empty),
        ``same_as`` (other names of the same P-value), ``software`` (programs documented to print
        it, or empty), ``source`` and ``left_out`` (why P was not computed, empty if it was).

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
    3    Pearson chi-square, uncorrected   0.0239
    11  Fisher exact, minimum-likelihood   0.0544
    """
    table = checks.table(events_a, n_a, events_b, n_b)
    patients = table.n_a + table.n_b
    return pd.DataFrame(
        {
            "test": test.name,
            "p_value": np.nan if test.left_out(patients) else float(test.function(table)),
            "key": key,
            "statistic": test.statistic,
            "sides": test.sides,
            "interval": test.interval,
            "same_as": test.same_as,
            "software": test.software,
            "source": test.source,
            "left_out": test.left_out(patients),
        }
        for key, test in TESTS.items()
    )


_FAGERLAND = "Fagerland, Lydersen and Laake 2017, chapter 4"
_BARNARD = "Barnard 1947; Suissa and Shuster 1985"
_BOSCHLOO = "Boschloo 1970"

_TWO_SIDED_TESTS = (
    EqualityTest(
        "z_unpooled",
        "z, unpooled variance (Wald)",
        Statistic.DIFFERENCE,
        _formulas.z_unpooled,
        source=_FAGERLAND,
        interval="Wald",
        software="statsmodels test_proportions_2indep, method = wald",
    ),
    EqualityTest(
        "z_agresti_caffo",
        "z, Agresti-Caffo",
        Statistic.DIFFERENCE,
        _formulas.z_agresti_caffo,
        source="Agresti and Caffo 2000",
        interval="Agresti-Caffo",
        software="statsmodels test_proportions_2indep",
    ),
    EqualityTest(
        "barnard_unpooled",
        "Barnard, unpooled",
        Statistic.DIFFERENCE,
        partial(_formulas.barnard, statistic=unpooled_z),
        source=_BARNARD,
        software=(
            "scipy.stats.barnard_exact, pooled = False (arms as columns; drops ties, "
            "scipy issue 18798)"
        ),
        kind="unconditional",
    ),
    EqualityTest(
        "chi2",
        "Pearson chi-square, uncorrected",
        Statistic.SCORE,
        _formulas.chi_square,
        source="Pearson 1900",
        interval="Mee",
        same_as="z, pooled variance; score test without N/(N−1)",
        software="SAS PROC FREQ, CHISQ; SPSS Crosstabs; JMP Fit Y by X; Stata tabulate, chi2",
    ),
    EqualityTest(
        "chi2_n_minus_1",
        "chi-square, N−1 (Campbell 2007)",
        Statistic.SCORE,
        partial(_formulas.chi_square, less_one=True),
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
        "barnard_pooled",
        "Barnard, pooled",
        Statistic.SCORE,
        partial(_formulas.barnard, statistic=pooled_z),
        source=_BARNARD,
        same_as="Suissa-Shuster",
        software=(
            "R Exact exact.test; "
            "scipy.stats.barnard_exact (arms as columns; drops ties, scipy issue 18798)"
        ),
        kind="unconditional",
    ),
    EqualityTest(
        "chi2_yates",
        "Yates-corrected chi-square",
        Statistic.SCORE,
        partial(_formulas.chi_square, correction=True),
        source="Yates 1934",
        software=(
            "R chisq.test; R prop.test; scipy.stats.chi2_contingency; "
            "SAS PROC FREQ, CHISQ (continuity-adjusted); SPSS Crosstabs (continuity correction)"
        ),
    ),
    EqualityTest(
        "likelihood_ratio",
        "likelihood ratio (G)",
        Statistic.LIKELIHOOD_RATIO,
        _formulas.likelihood_ratio,
        source=_FAGERLAND,
        software="SAS PROC FREQ, CHISQ; SPSS Crosstabs; JMP Fit Y by X",
    ),
    EqualityTest(
        "z_log_odds_ratio",
        "z, log odds ratio (Woolf)",
        Statistic.LOG_ODDS_RATIO,
        _formulas.z_log_odds_ratio,
        source="Woolf 1955",
        interval="Woolf",
        same_as="Wald test of a logistic regression on the arm",
        software=(
            "R summary of glm, family = binomial; SAS PROC LOGISTIC; "
            "statsmodels test_proportions_2indep, compare = odds-ratio, method = logit"
        ),
    ),
    EqualityTest(
        "z_log_risk_ratio_of_non_event",
        "z, log risk ratio of the non-event (Katz)",
        Statistic.LOG_RISK_RATIO,
        partial(_formulas.z_log_risk_ratio, of_event=False),
        source="Katz et al. 1978",
        same_as="Wald test of a log-binomial regression of the non-event",
        software="the same of the other outcome",
    ),
    EqualityTest(
        "z_log_risk_ratio",
        "z, log risk ratio of the event (Katz)",
        Statistic.LOG_RISK_RATIO,
        partial(_formulas.z_log_risk_ratio, of_event=True),
        source="Katz et al. 1978",
        interval="Katz",
        same_as="Wald test of a log-binomial regression on the arm",
        software="statsmodels test_proportions_2indep, compare = ratio, method = log",
    ),
    EqualityTest(
        "fisher",
        "Fisher exact, minimum-likelihood",
        Statistic.PROBABILITY,
        _formulas.fisher_minimum_likelihood,
        source="Fisher 1935; Irwin 1935",
        same_as="Fisher-Irwin",
        software="R fisher.test; scipy.stats.fisher_exact; JMP Fit Y by X; gretl",
        kind="conditional",
    ),
    EqualityTest(
        "fisher_central",
        "Fisher exact, central",
        Statistic.PROBABILITY,
        _formulas.fisher_central,
        source="Fay 2010",
        interval="exact conditional",
        software="R exact2x2 exact2x2, tsmethod = central",
        kind="conditional",
    ),
    EqualityTest(
        "fisher_midp_central",
        "Fisher mid-P, central",
        Statistic.PROBABILITY,
        partial(_formulas.fisher_central, mid=True),
        source="Lancaster 1961",
        interval="conditional mid-P",
        software="R exact2x2 exact2x2, midp = TRUE",
        kind="conditional",
    ),
    EqualityTest(
        "fisher_midp_minlike",
        "Fisher mid-P, minimum-likelihood",
        Statistic.PROBABILITY,
        partial(_formulas.fisher_mid_p, with_ties=True),
        source=_FAGERLAND,
        kind="conditional",
    ),
    EqualityTest(
        "fisher_midp_sas",
        "Fisher mid-P, observed table halved (SAS)",
        Statistic.PROBABILITY,
        partial(_formulas.fisher_mid_p, with_ties=False),
        source="SAS/STAT documentation, PROC FREQ",
        software="SAS PROC FREQ, EXACT FISHER / MIDP",
        kind="conditional",
    ),
    EqualityTest(
        "boschloo_central",
        "Boschloo, twice the smaller side",
        Statistic.PROBABILITY,
        _formulas.boschloo_central,
        source=_BOSCHLOO,
        software="R exact2x2 boschloo; scipy.stats.boschloo_exact (arms as columns)",
        kind="unconditional",
    ),
    EqualityTest(
        "boschloo_minlike",
        "Boschloo, minimum-likelihood",
        Statistic.PROBABILITY,
        _formulas.boschloo_minimum_likelihood,
        source=_BOSCHLOO,
        software="R Exact exact.test, method = Boschloo; R exact2x2 boschloo, tsmethod = minlike",
        kind="unconditional",
    ),
)

_ONE_SIDED_TESTS = tuple(
    EqualityTest(
        f"{key}_{'a_lower' if sides == A_LOWER else 'a_higher'}",
        f"{name}, {sides}",
        statistic,
        partial(function, sides=sides),
        source=source,
        sides=sides,
        kind="conditional" if key == "fisher" else "unconditional",
    )
    for key, name, statistic, function, source in (
        (
            "fisher",
            "Fisher exact",
            Statistic.PROBABILITY,
            _formulas.fisher_one_sided,
            "Fisher 1935",
        ),
        (
            "barnard_unpooled",
            "Barnard, unpooled",
            Statistic.DIFFERENCE,
            partial(_formulas.barnard, statistic=unpooled_z),
            _BARNARD,
        ),
        (
            "barnard_pooled",
            "Barnard, pooled",
            Statistic.SCORE,
            partial(_formulas.barnard, statistic=pooled_z),
            _BARNARD,
        ),
        ("boschloo", "Boschloo", Statistic.PROBABILITY, _formulas.boschloo_one_sided, _BOSCHLOO),
    )
    for sides in (A_LOWER, A_HIGHER)
)

#: Every test of this module by its key, in the order of `p_values` (two-sided tests first, by the
#: statistic they share); each is called with events_a, n_a, events_b, n_b and returns P.
TESTS = MappingProxyType({test.key: test for test in _TWO_SIDED_TESTS + _ONE_SIDED_TESTS})
