"""What the chapter on P shows.

Arm a of every count is the treatment arm, arm b the controls; events are deaths.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
from IPython.display import HTML

from rdmas.paper.followup import UnseenFollowup
from rdmas.show import prose, tables
from rdmas.stats import logrank, rounding
from rdmas.stats.checks import Table
from rdmas.stats.significance import significant

#: Stands for orders of deaths where they are too many to list.
NO_ORDERS = pd.DataFrame({"order": [], "places_a": [], "p_value": []}).astype({"p_value": float})

#: Stands for the ranges of P where there is too much to search.
NO_CURVE = pd.DataFrame({"lost": [], "low": [], "high": [], "high_is_bound": []})

#: Stands for a number that would have to be searched for, or counted, in too many orders.
UNKNOWN = "an unknown number"

# Places of deaths that a sentence can list.
_MOST_PLACES = 12

_NOT_LISTED = "(not listed: too many orders)"


def hits(p_values: pd.Series, reported: str) -> pd.Series:
    """Tell which P-values, rounded once, print as the reported one."""
    return p_values.map(lambda p: rounding.reproduces(p, reported)).astype(bool)


def tests_table(tests: pd.DataFrame, reported: str) -> HTML:
    """Show the P-values of tests on the counts, and which of them print as reported."""
    cells = tests.assign(
        family=tests["statistic"].mask(tests["statistic"].duplicated(), ""),
        rounded=[prose.p_value(p, 3) for p in tests["p_value"]],
        prints=hits(tests["p_value"], reported),
    ).astype({"prints": object})
    cells.loc[tests["left_out"] != "", ["rounded", "prints"]] = None
    headings = {
        "family": "Statistic",
        "test": "Test; the event is death",
        "p_value": "P",
        "rounded": "Rounded",
        "prints": f"Prints as {reported}",
        "interval": "Confidence interval built on it",
    }
    label = "Two-sided P-values of the survival comparison"
    return tables.show(cells, label, headings, {"p_value": 6})


def ladder_table(
    rungs: Sequence[UnseenFollowup], orders: pd.DataFrame, reported: str, alpha: float
) -> HTML:
    """Show the attainable log-rank P-values, from no assumption about follow-up to a single order.

    `rungs` go from the strongest assumption to the weakest, none if there is too much to search;
    `orders` are without early ends.
    """
    cells: list[tuple] = [
        (
            rung.assumption,
            prose.p_value(rung.low),
            "no limit" if rung.high_is_bound else prose.p_value(rung.high),
            rung.reproduces(reported),
            significant(rung.high, alpha),
        )
        for rung in reversed(rungs)
    ]
    for order in orders[hits(orders["p_value"], reported)].to_dict("records"):
        assumption = f"the same, and place {order['places_a']} for the death with treatment"
        p_value = prose.p_value(order["p_value"])
        cells.append((assumption, p_value, p_value, True, significant(order["p_value"], alpha)))
    headings = (
        "Assumed of follow-up",
        "Smallest P",
        "Largest P",
        f"{reported} possible",
        f"Always below {alpha:g}",
    )
    label = "Attainable log-rank P-values under each assumption"
    if not rungs:
        cells.append(("any order of deaths and ends of follow-up", *[None] * 4))
    shown = pd.DataFrame(cells, columns=headings)
    shown["left_out"] = "" if rungs else "left out: too many to search"
    return tables.show(shown, label, dict(zip(headings, headings, strict=True)))


def attainable(tests: pd.DataFrame, rungs: Sequence[UnseenFollowup], reported: str) -> pd.DataFrame:
    """Return what each test and assumption could have printed, as `plot_attainable` takes it."""
    tests = tests.dropna(subset="p_value")
    points = zip(
        [prose.counted(len(tests), "test") + " on the four counts"] * len(tests),
        tests["p_value"],
        tests["p_value"],
        hits(tests["p_value"], reported),
        strict=True,
    )
    ranges = [
        (f"log-rank, {rung.assumption}", rung.low, rung.high, rung.reproduces(reported))
        for rung in reversed(rungs)
    ]
    return pd.DataFrame([*points, *ranges], columns=["name", "low", "high", "prints"])


def say_counts(deaths: Table, treatment: str, alpha: float) -> dict[str, str]:
    """Word what was counted, and the level."""
    survived = deaths.complement()
    return {
        "treatment": treatment,
        "alpha": prose.decimal(alpha, 2),
        "n": prose.count(deaths.n_a + deaths.n_b),
        "died_treated": prose.out_of(deaths.events_a, deaths.n_a),
        "died_control": prose.out_of(deaths.events_b, deaths.n_b),
        "survivors": prose.count(survived.events_a + survived.events_b),
    }


def say_tests(tests: pd.DataFrame, reported: str, alpha: float) -> dict[str, str]:
    """Word the tests on the counts that are defined there; `tests` are two-sided."""
    p_of = dict(zip(tests["key"], tests["p_value"], strict=True))
    tests = tests.dropna(subset="p_value")
    p_values = tests["p_value"]
    largest = tests.to_dict("records")[int(p_values.argmax())]
    defined = math.isfinite(p_of["chi2"])
    twice = rounding.reproduces_by_rounding_twice(p_of["chi2"], reported) if defined else None
    # Of equal outcomes everywhere a chi-square test has no P.
    shown_first = prose.p_value(p_of["chi2_n_minus_1"], twice or 4) if defined else "nan"
    return {
        "tests": prose.count(len(tests)),
        "families": families(tests),
        "below": prose.of_all(int(significant(p_values, alpha).sum()), len(tests)),
        "hits": prose.listed(tests.loc[hits(p_values, reported), "test"]),
        "smallest": prose.p_value(p_values.min(), 3),
        "largest": prose.p_value(p_values.max(), 3),
        "largest_in_full": prose.p_value(largest["p_value"]),
        "largest_test": largest["test"],
        "fisher": prose.p_value(p_of["fisher"], 3),
        "n_minus_1": prose.p_value(p_of["chi2_n_minus_1"], 6),
        "n_minus_1_twice": prose.p_value(float(shown_first), 3),
        "pearson": prose.p_value(p_of["chi2"], 6),
        "pearson_printed": prose.p_value(p_of["chi2"], 3),
        "twice": "no number of" if twice is None else prose.count(twice),
    }


def families(tests: pd.DataFrame) -> str:
    """Count the statistics that tests share."""
    return prose.count(tests["statistic"].nunique())


def one_more(deaths: Table) -> Table:
    """Return the counts with one more death in the treatment arm, if anybody there survived."""
    return deaths._replace(events_a=min(deaths.events_a + 1, deaths.n_a))


def say_one_more(tests: pd.DataFrame, alpha: float) -> dict[str, str]:
    """Word the same tests with one more death in the treatment arm."""
    p_of = dict(zip(tests["key"], tests["p_value"], strict=True))
    tests = tests.dropna(subset="p_value")
    past = tests[~significant(tests["p_value"], alpha)]
    return {
        "past": prose.of_all(len(past), len(tests)),
        "past_families": prose.of_all(past["statistic"].nunique(), tests["statistic"].nunique()),
        "fisher_one_more": prose.p_value(p_of["fisher"], 3),
        "n_minus_1_one_more": prose.p_value(p_of["chi2_n_minus_1"], 3),
    }


def say_orders(
    deaths: Table, untied: pd.DataFrame | None, weak: pd.DataFrame | None, reported: str
) -> dict[str, str]:
    """Word how many orders of deaths there are, without ties and with them, nobody being lost.

    `untied` and `weak` are from `ordering_counts`, None where there are too many to count by P.
    """
    number, number_weak = (
        logrank.number_of_orders(deaths.events_a, deaths.events_b, ties) for ties in (False, True)
    )
    words = {
        "orders": prose.count(number),
        "weak": prose.count(number_weak),
        "weak_hits": UNKNOWN,
        "tied": prose.count(number_weak - number),
        "tied_hits": UNKNOWN,
    }
    if weak is not None and untied is not None:
        untied_hits, weak_hits = (
            int(counted.loc[hits(counted["p_value"], reported), "orders"].sum())
            for counted in (untied, weak)
        )
        words["weak_hits"] = prose.count(weak_hits)
        words["tied_hits"] = prose.count(weak_hits - untied_hits)
    return words


def say_early_ends(
    n_lost: int | str | None, every_order: int | str | None, survivors: int
) -> dict[str, str]:
    """Word how many early ends of follow-up take P to alpha: for some data set, in every order.

    A number that is not known is given in words.
    """
    safe = survivors if n_lost is None else n_lost if isinstance(n_lost, str) else n_lost - 1
    return {
        "to_exceed": _number(n_lost),
        "safe": f"{safe} of" if isinstance(safe, str) else _number(safe),
        "every_order": _number(every_order),
    }


def _number(number: int | str | None) -> str:
    if isinstance(number, str):
        return number
    return "no number" if number is None else prose.count(number)


def say_places(
    log_rank: pd.DataFrame,
    peto: pd.DataFrame,
    exact: pd.DataFrame,
    one_loss: pd.DataFrame | None,
    reported: str,
) -> dict[str, str]:
    """Word under which orders of deaths each test of survival prints as reported.

    A frame is empty, or None, where orders are too many to list.
    """
    words = {}
    for name, orders in (("", log_rank), ("_peto", peto), ("_exact", exact)):
        found = orders.loc[hits(orders["p_value"], reported), "places_a"]
        shown = prose.listed(found) if len(found) <= _MOST_PLACES else f"{len(found)} of them"
        words[f"places{name}"] = _NOT_LISTED if orders.empty else shown
    words["one_loss_orders"] = UNKNOWN
    if one_loss is not None:
        with_one_loss = one_loss.loc[hits(one_loss["p_value"], reported), "order"].nunique()
        words["one_loss_orders"] = prose.count(with_one_loss)
    return words
