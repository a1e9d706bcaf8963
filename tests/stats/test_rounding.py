"""Tests of rdmas.stats.rounding.

Oracles: Python's decimal module with ROUND_HALF_UP, intervals written out by hand, and the
GRIM results of the R package scrutiny (its README and tests).
"""

import math
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rdmas.stats.rounding import (
    counts_that_print,
    fixed,
    parse,
    print_like,
    reproduces,
    reproduces_by_cutting_off,
    reproduces_by_rounding_twice,
    rounding_interval,
)

derandomised = settings(derandomize=True, deadline=None, max_examples=120)

#: Whole digits and decimals of a printed number, such as (270, 2) for 2.70.
digits_and_decimals = st.tuples(st.integers(-(10**6), 10**6), st.integers(0, 5))
places_in_interval = st.fractions(-1, 1, max_denominator=1000)


def printed(digits, decimals):
    """Write digits with a decimal point, by decimal's own formatting."""
    return f"{Decimal(digits).scaleb(-decimals):f}"


@pytest.mark.parametrize(
    ("reported", "number", "decimals", "unit", "relation", "counts"),
    [
        ("20", 20, 0, "", "=", None),
        ("50%", 50, 0, "%", "=", None),
        ("61.90 %", Fraction("61.9"), 2, "%", "=", None),
        ("10/20", Fraction(1, 2), 0, "", "=", (10, 20)),
        ("10 / 20", Fraction(1, 2), 0, "", "=", (10, 20)),
        ("0/20", 0, 0, "", "=", (0, 20)),
        ("0.011", Fraction(11, 1000), 3, "", "=", None),
        (".05", Fraction(5, 100), 2, "", "=", None),
        ("<0.001", Fraction(1, 1000), 3, "", "<", None),
        ("< 0.001", Fraction(1, 1000), 3, "", "<", None),
        (">0.05", Fraction(5, 100), 2, "", ">", None),
        ("2.70 mg/kg", Fraction(27, 10), 2, "mg/kg", "=", None),
        ("\u22120.25", Fraction(-1, 4), 2, "", "=", None),
        ("-0.25", Fraction(-1, 4), 2, "", "=", None),
        ("+1.5", Fraction(3, 2), 1, "", "=", None),
        ("1,280", 1280, 0, "", "=", None),
        ("1,234,567.80", Fraction("1234567.8"), 2, "", "=", None),
        ("  0.50  ", Fraction(1, 2), 2, "", "=", None),
    ],
)
def test_parse_keeps_number_decimals_unit_relation_and_counts(
    reported, number, decimals, unit, relation, counts
):
    found = parse(reported)
    assert (found.number, found.decimals, found.unit) == (number, decimals, unit)
    assert (found.relation, found.counts) == (relation, counts)


@pytest.mark.parametrize(
    "text",
    ["", " ", "abc", "nan", "inf", "P 0.011", "P", "5 0", ".", "%", "-", "--1", "<", "<>1", "10/0",
     "0,011", "1,28", "5e-3", "3-4", "0.011.3", "10/20/30", "-10/20", "10/20 (50%)",
     "2.7 to 3.1 mg/kg", "0."],
)  # fmt: skip
def test_text_that_is_not_one_number_is_refused(text):
    with pytest.raises(ValueError, match=r"is not a printed number|denominator of zero"):
        parse(text)
    with pytest.raises(ValueError, match=r"is not a printed number|denominator of zero"):
        reproduces(0.5, text)


@pytest.mark.parametrize("number", [0.011, 11, None, Fraction(1, 2), Decimal("0.011"), b"0.011"])
def test_a_reported_value_that_is_not_text_is_a_type_error(number):
    for function in (parse, rounding_interval):
        with pytest.raises(TypeError, match="must be a string, exactly as printed"):
            function(number)
    for function in (reproduces, reproduces_by_rounding_twice, print_like):
        with pytest.raises(TypeError, match="must be a string, exactly as printed"):
            function(0.011, number)


@derandomised
@given(digits_and_decimals)
def test_parse_inverts_decimal_notation(number):
    digits, decimals = number
    found = parse(printed(digits, decimals))
    assert (found.number, found.decimals) == (Fraction(digits, 10**decimals), decimals)


