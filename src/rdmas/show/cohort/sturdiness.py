"""How sturdy the comparison of patients' records is.

``tests`` is the frame of `fragile` throughout: one row a test on the counts.
"""

from __future__ import annotations

import math

import pandas as pd
from IPython.display import HTML

from rdmas.paper.cohort import Cohort
from rdmas.paper.significance import ALPHA
from rdmas.show import prose, tables
from rdmas.show.cohort import _counts as counts
from rdmas.show.cohort import _words as words
from rdmas.stats import confounding, controls, misclassification, two_by_two
from rdmas.stats.checks import Table
from rdmas.stats.logrank import logrank_p
from rdmas.stats.significance import significant

#: Tests whose P-value is had at once, also in large arms; those of Barnard and Boschloo, which
#: search for the least favourable probability, would have to do so for every table.
QUICK = tuple(
    key
    for key, test in two_by_two.TESTS.items()
    if test.sides == "two-sided" and test.kind != "unconditional"
)

#: Days from which survivors are compared anew.
DAYS = (3, 7, 14, 28)

#: Up to so many wrong outcomes in one arm, wrong outcomes in both are searched for.
_SEARCHED = 30

_PICTURED = 5

#: Tests under which wrong outcomes in both arms are searched for.
_CONVENTIONAL = {
    "chi2_n_minus_1": "the N−1 chi-square test",
    "fisher": "Fisher's exact test",
}


def fragile(cohort: Cohort) -> pd.DataFrame:
    """Count under each test how many outcomes of one arm take P to the level or above.

    Outcomes change towards those of the other arm.

    Returns
    -------
    pandas.DataFrame
        Columns ``test``, ``key``, ``p_value``, ``treated`` and ``control`` (outcomes in that arm
        alone; missing where no number suffices) and ``index`` (the smaller). No row where there
        is nothing to compare, and none for a test that is not defined on the counts.
    """
    if words.nothing_to_compare(cohort):
        return pd.DataFrame(columns=["test", "key", "p_value", "treated", "control", "index"])
    deaths = cohort.deaths()
    exchanged = Table(*deaths[2:], *deaths[:2])
    control = controls.control_tipping(*deaths, alpha=ALPHA, tests=QUICK)
    treated = controls.control_tipping(*exchanged, alpha=ALPHA, tests=QUICK)
    found = pd.DataFrame(
        {
            "test": control["test"],
            "key": control["key"],
            "p_value": control["p_value_observed"],
            "treated": treated["fewer_events"].abs(),
            "control": control["fewer_events"].abs(),
        }
    )
    found["index"] = found[["treated", "control"]].min(axis=1)
    return found.dropna(subset="p_value").reset_index(drop=True)


def answer(cohort: Cohort, tests: pd.DataFrame, level: float) -> str:
    """Answer the chapter's question in three sentences."""
    if not cohort.shows("died"):
        return words.answer(words.masked("Survival", cohort.mask_below))
    if cohort.control_arm is None:
        return words.answer(
            words.NO_SECOND_ARM, "So there is no difference whose sturdiness could be asked about."
        )
    return words.answer(
        _fragility_in_short(cohort, tests),
        _hidden_trait_in_short(cohort, level),
        "This does not say that an outcome is wrong or that such a trait exists.",
    )


# Single outcomes ------------------------------------------------------------------------------


def fragility_table(cohort: Cohort, tests: pd.DataFrame) -> HTML | None:
    """Show how many outcomes take P past the level under each test that is significant."""
    below = tests[significant(tests["p_value"], ALPHA)]
    if below.empty:
        return None
    cells = below.assign(p_value=[prose.p_value(p) for p in below["p_value"]])
    treated, control = _changes(cohort)
    headings = {"test": "Test", "p_value": "P", "treated": treated, "control": control}
    return tables.show(cells, "Outcomes that take P past the level, by test", headings)


def say_fragility(cohort: Cohort, tests: pd.DataFrame) -> str:
    """Word how many outcomes the significance rests on, and which tests were asked."""
    if reason := words.nothing_to_compare(cohort):
        return reason
    return words.sentences(
        _fragility_in_short(cohort, tests),
        "Outcomes are changed one at a time within one arm, towards those of the other; the tests "
        "are those on the four counts, without follow-up times, and those of Barnard and Boschloo "
        "are left out, because each would have to search anew for every table.",
        _log_rank_besides(cohort, tests),
    )


