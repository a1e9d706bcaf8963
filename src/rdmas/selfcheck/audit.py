"""Where statistics libraries print a wrong number, or one that surprises.

Everything is computed when a function is called, by the libraries of this environment, so that
the tables are about the versions in use. Defects and conventions are kept apart: a documented
choice is nobody's mistake.
"""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import version
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from lifelines import KaplanMeierFitter
from lifelines.datasets import load_leukemia
from lifelines.plotting import add_at_risk_counts
from lifelines.statistics import logrank_test
from lifelines.utils import median_survival_times
from scipy.stats import (
    barnard_exact,
    boschloo_exact,
    chi2,
    chi2_contingency,
    fisher_exact,
    hypergeom,
)
from statsmodels.duration.hazard_regression import PHReg
from statsmodels.stats import proportion as statsmodels_proportion

from rdmas.stats import checks
from rdmas.stats.checks import Table
from rdmas.stats.logrank import logrank_p
from rdmas.stats.proportion import interval
from rdmas.stats.two_by_two import TESTS, effects, p_value

__all__ = ["library_conventions", "library_defects", "r_notes"]

#: What a library prints, NaN where it gives no real number, and what is right.
Numbers = tuple[float, float]

# Numbers closer than this are the same answer: the maximum that scipy searches for is found to
# about 1e-9, and every defect below shows in the first five decimals.
_SAME = 1e-6

# None of them is about the paper of this companion.
_SOURCES = {
    (_CHAN := Table(7, 15, 12, 15)): "Chan 1998",
    (_PERONDI := Table(7, 34, 1, 34)): "Perondi 2004",
    (_FAGERLAND := Table(0, 16, 15, 72)): "Fagerland et al. 2017",
    _FAGERLAND.complement(): "Fagerland et al. 2017, patients without the event",
    (_NOBODY_IN_A := Table(0, 15, 3, 15)): "constructed",
    (_EQUAL_SHARES := Table(1, 2, 4, 8)): "constructed",
}
# Of the tests of scipy's boschloo_exact; its arms differ in size, as conventions show only then.
_UNEQUAL_ARMS = Table(74, 117, 31, 63)


def library_defects(table: tuple[int, int, int, int] | None = None) -> pd.DataFrame:
    """List numbers that a library gets wrong, beside the right ones.

    Parameters
    ----------
    table : tuple of int, optional
        Events and patients of arm a, events and patients of arm b. If given, every number is
        computed for this table, to show which defects touch it; otherwise each for a published
        table (or a constructed one, where it says so) on which it is wrong.

    Returns
    -------
    pandas.DataFrame
        One row per printed number: ``library``, ``version``, ``function``, ``table_or_data``
        (events/patients of arm a and b, with the source), ``quantity``, ``prints`` (by the
        library; NaN where it gives no real number), ``right`` (by this package), ``differs``
        (whether the two are more than 1e-6 apart), ``consequence`` and ``report`` (where the
        defect is reported). One-sided P-values are for the direction that was observed (arm a
        lower if equal). ``left_out`` says why a given table is too large for the comparison, and
        is empty otherwise.

    Examples
    --------
    On a table without ties that matter, Barnard's test is right:

    >>> mine = library_defects((7, 34, 1, 34))
    >>> mine[mine["differs"]]["function"].unique().tolist()
    ["confint_proportions_2indep(method='score', compare='diff')"]
    """
    given = None if table is None else checks.table(*table)
    rows = []
    for function, quantity, numbers, published in _DEFECTS:
        library, consequence, report = _WHAT_IS_WRONG[function]
        for counts in (given,) if given else published:
            prints, right = numbers(counts)
            source = "" if given else f" ({_SOURCES[counts]})"
            rows.append(
                {
                    "library": library,
                    "version": version(library),
                    "function": function,
                    "table_or_data": f"{_described(counts)}{source}",
                    "quantity": quantity,
                    "prints": prints,
                    "right": right,
                    "differs": not np.isclose(prints, right, rtol=0, atol=_SAME, equal_nan=True),
                    "consequence": consequence,
                    "report": report,
                    "left_out": TESTS["barnard_pooled"].left_out(counts.n_a + counts.n_b)
                    if np.isnan(right)
                    else "",
                }
            )
    return pd.DataFrame(rows)


def library_conventions() -> pd.DataFrame:
    """List choices of libraries that are not wrong, but give another number than one may expect.

    Returns
    -------
    pandas.DataFrame
        One row per convention: ``library``, ``function``, ``convention``, ``data``,
        ``quantity``, ``what_it_prints``, ``what_one_might_expect`` (both numbers; NaN is
        "undefined") and ``expected_because`` (who prints the other number).

    Examples
    --------
    >>> conventions = library_conventions().set_index("function")
    >>> yates = conventions.loc["chi2_contingency"]
    >>> yates[["what_it_prints", "what_one_might_expect"]].astype(float).round(4).tolist()
    [0.0961, 0.0684]
    """
    columns = [
        "library", "function", "convention", "data", "quantity",
        "what_it_prints", "what_one_might_expect", "expected_because",
    ]  # fmt: skip
    rows = [*_two_by_two_conventions(), *_survival_conventions()]
    return pd.DataFrame(rows, columns=columns)


