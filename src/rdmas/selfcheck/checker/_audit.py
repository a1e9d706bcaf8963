"""The audit of simulated trials, by the code that audits the paper."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from rdmas.paper import claims
from rdmas.paper.cohort import Cohort
from rdmas.paper.followup import supported, unseen_followup
from rdmas.paper.significance import SIGNIFICANCE_WORDING, words
from rdmas.selfcheck.checker._trials import deaths_in
from rdmas.stats import rounding

_COMPARES_ARMS = ("p_value", "significance")


def simulated_cohort(
    time: np.ndarray,
    died: np.ndarray,
    arm: np.ndarray,
    printed: Mapping[str, tuple[str, str]],
    times_seen: bool = False,
) -> Cohort:
    """Put a simulated trial, and what is printed of it, into the form that is audited.

    Parameters
    ----------
    time, died, arm : numpy.ndarray, shape (patients,)
        As from `TrialLaw.draw`.
    printed : mapping of str to (str, str)
        From the id of a claim to its measure and to what is printed. ``p_value`` and
        ``significance`` are about deaths in arm a against arm b; ``percent``, ``fraction`` and
        ``count`` about deaths in arm a.
    times_seen : bool, default False
        Whether the audit may see the times. If not, all deaths are put at time 1 and all ends
        of follow-up at 2, declared as assumed. The log-rank P of such a table is that of the
        N−1 chi-square test, so that nothing of the times leaks.

    Returns
    -------
    rdmas.paper.cohort.Cohort

    Raises
    ------
    ValueError
        If the arrays differ in length or an arm has no patients.

    Examples
    --------
    >>> import numpy as np
    >>> from rdmas.paper.claims import scoreboard
    >>> time, died, arm = np.array([3, 1, 2, 3]), np.array([0, 1, 0, 0]), np.array([0, 0, 1, 1])
    >>> cohort = simulated_cohort(time, died, arm, {"deaths": ("percent", "50%")})
    >>> scoreboard(cohort)[["reported", "verdict", "basis"]].values.tolist()
    [['50%', 'reproduced', 'counts']]
    """
    time, died, arm = (np.asarray(array) for array in (time, died, arm))
    if not len(time) == len(died) == len(arm):
        raise ValueError("time, died and arm must have one value for each patient.")
    deaths = deaths_in(died, arm)
    if not (deaths.n_a and deaths.n_b):
        raise ValueError("Both arms, 0 and 1, must have patients.")
    patients = pd.DataFrame(
        {
            "patient_id": np.arange(1, len(arm) + 1).astype(str),
            "arm": np.where(arm == 0, "a", "b"),
            "died": died.astype(int),
            "followup_time": time.astype(float) if times_seen else np.where(died == 1, 1.0, 2.0),
        }
    )
    provenance = dict.fromkeys(patients, "reported")
    provenance["followup_time"] = "reported" if times_seen else "assumed"
    fields = [{"name": name, "provenance": source} for name, source in provenance.items()]
    registry = []
    for claim_id, (measure, text) in printed.items():
        compares = measure in _COMPARES_ARMS
        registry.append(
            {
                "id": claim_id,
                "statement": "Simulated",
                "arm": "both" if compares else "a",
                "reported": text,
                "numerator": pd.NA if compares else deaths.events_a,
                "denominator": pd.NA if compares else deaths.n_a,
                "measure": measure,
                "variable": "died",
                "category": "1",
                "convention": "",
                "chapter": "",
            }
        )
    nothing = pd.DataFrame()  # of a cohort's other tables, which have nothing to say here
    return Cohort(
        patients=patients,
        claims=pd.DataFrame(registry),
        assumptions=nothing,
        evidence=nothing,
        evidence_percentages=nothing,
        descriptor={
            "companion": {"treatmentArm": "a", "controlArm": "b", "timeUnit": "days"},
            "resources": [{"name": "patients", "schema": {"fields": fields}}],
        },
        data_dir=Path(),
    )


class Audit:
    """What the audit makes of any print about the deaths of one trial.

    What `rdmas.paper` derives is derived once, and all prints are held against it; the
    scoreboard would derive it again for each print. Tests hold the two together.
    """

    def __init__(self, time: np.ndarray, died: np.ndarray, arm: np.ndarray) -> None:
        anything = {"p": ("p_value", "0.5"), "words": ("significance", words(0))}
        untold = np.where(died == 1, 1.0, 2.0)
        # With times declared as seen, no range over unseen ones is searched, which is slow.
        cohort = simulated_cohort(untold, died, arm, anything, times_seen=True)
        p_values = np.array([found.value for found in claims.derive("p", cohort)])
        self._deaths = cohort.deaths()
        self._p_values = p_values[np.isfinite(p_values)]
        self._words = {found.recomputed for found in claims.derive("words", cohort)}
        events_a, n_a, events_b, n_b = self._deaths
        #: 1 if arm a has the larger share of deaths, -1 if arm b has, 0 if neither.
        self.direction = int(np.sign(events_a * n_b - events_b * n_a))
        #: Whether some test on the counts gives a print.
        self.on_counts = cache(self._on_counts)
        #: Whether some assumption about unseen times allows a print.
        self.on_ordering = cache(self._on_ordering)

    def distance(self, text: str) -> float:
        """Return the units of the last decimal from a print to the nearest test on the counts."""
        if text in SIGNIFICANCE_WORDING or rounding.parse(text).relation != "=":
            return math.nan
        return float(self._distances(text).min())

    def _on_counts(self, text: str) -> bool:
        """Try the tests on the counts."""
        if text in SIGNIFICANCE_WORDING:
            return text in self._words
        values = self._p_values
        if rounding.parse(text).relation == "=":
            # Picks candidates quickly; the rounding module decides.
            values = values[self._distances(text) < 1]
        return any(rounding.reproduces(float(value), text) for value in values)

    def _on_ordering(self, text: str) -> bool:
        """Try the assumptions about unseen times."""
        ladder = unseen_followup(self._deaths)
        if text in SIGNIFICANCE_WORDING:
            return any(supported(ladder, [text in one.wordings(self.direction) for one in ladder]))
        return any(supported(ladder, [one.reproduces(text) for one in ladder]))

    def _distances(self, text: str) -> np.ndarray:
        """Return the distance from a print to every test, in units of its last decimal."""
        printed = rounding.parse(text)
        return np.abs(self._p_values - float(printed.number)) * 10**printed.decimals
