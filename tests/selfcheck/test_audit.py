"""Both numbers of every library defect, and the conventions."""

import math

import numpy as np
import pytest
from scipy.stats import barnard_exact, boschloo_exact

from rdmas.selfcheck.audit import library_conventions, library_defects, r_notes

SCORE_DIFFERENCE = "confint_proportions_2indep(method='score', compare='diff')"
SCORE_RATIO = "confint_proportions_2indep(method='score', compare='ratio', correction=False)"
LOW = "lower limit, risk difference, Miettinen-Nurminen"
HIGH = "upper limit, risk difference, Miettinen-Nurminen"
KOOPMAN = "lower limit, risk ratio, Koopman"
NEXT_TO_ONE = "probability of the table, given its margins, at an odds ratio of 1 − 2^−52"

# What the library printed when the row was written, and the right value. Oracles of the latter:
# Barnard, enumeration with a tie tolerance in R 4.2.2 (dbinom, optimize). Miettinen-Nurminen
# and Koopman, restricted likelihood by optimize() and score equation by uniroot() in R 4.2.2;
# Perondi's also Fagerland, Lydersen and Laake 2015 (0.0270 to 0.3453).
DEFECTS = {
    ("barnard_exact", "7/15 v 12/15", "P, one-sided, pooled"): (0.0340767164, 0.0341091546616),
    ("barnard_exact", "7/15 v 12/15", "P, two-sided, pooled"): (0.0681534327, 0.0682183093232),
    ("barnard_exact", "7/15 v 12/15", "P, one-sided, unpooled"): (0.0340767164, 0.0341091546616),
    ("barnard_exact", "7/15 v 12/15", "P, two-sided, unpooled"): (0.0681534327, 0.0682183093232),
    ("barnard_exact", "0/15 v 3/15", "P, one-sided, pooled"): (0.0494152287, 0.0500928190715),
    (SCORE_DIFFERENCE, "7/34 v 1/34", LOW): (0.0273246128, 0.0270416274),
    (SCORE_DIFFERENCE, "7/34 v 1/34", HIGH): (0.3434287182, 0.3452912170),
    (SCORE_DIFFERENCE, "0/16 v 15/72", LOW): (np.nan, -0.316370169349),
    (SCORE_DIFFERENCE, "0/16 v 15/72", HIGH): (np.nan, -0.005574141551),
    (SCORE_RATIO, "16/16 v 57/72", KOOPMAN): (1.205479452, 1.009251599),
    # It prints nothing: the process ends. Two of ten, of whom five have the event: 2 * 5 * 5 / 90.
    ("nchypergeom_fisher.pmf", "1/2 v 4/8", NEXT_TO_ONE): (np.nan, 5 / 9),
}


@pytest.fixture(scope="module")
def defects():
    frame = library_defects()
    frame["table"] = frame["table_or_data"].str.partition(" (")[0]
    return frame.set_index(["function", "table", "quantity"])


@pytest.fixture(scope="module")
def conventions():
    return library_conventions().set_index("function")


def test_every_defect_has_an_oracle(defects):
    assert set(defects.index) == set(DEFECTS)
    assert defects.index.is_unique


@pytest.mark.parametrize("row", DEFECTS)
def test_defect_still_stands_and_ours_is_right(defects, row):
    printed, right = DEFECTS[row]
    defect = defects.loc[row]
    assert defect["right"] == pytest.approx(right, abs=1e-7)
    still_prints = defect["prints"] == pytest.approx(printed, abs=1e-7, nan_ok=True)
    assert still_prints and defect["differs"], (
        f"{defect['library']} {defect['version']} prints {defect['prints']} where it printed "
        f"{printed}; right is {right}. If this is mended ({defect['report']}), revise the row in "
        "rdmas.selfcheck.audit and here."
    )


def test_barnard_drops_a_table_with_the_same_statistic_as_the_observed_one():
    # Proof that the row is a defect: 7/15 v 12/15 and 3/15 v 8/15 have the same z (the totals,
    # 19 and 11 of 30, are complements), so their P-values must be equal. Boschloo of the first
    # is 0.0341092 as well (Chan 1998, in scipy's tests).
    both = [
        frame.set_index("quantity").loc["P, one-sided, pooled", "right"]
        for frame in (library_defects((7, 15, 12, 15)), library_defects((3, 15, 8, 15)))
    ]
    assert both == pytest.approx([0.0341091546616] * 2, abs=1e-9)


def test_scipy_barnard_depends_on_which_outcome_is_called_the_event():
    # 1/20 v 8/21 are the deaths where 19/20 v 13/21 are the survivors: one table, one right P.
    # Oracle: 0.011612719707 by enumeration with a tie tolerance in R 4.2.2.
    survivors, deaths = (
        library_defects(table).set_index("quantity").loc["P, two-sided, pooled"]
        for table in ((19, 20, 13, 21), (1, 20, 8, 21))
    )
    assert [survivors["right"], deaths["right"]] == pytest.approx([0.011612719707] * 2, abs=1e-9)
    assert survivors["prints"] == pytest.approx(0.0116127, abs=1e-7)
    assert deaths["prints"] == pytest.approx(0.0116109, abs=1e-7), (
        "mended? revise rdmas.selfcheck.audit"
    )


