"""The check of the audit: what it must find, and that it can find a broken audit.

Oracles: whole-number arithmetic written here, Python's decimal module, R 4.2 (survival, stats),
SAS as quoted in textbooks, closed forms of the exponential law, and audits broken on purpose.
"""

import math
from dataclasses import replace
from decimal import ROUND_DOWN, ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rdmas.paper import claims
from rdmas.selfcheck.checker import (
    AUTHORS_TESTS,
    PRINTINGS,
    ROUNDED_ONCE,
    TrialLaw,
    p_value_false_alarms,
    p_value_planted_errors,
    percentage_false_alarms,
    percentage_planted_errors,
    simulated_cohort,
)
from rdmas.selfcheck.checker._audit import Audit
from rdmas.selfcheck.checker._p_values import _wrong_prints
from rdmas.selfcheck.checker._printing import decimal_text, p_text, percentage_text
from rdmas.stats import rounding, two_by_two
from rdmas.stats.two_by_two import p_value, p_values

BY_NAME = {author.name: author for author in AUTHORS_TESTS}
ON_COUNTS = [author for author in AUTHORS_TESTS if author.basis == "counts"]
LOG_RANK = [BY_NAME["log-rank"]]

# Small arms with few deaths: ranges over unseen times are searched in no time.
SMALL = TrialLaw(patients=(5, 7), probability=(0.1, 0.4))
SIX = replace(SMALL, patients=(6, 6))

REPRODUCES = rounding.reproduces


def rows_of(frame, **values):
    for column, value in values.items():
        frame = frame[frame[column] == value]
    return frame


# Printing


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


@pytest.mark.parametrize(
    ("value", "places", "way", "text"),
    [
        (0.010495, 3, "half up", "0.010"),
        (0.010495, 3, "rounded twice", "0.011"),
        (0.010999, 3, "cut off", "0.010"),
        (0.0625, 3, "half up", "0.063"),
        (0.0625, 3, "half to even", "0.062"),
        (0.0625, 3, "half down", "0.062"),
        (0.0009999, 3, "half up", "<0.001"),
        (0.001, 3, "floating point", "0.001"),
        (0.9996, 3, "half up", "1.000"),
        (0.004, 2, "half up", "<0.01"),
        (0.0, 3, "half up", "<0.001"),
    ],
)
def test_a_p_value_is_printed_as_papers_do(value, places, way, text):
    assert p_text(value, places, way) == text


def test_floating_point_decides_ties_by_binary_digits():
    # The float 0.15 lies below 0.15; 12.5 is exact, and goes to the even neighbour.
    assert percentage_text(3, 2000, 1, "floating point") == "0.1%"
    assert percentage_text(3, 2000, 1, "half to even") == "0.2%"
    assert percentage_text(1, 8, 0, "floating point") == "12%"
    assert percentage_text(1, 8, 0, "half up") == "13%"


# Percentages and fractions


def test_no_count_of_up_to_100_patients_raises_a_false_alarm():
    found = percentage_false_alarms()
    once = found[found["rounded_once"]]
    assert set(once["printing"]) == {*ROUNDED_ONCE, "as counted"}
    assert (once["flagged"] == 0).all()
    # 2 + 3 + ... + 101 counts.
    assert (found["printed"] == 5150).all()


def test_faults_of_printing_are_flagged_as_often_as_whole_number_arithmetic_says():
    found = percentage_false_alarms(range(1, 41), decimals=[0, 1])
    for places in (0, 1):
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
        assert rows_of(found, printing="cut off", decimals=places)["flagged"].item() == cut
        assert rows_of(found, printing="rounded twice", decimals=places)["flagged"].item() == twice
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
    row = rows_of(
        percentage_planted_errors([n], [places]), kind="percentage", error="count one off"
    ).iloc[0]
    assert (row["planted"], row["undetectable"], row["missed"]) == (len(planted), alike, 0)
    assert row["caught"] == len(planted) - alike
    if n <= scale:
        assert row["share"] == 1


def test_of_200_counts_at_no_decimals_the_numbers_are_those_found_by_hand():
    found = percentage_planted_errors([200], [0])
    percentages = rows_of(found, kind="percentage").set_index("error")
    # Even counts print whole, odd ones are ties. One more than an even count rounds away from
    # it (100 caught); all other neighbours print like one of the two sides of a tie.
    assert percentages.loc["count one off", ["planted", "undetectable"]].tolist() == [400, 300]
    # 0% has nothing below; 199 and 200, both printed 100%, nothing above. One below the 100
    # ties, printed half up, is what they print half down.
    expected = [399, 100]
    assert percentages.loc["last digit one off", ["planted", "undetectable"]].tolist() == expected