def _fragility_in_short(cohort: Cohort, tests: pd.DataFrame) -> str:
    below = tests[significant(tests["p_value"], ALPHA)]
    n_tests = prose.counted(len(tests), "test")
    if below.empty:
        return (
            f"Not one of the {n_tests} asked here gives P below {ALPHA:g}, so that there is no "
            "significant difference that a few outcomes could take away."
        )
    which = f"all {n_tests}" if len(below) == len(tests) else f"{len(below)} of the {n_tests}"
    ways = [
        _outcomes(prose.span(below[column]), change)
        for column, change in zip(("treated", "control"), _changes(cohort, words.arm), strict=True)
        if below[column].notna().all()
    ]
    if not ways:
        return f"By {which} asked here the counts differ significantly (P below {ALPHA:g})."
    depending = ", depending on the test" if len(below) > 1 else ""
    return (
        f"By {which} asked here the counts differ significantly (P below {ALPHA:g}); "
        f"{' or '.join(ways)} would take P to {ALPHA:g} or above{depending}."
    )


def _outcomes(number: str, change: str) -> str:
    """Write a number of outcomes with their change: 1 more death in an arm."""
    change = change[0].lower() + change[1:]
    return f"{number} {change.replace('deaths', 'death', 1) if number == '1' else change}"


def _log_rank_besides(cohort: Cohort, tests: pd.DataFrame) -> str:
    """Word where the log-rank test gives another answer than the counts."""
    if not cohort.has_times:
        return ""
    p = float(logrank_p(*words.records(cohort)))
    below = significant(tests["p_value"], ALPHA)
    if math.isnan(p) or (below == significant(p, ALPHA)).any():
        return ""
    return (
        f"The log-rank test, which uses the times, gives another answer ({words.p_value(p)}): "
        "these numbers of outcomes do not bear on it."
    )


def _changes(cohort: Cohort, named=str) -> tuple[str, str]:
    """Name the change of outcomes in each arm that narrows the difference."""
    deaths = cohort.deaths()
    treated_lower = deaths.events_a * deaths.n_b <= deaths.events_b * deaths.n_a
    ways = ("More deaths in", "Fewer deaths in")
    first, second = ways if treated_lower else ways[::-1]
    return f"{first} {named(cohort.treatment_arm)}", f"{second} {named(cohort.control_arm or '')}"


# A hidden trait -------------------------------------------------------------------------------


def say_hidden_trait(cohort: Cohort, level: float) -> str:
    """Word the E-value and what it is."""
    if reason := words.nothing_to_compare(cohort):
        return reason
    deaths = cohort.deaths()
    ratio, limits = _risk_ratio(deaths, level)
    if math.isnan(ratio):
        return _hidden_trait_in_short(cohort, level)
    interval = f"{counts.level_in_words(level)} Koopman interval {_limits(*limits)}"
    size = "infinite" if math.isinf(ratio) else words.ratio(ratio)
    return words.sentences(
        f"The risk ratio of death, {words.arm(cohort.treatment_arm)} over "
        f"{words.arm(cohort.control_arm or '')}, is {size} ({interval}).",
        _hidden_trait_in_short(cohort, level),
        "The E-value takes the risk ratio as it is and asks nothing about follow-up times.",
    )


def _hidden_trait_in_short(cohort: Cohort, level: float) -> str:
    ratio, limits = _risk_ratio(cohort.deaths(), level)
    if math.isnan(ratio):
        return "Nobody died, so that there is no risk ratio to explain."
    if ratio == 1:
        return "The risk of death is the same in both arms, so that there is nothing to explain."
    found = confounding.e_value(ratio, *limits)
    includes_one = "the interval of the risk ratio includes one even without such a trait"
    if math.isinf(found.estimate):
        nobody = words.arm(cohort.treatment_arm if ratio == 0 else cohort.control_arm or "")
        rest = (
            "the interval of the risk ratio includes one"
            if found.limit == 1
            else "for the end of its interval that is nearest to one the E-value is "
            f"{words.ratio(found.limit)}"
        )
        return (
            f"Nobody died in {nobody}, so that a hidden trait of no finite strength gives the risk "
            f"ratio itself; {rest}."
        )
    rest = (
        includes_one
        if found.limit == 1
        else "for the end of the interval that is nearest to one the value is "
        f"{words.ratio(found.limit)}"
    )
    value = words.ratio(found.estimate)
    return (
        "Without any effect, the risk ratio of death could come about through a trait that is not "
        f"recorded, if it were at least {value} times as common in one arm as in the other and "
        f"multiplied the risk by at least {value} (the E-value); {rest}."
    )