def test_defects_on_a_table_of_the_readers():
    # 19/20 v 13/21: Miettinen-Nurminen by R as above, 0.0857273811492 to 0.5562335501022.
    frame = library_defects((19, 20, 13, 21))
    assert set(frame["table_or_data"]) == {"19/20 v 13/21"}
    touched = frame[frame["differs"]].set_index("quantity")
    assert list(touched.index) == [LOW, HIGH]
    assert touched["prints"].tolist() == pytest.approx([0.0819338, 0.5747362], abs=1e-6)
    assert touched["right"].tolist() == pytest.approx([0.0857273811, 0.5562335501], abs=1e-7)


@pytest.mark.parametrize("table", [(0, 5, 3, 6), (5, 5, 0, 4), (0, 5, 0, 5), (5, 5, 5, 5)])
def test_defects_on_tables_with_empty_cells(table):
    assert library_defects(table)["right"].between(-1, 10).all()


def test_impossible_tables_are_refused():
    with pytest.raises(ValueError, match="Arm b"):
        library_defects((1, 5, 7, 6))


# Oracles: R 4.2.2 (fisher.test at a tolerance of 1e-12, survfit, survdiff, coxph), scipy's own
# tests (Boschloo 0.0356 one-sided), Exact (minimum-likelihood Boschloo by enumeration, see
# test_two_by_two), closed forms.
CONVENTIONS = {
    "boschloo_exact (two-sided)": (0.0711, 0.07208),
    "chi2_contingency": (0.0961, 0.0684),
    "fisher_exact": (74 * 32 / (43 * 31), 1.7706),
    "test_proportions_2indep": (0.0702, 0.0684),
    "proportion_confint": (0.5451, 0.5384),
    "plotting.add_at_risk_counts": (17, 21),
    "plotting.add_at_risk_counts(at_risk_count_from_start_of_period=True)": (17, 16),
    "utils.median_survival_times": (13, 16),
    "KaplanMeierFitter.median_survival_time_": (2, 2.5),
    "statistics.logrank_test (events left out)": (0.0027452, 4.1688e-05),
    "statistics.logrank_test(weightings='peto')": (0.0001748, 0.000143384),
    "statistics.logrank_test (nobody dies)": (1, np.nan),
    "PHReg": (4.52307202, 4.81687390),
}


@pytest.mark.parametrize("function", CONVENTIONS)
def test_conventions_print_both_numbers(conventions, function):
    row = conventions.loc[function]
    both = [row["what_it_prints"], row["what_one_might_expect"]]
    assert both == pytest.approx(CONVENTIONS[function], rel=1e-3, nan_ok=True)


def test_scipy_takes_arms_as_columns():
    # 19/20 v 13/21; the right ones, arms as columns, also from R's Exact by enumeration.
    rows = np.array([[19, 1], [13, 8]])
    both = [
        test(cells).pvalue for test in (barnard_exact, boschloo_exact) for cells in (rows, rows.T)
    ]
    assert both == pytest.approx([0.018076, 0.011613, 0.011173, 0.011808], abs=1e-6)


def test_scipy_is_right_about_an_odds_ratio_next_to_one_on_other_tables():
    quantity = library_defects((19, 20, 13, 21)).set_index("quantity").loc[NEXT_TO_ONE]
    # Hypergeometric: 20 of 41, of whom 32 survive.
    right = math.comb(32, 19) * math.comb(9, 1) / math.comb(41, 20)
    assert [quantity["prints"], quantity["right"]] == pytest.approx([right, right], abs=1e-12)


def test_each_convention_differs_from_what_is_expected(conventions):
    both = conventions[["what_it_prints", "what_one_might_expect"]].to_numpy(float)
    assert not np.isclose(*both.T, rtol=1e-4, atol=1e-9).any()


def test_jeffreys_without_events_has_a_positive_lower_limit(conventions):
    row = conventions.loc["proportion_confint(method='jeffreys')"]
    assert row["what_it_prints"] > 0
    assert row["what_one_might_expect"] == 0


def test_r_prints_the_odds_ratio_of_perondi_to_three_digits():
    # Oracle of the right values: Fagerland 2015 (0.97 to 397).
    notes = r_notes().set_index("quantity")
    assert notes.loc["lower limit, odds ratio", "right"] == pytest.approx(0.97, abs=0.005)
    assert notes.loc["upper limit, odds ratio", "right"] == pytest.approx(397, abs=0.5)
    assert (abs(notes["prints"] / notes["right"] - 1) < 0.003).all()
    assert (abs(notes["prints"] - notes["right"]) > 1e-5).all()
