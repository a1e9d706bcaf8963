"""Every claim re-derived: verdicts and the scoreboard.

A claim is one row of ``claims.csv``. Its *derivations* recompute the number from a cohort, or
from the other stated numbers, each on one of `rdmas.paper.verdicts.BASES`. The headline is the
reproducing derivation with the strongest basis.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pandas as pd

from rdmas.paper.cohort import Cohort, load_cohort
from rdmas.paper.comparison import MASKED, as_board, beside_published
from rdmas.paper.derivations import MEASURES
from rdmas.paper.significance import ALPHA
from rdmas.paper.verdicts import (
    BASES,
    STATED_COUNTS,
    VERDICTS,
    Claim,
    Derivation,
    verdict,
)
from rdmas.stats import rounding, two_by_two

__all__ = [
    "ALPHA",
    "BASES",
    "VERDICTS",
    "as_json",
    "derive",
    "json_schema",
    "quotes",
    "scoreboard",
    "tally",
]

#: Version of the form of ``claims.json``; raised with every change of its words or fields.
SCHEMA_VERSION = "2.1"

#: Columns of a scoreboard, and those more that it has where a cohort is only compared.
COLUMNS = (
    *("id", "statement", "reported", "recomputed", "verdict", "basis", "convention", "chapter"),
    *("nearest", "derivations"),
)
COMPARED = ("difference", "low", "high")


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
    >>> [(found.recomputed, found.basis) for found in derive("dose_week8_median")]
    [('0.5 mg/kg', 'input')]
    """
    cohort = load_cohort() if cohort is None else cohort
    rows = cohort.claims[cohort.claims["id"] == claim_id].to_dict("records")
    if not rows:
        raise KeyError(f"there is no claim {claim_id!r}")
    return _derivations(rows[0], cohort)


