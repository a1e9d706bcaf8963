"""The audit of P-values: what it must find, and that a broken audit is found out.

Oracles: R 4.2 (survival, stats), SAS as quoted in textbooks, statsmodels, binomial coefficients,
the sampling law written out, and audits broken on purpose.
"""

import math
from collections import Counter
from fractions import Fraction
from itertools import combinations, permutations, product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.survfunc import survdiff

from rdmas.paper import claims
from rdmas.paper.cohort import Cohort
from rdmas.selfcheck import p_values
from rdmas.selfcheck.p_values import (
    TESTS_OF_TIMES,
    TESTS_ON_COUNTS,
    Trial,
    false_alarms,
    likely_trials,
    p_of_times,
    p_text,
    planted_errors,
)
from rdmas.selfcheck.percentages import PRINTINGS, ROUNDED_ONCE, decimal_text, percentage_text
from rdmas.stats import rounding, two_by_two
from rdmas.stats.checks import Table
from rdmas.stats.logrank import logrank_p, random_data_sets

REPRODUCES = rounding.reproduces

# Small arms: ranges over unseen times are searched in no time.
SMALL = Table(1, 6, 4, 7)
TRIALS = likely_trials(SMALL, 12)


def cohort_of(deaths, printed, time=None):
    """Put counts, and what is printed of them, into the form that is audited.

    `printed` leads from the id of a claim to its measure and to what is printed: ``p_value`` and
    ``significance`` are about deaths in arm a against b, anything else about deaths in arm a.
    Without times of the patients, in the order of `random_data_sets`, all deaths are put at time
    1 and all ends of follow-up at 2, declared as assumed.
    """
    died, arm = (np.asarray(part) for part in random_data_sets(*deaths, 1, seed=0)[1:])
    seen = time is not None
    patients = pd.DataFrame(
        {
            "patient_id": np.arange(died.size).astype(str),
            "arm": np.where(arm, "b", "a"),
            "died": died.astype(int),
            "followup_time": time if seen else np.where(died, 1.0, 2.0),
        }
    )
    provenance = dict.fromkeys(patients, "reported")
    provenance["followup_time"] = "measured" if seen else "assumed"
    fields = [{"name": name, "provenance": source} for name, source in provenance.items()]
    registry = [
        {
            "id": claim_id,
            "statement": "Imagined",
            "arm": "both" if measure in ("p_value", "significance") else "a",
            "reported": text,
            "numerator": deaths.events_a,
            "denominator": deaths.n_a,
            "measure": measure,
            "variable": "died",
            "category": "1",
            "convention": "",
            "chapter": "",
        }
        for claim_id, (measure, text) in printed.items()
    ]
    return Cohort(
        patients=patients,
        claims=pd.DataFrame(registry),
        assumptions=pd.DataFrame(),
        evidence=pd.DataFrame(),
        evidence_percentages=pd.DataFrame(),
        descriptor={
            "companion": {"treatmentArm": "a", "controlArm": "b", "timeUnit": "days"},
            "resources": [{"name": "patients", "schema": {"fields": fields}}],
        },
        data_dir=Path(),
    )


@pytest.mark.parametrize(
    ("value", "way", "text"),
    [
        (0.010495, "half up", "0.010"),
        (0.010495, "rounded twice", "0.011"),
        (0.010999, "cut off", "0.010"),
        (0.0625, "half up", "0.063"),
        (0.0625, "half to even", "0.062"),
        (0.0625, "half down", "0.062"),
        (0.0009999, "half up", "<0.001"),
        (0.001, "floating point", "0.001"),
        (0.9996, "half up", "1.000"),
        (0.0, "half up", "<0.001"),
    ],
)
def test_a_p_value_is_printed_as_papers_do(value, way, text):
    assert p_text(value, way) == text


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
        "Wald, log odds ratio": "z_log_odds_ratio",
        "Wald, log risk ratio": "z_log_risk_ratio",
        "Fisher exact": "fisher",
        "mid-P": "fisher_midp_central",
        "Boschloo": "boschloo_central",
        "Barnard": "barnard_pooled",
    }
    assert set(keys) == set(TESTS_ON_COUNTS)
    for name, key in keys.items():
        right = two_by_two.p_value(*table, test=key)
        found = TESTS_ON_COUNTS[name](*table)
        assert found == pytest.approx(right, rel=1e-9, abs=1e-300, nan_ok=True), name


