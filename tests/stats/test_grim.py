"""Printed percentages against counts: what fits, what would, and how much a fit says."""

import re
from fractions import Fraction
from itertools import product

import pandas as pd
import pytest

from rdmas.paper.cohort import load_cohort
from rdmas.stats.grim import percentage_checks, share_excluded


def check(reported, numerator, denominator):
    table = pd.DataFrame(
        {"reported": [reported], "numerator": [numerator], "denominator": [denominator]}
    )
    return percentage_checks(table).iloc[0]


@pytest.mark.parametrize(
    ("reported", "numerator", "denominator", "reading"),
    [
        ("23.0%", 14, 61, ""),
        ("22.9%", 14, 61, "14 of 61, cut off instead of rounded"),
        ("42.5%", 17, 41, "17 of 40"),
        ("40.5%", 17, 41, "17 of 42"),
        ("23%", 29, 129, "29 of 129, rounded twice"),  # 22.48, 22.5, 23
        ("44%", 17, 41, "17 of 39"),
        ("5%", 3, 20, "1 of 20"),
        ("50.1%", 10, 20, ""),  # nothing near gives it
    ],
)
def test_the_nearest_ordinary_explanation_is_named(reported, numerator, denominator, reading):
    assert check(reported, numerator, denominator)["reading"] == reading


def test_of_50_patients_every_whole_percentage_is_even():
    """Oracle: R package scrutiny, tests of grim(): n = 50 fits even whole percentages only."""
    table = pd.DataFrame(product(range(101), range(51)), columns=["percent", "numerator"])
    table["reported"] = table["percent"].astype(str) + "%"
    checked = percentage_checks(table.assign(denominator=50))
    fits = sorted(set(checked.loc[checked["fits"], "percent"]))
    assert fits == list(range(0, 101, 2))
    assert share_excluded(0, 50) == pytest.approx(50 / 101)


@pytest.mark.parametrize("n", [1, 3, 8, 16, 50, 99, 128, 300])
@pytest.mark.parametrize("decimals", [0, 1])
def test_the_share_excluded_counts_what_no_count_gives(n, decimals):
    """Oracle: every printable percentage tried against every count with exact fractions."""
    steps = 100 * 10**decimals
    given = {
        printed
        for printed in range(steps + 1)
        for k in range(n + 1)
        if abs(Fraction(k * steps, n) - printed) <= Fraction(1, 2)
    }
    assert share_excluded(decimals, n) == pytest.approx(1 - len(given) / (steps + 1))


def test_the_check_cannot_fail_where_patients_outnumber_percentages():
    assert share_excluded(0, 100) == 0
    assert share_excluded(1, 999) > 0
    assert share_excluded(1, 1000) == 0


def test_impossible_input_is_refused():
    with pytest.raises(ValueError, match="events must be a whole number between 0 and 5, got 6"):
        check("50%", 6, 5)
    with pytest.raises(ValueError, match="n must be a whole number of at least 1"):
        share_excluded(0, 0)
    with pytest.raises(ValueError, match="decimals must be a whole number of at least 0"):
        share_excluded(-1, 5)


def test_other_columns_and_the_order_of_rows_are_kept():
    table = pd.DataFrame(
        {
            "study": list("ba"),
            "reported": ["50%", "25%"],
            "numerator": [1, 1],
            "denominator": [2, 4],
        },
        index=[9, 4],
    )
    found = percentage_checks(table)
    assert found["study"].tolist() == ["b", "a"]
    assert found["fits"].tolist() == [True, True]


# The published cohorts of the companion ----------------------------------------------------------


def test_every_percentage_of_the_published_cohorts_has_its_row():
    cohort = load_cohort()
    rows = cohort.evidence_percentages.groupby("study_id")["reported"].agg(sorted).to_dict()
    for study in cohort.evidence.to_dict("records"):
        numbers = re.findall(r"\d+(?:\.\d+)?", study["percent_reported"])
        assert rows.pop(study["study_id"], []) == sorted(f"{number}%" for number in numbers)
    assert rows == {}


def test_a_count_called_approximate_is_one_whose_percentage_does_not_fit():
    cohort = load_cohort()
    found = percentage_checks(cohort.evidence_percentages).merge(
        cohort.evidence[["study_id", "count_basis"]]
    )
    unfit = set(found.loc[~found["fits"], "study_id"])
    assert unfit == {"ke2020", "ruscitti2017"}
    assert set(found.loc[found["count_basis"] == "approximate", "study_id"]) <= unfit
    assert found.loc[found["count_basis"] == "inferred", "fits"].all()
