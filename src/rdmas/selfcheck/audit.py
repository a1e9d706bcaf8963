"""Where statistics libraries print a wrong number, or one that surprises.

Everything is computed when a function is called, by the libraries of this environment, so that
the tables are about the versions in use. Defects and conventions are kept apart: a documented
choice is nobody's mistake.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from lifelines import KaplanMeierFitter
from lifelines.plotting import add_at_risk_counts
from lifelines.statistics import logrank_test
from lifelines.utils import median_survival_times
from numpy.typing import NDArray
from scipy.stats import barnard_exact, boschloo_exact, chi2, chi2_contingency, fisher_exact
from statsmodels.duration.hazard_regression import PHReg
from statsmodels.stats import proportion as statsmodels_proportion

from rdmas.stats import checks
from rdmas.stats.checks import Table
from rdmas.stats.logrank import logrank_p
from rdmas.stats.proportion import interval
from rdmas.stats.two_by_two import effects, p_value

__all__ = ["library_conventions", "library_defects", "r_notes"]

TableFunction = Callable[[Table], float]

# Numbers closer than this are the same answer: the maximum that scipy searches for is found to
# about 1e-9, and every defect below shows in the first five decimals.
_SAME = 1e-6

_NOT_REPORTED = "no report found"

# None of them is about the paper of this companion.
_CHAN = Table(7, 15, 12, 15)
_PERONDI = Table(7, 34, 1, 34)
_FAGERLAND = Table(0, 16, 15, 72)
_NOBODY_IN_A = Table(0, 15, 3, 15)
# Of the tests of scipy's boschloo_exact; its arms differ in size, as conventions show only then.
_UNEQUAL_ARMS = Table(74, 117, 31, 63)
_SOURCES = {
    _CHAN: "Chan 1998",
    _PERONDI: "Perondi 2004",
    _FAGERLAND: "Fagerland et al. 2017",
    _FAGERLAND.complement(): "Fagerland et al. 2017, patients without the event",
    _NOBODY_IN_A: "constructed",
}

# The 6-MP trial in acute leukaemia (Freireich 1963; MASS::gehan in R): weeks of remission.
_6MP_WEEKS = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
_6MP_RELAPSE = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
_CONTROL_WEEKS = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
_CONTROL_RELAPSE = [1] * len(_CONTROL_WEEKS)
_6MP = "6-MP trial, Freireich 1963"


class _Defect(NamedTuple):
    """One number that a library prints, and the same number computed rightly."""

    library: str
    function: str
    quantity: str
    prints: TableFunction
    right: TableFunction
    consequence: str
    report: str
    published: tuple[Table, ...]


class _Convention(NamedTuple):
    """One choice of a library, and the number of those who choose otherwise."""

    library: str
    function: str
    convention: str
    data: str
    quantity: str
    what_it_prints: float
    what_one_might_expect: float
    expected_because: str


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
        library; NaN where it raises an exception or gives no real number), ``right`` (by this
        package), ``differs`` (whether the two are more than 1e-6 apart), ``consequence`` and
        ``report`` (where the defect is reported). One-sided P-values are for the direction that
        was observed (arm a lower if equal).

    Raises
    ------
    ValueError
        If the counts are impossible.

    Examples
    --------
    >>> defects = library_defects()
    >>> defects.loc[0, ["function", "table_or_data", "quantity"]].tolist()
    ['barnard_exact', '7/15 v 12/15 (Chan 1998)', 'P, one-sided, pooled']
    >>> defects.loc[0, ["prints", "right"]].astype(float).round(7).tolist()
    [0.0340767, 0.0341092]

    On a table without ties that matter, Barnard's test is right:

    >>> mine = library_defects((7, 34, 1, 34))
    >>> mine[mine["differs"]]["function"].unique().tolist()
    ["confint_proportions_2indep(method='score', compare='diff')"]
    """
    given = None if table is None else checks.table(*table)
    rows = []
    for defect in _DEFECTS:
        for counts in (given,) if given else defect.published:
            prints, right = _printed(defect.prints, counts), defect.right(counts)
            source = "" if given else f" ({_SOURCES[counts]})"
            rows.append(
                {
                    "library": defect.library,
                    "version": version(defect.library),
                    "function": defect.function,
                    "table_or_data": f"{_described(counts)}{source}",
                    "quantity": defect.quantity,
                    "prints": prints,
                    "right": right,
                    "differs": not np.isclose(prints, right, rtol=0, atol=_SAME, equal_nan=True),
                    "consequence": defect.consequence,
                    "report": defect.report,
                }
            )
    return pd.DataFrame(rows)