IN_STATSMODELS = {
    "log-rank": {},
    "Gehan-Breslow": {"weight_type": "gb"},
    "Fleming-Harrington, rho 1": {"weight_type": "fh", "fh_p": 1},
}


def test_statsmodels_agrees_with_r_and_sas_on_tests_of_times():
    """6-MP trial (Freireich 1963; MASS::gehan).

    R 4.2.2, survival: survdiff(Surv(time, cens) ~ treat, gehan), p 4.16880910933e-05; with
    rho = 1, p 0.000143384444819. SAS PROC LIFETEST, Wilcoxon: chi-square 13.4579, 1 df.
    """
    treated = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
    relapse = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
    placebo = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
    data = np.array(treated + placebo, float), np.array(relapse + [1] * 21), np.repeat([0, 1], 21)
    expected = {
        "log-rank": 4.16880910933e-05,
        "Gehan-Breslow": math.erfc(math.sqrt(13.4579 / 2)),
        "Fleming-Harrington, rho 1": 0.000143384444819,
    }
    for name, p in expected.items():
        assert survdiff(*data, **IN_STATSMODELS[name])[1] == pytest.approx(p, rel=1e-4)


@pytest.mark.parametrize("lost", [0, 5])
@pytest.mark.parametrize("name", IN_STATSMODELS)
def test_many_data_sets_at_once_are_tested_as_statsmodels_tests_each(name, lost):
    times, died, arm = random_data_sets(3, 9, 7, 11, 20, lost, seed=3)
    expected = [survdiff(time, died, arm, **IN_STATSMODELS[name])[1] for time in times]
    assert p_of_times(name, times, died, arm) == pytest.approx(expected, rel=1e-9)
    assert set(IN_STATSMODELS) == set(TESTS_OF_TIMES)


def test_a_log_rank_p_without_variance_is_undefined():
    # Arm b is gone when the only death happens.
    data = np.array([[2.0, 3.0, 1.0, 1.0]]), np.array([1, 0, 0, 0]), np.array([0, 0, 1, 1])
    assert np.isnan(p_of_times("log-rank", *data)).all()


# Trials


def test_trials_end_as_the_binomial_law_says_likeliest_first():
    every = likely_trials(Table(2, 5, 1, 4), 1000)
    for trial in every:
        a, _, b, _ = trial.deaths
        weight = Fraction(math.comb(5, a) * 2**a * 3 ** (5 - a), 5**5)
        weight *= Fraction(math.comb(4, b) * 3 ** (4 - b), 4**4)
        assert trial.probability == pytest.approx(float(weight), rel=1e-12)
    left_out = Fraction(3, 5) ** 5 * Fraction(3, 4) ** 4 + Fraction(2, 5) ** 5 * Fraction(1, 4) ** 4
    assert sum(trial.probability for trial in every) == pytest.approx(float(1 - left_out))
    probabilities = [trial.probability for trial in every]
    assert probabilities == sorted(probabilities, reverse=True)
    assert [trial.deaths for trial in likely_trials(Table(2, 5, 1, 4), 3)] == [
        trial.deaths for trial in every[:3]
    ]


def test_larger_arms_are_cut_down_and_keep_their_shares_of_deaths():
    likeliest = likely_trials(Table(10, 100, 12, 20), 1)[0]
    assert likeliest.deaths[1::2] == (25, 20)
    expected = math.comb(25, 2) * 0.1**2 * 0.9**23 * math.comb(20, 12) * 0.6**12 * 0.4**8
    assert likeliest.deaths == (2, 25, 12, 20)
    assert likeliest.probability == pytest.approx(expected)


# The scoreboard says what the short cut says


@pytest.mark.parametrize(("events", "n"), [(0, 7), (3, 7), (1, 8), (5, 11), (13, 40)])
def test_the_scoreboard_says_of_percentages_and_fractions_what_rounding_says(events, n):
    texts = {percentage_text(events, n, places, way) for places in (0, 1) for way in PRINTINGS}
    texts |= {percentage_text(k, n, 0) for k in range(n + 1)}
    printed = {text: ("percent", text) for text in texts}
    printed |= {f"{k}/{n}": ("fraction", f"{k}/{n}") for k in range(n + 1)}
    board = claims.scoreboard(cohort_of(Table(events, n, 2, 3), printed)).set_index("reported")
    for text in printed:
        value = (events, n) if "/" in text else Fraction(events, n)
        flagged = board.loc[text, "verdict"] == "not reproduced"
        assert flagged != rounding.reproduces(value, text)