@derandomised
@given(st.integers(0, 10**12))
def test_thousands_separators_do_not_change_the_number(number):
    assert parse(f"{number:,}").number == number


@derandomised
@given(digits_and_decimals)
def test_typographic_minus_is_read_like_a_hyphen(number):
    text = printed(*number)
    assert parse(text.replace("-", "\u2212")) == parse(text)


@pytest.mark.parametrize(
    ("reported", "low", "high"),
    [
        ("2.7 mg/kg", "2.65", "2.75"),
        ("0.5 mg/kg", "0.45", "0.55"),
        ("0.50 mg/kg", "0.495", "0.505"),
        ("0.011", "0.0105", "0.0115"),
        ("62%", "0.615", "0.625"),
        ("61.9%", "0.6185", "0.6195"),
        ("20", "19.5", "20.5"),
        ("\u22120.3", "-0.35", "-0.25"),
    ],
)
def test_rounding_interval_is_half_a_unit_to_either_side(reported, low, high):
    assert rounding_interval(reported) == (Fraction(low), Fraction(high))


@pytest.mark.parametrize("reported", ["<0.001", ">0.05", "10/20"])
def test_bounds_and_counts_have_no_rounding_interval(reported):
    with pytest.raises(ValueError, match="is not a rounded number"):
        rounding_interval(reported)


@derandomised
@given(digits_and_decimals, places_in_interval, st.sampled_from(["", "%", " mg/kg"]))
def test_every_value_inside_the_rounding_interval_reproduces(number, place, unit):
    reported = printed(*number) + unit
    low, high = rounding_interval(reported)
    value = (low + high) / 2 + place * (high - low) / 2
    assert reproduces(value, reported)
    assert reproduces(float(value), reported)


@derandomised
@given(digits_and_decimals, st.fractions(0, 100, max_denominator=1000))
def test_no_value_outside_the_rounding_interval_reproduces(number, distance):
    assume(distance > 0)
    reported = printed(*number)
    low, high = rounding_interval(reported)
    for value in (low - distance * (high - low), high + distance * (high - low)):
        assert not reproduces(value, reported)


@derandomised
@given(digits_and_decimals)
def test_a_tie_reproduces_both_neighbours_and_no_other(number):
    digits, decimals = number
    tie = Fraction(2 * digits + 1, 2 * 10**decimals)
    for value in (tie, float(tie), Decimal(tie.numerator) / Decimal(tie.denominator)):
        assert [reproduces(value, printed(digits + step, decimals)) for step in (-1, 0, 1, 2)] == [
            False,
            True,
            True,
            False,
        ]


@pytest.mark.parametrize(
    ("value", "reported"),
    [
        (0.1 + 0.2 - 0.25, "0.0"),  # 0.05 in decimals, 0.05000000000000004 in binary
        (0.1 + 0.2 - 0.25, "0.1"),
        (1.005, "1.00"),  # below the tie in binary
        (1.005, "1.01"),
        (0.615, "62%"),
        (0.615, "61%"),
        (np.float64(0.0115), "0.011"),
        (np.int64(20), "20"),
    ],
)
def test_binary_error_does_not_decide_a_tie(value, reported):
    assert reproduces(value, reported)


@pytest.mark.parametrize(
    ("value", "reported"),
    [(0.01049, "0.011"), (0.0104949, "0.011"), (0.010495, "0.011"), (0.0104999999, "0.011")],
)
def test_below_half_a_unit_is_never_rounded_up_by_way_of_more_decimals(value, reported):
    assert not reproduces(value, reported)
    assert reproduces(value, "0.010")
    assert print_like(value, reported) == "0.010"


@pytest.mark.parametrize(
    ("value", "reported", "decimals"),
    [
        (0.010495, "0.011", 4),  # 0.0105, then 0.011: Pearson's P of 19/20 against 13/21
        (0.0104949, "0.011", 4),
        (0.01049996, "0.011", 4),
        (0.0104496, "0.011", None),  # 0.0104 or 0.01045: neither reaches the interval
        (0.011499, "0.011", None),  # once is enough
        (0.0115004, "0.011", 4),  # 0.0115, a tie
        (0.4949, "50%", 1),
        (0.4944, "50%", None),
        (2.6496, "2.7 mg/kg", 2),
        (-0.0104949, "\u22120.011", 4),
        (0.0104949, "0.012", None),
        (0.0009, "<0.001", None),
        (0.0011, "<0.001", None),
        (0.51, "10/20", None),
        (math.nan, "0.011", None),
        (math.inf, "0.011", None),
    ],
)
def test_rounding_twice_names_the_fewest_intermediate_decimals(value, reported, decimals):
    assert reproduces_by_rounding_twice(value, reported) == decimals


