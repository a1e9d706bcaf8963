"""The two-sample log-rank test on one data set, or on many at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erfc

from rdmas.stats.times import starts_anew

# Patients handled at a time: large enough that numpy's overhead per call vanishes, small enough
# that the dozen temporary arrays stay in the processor's cache.
_PATIENTS_PER_CHUNK = 1 << 16


def logrank_p(time: ArrayLike, died: ArrayLike, arm: ArrayLike) -> float | NDArray[np.float64]:
    r"""Two-sided log-rank P of one data set, or of each of many data sets.

    At each distinct time of death the expected deaths of an arm are the deaths of both arms times
    the arm's share of the patients at risk, with the hypergeometric variance. Observed minus
    expected deaths and variances are summed over the times of death,

    .. math:: U = \sum_j \left(d_{1j} - d_j \frac{n_{1j}}{n_j}\right), \qquad
              V = \sum_j d_j \frac{n_{1j}}{n_j} \frac{n_{0j}}{n_j} \frac{n_j - d_j}{n_j - 1},

    and :math:`U^2 / V` is referred to chi-square with one degree of freedom, without a continuity
    correction. A patient is at risk at a time of death if their own time is that time or later;
    so follow-up that ends at a time of death counts as at risk there. Only the order of times
    matters, and times that differ by rounding errors only are tied (`rdmas.stats.times`).

    Parameters
    ----------
    time : array_like, shape (patients,) or (datasets, patients)
        Time of death or end of follow-up, in any unit.
    died : array_like, shape (patients,) or (datasets, patients)
        1 or True where `time` is a death, 0 or False where follow-up ended alive.
    arm : array_like, shape (patients,) or (datasets, patients)
        0 or False for one arm, 1 or True for the other. Exchanging the arms leaves P unchanged.

    Returns
    -------
    float or numpy.ndarray of shape (datasets,)
        P, a float if all three arguments are one-dimensional. NaN where the test is undefined:
        nobody died, an arm is empty, or no death left a choice of arm (zero variance).

    Raises
    ------
    ValueError
        If shapes do not match, a value is missing or not finite, or `died` or `arm` holds
        anything but 0 and 1.

    Notes
    -----
    A one-dimensional argument is shared by all data sets.

    References
    ----------
    .. [1] Mantel N. Evaluation of survival data and two new rank order statistics arising in its
       consideration. Cancer Chemotherapy Reports 1966; 50: 163-170.
    .. [2] Peto R, Peto J. Asymptotically efficient rank invariant test procedures. Journal of the
       Royal Statistical Society A 1972; 135: 185-207.

    Examples
    --------
    >>> time = [8, 12, 26, 14, 21, 27, 8, 32, 20, 40, 33, 28, 41, 48, 48, 25, 37, 48, 25, 43]
    >>> died = [1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]
    >>> arm = [0] * 10 + [1] * 10
    >>> round(logrank_p(time, died, arm), 7)
    0.0085429

    The same patients with two other allocations of arms, three data sets in one call:

    >>> arms = [arm, [0, 1] * 10, [1] * 20]
    >>> logrank_p(time, died, arms).round(4)
    array([0.0085, 0.484 ,    nan])
    """
    time, died, arm = _as_data_sets(time, died, arm)
    one_data_set = time.ndim == died.ndim == arm.ndim == 1
    time, died, arm = np.broadcast_arrays(*np.atleast_2d(time, died, arm))
    datasets, patients = time.shape
    p_value = np.full(datasets, np.nan)
    if patients:
        rows = max(1, _PATIENTS_PER_CHUNK // patients)
        for start in range(0, datasets, rows):
            chunk = slice(start, start + rows)
            p_value[chunk] = p_from_sums(*_sums(time[chunk], died[chunk], arm[chunk]))
    return float(p_value[0]) if one_data_set else p_value


def excess_deaths(time: ArrayLike, died: ArrayLike, arm: ArrayLike) -> float:
    """Deaths of arm 1 beyond those that the log-rank test expects there.

    Its sign tells which arm the test finds worse off: where it is negative, arm 1 lost fewer
    patients than the other arm's experience would have it.

    Parameters
    ----------
    time, died, arm : array_like, shape (patients,)
        As in `logrank_p`.

    Returns
    -------
    float
        Observed less expected deaths; 0 where nobody died.

    Raises
    ------
    ValueError
        As `logrank_p`.

    Examples
    --------
    >>> round(excess_deaths([1, 2, 3, 4], [1, 1, 0, 0], [0, 0, 1, 1]), 3)
    -1.167
    """
    times, deaths, arms = _as_data_sets(time, died, arm)
    return float(_sums(times[None, :], deaths[None, :], arms[None, :])[0][0])


def p_from_sums(observed_minus_expected: ArrayLike, variance: ArrayLike) -> NDArray[np.float64]:
    """Two-sided chi-square P, one degree of freedom, of the two sums; NaN at zero variance."""
    variance = np.asarray(variance, dtype=float)
    usable = variance > 0
    z = np.abs(observed_minus_expected) / np.sqrt(np.where(usable, variance, 1.0))
    # erfc(|z| / sqrt 2) is the chi-square upper tail itself, and keeps its digits far out in it.
    return np.where(usable, erfc(z / np.sqrt(2.0)), np.nan)


def death_terms(
    deaths: ArrayLike, at_risk_in_arm: ArrayLike, at_risk: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Expected deaths of an arm at one time, and their hypergeometric variance."""
    deaths, at_risk = np.asarray(deaths), np.asarray(at_risk)
    share = np.asarray(at_risk_in_arm) / at_risk
    expected = deaths * share
    return expected, expected * (1 - share) * (at_risk - deaths) / np.maximum(at_risk - 1, 1)