def library_conventions(table: tuple[int, int, int, int] = _UNEQUAL_ARMS) -> pd.DataFrame:
    """List choices of libraries that are not wrong, but give another number than one may expect.

    Parameters
    ----------
    table : tuple of int, default (74, 117, 31, 63)
        Events and patients of arm a, events and patients of arm b, for the rows that are about
        two-by-two tables; the default is from scipy's own tests. The other rows keep their own
        data. Where a library raises an exception, NaN.

    Returns
    -------
    pandas.DataFrame
        One row per convention: ``library``, ``version``, ``function``, ``convention``,
        ``data``, ``quantity``, ``what_it_prints``, ``what_one_might_expect`` (both numbers; NaN
        is "undefined"), ``expected_because`` (who prints the other number).

    Raises
    ------
    ValueError
        If the counts are impossible.

    Examples
    --------
    >>> conventions = library_conventions().set_index("function")
    >>> yates = conventions.loc["chi2_contingency"]
    >>> yates[["what_it_prints", "what_one_might_expect"]].astype(float).round(4).tolist()
    [0.0961, 0.0684]
    """
    frame = pd.DataFrame([*_two_by_two_conventions(checks.table(*table)), *_survival_conventions()])
    frame.insert(1, "version", frame["library"].map(version))
    return frame


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
    >>> r_notes()[["quantity", "prints", "right"]].round(3)
                      quantity   prints    right
    0   conditional odds ratio    8.328    8.329
    1  lower limit, odds ratio    0.973    0.973
    2  upper limit, odds ratio  396.188  396.994
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


def _barnard(*, pooled: bool, one_sided: bool) -> tuple[TableFunction, TableFunction]:
    """Return Barnard's P-value by scipy, and by this package."""

    def is_higher(table: Table) -> bool:
        return table.events_a * table.n_b > table.events_b * table.n_a

    def prints(table: Table) -> float:
        side = "greater" if is_higher(table) else "less"
        columns, alternative = _as_columns(table), side if one_sided else "two-sided"
        return barnard_exact(columns, alternative=alternative, pooled=pooled).pvalue

    def right(table: Table) -> float:
        side = f"_a_{'higher' if is_higher(table) else 'lower'}" if one_sided else ""
        return p_value(*table, f"barnard_{'pooled' if pooled else 'unpooled'}{side}")

    return prints, right


def _score_limit(
    compare: str, measure: str, method: str, limit: int, **options: bool
) -> tuple[TableFunction, TableFunction]:
    """Return one limit of a score interval by statsmodels, and by this package."""

    def prints(table: Table) -> float:
        limits = statsmodels_proportion.confint_proportions_2indep(
            *table, compare=compare, method="score", **options
        )
        # A root that should be real can come out complex.
        return np.nan if np.iscomplexobj(limits) else limits[limit]

    return prints, lambda table: _effect(table, measure, method)[1 + limit]


def _effect(table: Table, measure: str, method: str) -> list[float]:
    """Return estimate, lower and upper limit of one row of `effects`."""
    row = effects(*table).query("measure == @measure and method == @method").iloc[0]
    return [float(row[name]) for name in ("estimate", "low", "high")]


def _as_columns(table: Table) -> NDArray[np.int64]:
    """Return the cells as scipy's unconditional tests take them."""
    return np.transpose(table.cells())