@derandomised
@given(st.integers(0, 10**6))
def test_rounding_twice_agrees_with_decimal_and_reaches_one_unit_at_most(millionths):
    value = Decimal(millionths).scaleb(-6)
    once = value.quantize(Decimal("0.001"), ROUND_HALF_UP)
    twice = value.quantize(Decimal("0.0001"), ROUND_HALF_UP).quantize(
        Decimal("0.001"), ROUND_HALF_UP
    )
    found = reproduces_by_rounding_twice(value, str(twice))
    assert found == (None if reproduces(value, str(twice)) else 4)
    assert twice - once in (Decimal(0), Decimal("0.001"))


@pytest.mark.parametrize(
    ("value", "reported", "expected"),
    [
        (0.5, "50%", True),
        (50, "50%", False),  # a percentage is compared with a proportion
        (0.5, "0.5", True),
        (0.5, "50", False),
        (13 / 21, "62%", True),
        (13 / 21, "61.9%", True),
        (13 / 21, "61%", False),
        (0.62, "62", False),
    ],
)
def test_a_percentage_is_compared_with_a_proportion(value, reported, expected):
    assert reproduces(value, reported) is expected


@pytest.mark.parametrize(
    ("value", "reported", "expected"),
    [
        (0.0009, "<0.001", True),
        (0.001, "<0.001", False),
        (0.0011, "<0.001", False),
        (0.0511, ">0.05", True),
        (0.05, ">0.05", False),
        (0.04, "<5%", True),
        (0.05, "<5%", False),
        (0.0, "<0.001", True),
    ],
)
def test_a_bound_is_strict_and_not_rounded(value, reported, expected):
    assert reproduces(value, reported) is expected


@pytest.mark.parametrize(
    ("value", "reported", "expected"),
    [
        ((10, 20), "10/20", True),
        ((1, 2), "10/20", False),
        ((20, 10), "10/20", False),
        ((np.int64(10), np.int64(20)), "10/20", True),
        (0.5, "10/20", True),
        (Fraction(1, 2), "10/20", True),
        (0.51, "10/20", False),
        (13 / 21, "13/21", True),
        (0.62, "13/21", False),
    ],
)
def test_a_count_needs_both_numbers_or_the_exact_ratio(value, reported, expected):
    assert reproduces(value, reported) is expected


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.nan, Decimal("NaN")])
@pytest.mark.parametrize("reported", ["0.011", "50%", "<0.001", ">0.001", "10/20"])
def test_undefined_values_reproduce_nothing(value, reported):
    assert reproduces(value, reported) is False
    assert print_like(value, reported) == "not defined"


def test_whole_percents_of_50_are_possible_only_if_even():
    # Oracle: R package scrutiny, grim(x, n = 50, percent = TRUE): consistent for even percents.
    for percent in range(101):
        # No count of 50 comes closer than the two about percent / 2.
        nearest = {percent // 2, (percent + 1) // 2}
        possible = any(reproduces(count / 50, f"{percent}%") for count in nearest)
        assert possible == (percent % 2 == 0)


@pytest.mark.parametrize(
    ("mean", "possible"), [("5.19", False), ("5.20", False), ("5.21", True), ("5.25", True)]
)
def test_means_of_28_whole_numbers(mean, possible):
    # Oracle: R package scrutiny, README: grim(x = mean, n = 28).
    assert any(reproduces(Fraction(total, 28), mean) for total in range(281)) is possible


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (2.675, 2, "2.68"),  # 2.67 by float formatting
        (-2.675, 2, "-2.68"),
        (0.5, 0, "1"),
        (1.5, 0, "2"),
        (2.5, 0, "3"),
        (0.0104949, 3, "0.010"),
        (Fraction(1, 3), 4, "0.3333"),
        (Decimal("1.005"), 2, "1.01"),
        (7, 2, "7.00"),
        (-0.001, 2, "0.00"),  # no minus before a zero
    ],
)
def test_fixed_rounds_ties_away_from_zero(value, decimals, text):
    assert fixed(value, decimals) == text


