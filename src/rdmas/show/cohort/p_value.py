"""What the chapter on P-values says of patients' records.

``tests`` is the frame of `tests` throughout: one row a test, those on the times first.
"""

from __future__ import annotations

import math

import pandas as pd
from IPython.display import HTML

from rdmas.paper.cohort import Cohort
from rdmas.paper.significance import ALPHA
from rdmas.show import prose, tables
from rdmas.show.cohort import _words as words
from rdmas.stats import two_by_two
from rdmas.stats.cox import HazardRatio, hazard_ratio
from rdmas.stats.logrank import logrank_p
from rdmas.stats.significance import significant

#: The family of the tests that use follow-up times.
TIMES = "times of death and follow-up"

NO_VERDICT = "A P-value says neither how large a difference is nor what it is due to."

_NOTHING = pd.DataFrame(
    columns=["test", "key", "statistic", "p_value", "interval", "left_out"], dtype=object
).astype({"p_value": float})


def tests(cohort: Cohort) -> pd.DataFrame:
    """Compute every two-sided test of the difference in survival between two arms.

    Returns
    -------
    pandas.DataFrame
        Columns ``test``, ``key``, ``statistic``, ``p_value`` (NaN where it is undefined or was
        not computed), ``interval`` and ``left_out`` (why it was not computed, or empty). No row
        where there is nothing to compare.
    """
    if words.nothing_to_compare(cohort):
        return _NOTHING
    found = two_by_two.p_values(*cohort.deaths()).query("sides == 'two-sided'")
    return pd.concat([_on_times(cohort), found[_NOTHING.columns]], ignore_index=True)


def _on_times(cohort: Cohort) -> pd.DataFrame:
    """Tests that use the follow-up times; no row without them."""
    if not cohort.has_times:
        return _NOTHING
    time, died, treated = words.records(cohort)
    cox = hazard_ratio(time, died, treated)
    rows = [
        ("log-rank", "log_rank", logrank_p(time, died, treated)),
        ("Cox regression, score", "cox_score", cox.p_score),
        ("Cox regression, likelihood ratio", "cox_likelihood_ratio", cox.p_likelihood_ratio),
        ("Cox regression, Wald", "cox_wald", cox.p_wald),
    ]
    frame = pd.DataFrame(rows, columns=["test", "key", "p_value"])
    return frame.assign(statistic=TIMES, interval="", left_out="")[_NOTHING.columns]


def answer(cohort: Cohort, tests: pd.DataFrame) -> str:
    """Answer the chapter's question in three sentences."""
    if not cohort.shows("died"):
        return words.answer(words.masked("Survival", cohort.mask_below))
    if tests.empty:
        return words.answer(words.NO_SECOND_ARM, "So there is no difference to test.")
    return words.answer(say_log_rank(cohort, tests), _on_counts_in_short(tests), NO_VERDICT)


# Tests on the times ---------------------------------------------------------------------------


def say_log_rank(cohort: Cohort, tests: pd.DataFrame) -> str:
    """Word the log-rank test in one sentence, or why there is none."""
    if reason := words.nothing_to_compare(cohort):
        return reason
    if not cohort.has_times:
        return (
            "The register holds no follow-up times, so that only the counts of deaths are used "
            "and the log-rank test cannot be computed."
        )
    p = _log_rank(tests)
    if math.isnan(p):
        why = (
            "at every death only one arm was still followed"
            if _on_counts(tests).empty or cohort.patients["died"].any()
            else "nobody died"
        )
        return f"The log-rank test cannot be computed, for {why}."
    treated, control = words.arm(cohort.treatment_arm), words.arm(cohort.control_arm or "")
    ratio = _cox(cohort).estimate
    verdict = (
        f"significantly {'higher' if ratio < 1 else 'lower'} than"
        if significant(p, ALPHA)
        else "not significantly different from that"
    )
    return (
        f"By the log-rank test, which counts each patient for as long as the follow-up lasted, "
        f"survival in {treated} is {verdict} in {control} at the level {ALPHA:g} "
        f"(**{words.p_value(p)}**)."
    )


def time_table(tests: pd.DataFrame) -> HTML | None:
    """Show the tests that use the follow-up times."""
    return _table(tests[tests["statistic"] == TIMES], "Two-sided P-values of tests on the times")


def say_times(cohort: Cohort, tests: pd.DataFrame) -> str:
    """Word what the tests on the times are, and what follow-up was seen."""
    if tests.empty or not cohort.has_times:
        return say_log_rank(cohort, tests)
    rows = tests[tests["statistic"] == TIMES]
    undefined = rows.loc[rows["p_value"].isna(), "test"]
    return words.sentences(
        "The log-rank test compares, at each death, the arm that lost a patient with what the "
        "numbers at risk would lead one to expect; the three tests of a Cox regression on the arm "
        "ask the same and agree with it in large cohorts.",
        f"Not defined on these records: {words.several(undefined)}." if len(undefined) else "",
        _seen(cohort),
    )