def _risk_ratio(deaths: Table, level: float) -> tuple[float, tuple[float, float]]:
    """Risk ratio of death with Koopman's interval; NaN if nobody died."""
    effects = two_by_two.effects(*deaths, level=level, desirable=False)
    row = effects[effects["method"] == "Koopman"].iloc[0]
    return float(row["estimate"]), (float(row["low"]), float(row["high"]))


# Wrong outcomes -------------------------------------------------------------------------------


def wrong_outcomes(cohort: Cohort, tests: pd.DataFrame) -> pd.DataFrame:
    """Return P after a few wrong outcomes in both arms, as `plot_wrong_outcomes` takes it.

    Empty where P of the N−1 chi-square is not below the level to begin with.
    """
    if tests.empty or not significant(_p(tests, "chi2_n_minus_1"), ALPHA):
        return pd.DataFrame()
    return misclassification.misclassification_grid(
        *cohort.deaths(), "chi2_n_minus_1", ALPHA, most=_PICTURED - 1
    )


def say_wrong_outcomes(cohort: Cohort, tests: pd.DataFrame) -> str:
    """Word how many wrong outcomes, both arms together, take P past the level."""
    if reason := words.nothing_to_compare(cohort):
        return reason
    deaths = cohort.deaths()
    found = []
    for key, name in _CONVENTIONAL.items():
        row = tests[tests["key"] == key]
        if row.empty or not significant(_p(tests, key), ALPHA):
            continue
        if row["index"].iloc[0] > _SEARCHED:
            found.append(
                f"Under {name}, wrong outcomes in both arms were not searched for, because more "
                f"than {_SEARCHED} would be needed in one."
            )
            continue
        frontier = misclassification.misclassification_frontier(*deaths, ALPHA, [key])
        fewest = frontier.sort_values("wrong", kind="stable").iloc[0]
        if fewest["left_out"]:
            found.append(f"Under {name}, wrong outcomes in both arms are {fewest['left_out']}.")
            continue
        found.append(
            f"Under {name}, {prose.counted(int(fewest['wrong']), 'wrong outcome')} in all "
            f"({prose.count(int(fewest['wrong_a']))} in {words.arm(cohort.treatment_arm)}, "
            f"{prose.count(int(fewest['wrong_b']))} in {words.arm(cohort.control_arm or '')}) "
            f"would take P to {ALPHA:g} or above."
        )
    if not found:
        return (
            f"Neither the N−1 chi-square nor Fisher's exact test gives P below {ALPHA:g}, so that "
            "no wrong outcome is needed for that."
        )
    return words.sentences(
        "A patient who was lost and taken to be alive, or a death recorded for the wrong patient, "
        "changes the counts.",
        *found,
    )


# Early deaths ---------------------------------------------------------------------------------


def say_early_deaths(cohort: Cohort, tests: pd.DataFrame) -> str:
    """Word how many early deaths among the controls would carry the difference."""
    if reason := words.nothing_to_compare(cohort):
        return reason
    deaths = cohort.deaths()
    treated, control = words.arm(cohort.treatment_arm), words.arm(cohort.control_arm or "")
    why = (
        f"A patient who died before the treatment of {treated} could begin can be counted in "
        f"{control} only, which makes {control} look worse than it was."
    )
    if deaths.events_a * deaths.n_b >= deaths.events_b * deaths.n_a:
        return (
            f"{why} Mortality in {control} is not higher than in {treated}, so that this would not "
            "explain a difference."
        )
    below = tests[significant(tests["p_value"], ALPHA)]
    if below.empty:
        return f"{why} There is no significant difference that such deaths would have to explain."
    early = controls.immortal_time(*deaths, alpha=ALPHA, tests=below["key"].tolist())
    removed = early["removed"].dropna()
    if len(removed) < len(early):
        return (
            f"{why} By {prose.count(len(early) - len(removed))} of the "
            f"{prose.counted(len(early), 'significant test')} P would stay below {ALPHA:g}, "
            "however many of these deaths were left out."
        )
    depending = ", depending on the test" if len(removed) > 1 else ""
    return (
        f"{why} Without {prose.span(removed)} of its {prose.counted(deaths.events_b, 'death')}"
        f"{depending}, P would be {ALPHA:g} or above."
    )


