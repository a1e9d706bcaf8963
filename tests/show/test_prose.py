"""Tests of rdmas.show.prose.

Oracle: decimal's ROUND_HALF_UP on exact fractions.
"""

import math
import sys
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from IPython.core.formatters import DisplayFormatter

from rdmas.show import prose

derandomised = settings(derandomize=True, deadline=None, max_examples=100)


@pytest.mark.parametrize(
    ("proportion", "decimals", "text"),
    [
        (19 / 20, 0, "95%"),
        (13 / 21, 0, "62%"),
        (13 / 21, 1, "61.9%"),
        (0.0, 0, "0%"),
        (1.0, 1, "100.0%"),
        (0.125, 0, "13%"),
        (0.9999, 0, "100%"),
    ],
)
def test_proportions_are_written_as_percentages(proportion, decimals, text):
    assert prose.percent(proportion, decimals) == text


@derandomised
@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_percentages_of_exact_counts_agree_with_decimal(counts):
    proportion = Fraction(*counts)
    exact = Decimal(100 * counts[0]) / Decimal(counts[1])
    expected = exact.quantize(Decimal("0.1"), ROUND_HALF_UP)
    assert prose.percent(proportion, 1) == f"{expected}%"


def test_intervals_are_written_with_the_word_to():
    assert prose.percent_interval((0.7513, 0.9987)) == "75% to 100%"
    assert prose.percent_interval((0.7513, 0.9987), 1) == "75.1% to 99.9%"
    assert prose.decimal_interval((-0.25, math.inf), 1) == "\u22120.3 to \u221e"


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (2.2, 1, "2.2"),
        (2.2, 2, "2.20"),
        (-0.2508, 2, "\u22120.25"),
        (-0.001, 2, "0.00"),
        (math.inf, 2, "\u221e"),
        (-math.inf, 2, "\u2212\u221e"),
        (math.nan, 2, "not defined"),
    ],
)
def test_decimals_have_a_typographic_minus_and_signs_for_infinity(value, decimals, text):
    assert prose.decimal(value, decimals) == text


@pytest.mark.parametrize(
    ("p", "decimals", "text"),
    [
        (0.011482, 4, "0.0115"),
        (0.0104949, 3, "0.010"),
        (0.00005, 4, "0.0001"),
        (0.0000499, 4, "<0.0001"),
        (4.169e-05, 4, "<0.0001"),  # R survdiff on MASS::gehan
        (0.0, 4, "<0.0001"),
        (0.0, 3, "<0.001"),
        (1.0, 4, "1.0000"),
        (math.nan, 4, "not defined"),
    ],
)
def test_p_values_too_small_to_print_are_written_as_a_bound(p, decimals, text):
    assert prose.p_value(p, decimals) == text


@derandomised
@given(st.floats(0, 1), st.integers(1, 6))
def test_no_p_value_is_written_as_zero(p, decimals):
    text = prose.p_value(p, decimals)
    assert text.startswith("<") or float(text) > 0


def test_counts_are_written_with_denominator_or_thousands_separators():
    assert prose.out_of(19, 20) == "19 of 20"
    assert [prose.count(n) for n in (0, 999, 1280, 1234567)] == ["0", "999", "1,280", "1,234,567"]


def test_counted_things_have_their_number():
    assert [prose.counted(n, "death") for n in (0, 1, 2, 1280)] == [
        "0 deaths",
        "1 death",
        "2 deaths",
        "1,280 deaths",
    ]
    assert prose.counted(3, "died", "died") == "3 died"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([2, 1, 3], "1 to 3"),
        ([4.0], "4"),
        ([1.21, 1.24], "1.2"),  # alike once written
        ([None, 2, float("nan")], "2"),
        ([None], "no number"),
        ([1, math.inf], "1 to ∞"),
    ],
)
def test_a_span_gives_both_ends_or_the_one_there_is(values, text):
    decimals = 1 if values == [1.21, 1.24] else 0
    assert prose.span(values, decimals) == text


@pytest.mark.parametrize(
    ("items", "text"),
    [
        ([], "none"),
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c"], "a, b and c"),
        ((1, 2, 3, 4), "1, 2, 3 and 4"),
        ((name for name in "ab"), "a and b"),
    ],
)
def test_lists_are_joined_with_commas_and_one_and(items, text):
    assert prose.listed(items) == text


def test_strings_are_glued_by_key_without_being_displayed(monkeypatch):
    glued = []
    monkeypatch.setitem(
        sys.modules,
        "myst_nb",
        SimpleNamespace(glue=lambda key, text, display: glued.append((key, text, display))),
    )
    prose.glue_strings({"claim_a": "95%", "claim_b": "0.011"})
    assert glued == [("claim_a", "95%", False), ("claim_b", "0.011", False)]


def test_glued_text_is_shown_as_it_is_and_escaped_in_html():
    """IPython's own formatter asks for these; HTML is what another page can quote."""
    shown = DisplayFormatter().format(prose.Text("P <0.0001"))[0]
    assert shown == {"text/plain": "P <0.0001", "text/html": "P &lt;0.0001"}


def test_apostrophes_of_glued_text_are_typographic_as_in_the_prose_around_it():
    assert prose.Text("Woolf's interval")._repr_html_() == "Woolf’s interval"


@pytest.mark.parametrize("value", [0.95, 1, None, b"95%"])
def test_gluing_anything_but_text_is_refused_by_key(monkeypatch, value):
    glued = []
    monkeypatch.setitem(
        sys.modules, "myst_nb", SimpleNamespace(glue=lambda *args, **_: glued.append(args))
    )
    with pytest.raises(TypeError, match=r"claim_a is .*; format it as text first"):
        prose.glue_strings({"claim_a": value})
    assert glued == []


def test_percentages_keep_ties_and_write_what_decimals_write():
    """57.5% is a tie; multiplied as a float it falls below."""
    assert prose.percent(23 / 40) == "58%"
    assert prose.percent(-0.25) == "−25%"
    assert prose.percent(float("nan")) == "not defined"
