"""Survival, P-values and sturdiness of a reader's cohort, against direct computations.

The numbers of the pages are computed anew from the tables of `cohorts` with lifelines, scipy and
brute force. Groups 37 to 45: odd and valid cohorts, and what a page says of them.
"""

import ast
import re
from dataclasses import replace

import cohorts
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from conftest import REPOSITORY
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.statistics import logrank_test
from scipy.stats import fisher_exact

from rdmas.paper.cohort import load_cohort
from rdmas.show import figures
from rdmas.show.cohort import p_value, sturdiness, survival
from rdmas.stats import two_by_two

LEVEL = 0.95


@pytest.fixture(scope="module")
def cohort_of(tmp_path_factory):
    """Return each cohort, written and read once."""
    folder, read = tmp_path_factory.mktemp("registers"), {}

    def cohort(name, mask_below=0):
        if name not in read:
            read[name] = load_cohort(cohorts.write(name, folder))
        return replace(read[name], mask_below=mask_below)

    return cohort


def cells(table):
    """Return the rows of a table as text, headings first; none where there is no table."""
    if table is None:
        return []
    soup = BeautifulSoup(table.data, "html.parser")
    return [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in soup.find_all("tr")]


def records(name):
    """Return times, deaths and treatment from the table itself."""
    table = cohorts.table(name)
    treated = (table["arm"] == table["arm"].iloc[0]).to_numpy()
    return table["followup_time"].to_numpy(float), table["died"].to_numpy(), treated


def log_rank(time, died, treated):
    left, right = treated, ~treated
    return logrank_test(time[left], time[right], died[left], died[right]).p_value


def said(chapter, cohort):
    """Return all that a chapter says of a cohort, tables as text."""
    if chapter == "survival":
        parts = [
            *(survival.answer(cohort, LEVEL), survival.say_counts(cohort, LEVEL)),
            *(survival.say_curves(cohort, LEVEL, only) for only in (False, True)),
            *(survival.say_days(cohort, LEVEL), survival.say_mean(cohort, LEVEL)),
            *(survival.say_medians(cohort, LEVEL, only) for only in (False, True)),
            *(survival.say_hazard_ratio(cohort, LEVEL), survival.say_effects(cohort, LEVEL)),
        ]
        shown = (survival.count_table, survival.day_table, survival.effect_table)
        tables = [table(cohort, LEVEL) for table in shown]
    elif chapter == "p_value":
        tests = p_value.tests(cohort)
        parts = [
            *(p_value.answer(cohort, tests), p_value.say_times(cohort, tests)),
            *(p_value.say_counts(cohort, tests), p_value.say_verdict(cohort, tests)),
        ]
        tables = [p_value.time_table(tests), p_value.count_table(tests)]
    else:
        tests = sturdiness.fragile(cohort)
        parts = [
            *(sturdiness.answer(cohort, tests, LEVEL), sturdiness.say_fragility(cohort, tests)),
            *(sturdiness.say_hidden_trait(cohort, LEVEL), sturdiness.say_landmarks(cohort)),
            sturdiness.say_wrong_outcomes(cohort, tests),
            sturdiness.say_early_deaths(cohort, tests),
        ]
        tables = [sturdiness.fragility_table(cohort, tests), sturdiness.landmark_table(cohort)]
    rows = [" | ".join(row) for table in tables for row in cells(table)]
    return "\n".join([*parts, *rows])


# Sentences ----------------------------------------------------------------------------------------

NEVER = re.compile(
    r"(?i:abstract|printed|reconstruct|unseen|historical)|\bnan\b|\bNone\b|<NA>|\binf\b"
    r"|−1 to 0|100% to 100%|between 0\.00 and ∞|0\.00 to ∞"
    r"|(?<![.,\d])1 (deaths|patients|days)\b|\(\)|  "
)


