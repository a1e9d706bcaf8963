"""How often the audit is wrong about P-values: false alarms, and planted errors it misses.

An imagined author computes a test in use and prints P with three decimals; the audit, which sees
the deaths and patients of each arm and nothing else, says what it makes of the print. An alarm
(``not reproduced``) is false if nothing is wrong; an error planted in a print is caught if there
is an alarm. Tests on counts are gone through over all that two arms are likely to end with, so
that shares are exact; only where the author's test depends on times are data sets drawn at
random.

Not every error can be caught: a P that another test of the same counts gives, or another order
of unseen events, is explained by these.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property, lru_cache, partial
from itertools import repeat

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binom, chi2, chi2_contingency, fisher_exact, hypergeom, mannwhitneyu
from statsmodels.stats import proportion
from statsmodels.stats.contingency_tables import Table2x2

from rdmas.paper.followup import UnseenFollowup, searched, supported, unseen_followup
from rdmas.paper.significance import ALPHA, SIGNIFICANCE_WORDING, words, words_for
from rdmas.selfcheck.percentages import ROUNDED_ONCE, decimal_text
from rdmas.stats import checks, rounding, two_by_two
from rdmas.stats.checks import Table
from rdmas.stats.logrank import random_data_sets
from rdmas.stats.significance import significant

__all__ = [
    "TESTS_OF_TIMES",
    "TESTS_ON_COUNTS",
    "Trial",
    "false_alarms",
    "likely_trials",
    "planted_errors",
    "risks",
]

_DECIMALS = 3
_LARGEST = 25  # patients in an arm


def p_text(p_value: float, way: str = "half up") -> str:
    """Print a P-value; one below a unit of the last decimal as below that unit."""
    unit = Fraction(1, 10**_DECIMALS)
    exact = Fraction(repr(float(p_value)))
    if exact < unit:
        return f"<{decimal_text(unit, _DECIMALS)}"
    return decimal_text(exact, _DECIMALS, way)


# Authors --------------------------------------------------------------------------------------


def _chi_square(*counts: int, **options) -> float:
    """Test independence by scipy."""
    return chi2_contingency(Table(*counts).cells(), **options).pvalue


def _difference_z(*counts: int, method: str) -> float:
    """Test a difference of proportions by statsmodels."""
    # Nobody in one arm and everybody in the other: no variance is left, and z is infinite.
    with np.errstate(divide="ignore"):
        return proportion.test_proportions_2indep(*counts, compare="diff", method=method).pvalue


def _rank_sum(events_a: int, n_a: int, events_b: int, n_b: int) -> float:
    """Compare outcomes as if they were ranks."""
    a, b = (np.repeat([1, 0], [k, n - k]) for k, n in ((events_a, n_a), (events_b, n_b)))
    return mannwhitneyu(a, b, method="asymptotic", use_continuity=False).pvalue


def _wald(*counts: int, ratio: str) -> float:
    """Divide the logarithm of a ratio by its standard error, by statsmodels."""
    with np.errstate(all="ignore"):  # undefined where a cell that it divides by is empty
        cells = Table2x2(np.array(Table(*counts).cells(), float), shift_zeros=False)
        return getattr(cells, f"log_{ratio}_pvalue")()


def _mid_p(events_a: int, n_a: int, events_b: int, n_b: int) -> float:
    """Double the smaller tail, with half of the observed table."""
    law = hypergeom(n_a + n_b, events_a + events_b, n_a)
    half = law.pmf(events_a) / 2
    return min(1.0, 2 * min(law.cdf(events_a) - half, law.sf(events_a) + half))


#: Tests on counts that authors use, from the deaths and patients of both arms to a two-sided P.
#: They are computed by scipy and statsmodels, so that author and audit do not share a formula,
#: except for the unconditional exact ones. The rank sum test of deaths is the N−1 chi-square.
TESTS_ON_COUNTS: dict[str, Callable[..., float]] = {
    "Pearson chi-square": partial(_chi_square, correction=False),
    "Wilcoxon rank sum": _rank_sum,
    "Yates chi-square": partial(_chi_square, correction=True),
    "likelihood ratio": partial(_chi_square, correction=False, lambda_="log-likelihood"),
    "z, unpooled": partial(_difference_z, method="wald"),
    "z, Agresti-Caffo": partial(_difference_z, method="agresti-caffo"),
    "Wald, log odds ratio": partial(_wald, ratio="oddsratio"),
    "Wald, log risk ratio": partial(_wald, ratio="riskratio"),
    "Fisher exact": lambda *counts: fisher_exact(Table(*counts).cells()).pvalue,
    "mid-P": _mid_p,
    "Boschloo": two_by_two.TESTS["boschloo_central"],
    "Barnard": two_by_two.TESTS["barnard_pooled"],
}

#: Tests of times that authors use, by the weight they give to a death, from the patients at risk
#: and the Kaplan-Meier estimate just before it. The audit considers the first alone.
TESTS_OF_TIMES: dict[str, Callable[[NDArray, NDArray], NDArray | float]] = {
    "log-rank": lambda at_risk, surviving: 1.0,
    "Gehan-Breslow": lambda at_risk, surviving: at_risk,
    "Fleming-Harrington, rho 1": lambda at_risk, surviving: surviving,
}


def p_of_times(
    name: str, time: NDArray[np.float64], died: NDArray[np.bool_], arm: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return P of each row of `time`, in which no two deaths are tied; NaN where undefined."""
    order = np.argsort(time, axis=1)
    died, arm = died[order], arm[order]
    at_risk = np.arange(time.shape[1], 0, -1.0)
    share = arm[:, ::-1].cumsum(axis=1)[:, ::-1] / at_risk
    surviving = np.cumprod(1 - died / at_risk, axis=1)
    weight = died * TESTS_OF_TIMES[name](at_risk, np.insert(surviving, 0, 1, axis=1)[:, :-1])
    excess = (weight * (arm - share)).sum(axis=1)
    variance = (weight**2 * share * (1 - share)).sum(axis=1)
    with np.errstate(invalid="ignore"):
        return chi2.sf(excess**2 / variance, 1)