@derandomised
@given(st.floats(-1e9, 1e9, allow_nan=False), st.integers(0, 6))
def test_fixed_agrees_with_decimal_half_up(value, decimals):
    wide = Context(prec=60)
    unit = Decimal(1).scaleb(-decimals)
    expected = Decimal(repr(value)).quantize(unit, ROUND_HALF_UP, context=wide)
    expected = abs(expected) if expected == 0 else expected
    assert fixed(value, decimals) == f"{expected:f}"


@pytest.mark.parametrize(
    ("value", "reported", "text"),
    [
        (0.5238, "50%", "52%"),
        (13 / 21, "61%", "62%"),
        (13 / 21, "60.0%", "61.9%"),
        (2.2, "2.7 mg/kg", "2.2 mg/kg"),
        (2.2, "2.70 mg/kg", "2.20 mg/kg"),
        (21, "20", "21"),
        (0.0115, "0.011", "0.011"),  # a tie is written as reported
        (0.0115, "0.012", "0.012"),
        (0.012, "<0.001", "0.012"),
        ((9, 20), "10/20", "9/20"),
        ((10, 20), "10/20", "10/20"),
    ],
)
def test_print_like_takes_decimals_percent_sign_and_unit_from_the_reported(value, reported, text):
    assert print_like(value, reported) == text


@derandomised
@given(
    digits_and_decimals,
    st.fractions(-3, 3, max_denominator=1000),
    st.sampled_from(["", "%", " mg/kg"]),
)
def test_print_like_gives_the_reported_form_exactly_when_it_reproduces(number, place, unit):
    reported = printed(*number) + unit
    low, high = rounding_interval(reported)
    value = (low + high) / 2 + place * (high - low) / 2
    assert (print_like(value, reported) == reported) is reproduces(value, reported)


@derandomised
@given(digits_and_decimals, st.fractions(-1000, 1000, max_denominator=10**7))
def test_print_like_writes_what_the_value_reproduces(number, value):
    assert reproduces(value, print_like(value, printed(*number)))


@pytest.mark.parametrize(
    ("value", "reported"),
    [(0.5, "10/20"), (0.0004, "<0.001"), (1280, "1,280"), (-0.25, "−0.25"), (0.5, "50 %")],
)
def test_a_value_that_reproduces_is_printed_in_the_reported_form(value, reported):
    assert print_like(value, reported) == reported


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(1e-7, 7, "0.0000001"), (0, 7, "0.0000000"), (10**31 + 1, 2, "1" + "0" * 30 + "1.00")],
)
def test_fixed_never_uses_an_exponent_nor_loses_digits(value, decimals, text):
    assert fixed(value, decimals) == text


@pytest.mark.parametrize("n", [1, 7, 20, 41, 100, 250])
@pytest.mark.parametrize("decimals", [0, 1])
def test_counts_that_print_are_all_and_only_those_whose_percentage_rounds_so(n, decimals):
    """Oracle: every count tried in integers, with both neighbours at a tie."""
    for printed in range(0, 100 * 10**decimals + 1, 7):
        text = f"{printed / 10**decimals:.{decimals}f}%"
        expected = [
            k for k in range(n + 1) if abs(2 * k * 100 * 10**decimals - 2 * printed * n) <= n
        ]
        assert counts_that_print(text, n) == expected


def test_counts_that_print_refuse_what_is_no_percentage_and_no_group():
    with pytest.raises(ValueError, match="is not a percentage"):
        counts_that_print("0.5", 20)
    with pytest.raises(ValueError, match="n must be a whole number of at least 1"):
        counts_that_print("50%", 0)


@pytest.mark.parametrize(
    ("value", "reported", "cut"),
    [
        (Fraction(14, 61), "22.9%", True),  # 22.95...
        (Fraction(14, 61), "23.0%", False),  # rounded
        (Fraction(14, 61), "22.8%", False),
        (Fraction(1, 3), "33%", False),  # rounding gives it too
        (0.0109, "0.010", True),
        (0.011, "0.010", False),
        (-0.0109, "-0.010", True),
        (0.0109, "-0.010", False),
        (float("nan"), "0.010", False),
    ],
)
def test_cutting_off_explains_what_rounding_does_not(value, reported, cut):
    assert reproduces_by_cutting_off(value, reported) is cut