@pytest.mark.parametrize("chapter", ["survival", "p_value", "sturdiness"])
@pytest.mark.parametrize("mask_below", [0, 5])
@pytest.mark.parametrize("name", cohorts.NAMES)
def test_nothing_is_said_that_cannot_be_true(name, mask_below, chapter, cohort_of):
    cohort = cohort_of(name, mask_below)
    text = said(chapter, cohort)
    assert not NEVER.search(text), NEVER.search(text)
    assert text.startswith("**The answer.** ")
    if not cohort.shows("died"):
        assert "below 5, the smallest number of patients" in text
        assert not re.search(r"\d+ of \d+", text)
    elif cohort.control_arm is None:
        assert "There is no second arm to compare with." in text
        assert not re.search(r"ratio|P = |significant", text)
    if not cohort.has_times:
        assert not re.search(r"hazard ratio of death,|By the log-rank test|stays above", text)


@pytest.mark.parametrize("name", ["no_deaths", "day_zero", "one_patient", "all_dead", "no_times"])
def test_what_is_not_defined_is_said_in_words(name, cohort_of):
    text = said("survival", cohort_of(name))
    expected = {
        "no_deaths": ("Nobody died, so that there is no hazard ratio.",),
        "day_zero": (
            "Nobody was followed beyond day 0",
            "Nobody was followed to day 28, 56, 180 or 365",
        ),
        "one_patient": ("**0 of 1** patient (0%) died", "There is no second arm"),
        "all_dead": ("Everybody there died",),
        "no_times": (
            "holds no follow-up times",
            "no survival curve can be drawn",
            "A hazard ratio needs follow-up times",
        ),
    }
    for sentence in expected[name]:
        assert sentence in text


# Survival -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ordinary", "ties", "fractional_days", "harm", "arms_500"])
def test_survival_at_stated_days_is_that_of_lifelines(name, cohort_of):
    time, died, treated = records(name)
    rows = cells(survival.day_table(cohort_of(name), LEVEL))[1:]
    assert len(rows) == 2 * len(survival.DAYS)
    for arm, day, shown, _, deaths, at_risk in rows:
        mine = treated if arm == "treatment" else ~treated
        fitted = KaplanMeierFitter().fit(time[mine], died[mine])
        assert shown == f"{100 * fitted.predict(int(day)):.0f}%"
        assert int(deaths) == died[mine & (time <= int(day))].sum()
        assert int(at_risk) == (time[mine] >= int(day)).sum()


@pytest.mark.parametrize("name", ["ordinary", "harm", "arms_500", "no_survivor_in_control"])
def test_the_hazard_ratio_is_that_of_lifelines(name, cohort_of):
    time, died, treated = records(name)
    frame = pd.DataFrame({"time": time, "died": died, "treated": treated.astype(int)})
    fitted = CoxPHFitter().fit(frame, "time", "died")
    text = survival.say_hazard_ratio(cohort_of(name), LEVEL)
    found = float(re.search(r"is ([\d.]+) \(95%", text)[1])
    assert found == pytest.approx(np.exp(fitted.params_["treated"]), abs=0.006)
    low, high = map(float, re.search(r"interval ([\d.]+) to ([\d.]+);", text).groups())
    assert low < found < high
    assert ("does not lie in it" in text) == (not low <= 1 <= high)


def test_the_mean_survival_time_is_the_area_under_the_curve(cohort_of):
    time, died, treated = records("harm")
    text = survival.say_mean(cohort_of("harm"), LEVEL)
    day, *means = map(
        float, re.search(r"day (\d+) .* is ([\d.]+) days .* and ([\d.]+) in", text).groups()
    )
    for mean, mine in zip(means, (treated, ~treated), strict=True):
        curve = KaplanMeierFitter().fit(time[mine], died[mine])
        grid = np.arange(0, day, 0.25)
        assert mean == pytest.approx(curve.predict(grid).to_numpy().mean() * day, rel=0.01)
    assert re.search(r"shorter \(95% interval [\d.]+ to [\d.]+ days shorter\)", text)


def test_medians_are_those_of_the_curves(cohort_of):
    text = survival.say_medians(cohort_of("harm"), LEVEL, False)
    time, died, treated = records("harm")
    fitted = KaplanMeierFitter().fit(time[treated], died[treated])
    assert f"in arm “treatment” is {fitted.median_survival_time_:.0f} days" in text
    reverse = KaplanMeierFitter().fit(time[treated], 1 - died[treated])
    assert f"is {reverse.median_survival_time_:.0f} days" in text
    assert "curve of arm “control” stays above one half" in text


