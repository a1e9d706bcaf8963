"""The two-sample log-rank test where orders of deaths, or ends of follow-up, are not known.

P of data sets and of ensembles of data sets (`logrank_p`, `random_data_sets`), of all orders of
deaths that fit published counts (`orderings`, `weak_orderings`, `ordering_counts`,
`number_of_orders`, and with one survivor lost `one_loss`; `data_of_order` builds the data set),
and its range over unseen
follow-up (`p_range` and what builds on it).
"""

from rdmas.stats.logrank._data_sets import data_of_order, one_loss, random_data_sets
from rdmas.stats.logrank._order_counts import ordering_counts
from rdmas.stats.logrank._orders import (
    MOST_LISTED,
    number_of_orders,
    orderings,
    weak_orderings,
)
from rdmas.stats.logrank._range import (
    PRange,
    losses_for_every_order,
    losses_to_exceed,
    p_range,
    p_range_curve,
)
from rdmas.stats.logrank._search import LARGEST_SEARCH
from rdmas.stats.logrank._statistic import excess_deaths, logrank_p

__all__ = [
    "LARGEST_SEARCH",
    "MOST_LISTED",
    "PRange",
    "data_of_order",
    "excess_deaths",
    "logrank_p",
    "losses_for_every_order",
    "losses_to_exceed",
    "number_of_orders",
    "one_loss",
    "ordering_counts",
    "orderings",
    "p_range",
    "p_range_curve",
    "random_data_sets",
    "weak_orderings",
]
