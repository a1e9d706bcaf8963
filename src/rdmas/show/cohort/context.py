"""What the chapter on other cohorts shows of a reader's cohort."""

from __future__ import annotations

import math

import pandas as pd
from IPython.display import HTML

from rdmas.paper.cohort import Cohort
from rdmas.show import figures, prose, tables
from rdmas.show.cohort import _counts as counts
from rdmas.show.cohort import _words as words
from rdmas.stats import pooling, proportion
from rdmas.stats.pooling import Pooled

#: Two cohorts tell nothing of how far a third may lie from them.
FEWEST_POOLED = 3


def published_cohorts(cohort: Cohort) -> pd.DataFrame:
    """Return the published cohorts whose deaths are pooled, largest first.

    Of cohorts that may share patients the largest is taken, then the next that shares none.
    """
    found = cohort.evidence
    found = found[(found["outcome"] == "mortality") & (found["role"] == "primary")]
    found = found.dropna(subset=["n", "events"])
    taken: set[str] = set()
    kept = []
    for row, groups in found.sort_values("n", ascending=False, kind="stable")[
        "overlap_group"
    ].items():
        own = set(groups.split(";")) - {""}
        if not own & taken:
            taken |= own
            kept.append(row)
    return found.loc[kept]


def pooled(cohort: Cohort, level: float) -> Pooled | None:
    """Pool the mortality of the published cohorts; None where that is not possible."""
    published = published_cohorts(cohort)
    if len(published) < FEWEST_POOLED:
        return None
    try:
        return pooling.pool(published["events"].tolist(), published["n"].tolist(), level)
    except (ValueError, ArithmeticError):
        return None


def published_arms(cohort: Cohort) -> pd.DataFrame:
    """Return the arms of the companion's paper: ``name``, ``events`` (deaths) and ``n``."""
    claims = cohort.published
    stated = claims[(claims["variable"] == "died") & (claims["measure"] == "fraction")]
    rows = [
        (
            f"published, {claim['arm']}",
            int(claim["numerator"])
            if claim["category"] == "1"
            else int(claim["denominator"]) - int(claim["numerator"]),
            int(claim["denominator"]),
        )
        for claim in stated.to_dict("records")
    ]
    return pd.DataFrame(rows, columns=["name", "events", "n"])


def _own(cohort: Cohort, level: float) -> pd.DataFrame:
    """Count the deaths of each arm; no row where they may not be shown."""
    found = counts.by_arm(cohort, "died", ["1"], level)
    return found if cohort.shows("died") else found.iloc[:0]


def answer(cohort: Cohort, level: float) -> str:
    """Word where this cohort's mortality lies among published ones."""
    found = pooled(cohort, level)
    own = _own(cohort, level)
    sentences = [words.masked("Mortality", cohort.mask_below)]
    if not own.empty:
        sentences = [words.say_deaths(cohort)]
    if found is None:
        return words.answer(*sentences, "The published cohorts cannot be pooled.")
    percent = counts.level_in_words(level)
    prediction = found.prediction_low, found.prediction_high
    sentences.append(
        f"In the median of {prose.count(found.studies)} published cohorts "
        f"{prose.percent(found.proportion)} died; the true mortality of a further cohort like "
        f"them would lie between {prose.percent_interval(prediction, words=' and ')} "
        f"({percent} prediction interval)."
    )
    sentences += [_where(row, found) for row in own.to_dict("records")]
    return words.answer(*sentences)


def pooling_in_words(cohort: Cohort, level: float) -> str:
    """Word what the published cohorts say together."""
    published = published_cohorts(cohort)
    if published.empty:
        return "No published cohort is at hand."
    events, n = int(published["events"].sum()), int(published["n"].sum())
    text = (
        f"{prose.counted(len(published), 'published cohort')}, {prose.counted(events, 'death')} "
        f"in {prose.counted(n, 'patient')}."
    )
    found = pooled(cohort, level)
    if found is None:
        return f"{text} They cannot be pooled: there are too few, or nobody or everybody died."
    percent = counts.level_in_words(level)
    limits = prose.percent_interval((found.low, found.high))
    return (
        f"{text} Pooled by maximum likelihood, mortality in the median cohort is "
        f"**{prose.percent(found.proportion)}** ({percent} profile interval {limits}). The "
        f"{percent} prediction interval for the true mortality of a new cohort is "
        f"{prose.percent_interval((found.prediction_low, found.prediction_high))}."
    )


def _where(row: dict, found: Pooled) -> str:
    """Word whether the deaths of an arm are among those a further cohort would have."""
    if found.prediction_df == 0:
        return ""
    events, n = row["events"], row["n"]
    low, high = _range_of_counts(found, n)
    lie = f"the {prose.count(events)} in" if events else "none in"
    where = "among these" if low <= events <= high else "fewer" if events < low else "more"
    span = prose.count(low) if low == high else f"{prose.count(low)} to {prose.count(high)}"
    return (
        f"Of {prose.counted(n, 'patient')} in such a cohort {span} would die, with a probability "
        f"of at least {counts.level_in_words(found.level)}; {lie} {words.arm(row['arm'])} "
        f"{'is' if events <= 1 else 'are'} {where}."
    )