def test_transposed_digits_of_twenty_patients():
    """Of 0, 5, 10, ... 100% these can be transposed: 15, 25, 35, 45, 65, 75, 85, 95."""
    found = rows_of(percentage_planted_errors([20], [0]), error="digits transposed").iloc[0]
    assert found[["planted", "caught"]].tolist() == [8, 8]


def test_the_complement_prints_alike_only_near_the_middle():
    """Of 500, the counts 248, 249, 251 and 252 (49.6 to 50.4%) and their complements print 50%."""
    found = rows_of(percentage_planted_errors([500], [0]), error="complement").iloc[0]
    assert found[["planted", "undetectable"]].tolist() == [500, 4]


def test_every_error_that_changes_the_print_is_caught():
    found = percentage_planted_errors([3, 8, 40, 160])
    assert (found["missed"] == 0).all()
    total = found["undetectable"] + found["missed"] + found["caught"]
    assert (total == found["planted"]).all()
    fractions = rows_of(found, kind="fraction")
    assert set(fractions["error"]) == {"count one off", "denominator one off"}
    assert (fractions["share"] == 1).all()


def test_more_decimals_catch_more_neighbours_and_larger_denominators_fewer():
    found = rows_of(
        percentage_planted_errors([50, 130, 390], [0, 1]), kind="percentage", error="count one off"
    )
    shares = found.pivot(index="n", columns="decimals", values="share")
    assert (shares[1] == 1).all()
    assert shares[0].is_monotonic_decreasing and shares.loc[390, 0] < 0.3


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
    found = percentage_false_alarms(range(1, 41), decimals=[0]).set_index("printing")
    assert found.loc["half up", "flagged"] > 0
    assert found.loc["half down", "flagged"] > 0
    assert found.loc["as counted", "flagged"] == 0


def test_an_audit_that_forgives_a_unit_misses_errors_and_flags_no_fault_of_printing(monkeypatch):
    monkeypatch.setattr(rounding, "reproduces", wide_intervals)
    assert (percentage_false_alarms(range(1, 41), decimals=[0])["flagged"] == 0).all()
    found = rows_of(percentage_planted_errors([20, 100], [0]), error="last digit one off")
    assert (found["missed"] > 0).all()


def test_an_audit_that_rounds_twice_misses_errors(monkeypatch):
    assert (percentage_planted_errors([11], [0])["missed"] == 0).all()
    monkeypatch.setattr(rounding, "reproduces", rounding_twice)
    found = percentage_false_alarms([11], decimals=[0]).set_index("printing")
    assert found.loc["rounded twice", "flagged"] == 0
    missed = rows_of(percentage_planted_errors([11], [0]), error="last digit one off")["missed"]
    # By way of 45.5% or 54.5%, 5/11 (45.4545...%) becomes 46%, and 6/11 (54.5454...%) 54%.
    assert missed.item() == 2


@pytest.mark.parametrize(("answer", "outcome"), [(True, "missed"), (False, "caught")])
def test_an_audit_with_one_answer_for_everything_is_seen_through(monkeypatch, answer, outcome):
    monkeypatch.setattr(rounding, "reproduces", lambda value, reported: answer)
    found = percentage_false_alarms([9, 10])
    assert (found["share"] == (0 if answer else 1)).all()
    errors = percentage_planted_errors([9, 10])
    assert (errors[outcome] == errors["planted"] - errors["undetectable"]).all()


@pytest.mark.parametrize(("events", "n"), [(0, 7), (3, 7), (1, 8), (5, 11), (13, 40)])
def test_the_scoreboard_says_of_percentages_and_fractions_what_the_short_cut_says(events, n):
    died = (np.arange(n + 3) < events).astype(int)
    arm = (np.arange(n + 3) >= n).astype(int)
    texts = {percentage_text(events, n, places, way) for places in (0, 1) for way in PRINTINGS}
    texts |= {percentage_text(k, n, 0) for k in range(n + 1)}
    printed = {text: ("percent", text) for text in texts}
    printed |= {f"{k}/{n}": ("fraction", f"{k}/{n}") for k in range(n + 1)}
    board = claims.scoreboard(simulated_cohort(died, died, arm, printed)).set_index("reported")
    for text in printed:
        value = (events, n) if "/" in text else Fraction(events, n)
        expected = "reproduced" if rounding.reproduces(value, text) else "not reproduced"
        assert board.loc[text, "verdict"] == expected


