"""What the chapter on survival says of patients' records."""

from __future__ import annotations

import math

import pandas as pd
from IPython.display import HTML
from matplotlib.ticker import MaxNLocator

from rdmas.paper.cohort import Cohort
from rdmas.show import prose, tables
from rdmas.show.cohort import _counts as counts
from rdmas.show.cohort import _words as words
from rdmas.stats import proportion, survival, times_to_event, two_by_two
from rdmas.stats.cox import HazardRatio, NotEstimable, hazard_ratio

#: Days at which survival is given, as far as anybody was followed.
DAYS = (28, 56, 180, 365)

#: Below this a median is close to the value of a single patient.
_FEW = 5

_NEEDED = "number needed to treat"


def answer(cohort: Cohort, level: float) -> str:
    """Answer the chapter's question in three sentences."""
    if not cohort.shows("died"):
        return words.answer(words.masked("Survival", cohort.mask_below))
    if cohort.control_arm is None:
        compared = words.NO_SECOND_ARM
    elif cohort.has_times:
        compared = say_hazard_ratio(cohort, level)
    else:
        compared = counts.difference(cohort, cohort.deaths(), "mortality", level)
    caution = words.NO_CAUSE if cohort.control_arm else words.NO_OTHERS
    return words.answer(words.say_deaths(cohort), compared, caution)


# Deaths ---------------------------------------------------------------------------------------


def count_table(cohort: Cohort, level: float) -> HTML | None:
    """Show how many survived in each arm, with intervals by three methods."""
    if not cohort.shows("died"):
        return None
    counted = [(n - events, n) for events, n in words.deaths(cohort).values()]
    listed = pd.DataFrame({"name": cohort.arms, "count": counted})
    for method in ("clopper-pearson", "wilson", "jeffreys"):
        listed[method] = [proportion.interval(*one, method, level) for one in counted]
    return tables.shares(listed, "Survivors of each arm, with intervals", "Arm", "Survived")


def say_counts(cohort: Cohort, level: float) -> str:
    """Word what the counts leave out."""
    if not cohort.shows("died"):
        return words.nothing_to_compare(cohort)
    text = f"Intervals are {counts.level_in_words(level)} confidence intervals."
    if not cohort.has("followup_time"):
        return f"{text} The register holds no follow-up times, so that every patient counts alike."
    return (
        f"{text} A patient who was last seen alive counts as a survivor here, however short the "
        "follow-up."
    )


# Curves ---------------------------------------------------------------------------------------


def may_draw(cohort: Cohort, aggregate_only: bool) -> bool:
    """Tell whether curves, which show the times of single patients, can and may be drawn."""
    return cohort.has_times and not aggregate_only and _last(cohort) > 0


