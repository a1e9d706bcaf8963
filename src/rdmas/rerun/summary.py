"""One page about many cohorts: a row each, a forest plot, and their mortality pooled."""

from __future__ import annotations

import html
import io
import textwrap
import warnings
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from rdmas.paper.cohort import Cohort
from rdmas.show import figures, prose, tables
from rdmas.stats import proportion, two_by_two
from rdmas.stats.logrank import logrank_p
from rdmas.stats.pooling import Pooled, pool

#: Roles of the arms, treatment first, as the page names them: cohorts name their arms differently.
ROLES = ("treated", "controls")

#: More cohorts than this are listed and pooled, and not drawn.
MOST_DRAWN = 60

_STYLE = """
:root { color-scheme: light; }
body { color: #222; font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 64rem;
  padding: 1rem; }
h1, h2 { line-height: 1.2; }
a { color: #0a4f86; }
figure { margin: 1.5rem 0; }
figure img { height: auto; max-width: 100%; }
figcaption { font-size: 0.9rem; }
.rdmas-scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.9rem; }
th, td { border-bottom: 1px solid #ccc; max-width: 14rem; overflow-wrap: break-word;
  padding: 0.35rem 0.6rem; text-align: left; vertical-align: top; }
@media (max-width: 600px) { table { width: max-content; } th, td { max-width: 8rem; } }
"""


class Arm(NamedTuple):
    """Deaths and patients of one arm; None where they are not shown."""

    deaths: int | None
    n: int | None


class Row(NamedTuple):
    """What the page says of one cohort; None where there is nothing, or it is not shown.

    The difference is that of mortality, treated less controls, with Newcombe's interval. The
    P-values are Fisher's two-sided one of the deaths and that of the log-rank test.
    """

    cohort: str
    title: str
    drug: str
    disease: str
    treated: Arm
    controls: Arm | None
    difference: float | None
    low: float | None
    high: float | None
    p_fisher: float | None
    p_logrank: float | None
    masked: bool


def row_of(name: str, cohort: Cohort, level: float = 0.95) -> Row:
    """Sum up one cohort.

    Parameters
    ----------
    name : str
        What its folder is called.
    cohort : rdmas.paper.cohort.Cohort
        The cohort; counts that it does not show are left out.
    level : float, default 0.95
        Level of the interval of the difference.

    Returns
    -------
    Row
    """
    shown = cohort.shows("died")
    arms = [_arm(cohort, arm, shown) for arm in cohort.arms]
    compared = cohort.control_arm is not None and shown
    timed = compared and cohort.is_register and cohort.has_times
    difference, low, high = _difference(cohort, level) if compared else (None, None, None)
    companion = cohort.descriptor["companion"]
    return Row(
        cohort=name,
        title=cohort.title,
        drug=companion.get("drug") or "",
        disease=companion.get("disease") or "",
        treated=arms[0],
        controls=arms[1] if len(arms) > 1 else None,
        difference=difference,
        low=low,
        high=high,
        p_fisher=two_by_two.p_value(*cohort.deaths()) if compared else None,
        p_logrank=_logrank(cohort) if timed else None,
        masked=not shown,
    )


def pooled(rows: Iterable[Row], role: str, level: float = 0.95) -> Pooled | str:
    """Pool the mortality of one arm, or say why it cannot be.

    Examples
    --------
    >>> pooled([], "controls")
    'No cohort has controls whose deaths are shown.'
    """
    arms = shown_arms(rows, role).values()
    if not arms:
        return f"No cohort has {_noun(role)} whose deaths are shown."
    if len(arms) == 1:
        return f"One cohort has {_noun(role)} whose deaths are shown: there is nothing to pool."
    deaths, n = zip(*arms, strict=True)
    try:
        return pool(deaths, n, level)
    except (ValueError, ArithmeticError):
        return (
            f"Mortality of the {_noun(role)} has no pooled estimate: in every cohort none of them "
            "died, or all of them."
        )