# Authors


TABLES = [(7, 34, 1, 34), (0, 10, 3, 9), (0, 8, 6, 6), (5, 12, 5, 12), (1, 6, 5, 7), (9, 10, 2, 11)]


@pytest.mark.parametrize("table", TABLES)
def test_libraries_give_authors_the_p_values_that_the_audit_considers(table):
    keys = {
        "Pearson chi-square": "chi2",
        "Wilcoxon rank sum": "chi2_n_minus_1",
        "Yates chi-square": "chi2_yates",
        "likelihood ratio": "likelihood_ratio",
        "z, unpooled": "z_unpooled",
        "z, Agresti-Caffo": "z_agresti_caffo",
        "Fisher exact": "fisher",
        "mid-P": "fisher_midp_central",
        "Boschloo": "boschloo_central",
        "Barnard": "barnard_pooled",
    }
    assert set(keys) == {author.name for author in ON_COUNTS}
    events_a, n_a, events_b, n_b = table
    died = np.r_[np.arange(n_a) < events_a, np.arange(n_b) < events_b].astype(int)
    arm = np.repeat([0, 1], [n_a, n_b])
    for name, key in keys.items():
        found = BY_NAME[name].p_value(np.ones(died.size), died, arm)
        assert found == pytest.approx(p_value(*table, test=key), rel=1e-9, abs=1e-300)


def test_tests_the_audit_does_not_consider_agree_with_r_and_sas():
    """6-MP trial (Freireich 1963; MASS::gehan), and Perondi's 7/34 against 1/34.

    R 4.2.2, survival: survdiff(Surv(time, cens) ~ treat, gehan), p 4.16880910933e-05; with
    rho = 1, p 0.000143384444819. SAS PROC LIFETEST, Wilcoxon: chi-square 13.4579, 1 df.
    R, stats: wilcox.test(x, y, exact = FALSE), x 7 ones of 34 and y 1 of 34, 0.0257034807482.
    """
    treated = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
    relapse = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
    placebo = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
    data = np.array(treated + placebo, float), np.array(relapse + [1] * 21), np.repeat([0, 1], 21)
    expected = {
        "log-rank": 4.16880910933e-05,
        "Fleming-Harrington, rho 1": 0.000143384444819,
        "Gehan-Breslow": math.erfc(math.sqrt(13.4579 / 2)),
    }
    for name, p in expected.items():
        assert BY_NAME[name].p_value(*data) == pytest.approx(p, rel=1e-4)
    died = np.r_[np.arange(34) < 7, np.arange(34) < 1].astype(int)
    found = BY_NAME["Wilcoxon rank sum, corrected"].p_value(died, died, np.repeat([0, 1], 34))
    assert found == pytest.approx(0.0257034807482, abs=1e-12)


def test_a_log_rank_p_without_variance_is_undefined():
    # Arm b is gone when the only death happens.
    data = np.array([2.0, 3.0, 1.0, 1.0]), np.array([1, 0, 0, 0]), np.array([0, 0, 1, 1])
    assert math.isnan(BY_NAME["log-rank"].p_value(*data))


# Trials


def test_deaths_are_as_frequent_as_the_exponential_law_says():
    """P(dead) is p with full follow-up; else 1 - (exp(-rs) - exp(-r)) / (r (1 - s))."""
    rate, shortest, size = -math.log(0.6), 0.25, 20_000
    for followup, expected in [
        (1.0, 0.4),
        (shortest, 1 - (math.exp(-rate * shortest) - 0.6) / (rate * (1 - shortest))),
    ]:
        law = TrialLaw((size, size), (0.4, 0.4), followup)
        _, died, arm = law.draw(np.random.default_rng(1))
        assert died.size == 2 * size and arm.sum() == size
        error = math.sqrt(expected * (1 - expected) / died.size)
        assert abs(died.mean() - expected) < 4 * error


def test_trials_keep_to_their_law():
    rng = np.random.default_rng(2)
    for followup in (1.0, 0.3):
        for _ in range(30):
            time, died, arm = TrialLaw((4, 6), (0.05, 0.9), followup).draw(rng)
            assert 0 < died.sum() < died.size
            assert {4, 5, 6} >= {int((arm == 0).sum()), int(arm.sum())}
            assert (time[died == 0] >= followup).all() and (time <= 1).all()


