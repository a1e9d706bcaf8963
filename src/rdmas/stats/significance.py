"""The one place that decides whether a P-value is below a level."""

from __future__ import annotations

from fractions import Fraction
from typing import overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["significant"]


@overload
def significant(p_value: float | Fraction, alpha: float) -> bool: ...


@overload
def significant(p_value: ArrayLike, alpha: float) -> NDArray[np.bool_]: ...


def significant(p_value: float | Fraction | ArrayLike, alpha: float) -> bool | NDArray[np.bool_]:
    """Tell whether P is below a level; P equal to the level is not, nor is an undefined one.

    Parameters
    ----------
    p_value : float, fractions.Fraction or array_like of float
        P, or many of them; NaN where a test is undefined. The exact tests of
        `rdmas.stats.two_by_two` are fractions, so that 1/20 is not below 0.05. Their floats are
        the nearest ones, so that they aren't either.
    alpha : float
        The level, read as the decimal that it was typed as.

    Returns
    -------
    bool or numpy.ndarray of bool
        An array, or a single value for a single P.

    Examples
    --------
    >>> significant(Fraction(1, 20), 0.05), significant(Fraction(1, 21), 0.05)
    (False, True)
    >>> significant([0.049, 0.05, float("nan")], 0.05)
    array([ True, False, False])
    """
    if isinstance(p_value, Fraction):
        return p_value < Fraction(repr(float(alpha)))
    below = np.asarray(p_value, float) < alpha
    return below if below.ndim else bool(below)
