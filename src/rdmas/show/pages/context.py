"""What the chapter on other cohorts shows."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from IPython.display import HTML

from rdmas.paper.cohort import Cohort
from rdmas.show import figures, prose, tables
from rdmas.stats import proportion
from rdmas.stats.binomial_normal import LARGEST_TAU
from rdmas.stats.checks import Table
from rdmas.stats.no_effect import WithoutEffect
from rdmas.stats.pooling import Heterogeneity, Pooled
from rdmas.stats.posterior import PosteriorPooled
from rdmas.stats.prediction import ControlSource

#: Roles of published cohorts that are never part of the main analysis, in the order shown.
APART = ("sensitivity", "secondary", "indirect")

#: Where the mortality of the controls may be taken from.
SOURCES = {
    "own": "own controls alone",
    "published": "published cohorts in place of own controls",
    "both": "both together (robust mixture)",
}


def primary_cohorts(evidence: pd.DataFrame) -> pd.DataFrame:
    """Return the cohorts that may be pooled; some of them may share patients."""
    return evidence[(evidence["outcome"] == "mortality") & (evidence["role"] == "primary")]


def main_analysis(evidence: pd.DataFrame, chosen: Sequence[str]) -> pd.DataFrame:
    """Return the primary cohorts, of those that may share patients only the chosen ones."""
    primary = primary_cohorts(evidence)
    return primary[(primary["overlap_group"] == "") | primary["study_id"].isin(chosen)]


def with_shares(cohorts: pd.DataFrame, level: float) -> pd.DataFrame:
    """Add to each cohort its proportion with the Wilson interval, as numbers and in words."""
    counts = _counts(cohorts)
    limits = [proportion.interval(*count, method="wilson", level=level) for count in counts]
    shares = [events / n for events, n in counts]
    return cohorts.assign(
        count=[prose.out_of(*count) for count in counts],
        estimate=shares,
        low=[low for low, _ in limits],
        high=[high for _, high in limits],
        share=[with_interval(share, *ends) for share, ends in zip(shares, limits, strict=True)],
    )


def _counts(cohorts: pd.DataFrame) -> list[tuple[int, int]]:
    """Return events and patients of each cohort."""
    return list(zip(cohorts["events"].tolist(), cohorts["n"].tolist(), strict=True))


def beside_paper(
    cohort: Cohort, outcome: str, count: tuple[int, int], population: str, level: float
) -> pd.DataFrame:
    """Return the published cohorts that counted an outcome, below the treatment arm."""
    events, n = count
    own = {
        "label": f"the paper, {cohort.treatment_arm}",
        "population": population,
        "therapy": cohort.treatment_arm,
        "events": events,
        "n": n,
        "event_definition": "not stated in the abstract",
    }
    published = cohort.evidence[cohort.evidence["outcome"] == outcome]
    return with_shares(pd.concat([pd.DataFrame([own]), published]), level)


def table_cohorts(main: pd.DataFrame) -> HTML:
    """Show what is pooled."""
    counts = [prose.out_of(*count) for count in _counts(main)]
    headings = {"count": "Deaths", "count_basis": "Count", "horizon": "Until"}
    return table_of_cohorts(main.assign(count=counts), "Cohorts of the main analysis", headings)


def table_beside(rows: pd.DataFrame, label: str) -> HTML:
    """Show what `beside_paper` found."""
    what = {"event_definition": "What was counted"}
    headings = {"count": "Count", "share": "Share (Wilson interval)"} | what
    return table_of_cohorts(rows, label, headings)


def table_of_cohorts(rows: pd.DataFrame, label: str, headings: dict[str, str]) -> HTML:
    """Show columns of a table of cohorts between their names and who they were."""
    who = {"population": "Patients", "therapy": "Treatment"}
    return tables.show(rows, label, {"label": "Cohort"} | headings | who)


def table_studies(cohorts: pd.DataFrame) -> HTML:
    """Show every study once, with where to find it and what to know."""
    return tables.show(
        cohorts.drop_duplicates("citation"),
        "Published cohorts, with what to know before comparing",
        {"citation": "Study", "doi_or_pmid": "DOI or PubMed number", "note": "What to know"},
    )


def forest(
    cohort: Cohort,
    main: pd.DataFrame,
    pooled: Pooled,
    bayes: PosteriorPooled,
) -> pd.DataFrame:
    """Return the rows of the forest plot."""
    level = pooled.level
    mortality = cohort.evidence[cohort.evidence["outcome"] == "mortality"]
    others = mortality[~mortality["study_id"].isin(main["study_id"])]
    highest_first = (main["events"] / main["n"]).sort_values(ascending=False).index
    sections = [("May share patients with these", others[others["role"] == "primary"])]
    sections += [(_apart(rows), rows) for role in APART if len(rows := with_role(others, role))]
    died = cohort.deaths()
    arms = pd.DataFrame(
        [
            (cohort.control_arm, died.events_b, died.n_b),
            (cohort.treatment_arm, died.events_a, died.n_a),
        ],
        columns=["label", "events", "n"],
    )
    return pd.concat(
        [
            _squares(main.loc[highest_first], "Main analysis", level),
            _summaries(pooled, bayes),
            *(_squares(rows, heading, level) for heading, rows in sections),
            _squares(arms, "The paper", level).assign(colour=list(figures.ARM_COLOURS[::-1])),
        ],
        ignore_index=True,
    )


def with_role(cohorts: pd.DataFrame, role: str) -> pd.DataFrame:
    """Return the cohorts of one role."""
    return cohorts[cohorts["role"] == role]


def named_diseases(cohorts: pd.DataFrame) -> str:
    """List the diseases of cohorts, by their own names where they have one."""
    own = cohorts["disease_name"].where(cohorts["disease"] == "other", cohorts["disease"])
    return prose.listed(own.unique())


def _apart(cohorts: pd.DataFrame) -> str:
    """Return the heading of cohorts of one role that are never pooled with the others."""
    if (cohorts["role"] == "secondary").all():
        return "Case reports, aggregated"
    diseases = named_diseases(cohorts)
    return diseases[0].upper() + diseases[1:]


def _squares(cohorts: pd.DataFrame, section: str, level: float) -> pd.DataFrame:
    """Return one section of cohorts of the forest plot."""
    return with_shares(cohorts, level).assign(
        section=section,
        name=cohorts["label"],
        text=[f"{events}/{n}" for events, n in _counts(cohorts)],
        kind="cohort",
        colour=figures.GREY,
    )


def _summaries(pooled: Pooled, bayes: PosteriorPooled) -> pd.DataFrame:
    """Return the section of the forest plot that sums up the main analysis."""
    pools = [
        ("pooled, max. likelihood", pooled.proportion, pooled.low, pooled.high),
        ("pooled, Bayesian", bayes.median, bayes.low, bayes.high),
    ]
    predictions = [
        ("a new cohort, max. likelihood", pooled.prediction_low, pooled.prediction_high),
        ("a new cohort, Bayesian", bayes.prediction_low, bayes.prediction_high),
    ]
    rows = [
        (name, with_interval(estimate, low, high), estimate, low, high, "summary")
        for name, estimate, low, high in pools
    ] + [
        (name, prose.percent_interval((low, high)), np.nan, low, high, "prediction")
        for name, low, high in predictions
    ]
    return pd.DataFrame(rows, columns=["name", "text", "estimate", "low", "high", "kind"]).assign(
        section="Summary of these", n=0, colour=figures.INK
    )


def by_source(sources: Mapping[str, ControlSource]) -> pd.DataFrame:
    """Return the difference in mortality by source of the controls, for a figure."""
    found = [source.contrast for source in sources.values()]
    return pd.DataFrame(
        {
            "name": [textwrap.fill(SOURCES[name], 24) for name in sources],
            "estimate": [contrast.difference for contrast in found],
            "low": [contrast.difference_low for contrast in found],
            "high": [contrast.difference_high for contrast in found],
            "colour": figures.INK,
        }
    )


def table_sources(sources: Mapping[str, ControlSource], arm: str) -> HTML:
    """Show the controls' mortality by its source, and how probably an arm has a lower one."""
    rows = [
        {"Controls": SOURCES[name], "Their mortality (posterior interval)": _known(source)}
        | {
            _margin_in_words(margin, arm): prose.percent(probability, 1)
            for margin, probability in source.contrast.lower_by_more_than.items()
        }
        for name, source in sources.items()
    ]
    return tables.show(pd.DataFrame(rows), "Difference in mortality by source of the controls")