@pytest.mark.parametrize("trial", TRIALS[::3], ids=lambda trial: str(tuple(trial.deaths)))
def test_the_scoreboard_says_of_p_values_and_words_what_the_short_cut_says(trial):
    measures = {"P-value": "p_value", "wording": "significance"}
    texts = {"0.05": "p_value", "0.9999": "p_value"}
    for test in (TESTS_ON_COUNTS["Fisher exact"], TESTS_ON_COUNTS["Pearson chi-square"]):
        texts[p_text(test(*trial.deaths))] = "p_value"
        for kind, _, text, _ in p_values._wrong_prints(trial, test):
            texts[text] = measures[kind]
    cohort = cohort_of(trial.deaths, {text: (kind, text) for text, kind in texts.items()})
    verdicts = claims.scoreboard(cohort).set_index("id")["verdict"]
    answers = {text: trial.explained_by(text) for text in texts}
    assert set(answers.values()) == {"test", "order", "caught"}
    for text, answer in answers.items():
        assert (verdicts[text] == "not reproduced") == (answer == "caught"), text


def test_a_cohort_tells_nothing_of_times_unless_they_are_seen():
    """With all deaths tied the log-rank P is that of the N-1 chi-square (closed form)."""
    deaths, printed = Table(2, 8, 5, 9), {"p": ("p_value", "0.500")}
    right = two_by_two.p_value(*deaths, test="chi2_n_minus_1")
    hidden = claims.derive("p", cohort_of(deaths, printed))
    on_file = [found for found in hidden if "patient table" in found.method]
    assert [found.basis for found in on_file] == ["input"]
    assert on_file[0].value == pytest.approx(right, rel=1e-12)
    times, died, arm = random_data_sets(*deaths, 1, 3, seed=3)
    seen = claims.derive("p", cohort_of(deaths, printed, times[0]))
    on_file = [found for found in seen if "patient table" in found.method]
    assert [found.basis for found in on_file] != ["input"]
    assert on_file[0].value == pytest.approx(survdiff(times[0], died, arm)[1])


@pytest.mark.parametrize("lost", [0, 6])
def test_where_times_are_seen_a_true_log_rank_p_raises_no_alarm(lost):
    deaths = Table(3, 12, 7, 13)
    times, died, arm = random_data_sets(*deaths, 3, lost, seed=4)
    for time in times:
        p = logrank_p(time, died, arm)
        printed = {"two": ("p_value", f"{p:.2f}"), "four": ("p_value", f"{p:.4f}")}
        board = claims.scoreboard(cohort_of(deaths, printed, time))
        assert (board["verdict"] != "not reproduced").all()
        assert (board["basis"] != "ordering").all()


# False alarms


def test_no_test_of_counts_raises_a_false_alarm():
    found = false_alarms(TRIALS, [0, 3], 10, seed=5)
    on_counts = found[~found["of_times"]]
    assert list(on_counts["author"].unique()) == list(TESTS_ON_COUNTS)
    assert (on_counts[["share", "error"]] == 0).all(axis=None)
    assert len(found) == 2 * (len(TESTS_ON_COUNTS) + len(TESTS_OF_TIMES))


def test_a_log_rank_p_raises_no_false_alarm_where_nobodys_followup_ends_early():
    found = false_alarms(TRIALS, [0], 400, seed=6).set_index("author")
    assert found.loc["log-rank", "share"] == 0
    # It is the order of deaths that explains them: tests of counts alone would not.
    times, died, arm = random_data_sets(*SMALL, 50, seed=6)
    texts = [p_text(p) for p in p_of_times("log-rank", times, died, arm)]
    likeliest = next(trial for trial in TRIALS if trial.deaths == SMALL)
    assert Counter(map(likeliest.explained_by, texts))["order"] > 3


def every_data_set(deaths, lost):
    """Yield every data set of the sampling law, all equally likely, as `random_data_sets` draws."""
    died = random_data_sets(*deaths, 1, seed=0)[1]
    n_deaths, survivors = int(died.sum()), np.flatnonzero(~died)
    for order in permutations(range(1, n_deaths + 1)):
        for gone in combinations(survivors, lost):
            for gaps in product(np.arange(n_deaths) + 0.5, repeat=lost):
                time = np.full(died.size, n_deaths + 1.0)
                time[died], time[list(gone)] = order, gaps
                yield time


