"""Tests of rdmas.show.tables: what the HTML says, read back with a parser."""

import math
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from rdmas.paper.verdicts import BASES, RETURNED
from rdmas.show.tables import derivations, link, show, verdicts

derandomised = settings(derandomize=True, deadline=None, max_examples=60)


class Page(HTMLParser):
    """Collects rows of text, tag names, links and attributes."""

    def __init__(self, table):
        super().__init__()
        self.rows, self.tags, self.links, self.classes, self.legend = [], [], [], [], ""
        self.label = None
        self._in_legend = False
        self.feed(table.data)
        self.close()

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append(tag)
        self.label = attrs.get("aria-label", self.label)
        self.classes += attrs.get("class", "").split()
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        elif tag == "a":
            self.links.append(attrs["href"])
        elif tag == "p":
            self._in_legend = True
        elif tag == "br":
            self.rows[-1][-1] += " | "

    def handle_data(self, data):
        if self._in_legend:
            self.legend += data
        elif self.rows and self.rows[-1] and data.strip("\n "):
            self.rows[-1][-1] += data


def claim(claim_id, **changes):
    """One row of a scoreboard."""
    return {
        "id": claim_id,
        "statement": "Some number",
        "reported": "50%",
        "recomputed": "50%",
        "verdict": "reproduced",
        "basis": "counts",
        "convention": "",
        "nearest": "",
        "chapter": "remission",
        "derivations": [],
    } | changes


def derivation(method, **changes):
    return {
        "method": method,
        "value": 0.5,
        "recomputed": "50%",
        "reproduces": True,
        "basis": "counts",
    } | changes


BOARD = pd.DataFrame(
    [
        claim("share"),
        claim(
            "p",
            statement="A P-value",
            reported="0.011",
            recomputed="0.011",
            chapter="p_value",
            verdict="compatible",
            convention="N\u22121 form",
            derivations=[
                derivation("N\u22121 chi-square", recomputed="0.011"),
                derivation("Fisher", recomputed="0.020", reproduces=False),
                derivation("log-rank", recomputed="0.011", basis="ordering"),
            ],
        ),
        claim("dose", basis="input", chapter="dose", verdict="not reproduced", nearest="52%"),
        claim("background", basis="none", recomputed="", verdict="not checkable"),
    ]
)


def test_cells_headings_and_label_are_shown_in_the_order_asked_for():
    frame = pd.DataFrame({"p": [0.0114819, 0.02], "test": ["N\u22121", "Fisher"], "other": [1, 2]})
    page = Page(show(frame, "P-values", {"test": "Test", "p": "P"}, {"p": 4}))
    assert page.rows == [["Test", "P"], ["N\u22121", "0.0115"], ["Fisher", "0.0200"]]
    assert page.label == "P-values"


def test_all_columns_are_shown_by_default_and_the_index_is_not():
    frame = pd.DataFrame({"a": [1], "b": ["x"]}, index=["hidden"])
    assert Page(show(frame, "t")).rows == [["a", "b"], ["1", "x"]]


@pytest.mark.parametrize(
    "category", ["<b>", "</td><script>alert(1)</script>", "a & b", '"x"', "&lt;"]
)
def test_a_category_that_looks_like_markup_is_shown_as_text(category):
    page = Page(show(pd.DataFrame({"category": [category], "n": [3]}), category))
    assert page.rows[1] == [category, "3"]
    assert page.label == category
    assert not {"b", "script"} & set(page.tags)


def test_a_cell_may_lead_to_a_page_and_its_words_are_text_all_the_same():
    page = Page(show(pd.DataFrame({"page": [link("interface/cli", "<b>"), "<b>"]}), "t"))
    assert page.rows == [["page"], ["<b>"], ["<b>"]]
    assert page.links == ["interface/cli.html"]
    assert "b" not in page.tags