# The same few tables come up as ends of trials and with one patient recoded.
@lru_cache(maxsize=4096)
def _p_on_counts(test: Callable[..., float], deaths: Table) -> float:
    """Return P as an author computes it."""
    return float(test(*deaths))


# Trials ---------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Trial:
    """Deaths that an imagined trial may end with, and what the audit makes of prints about them.

    Attributes
    ----------
    deaths : rdmas.stats.checks.Table
        Deaths and patients of arms a and b.
    probability : float
        How likely the trial is to end so.
    """

    deaths: Table
    probability: float
    _explained: dict[str, str] = field(default_factory=dict, repr=False)

    @cached_property
    def direction(self) -> int:
        """1 if arm a has the larger share of deaths, -1 if arm b has, 0 if neither."""
        events_a, n_a, events_b, n_b = self.deaths
        return int(np.sign(events_a * n_b - events_b * n_a))

    def explained_by(self, text: str) -> str:
        """Return what gives a print: ``"test"`` on the counts, ``"order"`` of events or nothing.

        Where neither does, the audit raises an alarm; the answer is then ``"caught"``. Tests
        hold this short cut and the scoreboard of `rdmas.paper.claims` together.
        """
        if text not in self._explained:
            by_test, by_order = self._on_counts, self._on_ordering
            answer = "test" if by_test(text) else "order" if by_order(text) else "caught"
            self._explained[text] = answer
        return self._explained[text]

    def _on_counts(self, text: str) -> bool:
        """Try the tests on the counts."""
        values = self._p_values
        if text in SIGNIFICANCE_WORDING:
            return text in {words_for(p_value, self.direction) for p_value in values}
        printed = rounding.parse(text)
        if printed.relation == "=":
            # Picks candidates quickly; the rounding module decides.
            values = values[abs(values - float(printed.number)) < 10.0**-printed.decimals]
        return any(rounding.reproduces(float(value), text) for value in values)

    def _on_ordering(self, text: str) -> bool:
        """Try the assumptions about unseen times; where they are not searched, none is excluded."""
        if not searched(self.deaths):
            return True
        ladder = self._ladder
        if text in SIGNIFICANCE_WORDING:
            return any(supported(ladder, [text in one.wordings(self.direction) for one in ladder]))
        return any(supported(ladder, [one.reproduces(text) for one in ladder]))

    @cached_property
    def _p_values(self) -> NDArray[np.float64]:
        """Every two-sided P on the counts that is defined."""
        tests = two_by_two.p_values(*self.deaths).query("sides == 'two-sided'")
        return tests["p_value"].dropna().to_numpy(float)

    @cached_property
    def _ladder(self) -> tuple[UnseenFollowup, ...]:
        """The assumptions about unseen times; slow to search."""
        return unseen_followup(self.deaths)


