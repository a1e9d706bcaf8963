"""The counts of a two-by-two table: two arms, each with its events and its size."""

from rdmas.stats.proportion import checked_counts


def checked_table(events_a: int, n_a: int, events_b: int, n_b: int) -> tuple[int, int, int, int]:
    """
    Return the four counts as integers, or say which arm is impossible and why.

    Parameters
    ----------
    events_a, n_a : int
        Events and patients in arm a.
    events_b, n_b : int
        Events and patients in arm b.

    Returns
    -------
    events_a, n_a, events_b, n_b : int
        The same numbers as built-in integers.

    Raises
    ------
    ValueError
        If the counts of an arm are not whole numbers with 0 <= events <= n and n >= 1.

    Examples
    --------
    >>> checked_table(7, 34, 1, 0)
    Traceback (most recent call last):
        ...
    ValueError: Arm b: n must be at least 1, got 0.
    """
    table = []
    for arm, events, n in (("a", events_a, n_a), ("b", events_b, n_b)):
        try:
            table.extend(checked_counts(events, n))
        except ValueError as error:
            raise ValueError(f"Arm {arm}: {error}") from None
    return tuple(table)