def r_notes() -> pd.DataFrame:
    """List what R prints where its digits must not be taken as the true value.

    R is not part of this environment: its column is a quotation, made with the version and
    command given. The right numbers are computed.

    Returns
    -------
    pandas.DataFrame
        Columns ``program``, ``command``, ``quantity``, ``prints``, ``right`` and ``why``.

    Examples
    --------
    >>> r_notes()[["prints", "right"]].round(3).values.tolist()
    [[8.328, 8.329], [0.973, 0.973], [396.188, 396.994]]
    """
    return pd.DataFrame(
        {
            "program": "R 4.2.2, stats",
            "command": "fisher.test(matrix(c(7, 27, 1, 33), 2))",
            "quantity": [
                "conditional odds ratio", "lower limit, odds ratio", "upper limit, odds ratio"
            ],
            "prints": [8.3284500032, 0.973247719583, 396.187789872886],
            "right": _effect(_PERONDI, "odds ratio", "exact conditional"),
            "why": "uniroot() is called with its default tolerance, about 1e-4",
        }
    )  # fmt: skip


# Defects --------------------------------------------------------------------------------------


def _barnard(pooled: bool, sides: str, table: Table) -> Numbers:
    """Compute Barnard's P-value."""
    higher = table.events_a * table.n_b > table.events_b * table.n_a
    test, alternative = f"barnard_{'pooled' if pooled else 'unpooled'}", "two-sided"
    if sides == "one":
        test += f"_a_{'higher' if higher else 'lower'}"
        alternative = "greater" if higher else "less"
    if TESTS[test].left_out(table.n_a + table.n_b):
        return np.nan, np.nan
    columns = np.transpose(table.cells())
    prints = barnard_exact(columns, alternative=alternative, pooled=pooled).pvalue
    return prints, p_value(*table, test)


def _score_limit(measure: str, method: str, limit: int, table: Table, **options: Any) -> Numbers:
    """Compute one limit of a score interval."""
    right = _effect(table, measure, method)[1 + limit]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            limits = statsmodels_proportion.confint_proportions_2indep(
                *table, method="score", **options
            )
        except ValueError:
            return np.nan, right
    # A root that should be real can come out complex.
    return np.nan if np.iscomplexobj(limits) else limits[limit], right


def _next_to_one(table: Table) -> Numbers:
    """Compute the probability of a table, given its margins, at an odds ratio next to 1."""
    events_a, n_a, events_b, n_b = table
    margins = n_a + n_b, n_a, events_a + events_b
    # In a process of its own, because it may end the process; without leaving a core file.
    command = (
        "import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0));"
        "from scipy.stats import nchypergeom_fisher as law;"
        f"print(law(*{margins}, 1 - 2**-52).pmf({events_a}))"
    )
    run = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, check=False
    )
    return float(run.stdout or "nan"), hypergeom(*margins).pmf(events_a)


def _effect(table: Table, measure: str, method: str) -> list[float]:
    """Return estimate, lower and upper limit of one row of `effects`."""
    row = effects(*table).query("measure == @measure and method == @method").iloc[0]
    return [float(row[name]) for name in ("estimate", "low", "high")]


def _described(table: Table) -> str:
    """Write a table in one line."""
    return f"{table.events_a}/{table.n_a} v {table.events_b}/{table.n_b}"


_BARNARD = "barnard_exact"
_DIFFERENCE = "confint_proportions_2indep(method='score', compare='diff')"
_RATIO = "confint_proportions_2indep(method='score', compare='ratio', correction=False)"
_NONCENTRAL = "nchypergeom_fisher.pmf"

#: Library, consequence and report by function.
_WHAT_IS_WRONG = {
    _BARNARD: (
        "scipy",
        "tables exactly as extreme as the observed one are left out when rounding separates "
        "them: P too small",
        "https://github.com/scipy/scipy/issues/18798",
    ),
    _DIFFERENCE: (
        "statsmodels",
        "a wrong coefficient in the cubic of the restricted estimate puts limits off in the "
        "second or third decimal; on other tables, where the search for a limit starts in a "
        "range without one, there is a ValueError and no interval",
        "https://github.com/statsmodels/statsmodels/issues/10269 (the coefficient); "
        "no report found (the ValueError)",
    ),
    _RATIO: (
        "statsmodels",
        "where everybody in one arm has the event, a root that solves nothing is taken: lower "
        "limit next to the estimate, or a complex number",
        "no report found",
    ),
    _NONCENTRAL: (
        "scipy",
        "an exception that nothing catches ends the whole process, here one of its own, so that a "
        "search near an odds ratio of 1 may not come back",
        "no report found",
    ),
}

