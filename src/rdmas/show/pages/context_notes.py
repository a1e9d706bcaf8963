"""What the notes on other cohorts show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from IPython.display import HTML

from rdmas.paper.cohort import Cohort
from rdmas.show import figures, prose, tables
from rdmas.show.pages.context import (
    main_analysis,
    named_diseases,
    primary_cohorts,
    table_of_cohorts,
    with_interval,
    with_role,
    with_shares,
)
from rdmas.stats.distribution import ProportionDistribution
from rdmas.stats.no_effect import WithoutEffect
from rdmas.stats.pooling import Heterogeneity, Pooled
from rdmas.stats.posterior import PosteriorPooled
from rdmas.stats.prediction import RobustMixture
from rdmas.stats.standardise import Standardised

_MAIN = "main analysis"

_PRINTED = {"label": "Cohort", "reported": "Printed", "count": "Count", "recomputed": "Recomputed"}


def variants(
    evidence: pd.DataFrame,
    chosen: Sequence[str],
    other_denominators: Iterable[tuple[str, int]],
    analogue: str,
) -> dict[str, pd.DataFrame]:
    """Return what could be pooled, by name, the main analysis first.

    `analogue` is the study that is added to those of which a horizon is stated.
    """
    main = main_analysis(evidence, chosen)
    added = with_role(evidence[evidence["outcome"] == "mortality"], "sensitivity")
    labels = evidence.set_index("study_id")["label"]
    stated = main["horizon_kind"] != "not stated"
    only_stated = "only cohorts with a stated horizon"
    return {
        _MAIN: main,
        "all primary cohorts, some patients possibly counted twice": primary_cohorts(evidence),
        f"{_MAIN} and {named_diseases(added)}": pd.concat([main, added]),
        only_stated: main[stated],
        f"{only_stated}, and {labels[analogue]}": main[stated | (main["study_id"] == analogue)],
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
    mine = tuple(main.loc[main["overlap_group"] != "", "study_id"])
    labels = evidence.set_index("study_id")["label"]
    exchanged = each_way[each_way["chosen"] != mine]
    names = [
        f"with {prose.listed(labels[study] for study in choice)}" for choice in exchanged["chosen"]
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
            "pooled": "Median cohort (profile interval)",
            "studies": "Cohorts",
            "count": "Deaths",
            "between_study_sd_logit": "Spread (logit)",
            "prediction": "A new cohort (prediction by t)",
        },
        {"between_study_sd_logit": 2},
    )


def by_disease(
    parts: Sequence[tuple[str, pd.DataFrame]],
    pools: Sequence[Pooled],
    spreads: Sequence[Heterogeneity],
) -> dict[str, tuple[Pooled, Heterogeneity]]:
    """Return what was found of each part of the cohorts, by disease."""
    found = zip(pools, spreads, strict=True)
    return {disease: one for (disease, _), one in zip(parts, found, strict=True)}


def predicted(cohort: Cohort, treated: np.ndarray, controls: np.ndarray) -> pd.DataFrame:
    """Return the predicted deaths of both arms, with those as far out as observed marked.

    `treated` and `controls` hold the probability of each number of deaths in an arm's size.
    """
    died = cohort.deaths()
    treated_colour, control_colour = figures.ARM_COLOURS
    return pd.concat(
        [
            _panel(cohort.control_arm, controls, died.events_b, "more", control_colour),
            _panel(cohort.treatment_arm, treated, died.events_a, "fewer", treated_colour),
        ]
    )


def _panel(
    arm: str | None, probability: np.ndarray, observed: int, tail: str, colour: str
) -> pd.DataFrame:
    """Return the predicted deaths of one arm."""
    deaths = np.arange(len(probability))
    return pd.DataFrame(
        {
            "panel": f"{arm}: {observed} or {tail} of {len(probability) - 1}",
            "events": deaths,
            "probability": probability,
            "marked": deaths >= observed if tail == "more" else deaths <= observed,
            "observed": deaths == observed,
            "colour": colour,
        }
    )


def patients_by_disease(cohort: Cohort, diseases: Sequence[str], stand_in: str) -> dict[str, int]:
    """Count the treated patients by disease; `stand_in` is for those of no disease listed."""
    diagnoses = cohort.in_arm(cohort.treatment_arm)["diagnosis"]
    counted = diagnoses.where(diagnoses.isin(diseases), stand_in).value_counts()
    return {disease: int(counted.get(disease, 0)) for disease in diseases}


def limits(found: Mapping[str, tuple[Pooled, Heterogeneity]]) -> tuple[list[float], ...]:
    """Return the pooled proportions and their limits, each as a list."""
    pools = [pooled for pooled, _ in found.values()]
    return [p.proportion for p in pools], [p.low for p in pools], [p.high for p in pools]


def table_elsewhere(cohorts: pd.DataFrame, outcomes: Sequence[str], level: float) -> HTML:
    """Show mortality under other treatments, in other patients, by the outcomes that say so."""
    elsewhere = cohorts[cohorts["outcome"].isin(outcomes)]
    headings = {"count": "Deaths", "share": "Mortality (Wilson interval)", "horizon": "Until"}
    label = "Mortality under other treatments, in other patients"
    return table_of_cohorts(with_shares(elsewhere, level), label, headings)


def table_diseases(
    found: Mapping[str, tuple[Pooled, Heterogeneity]],
    patients: Mapping[str, int],
    weighted: Standardised,
) -> HTML:
    """Show the pooled mortality by disease, and weighted as the treated patients are."""
    rows = [
        {
            "disease": disease,
            "studies": prose.count(pooled.studies),
            "count": prose.out_of(pooled.events, pooled.n),
            "share": prose.percent(pooled.events / pooled.n),
            "pooled": with_interval(pooled.proportion, pooled.low, pooled.high),
            "spread": f"{prose.decimal(spread.between_study_sd_logit, 2)} ({_limits(spread)})",
            "patients": prose.count(patients[disease]),
        }
        for disease, (pooled, spread) in found.items()
    ]
    total = sum(patients.values())
    crude = sum(patients[name] * one.events / one.n for name, (one, _) in found.items()) / total
    last = {
        "disease": "weighted by the paper's patients",
        "share": prose.percent(crude),
        "pooled": with_interval(*weighted),
        "patients": prose.count(total),
    }
    return tables.show(
        pd.DataFrame([*rows, last]).fillna(""),
        "Mortality of the main analysis by disease",
        {
            "disease": "Disease",
            "studies": "Cohorts",
            "count": "Deaths",
            "share": "All patients together",
            "pooled": "Median cohort (profile interval)",
            "spread": "Spread (profile interval)",
            "patients": "Patients of the paper",
        },
    )


def _limits(spread: Heterogeneity) -> str:
    """Write the limits of the spread between cohorts."""
    return prose.decimal_interval((spread.between_study_sd_low, spread.between_study_sd_high), 2)


def table_without_effect(by_test: pd.DataFrame, alpha: float) -> HTML:
    """Show how often each test finds a difference between cohorts drawn alike."""
    shares = ("below", "below_this_way", "as_small", "as_small_this_way")
    done = by_test["left_out"] == ""
    written = {
        name: by_test.loc[done, name].map(lambda share: prose.percent(share, 1)) for name in shares
    }
    below = f"P below {prose.decimal(alpha, 2)}"
    return tables.show(
        by_test.assign(**written),
        "Pairs of cohorts drawn alike, without a drug effect, by test",
        {
            "test": "Test",
            "p_value": "P of the paper's counts",
            "below": below,
            "below_this_way": f"{below}, the paper's direction",
            "as_small": "The paper's P or less",
            "as_small_this_way": "The paper's P or less, its direction",
        },
        {"p_value": 4},
    )


def table_weights(by_weight: pd.DataFrame) -> HTML:
    """Show what the mixture says by the probability that the own controls are unlike."""
    records = by_weight.to_dict("records")
    points = [
        prose.decimal_interval((100 * row["difference_low"], 100 * row["difference_high"]), 0)
        for row in records
    ]
    rows = by_weight.assign(
        robust_weight=by_weight["robust_weight"].map(prose.percent),
        unlike=by_weight["unlike"].map(prose.percent),
        mortality=[with_interval(r["proportion"], r["low"], r["high"]) for r in records],
        points=points,
        lower=[prose.percent(row["lower"], 1) for row in records],
    )
    return tables.show(
        rows,
        "The mixture by its weight",
        {
            "robust_weight": "Unlike, before",
            "effective_sample_size": "Prior worth (patients)",
            "unlike": "Unlike, after",
            "mortality": "Controls' mortality (posterior interval)",
            "points": "Difference in points (posterior interval)",
            "lower": "Probability of fewer deaths",
        },
        {"effective_sample_size": 1},
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


def say_model(
    pooled: Pooled, wald: Pooled, bayes: PosteriorPooled, spread: Heterogeneity
) -> dict[str, str]:
    """Word the pooling both ways, and how far the cohorts differ.

    `wald` is the same pooling with normal quantiles.
    """
    return {
        "level": prose.percent(pooled.level),
        "studies": prose.count(pooled.studies),
        "pooled": prose.percent(pooled.proportion),
        "pooled_interval": prose.percent_interval((pooled.low, pooled.high)),
        "pooled_mean": prose.percent(pooled.mean_proportion),
        "wald_interval": prose.percent_interval((wald.low, wald.high)),
        "prediction": prose.percent_interval((pooled.prediction_low, pooled.prediction_high)),
        "prediction_df": prose.decimal(pooled.prediction_df, 0),
        "prediction_normal": prose.percent_interval((wald.prediction_low, wald.prediction_high)),
        "tau_scale": prose.decimal(bayes.tau_scale, 1),
        "bayes": prose.percent(bayes.median),
        "bayes_interval": prose.percent_interval((bayes.low, bayes.high)),
        "tau": prose.decimal(spread.between_study_sd_logit, 2),
        "tau_interval": _limits(spread),
        "median_or": prose.decimal(spread.median_odds_ratio, 1),
        "p_homogeneity": prose.p_value(spread.likelihood_ratio_p_value),
    }


def say_ranges(
    rows: pd.DataFrame, left_out: pd.DataFrame, evidence: pd.DataFrame, analogue: str
) -> dict[str, str]:
    """Word how far the pooled mortality moves over `pools`, and as cohorts are left out."""
    return {
        "analogue": str(evidence.set_index("study_id").loc[analogue, "label"]),
        "variant_low": prose.percent(rows["proportion"].min(), 1),
        "variant_high": prose.percent(rows["proportion"].max(), 1),
        "loo_low": prose.percent(left_out["proportion"].min(), 1),
        "loo_high": prose.percent(left_out["proportion"].max(), 1),
    }


def say_tails(
    cohort: Cohort, tails: tuple[float, float], by_likelihood: tuple[float, float], both: float
) -> dict[str, str]:
    """Word how often new cohorts would be as far out as the arms.

    `tails` are the probabilities of one as far out as the treatment arm and as the control arm,
    `by_likelihood` the same by maximum likelihood, `both` that of two as far out as both.
    """
    died = cohort.deaths()
    treated, control = tails
    return {
        "treatment": str(cohort.treatment_arm),
        "died_control": prose.count(died.events_b),
        "died_treated": prose.count(died.events_a),
        "n_control": prose.count(died.n_b),
        "n_treated": prose.count(died.n_a),
        "tail_control": prose.percent(control),
        "tail_treated": prose.percent(treated),
        "tail_treated_likelihood": prose.percent(by_likelihood[0]),
        "tail_control_likelihood": prose.percent(by_likelihood[1]),
        "both_tails": prose.percent(both, 1),
        "both_apart": prose.percent(treated * control, 1),
    }


def say_diseases(
    found: Mapping[str, tuple[Pooled, Heterogeneity]],
    patients: Mapping[str, int],
    weighted: Standardised,
    stand_in: str,
) -> dict[str, str]:
    """Word the mortality by disease."""
    commonest_first = sorted(patients, key=lambda disease: -patients[disease])
    commonest = commonest_first[0]
    thin, _ = found[commonest]
    mixed, spread = found[stand_in]
    return {
        "stand_in": stand_in,
        "mixed_studies": prose.count(mixed.studies),
        "mixed_count": prose.out_of(mixed.events, mixed.n),
        "mixed": prose.percent(mixed.proportion),
        "mixed_tau": prose.decimal(spread.between_study_sd_logit, 2),
        "mixed_tau_interval": _limits(spread),
        "commonest": commonest,
        "commonest_count": prose.out_of(thin.events, thin.n),
        "commonest_studies": prose.count(thin.studies),
        "ratio": " : ".join(prose.count(patients[disease]) for disease in commonest_first),
        "diseases": prose.listed(commonest_first),
        "weighted": prose.percent(weighted.estimate),
        "weighted_interval": prose.percent_interval((weighted.low, weighted.high)),
    }


def say_chance(
    scales: Sequence[float],
    under: Sequence[WithoutEffect],
    at_limits: pd.DataFrame,
    of_stand_in: pd.DataFrame,
    alpha: float,
) -> dict[str, str]:
    """Word how the share of pairs with a low P depends on what is assumed of the spread.

    `under` holds it for each scale of the prior of the spread, `at_limits` at both limits of the
    spread, `of_stand_in` at the estimate and the upper limit of some of the cohorts.
    """
    averaged = [prose.percent(found.by_test["below"].iloc[0], 1) for found in under]
    low, high = (prose.percent(share, 1) for share in at_limits["below"])
    mixed, mixed_high = (prose.percent(share, 1) for share in of_stand_in["below"])
    return {
        "alpha": prose.decimal(alpha, 2),
        "scales": prose.listed(prose.decimal(scale, 1) for scale in scales),
        "under_priors": prose.listed(averaged),
        "at_low": low,
        "at_high": high,
        "mixed_no_effect": mixed,
        "mixed_no_effect_high": mixed_high,
    }


def say_mixture(prior: RobustMixture, both: RobustMixture, worth: float) -> dict[str, str]:
    """Word the probability that the own controls are unlike the published ones.

    `worth` is the effective sample size of the published cohorts by themselves.
    """
    return {
        "map_worth": prose.decimal(worth, 1),
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
