"""What the notes on other cohorts show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from IPython.display import HTML

from rdmas.show import figures, prose, tables
from rdmas.show.pages.context import main_analysis, primary_cohorts, with_interval
from rdmas.stats.distribution import ProportionDistribution
from rdmas.stats.pooling import Heterogeneity, Pooled
from rdmas.stats.posterior import PosteriorPooled
from rdmas.stats.prediction import RobustMixture

_MAIN = "main analysis"

_PRINTED = {"label": "Cohort", "reported": "Printed", "count": "Count", "recomputed": "Recomputed"}


def variants(
    evidence: pd.DataFrame,
    chosen: Sequence[str],
    other_denominators: Iterable[tuple[str, int]],
    outlier: str,
) -> dict[str, pd.DataFrame]:
    """Return what could be pooled, by name, the main analysis first.

    `outlier` names what sets the cohorts with the role ``sensitivity`` apart.
    """
    main = main_analysis(evidence, chosen)
    added = evidence[(evidence["outcome"] == "mortality") & (evidence["role"] == "sensitivity")]
    labels = evidence.set_index("study_id")["label"]
    return {
        _MAIN: main,
        "all primary cohorts, some patients possibly counted twice": primary_cohorts(evidence),
        f"{_MAIN} and {outlier}": pd.concat([main, added]),
        "only cohorts with a stated horizon": main[main["horizon"] != "not stated"],
    } | {
        f"{labels[study]} with {n} patients": main.assign(
            n=main["n"].mask(main["study_id"] == study, n)
        )
        for study, n in other_denominators
    }


def pools(
    compared: Mapping[str, pd.DataFrame],
    found: Sequence[Pooled],
    each_way: pd.DataFrame,
    evidence: pd.DataFrame,
) -> pd.DataFrame:
    """Return the pooled mortality of each variant, and of other choices among overlapping cohorts.

    `found` holds what the variants compared gave, `each_way` every choice by study, of which
    that of the main analysis is left out.
    """
    main = compared[_MAIN]
    mine = "; ".join(main.loc[main["overlap_group"] != "", "study_id"])
    labels = evidence.set_index("study_id")["label"]
    exchanged = each_way[each_way["chosen"] != mine]
    names = [
        f"with {prose.listed(labels[study] for study in choice.split('; '))}"
        for choice in exchanged["chosen"]
    ]
    rows = pd.concat(
        [pd.DataFrame(found).assign(variant=list(compared)), exchanged.assign(variant=names)]
    )
    records = rows.to_dict("records")
    return rows.assign(
        count=[prose.out_of(r["events"], r["n"]) for r in records],
        pooled=[with_interval(r["proportion"], r["low"], r["high"], 1) for r in records],
        prediction=[
            prose.percent_interval((r["prediction_low"], r["prediction_high"])) for r in records
        ],
    )


def table_pools(rows: pd.DataFrame) -> HTML:
    """Show the pooled mortality by what is pooled."""
    return tables.show(
        rows,
        "Pooled mortality, by what is pooled",
        {
            "variant": "Pooled",
            "pooled": "Mortality",
            "studies": "Cohorts",
            "count": "Deaths",
            "between_study_sd_logit": "Spread (logit)",
            "prediction": "A new cohort",
        },
        {"between_study_sd_logit": 2},
    )


def left_out_in_turn(pooled: Pooled, left_out: pd.DataFrame) -> pd.DataFrame:
    """Return the pooled mortality of all cohorts, and without each in turn, for a figure."""
    everything = {
        "name": "all",
        "estimate": pooled.proportion,
        "low": pooled.low,
        "high": pooled.high,
        "colour": figures.INK,
    }
    without = left_out.rename(columns={"proportion": "estimate"}).assign(
        name="without " + left_out["label"], colour=figures.GREY
    )
    return pd.concat([pd.DataFrame([everything]), without])


def densities(
    published: ProportionDistribution,
    own: ProportionDistribution,
    both: ProportionDistribution,
) -> pd.DataFrame:
    """Return what is known of the controls' mortality from three sources, for a figure."""
    share = np.linspace(0.002, 0.998, 499)
    curves = (
        ("published cohorts", published, figures.GREY),
        ("own controls", own, figures.ARM_COLOURS[1]),
        ("both", both, figures.INK),
    )
    return pd.concat(
        [
            pd.DataFrame(
                {"name": name, "proportion": share, "density": known.pdf(share), "colour": colour}
            )
            for name, known, colour in curves
        ]
    )