@pytest.mark.parametrize("name", ["one_arm", "ordinary", "day_zero", "no_times", "arms_2000"])
def test_a_summary_takes_the_place_of_the_curve(name, cohort_of):
    """Issue point 10: with aggregate-only no curve is drawn, and the page says so."""
    cohort = cohort_of(name)
    assert not survival.may_draw(cohort, True)
    assert survival.may_draw(cohort, False) == (name not in ("day_zero", "no_times"))
    if survival.may_draw(cohort, False):
        assert "only summaries are to be shown" in survival.say_curves(cohort, LEVEL, True)
        ax = figures.plot_kaplan_meier(*survival.curves(cohort, LEVEL), cohort.arms, "Days")
        ax.figure.canvas.draw()
        plt.close("all")


def test_few_patients_have_no_median_where_only_summaries_are_shown(cohort_of):
    shown, summary = (survival.say_medians(cohort_of("one_patient"), LEVEL, x) for x in (0, 1))
    assert "397 days" in shown and not re.search(r"\d+ days", summary)


@pytest.mark.parametrize("name", ["ordinary", "arms_100", "harm", "arms_500"])
def test_masked_rows_give_no_small_number_away(name, cohort_of):
    """Neither a cell, nor its rest to all, nor its difference from the row before, is below 5."""
    cohort = cohort_of(name, mask_below=5)
    if not cohort.shows("died"):
        assert cells(survival.day_table(cohort, LEVEL)) == []
        return
    for arm in cohort.arms:
        events, n = cohort.count(arm, "died", "1")
        deaths, at_risk = [0, events], [n]
        for row in cells(survival.day_table(cohort, LEVEL))[1:]:
            if row[0] == arm and row[2] != "not shown":
                deaths.insert(-1, int(row[4].replace(",", "")))
                at_risk.append(int(row[5].replace(",", "")))
        for number in (*deaths, *at_risk, *np.diff(deaths), *np.diff(at_risk)):
            assert number == 0 or abs(number) >= 5
    _, numbers = survival.curves(cohort, LEVEL)
    assert all(
        text == "<5" or int(text.replace(",", "")) in {0, *range(5, 501)}
        for text in numbers["at_risk"]
    )


# P-values -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ordinary", "ties", "fractional_days", "harm", "emapalumab"])
def test_the_log_rank_test_is_that_of_lifelines(name, cohort_of):
    cohort, p = cohort_of(name), log_rank(*records(name))
    tests = p_value.tests(cohort)
    assert tests["p_value"].iloc[0] == pytest.approx(p, rel=1e-6)
    answer = p_value.answer(cohort, tests)
    assert ("P < 0.001" if p < 0.0005 else f"P = {p:.3f}") in answer
    assert ("not significantly different" in answer) == (p >= 0.05)


def test_the_direction_of_a_difference_is_that_of_the_table(cohort_of):
    for name, way in (("harm", "significantly lower than"), ("arms_200", "significantly higher")):
        cohort = cohort_of(name)
        assert f"“treatment” is {way}" in p_value.answer(cohort, p_value.tests(cohort))


@pytest.mark.parametrize("name", ["ordinary", "arms_300", "arms_12", "one_against_one", "all_dead"])
def test_tests_on_the_counts_are_counted(name, cohort_of):
    cohort = cohort_of(name)
    tests = p_value.tests(cohort)
    deaths = cohort.deaths()
    counted = [
        two_by_two.p_value(*deaths, test=key)
        for key in tests.loc[tests["left_out"] == "", "key"]
        if key in two_by_two.TESTS
    ]
    counted = [p for p in counted if not np.isnan(p)]
    below = sum(p < 0.05 for p in counted)
    text = p_value.say_verdict(cohort, tests)
    if below == len(counted):
        assert f"All {below} tests of the four counts" in text
    elif not below:
        assert f"Not one of the {len(counted)} tests" in text
    else:
        assert f"Of the {len(counted)} tests of the four counts alone, {below} give" in text
    assert ("depends on" in text) == (0 < below < len(counted))


