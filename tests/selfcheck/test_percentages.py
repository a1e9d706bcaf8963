"""The audit of percentages: what it must find, and that a broken audit is found out.

Oracles: whole-number arithmetic written here, Python's decimal module, and audits broken on
purpose.
"""

import math
from decimal import ROUND_DOWN, ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rdmas.selfcheck.percentages import (
    ROUNDED_ONCE,
    decimal_text,
    false_alarms,
    percentage_text,
    planted_errors,
)
from rdmas.stats import rounding

REPRODUCES = rounding.reproduces


def rows_of(frame, **values):
    for column, value in values.items():
        frame = frame[frame[column] == value]
    return frame


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.integers(0, 10**7), st.integers(0, 6))
def test_prints_are_those_of_the_decimal_module(digits, places):
    value = Decimal(digits).scaleb(-5)
    unit = Decimal(1).scaleb(-places)
    modes = {
        "half up": ROUND_HALF_UP,
        "half to even": ROUND_HALF_EVEN,
        "half down": ROUND_HALF_DOWN,
        "cut off": ROUND_DOWN,
    }
    for way, mode in modes.items():
        assert decimal_text(Fraction(value), places, way) == f"{value.quantize(unit, mode):f}"
    twice = value.quantize(unit / 10, ROUND_HALF_UP).quantize(unit, ROUND_HALF_UP)
    assert decimal_text(Fraction(value), places, "rounded twice") == f"{twice:f}"


def test_floating_point_decides_ties_by_binary_digits():
    # The float 0.15 lies below 0.15; 12.5 is exact, and goes to the even neighbour.
    assert percentage_text(3, 2000, 1, "floating point") == "0.1%"
    assert percentage_text(3, 2000, 1, "half to even") == "0.2%"
    assert percentage_text(1, 8, 0, "floating point") == "12%"
    assert percentage_text(1, 8, 0, "half up") == "13%"


def test_no_count_of_up_to_100_patients_raises_a_false_alarm():
    found = false_alarms(range(1, 101))
    once = found[found["rounded_once"]]
    assert set(once["printing"]) == set(ROUNDED_ONCE)
    assert (once["flagged"] == 0).all()
    # 2 + 3 + ... + 101 counts, with none, one and two decimals.
    assert (found["printed"] == 3 * 5150).all()


def test_faults_of_printing_are_flagged_as_often_as_whole_number_arithmetic_says():
    for places in (0, 1):
        found = false_alarms(range(1, 41), decimals=[places]).set_index("printing")["flagged"]
        scale = 100 * 10**places
        cut = twice = 0
        for n in range(1, 41):
            for events in range(n + 1):
                rest = scale * events % n
                cut += 2 * rest > n
                # Half up to one decimal more, and from there half up.
                first = (20 * scale * events + n) // (2 * n)
                second = (first + 5) // 10
                twice += abs(second * n - scale * events) * 2 > n
        assert found["cut off"] == cut
        assert found["rounded twice"] == twice
        assert cut > twice > 0