def risks(deaths: Table) -> tuple[float, float]:
    """Return the probability of death in each arm, from which imagined trials are made.

    As observed; if nobody died, or nobody survived, with half a death and half a survivor added in
    each arm.

    Examples
    --------
    >>> risks(Table(1, 20, 8, 20)), risks(Table(0, 24, 0, 49))
    ((0.05, 0.4), (0.02, 0.01))
    """
    more = 0.5 if deaths.events_a + deaths.events_b in (0, deaths.n_a + deaths.n_b) else 0
    risk_a, risk_b = ((events + more) / (n + 2 * more) for events, n in (deaths[:2], deaths[2:]))
    return risk_a, risk_b


def likely_trials(deaths: Table, number: int) -> list[Trial]:
    """List how trials with arms like these are most likely to end.

    Each arm has as many patients as here, 25 at most, because unseen times are slow to search in
    larger arms; and each patient dies with the probability of `risks`. Ends without a death, or
    without a survivor, are left out: tests of times are not defined there.

    Parameters
    ----------
    deaths : rdmas.stats.checks.Table
        Deaths and patients of both arms, as from `rdmas.paper.cohort.Cohort.deaths`.
    number : int
        How many ends to list, at least 1.

    Returns
    -------
    list of Trial
        Likeliest first. What their probabilities lack of 1 is that of the ends left out.

    Raises
    ------
    ValueError
        If the counts are impossible.

    Examples
    --------
    >>> likeliest, *_ = likely_trials(Table(1, 6, 3, 6), number=30)
    >>> likeliest.deaths, round(likeliest.probability, 4)
    (Table(events_a=1, n_a=6, events_b=3, n_b=6), 0.1256)
    """
    events_a, n_a, events_b, n_b = checks.table(*deaths)
    size_a, size_b = min(n_a, _LARGEST), min(n_b, _LARGEST)
    risk_a, risk_b = risks(Table(events_a, n_a, events_b, n_b))
    in_a = binom.pmf(np.arange(size_a + 1), size_a, risk_a)
    in_b = binom.pmf(np.arange(size_b + 1), size_b, risk_b)
    ends = [
        Trial(Table(a, size_a, b, size_b), float(in_a[a] * in_b[b]))
        for a in range(size_a + 1)
        for b in range(size_b + 1)
        if 0 < a + b < size_a + size_b
    ]
    ends.sort(key=lambda trial: -trial.probability)
    return ends[: checks.whole("number", number, 1)]


# P-values -------------------------------------------------------------------------------------


