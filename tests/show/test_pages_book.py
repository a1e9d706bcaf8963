"""Tests of the pages about the book itself: index, scoreboard, conventions, other data, colophon.

Frames are small and made by hand, so that what a page says of them can be counted.
"""

import time

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from rdmas.paper import claims
from rdmas.paper.cohort import load_cohort
from rdmas.show.pages import colophon, conventions, index, reexecute, scoreboard
from rdmas.stats.checks import Table

BOARD = pd.DataFrame(
    [
        ("reproduced", "counts"),
        ("reproduced", "counts"),
        ("reproduced", "input"),
        ("compatible", "counts"),
        ("not checkable", "none"),
    ],
    columns=["verdict", "basis"],
)
TESTS = pd.DataFrame(
    {
        "test": ["Fisher", "N−1", "Pearson", "Yates"],
        "p_value": [0.020486, 0.011482, 0.010495, 0.062],
        "statistic": ["Fisher", "score", "score", "score"],
    }
)


def rows(table):
    """Return the cells of a table, headings first."""
    return [
        [cell.get_text() for cell in row.find_all(["th", "td"])]
        for row in BeautifulSoup(table.data, "html.parser").find_all("tr")
    ]


ALARMS = pd.DataFrame(
    [
        ("Fisher", False, 0, 0.0, 0.0),
        ("Fisher", False, 4, 0.0, 0.0),
        ("Pearson", False, 0, 0.0, 0.0),
        ("Pearson", False, 4, 0.1, 0.0),
        ("log-rank", True, 0, 0.0, 0.0),
        ("log-rank", True, 1, 0.021, 0.0011),
        ("log-rank", True, 4, 0.126, 0.0012),
        ("Gehan", True, 0, 0.001, 0.0002),
        ("Gehan", True, 1, 0.03, 0.0004),
        ("Gehan", True, 4, 0.2, 0.0021),
    ],
    columns=["author", "of_times", "lost", "share", "error"],
)
ERRORS = pd.DataFrame(
    [
        ("P-value", "half the P-value", 0.5, 0.4, 0.1),
        ("P-value", "one patient recoded", 0.75, 0.1, 0.15),
        ("P-value", "one digit changed", 0.5, 0.45, 0.05),
        ("P-value", "decimal point slipped", 0.0, 0.0, 1.0),
        ("wording", "wrong direction", 0.0, 0.0, 1.0),
    ],
    columns=["kind", "error", "test", "order", "caught"],
)


def test_the_index_counts_claims_by_basis():
    said = index.say_bases(BOARD)
    assert said["input"] == said["unchecked"] == "1"


@pytest.fixture(scope="module")
def short_rows():
    cohort = load_cohort()
    shown = index.short_board(claims.scoreboard(cohort), cohort).data
    rows = BeautifulSoup(shown, "html.parser").find_all("li")
    return {
        row.b.text: (row.a.span.text, [badge.text for badge in row.select(".verdict")])
        for row in rows
    }


def test_the_short_board_has_twelve_rows_and_joins_what_belongs_together(short_rows):
    assert len(short_rows) == 12
    assert short_rows["Patients"][0].startswith("20 ruxolitinib and 21 control: ")
    assert short_rows["Survival with ruxolitinib"] == (
        "95% and 19/20: the count gives the percentage",
        ["reproduced", "consistent"],
    )
    said, verdicts = short_rows["P-value of the survival comparison"]
    assert said.startswith("0.011 and significantly higher: ")
    assert verdicts == ["compatible", "reproduced"]


def test_the_short_board_says_what_is_not_reproduced():
    cohort = load_cohort()
    board = claims.scoreboard(cohort)
    board.loc[board["id"] == "cmv_count", ["verdict", "nearest"]] = "not reproduced", "5/20"
    assert "5/20" in index.short_board(board, cohort).data


def test_tests_at_the_level_are_not_below_it():
    said = index.say_tests(TESTS, 0.020486)
    spread = {"smallest": "0.010", "largest": "0.062"}
    assert said == {"below": "2 of the 4", "families": "2", "alpha": "0.02"} | spread


def test_the_scoreboard_counts_claims_by_verdict():
    assert scoreboard.say_verdicts(BOARD) == {
        "claims": "5",
        "verdicts": "3 reproduced, 1 compatible and 1 not checkable",
        "input": "1",
    }


def test_percentages_rounded_twice_are_not_counted_as_false_alarms():
    frame = pd.DataFrame(
        [(True, 1000, 0), (True, 500, 2), (False, 1000, 70)],
        columns=["rounded_once", "printed", "flagged"],
    )
    said = scoreboard.say_percentages(frame, 100)
    assert said == {"largest_n": "100", "percent_prints": "1,500", "percent_alarms": "2"}