def shown_arms(rows: Iterable[Row], role: str) -> dict[str, tuple[int, int]]:
    """Return deaths and patients of one arm, by cohort, where they are shown."""
    arms = {row.cohort: getattr(row, role) for row in rows}
    return {
        name: (arm.deaths, arm.n)
        for name, arm in arms.items()
        if arm is not None and arm.deaths is not None
    }


def page(
    rows: Sequence[Row],
    missing: Sequence[str],
    title: str = "All cohorts",
    level: float = 0.95,
    mask_below: int = 0,
) -> dict[str, str]:
    """Write the page and its figures.

    Parameters
    ----------
    rows : sequence of Row
        The cohorts that have a book, in the order to be shown.
    missing : sequence of str
        Names of those that have none.
    title : str
        What the cohorts are called together.
    level : float, default 0.95
        Level of all intervals.
    mask_below : int, default 0
        The smallest count but 0 that is shown.

    Returns
    -------
    dict of str to str
        Content by file name: ``index.html`` and the pictures it shows. The same for the same
        cohorts, whenever and wherever it is written.
    """
    pools = {role: pooled(rows, role, level) for role in ROLES}
    files: dict[str, str] = {}
    parts = [_opening(rows, missing, pools)]
    parts += [f"<h2>Cohort by cohort</h2>\n{_table(rows, level)}"] if rows else []
    parts += _pictures(rows, pools, level, files)
    parts += [_notes(rows, level, mask_below)]
    body = "\n".join(part for part in parts if part)
    heading = html.escape(title)
    files["index.html"] = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{heading}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{heading}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    )
    return files


def _arm(cohort: Cohort, arm: str, shown: bool) -> Arm:
    """Count one arm."""
    deaths, n = cohort.count(arm, "died", "1")
    return Arm(deaths if shown else None, n if shown or cohort.shows("arm") else None)


def _difference(cohort: Cohort, level: float) -> tuple[float, float, float]:
    """Return the difference in mortality with its limits."""
    effects = two_by_two.effects(*cohort.deaths(), level=level)
    newcombe = (effects["measure"] == "risk difference") & (effects["method"] == "Newcombe")
    estimate, low, high = effects.loc[newcombe, ["estimate", "low", "high"]].iloc[0].tolist()
    return estimate, low, high


def _logrank(cohort: Cohort) -> float | None:
    """Return P of the log-rank test; None where it is not defined."""
    patients = cohort.patients
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        p_value = logrank_p(
            patients["followup_time"].to_numpy(float),
            patients["died"].to_numpy(int),
            (patients["arm"] == cohort.treatment_arm).to_numpy(int),
        )
    return None if np.isnan(p_value) else float(p_value)


def _noun(role: str) -> str:
    """Name the patients of an arm."""
    return "treated patients" if role == "treated" else "controls"


def _opening(rows: Sequence[Row], missing: Sequence[str], pools: dict[str, Pooled | str]) -> str:
    """Say what there is, what is missing, and the pooled mortality."""
    patients = [arm.n for row in rows for arm in (row.treated, row.controls) if arm and arm.n]
    sentences = [f"{prose.counted(len(rows), 'cohort')}, {prose.counted(sum(patients), 'patient')}"]
    if any(row.masked for row in rows):
        sentences[0] += " in those whose numbers are shown"
    sentences[0] += "."
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        sentences.append(
            f"{prose.counted(len(missing), 'cohort')} {verb} missing here, because no book could "
            f"be made: {prose.listed(missing)}."
        )
    for role, found in pools.items():
        if isinstance(found, str):
            sentences.append(found)
            continue
        sentences.append(
            f"Pooled mortality of the {_noun(role)}: {_estimate(found)}, from "
            f"{prose.out_of(found.events, found.n)} in {found.studies} cohorts; "
            f"{_predicted(found)}."
        )
    return f"<p>{html.escape(' '.join(sentences))}</p>"


