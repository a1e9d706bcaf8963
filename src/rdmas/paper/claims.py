"""Every claim re-derived: derivations, verdicts and the scoreboard.

A claim is one row of ``claims.csv``. Its *derivations* recompute the number from a cohort, each
on one *basis*:

``counts``
    follows by arithmetic from counts the paper states, in every data set that fits them;
``ordering``
    depends on the unseen order of deaths and ends of follow-up;
``input``
    was put into the reconstruction, so that re-deriving it tests the pipeline and not the paper;
``none``
    nothing at hand bears on it.

The headline of a claim is its reproducing derivation with the strongest basis, in that order.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
import pandas as pd

from rdmas.paper.cohort import SIGNIFICANCE_WORDING, Cohort, load_cohort
from rdmas.stats import logrank, rounding, two_by_two

BASES = ("counts", "ordering", "input", "none")
VERDICTS = (
    "reproduced",
    "reproduced under a stated convention",
    "not reproduced",
    "not checkable",
)

#: "Significant" means a two-sided P-value below this, in the paper's field and in this book.
ALPHA = 0.05

BY_CONSTRUCTION = "the value was put into the reconstruction"


@dataclass(frozen=True)
class Derivation:
    """One way to recompute a claim.

    Attributes
    ----------
    method : str
        How the value was computed.
    value : float or tuple
        The value before rounding: a number, a pair of counts, or the ends of a range.
    recomputed : str
        The value printed the way the paper prints it.
    reproduces : bool
        Whether it gives the printed value; for a range, whether some data set in it does.
    basis : str
        One of `BASES`.
    convention : str
        What the derivation assumes that the paper does not state; empty if nothing.
    """

    method: str
    value: float | tuple
    recomputed: str
    reproduces: bool
    basis: str
    convention: str = ""


def derive(claim_id: str, cohort: Cohort | None = None) -> list[Derivation]:
    """Recompute one claim in every way the cohort allows.

    Parameters
    ----------
    claim_id : str
        An ``id`` of the registry.
    cohort : rdmas.paper.cohort.Cohort, optional
        The cohort to compute from; by default the companion's own.

    Returns
    -------
    list of Derivation
        Headline first. Empty where nothing in the cohort bears on the claim.

    Raises
    ------
    KeyError
        If the registry has no such claim.

    Examples
    --------
    >>> [d.recomputed for d in derive("cmv_percent")]
    ['20%']
    """
    cohort = load_cohort() if cohort is None else cohort
    rows = cohort.claims[cohort.claims["id"] == claim_id]
    if rows.empty:
        raise KeyError(f"there is no claim {claim_id!r}")
    claim = rows.iloc[0]
    if not _has_what_it_needs(claim, cohort):
        return []
    derivations = MEASURES[claim["measure"]](claim, cohort)
    return sorted(derivations, key=lambda found: _rank(found, claim))


def scoreboard(cohort: Cohort | None = None) -> pd.DataFrame:
    """Re-derive every claim and give its verdict.

    Parameters
    ----------
    cohort : rdmas.paper.cohort.Cohort, optional
        The cohort to compute from; by default the companion's own.

    Returns
    -------
    pandas.DataFrame
        One row per claim, in the order of the registry, with columns ``id``, ``statement``,
        ``reported``, ``recomputed``, ``verdict`` (one of `VERDICTS`), ``basis`` (one of
        `BASES`), ``convention``, ``chapter`` of the headline derivation; ``nearest`` (where
        not reproduced: what would be) and ``derivations`` (list of dict with keys ``method``,
        ``value``, ``recomputed``, ``reproduces``, ``basis``, ``convention``).

    Examples
    --------
    >>> board = scoreboard().set_index("id")
    >>> board.loc["survival_p_value", ["recomputed", "basis", "convention"]].tolist()
    ['0.011', 'counts', 'chi-square, N−1 (Campbell 2007)']
    """
    cohort = load_cohort() if cohort is None else cohort
    return pd.DataFrame([_row(claim, cohort) for _, claim in cohort.claims.iterrows()])


def as_json(board: pd.DataFrame) -> str:
    """Write a scoreboard as the text of ``claims.json``.

    Parameters
    ----------
    board : pandas.DataFrame
        From `scoreboard`.

    Returns
    -------
    str
        A JSON list of objects; undefined values are null.
    """
    return json.dumps(_jsonable(board.to_dict("records")), indent=1, ensure_ascii=False) + "\n"


def quotes(board: pd.DataFrame) -> dict[str, str]:
    """Return what prose may quote of each claim, as strings.

    Parameters
    ----------
    board : pandas.DataFrame
        From `scoreboard`.

    Returns
    -------
    dict of str to str
        Keys ``<id>.reported``, ``.recomputed``, ``.verdict``, ``.basis`` and ``.convention``.

    Examples
    --------
    >>> quotes(scoreboard())["dose_week8_median.basis"]
    'input'
    """
    columns = ("reported", "recomputed", "verdict", "basis", "convention")
    return {
        f"{row['id']}.{column}": row[column] for _, row in board.iterrows() for column in columns
    }


def tally(board: pd.DataFrame) -> pd.DataFrame:
    """Count claims by verdict and basis.

    Parameters
    ----------
    board : pandas.DataFrame
        From `scoreboard`.

    Returns
    -------
    pandas.DataFrame
        Columns verdict, basis, claims; only combinations that occur, strongest first.
    """
    counted = board.groupby(["verdict", "basis"]).size().rename("claims").reset_index()
    order = counted.apply(
        lambda row: (VERDICTS.index(row["verdict"]), BASES.index(row["basis"])), axis=1
    )
    return counted.loc[order.sort_values().index].reset_index(drop=True)


def parts_and_wholes(claims: pd.DataFrame) -> pd.DataFrame:
    """Check that the counts a paper states fit together.

    Categories of one column are added up where every category has a count, and each stated
    denominator is held against the size of its arm. This needs no patient table.

    Parameters
    ----------
    claims : pandas.DataFrame
        The registry.

    Returns
    -------
    pandas.DataFrame
        Columns ``what``, ``parts``, ``sum``, ``arm``, ``n``, ``fits``: for counts printed
        without a denominator the sum must be the arm's size; for those printed as fractions
        the largest numerator sum may not exceed it.

    Examples
    --------
    >>> from rdmas.paper.cohort import load_cohort
    >>> bool(parts_and_wholes(load_cohort().claims)["fits"].all())
    True
    """
    sizes = claims[claims["measure"] == "n"].set_index("arm")["numerator"]
    counted = claims[claims["measure"].isin(["count", "fraction"])]
    rows = []
    for (arm, variable), group in counted.groupby(["arm", "variable"], sort=False):
        n = int(sizes[arm])
        total = int(group["numerator"].sum())
        partition = bool((group["measure"] == "count").all())
        same_denominator = bool((group["denominator"] == n).all())
        rows.append(
            {
                "what": variable,
                "parts": " + ".join(str(part) for part in group["numerator"]),
                "sum": total,
                "arm": arm,
                "n": n,
                "fits": same_denominator and (total == n if partition else total <= n),
            }
        )
    return pd.DataFrame(rows)


def _row(claim: pd.Series, cohort: Cohort) -> dict:
    derivations = derive(claim["id"], cohort)
    head = derivations[0] if derivations else None
    reproduced = [found for found in derivations if found.reproduces]
    if head is None:
        verdict = "not checkable"
    elif not reproduced:
        verdict = "not reproduced"
    elif head.convention and head.basis != "input":
        verdict = "reproduced under a stated convention"
    else:
        verdict = "reproduced"
    return {
        "id": claim["id"],
        "statement": claim["statement"],
        "reported": claim["reported"],
        "recomputed": head.recomputed if head else "",
        "verdict": verdict,
        "basis": head.basis if head else "none",
        "convention": head.convention if head else "",
        "chapter": claim["chapter"],
        "nearest": _nearest(claim, derivations) if verdict == "not reproduced" else "",
        "derivations": [asdict(found) for found in derivations],
    }


def _rank(found: Derivation, claim: pd.Series) -> tuple:
    """Sort key: reproducing first, then the stronger basis, then the preferred convention."""
    preferred = two_by_two.TESTS[claim["convention"]].name if claim["convention"] else ""
    return (not found.reproduces, BASES.index(found.basis), found.convention != preferred)


def _has_what_it_needs(claim: pd.Series, cohort: Cohort) -> bool:
    if claim["measure"] == "background":
        return False
    if claim["arm"] == "both":
        arms = cohort.arms
        enough = cohort.control_arm is not None
    else:
        arms = (claim["arm"],)
        enough = claim["arm"] in cohort.arms
    if not enough or (claim["variable"] and claim["variable"] not in cohort.patients):
        return False
    column = claim["variable"] or "arm"
    return all(cohort.in_arm(arm)[column].notna().any() for arm in arms)


def _n(claim: pd.Series, cohort: Cohort) -> list[Derivation]:
    return [_single("number of patients in the arm", len(cohort.in_arm(claim["arm"])), claim)]


def _count(claim: pd.Series, cohort: Cohort) -> list[Derivation]:
    events, _ = cohort.count(claim["arm"], claim["variable"], claim["category"])
    return [_single("patients counted", events, claim)]


def _fraction(claim: pd.Series, cohort: Cohort) -> list[Derivation]:
    counts = cohort.count(claim["arm"], claim["variable"], claim["category"])
    return [_single("patients counted", counts, claim)]


def _percent(claim: pd.Series, cohort: Cohort) -> list[Derivation]:
    counts = cohort.count(claim["arm"], claim["variable"], claim["category"])
    return [_single("patients counted, divided by those with a value", Fraction(*counts), claim)]


def _median(claim: pd.Series, cohort: Cohort) -> list[Derivation]:
    value = float(cohort.in_arm(claim["arm"])[claim["variable"]].median())
    assumed = _is_assumed(cohort, claim["variable"])
    return [
        _single(
            "sample median",
            value,
            claim,
            basis="input" if assumed else "counts",
            convention=BY_CONSTRUCTION if assumed else "",
        )
    ]


def _p_value(claim: pd.Series, cohort: Cohort) -> list[Derivation]:
    tests = _two_sided_tests(claim, cohort)
    derivations = [
        _single(test, p_value, claim, convention=test)
        for test, p_value in zip(tests["test"], tests["p_value"], strict=True)
    ]
    assumed = _is_assumed(cohort, "followup_time")
    derivations.append(
        _single(
            "Log-rank on the follow-up times of the patient table",
            _file_logrank_p(cohort),
            claim,
            basis="input" if assumed else "counts",
            convention=BY_CONSTRUCTION if assumed else "Log-rank",
        )
    )
    if assumed:
        assumptions = unseen_followup(cohort)
        possible = [assumption.reproduces(claim["reported"]) for assumption in assumptions]
        derivations += [
            Derivation(
                method=assumption.method,
                value=(assumption.low, assumption.high),
                recomputed=_range_text(assumption, claim["reported"]),
                reproduces=counts,
                basis="ordering",
                convention=assumption.method,
            )
            for assumption, counts in zip(
                assumptions, supported(assumptions, possible), strict=True
            )
        ]
    return derivations


def _significance(claim: pd.Series, cohort: Cohort) -> list[Derivation]:
    tests = _two_sided_tests(claim, cohort)
    direction = _direction(claim, cohort)
    smallest, largest = (float(end) for end in tests["p_value"].agg(["min", "max"]))
    derivations = [
        _worded(
            f"two-sided P below {ALPHA} under all {len(tests)} tests on the counts",
            largest,
            direction,
            claim,
            agreed=_wording(smallest, direction) == _wording(largest, direction),
        )
    ]
    derivations += [
        _worded(f"{test}: two-sided P below {ALPHA}", p_value, direction, claim, convention=test)
        for test, p_value in zip(tests["test"], tests["p_value"], strict=True)
    ]
    assumed = _is_assumed(cohort, "followup_time")
    derivations.append(
        _worded(
            f"Log-rank on the follow-up times of the patient table: two-sided P below {ALPHA}",
            _file_logrank_p(cohort),
            direction,
            claim,
            basis="input" if assumed else "counts",
            convention=BY_CONSTRUCTION if assumed else "Log-rank",
        )
    )
    if assumed:
        assumptions = unseen_followup(cohort)
        possible = [claim["reported"] in one.wordings(direction) for one in assumptions]
        derivations += [
            _worded_range(assumption, direction, claim, counts)
            for assumption, counts in zip(
                assumptions, supported(assumptions, possible), strict=True
            )
        ]
    return derivations


#: How each measure of the registry is derived; a measure without an entry fails a test.
MEASURES: dict[str, Callable[[pd.Series, Cohort], list[Derivation]]] = {
    "n": _n,
    "count": _count,
    "fraction": _fraction,
    "percent": _percent,
    "p_value": _p_value,
    "significance": _significance,
    "median": _median,
}


@dataclass(frozen=True)
class UnseenFollowup:
    """The log-rank P-values that one assumption about unseen follow-up leaves possible.

    Attributes
    ----------
    assumption : str
        What is assumed of follow-up, in words.
    low, high : float
        Ends of the attainable range.
    high_is_bound : bool
        Whether `high` is an upper bound only, see `rdmas.stats.logrank.p_range`.
    high_attained : float
        The largest value that is known to be attained.
    limited : bool
        Whether early ends of follow-up are limited. Where they are not, hardly any value is
        excluded, and that a printed one is possible means nothing.
    known : numpy.ndarray or None
        All attainable values, if nobody is lost and they are few enough to be kept apart.
        None otherwise; values are then so dense that a printed number inside the attained
        range is taken as attainable.
    """

    assumption: str
    low: float
    high: float
    high_is_bound: bool
    high_attained: float
    limited: bool
    known: np.ndarray | None

    @property
    def method(self) -> str:
        """Return the name of the derivation."""
        return f"Log-rank, any order of deaths, {self.assumption}"

    def wordings(self, direction: int) -> set[str]:
        """Return what a test under the assumption can be put into words as, if it is defined."""
        ends = [end for end in (self.low, self.high_attained) if math.isfinite(end)]
        return {_wording(p_value, direction) for p_value in ends}

    def reproduces(self, reported: str) -> bool:
        """Tell whether some data set under the assumption gives the printed value."""
        ends = (self.low, self.high_attained)
        if rounding.parse(reported).relation != "=":
            return any(rounding.reproduces(end, reported) for end in ends)
        low, high = (float(end) for end in rounding.rounding_interval(reported))
        if self.known is None:
            return self.low <= high and low <= self.high_attained
        # A generous margin picks candidates quickly; the rounding module decides.
        margin = 1e-9
        near = self.known[(self.known > low - margin) & (self.known < high + margin)]
        return any(rounding.reproduces(float(p_value), reported) for p_value in near)


def unseen_followup(cohort: Cohort) -> list[UnseenFollowup]:
    """Return what each assumption about unseen follow-up leaves of the log-rank P-value.

    Parameters
    ----------
    cohort : rdmas.paper.cohort.Cohort
        A cohort of two arms; only its counts of deaths are used.

    Returns
    -------
    list of UnseenFollowup
        From the strongest assumption to none at all.
    """
    return list(_unseen_followup(cohort.deaths()))


def supported(assumptions: list[UnseenFollowup], possible: list[bool]) -> list[bool]:
    """Tell which assumptions count for a verdict, given those under which a print is possible.

    Without any limit to early ends of follow-up nearly everything is possible, and a check that
    accepted that could not fail. Such an assumption counts only where a stricter one does.

    Parameters
    ----------
    assumptions : list of UnseenFollowup
        From `unseen_followup`.
    possible : list of bool
        For each, whether the print is possible under it.

    Returns
    -------
    list of bool
    """
    within_limits = any(
        one for one, assumption in zip(possible, assumptions, strict=True) if assumption.limited
    )
    return [one and within_limits for one in possible]


# Several claims of a board ask for the same search, which is the slowest part of a verdict.
@lru_cache(maxsize=64)
def _unseen_followup(counts: tuple[int, int, int, int]) -> tuple[UnseenFollowup, ...]:
    deaths_a, n_a, deaths_b, n_b = counts
    survivors = n_a + n_b - deaths_a - deaths_b
    rungs = [
        (0, False, "nobody's follow-up ending early, no ties"),
        (0, True, "nobody's follow-up ending early, ties allowed"),
        (1, True, "at most one survivor's follow-up ending early, ties allowed"),
    ]
    enough = logrank.losses_to_exceed(*counts, alpha=ALPHA, ties=True)
    if enough is not None and enough > 2:
        rungs += [
            (lost, True, f"at most {lost} survivors' follow-up ending early, ties allowed")
            for lost in (enough - 1, enough)
        ]
    rungs.append((survivors, True, "anybody's follow-up ending early, ties allowed"))
    known = {ties: _orders_known(counts, ties) for ties in (False, True)}
    found = []
    for lost, ties, assumption in rungs:
        ends = logrank.p_range(*counts, lost=lost, ties=ties)
        found.append(
            UnseenFollowup(
                assumption,
                ends.low,
                ends.high,
                ends.high_is_bound,
                ends.high_attained,
                limited=(lost, ties, assumption) != rungs[-1],
                known=None if lost else known[ties],
            )
        )
    return tuple(found)


def _orders_known(counts: tuple[int, int, int, int], ties: bool) -> np.ndarray | None:
    try:
        return logrank.ordering_counts(*counts, ties=ties)["p_value"].dropna().to_numpy()
    except ValueError:  # too many to be kept apart
        return None


def _single(
    method: str,
    value: float | Fraction | tuple[int, int],
    claim: pd.Series,
    basis: str = "counts",
    convention: str = "",
) -> Derivation:
    return Derivation(
        method=method,
        value=value if isinstance(value, (tuple, int)) else float(value),
        recomputed=rounding.print_like(value, claim["reported"]),
        reproduces=rounding.reproduces(value, claim["reported"]),
        basis=basis,
        convention=convention,
    )


def _wording(p_value: float, direction: int) -> str:
    """Put a P-value into the words the registry allows."""
    found = direction if p_value < ALPHA else 0
    return next(words for words, sign in SIGNIFICANCE_WORDING.items() if sign == found)


def _worded(
    method: str,
    p_value: float,
    direction: int,
    claim: pd.Series,
    basis: str = "counts",
    convention: str = "",
    agreed: bool = True,
) -> Derivation:
    """Put a P-value into words, unless tests that it stands for do not agree."""
    wording = _wording(p_value, direction) if agreed else "depends on the test"
    return Derivation(
        method=method,
        value=p_value,
        recomputed=wording if math.isfinite(p_value) else "not defined",
        reproduces=math.isfinite(p_value) and wording == claim["reported"],
        basis=basis,
        convention=convention,
    )


def _worded_range(
    assumption: UnseenFollowup, direction: int, claim: pd.Series, counts: bool
) -> Derivation:
    """Put a range of P-values into words, where all of it says the same."""
    wordings = assumption.wordings(direction)
    agreed = len(wordings) < 2
    return Derivation(
        method=f"{assumption.method}: two-sided P below {ALPHA}",
        value=assumption.high if agreed else (assumption.low, assumption.high),
        recomputed=next(iter(wordings), "not defined") if agreed else "depends on follow-up",
        reproduces=counts,
        basis="ordering",
        convention=assumption.method,
    )


def _range_text(assumption: UnseenFollowup, reported: str) -> str:
    low, high = (rounding.print_like(end, reported) for end in (assumption.low, assumption.high))
    return f"{low} to {'at most ' if assumption.high_is_bound else ''}{high}"


def _two_sided_tests(claim: pd.Series, cohort: Cohort) -> pd.DataFrame:
    tests = two_by_two.p_values(*_counts_in_arms(claim, cohort))
    return tests[tests["sides"] == "two-sided"]


def _counts_in_arms(claim: pd.Series, cohort: Cohort) -> tuple[int, ...]:
    return tuple(
        number
        for arm in cohort.arms
        for number in cohort.count(arm, claim["variable"], claim["category"])
    )


def _direction(claim: pd.Series, cohort: Cohort) -> int:
    events_a, n_a, events_b, n_b = _counts_in_arms(claim, cohort)
    difference = Fraction(events_a, n_a) - Fraction(events_b, n_b)
    return (difference > 0) - (difference < 0)


def _file_logrank_p(cohort: Cohort) -> float:
    patients = cohort.patients
    return float(
        logrank.logrank_p(
            patients["followup_time"].to_numpy(float),
            patients["died"].to_numpy(int),
            (patients["arm"] == cohort.treatment_arm).to_numpy(int),
        )
    )


def _is_assumed(cohort: Cohort, column: str) -> bool:
    return cohort.fields()[column]["provenance"] == "assumed"


def _nearest(claim: pd.Series, derivations: list[Derivation]) -> str:
    """Say what would have been reproduced."""
    would_be = f"{derivations[0].recomputed} would be"
    if claim["measure"] == "percent" and not pd.isna(claim["denominator"]):
        n = int(claim["denominator"])
        fitting = [f"{k}/{n}" for k in rounding.counts_that_print(claim["reported"], n)]
        other = f"{' or '.join(fitting)} prints so" if fitting else f"no count of {n} prints so"
        return f"{would_be}; of {n} patients, {other}"
    if claim["measure"] == "p_value":
        printed = float(rounding.parse(claim["reported"]).number)
        ranges = [found.value for found in derivations if isinstance(found.value, tuple)]
        single = [d for d in derivations if isinstance(d.value, float) and math.isfinite(d.value)]
        if not single:
            return "no test is defined on these counts"
        closest = min(single, key=lambda found: abs(found.value - printed))
        nearest = f"{closest.recomputed} would be ({closest.method})"
        if any(low <= printed <= high for low, high in ranges):
            nearest += "; a log-rank test can give it if more survivors' follow-up ended early"
        return nearest
    return would_be


def _jsonable(value):
    if isinstance(value, dict):
        return {key: _jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_jsonable(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