def test_planted_errors_in_percentages_stand_in_columns_in_the_order_asked_for():
    planted = pd.DataFrame(
        [
            ("complement", 21, 0.5),
            ("complement", 9, 1.0),
            ("count one off", 21, 0.25),
            ("count one off", 9, 0.0),
        ],
        columns=["error", "n", "share"],
    )
    assert rows(scoreboard.percentage_errors_table(planted)) == [
        ["Error planted in a percentage", "21 patients", "9 patients"],
        ["complement", "50%", "100%"],
        ["count one off", "25%", "0%"],
    ]


def test_tests_on_counts_share_a_row_of_false_alarms():
    table = scoreboard.false_alarms_table(ALARMS[ALARMS["lost"] != 1])
    assert rows(table) == [
        ["The author used", "No early end", "4 early ends"],
        ["a test on the counts", "0%", "5%"],
        ["log-rank", "0%", "13%"],
        ["Gehan", "<1%", "20%"],
    ]


def test_the_words_on_false_alarms_are_of_the_log_rank_test_and_round_the_error_up():
    assert scoreboard.say_false_alarms(ALARMS) == {
        "few": "1",
        "few_alarms": "2%",
        "many": "4",
        "many_alarms": "13%",
        "monte_carlo": "0.3",
    }


def test_the_trials_gone_through_are_worded():
    assert scoreboard.say_trials(
        (1 / 8, 3 / 9), [Table(1, 8, 2, 9)] * 3, [0.5, 0.25, 0.12], 40_000
    ) == {
        "n_a": "8",
        "n_b": "9",
        "risk_a": "13%",
        "risk_b": "33%",
        "trials": "3",
        "covered": "87%",
        "datasets": "40,000",
    }


def test_planted_errors_are_caught_by_the_audit_or_if_the_test_is_known():
    heading, *cells = rows(scoreboard.planted_errors_table(ERRORS))
    assert heading[0] == "Error planted"
    assert cells[0] == ["half the P-value", "10%", "50%"]
    assert cells[-1] == ["wrong direction, in words", "100%", "100%"]
    assert len(cells) == 5


def test_the_largest_share_of_small_errors_leaves_out_slipped_points_and_words():
    assert scoreboard.say_planted_errors(ERRORS) == {
        "caught_high": "15%",
        "small_errors": "half the P-value, one patient recoded and one digit changed",
    }


def test_the_nearest_tests_are_drawn_by_p():
    near = conventions.nearest(TESTS, "0.011", number=3)
    assert near["name"].tolist() == ["Pearson", "N−1", "Fisher"]
    assert near["value"].tolist() == [0.010495, 0.011482, 0.020486]


def test_a_value_that_prints_so_only_if_rounded_twice_does_not_agree():
    near = conventions.nearest(TESTS, "0.011", number=3)
    assert rows(conventions.rounding_table(near, "0.011"))[1:] == [
        ["Pearson", "0.010495", "0.010", "no", "yes"],
        ["N−1", "0.011482", "0.011", "yes", "no"],
        ["Fisher", "0.020486", "0.020", "no", "no"],
    ]


def test_the_columns_are_those_of_the_descriptor():
    cohort = load_cohort()
    _, *cells = rows(reexecute.columns_table(cohort))
    assert [cell[0] for cell in cells] == list(cohort.patients.columns)
    by_name = {cell[0]: cell for cell in cells}
    assert by_name["died"][2] == "0, 1"


def test_verdicts_that_differ_are_counted():
    differs = pd.Series([True, False, True, False, False])
    assert reexecute.say(BOARD, differs, ~differs) == {
        "claims": "5",
        "changed": "2",
        "changed_stated": "3",
    }


def test_durations_are_of_each_task_in_turn_with_its_arguments():
    done = []
    found = colophon.durations(
        ("first", time.sleep, (0.02,)), ("second", lambda *a: done.extend(a), (1, 2))
    )
    assert found["name"].tolist() == ["first", "second"]
    assert found["seconds"].iloc[0] >= 0.02
    assert done == [1, 2]


def test_versions_are_those_installed():
    cells = dict(rows(colophon.versions_table())[1:])
    assert cells["pandas"] == pd.__version__


def test_a_benchmark_without_a_peer_is_shown_with_a_dash():
    stored = pd.DataFrame(
        [("ours alone", "a", None, 0.5, float("nan"), float("nan"), 3.2, "m")],
        columns=[
            *("task", "ours", "peer", "ours_seconds"),
            *("peer_seconds", "ratio", "peak_mib", "machine"),
        ],
    )
    assert rows(colophon.benchmarks_table(stored))[1] == [
        *("ours alone", "a", "—", "0.500000", "—", "—", "3", "m"),
    ]


@pytest.mark.parametrize("text", ["0.011", "0.05"])
def test_what_is_reported_is_quoted_as_it_is(text):
    assert conventions.say(text, 0.05)["reported"] == text
