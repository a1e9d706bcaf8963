"""
Single cohorts from the literature: pooling, prediction, and percentages held against counts.

A cohort is given by its events and its patients.
"""

from rdmas.evidence._percentages import percentage_checks, share_excluded

__all__ = ["percentage_checks", "share_excluded"]