def _estimate(found: Pooled) -> str:
    """Write a pooled proportion with its interval."""
    ends = prose.percent_interval((found.low, found.high))
    return f"{prose.percent(found.proportion)} ({prose.percent(found.level)} interval {ends})"


def _predicted(found: Pooled) -> str:
    """Write what may be expected of a new cohort."""
    if not found.prediction_df:
        return "from two cohorts nothing follows for a new one"
    ends = prose.percent_interval((found.prediction_low, found.prediction_high), words=" and ")
    return f"in a new cohort between {ends}"


def _table(rows: Sequence[Row], level: float) -> str:
    """Show a row for each cohort."""
    cells = pd.DataFrame(
        {
            "Cohort": [_linked(row.cohort) for row in rows],
            **{
                heading: [named or "not named" for named in names]
                for heading, names in _named(rows).items()
                if any(names)
            },
            "Deaths of treated": [_deaths(row.treated) for row in rows],
            "Deaths of controls": [_deaths(row.controls) for row in rows],
            f"Difference ({prose.percent(level)} interval)": [_points(row) for row in rows],
            "P, Fisher": [_p(row.p_fisher) for row in rows],
            "P, log-rank": [_p(row.p_logrank) for row in rows],
        }
    )
    return tables.show(cells, "Cohorts with their deaths").data


def _linked(name: str) -> tables.Markup:
    """Link the book of a cohort."""
    return tables.Markup(f'<a href="{quote(name, safe="")}/index.html">{html.escape(name)}</a>')


def _named(rows: Iterable[Row]) -> dict[str, list[str]]:
    """Return what each cohort names, empty where it does not."""
    rows = list(rows)
    return {"Drug": [row.drug for row in rows], "Disease": [row.disease for row in rows]}


def _deaths(arm: Arm | None) -> str:
    """Write the deaths of an arm."""
    if arm is None:
        return "no such arm"
    if arm.n is None:
        return "not shown"
    if arm.deaths is None:
        return f"not shown, of {prose.count(arm.n)}"
    return prose.out_of(arm.deaths, arm.n)


def _points(row: Row) -> str:
    """Write the difference in mortality."""
    if row.difference is None or row.low is None or row.high is None:
        return "—"
    return f"{prose.percent(row.difference)} ({prose.percent_interval((row.low, row.high))})"


def _p(value: float | None) -> str:
    """Write a P-value, or that there is none."""
    return "—" if value is None else prose.p_value(value)


def _pictures(
    rows: Sequence[Row], pools: dict[str, Pooled | str], level: float, files: dict[str, str]
) -> list[str]:
    """Draw the forest plots into files, and return what shows them."""
    if len(rows) > MOST_DRAWN:
        return [
            f"<p>No forest plot: more than {MOST_DRAWN} cohorts cannot be told apart in it.</p>"
        ]
    parts = []
    forest = _forest(rows, pools, level)
    if len(forest):
        files["mortality.svg"] = _svg(figures.plot_forest, forest, "Mortality")
        what = f"Mortality by cohort and arm, with {prose.percent(level)} Wilson intervals"
        summed = " and the pooled estimate of each arm below" if (forest["n"] == 0).any() else ""
        parts.append(_figure("mortality.svg", f"{what}{summed}.", _told(forest)))
    compared = [row for row in rows if row.difference is not None]
    if compared:
        listed = pd.DataFrame(
            {
                "name": [_wrapped(row.cohort) for row in compared],
                "estimate": [row.difference for row in compared],
                "low": [row.low for row in compared],
                "high": [row.high for row in compared],
                "colour": figures.INK,
            }
        )
        label = "Difference in mortality, treated less controls"
        files["differences.svg"] = _svg(figures.plot_intervals, listed, label, reference=0.0)
        caption = (
            f"{label}, with {prose.percent(level)} Newcombe intervals. Left of the line a smaller "
            "share of the treated died."
        )
        told = "; ".join(f"{row.cohort} {_points(row)}" for row in compared)
        parts.append(_figure("differences.svg", caption, told))
    return ["<h2>Forest plots</h2>", *parts] if parts else []