def scoreboard(cohort: Cohort | None = None) -> pd.DataFrame:
    """Re-derive every claim and give its verdict.

    A register without claims of its own is set beside what the companion's paper published
    (`rdmas.paper.comparison.beside_published`): that is a comparison, and no verdict but *not
    checkable* can come of it.

    Parameters
    ----------
    cohort : rdmas.paper.cohort.Cohort, optional
        The cohort to compute from; by default the companion's own.

    Returns
    -------
    pandas.DataFrame
        One row per claim, in the order of the registry, with columns ``id``, ``statement``,
        ``reported``, ``recomputed``, ``verdict`` (a key of `VERDICTS`), ``basis`` (a key of
        `BASES`), ``convention``, ``chapter`` of the headline derivation; ``nearest`` (where
        not reproduced: what would be) and ``derivations`` (list of dict with keys ``method``,
        ``value``, ``recomputed``, ``reproduces``, ``basis``, ``convention``). Where a cohort is
        set beside published numbers also ``difference``, ``low`` and ``high``: this cohort's
        less the published, with its interval.

    Examples
    --------
    >>> board = scoreboard().set_index("id")
    >>> board.loc["survival_p_value", ["recomputed", "basis", "convention"]].tolist()
    ['0.011', 'counts', 'chi-square, N−1 (Campbell 2007)']
    """
    cohort = load_cohort() if cohort is None else cohort
    if compares(cohort):
        return pd.DataFrame(as_board(beside_published(cohort)), columns=[*COLUMNS, *COMPARED])
    rows = [_row(claim, cohort) for claim in cohort.claims.to_dict("records")]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def compares(cohort: Cohort) -> bool:
    """Tell whether a cohort has no claims of its own, so that it can only be compared.

    Examples
    --------
    >>> compares(load_cohort())
    False
    """
    return cohort.is_register and cohort.claims.empty


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


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of ``claims.json``, with the meaning of every word in it.

    Examples
    --------
    >>> list(json_schema()["items"]["properties"])[:3]
    ['id', 'statement', 'reported']
    """
    text = {"type": "string"}
    words = {"verdict": _closed_list(VERDICTS), "basis": _closed_list(BASES)}
    number = {"type": ["number", "null"]}
    derivation = {
        "method": text | {"description": "how the value was computed"},
        "value": {
            "description": "before rounding: a number, a pair of counts, or ends of a range",
            "oneOf": [number, {"type": "array", "items": number, "minItems": 2, "maxItems": 2}],
        },
        "recomputed": text | {"description": "the value printed the way the paper prints it"},
        "reproduces": {"type": "boolean", "description": "whether it gives the printed value"},
        "basis": words["basis"],
        "convention": text | {"description": "what it assumes that the paper does not state"},
    }
    claim = {
        "id": text | {"description": "identifier of the claim"},
        "statement": text | {"description": "what the paper states, in our words"},
        "reported": text | {"description": "the value exactly as printed"},
        "recomputed": text | {"description": "the headline derivation's value, as printed"},
        "verdict": words["verdict"],
        "basis": words["basis"],
        "convention": text | {"description": "that of the headline derivation"},
        "chapter": text | {"description": "page that derives the claim"},
        "nearest": text | {"description": "where not reproduced: what would be"},
        "derivations": {"type": "array", "items": _object(derivation)},
    }
    compared = {
        "difference": number | {"description": "this cohort's value less the published one"},
        "low": number | {"description": "lower limit of the difference"},
        "high": number | {"description": "upper limit of the difference"},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "claims.json",
        "description": f"Every claim with every derivation; version {SCHEMA_VERSION}.",
        "version": SCHEMA_VERSION,
        "type": "array",
        "items": _object(claim, compared),
    }


def _object(properties: dict[str, Any], optional: Mapping[str, Any] = {}) -> dict[str, Any]:
    """Return the schema of an object that has all of these properties, and may have others."""
    every = {**properties, **optional}
    return {"type": "object", "properties": every, "required": list(properties)}


def _closed_list(words: Mapping[str, str]) -> dict[str, Any]:
    """Return the schema of a word from a closed list."""
    return {"oneOf": [{"const": word, "description": words[word]} for word in words]}


def _row(claim: Claim, cohort: Cohort) -> dict[str, Any]:
    """Give one claim its verdict."""
    hidden = not cohort.shows(claim["variable"] or "arm")
    derivations = [] if hidden else _derivations(claim, cohort)
    found = verdict(claim["measure"], derivations)
    failed = [derivation for derivation in derivations if not derivation.reproduces]
    head = next(iter(failed if found == "not reproduced" else derivations), None)
    return {
        "id": claim["id"],
        "statement": claim["statement"],
        "reported": claim["reported"],
        "recomputed": head.recomputed if head else MASKED if hidden else "",
        "verdict": found,
        "basis": head.basis if head else "none",
        "convention": head.convention if head else "",
        "chapter": claim["chapter"],
        "nearest": _nearest(claim, derivations, head) if head and found == "not reproduced" else "",
        "derivations": [asdict(derivation) for derivation in derivations],
    }


def _derivations(claim: Claim, cohort: Cohort) -> list[Derivation]:
    """Recompute a claim, headline first."""
    if not _has_what_it_needs(claim, cohort):
        return []
    strength = list(BASES)
    preferred = two_by_two.TESTS[claim["convention"]].name if claim["convention"] else ""
    return sorted(
        MEASURES[claim["measure"]](claim, cohort),
        key=lambda found: (
            not found.reproduces,
            found.value != found.value,  # NaN: not defined or left out, so no headline
            strength.index(found.basis),
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


def _nearest(claim: Claim, derivations: list[Derivation], head: Derivation) -> str:
    """Say what would have been reproduced, or which numbers disagree."""
    if claim["measure"] in STATED_COUNTS:
        against = [found for found in derivations if not found.reproduces]
        return "; ".join(f"{found.method}: {found.recomputed}" for found in against)
    would_be = f"{head.recomputed} would be"
    if claim["measure"] == "significance":
        return would_be
    bound = rounding.parse(claim["reported"]).relation != "="
    if claim["measure"] == "percent" and not (bound or pd.isna(claim["denominator"])):
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
        if any(found.recomputed.startswith("left out") for found in derivations):
            nearest += "; unconditional exact tests were left out, as the arms are large"
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