def landmark_table(cohort: Cohort) -> HTML | None:
    """Show the log-rank test among those still followed at stated days."""
    rows = _landmarks(cohort)
    if rows.empty:
        return None
    names = [f"{arm}: {what}" for arm in cohort.arms for what in ("patients", "deaths after it")]
    headings = {"day": "After day", **dict(zip(rows.columns[1:5], names, strict=True)), "p": "P"}
    numbers = rows[rows.columns[1:5]].map(prose.count)
    cells = rows.assign(
        **numbers, p=["not defined" if math.isnan(p) else prose.p_value(p) for p in rows["p"]]
    )
    return tables.show(cells, "Log-rank test from stated days on", headings)


def say_landmarks(cohort: Cohort) -> str:
    """Word what the comparison from later days on says."""
    if reason := words.nothing_to_compare(cohort):
        return reason
    if not cohort.has_times:
        return "Without follow-up times it cannot be seen how early the deaths were."
    rows = _landmarks(cohort)
    if rows.empty:
        return (
            "The follow-up of both arms is too short, or the numbers are too small, for comparing "
            "anew those still followed some days later."
        )
    all_ = float(logrank_p(*words.records(cohort)))
    start = (
        "The table compares anew those who were alive and followed at a given day, which leaves "
        "out early deaths in both arms alike."
    )
    if math.isnan(all_):
        return start
    known = rows.dropna(subset="p")
    changed = known[significant(known["p"], ALPHA) != significant(all_, ALPHA)]
    side = "below" if significant(all_, ALPHA) else "not below"
    overall = f"{start} The P-value of the log-rank test, {side} {ALPHA:g} for all patients,"
    if changed.empty:
        where = "wherever it is defined" if len(known) < len(rows) else "after each of these days"
        return f"{overall} stays so {where}."
    days = prose.listed(changed["day"]).replace(" and ", " or ")
    return f"{overall} is not so after day {days}."


def _landmarks(cohort: Cohort) -> pd.DataFrame:
    """Log-rank tests of those who are followed beyond stated days, as far as both arms are."""
    columns = ["day", "n_1", "deaths_1", "n_0", "deaths_0", "p"]
    measured = cohort.has_times and cohort.time_unit == "days"
    if words.nothing_to_compare(cohort) or not measured:
        return pd.DataFrame(columns=columns)
    time, died, treated = words.records(cohort)
    deaths, rows = cohort.deaths(), []
    shown = [deaths.n_a, deaths.events_a, deaths.n_b, deaths.events_b]
    for day in DAYS:
        left = time > day
        numbers = [
            int(number)
            for arm in (1, 0)
            for number in ((left & (treated == arm)).sum(), died[left & (treated == arm)].sum())
        ]
        if not numbers[0] or not numbers[2]:
            break
        gone = [before - number for before, number in zip(shown, numbers, strict=True)]
        alive = [numbers[0] - numbers[1], numbers[2] - numbers[3]]
        if not words.may_show(cohort.mask_below, *numbers, *gone, *alive):
            continue
        shown = numbers
        rows.append((day, *numbers, logrank_p(time[left], died[left], treated[left])))
    return pd.DataFrame(rows, columns=columns)


def _p(tests: pd.DataFrame, key: str) -> float:
    found = tests.loc[tests["key"] == key, "p_value"]
    return float(found.iloc[0]) if len(found) else math.nan


def _limits(low: float, high: float) -> str:
    """Write the limits of a ratio, as far as the counts set any."""
    if math.isinf(high):
        return f"from {words.ratio(low)}, without an upper limit"
    return (
        f"up to {words.ratio(high)}" if low == 0 else f"{words.ratio(low)} to {words.ratio(high)}"
    )