def _forest(rows: Sequence[Row], pools: dict[str, Pooled | str], level: float) -> pd.DataFrame:
    """Return the rows of the forest plot: each arm's cohorts, then their summary."""
    lines: list[dict[str, Any]] = []
    for role, colour in zip(ROLES, figures.ARM_COLOURS, strict=True):
        section = {"section": _noun(role).capitalize(), "colour": colour}
        for name, (deaths, n) in shown_arms(rows, role).items():
            low, high = proportion.interval(deaths, n, method="wilson", level=level)
            lines.append(
                section
                | {"name": _wrapped(name), "text": f"{deaths}/{n}", "estimate": deaths / n}
                | {"low": low, "high": high, "kind": "cohort", "n": n}
            )
        found = pools[role]
        if not isinstance(found, str):
            ends = prose.percent_interval((found.low, found.high))
            text = f"{prose.percent(found.proportion)} ({ends})"
            lines.append(
                section
                | {"name": "pooled", "text": text, "estimate": found.proportion}
                | {"low": found.low, "high": found.high, "kind": "summary", "n": 0}
                | {"colour": figures.INK}
            )
            if not found.prediction_df:
                continue
            new = (found.prediction_low, found.prediction_high)
            lines.append(
                section
                | {"name": "a new cohort", "text": prose.percent_interval(new), "estimate": np.nan}
                | {"low": new[0], "high": new[1], "kind": "prediction", "n": 0}
                | {"colour": figures.INK}
            )
    return pd.DataFrame(lines)


def _told(forest: pd.DataFrame) -> str:
    """Say in words what the forest plot shows."""
    sections = []
    for section, lines in forest.groupby("section", sort=False):
        told = [f"{line['name']} {line['text']}" for line in lines.to_dict("records")]
        sections.append(f"{section}: {', '.join(told)}")
    return "; ".join(sections)


def _wrapped(name: str) -> str:
    """Break a long name over lines; what matplotlib would take for a formula stays text."""
    return textwrap.fill(name, 24).replace("$", r"\$")


def _svg(plot: Any, *arguments: Any, **options: Any) -> str:
    """Draw a picture as text, the same for the same data."""
    figures.use_style()
    with mpl.rc_context({"svg.hashsalt": "rdmas", "svg.fonttype": "path"}):
        axes = plot(*arguments, **options)
        text = io.StringIO()
        axes.figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
        plt.close(axes.figure)
    return text.getvalue()


def _figure(file: str, caption: str, told: str) -> str:
    """Show a picture with its caption."""
    return (
        f'<figure>\n<img src="{file}" alt="{html.escape(told)}">\n'
        f"<figcaption>{html.escape(caption)}</figcaption>\n</figure>"
    )


def _notes(rows: Sequence[Row], level: float, mask_below: int) -> str:
    """Say how the numbers were made, and what they are not."""
    sentences = [
        "Deaths are counted over all follow-up, however long it was in a cohort; where follow-up "
        "differs between the arms, so may the deaths.",
        "The difference is mortality of the treated less that of the controls, with Newcombe's "
        "interval; P is Fisher's two-sided exact test on the deaths and, where follow-up times "
        "are known, the log-rank test.",
        "Mortality is pooled by the binomial-normal model (maximum likelihood, profile interval), "
        "each arm by itself; the arms of a cohort are not compared by pooling.",
    ]
    for heading, named in _named(rows).items():
        if len(set(named) - {""}) > 1:
            sentences.append(
                f"The cohorts name more than one {heading.lower()}, so the pooled numbers describe "
                "a mixture."
            )
    if any(row.masked for row in rows):
        sentences.append(
            f"Deaths are not shown, and not pooled, where a count of them is below {mask_below}."
        )
    return f"<h2>How to read this</h2>\n<p>{html.escape(' '.join(sentences))}</p>"
