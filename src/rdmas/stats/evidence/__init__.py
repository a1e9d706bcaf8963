"""
Single cohorts from the literature: pooling, prediction, and percentages held against counts.

A cohort is given by its events and its patients. `pool` and what follows from it is by maximum
likelihood, `pool_bayes` with declared priors; both take the counts as binomial and the cohorts'
true logits as normal, so that cohorts without an event stay as they are.
"""

from rdmas.stats.evidence._bayes import (
    Contrast,
    PosteriorPooled,
    ProportionDistribution,
    RobustMixture,
    contrast,
    control_sources,
    pool_bayes,
    predictive_counts,
    predictive_tail,
    robust_map_prior,
    update,
)
from rdmas.stats.evidence._percentages import percentage_checks, share_excluded
from rdmas.stats.evidence._pooling import (
    Heterogeneity,
    Pooled,
    heterogeneity,
    leave_one_out,
    one_per_group,
    pool,
    pool_each_way,
    predictive_probability,
)

__all__ = [
    "Contrast",
    "Heterogeneity",
    "Pooled",
    "PosteriorPooled",
    "ProportionDistribution",
    "RobustMixture",
    "contrast",
    "control_sources",
    "heterogeneity",
    "leave_one_out",
    "one_per_group",
    "percentage_checks",
    "pool",
    "pool_bayes",
    "pool_each_way",
    "predictive_counts",
    "predictive_probability",
    "predictive_tail",
    "robust_map_prior",
    "share_excluded",
    "update",
]
