"""
Two independent proportions: tests of equality, effect measures, fragility.

Everywhere arm a is compared with arm b, each given by its events and its patients.
"""

from rdmas.stats.two_by_two._effects import effects
from rdmas.stats.two_by_two._exact import fisher_grid
from rdmas.stats.two_by_two._fragility import fragility_index
from rdmas.stats.two_by_two._tests import (
    TESTS,
    UNCONDITIONAL_IN_SEARCHES_UP_TO,
    UNCONDITIONAL_UP_TO,
    EqualityTest,
    Statistic,
    p_value,
    p_values,
)

__all__ = [
    "TESTS",
    "UNCONDITIONAL_IN_SEARCHES_UP_TO",
    "UNCONDITIONAL_UP_TO",
    "EqualityTest",
    "Statistic",
    "effects",
    "fisher_grid",
    "fragility_index",
    "p_value",
    "p_values",
]