@pytest.mark.parametrize(
    "fault",
    [
        {"patients": (5, 4)},
        {"patients": (1, 4)},
        {"patients": (True, 5)},
        {"probability": (0.0, 0.5)},
        {"probability": (0.5, 0.4)},
        {"probability": (0.5, 1.0)},
        {"probability": (math.nan, 0.5)},
        {"shortest_followup": 0.0},
        {"shortest_followup": 1.5},
        {"shortest_followup": math.nan},
    ],
)
def test_an_impossible_law_is_refused(fault):
    with pytest.raises(ValueError, match=f"{next(iter(fault))} must be"):
        TrialLaw(**fault)


# The simulated cohort


def test_a_simulated_cohort_tells_nothing_of_times_unless_they_are_seen():
    """With all deaths tied the log-rank P is that of the N-1 chi-square (closed form)."""
    time, died, arm = TrialLaw((8, 9)).draw(np.random.default_rng(3))
    printed = {"p": ("p_value", "0.500")}
    hidden = claims.derive("p", simulated_cohort(time, died, arm, printed))
    on_file = [found for found in hidden if "patient table" in found.method]
    assert [found.basis for found in on_file] == ["input"]
    table = [int(died[arm == 0].sum()), int((arm == 0).sum())]
    table += [int(died[arm == 1].sum()), int(arm.sum())]
    assert on_file[0].value == pytest.approx(p_value(*table, test="chi2_n_minus_1"), rel=1e-12)
    seen = claims.derive("p", simulated_cohort(time, died, arm, printed, times_seen=True))
    on_file = [found for found in seen if "patient table" in found.method]
    assert [found.basis for found in on_file] == ["counts"]
    assert on_file[0].value == pytest.approx(BY_NAME["log-rank"].p_value(time, died, arm))


@pytest.mark.parametrize("followup", [1.0, 0.2])
def test_where_times_are_seen_a_true_log_rank_p_raises_no_alarm(followup):
    rng = np.random.default_rng(4)
    law = TrialLaw((10, 14), (0.1, 0.6), followup)
    for _ in range(3):
        trial = law.draw(rng)
        p = BY_NAME["log-rank"].p_value(*trial)
        printed = {
            f"{places} {way}": ("p_value", p_text(p, places, way))
            for places, way in ((2, "half up"), (4, "floating point"))
        }
        board = claims.scoreboard(simulated_cohort(*trial, printed, times_seen=True))
        assert (board["verdict"] == "reproduced under a stated convention").all()
        assert (board["basis"] == "counts").all()


def test_a_cohort_of_one_arm_or_of_arrays_that_do_not_match_is_refused():
    ones = np.ones(3)
    with pytest.raises(ValueError, match="Both arms"):
        simulated_cohort(ones, ones, ones, {})
    with pytest.raises(ValueError, match="one value for each patient"):
        simulated_cohort(ones, ones, np.array([0, 1]), {})


# P-values


@pytest.mark.parametrize(
    ("p", "direction", "expected"),
    [
        (0.0312, 1, {
            "half the P-value": "0.016", "decimal point slipped": "0.31",
            "wrong side of the level": {">0.05", "not significantly different"},
            "wrong direction": "significantly lower",
        }),
        (0.5, -1, {
            "half the P-value": "0.250", "decimal point slipped": "0.0500",
            "wrong side of the level": {"<0.05", "significantly lower"},
        }),
        (0.8, 0, {
            "half the P-value": "0.400", "decimal point slipped": "0.0800",
            "wrong side of the level": "<0.05",
        }),
        (0.0004, -1, {
            "half the P-value": "<0.001",
            "wrong side of the level": {">0.05", "not significantly different"},
            "wrong direction": "significantly higher",
        }),
    ],
)  # fmt: skip
def test_planted_errors_are_those_written_out_by_hand(p, direction, expected):
    trial = SMALL.draw(np.random.default_rng(1))
    rng = np.random.default_rng(2)
    found = {}
    for (_, error, _, text), right in _wrong_prints(ON_COUNTS[0], trial, p, direction, [3], rng):
        found.setdefault(error, set()).add(text)
        assert right & {p_text(p, 3), "<0.05", ">0.05"} or "significantly" in text
    for error, texts in expected.items():
        assert found[error] == ({texts} if isinstance(texts, str) else texts)
    assert ("wrong direction" in found) == ("wrong direction" in expected)
    changed = found.get("one digit changed", set())
    assert len(changed) == (p > 0.001)
    for text in changed:
        assert sum(a != b for a, b in zip(text, p_text(p, 3), strict=True)) == 1


