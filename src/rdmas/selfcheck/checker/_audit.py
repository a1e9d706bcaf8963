"""The audit of simulated trials, by the code that audits the paper."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from rdmas.paper import claims
from rdmas.paper.cohort import Cohort
from rdmas.paper.followup import UnseenFollowup, supported, unseen_followup
from rdmas.paper.significance import SIGNIFICANCE_WORDING, words
from rdmas.selfcheck.checker._trials import counts
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
    deaths_a, n_a, _, n_b = counts(time, died, arm)
    if not (n_a and n_b):
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
    schema = {
        "fields": [{"name": name, "provenance": source} for name, source in provenance.items()]
    }
    registry = [
        {
            "id": claim_id,
            "group": "simulated",
            "statement": "Simulated",
            "arm": "both" if measure in _COMPARES_ARMS else "a",
            "reported": text,
            "numerator": pd.NA if measure in _COMPARES_ARMS else deaths_a,
            "denominator": pd.NA if measure in _COMPARES_ARMS else n_a,
            "unit": "%" if measure == "percent" else "",
            "measure": measure,
            "variable": "died",
            "category": "1",
            "convention": "",
            "basis": "counts",
            "chapter": "",
        }
        for claim_id, (measure, text) in printed.items()
    ]
    content = {
        "patients": patients,
        "claims": pd.DataFrame(registry),
        "descriptor": {
            "companion": {"treatmentArm": "a", "controlArm": "b", "timeUnit": "days"},
            "resources": [{"name": "patients", "schema": schema}],
        },
        "data_dir": Path(),
    }
    # A cohort has other tables too; none of them has anything to say here.
    return Cohort(**{table.name: pd.DataFrame() for table in fields(Cohort)} | content)


class Audit:
    """What the audit makes of any print about the deaths of one trial.

    Claims are derived once by `rdmas.paper.claims`, and all prints held against what that finds;
    the scoreboard would derive them again for each print. Tests hold the two together.
    """

    def __init__(self, time: np.ndarray, died: np.ndarray, arm: np.ndarray) -> None:
        untold = np.where(died == 1, 1.0, 2.0)
        anything = {"p_value": ("p_value", "0.5"), "words": ("significance", words(0))}
        anything |= {text: ("significance", text) for text in SIGNIFICANCE_WORDING}
        self._unseen = simulated_cohort(untold, died, arm, anything)
        # With times declared as seen, no range over unseen ones is searched, which is slow.
        self._untold = simulated_cohort(untold, died, arm, anything, times_seen=True)
        self._on_counts: dict[str, bool] = {}
        self._on_ordering: dict[str, bool] = {}
        deaths_a, n_a, deaths_b, n_b = counts(time, died, arm)
        #: 1 if arm a has the larger share of deaths, -1 if arm b has, 0 if neither.
        self.direction = int(np.sign(deaths_a * n_b - deaths_b * n_a))

    def on_counts(self, text: str) -> bool:
        """Tell whether some test on the counts gives the print."""
        if text not in self._on_counts:
            if text in SIGNIFICANCE_WORDING:
                found = text in self._words_on_counts
            else:
                values = self._p_values
                if rounding.parse(text).relation == "=":
                    # Picks candidates quickly; the rounding module decides.
                    values = values[self._distances(text) < 1]
                found = any(rounding.reproduces(float(value), text) for value in values)
            self._on_counts[text] = found
        return self._on_counts[text]

    def on_ordering(self, text: str) -> bool:
        """Tell whether some assumption about unseen times allows the print."""
        if text not in self._on_ordering:
            if text in SIGNIFICANCE_WORDING:
                found = text in self._words_on_ordering
            else:
                possible = [one.reproduces(text) for one in self._assumptions]
                found = any(supported(self._assumptions, possible))
            self._on_ordering[text] = found
        return self._on_ordering[text]

    def distance(self, text: str) -> float:
        """Return the units of the last decimal from a print to the nearest test on the counts."""
        if text in SIGNIFICANCE_WORDING or rounding.parse(text).relation != "=":
            return math.nan
        return float(self._distances(text).min())

    def _distances(self, text: str) -> np.ndarray:
        printed = rounding.parse(text)
        return np.abs(self._p_values - float(printed.number)) * 10**printed.decimals

    @cached_property
    def _p_values(self) -> np.ndarray:
        values = np.array([found.value for found in claims.derive("p_value", self._untold)])
        return values[np.isfinite(values)]

    @cached_property
    def _words_on_counts(self) -> set[str]:
        return {found.recomputed for found in claims.derive("words", self._untold)}

    @cached_property
    def _words_on_ordering(self) -> set[str]:
        return {
            text
            for text in SIGNIFICANCE_WORDING
            if any(
                found.reproduces
                for found in claims.derive(text, self._unseen)
                if found.basis == "ordering"
            )
        }

    @cached_property
    def _assumptions(self) -> tuple[UnseenFollowup, ...]:
        return unseen_followup(self._unseen.deaths())
