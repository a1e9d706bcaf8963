"""Times that differ by no more than rounding errors are one time."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["round_off", "starts_anew", "tied"]

# R's survival ties times closer than this, relative to their mean (its `timefix`): far above the
# errors of a few operations on dates and durations, far below any difference that was observed.
_ROUND_OFF = float(np.sqrt(np.finfo(float).eps))


def tied(time: ArrayLike) -> NDArray[np.float64]:
    """Give times that are equal up to rounding errors one value, the smallest of them.

    Whatever takes times calls this first, so that a death at 0.1 + 0.2 and one at 0.3 are tied.
    Neighbours are tied if they differ by at most 1.5e-8 of the mean of the distinct times, as in
    R's survival. R also ties what differs by less than 1.5e-8 of any unit; here the unit is of no
    consequence.

    Parameters
    ----------
    time : array_like, shape (patients,) or (datasets, patients)
        Finite times; each data set is taken by itself.

    Returns
    -------
    numpy.ndarray of float
        Of the same shape.

    References
    ----------
    Therneau TM. Roundoff error and tied times. Vignette of the R package survival.

    Examples
    --------
    >>> tied([0.1 + 0.2, 0.3, 0.4]).tolist()
    [0.3, 0.3, 0.4]
    """
    time = np.asarray(time, float)
    order = np.argsort(time, axis=-1)
    ordered = np.take_along_axis(time, order, axis=-1)
    lowest = np.where(starts_anew(ordered), ordered, -np.inf)
    made_equal = np.empty_like(time)
    np.put_along_axis(made_equal, order, np.maximum.accumulate(lowest, axis=-1), axis=-1)
    return made_equal


def starts_anew(ordered: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell where, in times that ascend along the last axis, a new time starts."""
    anew = np.ones(ordered.shape, dtype=bool)
    anew[..., 1:] = np.diff(ordered, axis=-1) > round_off(ordered)
    return anew


def round_off(ordered: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the largest difference that makes no new time, for each row of ascending times."""
    distinct = np.ones(ordered.shape, dtype=bool)
    distinct[..., 1:] = np.diff(ordered, axis=-1) > 0
    total = np.where(distinct, np.abs(ordered), 0).sum(axis=-1, keepdims=True)
    return _ROUND_OFF * total / np.maximum(distinct.sum(axis=-1, keepdims=True), 1)
