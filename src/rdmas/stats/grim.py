"""Do printed percentages fit whole numbers of patients, and if not, what would?"""

from fractions import Fraction

import pandas as pd

from rdmas.stats import checks, rounding

# A denominator this much smaller or larger is still an everyday slip: somebody not followed up,
# or counted in another table of the same article.
_NEIGHBOURS = (-1, 1, -2, 2)


def percentage_checks(percentages: pd.DataFrame) -> pd.DataFrame:
    """Hold printed percentages against the counts beside them (the GRIM test).

    Parameters
    ----------
    percentages : pandas.DataFrame
        Columns ``reported`` (a percentage as printed), ``numerator`` and ``denominator``; other
        columns are kept.

    Returns
    -------
    pandas.DataFrame
        The rows with ``recomputed`` (the percentage of the count, printed alike); ``fits``
        (whether it is the reported one); ``reading`` (the nearest ordinary explanation of one
        that does not fit, or nothing); and `share_excluded`, which says how much a fit tells.

    Raises
    ------
    ValueError
        If a count is impossible or a string is not a percentage.

    References
    ----------
    Brown NJL, Heathers JAJ (2017). The GRIM test. Social Psychological and Personality
    Science 8(4):363-369.

    Examples
    --------
    >>> table = pd.DataFrame(
    ...     {"reported": ["33%", "66%", "34%"], "numerator": [1, 2, 1], "denominator": [3, 3, 3]}
    ... )
    >>> checked = percentage_checks(table)
    >>> checked["fits"].tolist(), checked["reading"].tolist()
    ([True, False, False], ['', '2 of 3, cut off instead of rounded', ''])
    """
    rows = []
    columns = (percentages[name] for name in ("reported", "numerator", "denominator"))
    for reported, numerator, denominator in zip(*columns, strict=True):
        events, n = checks.counts(numerator, denominator)
        rows.append(
            {
                "recomputed": rounding.print_like(Fraction(events, n), reported),
                "fits": rounding.reproduces(Fraction(events, n), reported),
                "reading": _reading(reported, events, n),
                "share_excluded": share_excluded(rounding.parse(reported).decimals, n),
            }
        )
    return pd.concat([percentages.reset_index(drop=True), pd.DataFrame(rows)], axis="columns")


def share_excluded(decimals: int, n: int) -> float:
    """Share of printable percentages that no count of a group gives.

    Parameters
    ----------
    decimals : int
        Printed decimals of the percentage.
    n : int
        Size of the group, at least 1.

    Returns
    -------
    float
        Between 0, where the check cannot fail, and 1, out of the percentages from 0 to 100 with
        that many decimals. A count whose percentage is a tie gives both neighbours.

    Raises
    ------
    ValueError
        If `n` is below 1 or `decimals` is negative.

    Examples
    --------
    Of 50 patients every whole percentage printed is even:

    >>> round(share_excluded(0, 50), 4), share_excluded(0, 200)
    (0.495, 0.0)
    """
    n = checks.whole("n", n, low=1)
    steps = 100 * 10 ** checks.whole("decimals", decimals)
    printed = set()
    for count in range(n + 1):
        below, rest = divmod(count * steps, n)
        if 2 * rest <= n:
            printed.add(below)
        if 2 * rest >= n:
            printed.add(below + 1)
    return 1 - len(printed) / (steps + 1)


def _reading(reported: str, events: int, n: int) -> str:
    """Return the first ordinary explanation of a percentage that does not fit its count."""
    if rounding.reproduces(Fraction(events, n), reported):
        return ""
    if rounding.reproduces_by_cutting_off(Fraction(events, n), reported):
        return f"{events} of {n}, cut off instead of rounded"
    if rounding.reproduces_by_rounding_twice(Fraction(events, n), reported):
        return f"{events} of {n}, rounded twice"
    for change in _NEIGHBOURS:
        size = n + change
        if events <= size and size > 0 and rounding.reproduces(Fraction(events, size), reported):
            return f"{events} of {size}"
    fitting = rounding.counts_that_print(reported, n)
    return f"{min(fitting, key=lambda count: abs(count - events))} of {n}" if fitting else ""
