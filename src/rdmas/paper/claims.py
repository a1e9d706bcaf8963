"""Every claim re-derived: verdicts and the scoreboard.

A claim is one row of ``claims.csv``. Its *derivations* recompute the number from a cohort, each
on one *basis*:

``counts``
    follows by arithmetic from counts the paper states, in every data set that fits them;
``ordering``
    depends on the unseen order of deaths and ends of follow-up;
``input``
    was put into the reconstruction, so that re-deriving it tests the pipeline and not the paper;
``none``
    nothing at hand bears on it.

The headline of a claim is its reproducing derivation with the strongest basis, in that order.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

import pandas as pd

from rdmas.paper.cohort import Cohort, load_cohort
from rdmas.paper.derivations import BASES, MEASURES, Claim, Derivation
from rdmas.paper.significance import ALPHA
from rdmas.stats import rounding, two_by_two

__all__ = [
    "ALPHA",
    "BASES",
    "VERDICTS",
    "as_json",
    "derive",
    "parts_and_wholes",
    "quotes",
    "scoreboard",
    "tally",
]

VERDICTS = (
    "reproduced",
    "reproduced under a stated convention",
    "not reproduced",
    "not checkable",
)


def derive(claim_id: str, cohort: Cohort | None = None) -> list[Derivation]:
    """Recompute one claim in every way the cohort allows.

    Parameters
    ----------
    claim_id : str
        An ``id`` of the registry.
    cohort : rdmas.paper.cohort.Cohort, optional
        The cohort to compute from; by default the companion's own.

    Returns
    -------
    list of Derivation
        Headline first. Empty where nothing in the cohort bears on the claim.

    Raises
    ------
    KeyError
        If the registry has no such claim.

    Examples
    --------
    >>> [d.recomputed for d in derive("cmv_percent")]
    ['20%']
    """
    cohort = load_cohort() if cohort is None else cohort
    rows = cohort.claims[cohort.claims["id"] == claim_id].to_dict("records")
    if not rows:
        raise KeyError(f"there is no claim {claim_id!r}")
    return _derivations(rows[0], cohort)


def scoreboard(cohort: Cohort | None = None) -> pd.DataFrame:
    """Re-derive every claim and give its verdict.

    Parameters
    ----------
    cohort : rdmas.paper.cohort.Cohort, optional
        The cohort to compute from; by default the companion's own.

    Returns
    -------
    pandas.DataFrame
        One row per claim, in the order of the registry, with columns ``id``, ``statement``,
        ``reported``, ``recomputed``, ``verdict`` (one of `VERDICTS`), ``basis`` (one of
        `BASES`), ``convention``, ``chapter`` of the headline derivation; ``nearest`` (where
        not reproduced: what would be) and ``derivations`` (list of dict with keys ``method``,
        ``value``, ``recomputed``, ``reproduces``, ``basis``, ``convention``).

    Examples
    --------
    >>> board = scoreboard().set_index("id")
    >>> board.loc["survival_p_value", ["recomputed", "basis", "convention"]].tolist()
    ['0.011', 'counts', 'chi-square, N−1 (Campbell 2007)']
    """
    cohort = load_cohort() if cohort is None else cohort
    return pd.DataFrame([_row(claim, cohort) for claim in cohort.claims.to_dict("records")])


def as_json(board: pd.DataFrame) -> str:
    """Write a scoreboard as the text of ``claims.json``: a list; undefined values are null."""
    return json.dumps(_jsonable(board.to_dict("records")), indent=1, ensure_ascii=False) + "\n"


def quotes(board: pd.DataFrame) -> dict[str, str]:
    """Return what prose may quote of each claim, as strings.

    Parameters
    ----------
    board : pandas.DataFrame
        From `scoreboard`.

    Returns
    -------
    dict of str to str
        Keys ``<id>.reported``, ``.recomputed``, ``.verdict``, ``.basis`` and ``.convention``.

    Examples
    --------
    >>> quotes(scoreboard())["dose_week8_median.basis"]
    'input'
    """
    columns = ("reported", "recomputed", "verdict", "basis", "convention")
    return {
        f"{row['id']}.{column}": row[column]
        for row in board.to_dict("records")
        for column in columns
    }


def tally(board: pd.DataFrame) -> pd.DataFrame:
    """Count claims by verdict and basis.

    Parameters
    ----------
    board : pandas.DataFrame
        From `scoreboard`.

    Returns
    -------
    pandas.DataFrame
        Columns verdict, basis, claims; only combinations that occur, strongest first.
    """
    ordered = [[*VERDICTS], [*BASES]]
    found = board.groupby(["verdict", "basis"]).size()
    every = pd.MultiIndex.from_product(ordered, names=found.index.names)
    return found.reindex(every).dropna().astype(int).rename("claims").reset_index()


def parts_and_wholes(claims: pd.DataFrame) -> pd.DataFrame:
    """Check that the counts a paper states fit together.

    Categories of one column are added up where every category has a count, and each stated
    denominator is held against the size of its arm. This needs no patient table.

    Parameters
    ----------
    claims : pandas.DataFrame
        The registry.

    Returns
    -------
    pandas.DataFrame
        Columns ``what``, ``parts``, ``sum``, ``arm``, ``n``, ``fits``: for counts printed
        without a denominator the sum must be the arm's size; for those printed as fractions
        the largest numerator sum may not exceed it.

    Examples
    --------
    >>> from rdmas.paper.cohort import load_cohort
    >>> bool(parts_and_wholes(load_cohort().claims)["fits"].all())
    True
    """
    sizes = claims[claims["measure"] == "n"].set_index("arm")["numerator"].to_dict()
    counted = claims[claims["measure"].isin(["count", "fraction"])]
    rows = []
    for (arm, variable), group in counted.groupby(["arm", "variable"], sort=False):
        n = int(sizes[arm])
        total = int(group["numerator"].sum())
        partition = bool((group["measure"] == "count").all())
        same_denominator = bool((group["denominator"] == n).all())
        rows.append(
            {
                "what": variable,
                "parts": " + ".join(str(part) for part in group["numerator"]),
                "sum": total,
                "arm": arm,
                "n": n,
                "fits": same_denominator and (total == n if partition else total <= n),
            }
        )
    return pd.DataFrame(rows)


def _row(claim: Claim, cohort: Cohort) -> dict[str, Any]:
    """Give one claim its verdict."""
    derivations = _derivations(claim, cohort)
    head = derivations[0] if derivations else None
    reproduced = [found for found in derivations if found.reproduces]
    if head is None:
        verdict = "not checkable"
    elif not reproduced:
        verdict = "not reproduced"
    elif head.convention and head.basis != "input":
        verdict = "reproduced under a stated convention"
    else:
        verdict = "reproduced"
    return {
        "id": claim["id"],
        "statement": claim["statement"],
        "reported": claim["reported"],
        "recomputed": head.recomputed if head else "",
        "verdict": verdict,
        "basis": head.basis if head else "none",
        "convention": head.convention if head else "",
        "chapter": claim["chapter"],
        "nearest": _nearest(claim, derivations) if verdict == "not reproduced" else "",
        "derivations": [asdict(found) for found in derivations],
    }


def _derivations(claim: Claim, cohort: Cohort) -> list[Derivation]:
    """Recompute a claim, headline first."""
    if not _has_what_it_needs(claim, cohort):
        return []
    preferred = two_by_two.TESTS[claim["convention"]].name if claim["convention"] else ""
    return sorted(
        MEASURES[claim["measure"]](claim, cohort),
        key=lambda found: (
            not found.reproduces,
            BASES.index(found.basis),
            found.convention != preferred,
        ),
    )


def _has_what_it_needs(claim: Claim, cohort: Cohort) -> bool:
    """Tell whether the cohort bears on a claim."""
    arms = cohort.arms if claim["arm"] == "both" else (claim["arm"],)
    column = claim["variable"] or "arm"
    return (
        claim["measure"] in MEASURES
        and (claim["arm"] != "both" or cohort.control_arm is not None)
        and set(arms) <= set(cohort.arms)
        and column in cohort.patients
        and all(cohort.in_arm(arm)[column].notna().any() for arm in arms)
    )


def _nearest(claim: Claim, derivations: list[Derivation]) -> str:
    """Say what would have been reproduced."""
    would_be = f"{derivations[0].recomputed} would be"
    if claim["measure"] == "percent" and not pd.isna(claim["denominator"]):
        n = int(claim["denominator"])
        fitting = [f"{k}/{n}" for k in rounding.counts_that_print(claim["reported"], n)]
        other = f"{' or '.join(fitting)} prints so" if fitting else f"no count of {n} prints so"
        return f"{would_be}; of {n} patients, {other}"
    if claim["measure"] == "p_value":
        printed = float(rounding.parse(claim["reported"]).number)
        ranges = [found.value for found in derivations if isinstance(found.value, tuple)]
        single = [
            (abs(found.value - printed), found)
            for found in derivations
            if isinstance(found.value, float) and math.isfinite(found.value)
        ]
        if not single:
            return "no test is defined on these counts"
        _, closest = min(single, key=lambda pair: pair[0])
        nearest = f"{closest.recomputed} would be ({closest.method})"
        if any(low <= printed <= high for low, high in ranges):
            nearest += "; a log-rank test can give it if more survivors' follow-up ended early"
        return nearest
    return would_be


def _jsonable(value: Any) -> Any:
    """Return a value with null for what JSON has no word for."""
    if isinstance(value, dict):
        return {key: _jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_jsonable(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