def _printed(function: TableFunction, table: Table) -> float:
    """Return what a library prints: NaN where it raises an exception."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return float(function(table))
        except ValueError:
            return np.nan


def _described(table: Table) -> str:
    """Write a table in one line."""
    return f"{table.events_a}/{table.n_a} v {table.events_b}/{table.n_b}"


_DROPS_TIES = (
    "tables exactly as extreme as the observed one are left out when rounding separates them: "
    "P too small"
)
_DIFFERENCE = "confint_proportions_2indep(method='score', compare='diff')"
_RATIO = "confint_proportions_2indep(method='score', compare='ratio', correction=False)"
_ISSUE_10269 = "https://github.com/statsmodels/statsmodels/issues/10269"

_DEFECTS = (
    *(
        _Defect(
            "scipy",
            "barnard_exact",
            f"P, {'one' if one_sided else 'two'}-sided, {'pooled' if pooled else 'unpooled'}",
            *_barnard(pooled=pooled, one_sided=one_sided),
            _DROPS_TIES,
            "https://github.com/scipy/scipy/issues/18798",
            published,
        )
        for pooled, one_sided, published in (
            (True, True, (_CHAN, _NOBODY_IN_A)),
            (True, False, (_CHAN,)),
            (False, True, (_CHAN,)),
            (False, False, (_CHAN,)),
        )
    ),
    *(
        _Defect(
            "statsmodels",
            _DIFFERENCE,
            f"{name} limit, risk difference, Miettinen-Nurminen",
            *_score_limit("diff", "risk difference", "Miettinen-Nurminen", limit),
            "a wrong coefficient in the cubic of the restricted estimate puts limits off in the "
            "second or third decimal; on other tables, where the search for a limit starts in a "
            "range without one, there is a ValueError and no interval (shown as NaN)",
            f"{_ISSUE_10269} (the coefficient); {_NOT_REPORTED} (the ValueError)",
            (_PERONDI, _FAGERLAND),
        )
        for limit, name in enumerate(("lower", "upper"))
    ),
    _Defect(
        "statsmodels",
        _RATIO,
        "lower limit, risk ratio, Koopman",
        *_score_limit("ratio", "risk ratio", "Koopman", 0, correction=False),
        "where everybody in one arm has the event, a root that solves nothing is taken: lower "
        "limit next to the estimate, or a complex number (shown as NaN)",
        _NOT_REPORTED,
        (_FAGERLAND.complement(),),
    ),
)


def _two_by_two_conventions(table: Table) -> Iterator[_Convention]:
    """Yield choices of tests, effects and intervals of two-by-two tables."""
    columns, data = _as_columns(table), _described(table)
    events_a, n_a, _events_b, n_b = table
    two_sided = "P, two-sided"
    for function in (barnard_exact, boschloo_exact):
        yield _Convention(
            "scipy", function.__name__,
            "takes the arms as columns; with arms as rows it tests another hypothesis",
            data, two_sided, function(columns.T).pvalue, function(columns).pvalue,
            "the same function, arms as columns",
        )  # fmt: skip
    yield _Convention(
        "scipy", "boschloo_exact (two-sided)", "twice the smaller one-sided P",
        data, two_sided, boschloo_exact(columns).pvalue, p_value(*table, "boschloo_minlike"),
        "R Exact: Fisher's two-sided P as the statistic",
    )  # fmt: skip
    yield _Convention(
        "scipy", "chi2_contingency", "applies Yates's correction to a 2x2 table by default",
        data, two_sided, _printed(lambda t: chi2_contingency(t.cells()).pvalue, table),
        p_value(*table, "chi2"), "Pearson's chi-square, correction=False",
    )  # fmt: skip
    yield _Convention(
        "scipy", "fisher_exact", "reports the sample odds ratio",
        data, "odds ratio", fisher_exact(columns).statistic,
        _effect(table, "odds ratio", "exact conditional")[0],
        "R fisher.test: conditional maximum likelihood estimate",
    )  # fmt: skip
    yield _Convention(
        "statsmodels", "test_proportions_2indep", "default is the Agresti-Caffo test",
        data, two_sided, statsmodels_proportion.test_proportions_2indep(*table).pvalue,
        p_value(*table, "chi2"), "the pooled z test, as statsmodels proportions_ztest",
    )  # fmt: skip
    yield _Convention(
        "statsmodels", "proportion_confint", "default is the Wald interval",
        f"{events_a}/{n_a}", "lower limit", statsmodels_proportion.proportion_confint(
            events_a, n_a
        )[0], interval(events_a, n_a, "clopper-pearson")[0], "R binom.test: Clopper-Pearson",
    )  # fmt: skip
    yield _Convention(
        "statsmodels", "proportion_confint(method='jeffreys')",
        "equal tails also where nobody, or everybody, has the event",
        f"0/{n_b}", "lower limit",
        statsmodels_proportion.proportion_confint(0, n_b, method="jeffreys")[0],
        interval(0, n_b, "jeffreys")[0],
        "Brown, Cai and DasGupta 2001: 0 there, so that the interval holds what was observed",
    )  # fmt: skip


def _survival_conventions() -> Iterator[_Convention]:
    """Yield choices of curves, medians, log-rank tests and Cox models."""
    fitted = KaplanMeierFitter(label="6-MP").fit(_6MP_WEEKS, _6MP_RELAPSE)
    before = {week: sum(time >= week for time in _6MP_WEEKS) for week in (6, 8)}
    yield _Convention(
        "lifelines", "plotting.add_at_risk_counts",
        "counts those still at risk after the events of that time",
        _6MP, "at risk in week 6", _plotted_at_risk(fitted, 6), before[6],
        "R survfit: at risk just before",
    )  # fmt: skip
    yield _Convention(
        "lifelines", "plotting.add_at_risk_counts(at_risk_count_from_start_of_period=True)",
        "counts those at risk just before the last time in the data up to then",
        _6MP, "at risk in week 8 (nothing happened in it, one relapse in week 7)",
        _plotted_at_risk(fitted, 8, at_risk_count_from_start_of_period=True), before[8],
        "R survfit: at risk just before",
    )  # fmt: skip
    limits = median_survival_times(fitted.confidence_interval_survival_function_)
    yield _Convention(
        "lifelines", "utils.median_survival_times",
        "limits of the median from the log(-log) interval of the curve",
        _6MP, "lower limit of the median, weeks", float(limits.iloc[0, 0]),
        _median_low_by_log(fitted), "R survfit, conf.type = 'log', its default",
    )  # fmt: skip
    times = [1, 2, 3, 4]
    yield _Convention(
        "lifelines", "KaplanMeierFitter.median_survival_time_",
        "first time at which survival is 0.5 or less",
        "deaths at 1, 2, 3, 4", "median", KaplanMeierFitter().fit(times).median_survival_time_,
        float(np.median(times)), "R survfit: middle of the stretch at exactly 0.5",
    )  # fmt: skip
    weeks, relapse = [_6MP_WEEKS, _CONTROL_WEEKS], [_6MP_RELAPSE, _CONTROL_RELAPSE]
    proper = logrank_test(*weeks, *relapse).p_value
    yield _Convention(
        "lifelines", "statistics.logrank_test (events left out)",
        "takes anything for an event, also times passed in its place, or nothing; everybody is "
        "then taken to have died",
        _6MP, "P, two-sided", logrank_test(*weeks, *weeks).p_value, proper,
        "the same function, with the events",
    )  # fmt: skip
    yield _Convention(
        "lifelines", "statistics.logrank_test(weightings='peto')",
        "weights by a modified estimate of survival just after each death",
        _6MP, "P, two-sided", logrank_test(*weeks, *relapse, weightings="peto").p_value,
        logrank_test(*weeks, *relapse, weightings="fleming-harrington", p=1, q=0).p_value,
        "R survdiff, rho = 1: the Kaplan-Meier estimate just before each death",
    )  # fmt: skip
    yield _Convention(
        "lifelines", "statistics.logrank_test (nobody dies)",
        "P = 1 where the test is undefined",
        "four patients, no death", "P, two-sided",
        logrank_test([1, 2], [3, 4], [0, 0], [0, 0]).p_value,
        float(logrank_p(times, [0] * 4, [0, 0, 1, 1])), "undefined: the variance is 0",
    )  # fmt: skip
    all_weeks, status = np.concatenate(weeks), np.concatenate(relapse)
    control = np.repeat([0, 1], [len(_6MP_WEEKS), len(_CONTROL_WEEKS)])
    breslow, efron = (
        float(np.exp(PHReg(all_weeks, control, status, **ties).fit().params[0]))
        for ties in ({}, {"ties": "efron"})
    )
    yield _Convention(
        "statsmodels", "PHReg", "default for tied deaths is Breslow's approximation",
        _6MP, "hazard ratio", breslow, efron,
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