def false_alarms(
    trials: Sequence[Trial], losses: Sequence[int], n_datasets: int, *, seed: int
) -> pd.DataFrame:
    """Print P-values of trials as authors would, with three decimals, and count the alarms.

    Parameters
    ----------
    trials : sequence of Trial
        From `likely_trials`.
    losses : sequence of int
        Numbers of survivors, both arms together, whose follow-up in truth ends early.
    n_datasets : int
        Data sets, divided among the trials by their probability, that are drawn for each number
        of losses by `rdmas.stats.logrank.random_data_sets`, for authors who test times.
    seed : int
        Seed of `numpy.random.default_rng`.

    Returns
    -------
    pandas.DataFrame
        One row per author's test and number of losses, with columns ``author``, ``of_times``
        (else on counts), ``lost``, ``share`` (of the author's P-values, where defined, that are
        not reproduced) and ``error`` (its Monte Carlo standard error). Tests on counts know no
        losses; their share, which is exact, is of P-values flagged in any of the ways of
        `ROUNDED_ONCE`. P-values of tests of times are printed half up.

    Examples
    --------
    >>> found = false_alarms(likely_trials(Table(1, 6, 3, 6), 9), [0], 50, seed=1)
    >>> found.set_index("author").loc[["Fisher exact", "log-rank"], "share"].tolist()
    [0.0, 0.0]
    """
    n_datasets = checks.whole("n_datasets", n_datasets, 1)
    losses = [checks.whole("losses", lost) for lost in checks.column("losses", losses)]
    rng = np.random.default_rng(seed)
    weights = np.array([trial.probability for trial in trials])
    weights /= weights.sum()
    rows = []
    for name, test in TESTS_ON_COUNTS.items():
        p_values = np.array([_p_on_counts(test, trial.deaths) for trial in trials])
        defined = np.isfinite(p_values)
        flagged = [
            any(trial.explained_by(p_text(p_value, way)) == "caught" for way in ROUNDED_ONCE)
            for trial, p_value in zip(trials, np.where(defined, p_values, 1), strict=True)
        ]
        share = np.average(flagged, weights=weights * defined)
        rows += [(name, False, lost, share, 0.0) for lost in losses]
    for lost in losses:
        sizes = np.ceil(weights * n_datasets).astype(int)
        shares = np.array(
            [_simulated(*pair, lost, rng) for pair in zip(trials, sizes, strict=True)]
        )
        errors = np.sqrt((weights / sizes**0.5) ** 2 @ (shares * (1 - shares)))
        rows += zip(TESTS_OF_TIMES, repeat(True), repeat(lost), weights @ shares, errors)
    return pd.DataFrame(rows, columns=["author", "of_times", "lost", "share", "error"])


def _simulated(trial: Trial, size: int, lost: int, rng: np.random.Generator) -> list[float]:
    """Return the share of P-values flagged among simulated ones, by test of times."""
    survivors = sum(trial.deaths.complement()[::2])
    drawn = random_data_sets(*trial.deaths, size, min(lost, survivors), seed=rng)
    scale, shares = 10**_DECIMALS, []
    for name in TESTS_OF_TIMES:
        p_values = p_of_times(name, *drawn)
        p_values = p_values[np.isfinite(p_values)]
        # Hundreds of different prints of thousands of different values; 0 stands for "<0.001".
        units = np.where(p_values * scale < 1, 0, np.floor(p_values * scale + 0.5))
        printed, numbers = np.unique(units, return_counts=True)
        alarms = [trial.explained_by(p_text(unit / scale)) == "caught" for unit in printed]
        shares.append(float(numbers @ alarms) / max(p_values.size, 1) if alarms else 0.0)
    return shares


