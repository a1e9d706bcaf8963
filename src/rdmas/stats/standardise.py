"""A proportion for another mix of patients, from the proportions of its parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rdmas.stats import checks


class Standardised(NamedTuple):
    """Weighted mean of several estimates.

    Attributes
    ----------
    estimate, low, high : float
        The mean and its limits.
    """

    estimate: float
    low: float
    high: float


def standardise(
    estimates: Sequence[float],
    lows: Sequence[float],
    highs: Sequence[float],
    weights: Sequence[float],
) -> Standardised:
    """Weighted mean of independent estimates, with limits recovered from theirs.

    Parameters
    ----------
    estimates, lows, highs : sequence of float, shape (parts,)
        Estimate and limits of each part, all limits of one level.
    weights : sequence of float, shape (parts,)
        Weight of each part, such as its patients in the mix that is wanted; at least 0, not all
        0, and rescaled to add to 1.

    Returns
    -------
    Standardised
        The distance of each limit from the mean is the root of the sum of squares of the parts'
        distances, each times its weight (MOVER). Limits that are uneven about an estimate stay so.

    Raises
    ------
    ValueError
        If the lengths differ, an estimate lies outside of its limits, or the weights are wrong.

    References
    ----------
    Zou GY, Huang W, Zhang X (2009). A note on confidence interval estimation for a linear function
    of binomial proportions. Computational Statistics & Data Analysis 53:1080-1085.

    Examples
    --------
    Wilson's intervals of 7/34 and 1/34, one part counting three times as much as the other:

    >>> standardised = standardise([0.206, 0.029], [0.103, 0.005], [0.368, 0.149], [3, 1])
    >>> print(f"{standardised.estimate:.3f} ({standardised.low:.3f} to {standardised.high:.3f})")
    0.162 (0.084 to 0.287)
    """
    size = len(checks.column("estimates", estimates))
    columns = {"estimates": estimates, "lows": lows, "highs": highs, "weights": weights}
    parts = [np.array(checks.column(name, one, size), float) for name, one in columns.items()]
    middle, low, high, weight = parts
    # Limits computed by others may miss an estimate at their end by rounding.
    if not ((low <= middle + 1e-12) & (middle <= high + 1e-12)).all():
        raise ValueError("Each estimate must lie between its limits.")
    if not (weight >= 0).all() or not 0 < weight.sum() < np.inf:
        raise ValueError(f"weights must be at least 0 and not all 0, got {weight.tolist()}.")
    weight = weight / weight.sum()
    mean = float(weight @ middle)
    below, above = (float(np.hypot.reduce(weight * away)) for away in (middle - low, high - middle))
    return Standardised(mean, mean - below, mean + above)