def _known(source: ControlSource) -> str:
    """Write what is known of the controls' mortality."""
    interval = source.control.interval(source.contrast.level)
    return with_interval(source.control.median(), *interval)


def _margin_in_words(margin: float, arm: str) -> str:
    """Return the heading of the probabilities that mortality is lower by more than a margin."""
    if margin == 0:
        return f"Probability of fewer deaths with {arm}"
    return f"by more than {prose.decimal(100 * margin, 0)} points"


def rates(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what `beside_paper` found for a figure, the paper in the treatment arm's colour."""
    colours = [figures.ARM_COLOURS[0]] + [figures.GREY] * (len(rows) - 1)
    return rows.assign(name=[textwrap.fill(label, 26) for label in rows["label"]], colour=colours)


def say_cohorts(main: pd.DataFrame) -> dict[str, str]:
    """Word what is pooled."""
    shares = main["events"] / main["n"]
    stated = int((main["count_basis"] == "stated").sum())
    fixed = main[main["horizon_kind"] == "days"].sort_values("horizon_days")
    kinds = main["horizon_kind"].value_counts()
    return {
        "studies": prose.count(len(main)),
        "events": prose.count(main["events"].sum()),
        "patients": prose.count(main["n"].sum()),
        "lowest": prose.percent(shares.min()),
        "highest": prose.percent(shares.max()),
        "stated": prose.out_of(stated, len(main)),
        "horizons": prose.listed(fixed["horizon"].unique()),
        "not_stated": prose.count(kinds.get("not stated", 0)),
    }


def say_pooling(pooled: Pooled, bayes: PosteriorPooled) -> dict[str, str]:
    """Word what the cohorts say together."""
    return {
        "level": prose.percent(pooled.level),
        "pooled": prose.percent(pooled.proportion),
        "pooled_interval": prose.percent_interval((pooled.low, pooled.high)),
        "pooled_mean": prose.percent(pooled.mean_proportion),
        "prediction": prose.percent_interval((pooled.prediction_low, pooled.prediction_high)),
        "prediction_bayes": prose.percent_interval((bayes.prediction_low, bayes.prediction_high)),
    }


def say_arms(cohort: Cohort) -> dict[str, str]:
    """Word the deaths in both arms."""
    died = cohort.deaths()
    return {
        "treatment": str(cohort.treatment_arm),
        "n_control": prose.count(died.n_b),
        "n_treated": prose.count(died.n_a),
        "control_count": prose.out_of(died.events_b, died.n_b),
        "control_percent": prose.percent(died.events_b / died.n_b),
    }


def say_analogues(
    evidence: pd.DataFrame, analogue: str, same_hospital: str, level: float
) -> dict[str, str]:
    """Word the cohort with the most similar patients, and that of the same hospital."""
    rows = with_shares(evidence, level).set_index("study_id").to_dict("index")
    nearest, hospital = rows[analogue], rows[same_hospital]
    return {
        "analogue": nearest["label"],
        "analogue_refractory": prose.out_of(nearest["refractory_n"], nearest["n"]),
        "analogue_horizon": nearest["horizon"],
        "analogue_count": nearest["count"],
        "analogue_percent": prose.percent(nearest["estimate"]),
        "analogue_interval": prose.percent_interval((nearest["low"], nearest["high"])),
        "hospital_count": hospital["count"],
        "hospital_percent": prose.percent(hospital["estimate"]),
    }


def shares_by_spread(by_spread: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """Return shares of pairs of cohorts against their spread, for a figure."""
    below = f"P below {prose.decimal(alpha, 2)}"
    curves = (
        ("below", f"{below}, either direction", figures.INK),
        ("below_this_way", f"{below}, the paper's direction", figures.GREEN),
        ("as_wide", "the paper's gap or wider, its direction", figures.PURPLE),
    )
    return pd.concat(
        [
            by_spread[["tau"]].assign(share=by_spread[column], name=name, colour=colour)
            for column, name, colour in curves
        ]
    )


def say_without_effect(
    found: WithoutEffect,
    steps: pd.DataFrame,
    at_limits: pd.DataFrame,
    died: Table,
    alpha: float,
    spread: Heterogeneity,
) -> dict[str, str]:
    """Word how often two cohorts drawn alike differ as much as the arms, without a drug effect.

    `found` holds one test, `steps` the same shares against the spread, from none on, and
    `at_limits` those at both limits of the spread.
    """
    (row,) = found.by_test.to_dict("records")
    none, *some = steps.to_dict("records")
    gap = abs(died.events_a / died.n_a - died.events_b / died.n_b)
    return {
        "alpha": prose.decimal(alpha, 2),
        "no_effect": prose.percent(row["below"], 1),
        "no_effect_small": prose.percent(row["as_small"], 1),
        "no_effect_way": prose.percent(row["below_this_way"], 1),
        "no_effect_small_way": prose.percent(row["as_small_this_way"], 1),
        "no_effect_wide": prose.percent(found.as_wide, 1),
        "no_effect_range": prose.percent_interval(tuple(at_limits["below"])),
        "no_effect_wide_range": prose.percent_interval(tuple(at_limits["as_wide"])),
        "no_spread": prose.percent(none["below"], 1),
        "some_spread": prose.listed(
            f"{prose.percent(one['below'], 1)} at {prose.decimal(one['tau'], 2)}" for one in some
        ),
        "spread": prose.decimal(spread.between_study_sd_logit, 2),
        "spread_interval": prose.decimal_interval(
            (spread.between_study_sd_low, spread.between_study_sd_high), 2
        ),
        "gap": prose.decimal(100 * gap, 0),
        "fewer": "fewer" if died.events_a * died.n_b < died.events_b * died.n_a else "more",
    }


def ends(spread: Heterogeneity) -> list[float]:
    """Return the spread between cohorts and its limits, as far as they can be drawn from."""
    three = (
        spread.between_study_sd_logit,
        spread.between_study_sd_low,
        spread.between_study_sd_high,
    )
    return [min(one, LARGEST_TAU) for one in three]


def say_published(sources: Mapping[str, ControlSource], robust_weight: float) -> dict[str, str]:
    """Word the comparison with the published cohorts in place of the paper's own controls."""
    found = sources["published"].contrast
    limits = (100 * found.difference_low, 100 * found.difference_high)
    return {
        "better_published": prose.percent(found.lower_by_more_than[0.0], 1),
        "difference_published": prose.decimal_interval(limits, 0),
        "robust_weight": prose.percent(robust_weight),
    }


def with_interval(estimate: float, low: float, high: float, decimals: int = 0) -> str:
    """Write a proportion, with its interval in parentheses."""
    return f"{prose.percent(estimate, decimals)} ({prose.percent_interval((low, high))})"