def _range_of_counts(found: Pooled, n: int) -> tuple[int, int]:
    """Return the deaths of a further cohort that either tail leaves, half of the rest in each."""
    tail = (1 - found.level) / 2

    def first(at_least: bool) -> int:
        """Return the first count, from the end of one tail on, that the tail does not hold."""
        low, high = 0, n
        while low < high:
            middle = (low + high) // 2
            bound = {"at_least": n - middle} if at_least else {"at_most": middle}
            if pooling.predictive_probability(found, n, **bound) > tail:
                high = middle
            else:
                low = middle + 1
        return n - low if at_least else low

    return first(at_least=False), first(at_least=True)


def fall(cohort: Cohort, level: float) -> str:
    """Word how probable so many deaths in each arm would be in a further published cohort."""
    found = pooled(cohort, level)
    own = _own(cohort, level)
    if own.empty:
        return words.masked("Mortality", cohort.mask_below)
    if found is None or found.prediction_df == 0:
        return "Without pooled cohorts there is nothing to hold the deaths against."
    sentences = []
    for row in own.to_dict("records"):
        events, n = row["events"], row["n"]
        few = pooling.predictive_probability(found, n, at_most=events)
        many = pooling.predictive_probability(found, n, at_least=events)
        sentences.append(
            f"In {words.arm(row['arm'])} {words.share(events, n)} died. A further cohort of "
            f"{prose.counted(n, 'patient')} like the published ones would have so many deaths "
            f"or fewer with probability {_probability(few)}, and so many or more with "
            f"probability {_probability(many)}."
        )
    return words.paragraphs(
        *sentences,
        "These probabilities allow for chance, for the spread between the published cohorts and "
        "for its uncertainty. They do not allow for what sets this cohort apart from them.",
    )


def _probability(share: float) -> str:
    """Write a probability, neither none nor all by rounding."""
    if share >= 1 - 1e-12:
        return "100%"
    if share >= 0.9995:
        return "above 99.9%"
    return "below 0.1%" if share < 5e-4 else prose.percent(share, 1)


def forest(cohort: Cohort, level: float) -> pd.DataFrame:
    """List cohorts and their summary, as `plot_forest` takes them."""
    published = published_cohorts(cohort)
    shares = (published["events"] / published["n"]).sort_values(ascending=False, kind="stable")
    squares = published.loc[shares.index]
    squares = squares.assign(
        name=[
            figures.plain(label, f"cohort {place}", width=34)
            for place, label in enumerate(squares["label"], 1)
        ]
    )
    sections = [_squares(squares, "Published cohorts", level)]
    if found := pooled(cohort, level):
        sections.append(_summary(found))
    sections.append(_squares(published_arms(cohort), "Published, the book's paper", level))
    own = _own(cohort, level).assign(name=lambda rows: rows["arm"].map(counts.on_figures(cohort)))
    if not own.empty:
        sections.append(_squares(own, "This cohort", level).assign(colour=list(own["colour"])))
    return pd.concat([section for section in sections if not section.empty], ignore_index=True)


def _squares(rows: pd.DataFrame, section: str, level: float) -> pd.DataFrame:
    """Return one section of cohorts with Wilson's intervals."""
    listed = [(row["name"], int(row["events"]), int(row["n"])) for row in rows.to_dict("records")]
    limits = [
        proportion.interval(events, n, method="wilson", level=level) for _, events, n in listed
    ]
    frame = pd.DataFrame(listed, columns=["name", "events", "n"])
    return frame.assign(
        section=section,
        text=[f"{events}/{n}" for _, events, n in listed],
        estimate=frame["events"] / frame["n"],
        low=[low for low, _ in limits],
        high=[high for _, high in limits],
        kind="cohort",
        colour=figures.GREY,
    )


def _summary(found: Pooled) -> pd.DataFrame:
    """Return the section that sums up the published cohorts."""
    prediction = found.prediction_low, found.prediction_high
    rows = [
        ("median cohort", prose.percent(found.proportion), found.proportion, found.low, found.high),
        ("a new cohort", prose.percent_interval(prediction), math.nan, *prediction),
    ]
    frame = pd.DataFrame(rows, columns=["name", "text", "estimate", "low", "high"])
    return frame.assign(
        section="Published, pooled", kind=["summary", "prediction"], n=0, colour=figures.INK
    )


def table(cohort: Cohort, level: float) -> HTML | None:
    """Show this cohort above the published ones that are pooled."""
    published = published_cohorts(cohort)
    own = _own(cohort, level)
    rows = [
        (f"This cohort, {row['arm']}", row["events"], row["n"], "—", "—")
        for row in own.to_dict("records")
    ]
    rows += [
        (
            row["name"],
            row["events"],
            row["n"],
            "—",
            "of the paper this book was first written about",
        )
        for row in published_arms(cohort).to_dict("records")
    ]
    rows += [
        (f"published, {row['label']}", row["events"], row["n"], row["horizon"], row["population"])
        for row in published.to_dict("records")
    ]
    columns = ["Cohort", "events", "n", "Deaths counted until", "Patients of the published cohort"]
    frame = pd.DataFrame(rows, columns=columns)
    pairs = [(int(events), int(n)) for events, n in zip(frame["events"], frame["n"], strict=True)]
    limits = [proportion.interval(*pair, method="wilson", level=level) for pair in pairs]
    frame.insert(1, "Died", [f"{prose.count(events)} of {prose.count(n)}" for events, n in pairs])
    frame.insert(2, "Share", [words.percent(*pair) for pair in pairs])
    frame.insert(3, "Wilson interval", [prose.percent_interval(ends) for ends in limits])
    cells = frame.drop(columns=["events", "n"])
    return tables.show(cells, "This cohort beside published cohorts")