def test_no_test_of_counts_raises_a_false_alarm_and_its_distance_is_half_a_unit_at_most():
    found = p_value_false_alarms(
        40, seed=5, law=TrialLaw((6, 6)), printings=ROUNDED_ONCE, authors_tests=ON_COUNTS
    )
    # Ten tests, four ways at two numbers of decimals, a bound and a wording.
    assert len(found) == 10 * (4 * 2 + 2)
    assert (found["data_sets"] <= 40).all()
    assert (found[["flagged", "flagged_on_counts", "share", "low"]] == 0).all(axis=None)
    numbers = found[found["decimals"].notna()]
    assert numbers["furthest"].between(0, 0.5 + 1e-9).all()
    assert found.loc[found["decimals"].isna(), "furthest"].isna().all()
    full = found[found["data_sets"] == 40]
    # Clopper-Pearson for none of 40: 1 - 0.025 ** (1/40).
    assert full["high"].to_numpy() == pytest.approx(1 - 0.025 ** (1 / 40))


def test_a_log_rank_p_raises_no_false_alarm_where_nobodys_followup_ends_early():
    found = p_value_false_alarms(
        12, seed=6, law=SIX, decimals=[3], printings=ROUNDED_ONCE, authors_tests=LOG_RANK
    )
    numbers = rows_of(found, kind="P-value")
    assert (numbers["flagged"] == 0).all()
    # It is the order of deaths that explains them: tests of counts alone would not.
    assert numbers["flagged_on_counts"].max() > 3


def test_faults_of_printing_are_flagged_on_counts_and_leave_the_rest_alone():
    found = p_value_false_alarms(
        10, seed=7, law=SIX, decimals=[3], authors_tests=ON_COUNTS[:1]
    ).set_index("printing")
    assert found["rounded_once"].to_dict() == {way: way in ROUNDED_ONCE for way in PRINTINGS} | {
        "below or above 0.05": True,
        "in words": True,
    }
    assert found.loc["cut off", "flagged_on_counts"] > 0
    assert found.loc["cut off", "furthest"] > 0.5
    assert (found["flagged"] <= found["flagged_on_counts"]).all()


def test_a_simulation_is_repeated_by_its_seed_and_by_no_other():
    settings = {"law": SIX, "decimals": [3], "authors_tests": ON_COUNTS[:2]}
    alarms = [
        p_value_false_alarms(3, seed=seed, printings=ROUNDED_ONCE, **settings) for seed in (1, 1, 2)
    ]
    pd.testing.assert_frame_equal(alarms[0], alarms[1])
    assert not alarms[0]["furthest"].equals(alarms[2]["furthest"])
    errors = [p_value_planted_errors(2, seed=1, **settings) for _ in range(2)]
    pd.testing.assert_frame_equal(*errors)


def test_what_becomes_of_planted_errors_adds_up():
    found = p_value_planted_errors(
        9,
        seed=8,
        law=TrialLaw((6, 6), (0.05, 0.6)),
        decimals=[3],
        authors_tests=[BY_NAME["Pearson chi-square"], BY_NAME["z, unpooled"]],
    )
    assert set(found["error"]) == {
        "half the P-value", "one patient recoded", "one digit changed", "decimal point slipped",
        "wrong side of the level", "wrong direction",
    }  # fmt: skip
    outcomes = found[["undetectable", "another_test", "another_order", "caught"]].sum(axis=1)
    assert (outcomes == found["data_sets"]).all()
    assert found["share"].between(found["low"], found["high"]).all()
    assert (found["share_on_counts"] >= found["share"]).all()
    # No test and no order of deaths of these tables turns the direction round.
    assert (rows_of(found, error="wrong direction")["share"] == 1).all()
    # With anybody's follow-up ending early, P may lie on either side of the level.
    bounds = rows_of(found, kind="P-value", error="wrong side of the level")
    assert (bounds["another_order"] > 0).all()
    changed = rows_of(found, error="one digit changed")
    assert (changed["undetectable"] == 0).all() and (changed["share_on_counts"] > 0.6).all()


