"""What the page of conventions shows of a reader's cohort."""

from __future__ import annotations

from rdmas.paper.cohort import Cohort
from rdmas.show import prose
from rdmas.show.cohort import _counts as counts
from rdmas.show.cohort import _words as words


def answer(cohort: Cohort, level: float, aggregate_only: bool) -> str:
    """Word what holds on every page."""
    shown = (
        "No single value of a patient is drawn."
        if aggregate_only
        else "Curves and dose plots, where there are any, show single values of one column, never "
        "two of one patient."
    )
    masked = (
        f"Columns with a count below {prose.count(cohort.mask_below)}, other than none, are left "
        "out."
        if cohort.mask_below > 1
        else "No count is masked."
    )
    return words.answer(
        f"Every interval is at the level {counts.level_in_words(level)} unless it says otherwise.",
        "Every number is computed from the records of this cohort, except where it is called "
        "published.",
        "A missing value counts neither as an event nor as none; the patients used are named "
        "with each number.",
        shown,
        masked,
    )


def arms(cohort: Cohort) -> str:
    """Word which arm is which."""
    treated = words.arm(cohort.treatment_arm)
    if cohort.control_arm is None:
        return f"The cohort has one arm, {treated}; it is drawn in blue. {words.NO_SECOND_ARM}"
    return (
        f"Differences are those of {treated} less {words.arm(cohort.control_arm)}; the first is "
        "drawn in blue and the second in orange."
    )