#: Function, quantity, both numbers of a table, and the tables on which the first is wrong.
_DEFECTS: tuple[tuple[str, str, Callable[[Table], Numbers], tuple[Table, ...]], ...] = (
    (_BARNARD, "P, one-sided, pooled", partial(_barnard, True, "one"), (_CHAN, _NOBODY_IN_A)),
    (_BARNARD, "P, two-sided, pooled", partial(_barnard, True, "two"), (_CHAN,)),
    (_BARNARD, "P, one-sided, unpooled", partial(_barnard, False, "one"), (_CHAN,)),
    (_BARNARD, "P, two-sided, unpooled", partial(_barnard, False, "two"), (_CHAN,)),
    (
        _DIFFERENCE,
        "lower limit, risk difference, Miettinen-Nurminen",
        partial(_score_limit, "risk difference", "Miettinen-Nurminen", 0, compare="diff"),
        (_PERONDI, _FAGERLAND),
    ),
    (
        _DIFFERENCE,
        "upper limit, risk difference, Miettinen-Nurminen",
        partial(_score_limit, "risk difference", "Miettinen-Nurminen", 1, compare="diff"),
        (_PERONDI, _FAGERLAND),
    ),
    (
        _RATIO,
        "lower limit, risk ratio, Koopman",
        partial(_score_limit, "risk ratio", "Koopman", 0, compare="ratio", correction=False),
        (_FAGERLAND.complement(),),
    ),
    (
        _NONCENTRAL,
        "probability of the table, given its margins, at an odds ratio of 1 − 2^−52",
        _next_to_one,
        (_EQUAL_SHARES,),
    ),
)


# Conventions ----------------------------------------------------------------------------------


def _two_by_two_conventions() -> Iterator[tuple[Any, ...]]:
    """Yield choices of tests, effects and intervals of two-by-two tables."""
    table, data, two_sided = _UNEQUAL_ARMS, _described(_UNEQUAL_ARMS), "P, two-sided"
    rows = table.cells()
    columns = np.transpose(rows)
    events_a, n_a, _, n_b = table
    for function in (barnard_exact, boschloo_exact):
        yield (
            "scipy", function.__name__,
            "takes the arms as columns; with arms as rows it tests another hypothesis",
            data, two_sided, function(rows).pvalue, function(columns).pvalue,
            "the same function, arms as columns",
        )  # fmt: skip
    yield (
        "scipy", "boschloo_exact (two-sided)", "twice the smaller one-sided P",
        data, two_sided, boschloo_exact(columns).pvalue, p_value(*table, "boschloo_minlike"),
        "R Exact: Fisher's two-sided P as the statistic",
    )  # fmt: skip
    yield (
        "scipy", "chi2_contingency", "applies Yates's correction to a 2x2 table by default",
        data, two_sided, chi2_contingency(rows).pvalue, p_value(*table, "chi2"),
        "Pearson's chi-square, correction=False",
    )  # fmt: skip
    yield (
        "scipy", "fisher_exact", "reports the sample odds ratio",
        data, "odds ratio", fisher_exact(rows).statistic,
        _effect(table, "odds ratio", "exact conditional")[0],
        "R fisher.test: conditional maximum likelihood estimate",
    )  # fmt: skip
    yield (
        "statsmodels", "test_proportions_2indep", "default is the Agresti-Caffo test",
        data, two_sided, statsmodels_proportion.test_proportions_2indep(*table).pvalue,
        p_value(*table, "chi2"), "the pooled z test, as statsmodels proportions_ztest",
    )  # fmt: skip
    confint = statsmodels_proportion.proportion_confint
    yield (
        "statsmodels", "proportion_confint", "default is the Wald interval",
        f"{events_a}/{n_a}", "lower limit", confint(events_a, n_a)[0],
        interval(events_a, n_a, "clopper-pearson")[0], "R binom.test: Clopper-Pearson",
    )  # fmt: skip
    yield (
        "statsmodels", "proportion_confint(method='jeffreys')",
        "equal tails also where nobody, or everybody, has the event",
        f"0/{n_b}", "lower limit",
        confint(0, n_b, method="jeffreys")[0], interval(0, n_b, "jeffreys")[0],
        "Brown, Cai and DasGupta 2001: 0 there, so that the interval holds what was observed",
    )  # fmt: skip