@derandomised
@given(st.lists(st.text(alphabet="<>&\"'/ab;#", min_size=1), min_size=1, max_size=4))
def test_cells_never_add_markup(texts):
    page = Page(show(pd.DataFrame({"cell": texts}), "t"))
    assert [row[0].strip() for row in page.rows[1:]] == [text.strip() for text in texts]
    assert page.tags.count("td") == len(texts)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (math.inf, "\u221e"),
        (-math.inf, "\u2212\u221e"),
        (math.nan, "\u2014"),
        (-1.25, "\u22121.3"),
        (0.25, "0.3"),
        (3, "3.0"),
        (-0.01, "0.0"),
    ],
)
def test_numbers_with_decimals_include_infinity_missing_and_minus(value, text):
    page = Page(show(pd.DataFrame({"x": [value]}, dtype=object), "t", decimals={"x": 1}))
    assert page.rows[1] == [text]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "\u2014"),
        (np.nan, "\u2014"),
        (pd.NA, "\u2014"),
        (True, "yes"),
        (False, "no"),
        (20, "20"),
        ("", ""),
    ],
)
def test_other_cells_are_shown_in_words(value, text):
    page = Page(show(pd.DataFrame({"x": [value]}, dtype=object), "t"))
    assert page.rows[1] == [text]


def test_columns_of_truth_values_say_yes_and_no():
    assert Page(show(pd.DataFrame({"x": [True, False]}), "t")).rows[1:] == [["yes"], ["no"]]


def test_long_cells_and_many_rows_are_not_cut_off():
    long = "word " * 60 + "end"
    with pd.option_context("display.max_rows", 5, "display.max_colwidth", 10):
        page = Page(show(pd.DataFrame({"x": [long] * 100}), "t"))
    assert page.rows[1:] == [[long]] * 100


def test_show_leaves_the_frame_as_it_was():
    frame = pd.DataFrame({"x": [0.123456, np.nan]})
    before = frame.copy()
    show(frame, "t", {"x": "X"}, {"x": 2})
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize(
    "make",
    [
        lambda: show(BOARD[["id", "reported"]], "t"),
        lambda: verdicts(BOARD, links=True),
        lambda: derivations(BOARD, "p", "background"),
    ],
)
def test_the_same_content_gives_the_same_html(make):
    assert make().data == make().data


def test_verdicts_show_reported_recomputed_verdict_note_and_basis():
    assert Page(verdicts(BOARD)).rows == [
        ["Claim", "Reported", "Recomputed", "Verdict", "Basis"],
        ["Some number", "50%", "50%", "reproduced", "counts"],
        [
            "A P-value",
            "0.011",
            "0.011",
            "compatible | N\u22121 form",
            "counts",
        ],
        ["Some number", "50%", "50%", "not reproduced | 52%", "input"],
        ["Some number", "50%", "\u2014", "not checkable", "none"],
    ]


def test_verdicts_carry_classes_of_their_words():
    classes = Page(verdicts(BOARD)).classes
    assert {
        "verdict-reproduced",
        "verdict-not-checkable",
        "verdict-not-reproduced",
        "verdict-compatible",
        "basis-counts",
    } <= set(classes)


def test_verdicts_of_one_chapter_leave_out_the_others():
    page = Page(verdicts(BOARD, chapter="p_value"))
    assert [row[0] for row in page.rows[1:]] == ["A P-value"]
    assert page.links == []


def test_claims_link_to_their_chapters_if_wanted():
    page = Page(verdicts(BOARD, links=True))
    assert page.links == ["remission.html", "p_value.html", "dose.html", "remission.html"]


@pytest.mark.parametrize("links", [False, True])
def test_texts_of_a_registry_do_not_become_markup(links):
    hostile = pd.DataFrame(
        [
            claim(
                "x",
                statement="<i>",
                reported="<0.001",
                recomputed="<u>",
                nearest="<s>",
                convention="<q>",
            )
        ]
    )
    page = Page(verdicts(hostile, links=links))
    assert page.rows[1] == ["<i>", "<0.001", "<u>", "reproduced | <q> | <s>", "counts"]
    assert not {"i", "u", "s", "q"} & set(page.tags)


def test_derivations_list_all_of_each_claim_in_their_order():
    assert Page(derivations(BOARD, "p", "background")).rows == [
        ["Derivation", "Reported", "Recomputed", "Agrees", "Basis"],
        ["N\u22121 chi-square", "0.011", "0.011", "yes", "counts"],
        ["Fisher", "0.011", "0.020", "no", "counts"],
        ["log-rank", "0.011", "0.011", "yes", "ordering"],
        ["none possible", "50%", "\u2014", "not checkable", "none"],
    ]