# Printed forms that were misread --------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["0.011ᵃ", "0.011a", "0.011*", "0.011†", "0.011 d", "62%ᵃ", "2.7 mg/kgᵃ", "2.7 mg/foo",
     "0.011 foo", "5²", "٥", "0.0١1", "１0", "१", "٥/٦", "1_000", "1e3", "²", "1,280,5"],
)  # fmt: skip
def test_marks_and_digits_of_other_scripts_are_neither_units_nor_numbers(text):
    with pytest.raises(ValueError, match="is not a printed number"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "unit"),
    [("30 days", "days"), ("2 mg/kg/day", "mg/kg/day"), ("9.5 g/dL", "g/dL"), ("12 weeks", "weeks"),
     ("2.7\u00a0mg/kg", "mg/kg"), ("250 mg", "mg"), ("3 months", "months"), ("50 U/L", "U/L")],
)  # fmt: skip
def test_units_are_a_closed_list_and_its_quotients(text, unit):
    assert parse(text).unit == unit


def test_thousands_are_read_and_written_as_printed():
    assert reproduces(1280, "1,280")
    assert reproduces(1280.4, "1,280")
    assert not reproduces(1281, "1,280")
    assert print_like(1279, "1,280") == "1,279"
    assert print_like(1279, "1280") == "1279"
    assert parse("640/1,280").counts == (640, 1280)
    assert reproduces((640, 1280), "640/1,280")


@pytest.mark.parametrize(
    "value", [10**400, -(10**400), Fraction(10**400), Decimal("1e400"), Fraction(1, 10**400)]
)
def test_numbers_beyond_any_float_are_compared_exactly(value):
    assert not reproduces(value, "1")
    assert reproduces(value, "<1") == (value < 1)
    assert reproduces(value, ">1") == (value > 1)
    assert reproduces_by_rounding_twice(value, "1") is None
    assert not reproduces_by_cutting_off(value, "1")
    assert Fraction(print_like(value, "1")) == (0 if abs(value) < 1 else value)


@pytest.mark.parametrize(
    "value", [Decimal("NaN"), Decimal("Infinity"), math.inf, np.float64("nan")]
)
def test_what_is_not_finite_reproduces_nothing(value):
    assert not reproduces(value, "1")
    assert print_like(value, "1") == "not defined"


def test_integers_of_numpy_are_exact():
    large = 2**60 + 1
    assert reproduces(np.int64(large), str(large))
    assert not reproduces(np.int64(large), str(large - 1))


@pytest.mark.parametrize(
    ("value", "reported", "expected"),
    [
        (0.03, ">0.05", "0.03"),
        (0.0291, ">0.05", "0.03"),
        (0.045133, ">0.05", "0.045"),
        (0.0496, ">0.05", "0.0496"),
        (0.00009, ">0.05", "0.0001"),
        (0.2, "<0.05", "0.20"),
        (0.0501, "<0.05", "0.0501"),
        (0.05, "<0.05", "0.05"),
        (0, ">0.05", "0.00"),
        (0.05, "<1%", "5%"),
        (0.0104, "<1%", "1.04%"),
        (0.8, ">90%", "80%"),
        (0.9, ">90%", "90%"),
        (1000, ">1,280", "1,000"),
    ],
)
def test_beside_a_bound_a_value_keeps_the_digits_that_tell_it_apart(value, reported, expected):
    assert not reproduces(value, reported)
    assert print_like(value, reported) == expected


@pytest.mark.parametrize("bound", ["0.05", "0.001", "5%", "1,280"])
def test_what_equals_a_bound_up_to_rounding_errors_is_on_neither_side(bound):
    exact = parse(bound).number / parse(bound).scale
    for value in (
        exact,
        float(exact),
        np.nextafter(float(exact), 0),
        np.nextafter(float(exact), 9e9),
    ):
        assert not reproduces(value, f"<{bound}")
        assert not reproduces(value, f">{bound}")


def test_counts_that_print_below_or_above_a_percentage():
    assert counts_that_print("<1%", 200) == [0, 1]  # 2 of 200 is 1%
    assert counts_that_print(">90%", 20) == [19, 20]
    assert counts_that_print(">100%", 20) == []
