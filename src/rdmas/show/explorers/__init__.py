"""Explorers: charts that a reader moves, with all values computed beforehand.

Each function takes results of `rdmas.stats` and returns an `Explorer`, which a page shows. It is
drawn by Vega-Altair: what stands there without a script is the same chart, and the script that
draws it in a browser comes from the site itself.
"""

from rdmas.show.explorers._context import without_effect
from rdmas.show.explorers._explorer import Control, Explorer, Words
from rdmas.show.explorers._p_values import order_of_deaths, unseen_followup
from rdmas.show.explorers._sturdiness import controls, p_landscape

__all__ = [
    "Control",
    "Explorer",
    "Words",
    "controls",
    "order_of_deaths",
    "p_landscape",
    "unseen_followup",
    "without_effect",
]
