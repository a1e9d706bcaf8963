"""Known answers and properties of E-values and bounding curves."""

from dataclasses import FrozenInstanceError
from math import inf, isnan, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rdmas.stats.confounding import MEASURES, bounding_curve, e_value

quick = settings(derandomize=True, max_examples=60, deadline=None)
ratios = st.floats(0.01, 100)


def bounding_factor(with_arm, with_outcome):
    """Ding and VanderWeele 2016: the most by which a confounder can have changed a risk ratio."""
    return with_arm * with_outcome / (with_arm + with_outcome - 1)


# Known answers --------------------------------------------------------------------------------


def test_e_values_of_smoking_and_lung_cancer_agree_with_the_r_package():
    # Oracle: README of the R package EValue, evalues.RR(est = 10.73, lo = 8.02, hi = 14.36):
    #              point    lower upper
    # RR       10.73000  8.02000 14.36
    # E-values 20.94777 15.52336    NA
    result = e_value(10.73, 8.02, 14.36)
    assert result.estimate == pytest.approx(20.94777, abs=5e-6)
    assert result.limit == pytest.approx(15.52336, abs=5e-6)


@pytest.mark.parametrize(
    ("ratios", "estimate", "limit"),
    [
        # Oracle: tests of the R package EValue, "Annals case #1" and "Further Examples #1"
        # (VanderWeele and Ding 2017): the formula with these ratios.
        ((3.9, 1.8, 8.7), 3.9 + sqrt(3.9 * 2.9), 1.8 + sqrt(1.8 * 0.8)),
        ((1 / 3.9, 1 / 8.7, 1 / 1.8), 3.9 + sqrt(3.9 * 2.9), 1.8 + sqrt(1.8 * 0.8)),
        ((0.80, 0.71, 0.91), 1.25 + sqrt(1.25 * 0.25), 1 / 0.91 + sqrt(1 / 0.91 * (1 / 0.91 - 1))),
    ],
)
def test_e_values_of_the_annals_examples(ratios, estimate, limit):
    result = e_value(*ratios)
    assert result.estimate == pytest.approx(estimate)
    assert result.limit == pytest.approx(limit)


def test_odds_ratio_is_rooted_only_where_the_outcome_is_common():
    # Oracle: tests of the R package EValue, "Rare OR" and "Common OR": evalues.OR(5, rare = TRUE)
    # is 5 + sqrt(5 * 4); rare = FALSE takes sqrt(5) for the risk ratio.
    root = sqrt(5)
    common = e_value(5, 3, 9, "odds ratio (common outcome)")
    assert common.estimate == pytest.approx(root + sqrt(root * (root - 1)))
    assert common.limit == pytest.approx(sqrt(3) + sqrt(sqrt(3) * (sqrt(3) - 1)))
    rare = e_value(5, measure="odds ratio (rare outcome)")
    assert rare.estimate == e_value(5).estimate == pytest.approx(5 + sqrt(20))


def test_e_value_of_1_of_20_against_8_of_21_deaths():
    # Oracle: by hand, RR = 21/160, so 160/21 + sqrt(160/21 * 139/21) = 14.7205.
    assert e_value(21 / 160).estimate == pytest.approx((160 + sqrt(160 * 139)) / 21)
    # Survival has another: RR = 1.5346, 2.4404.
    assert e_value((19 / 20) / (13 / 21)).estimate == pytest.approx(2.4404, abs=5e-5)


def test_bounding_curve_by_hand():
    # 3 b / (3 + b - 1) = 2 for b = 4, and 10 b / (9 + b) = 2 for b = 18/8.
    curve = bounding_curve(2, [3, 10])
    assert curve["exposure_confounder_rr"].tolist() == [3, 10]
    assert curve["confounder_outcome_rr"].tolist() == pytest.approx([4, 18 / 8])


# Properties -----------------------------------------------------------------------------------


@quick
@given(ratios, st.sampled_from(list(MEASURES)))
def test_e_value_of_a_ratio_and_of_its_reciprocal_are_equal(ratio, measure):
    direct = e_value(ratio, ratio / 2, ratio * 3, measure)
    reverse = e_value(1 / ratio, 1 / (ratio * 3), 2 / ratio, measure)
    assert reverse.estimate == pytest.approx(direct.estimate)
    assert reverse.limit == pytest.approx(direct.limit)