def test_derivation_texts_do_not_become_markup():
    board = pd.DataFrame([claim("x", derivations=[derivation("<i>", recomputed="<u>")])])
    page = Page(derivations(board, "x"))
    assert page.rows[1][0] == "<i>" and page.rows[1][2] == "<u>"
    assert not {"i", "u"} & set(page.tags)


def test_an_unknown_claim_is_a_key_error():
    with pytest.raises(KeyError, match="no_such_claim"):
        derivations(BOARD, "no_such_claim")


@pytest.mark.parametrize(
    ("table", "bases"),
    [
        (lambda: verdicts(BOARD), ["counts", "input", "none"]),
        (lambda: verdicts(BOARD, chapter="dose"), ["input"]),
        (lambda: derivations(BOARD, "p"), ["counts", "ordering"]),
        (lambda: derivations(BOARD, "background"), ["none"]),
    ],
)
def test_legends_explain_only_the_bases_that_occur_strongest_first(table, bases):
    words = "; ".join(f"{basis} {BASES[basis]}" for basis in bases)
    assert Page(table()).legend == f"Basis: {words}."


def test_a_plain_table_has_no_legend():
    assert Page(show(BOARD[["id"]], "t")).legend == ""


def test_tables_scroll_in_a_region_that_the_keyboard_reaches():
    opening = show(BOARD[["id"]], "Claims").data.splitlines()[0]
    for attribute in (
        'class="rdmas-scroll"',
        'role="group"',
        'tabindex="0"',
        'aria-label="Claims"',
    ):
        assert attribute in opening


def test_headings_and_chapters_are_escaped():
    assert ">&lt;b&gt;</th>" in show(pd.DataFrame({"<b>": [1]}), "t").data
    board = pd.DataFrame([{
        "chapter": '"><script>', "statement": "s", "reported": "1", "recomputed": "1",
        "verdict": "reproduced", "basis": "counts", "convention": "", "nearest": "",
    }])  # fmt: skip
    assert "<script>" not in verdicts(board, links=True).data


def test_a_range_that_holds_the_printed_value_is_called_possible():
    found = {"method": "m", "value": (0.1, 0.2), "recomputed": "0.1 to 0.2", "reproduces": True}
    board = pd.DataFrame([{
        "id": "x", "reported": "0.1",
        "derivations": [found | {"basis": "ordering"}, found | {"basis": "counts"}],
    }])  # fmt: skip
    shown = derivations(board, "x").data
    assert shown.count(">possible</td>") == 1
    assert shown.count(">yes</td>") == 1


def test_what_was_put_in_is_said_to_be_returned_and_never_to_agree():
    put_in = [derivation("m", basis="input"), derivation("m", basis="input", reproduces=False)]
    page = Page(derivations(pd.DataFrame([claim("x", derivations=put_in)]), "x"))
    assert [row[3] for row in page.rows[1:]] == [RETURNED, "no"]


def test_a_table_too_wide_for_a_phone_becomes_a_card_a_row_with_every_value_named():
    wide = pd.DataFrame({f"heading number {i}": ["some words", "more words"] for i in range(5)})
    soup = BeautifulSoup(show(wide, "t").data, "html.parser")
    assert soup.table["class"] == ["rdmas-table", "cards"] and soup.table["role"] == "table"
    for row in soup.tbody.find_all("tr"):
        assert [cell["data-label"] for cell in row.find_all("td")] == list(wide.columns)
    narrow = BeautifulSoup(show(wide.iloc[:, :2], "t").data, "html.parser")
    assert narrow.table["class"] == ["rdmas-table"] and not narrow.td.attrs


def test_columns_of_numbers_are_aligned_and_others_are_not():
    frame = pd.DataFrame({"p": ["0.10", "\u2014"], "ci": ["8 to 55", "1 to 2"], "n": ["12%", "8%"]})
    soup = BeautifulSoup(show(frame, "t").data, "html.parser")
    assert [cell.get("class") for cell in soup.tbody.tr.find_all("td")] == [
        ["number"], None, ["number"],
    ]  # fmt: skip
