"""What the chapter on the glucocorticoid dose shows."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from IPython.display import HTML

from rdmas.show import prose, tables

#: Unit of the doses of the patient table.
UNIT = "mg/kg"

Interval = tuple[float, float]


def range_table(fall: Interval, relative: Interval) -> HTML:
    """Show the range of the fall of the median, absolute and relative."""
    rows = [
        (f"Fall of the median, {UNIT}", prose.decimal_interval(fall, 1)),
        ("Relative fall of the median", prose.percent_interval(relative)),
    ]
    headings = ["Quantity", "Range left by rounding"]
    return tables.show(pd.DataFrame(rows, columns=headings), "Range of the fall")


def say_fall(
    before: Interval, after: Interval, fall: Interval, relative: Interval
) -> dict[str, str]:
    """Word what two printed medians stand for, and how far the median fell."""
    return {
        "before_interval": f"{prose.decimal_interval(before, 2)} {UNIT}",
        "after_interval": f"{prose.decimal_interval(after, 2)} {UNIT}",
        "fall": f"{prose.decimal_interval(fall, 1)} {UNIT}",
        "relative_fall": prose.percent_interval(relative),
        "corner": f"a fall from {prose.decimal_interval((before[0], after[1]), 2)} {UNIT}",
    }


def ladder_table(ladders: Sequence[pd.DataFrame], measured: Sequence[int], n: int) -> HTML:
    """Show `certain_decreases_ladder` of `n` patients, a column for each number measured again."""
    assumptions = ladders[0]["assumption"].tolist()
    assumptions[1] = "the stated number measured again"
    columns = {
        f"{again} of {n} measured again": ladder["certain_decreases"]
        for again, ladder in zip(measured, ladders, strict=True)
    }
    cells = pd.DataFrame({"Assumption, each added to those above": assumptions} | columns)
    return tables.show(cells, "Patients certain to have lowered their dose")


def say_certain(n: int, everybody: int, one_missing: int) -> dict[str, str]:
    """Word how many of `n` certainly lowered their dose: all measured again, and all but one."""
    return {
        "n": prose.count(n),
        "certain_all": prose.count(everybody),
        "certain_one_missing": prose.count(one_missing),
    }


def say_lowest(lowest: float, certain: int) -> dict[str, str]:
    """Word how many certainly lowered their dose if nobody started below the lowest."""
    return {
        "lowest": f"{prose.decimal(lowest, 1)} {UNIT}",
        "certain_bounded": prose.count(certain),
    }


def say_median_of_falls(falls: Interval) -> dict[str, str]:
    """Word the range of the median of the falls, the largest rise being its low end."""
    rise, fall = prose.decimal(-falls[0], 1), prose.decimal(falls[1], 1)
    return {"median_of_falls": f"a rise of {rise} to a fall of {fall} {UNIT}"}