def planted_errors(trials: Sequence[Trial]) -> pd.DataFrame:
    """Plant errors in P-values of tests on counts, and count those that raise an alarm.

    The errors: one digit changed; the decimal point slipped by one place; half the P-value, as
    when a one-sided P is printed for a two-sided one; P of data in which the outcome of one
    patient is another (``one patient recoded``); the wrong one of ``<0.05`` and ``>0.05``;
    in words, the wrong side of significance, and the wrong direction. Numbers are printed
    half up, with three decimals; an error that leaves the print as it is counts for none.

    Parameters
    ----------
    trials : sequence of Trial
        From `likely_trials`.

    Returns
    -------
    pandas.DataFrame
        One row per kind of print (P-value or wording) and error, with columns ``kind``,
        ``error`` and what becomes of it, in shares that add up to 1: ``test`` (another test on
        the counts gives the wrong print), ``order`` (only an assumption about unseen times
        does) and ``caught`` (nothing does). They are exact: every test of `TESTS_ON_COUNTS` is
        used, every error made in every way, and every patient or digit equally likely to be
        changed.

    Examples
    --------
    >>> found = planted_errors(likely_trials(Table(1, 6, 3, 6), 9)).set_index("error")
    >>> found.loc["wrong direction", ["test", "order", "caught"]].astype(float).tolist()
    [0.0, 0.0, 1.0]
    """
    rows = [
        (kind, error, trial.explained_by(text), weight * trial.probability)
        for trial in trials
        for test in TESTS_ON_COUNTS.values()
        for kind, error, text, weight in _wrong_prints(trial, test)
    ]
    planted = pd.DataFrame(rows, columns=["kind", "error", "outcome", "weight"])
    sums = planted.groupby(["kind", "error", "outcome"], sort=False)["weight"].sum().unstack()
    sums = sums.reindex(columns=["test", "order", "caught"]).fillna(0)
    return sums.div(sums.sum(axis=1), axis=0).rename_axis(columns=None).reset_index()


def _wrong_prints(
    trial: Trial, test: Callable[..., float]
) -> Iterator[tuple[str, str, str, float]]:
    """Yield kind, error, text and weight of all wrong prints of one P."""
    p_value = _p_on_counts(test, trial.deaths)
    if not math.isfinite(p_value):
        return
    text = p_text(p_value)
    wrong = [("half the P-value", p_value / 2, 1.0)] + [
        ("one patient recoded", _p_on_counts(test, other), share)
        for other, share in _one_patient_recoded(trial.deaths)
    ]
    for error, other_p, weight in wrong:
        if math.isfinite(other_p) and p_text(other_p) != text:
            yield "P-value", error, p_text(other_p), weight
    if not text.startswith("<"):  # that has no digits of its own
        for changed in _one_digit_changed(text):
            yield "P-value", "one digit changed", changed, 1 / (9 * _DECIMALS)
        number = Fraction(text)
        up, down = (number * 10, _DECIMALS - 1), (number / 10, _DECIMALS + 1)
        slipped = decimal_text(*(up if up[0] < 1 else down))
        yield "P-value", "decimal point slipped", slipped, 1
    below, above = f"<{ALPHA}", f">{ALPHA}"
    is_below = significant(p_value, ALPHA)
    yield "P-value", "wrong side of the level", above if is_below else below, 1
    # Where the shares of deaths are equal, a paper has no direction to put into words.
    if trial.direction:
        other_side = words(0 if is_below else trial.direction)
        yield "wording", "wrong side of the level", other_side, 1
        if is_below:
            yield "wording", "wrong direction", words(-trial.direction), 1


def _one_patient_recoded(deaths: Table) -> Iterator[tuple[Table, float]]:
    """Yield each table that one patient's other outcome gives, with the share of such patients."""
    patients = deaths.n_a + deaths.n_b
    for change, candidates in ((-1, deaths), (1, deaths.complement())):
        for arm in ("events_a", "events_b"):
            other = deaths._replace(**{arm: getattr(deaths, arm) + change})
            number = getattr(candidates, arm)
            if number and 0 < other.events_a + other.events_b < patients:
                yield other, number / patients


def _one_digit_changed(text: str) -> Iterator[str]:
    """Yield a P-value with each decimal changed to each other digit."""
    for place in range(len(text) - _DECIMALS, len(text)):
        for digit in "0123456789":
            changed = f"{text[:place]}{digit}{text[place + 1 :]}"
            if changed != text and Fraction(changed) <= 1:
                yield changed
