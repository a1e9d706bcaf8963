"""Simulated two-arm trials, and the tests that their authors compute from them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.stats import chi2_contingency, fisher_exact, hypergeom, mannwhitneyu
from statsmodels.duration.survfunc import survdiff
from statsmodels.stats.proportion import proportions_ztest, test_proportions_2indep

from rdmas.stats import checks
from rdmas.stats.checks import Table
from rdmas.stats.logrank import logrank_p
from rdmas.stats.two_by_two import TESTS

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class AuthorsTest:
    """A test whose P-value the author of a simulated trial prints.

    Attributes
    ----------
    name : str
        Display name.
    basis : str
        On which basis the audit should find the P-value: ``"counts"``, ``"ordering"`` (it
        depends on times that the audit does not see) or ``"none"`` (the audit does not
        consider the test).
    function : callable
        From deaths and patients of arms a and b to the two-sided P-value; or, for a test of
        times, from time, died and arm, as from `TrialLaw.draw`.
    of_times : bool
        Whether it is a test of times.
    """

    name: str
    basis: str
    function: Callable[..., float]
    of_times: bool = False

    def p_value(self, time: np.ndarray, died: np.ndarray, arm: np.ndarray) -> float:
        """Compute the P-value of a trial; NaN where it is undefined."""
        data: tuple = (time, died, arm) if self.of_times else deaths_in(died, arm)
        return float(self.function(*data))


@dataclass(frozen=True)
class TrialLaw:
    """How simulated two-arm trials are drawn.

    Everything is drawn uniformly and independently: the size of each arm; for each arm the
    probability of death within one unit of time, which sets the rate of exponential times; and
    for each patient the end of follow-up, between `shortest_followup` and 1. Trials in which
    nobody or everybody is seen to die are drawn again.

    Attributes
    ----------
    patients : tuple of int
        Fewest and most patients in an arm.
    probability : tuple of float
        Lowest and highest probability of death, strictly between 0 and 1.
    shortest_followup : float
        Above 0, at most 1. At 1 all survivors are followed to the end.
    """

    patients: tuple[int, int] = (10, 10)
    probability: tuple[float, float] = (0.05, 0.6)
    shortest_followup: float = 1.0

    def __post_init__(self) -> None:
        fewest, most = (checks.whole("patients", number, 2) for number in self.patients)
        low, high = (checks.number("probability", p, 0, 1, "()") for p in self.probability)
        for name, first, last in (("patients", fewest, most), ("probability", low, high)):
            if first > last:
                raise ValueError(f"{name} must be the least and the most, got {first} and {last}.")
        checks.number("shortest_followup", self.shortest_followup, 0, 1, "(]")

    def draw(self, rng: np.random.Generator) -> Arrays:
        """Draw one trial.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of random numbers.

        Returns
        -------
        time : numpy.ndarray of float, shape (patients,)
            Time of death or end of follow-up.
        died : numpy.ndarray of int, shape (patients,)
            1 where follow-up ended in death, else 0.
        arm : numpy.ndarray of int, shape (patients,)
            0 for arm a, whose patients come first, 1 for arm b.
        """
        while True:
            sizes = rng.integers(self.patients[0], self.patients[1] + 1, size=2)
            rates = -np.log1p(-rng.uniform(*self.probability, size=2))
            arm = np.repeat([0, 1], sizes)
            death = rng.exponential(1 / rates[arm])
            end = rng.uniform(self.shortest_followup, 1, size=arm.size)
            died = (death <= end).astype(int)
            if 0 < died.sum() < died.size:
                return np.minimum(death, end), died, arm


def deaths_in(died: np.ndarray, arm: np.ndarray) -> Table:
    """Return deaths and patients of arms a and b."""
    died_in_a, died_in_b = died[arm == 0], died[arm == 1]
    return Table(int(died_in_a.sum()), len(died_in_a), int(died_in_b.sum()), len(died_in_b))


def _pooled_z(events_a: int, n_a: int, events_b: int, n_b: int) -> float:
    """Compare two proportions by the normal approximation."""
    return proportions_ztest([events_a, events_b], [n_a, n_b])[1]


def _difference_z(*counts: int, method: str) -> float:
    """Test a difference of proportions by statsmodels."""
    # Nobody in one arm and everybody in the other: no variance is left, and z is infinite.
    with np.errstate(divide="ignore"):
        return test_proportions_2indep(*counts, compare="diff", method=method).pvalue


def _rank_sum(events_a: int, n_a: int, events_b: int, n_b: int, correction: bool) -> float:
    """Compare outcomes as if they were ranks."""
    outcomes = (
        (np.arange(n) < events).astype(int) for events, n in ((events_a, n_a), (events_b, n_b))
    )
    return mannwhitneyu(*outcomes, method="asymptotic", use_continuity=correction).pvalue


def _chi_square(*counts: int, **options) -> float:
    """Test independence by scipy."""
    return chi2_contingency(Table(*counts).cells(), **options).pvalue


def _fisher(*counts: int) -> float:
    """Test independence exactly by scipy."""
    return fisher_exact(Table(*counts).cells()).pvalue


def _mid_p(events_a: int, n_a: int, events_b: int, n_b: int) -> float:
    """Double the smaller tail, with half of the observed table."""
    law = hypergeom(n_a + n_b, events_a + events_b, n_a)
    half = law.pmf(events_a) / 2
    return min(1.0, 2 * min(law.cdf(events_a) - half, law.sf(events_a) + half))


def _rank_test(time: np.ndarray, died: np.ndarray, arm: np.ndarray, **options) -> float:
    """Compare times by a weighted log-rank test of statsmodels."""
    # It raises an exception, or warns, where all variance is zero.
    if not math.isfinite(logrank_p(time, died, arm)):
        return math.nan
    # Fleming-Harrington weights go by way of the logarithm of a survival that may reach zero.
    with np.errstate(divide="ignore"):
        return float(survdiff(time, died, arm, **options)[1])


#: The tests that simulated authors use. Those of counts are computed by scipy and statsmodels,
#: so that author and audit do not share a formula, except for the unconditional exact ones.
#: The uncorrected rank sum test of deaths is the N−1 chi-square test.
AUTHORS_TESTS = (
    AuthorsTest("Pearson chi-square", "counts", _pooled_z),
    AuthorsTest("Wilcoxon rank sum", "counts", partial(_rank_sum, correction=False)),
    AuthorsTest("Yates chi-square", "counts", partial(_chi_square, correction=True)),
    AuthorsTest(
        "likelihood ratio",
        "counts",
        partial(_chi_square, correction=False, lambda_="log-likelihood"),
    ),
    AuthorsTest("z, unpooled", "counts", partial(_difference_z, method="wald")),
    AuthorsTest("z, Agresti-Caffo", "counts", partial(_difference_z, method="agresti-caffo")),
    AuthorsTest("Fisher exact", "counts", _fisher),
    AuthorsTest("mid-P", "counts", _mid_p),
    AuthorsTest("Boschloo", "counts", TESTS["boschloo_central"]),
    AuthorsTest("Barnard", "counts", TESTS["barnard_pooled"]),
    AuthorsTest("log-rank", "ordering", _rank_test, of_times=True),
    AuthorsTest("Wilcoxon rank sum, corrected", "none", partial(_rank_sum, correction=True)),
    AuthorsTest("Gehan-Breslow", "none", partial(_rank_test, weight_type="gb"), of_times=True),
    AuthorsTest(
        "Fleming-Harrington, rho 1",
        "none",
        partial(_rank_test, weight_type="fh", fh_p=1),
        of_times=True,
    ),
)
