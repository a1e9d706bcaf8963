"""Figures: each takes tidy data and returns the axes it drew on.

Figures of several panels return an array of axes. Colours are those of Okabe and Ito, told apart by
people with any common colour vision: one for the treatment arm, one for the controls, throughout
the book. Things are labelled where they are drawn rather than in legends.
"""

from rdmas.show.figures._book import plot_durations, plot_layers, plot_scoreboard
from rdmas.show.figures._cohort import plot_completeness, plot_quartiles, plot_values
from rdmas.show.figures._context import (
    plot_densities,
    plot_predictive_counts,
    plot_shares_by_spread,
)
from rdmas.show.figures._intervals import plot_forest, plot_intervals
from rdmas.show.figures._p_values import (
    plot_attainable,
    plot_ensemble,
    plot_orderings,
    plot_p_values,
    plot_range_curve,
    plot_rounding,
    spread_by_p,
)
from rdmas.show.figures._patients import (
    plot_dose_pairs,
    plot_followup,
    plot_icon_array,
    plot_kaplan_meier,
    plot_order_envelope,
    plot_people,
    plot_provenance,
)
from rdmas.show.figures._sturdiness import (
    plot_bounding_curves,
    plot_discount,
    plot_probability_better,
    plot_significance_map,
    plot_wrong_outcomes,
)
from rdmas.show.figures._style import (
    ARM_COLOURS,
    GREEN,
    GREY,
    INK,
    LIGHT,
    LILAC,
    ON_DARK,
    PURPLE,
    STATE_COLOURS,
    VERDICT_COLOURS,
    YELLOW,
    lettering,
    plain,
    use_style,
)

__all__ = [
    "ARM_COLOURS",
    "GREEN",
    "GREY",
    "INK",
    "LIGHT",
    "LILAC",
    "ON_DARK",
    "PURPLE",
    "STATE_COLOURS",
    "VERDICT_COLOURS",
    "YELLOW",
    "lettering",
    "plain",
    "plot_attainable",
    "plot_bounding_curves",
    "plot_completeness",
    "plot_densities",
    "plot_discount",
    "plot_dose_pairs",
    "plot_durations",
    "plot_ensemble",
    "plot_followup",
    "plot_forest",
    "plot_icon_array",
    "plot_intervals",
    "plot_kaplan_meier",
    "plot_layers",
    "plot_order_envelope",
    "plot_orderings",
    "plot_p_values",
    "plot_people",
    "plot_predictive_counts",
    "plot_probability_better",
    "plot_provenance",
    "plot_quartiles",
    "plot_range_curve",
    "plot_rounding",
    "plot_scoreboard",
    "plot_shares_by_spread",
    "plot_significance_map",
    "plot_values",
    "plot_wrong_outcomes",
    "spread_by_p",
    "use_style",
]
