"""Sentences that the chapters of a reader's cohort share, in Markdown."""

from __future__ import annotations

from rdmas.paper.cohort import Cohort
from rdmas.show import prose
from rdmas.stats.checks import Table

NO_SECOND_ARM = "There is no second arm to compare with."


def arm(name: str) -> str:
    """Name an arm in a sentence, whatever it is called.

    Examples
    --------
    >>> arm("emapalumab")
    'arm “emapalumab”'
    """
    return f"arm “{prose.escaped(name)}”"


def share(events: int, n: int) -> str:
    """Write a count with its denominator and the percentage, neither all nor none by rounding.

    Examples
    --------
    >>> share(7, 35), share(0, 12), share(1, 2000), share(1999, 2000)
    ('7 of 35 (20%)', '0 of 12 (0%)', '1 of 2,000 (0.1%)', '1,999 of 2,000 (99.95%)')
    """
    return f"{prose.count(events)} of {prose.count(n)} ({percent(events, n)})"


def percent(events: int, n: int) -> str:
    """Write a share as a percentage, with the decimals it needs not to say all or none."""
    for decimals in range(5):
        text = prose.percent(events / n, decimals)
        if not 0 < events < n or float(text.rstrip("%")) not in (0, 100):
            break
    return text


def deaths(cohort: Cohort) -> dict[str, tuple[int, int]]:
    """Count deaths and patients of each arm, treatment first."""
    return {name: cohort.count(name, "died", "1") for name in cohort.arms}


def compared(cohort: Cohort) -> Table | None:
    """Count deaths and patients of two arms; None if there is one arm."""
    return None if cohort.control_arm is None else cohort.deaths()


def masked(what: str, mask_below: int) -> str:
    """Say that an outcome is left out because a count of it is too small to be shown.

    `what` begins the sentence.
    """
    return (
        f"{what} is left out: a count in it is below {prose.count(mask_below)}, "
        "the smallest number of patients that this book was asked to show."
    )


def paragraphs(*texts: str) -> str:
    """Join what there is to say into paragraphs."""
    return "\n\n".join(text for text in texts if text)


def answer(*sentences: str) -> str:
    """Write the opening of a chapter."""
    return "**The answer.** " + " ".join(sentence for sentence in sentences if sentence)