def _survival_conventions() -> Iterator[tuple[Any, ...]]:
    """Yield choices of curves, medians, log-rank tests and Cox models."""
    patients = load_leukemia().rename(columns={"t": "weeks", "status": "relapse"})
    treated, control = (patients[patients["Rx"] == arm] for arm in (0, 1))
    trial = "6-MP trial, Freireich 1963"
    fitted = KaplanMeierFitter(label="6-MP").fit(treated["weeks"], treated["relapse"])
    before = {week: int((treated["weeks"] >= week).sum()) for week in (6, 8)}
    yield (
        "lifelines", "plotting.add_at_risk_counts",
        "counts those still at risk after the events of that time",
        trial, "at risk in week 6", _plotted_at_risk(fitted, 6), before[6],
        "R survfit: at risk just before",
    )  # fmt: skip
    yield (
        "lifelines", "plotting.add_at_risk_counts(at_risk_count_from_start_of_period=True)",
        "counts those at risk just before the last time in the data up to then",
        trial, "at risk in week 8 (nothing happened in it, one relapse in week 7)",
        _plotted_at_risk(fitted, 8, at_risk_count_from_start_of_period=True), before[8],
        "R survfit: at risk just before",
    )  # fmt: skip
    limits = median_survival_times(fitted.confidence_interval_survival_function_)
    yield (
        "lifelines", "utils.median_survival_times",
        "limits of the median from the log(-log) interval of the curve",
        trial, "lower limit of the median, weeks", float(limits.iloc[0, 0]),
        _median_low_by_log(fitted), "R survfit, conf.type = 'log', its default",
    )  # fmt: skip
    times = [1, 2, 3, 4]
    yield (
        "lifelines", "KaplanMeierFitter.median_survival_time_",
        "first time at which survival is 0.5 or less",
        "deaths at 1, 2, 3, 4", "median", KaplanMeierFitter().fit(times).median_survival_time_,
        float(np.median(times)), "R survfit: middle of the stretch at exactly 0.5",
    )  # fmt: skip
    weeks, relapse = ([treated[column], control[column]] for column in ("weeks", "relapse"))
    yield (
        "lifelines", "statistics.logrank_test (events left out)",
        "takes anything for an event, also times passed in its place, or nothing; everybody is "
        "then taken to have died",
        trial, "P, two-sided", logrank_test(*weeks, *weeks).p_value,
        logrank_test(*weeks, *relapse).p_value, "the same function, with the events",
    )  # fmt: skip
    yield (
        "lifelines", "statistics.logrank_test(weightings='peto')",
        "weights by a modified estimate of survival just after each death",
        trial, "P, two-sided", logrank_test(*weeks, *relapse, weightings="peto").p_value,
        logrank_test(*weeks, *relapse, weightings="fleming-harrington", p=1, q=0).p_value,
        "R survdiff, rho = 1: the Kaplan-Meier estimate just before each death",
    )  # fmt: skip
    yield (
        "lifelines", "statistics.logrank_test (nobody dies)",
        "P = 1 where the test is undefined",
        "four patients, no death", "P, two-sided",
        logrank_test([1, 2], [3, 4], [0, 0], [0, 0]).p_value,
        float(logrank_p(times, [0] * 4, [0, 0, 1, 1])), "undefined: the variance is 0",
    )  # fmt: skip
    columns = tuple(patients[name] for name in ("weeks", "Rx", "relapse"))
    breslow, efron = (
        float(np.exp(PHReg(*columns, **options).fit().params[0]))
        for options in ({}, {"ties": "efron"})
    )
    yield (
        "statsmodels", "PHReg", "default for tied deaths is Breslow's approximation",
        trial, "hazard ratio", breslow, efron,
        "R coxph and lifelines: Efron's approximation (SAS: Breslow's)",
    )  # fmt: skip


def _plotted_at_risk(fitted: KaplanMeierFitter, time: float, **options: bool) -> int:
    """Return the number that lifelines writes below a plot."""
    figure, axes = plt.subplots()
    try:
        fitted.plot_survival_function(ax=axes)
        add_at_risk_counts(
            fitted, rows_to_show=["At risk"], xticks=[time], ax=axes, fig=figure, **options
        )
        written = figure.axes[-1].get_xticklabels()[0].get_text()
    finally:
        plt.close(figure)
    return int(written.split()[-1])


def _median_low_by_log(fitted: KaplanMeierFitter) -> float:
    """Return where the lower limit of the curve crosses 1/2, by R's default interval."""
    events = fitted.event_table
    deaths, at_risk = events["observed"], events["at_risk"]
    greenwood = np.sqrt((deaths / (at_risk * (at_risk - deaths))).cumsum())
    lower = fitted.survival_function_.iloc[:, 0] * np.exp(-(chi2.isf(0.05, 1) ** 0.5) * greenwood)
    return float(lower.index[lower <= 0.5].min())