def test_the_share_of_false_alarms_is_that_of_every_data_set_of_the_law():
    deaths, lost = Table(1, 4, 2, 4), 2
    _, died, arm = random_data_sets(*deaths, 1, seed=0)
    trial = Trial(deaths, 1.0)
    p = [float(logrank_p(time, died, arm)) for time in every_data_set(deaths, lost)]
    p = [value for value in p if math.isfinite(value)]
    exact = np.mean([trial.explained_by(f"{value:.3f}") == "caught" for value in p])
    found = false_alarms([trial], [lost], 20_000, seed=2).set_index("author").loc["log-rank"]
    assert 0.02 < exact < 0.98
    assert abs(found["share"] - exact) < 4 * found["error"]
    assert found["error"] == pytest.approx(math.sqrt(exact * (1 - exact) / 20_000), rel=0.05)


def test_the_monte_carlo_error_is_the_spread_of_shares_over_seeds():
    rows = [
        false_alarms(TRIALS, [4], 300, seed=seed).set_index("author").loc["Gehan-Breslow"]
        for seed in range(60)
    ]
    shares, errors = np.array([(row["share"], row["error"]) for row in rows], float).T
    assert shares.std(ddof=1) == pytest.approx(errors.mean(), rel=0.3)


def test_a_simulation_is_repeated_by_its_seed_and_by_no_other():
    found = [false_alarms(TRIALS, [4], 100, seed=seed) for seed in (1, 1, 2)]
    pd.testing.assert_frame_equal(found[0], found[1])
    assert not found[0]["share"].equals(found[2]["share"])


def test_where_fewer_survive_than_are_to_be_lost_all_of_them_are():
    few, all_of_them = (
        false_alarms([Trial(Table(2, 4, 3, 4), 1.0)], [lost], 50, seed=1) for lost in (3, 9)
    )
    pd.testing.assert_frame_equal(few.drop(columns="lost"), all_of_them.drop(columns="lost"))


def rounding_twice(value, reported):
    """An audit that also takes a number rounded at one decimal more, and then again."""
    printed = rounding.parse(reported)
    if REPRODUCES(value, reported) or printed.relation != "=" or not math.isfinite(value):
        return REPRODUCES(value, reported)
    once = decimal_text(Fraction(value), printed.decimals + 1)
    return REPRODUCES(Fraction(once), reported)


def on_counts(deaths, way):
    """For each test on counts, whether the audit finds its P on the counts, printed in a way."""
    trial = Trial(Table(*deaths), 1.0)
    return [
        trial._on_counts(p_text(test(*deaths), way))
        for test in TESTS_ON_COUNTS.values()
        if math.isfinite(test(*deaths))
    ]


def test_faults_of_printing_are_flagged_and_ways_of_rounding_are_not():
    tables = [(1, 9, 4, 9), (2, 11, 5, 9), (3, 14, 6, 10)]
    flagged = {
        way: sum(found.count(False) for found in (on_counts(table, way) for table in tables))
        for way in PRINTINGS
    }
    assert all(flagged[way] == 0 for way in ROUNDED_ONCE)
    assert flagged["cut off"] > flagged["rounded twice"] > 0


def test_an_audit_that_rounds_twice_lets_prints_pass_that_were_rounded_twice(monkeypatch):
    tables = [(1, 9, 4, 9), (2, 11, 5, 9), (3, 14, 6, 10)]
    monkeypatch.setattr(rounding, "reproduces", rounding_twice)
    assert all(all(on_counts(table, "rounded twice")) for table in tables)


def test_an_audit_that_forgot_a_test_raises_alarms_over_it(monkeypatch):
    everything = two_by_two.p_values

    def without_fisher(*counts):
        table = everything(*counts)
        return table[~table["key"].str.startswith("fisher")]

    monkeypatch.setattr(two_by_two, "p_values", without_fisher)
    # Few deaths, and nobody's follow-up or order can bring P up to Fisher's.
    found = false_alarms(likely_trials(Table(1, 6, 1, 6), 30), [0], 10, seed=10)
    shares = found.set_index("author")["share"]
    assert shares["Fisher exact"] > 0.02
    assert shares["Pearson chi-square"] == 0


# Planted errors