def _sums(
    time: NDArray[np.float64], died: NDArray[np.bool_], arm: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Observed minus expected deaths of arm 1, and their variance, of each row."""
    datasets, patients = time.shape
    order = np.argsort(time, axis=1)
    order += np.arange(0, datasets * patients, patients)[:, None]
    time = time.ravel()[order]
    died = died.ravel()[order].ravel()
    arm = arm.ravel()[order].ravel()

    start = np.flatnonzero(starts_anew(time))
    deaths = np.add.reduceat(died, start, dtype=np.int32)
    start, deaths = start[deaths > 0], deaths[deaths > 0].astype(float)

    # Patients of arm 1 from each position to the end of its row. One running sum over the whole
    # chunk is enough: the part that belongs to later rows is subtracted.
    later_in_arm = np.cumsum(arm[::-1], dtype=np.int64)[::-1]
    row = start // patients
    row_end = np.append(later_in_arm[patients::patients], 0)
    at_risk = (patients - (start - row * patients)).astype(float)
    expected, variance = death_terms(deaths, later_in_arm[start] - row_end[row], at_risk)
    observed = (died & arm).reshape(datasets, patients).sum(axis=1)
    total_expected, total_variance = (
        np.bincount(row, weights=terms, minlength=datasets).astype(float)
        for terms in (expected, variance)
    )
    return observed - total_expected, total_variance


def _as_data_sets(
    time: ArrayLike, died: ArrayLike, arm: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    arrays = []
    for name, values in (("time", time), ("died", died), ("arm", arm)):
        try:
            array = np.asarray(values)
            # Labels such as "1" would pass as numbers, dates as nanoseconds since 1970.
            if array.dtype.kind not in "biufO" or (
                array.dtype.kind == "O" and any(isinstance(value, str) for value in array.flat)
            ):
                raise TypeError
            array = array if array.dtype == bool else array.astype(float)
        except (TypeError, ValueError):
            raise ValueError(
                f"{name} must be an array of numbers without missing values."
            ) from None
        if array.ndim not in (1, 2):
            raise ValueError(f"{name} must have the shape (patients,) or (datasets, patients).")
        arrays.append(array)
    time, died, arm = arrays
    if not np.isfinite(time).all():
        raise ValueError("time must be finite: a missing or infinite time has no place in order.")
    for name, array in (("died", died), ("arm", arm)):
        if array.dtype != bool and not ((array == 0) | (array == 1)).all():
            raise ValueError(f"{name} may hold only 0 and 1.")
    shapes = [array.shape for array in arrays]
    if len({shape[-1] for shape in shapes}) > 1 or len({s[0] for s in shapes if len(s) == 2}) > 1:
        raise ValueError(f"time, died and arm do not match: their shapes are {shapes}.")
    return time.astype(float), died.astype(bool), arm.astype(bool)