def test_an_audit_that_forgot_a_test_raises_alarms_over_it(monkeypatch):
    def without_fisher(*counts):
        table = p_values(*counts)
        return table[~table["key"].str.startswith("fisher")]

    monkeypatch.setattr(two_by_two, "p_values", without_fisher)
    found = p_value_false_alarms(
        10, seed=10, law=SMALL, decimals=[3], printings=["half up"],
        authors_tests=[BY_NAME["Fisher exact"], BY_NAME["Pearson chi-square"]],
    )  # fmt: skip
    numbers = found[found["decimals"].notna()].set_index("author")
    assert numbers.loc["Fisher exact", "flagged_on_counts"] > 2
    assert numbers.loc["Pearson chi-square", "flagged_on_counts"] == 0


def test_an_audit_that_rounds_twice_lets_prints_pass_that_were_rounded_twice(monkeypatch):
    settings = {
        "seed": 11, "law": SIX, "decimals": [3],
        "printings": ["rounded twice"], "authors_tests": ON_COUNTS,
    }  # fmt: skip
    before = p_value_false_alarms(12, **settings)["flagged_on_counts"].sum()
    monkeypatch.setattr(rounding, "reproduces", rounding_twice)
    assert before > p_value_false_alarms(12, **settings)["flagged_on_counts"].sum() == 0


def test_an_audit_that_takes_everything_catches_nothing(monkeypatch):
    monkeypatch.setattr(rounding, "reproduces", lambda value, reported: True)
    found = p_value_planted_errors(3, seed=12, law=SMALL, decimals=[2], authors_tests=ON_COUNTS[:1])
    bounds = rows_of(found, kind="P-value", error="wrong side of the level")
    assert (bounds["another_test"] == bounds["data_sets"]).all()


@pytest.mark.parametrize("followup", [1.0, 0.3])
def test_the_scoreboard_says_of_p_values_and_words_what_the_short_cut_says(followup):
    rng = np.random.default_rng(13)
    law = replace(SMALL, shortest_followup=followup)
    alarms = []
    for _ in range(2):
        trial = law.draw(rng)
        audit = Audit(*trial)
        printed, measures = {}, {"P-value": "p_value", "wording": "significance"}
        for author in (BY_NAME["Fisher exact"], *LOG_RANK):
            p = author.p_value(*trial)
            if math.isfinite(p):
                printed[p_text(p, 3)] = "p_value"
                for (kind, _, _, text), _ in _wrong_prints(
                    author, trial, p, audit.direction, [3], rng
                ):
                    printed[text] = measures[kind]
        cohort = simulated_cohort(*trial, {text: (kind, text) for text, kind in printed.items()})
        verdicts = claims.scoreboard(cohort).set_index("id")["verdict"]
        for text in printed:
            alarms.append(not (audit.on_counts(text) or audit.on_ordering(text)))
            assert (verdicts[text] == "not reproduced") == alarms[-1], text
    assert len(set(alarms)) == 2


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (percentage_false_alarms, {"denominators": [0]}, "denominators must be a whole number"),
        (percentage_false_alarms, {"denominators": []}, "denominators must hold at least one"),
        (percentage_false_alarms, {"decimals": [-1]}, "decimals must be a whole number"),
        (percentage_planted_errors, {"denominators": [True]}, "must be a whole number"),
        (percentage_planted_errors, {"decimals": [1.5]}, "must be a whole number"),
        (p_value_false_alarms, {"data_sets": 0, "seed": 1}, "data_sets must be a whole number"),
        (p_value_false_alarms, {"data_sets": 2.5, "seed": 1}, "data_sets must be a whole number"),
        (p_value_false_alarms, {"data_sets": 2, "seed": 1, "level": 95}, "level"),
        (p_value_false_alarms, {"data_sets": 2, "seed": 1, "decimals": []}, "at least one"),
        (
            p_value_false_alarms,
            {"data_sets": 2, "seed": 1, "printings": ["up"]},
            "printings must be one of",
        ),
        (p_value_false_alarms, {"data_sets": 2, "seed": 1, "authors_tests": []}, "draw more"),
        (p_value_planted_errors, {"data_sets": True, "seed": 1}, "data_sets must be"),
        (p_value_planted_errors, {"data_sets": 2, "seed": 1, "level": 0.0}, "level"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(function, arguments, message):
    with pytest.raises(ValueError, match=message):
        function(**arguments)