def test_what_is_left_out_for_size_is_named(cohort_of):
    """Group 41 and issue point 9: no unconditional test of thousands of patients."""
    cohort = cohort_of("arms_2000")
    tests = p_value.tests(cohort)
    text = p_value.say_counts(cohort, tests)
    assert re.search(r"Left out, with more than \d+ patients: Barnard, unpooled; ", text)
    assert tests.loc[tests["key"].str.contains("barnard|boschloo"), "p_value"].isna().all()
    assert "Left out" not in p_value.say_counts(cohort, p_value.tests(cohort_of("arms_12")))


def test_another_answer_of_the_log_rank_test_is_said(cohort_of):
    """Deaths of one arm early, of the other late: counts are alike, times are not."""
    cohort = cohort_of("all_dead")
    treated = cohort.patients["arm"] == "treatment"
    times = np.where(treated, np.arange(len(treated)) + 500.0, np.arange(len(treated)) + 1.0)
    late = replace(cohort, patients=cohort.patients.assign(followup_time=times))
    text = p_value.say_verdict(late, p_value.tests(late))
    assert "gives another answer: its P is below 0.05" in text
    assert "gives another answer (P < 0.001)" in sturdiness.say_fragility(
        late, sturdiness.fragile(late)
    )


def test_survivors_with_short_follow_up_are_counted(cohort_of):
    time, died, _ = records("ordinary")
    short = (time[died == 0] < time[died == 1].max()).sum()
    cohort = cohort_of("ordinary")
    text = p_value.say_times(cohort, p_value.tests(cohort))
    assert f"Of the {(died == 0).sum()} survivors, {short} were followed" in text


# Sturdiness ---------------------------------------------------------------------------------------


def fisher(a, n_a, b, n_b):
    return fisher_exact([[a, n_a - a], [b, n_b - b]])[1]


@pytest.mark.parametrize("name", ["no_deaths_treated", "harm", "arms_100", "arms_300"])
def test_fragility_is_that_of_brute_force(name, cohort_of):
    cohort = cohort_of(name)
    a, n_a, b, n_b = cohort.deaths()
    step = 1 if a * n_b < b * n_a else -1
    found = sturdiness.fragile(cohort).set_index("key").loc["fisher"]
    treated = next(k for k in range(n_a) if fisher(a + step * k, n_a, b, n_b) >= 0.05)
    control = next(k for k in range(n_b) if fisher(a, n_a, b - step * k, n_b) >= 0.05)
    assert (found["treated"], found["control"]) == (treated, control)
    row = next(
        row
        for row in cells(sturdiness.fragility_table(cohort, sturdiness.fragile(cohort)))
        if row[0] == "Fisher exact, minimum-likelihood"
    )
    assert row[2:] == [str(treated), str(control)]
    fewest = min(
        i + j
        for i in range(treated + 1)
        for j in range(control + 1)
        if fisher(a + step * i, n_a, b - step * j, n_b) >= 0.05
    )
    text = sturdiness.say_wrong_outcomes(cohort, sturdiness.fragile(cohort))
    assert f"Under Fisher's exact test, {fewest} wrong outcome" in text


def test_the_directions_follow_the_arms(cohort_of):
    for name, first, second in (("harm", "Fewer", "More"), ("arms_100", "More", "Fewer")):
        cohort = cohort_of(name)
        tests = sturdiness.fragile(cohort)
        head = cells(sturdiness.fragility_table(cohort, tests))[0]
        assert head[2:] == [f"{first} deaths in treatment", f"{second} deaths in control"]
        assert f"{first.lower()} deaths in arm “treatment” or" in sturdiness.answer(
            cohort, tests, LEVEL
        )


def test_the_e_value_is_that_of_the_risk_ratio(cohort_of):
    a, n_a, b, n_b = cohort_of("harm").deaths()
    ratio = a / n_a / (b / n_b)
    e_value = ratio + np.sqrt(ratio * (ratio - 1))
    text = sturdiness.say_hidden_trait(cohort_of("harm"), LEVEL)
    assert f"is {ratio:.2f} (95% Koopman interval" in text
    assert f"at least {e_value:.2f} times as common" in text


