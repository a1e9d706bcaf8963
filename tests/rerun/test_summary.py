"""The page about many cohorts says what a direct computation gives, and nothing that is not so."""

import html
import itertools
import re
from dataclasses import replace

import cohorts
import numpy as np
import pytest
from lifelines.statistics import logrank_test
from scipy.stats import fisher_exact
from statsmodels.stats.proportion import confint_proportions_2indep

from rdmas.paper.cohort import load_cohort
from rdmas.rerun import summary
from rdmas.rerun.summary import page, pooled, row_of
from rdmas.stats.pooling import pool


@pytest.fixture
def rows(tmp_path):
    folders = itertools.count()

    def of(*names, **options):
        folder = tmp_path / str(next(folders))
        return [row_of(it, load_cohort(cohorts.write(it, folder), **options)) for it in names]

    return of


def words(text):
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", text).split()))


def test_a_row_holds_what_other_software_gives(rows):
    (row,) = rows("ordinary")
    assert (row.treated, row.controls) == ((7, 35), (8, 28))
    low, high = confint_proportions_2indep(7, 35, 8, 28, method="newcomb", compare="diff")
    assert (row.difference, row.low, row.high) == pytest.approx((7 / 35 - 8 / 28, low, high))
    assert row.p_fisher == pytest.approx(fisher_exact([[7, 28], [8, 20]]).pvalue)
    table = cohorts.table("ordinary")
    arms = [table[table["arm"] == arm] for arm in ("treatment", "control")]
    times = [arm["followup_time"].astype(float) for arm in arms]
    expected = logrank_test(*times, *[arm["died"] for arm in arms]).p_value
    assert row.p_logrank == pytest.approx(expected)


def test_pooling_is_our_own_of_each_arm(rows):
    found = rows("ordinary", "harm", "one_arm", "arms_12")
    assert pooled(found, "treated") == pool([7, 14, 4, 2], [35, 25, 23, 12])
    assert pooled(found, "controls") == pool([8, 3, 5], [28, 26, 12])
    text = words(page(found, [])["index.html"])
    share = f"{100 * pool([7, 14, 4, 2], [35, 25, 23, 12]).proportion:.0f}%"
    assert f"Pooled mortality of the treated patients: {share} (95% interval" in text
    assert "from 27 of 95 in 4 cohorts; in a new cohort between" in text


def test_what_cannot_be_said_is_said_in_words(rows):
    one = words(page(rows("one_arm"), [])["index.html"])
    assert "One cohort has treated patients whose deaths are shown" in one
    assert "No cohort has controls whose deaths are shown." in one
    assert "no such arm" in one
    found = rows("no_deaths", "day_zero")
    text = words(page(found, ["x", "y"])["index.html"])
    assert "in every cohort none of them died, or all of them" in text
    assert "2 cohorts are missing here, because no book could be made: x and y." in text
    assert [row.p_logrank for row in found] == [None, None]
    assert not re.search(r"\b(nan|None|inf)\b", text)
    two = words(page(rows("ordinary", "arms_12"), [])["index.html"])
    assert "from two cohorts nothing follows for a new one" in two
    assert "0% to 100%" not in two


def test_only_those_who_are_named_are_named(rows):
    unnamed = page(rows("ordinary", "arms_12"), [])["index.html"]
    assert "Drug" not in unnamed
    named = words(page(rows("ordinary", "emapalumab"), [])["index.html"])
    assert "Drug Disease" in named
    assert "not named" in named
    assert "mixture" not in named
    first, second = rows("emapalumab", "one_arm")
    mixed = words(page([first, second._replace(drug="anakinra")], [])["index.html"])
    assert "more than one drug" in mixed
    assert "more than one disease" not in mixed


def test_no_small_count_is_shown_pooled_or_drawn(rows):
    found = rows("ordinary", "harm", "arms_100", "one_patient", mask_below=5)
    assert [row.masked for row in found] == [False, True, False, True]
    files = page(found, [], mask_below=5)
    text = words(files["index.html"])
    assert "in those whose numbers are shown" in text
    assert "from 17 of 135 in 2 cohorts" in text
    assert "not shown, of 25" in text
    assert "harm" not in files["index.html"].partition("<h2>Forest plots</h2>")[2]
    assert found[3].treated.n is None


def test_names_are_only_text(rows):
    (row,) = rows("ordinary")
    odd = "<b>a & b</b> $x_1$ #1?%20"
    files = page([row._replace(cohort=odd, drug="<i>", disease="&amp;")] * 2, [odd], title=odd)
    text = files["index.html"]
    assert "<b>" not in text
    assert "<i>" not in text
    assert "&amp;amp;" in text
    assert 'href="%3Cb%3Ea%20%26%20b%3C%2Fb%3E%20%24x_1%24%20%231%3F%2520/index.html"' in text


def test_very_many_are_listed_and_pooled_and_not_drawn(rows):
    (row,) = rows("ordinary")
    many = [row._replace(cohort=f"centre {place}") for place in range(summary.MOST_DRAWN + 1)]
    files = page(many, [])
    assert list(files) == ["index.html"]
    assert "No forest plot" in files["index.html"]
    assert files["index.html"].count("<tr") == len(many) + 1


def test_the_page_is_the_same_every_time_and_asks_nobody_for_anything(rows):
    found = rows("ordinary", "harm", "one_arm")
    files = page(found, [])
    assert files == page(found, [])
    assert set(files) == {"index.html", "mortality.svg", "differences.svg"}
    text = files["index.html"]
    assert '<html lang="en">' in text
    assert not re.search(r"(src|href)=\"(https?:)?//", text)
    assert "<script" not in text
    for picture in re.findall(r"<img [^>]+>", text):
        assert re.search(r'src="\w+\.svg" alt="[^"]{20,}"', picture)


def test_orders_of_events_have_no_logrank_p(rows):
    assert row_of("paper", load_cohort()).p_logrank is None
    cohort = load_cohort()
    assert not replace(cohort).is_register
    assert np.isfinite(row_of("paper", cohort).p_fisher)