def _seen(cohort: Cohort) -> str:
    """Word how many survivors were followed for a shorter time than the last death took."""
    time, died, _ = words.records(cohort)
    if not died.any() or died.all():
        return ""
    survivors = int((died == 0).sum())
    short = int((time[died == 0] < time[died == 1].max()).sum())
    if 0 < short < cohort.mask_below or 0 < survivors - short < cohort.mask_below:
        return ""
    followed = f"Of the {prose.counted(survivors, 'survivor')}, {prose.count(short)}"
    if not short:
        return "Every survivor was followed at least as long as the last death took."
    return (
        f"{followed} {'was' if short == 1 else 'were'} followed for a shorter time than the last "
        "death took; tests on counts take such a patient for a survivor all the same, tests on "
        "times count the patient only for as long as he or she was seen."
    )


# Tests on the counts --------------------------------------------------------------------------


def count_table(tests: pd.DataFrame) -> HTML | None:
    """Show the tests on the counts that were computed and are defined."""
    return _table(_on_counts(tests), "Two-sided P-values of tests on the counts")


def say_counts(cohort: Cohort, tests: pd.DataFrame) -> str:
    """Word what the tests on the counts have in common, and which are missing and why."""
    if reason := words.nothing_to_compare(cohort):
        return reason
    counted = tests[tests["statistic"] != TIMES]
    undefined = counted.loc[counted["p_value"].isna() & (counted["left_out"] == ""), "test"]
    left_out = [
        f"Left out, with {str(reason).removeprefix('left out: ')}: {words.several(rows['test'])}."
        for reason, rows in counted[counted["left_out"] != ""].groupby("left_out", sort=False)
    ]
    return words.sentences(
        "Tests on the counts use four numbers, patients and deaths of the two arms, and ignore "
        "when the deaths happened.",
        _families(_on_counts(tests)),
        f"Not defined on these counts: {words.several(undefined)}." if len(undefined) else "",
        *left_out,
    )


def say_verdict(cohort: Cohort, tests: pd.DataFrame) -> str:
    """Word whether the answer at the level depends on the test."""
    if reason := words.nothing_to_compare(cohort):
        return reason
    counted = _on_counts(tests)
    short = _on_counts_in_short(tests)
    p = _log_rank(tests)
    if math.isnan(p):
        return short
    below = int(significant(counted["p_value"], ALPHA).sum())
    if 0 < below < len(counted):
        return f"{short} The P-value of the log-rank test is {_side(p)} it."
    agrees = bool(below) == bool(significant(p, ALPHA))
    return words.sentences(
        short,
        "The log-rank test gives the same answer."
        if agrees
        else f"The log-rank test gives another answer: its P is {_side(p)} {ALPHA:g}, because it "
        "takes into account when the deaths happened and for how long each patient was followed.",
    )


def drawn(tests: pd.DataFrame) -> pd.DataFrame:
    """Return the tests that a figure can show."""
    return tests.dropna(subset="p_value")


def _on_counts(tests: pd.DataFrame) -> pd.DataFrame:
    """Tests on the counts with a P-value."""
    return tests[(tests["statistic"] != TIMES) & tests["p_value"].notna()]


def _on_counts_in_short(tests: pd.DataFrame) -> str:
    """Word how many tests on the counts find a significant difference, in one sentence."""
    counted = _on_counts(tests)
    p_values = counted["p_value"]
    below, all_ = int(significant(p_values, ALPHA).sum()), len(counted)
    ends = list(dict.fromkeys(prose.p_value(p, 3) for p in (p_values.min(), p_values.max())))
    span = f"P {' to '.join(ends)}"
    if below == all_:
        return (
            f"All {prose.count(all_)} tests of the four counts alone give P below {ALPHA:g} "
            f"({span}), so that the answer at that level does not depend on which of them is taken."
        )
    if not below:
        return (
            f"Not one of the {prose.count(all_)} tests of the four counts alone gives P below "
            f"{ALPHA:g} ({span}), so that the answer at that level does not depend on which of "
            "them is taken."
        )
    return (
        f"Of the {prose.count(all_)} tests of the four counts alone, {prose.count(below)} "
        f"{'gives' if below == 1 else 'give'} P below {ALPHA:g} ({span}), so that the answer at "
        "that level depends on which of them is taken."
    )


def _families(counted: pd.DataFrame) -> str:
    statistics = counted["statistic"].nunique()
    return (
        f"The {prose.counted(len(counted), 'test')} here are variants of "
        f"{prose.counted(statistics, 'statistic')} of the same numbers, so that their number adds "
        "no evidence."
    )


def _side(p: float) -> str:
    return "below" if significant(p, ALPHA) else "not below"


def _log_rank(tests: pd.DataFrame) -> float:
    found = tests.loc[tests["key"] == "log_rank", "p_value"]
    return float(found.iloc[0]) if len(found) else math.nan


def _cox(cohort: Cohort) -> HazardRatio:
    return hazard_ratio(*words.records(cohort))


def _table(rows: pd.DataFrame, label: str) -> HTML | None:
    rows = rows.dropna(subset="p_value")
    if rows.empty:
        return None
    cells = rows.assign(
        family=rows["statistic"].mask(rows["statistic"].duplicated(), ""),
        shown=[prose.p_value(p) for p in rows["p_value"]],
        below=significant(rows["p_value"], ALPHA).astype(bool),
    )
    headings = {
        "family": "Statistic",
        "test": "Test",
        "shown": "P",
        "below": f"Below {ALPHA:g}",
        "interval": "Confidence interval built on it",
    }
    if not rows["interval"].any():
        headings.pop("interval")
    return tables.show(cells, label, headings)