@pytest.mark.parametrize("n", [7, 20, 100, 160, 200, 250, 333])
@pytest.mark.parametrize("places", [0, 1])
def test_neighbouring_counts_are_caught_as_often_as_whole_number_arithmetic_says(n, places):
    scale = 100 * 10**places

    def half_up(events):
        return (2 * scale * events + n) // (2 * n)

    def half_down(events):
        return -((n - 2 * scale * events) // (2 * n))

    planted = [
        (events, other) for events in range(n + 1) for other in (events - 1, events + 1)
        if 0 <= other <= n
    ]  # fmt: skip
    alike = sum(half_up(b) in (half_up(a), half_down(a)) for a, b in planted)
    row = rows_of(planted_errors([n], places), error="count one off").iloc[0]
    assert (row["planted"], row["undetectable"], row["missed"]) == (len(planted), alike, 0)
    assert row["caught"] == len(planted) - alike
    if n <= scale:
        assert row["share"] == 1


def test_of_200_counts_at_no_decimals_the_numbers_are_those_found_by_hand():
    percentages = planted_errors([200]).set_index("error")
    # Even counts print whole, odd ones are ties. One more than an even count rounds away from
    # it (100 caught); all other neighbours print like one of the two sides of a tie.
    assert percentages.loc["count one off", ["planted", "undetectable"]].tolist() == [400, 300]
    # 0% has nothing below; 199 and 200, both printed 100%, nothing above. One below the 100
    # ties, printed half up, is what they print half down.
    expected = [399, 100]
    assert percentages.loc["last digit one off", ["planted", "undetectable"]].tolist() == expected


def test_transposed_digits_of_twenty_patients():
    """Of 0, 5, 10, ... 100% these can be transposed: 15, 25, 35, 45, 65, 75, 85, 95."""
    found = rows_of(planted_errors([20]), error="digits transposed").iloc[0]
    assert found[["planted", "caught"]].tolist() == [8, 8]


def test_the_complement_prints_alike_only_near_the_middle():
    """Of 500, the counts 248, 249, 251 and 252 (49.6 to 50.4%) and their complements print 50%."""
    found = rows_of(planted_errors([500]), error="complement").iloc[0]
    assert found[["planted", "undetectable"]].tolist() == [500, 4]


def test_every_error_that_changes_the_print_is_caught():
    found = pd.concat(planted_errors([3, 8, 40, 160], places) for places in (0, 1, 2))
    assert (found["missed"] == 0).all()
    total = found["undetectable"] + found["missed"] + found["caught"]
    assert (total == found["planted"]).all()


def test_more_decimals_catch_more_neighbours_and_larger_denominators_fewer():
    whole, one = (
        rows_of(planted_errors([50, 130, 390], places), error="count one off")["share"].tolist()
        for places in (0, 1)
    )
    assert one == [1, 1, 1]
    assert whole == sorted(whole, reverse=True) and whole[-1] < 0.3


def binary_floats(value, reported):
    """An audit that rounds binary floats, ties to even or wherever binary digits put them."""
    if isinstance(value, tuple):
        return REPRODUCES(value, reported)
    printed = rounding.parse(reported)
    if printed.relation != "=":
        return REPRODUCES(value, reported)
    return round(float(value) * printed.scale, printed.decimals) == float(printed.number)


def rounding_twice(value, reported):
    """An audit that also takes a number rounded at one decimal more, and then again."""
    printed = None if isinstance(value, tuple) else rounding.parse(reported)
    if REPRODUCES(value, reported) or printed is None or printed.relation != "=":
        return REPRODUCES(value, reported)
    if not math.isfinite(value):
        return False
    once = decimal_text(Fraction(value) * printed.scale, printed.decimals + 1)
    return REPRODUCES(Fraction(once) / printed.scale, reported)


def wide_intervals(value, reported):
    """An audit that forgives a unit of the last decimal."""
    if isinstance(value, tuple) or rounding.parse(reported).relation != "=":
        return REPRODUCES(value, reported)
    printed = rounding.parse(reported)
    distance = abs(Fraction(value) * printed.scale - printed.number)
    return distance <= Fraction(1, 10**printed.decimals)


def test_an_audit_of_binary_floats_raises_false_alarms(monkeypatch):
    monkeypatch.setattr(rounding, "reproduces", binary_floats)
    found = false_alarms(range(1, 41), decimals=[0]).set_index("printing")
    assert found.loc["half up", "flagged"] > 0
    assert found.loc["half down", "flagged"] > 0


def test_an_audit_that_forgives_a_unit_misses_errors_and_flags_no_fault_of_printing(monkeypatch):
    monkeypatch.setattr(rounding, "reproduces", wide_intervals)
    assert (false_alarms(range(1, 41), decimals=[0])["flagged"] == 0).all()
    found = rows_of(planted_errors([20, 100]), error="last digit one off")
    assert (found["missed"] > 0).all()


def test_an_audit_that_rounds_twice_misses_errors(monkeypatch):
    assert (planted_errors([11])["missed"] == 0).all()
    monkeypatch.setattr(rounding, "reproduces", rounding_twice)
    found = false_alarms([11], decimals=[0]).set_index("printing")
    assert found.loc["rounded twice", "flagged"] == 0
    missed = rows_of(planted_errors([11]), error="last digit one off")["missed"]
    # By way of 45.5% or 54.5%, 5/11 (45.4545...%) becomes 46%, and 6/11 (54.5454...%) 54%.
    assert missed.item() == 2


@pytest.mark.parametrize(("answer", "outcome"), [(True, "missed"), (False, "caught")])
def test_an_audit_with_one_answer_for_everything_is_seen_through(monkeypatch, answer, outcome):
    monkeypatch.setattr(rounding, "reproduces", lambda value, reported: answer)
    found = false_alarms([9, 10])
    assert (found["flagged"] == (0 if answer else found["printed"])).all()
    errors = planted_errors([9, 10])
    assert (errors[outcome] == errors["planted"] - errors["undetectable"]).all()


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (false_alarms, {"denominators": [0]}, "denominators must be a whole number"),
        (false_alarms, {"denominators": []}, "denominators must hold at least one"),
        (false_alarms, {"denominators": [1], "decimals": [-1]}, "decimals must be a whole number"),
        (planted_errors, {"denominators": [True]}, "must be a whole number"),
        (planted_errors, {"denominators": [1], "decimals": 1.5}, "must be a whole number"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(function, arguments, message):
    with pytest.raises(ValueError, match=message):
        function(**arguments)