def curves(cohort: Cohort, level: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the Kaplan-Meier curves and the numbers at risk, as `plot_kaplan_meier` takes them."""
    found = survival.kaplan_meier(*_records(cohort), level)
    last = _last(cohort)
    ticks = [tick for tick in MaxNLocator(6).tick_values(0, last) if 0 <= tick <= last]
    numbers = survival.at_risk(found, ticks)
    few = ~numbers["at_risk"].map(lambda n: words.may_show(cohort.mask_below, n))
    numbers["at_risk"] = numbers["at_risk"].map(prose.count).mask(few, f"<{cohort.mask_below}")
    return found, numbers


def time_label(cohort: Cohort) -> str:
    """Name the axis of time."""
    return "Days" if cohort.time_unit == "days" else cohort.time_unit.capitalize()


def say_curves(cohort: Cohort, level: float, aggregate_only: bool) -> str:
    """Word what is drawn, or why nothing is."""
    if not cohort.shows("died"):
        return words.nothing_to_compare(cohort)
    if not cohort.has_times:
        return "Without follow-up times no survival curve can be drawn."
    if _last(cohort) == 0:
        return "Nobody was followed beyond day 0, so that there is no curve to draw."
    if aggregate_only:
        instead = (
            "no curve is drawn."
            if _at_days(cohort, 0.95).empty
            else "the table of survival at stated days stands in its place."
        )
        return (
            "A survival curve steps down at the death of every single patient, and only summaries "
            f"are to be shown: {instead}"
        )
    return (
        f"The bands are pointwise {counts.level_in_words(level)} confidence intervals (log-log); "
        "below the axis stand the numbers of patients at risk."
    )


def day_table(cohort: Cohort, level: float) -> HTML | None:
    """Show survival at stated days in each arm, as far as anybody was followed."""
    rows = _at_days(cohort, level)
    if rows.empty:
        return None
    cells = [
        (row["arm"], prose.count(int(row["time"])), *_day(row))
        for row in _masked(cohort, rows).to_dict("records")
    ]
    headings = (
        "Arm",
        "Day",
        "Surviving",
        f"{counts.level_in_words(level)} interval",
        "Died until then",
        "At risk",
    )
    label = "Survival at stated days, by the Kaplan-Meier method"
    return tables.show(pd.DataFrame(cells, columns=headings), label)


def say_days(cohort: Cohort, level: float) -> str:
    """Word at which days survival is given."""
    if not cohort.shows("died"):
        return words.nothing_to_compare(cohort)
    if not cohort.has_times or cohort.time_unit != "days":
        return "Follow-up in days is not recorded, so that survival at a day is not known."
    rows = _at_days(cohort, level)
    given = rows["time"].astype(int).unique().tolist()
    missing = prose.listed(day for day in DAYS if day not in given).replace(" and ", " or ")
    if not given:
        return f"Nobody was followed to day {missing}, so that survival at those days is not known."
    return words.sentences(
        "Survival is estimated by the Kaplan-Meier method, which counts each patient for as long "
        "as the follow-up lasted; at risk are those still followed just before a day.",
        f"Nobody was followed to day {missing}." if len(given) < len(DAYS) else "",
        f"Not shown is what would give a number of patients below {cohort.mask_below} away."
        if _masked(cohort, rows)["masked"].any()
        else "",
    )


def _masked(cohort: Cohort, rows: pd.DataFrame) -> pd.DataFrame:
    """Mark in a column which rows have a count small enough to be masked, or lead to one."""
    shown = {arm: (0, n, events) for arm, (events, n) in words.deaths(cohort).items()}
    marks = []
    for row in rows.to_dict("records"):
        deaths, followed, all_ = shown[row["arm"]]
        counts = row["deaths"], row["at_risk"], all_ - row["deaths"]
        since = row["deaths"] - deaths, followed - row["at_risk"]
        marks.append(not words.may_show(cohort.mask_below, *counts, *since))
        if not marks[-1]:
            shown[row["arm"]] = row["deaths"], row["at_risk"], all_
    return rows.assign(masked=marks)


def _day(row: dict) -> tuple[str, str, str, str]:
    """Write a row of `survival_at`."""
    if row["masked"]:
        return ("not shown", "not shown", "not shown", "not shown")
    deaths, followed = prose.count(int(row["deaths"])), prose.count(int(row["at_risk"]))
    if math.isnan(row["survival"]):
        return ("not followed so long", "—", deaths, followed)
    interval = "—" if math.isnan(row["low"]) else prose.percent_interval((row["low"], row["high"]))
    return (prose.percent(row["survival"]), interval, deaths, followed)


def _at_days(cohort: Cohort, level: float) -> pd.DataFrame:
    """Survival at those days to which somebody was followed, or before which everybody died."""
    if not cohort.has_times or cohort.time_unit != "days":
        return pd.DataFrame(columns=["arm", "time"])
    found = times_to_event.survival_at(*_records(cohort), DAYS, level)
    order = {arm: place for place, arm in enumerate(cohort.arms)}
    known = found["survival"].notna().groupby(found["time"]).transform("any")
    return found[known].sort_values(["time", "arm"], key=lambda c: c.map(order).fillna(c))


# Medians --------------------------------------------------------------------------------------


def say_medians(cohort: Cohort, level: float, aggregate_only: bool) -> str:
    """Word the median survival time and the median follow-up of each arm."""
    if not cohort.shows("died"):
        return words.nothing_to_compare(cohort)
    if not cohort.has_times or cohort.time_unit != "days":
        return "Follow-up in days is not recorded, so that there are no medians."
    arms = [arm for arm in cohort.arms if _tells_median(cohort, arm, aggregate_only)]
    silent = [words.arm(arm) for arm in cohort.arms if arm not in arms]
    medians, follow_up = (
        {row["arm"]: row for row in compute(*_records(cohort), level).to_dict("records")}
        for compute in (times_to_event.median_survival, times_to_event.median_followup)
    )
    lines = [
        " ".join(
            (
                _median_survival(words.arm(arm), medians[arm], level),
                _median_follow_up(words.arm(arm), follow_up[arm], level),
            )
        )
        for arm in arms
    ]
    if silent:
        lines.append(
            f"No medians are given for {prose.listed(silent)}: with so few patients they would be "
            "the values of single ones."
        )
    return words.paragraphs(*lines)


def _tells_median(cohort: Cohort, arm: str, aggregate_only: bool) -> bool:
    few = max(cohort.mask_below, _FEW if aggregate_only else 0)
    return len(cohort.in_arm(arm)) >= few


def _median_survival(arm: str, row: dict, level: float) -> str:
    if row["events"] == 0:
        return f"Nobody died in {arm}, so that there is no median survival time."
    if math.isinf(row["median"]):
        lowest = "" if not math.isfinite(row["low"]) else _at_least(row["low"], level)
        return (
            f"The survival curve of {arm} stays above one half as far as anybody was followed, so "
            f"that the median survival time is not known{lowest}."
        )
    return (
        f"The median survival time in {arm} is {words.days(row['median'])} ({_limits(row, level)})."
    )


def _median_follow_up(arm: str, row: dict, level: float) -> str:
    if row["events"] == 0:
        return "Everybody there died, so that the length of follow-up is not known otherwise."
    if math.isinf(row["median"]):
        return "Too many died for the median follow-up to be known."
    return (
        "The median follow-up, by the reverse Kaplan-Meier method, is "
        f"{words.days(row['median'])} ({_limits(row, level)})."
    )


def _at_least(low: float, level: float) -> str:
    return f"; it is at least {words.days(low)} ({counts.level_in_words(level)} limit)"


def _limits(row: dict, level: float) -> str:
    """Write the limits of a median, as far as there are any."""
    interval = f"{counts.level_in_words(level)} interval"
    low, high = (math.isfinite(row[name]) for name in ("low", "high"))
    if low and high:
        return f"{interval} {words.number(row['low'])} to {words.number(row['high'])}"
    if low:
        return f"{interval} from {words.number(row['low'])}, without an upper limit"
    if high:
        return f"{interval} up to {words.number(row['high'])}, without a lower limit"
    return "no interval can be given"


# Comparison -----------------------------------------------------------------------------------


def say_hazard_ratio(cohort: Cohort, level: float) -> str:
    """Word the hazard ratio of death, treatment arm over control, in one sentence."""
    if reason := words.nothing_to_compare(cohort):
        return reason
    if not cohort.has_times:
        return "A hazard ratio needs follow-up times, and the register holds none."
    found = hazard_ratio(*words.records(cohort), level)
    return _hazard_ratio(
        found, words.arm(cohort.treatment_arm), words.arm(cohort.control_arm or ""), level
    )


def _hazard_ratio(found: HazardRatio, treated: str, control: str, level: float) -> str:
    interval = f"{counts.level_in_words(level)} profile-likelihood interval"
    what = f"the hazard ratio of death, {treated} over {control},"
    if found.reason is None:
        limits = f"{words.ratio(found.profile_low)} to {words.ratio(found.profile_high)}"
        return (
            f"Counting each patient for as long as the follow-up lasted, {what} is "
            f"{words.ratio(found.estimate)} ({interval} {limits}; {_reading(found)})."
        )
    if found.reason is NotEstimable.NO_DEATHS:
        return "Nobody died, so that there is no hazard ratio."
    if math.isnan(found.estimate):
        return "At every death only one arm was still followed, so that there is no hazard ratio."
    why = {
        NotEstimable.NO_DEATHS_IN_1: f"Nobody died in {treated}",
        NotEstimable.NO_DEATHS_IN_0: f"Nobody died in {control}",
    }.get(
        found.reason,
        "While both arms were followed, those who died were all of "
        f"{control if found.estimate == 0 else treated}",
    )
    if found.estimate == 0:
        return (
            f"{why}, so that {what} is estimated as zero; the {interval} reaches up to "
            f"{words.ratio(found.profile_high)}."
        )
    return (
        f"{why}, so that {what} has no upper limit; the {interval} begins at "
        f"{words.ratio(found.profile_low)}."
    )


def _reading(found: HazardRatio) -> str:
    if found.profile_low <= 1 <= found.profile_high:
        return "a value of one, no difference, lies in it"
    return "a value of one, no difference, does not lie in it"


def say_mean(cohort: Cohort, level: float) -> str:
    """Word the mean survival time of both arms up to the latest stated day that both reach."""
    if words.nothing_to_compare(cohort) or not cohort.has_times:
        return ""
    known = _at_days(cohort, level).dropna(subset="survival").groupby("time")["arm"].nunique()
    reached = known[known == len(cohort.arms)].index
    if not len(reached):
        return ""
    day = int(max(reached))
    found = times_to_event.restricted_means(*words.records(cohort), until=day, level=level)
    interval = (
        f"no interval can be given, because {found.reason}"
        if math.isnan(found.low)
        else f"{counts.level_in_words(level)} interval {_longer_span(found.low, found.high)}"
    )
    return (
        f"Up to day {day} the mean survival time is {prose.decimal(found.mean_1, 1)} days in "
        f"{words.arm(cohort.treatment_arm)} and {prose.decimal(found.mean_0, 1)} in "
        f"{words.arm(cohort.control_arm or '')}, {_longer(found.difference)} ({interval}); "
        "this assumes nothing about the course of the hazards."
    )


def _longer(days: float) -> str:
    """Write a difference of mean survival times.

    Examples
    --------
    >>> _longer(12.34), _longer(-0.5), _longer(0)
    ('12.3 days longer', '0.5 days shorter', 'no difference')
    """
    if days == 0:
        return "no difference"
    return f"{prose.decimal(abs(days), 1)} days {'longer' if days >= 0 else 'shorter'}"


def _longer_span(low: float, high: float) -> str:
    """Write two differences of mean survival times, low first.

    Examples
    --------
    >>> _longer_span(5.46, 32.3), _longer_span(-30, -7), _longer_span(-7, 2.5)
    ('5.5 to 32.3 days longer', '7.0 to 30.0 days shorter', '7.0 days shorter to 2.5 days longer')
    """
    if low * high <= 0:
        return f"{_longer(low)} to {_longer(high)}"
    near, far = sorted((low, high), key=abs)
    return f"{prose.decimal(abs(near), 1)} to {_longer(far)}"


def effect_table(cohort: Cohort, level: float) -> HTML | None:
    """Show the effect measures for survival that the counts bear, by every method."""
    effects = _effects(cohort, level)
    if effects.empty:
        return None
    return tables.effects(effects, cohort.treatment_arm, decimals=3)


def say_effects(cohort: Cohort, level: float) -> str:
    """Word the difference in mortality, and what such measures ignore."""
    if words.nothing_to_compare(cohort):
        return ""
    ignored = (
        "These measures count who died and ignore when: a patient seen for a week counts as much "
        "as one seen for a year."
        if cohort.has_times
        else "These measures count who died and ignore for how long each patient was followed, "
        "which is not recorded here."
    )
    difference = counts.difference(cohort, cohort.deaths(), "mortality", level)
    return " ".join(text for text in (difference, ignored, _left_out(cohort, level)) if text)


def _left_out(cohort: Cohort, level: float) -> str:
    """Word which rows of the table of effects are left out, and why."""
    effects = two_by_two.effects(*cohort.deaths().complement(), level=level)
    left_out = effects[~_tells(effects)]
    needed = left_out["measure"] == _NEEDED
    methods = left_out.loc[~needed, "method"].tolist()
    texts = []
    if needed.any():
        texts.append(
            "The interval of the difference includes zero, so that no number needed to treat is "
            "given."
        )
    if methods:
        texts.append(
            f"Without a usable interval on these counts, and left out: {words.several(methods)}."
        )
    return " ".join(texts)


def _effects(cohort: Cohort, level: float) -> pd.DataFrame:
    """Effect measures of survival that say something."""
    if words.nothing_to_compare(cohort):
        return pd.DataFrame(columns=["measure", "method", "estimate", "low", "high"])
    effects = two_by_two.effects(*cohort.deaths().complement(), level=level)
    return effects[_tells(effects)]


def _tells(effects: pd.DataFrame) -> pd.Series:
    """Tell which effects have an estimate and an interval with a width and at least one limit.

    A number needed to treat is given where the difference has one direction.
    """
    known = effects[["estimate", "low", "high"]].notna().all(axis=1)
    open_end = (effects["high"] == math.inf) & (
        (effects["low"] == 0) | (effects["measure"] == _NEEDED)
    )
    return known & ~open_end & (effects["low"] < effects["high"])


def _records(cohort: Cohort) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Times, deaths and names of arms, patients of the treatment arm first."""
    time, died, treated = words.records(cohort)
    return time, died, cohort.patients.loc[treated.index, "arm"]


def _last(cohort: Cohort) -> float:
    return float(cohort.patients["followup_time"].max())
