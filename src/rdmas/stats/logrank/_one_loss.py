"""Every data set in which exactly one survivor's follow-up ends early."""

from __future__ import annotations

import numpy as np
import pandas as pd

from rdmas.stats import checks
from rdmas.stats.logrank._orders import orderings
from rdmas.stats.logrank._statistic import logrank_p


def one_loss(deaths_a: int, n_a: int, deaths_b: int, n_b: int) -> pd.DataFrame:
    """Log-rank P of every order of deaths with exactly one survivor lost before the last death.

    Parameters
    ----------
    deaths_a, n_a, deaths_b, n_b : int
        Deaths and patients of arms a and b.

    Returns
    -------
    pandas.DataFrame
        One row per order of deaths without ties, arm of the lost survivor and gap: `order` (as in
        `orderings`), `lost_arm` ("A" or "B"), `deaths_before` (how many deaths happened before
        that follow-up ended) and `p_value`. Within an arm it does not matter who is lost.

    Raises
    ------
    ValueError
        If the counts are impossible or orders are too many to list.

    Examples
    --------
    >>> one_loss(1, 3, 1, 2)
      order lost_arm  deaths_before   p_value
    0    AB        A              0  0.808365
    1    AB        A              1  0.921886
    2    AB        B              0  0.515082
    3    AB        B              1  0.694887
    4    BA        A              0  0.808365
    5    BA        A              1  0.694887
    6    BA        B              0  0.083265
    7    BA        B              1  0.220671
    """
    deaths_a, n_a, deaths_b, n_b = checks.table(deaths_a, n_a, deaths_b, n_b)
    n_deaths = deaths_a + deaths_b
    died = np.concatenate([np.arange(n_a) < deaths_a, np.arange(n_b) < deaths_b])
    arm = np.arange(n_a + n_b) >= n_a
    # The last patient of an arm stands for its survivors.
    candidates = {"A": n_a - 1, "B": n_a + n_b - 1}
    rows, times = [], []
    for order in orderings(deaths_a, n_a, deaths_b, n_b)["order"]:
        time = np.full(n_a + n_b, n_deaths + 1.0)
        places = np.array(list(order))
        time[died & ~arm] = np.flatnonzero(places == "A") + 1
        time[died & arm] = np.flatnonzero(places == "B") + 1
        for lost_arm, patient in candidates.items():
            if died[patient]:
                continue
            for deaths_before in range(n_deaths):
                changed = time.copy()
                changed[patient] = deaths_before + 0.5
                times.append(changed)
                rows.append((order, lost_arm, deaths_before))
    frame = pd.DataFrame(rows, columns=["order", "lost_arm", "deaths_before"])
    p_value = logrank_p(np.array(times), died, arm) if times else np.array([])
    return frame.assign(p_value=p_value)
