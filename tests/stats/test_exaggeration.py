"""Tests of rdmas.stats.exaggeration.

Oracles: a simulation that shares no code with the module (the N−1 chi-square written out), and
small cases counted by hand.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdmas.stats.exaggeration import exaggeration


@pytest.mark.parametrize("difference", [-0.05, -0.1, -0.2])
def test_it_agrees_with_a_million_drawn_pairs_of_arms(difference):
    n_a, n_b, draws = 20, 21, 1_000_000
    generator = np.random.default_rng(20260101)
    a = generator.binomial(n_a, 8 / 21 + difference, draws)
    b = generator.binomial(n_b, 8 / 21, draws)
    n, events = n_a + n_b, a + b
    with np.errstate(invalid="ignore", divide="ignore"):
        chi2 = (n - 1) * (a * n_b - b * n_a) ** 2 / (n_a * n_b * events * (n - events))
    found = chi2 > 3.841458820694124  # R: qchisq(0.95, 1)
    observed = (a / n_a - b / n_b)[found]
    row = exaggeration(n_a, n_b, 8 / 21, [difference]).iloc[0]
    error = 4 * np.sqrt(row["power"] * (1 - row["power"]) / draws)
    assert row["power"] == pytest.approx(found.mean(), abs=error)
    spread = np.abs(observed).std() / abs(difference) / np.sqrt(found.sum())
    assert row["exaggeration"] == pytest.approx(
        np.abs(observed).mean() / abs(difference), abs=4 * spread
    )
    wrong = (observed * difference < 0).mean()
    assert row["wrong_sign"] == pytest.approx(wrong, abs=4 * np.sqrt(0.25 / found.sum()))


def test_two_arms_of_four_by_hand():
    # Only 0/4 against 4/4 and its mirror image have P below 0.05: N−1 chi-square 7.
    # 3/4 against 0/4 has 0.6 * 7 = 4.2, P = 0.0404, and so is significant too, as are its kin.
    # With a = 1/2 and b = 1/4 true: sum over the eight significant tables of
    # C(4, a) C(4, b) (1/2)^4 (1/4)^b (3/4)^(4 - b), signs kept apart.
    def mass(a, b):
        ways = {0: 1, 1: 4, 2: 6, 3: 4, 4: 1}
        return ways[a] * ways[b] * 0.5**4 * 0.25**b * 0.75 ** (4 - b)

    right = {(3, 0): 0.75, (4, 0): 1.0, (4, 1): 0.75}
    wrong = {(0, 3): 0.75, (0, 4): 1.0, (1, 4): 0.75}
    power = sum(mass(*table) for table in right | wrong)
    mean = sum(mass(*table) * size for table, size in (right | wrong).items()) / power
    row = exaggeration(4, 4, 0.25, [0.25]).iloc[0]
    assert row["power"] == pytest.approx(power)
    assert row["exaggeration"] == pytest.approx(mean / 0.25)
    assert row["wrong_sign"] == pytest.approx(sum(mass(*table) for table in wrong) / power)


@given(st.integers(2, 15), st.integers(2, 15), st.floats(0.05, 0.45), st.floats(0.05, 0.5))
def test_counting_survivors_instead_of_deaths_changes_only_the_sign(n_a, n_b, proportion, more):
    deaths = exaggeration(n_a, n_b, proportion, [more])
    survivors = exaggeration(n_a, n_b, 1 - proportion, [-more])
    columns = ["power", "exaggeration", "wrong_sign"]
    for column in columns:
        assert deaths[column].item() == pytest.approx(
            survivors[column].item(), rel=1e-9, abs=1e-12, nan_ok=True
        )


def test_with_certainty_of_a_significant_result_nothing_is_overstated():
    row = exaggeration(60, 60, 0.0, [1.0]).iloc[0]
    assert row.tolist() == [1.0, 1.0, 1.0, 0.0]


def test_without_power_there_is_nothing_to_overstate():
    row = exaggeration(1, 1, 0.5, [0.1]).iloc[0]
    assert row["power"] == 0
    assert np.isnan(row["exaggeration"])
    assert np.isnan(row["wrong_sign"])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((0, 5, 0.4, [0.1]), "n_a must be a whole number of at least 1"),
        ((5, 5, 1.4, [0.1]), "proportion_b must be a number"),
        ((5, 5, 0.4, [0.7]), "proportion_b plus a difference"),
        ((5, 5, 0.4, [0]), "must not be 0"),
        ((5, 5, 0.4, []), "differences must hold"),
        ((5, 5, 0.4, [0.1], "nosuch"), "test must be one of"),
        ((5, 5, 0.4, [0.1], "fisher", 5), "alpha must be"),
    ],
)
def test_impossible_arguments_are_refused_in_a_sentence(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        exaggeration(*arguments)