@pytest.mark.parametrize(
    ("p", "deaths", "expected"),
    [
        (0.0312, (4, 6, 1, 6), {
            "half the P-value": "0.016", "decimal point slipped": "0.31",
            "wrong side of the level": {">0.05", "not significantly different"},
            "wrong direction": "significantly lower",
        }),
        (0.5, (1, 6, 2, 6), {
            "half the P-value": "0.250", "decimal point slipped": "0.0500",
            "wrong side of the level": {"<0.05", "significantly lower"},
        }),
        (0.8, (2, 6, 2, 6), {
            "half the P-value": "0.400", "decimal point slipped": "0.0800",
            "wrong side of the level": "<0.05",
        }),
        (0.0013, (1, 6, 5, 6), {
            "half the P-value": "<0.001", "decimal point slipped": "0.01",
            "wrong side of the level": {">0.05", "not significantly different"},
            "wrong direction": "significantly higher",
        }),
        (0.0004, (1, 6, 5, 6), {
            "wrong side of the level": {">0.05", "not significantly different"},
            "wrong direction": "significantly higher",
        }),
    ],
)  # fmt: skip
def test_planted_errors_are_those_written_out_by_hand(p, deaths, expected):
    found = {}
    for _, error, text, weight in p_values._wrong_prints(
        Trial(Table(*deaths), 1.0), lambda *counts: p if counts == deaths else p + 0.1
    ):
        found.setdefault(error, Counter())[text] += weight
    # The outcome of any of the twelve patients.
    assert found.pop("one patient recoded") == pytest.approx({p_text(p + 0.1): 1.0})
    changed = found.pop("one digit changed", {})
    assert len(changed) == (27 if p > 0.001 else 0)
    for text in changed:
        assert sum(a != b for a, b in zip(text, p_text(p), strict=True)) == 1
    for error, texts in expected.items():
        assert set(found.pop(error)) == ({texts} if isinstance(texts, str) else texts)
    assert not found


def test_recoding_goes_through_every_patient():
    found = dict(p_values._one_patient_recoded(Table(1, 4, 3, 6)))
    expected = {
        Table(0, 4, 3, 6): 0.1, Table(2, 4, 3, 6): 0.3,
        Table(1, 4, 2, 6): 0.3, Table(1, 4, 4, 6): 0.3,
    }  # fmt: skip
    assert found == expected
    # Nobody, or everybody, would die: tests are not defined there.
    assert set(dict(p_values._one_patient_recoded(Table(1, 4, 0, 6)))) == {
        Table(2, 4, 0, 6), Table(1, 4, 1, 6)
    }  # fmt: skip


def test_what_becomes_of_planted_errors_adds_up():
    found = planted_errors(TRIALS)
    assert set(found["error"]) == {
        "half the P-value", "one patient recoded", "one digit changed", "decimal point slipped",
        "wrong side of the level", "wrong direction",
    }  # fmt: skip
    assert found[["test", "order", "caught"]].sum(axis=1).to_numpy() == pytest.approx(1)
    by_error = found.set_index(["kind", "error"])
    # No test and no order of deaths of these tables turns the direction round.
    assert by_error.loc[("wording", "wrong direction"), "caught"] == 1
    # With follow-up ending early, P may lie on either side of the level.
    assert by_error.loc[("P-value", "wrong side of the level"), "order"] > 0
    assert by_error.loc[("P-value", "one digit changed"), "test"] < 0.5


def test_planted_errors_are_weighed_by_trials_authors_and_ways_to_err():
    weights = Counter()
    for trial in TRIALS[:3]:
        for test in TESTS_ON_COUNTS.values():
            p = test(*trial.deaths)
            if math.isfinite(p) and p_text(p / 2) != p_text(p):
                weights[trial.explained_by(p_text(p / 2))] += trial.probability
    found = planted_errors(TRIALS[:3]).set_index("error").loc["half the P-value"]
    for outcome in ("test", "order", "caught"):
        assert found[outcome] == pytest.approx(weights[outcome] / weights.total())


def test_an_audit_that_takes_everything_catches_no_number(monkeypatch):
    monkeypatch.setattr(rounding, "reproduces", lambda value, reported: True)
    found = planted_errors(likely_trials(SMALL, 3)).set_index(["kind", "error"])
    assert found.loc[("P-value", "wrong side of the level"), "test"] == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: likely_trials(Table(7, 6, 1, 6), 3), "Arm a"),
        (lambda: likely_trials(SMALL, 0), "number must be a whole number"),
        (lambda: false_alarms(TRIALS[:1], [0], 0, seed=1), "n_datasets must be a whole number"),
        (lambda: false_alarms(TRIALS[:1], [-1], 5, seed=1), "losses must be a whole number"),
        (lambda: false_alarms(TRIALS[:1], [], 5, seed=1), "losses must hold at least one"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