def test_early_deaths_are_those_of_brute_force(cohort_of):
    cohort = cohort_of("arms_100")
    a, n_a, b, n_b = cohort.deaths()
    tests = sturdiness.fragile(cohort)
    only = tests[tests["key"] == "fisher"]
    removed = next(k for k in range(b) if fisher(a, n_a, b - k, n_b - k) >= 0.05)
    assert f"Without {removed} of its {b} deaths, P would be" in sturdiness.say_early_deaths(
        cohort, only
    )
    assert "is not higher than" in sturdiness.say_early_deaths(cohort_of("harm"), tests)


@pytest.mark.parametrize("name", ["ordinary", "arms_500", "harm"])
def test_later_comparisons_leave_out_who_was_gone(name, cohort_of):
    time, died, treated = records(name)
    all_ = log_rank(time, died, treated) < 0.05
    changed = []
    for row in cells(sturdiness.landmark_table(cohort_of(name)))[1:]:
        left = time > int(row[0])
        assert [int(number) for number in row[1:5]] == [
            (left & treated).sum(),
            died[left & treated].sum(),
            (left & ~treated).sum(),
            died[left & ~treated].sum(),
        ]
        p = log_rank(time[left], died[left], treated[left])
        assert row[5] == ("<0.0001" if p < 0.00005 else f"{p:.4f}")
        changed += [row[0]] if (p < 0.05) != all_ else []
    text = sturdiness.say_landmarks(cohort_of(name))
    assert ("stays so after each of these days" in text) == (not changed)
    if changed:
        assert f"is not so after day {' or '.join(changed)}." in text


def test_the_grid_of_wrong_outcomes_is_small_whatever_the_arms(cohort_of):
    cohort = cohort_of("arms_2000")
    grid = sturdiness.wrong_outcomes(cohort, sturdiness.fragile(cohort))
    assert len(grid) == 25 and grid["wrong_a"].max() == 4
    assert sturdiness.wrong_outcomes(
        cohort_of("ordinary"), sturdiness.fragile(cohort_of("ordinary"))
    ).empty


# The notebooks ------------------------------------------------------------------------------------


@pytest.mark.parametrize("chapter", ["survival", "p_value", "sturdiness"])
def test_every_sentence_of_a_module_has_its_place_in_the_chapter(chapter):
    notebook = nbformat.read(REPOSITORY / "book" / "cohort" / f"{chapter}.ipynb", as_version=4)
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    module = {"survival": survival, "p_value": p_value, "sturdiness": sturdiness}[chapter]
    tree = ast.parse((REPOSITORY / "src/rdmas/show/cohort" / f"{chapter}.py").read_text("utf-8"))
    public = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    ]
    inner = {"say_log_rank"}  # part of say_times and of the answer
    for name in public:
        assert hasattr(module, name)
        assert f"page.{name}(" in code or name in inner, name


# Anything valid -----------------------------------------------------------------------------------


@st.composite
def patients(draw):
    """Arms, times and deaths of any small cohort; times with ties, of day 0, or none at all."""
    sizes = draw(st.tuples(st.integers(1, 9), st.integers(0, 9)))
    arm = ["treatment"] * sizes[0] + ["control"] * sizes[1]
    n = len(arm)
    time = st.lists(st.sampled_from([0, 1, 3, 7.5, 20, 28, 60, 400, 3000]), min_size=n, max_size=n)
    return pd.DataFrame(
        {
            "arm": arm,
            "followup_time": draw(st.one_of(time, st.just([np.nan] * n))),
            "died": draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)),
        }
    )


@given(patients(), st.sampled_from([0, 3, 5]))
@settings(max_examples=40)
@pytest.mark.filterwarnings("error")
def test_anything_valid_is_described(cohort_of, drawn, mask_below):
    cohort = cohort_of("ordinary", mask_below)
    columns = cohort.patients.iloc[: len(drawn)].reset_index(drop=True)
    control = "control" if "control" in set(drawn["arm"]) else None
    arms = {"treatmentArm": "treatment", "controlArm": control}
    odd = replace(
        cohort,
        patients=columns.assign(**drawn.astype({"followup_time": float, "died": "Int64"})),
        descriptor=cohort.descriptor | {"companion": cohort.descriptor["companion"] | arms},
    )
    for chapter in ("survival", "p_value", "sturdiness"):
        text = said(chapter, odd)
        assert not NEVER.search(text), NEVER.search(text)
    if survival.may_draw(odd, False):
        survival.curves(odd, LEVEL)