@quick
@given(ratios)
def test_confounder_as_strong_as_the_e_value_just_explains_the_ratio(ratio):
    strength = e_value(ratio).estimate
    assert bounding_factor(strength, strength) == pytest.approx(max(ratio, 1 / ratio))


@quick
@given(ratios, st.floats(1, 5))
def test_limit_has_an_e_value_no_larger_than_the_estimates(ratio, width):
    result = e_value(ratio, ratio / width, ratio * width)
    assert 1 <= result.limit <= result.estimate
    assert (result.limit == 1) == (ratio / width <= 1 <= ratio * width)


def test_no_association_needs_no_confounding():
    assert e_value(1, 0.5, 2).estimate == e_value(1, 0.5, 2).limit == 1


def test_ratio_of_zero_or_infinity_cannot_be_explained_by_a_finite_confounder():
    assert e_value(0, 0, 0.5).estimate == e_value(inf, 2, inf).estimate == inf
    assert e_value(0, 0, 0.5).limit == pytest.approx(2 + sqrt(2))
    assert e_value(inf, 2, inf).limit == pytest.approx(2 + sqrt(2))


def test_limit_that_was_not_given_has_no_e_value():
    assert isnan(e_value(2).limit)
    assert isnan(e_value(2, high=3).limit)
    assert isnan(e_value(0.5, low=0.2).limit)
    assert e_value(2, low=1.5).limit == pytest.approx(1.5 + sqrt(0.75))


@quick
@given(ratios, st.floats(1.001, 50))
def test_pairs_of_the_curve_have_exactly_the_factor_needed(ratio, excess):
    needed = max(ratio, 1 / ratio)
    [(given_rr, least)] = bounding_curve(ratio, [needed * excess]).to_numpy()
    assert bounding_factor(given_rr, least) == pytest.approx(needed, rel=1e-6)


def test_curve_crosses_its_diagonal_at_the_e_value():
    strength = e_value(0.4).estimate
    curve = bounding_curve(0.4, [strength])
    assert curve["confounder_outcome_rr"].item() == pytest.approx(strength)


def test_curve_is_the_same_for_a_ratio_and_its_reciprocal():
    given_rr = [3, 5, 80, inf]
    assert bounding_curve(2, given_rr).equals(bounding_curve(0.5, given_rr))


def test_curve_beyond_its_asymptote_and_at_its_ends():
    least = bounding_curve(2, [1, 1.9, 2, inf])["confounder_outcome_rr"]
    assert isnan(least[0])
    assert isnan(least[1])
    assert least[2] == inf
    assert least[3] == 2
    assert bounding_curve(1, [1, 4])["confounder_outcome_rr"].tolist() == [1, 1]


def test_result_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        e_value(2).estimate = 1


# Refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [-0.1, float("nan"), True, "2", None])
def test_impossible_ratios_are_refused(value):
    with pytest.raises(ValueError, match="estimate must be a number at least 0"):
        e_value(value)
    with pytest.raises(ValueError, match="ratio must be a number above 0"):
        bounding_curve(value, [2])


@pytest.mark.parametrize("limits", [(1.3, 1.4), (0.5, 1.1), (None, 1.1), (1.3, None)])
def test_estimate_outside_its_interval_is_refused(limits):
    with pytest.raises(ValueError, match="within its confidence limits"):
        e_value(1.2, *limits)


def test_impossible_limits_and_measures_are_refused():
    with pytest.raises(ValueError, match="low must be"):
        e_value(1.2, low=float("nan"))
    with pytest.raises(ValueError, match="high must be"):
        e_value(1.2, high=-1)
    with pytest.raises(ValueError, match="measure must be one of risk ratio, odds ratio"):
        e_value(1.2, measure="odds ratio")


@pytest.mark.parametrize("value", [0.5, float("nan"), True, "2", None])
def test_associations_below_one_are_refused(value):
    with pytest.raises(ValueError, match="exposure_confounder_rr must be a number at least 1"):
        bounding_curve(2, [3, value])


@pytest.mark.parametrize("value", [0, inf])
def test_curve_of_a_ratio_that_nothing_explains_is_refused(value):
    with pytest.raises(ValueError, match="ratio must be a number above 0"):
        bounding_curve(value, [2])


def test_curve_without_associations_is_refused():
    with pytest.raises(ValueError, match="must hold at least one entry"):
        bounding_curve(2, [])