def printed(checked: pd.DataFrame, evidence: pd.DataFrame) -> pd.DataFrame:
    """Word percentages held against their counts, with the cohorts that printed them."""
    rows = checked.merge(evidence[["study_id", "label", "count_basis"]], on="study_id")
    part = rows["patients"].map(lambda patients: "" if patients == "all" else f", {patients}")
    counted = rows["counted"].map({"event": "", "no event": " without the event"})
    return rows.assign(
        label=rows["label"] + part,
        reported=rows["reported"] + counted,
        count=[f"{r.numerator} of {r.denominator}, {r.count_basis}" for r in rows.itertuples()],
        excluded=rows["share_excluded"].map(prose.percent),
    )


def table_misfits(rows: pd.DataFrame) -> HTML:
    """Show the percentages that their counts do not give."""
    return tables.show(
        rows[~rows["fits"]],
        "Printed percentages that their counts do not give",
        _PRINTED | {"reading": "A reading that would fit"},
    )


def table_printed(rows: pd.DataFrame) -> HTML:
    """Show all percentages held against whole numbers of patients."""
    return tables.show(
        rows,
        "Printed percentages against whole numbers of patients",
        _PRINTED | {"fits": "Fits", "excluded": "Random ones failing"},
    )


def say_model(pooled: Pooled, bayes: PosteriorPooled, spread: Heterogeneity) -> dict[str, str]:
    """Word the pooling both ways, and how far the cohorts differ."""
    limits = (spread.between_study_sd_low, spread.between_study_sd_high)
    return {
        "studies": prose.count(pooled.studies),
        "pooled": prose.percent(pooled.proportion),
        "pooled_interval": prose.percent_interval((pooled.low, pooled.high)),
        "tau_scale": prose.decimal(bayes.tau_scale, 1),
        "bayes": prose.percent(bayes.median),
        "bayes_interval": prose.percent_interval((bayes.low, bayes.high)),
        "tau": prose.decimal(spread.between_study_sd_logit, 2),
        "tau_interval": prose.decimal_interval(limits, 2),
        "median_or": prose.decimal(spread.median_odds_ratio, 1),
        "p_homogeneity": prose.p_value(spread.likelihood_ratio_p_value),
    }


def say_ranges(rows: pd.DataFrame, left_out: pd.DataFrame) -> dict[str, str]:
    """Word how far the pooled mortality moves over `pools`, and as cohorts are left out."""
    return {
        "variant_low": prose.percent(rows["proportion"].min(), 1),
        "variant_high": prose.percent(rows["proportion"].max(), 1),
        "loo_low": prose.percent(left_out["proportion"].min(), 1),
        "loo_high": prose.percent(left_out["proportion"].max(), 1),
    }


def say_tails(arm: str, tail_treated: float, tail_control: float) -> dict[str, str]:
    """Word how often a new cohort would be as far out as each arm, and two as far out as both."""
    return {
        "treatment": arm,
        "tail_treated": prose.percent(tail_treated),
        "tail_control": prose.percent(tail_control),
        "both_tails": prose.percent(tail_treated * tail_control, 1),
    }


def say_mixture(prior: RobustMixture, both: RobustMixture) -> dict[str, str]:
    """Word the probability that the own controls are unlike the published ones."""
    return {
        "robust_weight": prose.percent(prior.robust_weight),
        "robust_posterior": prose.percent(both.robust_weight),
    }


def say_printed(rows: pd.DataFrame, evidence: pd.DataFrame) -> dict[str, str]:
    """Word how many printed percentages fit."""
    return {
        "percentages": prose.count(len(rows)),
        "fitting": prose.count(rows["fits"].sum()),
        "without": prose.count((~evidence["study_id"].isin(rows["study_id"])).sum()),
    }
