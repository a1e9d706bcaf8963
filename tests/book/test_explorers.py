"""Explorers in a real browser, against what Python computes: opened from files, as a reader may."""

import gzip
import os
import re
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from rdmas.paper.cohort import load_cohort
from rdmas.show import explorers, prose
from rdmas.show.pages import context as page_of_context
from rdmas.site.explorers import LIBRARY_FILE
from rdmas.stats import (
    controls,
    fragility,
    logrank,
    no_effect,
    pooling,
    priors,
    proportion,
    rounding,
    two_by_two,
)

COHORT = load_cohort()
DEATHS = COHORT.deaths()
ALPHA = 0.05
REPORTED = COHORT.claims.set_index("id").loc["survival_p_value", "reported"]

#: The page of each explorer, and its controls.
PAGES = {
    "orders": ("p_value", ["order"]),
    "unseen": ("p_value", ["lost", "end"]),
    "landscape": ("sturdiness", ["test", "a", "b"]),
    "controls": ("sturdiness", ["rate", "weight"]),
    "spread": ("context", ["spread"]),
}
each = pytest.mark.parametrize("name", PAGES)


@pytest.fixture(scope="module")
def folder(request):
    """The built site; RDMAS_SITE names another while a page is being worked on."""
    named = os.environ.get("RDMAS_SITE")
    return Path(named) if named else request.getfixturevalue("site")


@pytest.fixture
def opened(browser, folder):
    """Open the page of an explorer from its file, and fail where it complained."""
    contexts, troubles = [], []

    def open_page(name, **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: troubles.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("requestfailed", lambda request: troubles.append(f"failed: {request.url}"))
        page.goto((folder / "book" / f"{PAGES[name][0]}.html").as_uri())
        figure = page.locator(f"#explorer-{name}")
        figure.scroll_into_view_if_needed()
        if options.get("java_script_enabled", True):
            page.wait_for_selector(f"#explorer-{name}[data-drawn=live]", timeout=60_000)
        return page, figure

    yield open_page
    for context in contexts:
        context.close()
    assert troubles == []


def control(figure, name):
    return figure.locator(f"[data-control={name}]")


def step(control, number):
    """Go to a position by the keyboard alone."""
    control.press("Home")
    for _ in range(number):
        control.press("ArrowRight")


def said(figure):
    return figure.locator(".says").inner_text()


def marks(figure, chart, selector):
    """Where marks stand, as shares of the plot's width and height from its upper left."""
    return (
        figure.locator(".chart")
        .nth(chart)
        .evaluate(
            """async (chart, selector) => {
          await new Promise((done) => setTimeout(done, 60));
          const plot = chart.querySelector("path.background").getBBox();
          return [...chart.querySelectorAll(selector)].map((mark) => {
            const [x, y] = mark.getAttribute("transform").match(/-?[\\d.]+/g).map(Number);
            return [x / plot.width, y / plot.height];
          });
        }""",
            selector,
        )
    )


def test_every_order_shows_what_python_computes(opened):
    _, figure = opened("orders")
    orders = logrank.orderings(*DEATHS)
    n_deaths = DEATHS.events_a + DEATHS.events_b
    for number, (places, p_value) in enumerate(
        zip(orders["places_a"], orders["p_value"], strict=True)
    ):
        step(control(figure, "order"), number)
        sentence = said(figure)
        assert f"P = {prose.p_value(p_value, 5)}" in sentence
        assert ("as the published" in sentence) == rounding.reproduces(p_value, REPORTED)
        [(x, y)] = marks(figure, 0, 'path[fill="#0072B2"]:not([d*="H"]):not([stroke])')
        assert x == pytest.approx(int(places) / (n_deaths + 1), abs=1e-3)
        assert 1 - y == pytest.approx(1 - 1 / DEATHS.n_a, abs=1e-3)


def test_unseen_followup_shows_what_python_computes(opened):
    _, figure = opened("unseen")
    for lost in range(20):
        step(control(figure, "lost"), lost)
        found = logrank.p_range(*DEATHS, lost=lost, ties=True)
        sentence = said(figure)
        assert f"log-rank P from {prose.p_value(found.low, 5)}" in sentence
        if found.high_is_bound:
            assert "without an upper limit" in sentence
        else:
            assert f" to {prose.p_value(found.high, 5)};" in sentence
        assert ("; always below 0.05" in sentence) == (found.high < ALPHA)
        for end, data in (("0", found.high_data), ("1", found.low_data)):
            control(figure, "end").select_option(end)
            p_value = logrank.logrank_p(data["time"], data["died"], data["arm"] == "a")
            shown = re.search(r"with P (?:= )?([<\d.]+);", said(figure))[1]
            assert shown == prose.p_value(p_value, 5)
        upper, lower = sorted(marks(figure, 0, "g.mark-symbol path"), key=lambda place: place[1])
        assert upper[0] == pytest.approx(lost / 20, abs=1e-3)
        assert 5 * (1 - upper[1]) - 5 == pytest.approx(np.log10(found.high), abs=0.02)
        assert 5 * (1 - lower[1]) - 5 == pytest.approx(np.log10(max(found.low, 1e-5)), abs=0.02)


def test_the_landscape_shows_what_python_computes(opened):
    _, figure = opened("landscape")
    tests = control(figure, "test").locator("option").all_inner_texts()
    keys = {test.name: key for key, test in two_by_two.TESTS.items()}
    by_test = fragility.fragility_by_test(*DEATHS).set_index("key")
    for place, name in enumerate([*tests, *tests[:4]]):
        a, b = (place * 7) % (DEATHS.n_a + 1), (place * 5 + 3) % (DEATHS.n_b + 1)
        control(figure, "test").select_option(label=name)
        step(control(figure, "a"), a)
        step(control(figure, "b"), b)
        key, sentence = keys[name], said(figure)
        p_value = two_by_two.p_value(a, DEATHS.n_a, b, DEATHS.n_b, test=key)
        shown = re.search(r"P (?:= )?([<\d.]+|not defined), ", sentence)[1]
        assert sentence.startswith(f"Deaths {a} of 20 and {b} of 21: ")
        assert shown == prose.p_value(p_value, 5)
        assert ("prints as" in sentence) == rounding.reproduces(p_value, REPORTED)
        assert (", below 0.05" in sentence) == (p_value < ALPHA)
        assert f"{by_test.loc[key, 'index']} outcome" in sentence
        every = fragility.significance_map(DEATHS.n_a, DEATHS.n_b, tests=[key])
        assert marks_coloured(figure, "#DDDDDD") == (~every["significant"]).sum()
        ring = marks(figure, 0, "g.mark-symbol.role-mark path")[-1]
        assert ring == pytest.approx([(a + 0.5) / 21, 1 - (b + 0.5) / 22], abs=2e-3)


def marks_coloured(figure, colour):
    figure.page.wait_for_timeout(60)
    return figure.locator(f'.chart g.mark-rect.role-mark path[fill="{colour}"]').count()


def test_a_tapped_square_is_chosen(opened):
    page, figure = opened("landscape", has_touch=True)
    squares = figure.locator(".chart g.mark-rect.role-mark path")
    squares.nth(3 * 22 + 10).scroll_into_view_if_needed()
    page.wait_for_timeout(800)  # pages scroll smoothly
    box = squares.nth(3 * 22 + 10).bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert said(figure).startswith("Deaths 3 of 20 and 10 of 21: ")


def test_supposed_controls_show_what_python_computes(opened):
    _, figure = opened("controls")
    treated = (DEATHS.events_a, DEATHS.n_a)
    low, high = proportion.interval(*treated, "clopper-pearson")
    survived = DEATHS.complement()
    for place in range(0, 101, 5):
        rate, weight = place / 100, place // 2 / 50
        step(control(figure, "rate"), place)
        step(control(figure, "weight"), place // 2)
        points = [prose.decimal(100 * (rate - end), 0) for end in (0.05, high, low)]
        p_values = controls.known_control_rate(*treated, [rate])["p_value"]
        sentence = said(figure)
        assert f"If {place}% die" in sentence
        assert "difference is {} ({} to {}) points".format(*points) in sentence
        assert f"P = {prose.span(p_values, 3)}, " in sentence
        assert (", below 0.05" in sentence) == (p_values.max() < ALPHA)
        [curve] = priors.power_prior_curve(*survived, [weight]).to_dict("records")
        points = [prose.decimal(100 * curve[key], 0) for key in ("median", "low", "high")]
        assert "it is {} ({} to {}) points".format(*points) in sentence
        assert marks(figure, 0, "g.mark-symbol path")[0][0] == pytest.approx(rate, abs=2e-3)
        assert marks(figure, 1, "g.mark-symbol path")[0][0] == pytest.approx(weight, abs=2e-3)


def test_the_spread_shows_what_python_computes(opened):
    _, figure = opened("spread")
    evidence = page_of_context.main_analysis(COHORT.evidence, ("yao2019_death", "renji2018"))
    mu = pooling.pool(evidence["events"], evidence["n"]).logit
    taus = np.linspace(0, 1.6, 65)
    for place in range(0, 65, 3):
        step(control(figure, "spread"), place)
        [share] = no_effect.by_spread(*DEATHS, mu, [taus[place]]).to_dict("records")
        shown = re.findall(r"[\d.]+%", said(figure))[-3:]
        names = ("below", "below_this_way", "as_wide")
        assert shown == [prose.percent(share[name], 1) for name in names]
        dots = marks(figure, 0, "g.mark-symbol.role-mark path")
        heights = sorted((1 - y for _, y in dots), reverse=True)
        top = 0.5
        assert heights == pytest.approx([share[name] / top for name in names], abs=5e-3)
        assert dots[0][0] == pytest.approx(taus[place] / 1.6, abs=2e-3)


@each
def test_mouse_and_touch_reach_both_ends(opened, name):
    for touch in (False, True):
        page, figure = opened(name, has_touch=touch)
        slider = figure.locator("input[type=range]").first
        slider.scroll_into_view_if_needed()
        last = int(slider.get_attribute("max"))
        box = slider.bounding_box()
        for share, position in ((0.995, last), (0.005, 0)):
            place = (box["x"] + share * box["width"], box["y"] + box["height"] / 2)
            (page.touchscreen.tap if touch else page.mouse.click)(*place)
            assert int(slider.input_value()) == position
            assert (
                slider.get_attribute("aria-valuetext")
                == figure.locator("output").first.inner_text()
            )


@each
def test_controls_are_named_and_the_state_is_announced(opened, name):
    _, figure = opened(name)
    for key in PAGES[name][1]:
        identity = control(figure, key).get_attribute("id")
        assert figure.locator(f'label[for="{identity}"]').inner_text()
    assert figure.locator(".says").get_attribute("aria-live") == "polite"
    for chart in figure.locator(".chart").all():
        assert len(chart.get_attribute("aria-label")) > 20


@each
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_in_an_explorer_is_out_of_reach(opened, name, scheme):
    page, _ = opened(name, color_scheme=scheme)
    # It would ask for style sheets again, which a page opened from a file may not.
    ran = Axe().run(page, context=f"#explorer-{name}", options={"preload": False})
    found = ran.response["violations"]
    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found] == []


@each
@pytest.mark.parametrize("width", [1280, 390, 320])
def test_an_explorer_fits_and_its_letters_can_be_read(opened, name, width):
    _, figure = opened(name, viewport={"width": width, "height": 900})
    figure.page.wait_for_timeout(200)
    assert figure.evaluate("document.documentElement.scrollWidth") <= width
    sizes = figure.evaluate(
        """figure => [...figure.querySelectorAll("svg text")].map(
          (text) => parseFloat(getComputedStyle(text).fontSize))"""
    )
    assert min(sizes) >= 11


@each
def test_without_scripts_the_start_stands_there(opened, name):
    _, figure = opened(name, java_script_enabled=False)
    assert figure.locator(".chart svg").first.is_visible()
    assert figure.locator(".says").is_visible()
    assert not figure.locator(".controls").is_visible()


def test_what_explorers_need_is_small(folder):
    static = folder / "_static"
    needed = (LIBRARY_FILE, "explorers.js", "explorers.css", "explorers-dark.css")
    assert sum(len(gzip.compress((static / file).read_bytes())) for file in needed) <= 350 * 1024


@each
def test_the_library_is_fetched_only_near_an_explorer(browser, folder, name):
    page = browser.new_page(viewport={"width": 1280, "height": 700})
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((folder / "book" / f"{PAGES[name][0]}.html").as_uri())
    page.wait_for_timeout(300)
    assert not [url for url in asked if url.endswith(LIBRARY_FILE)]
    assert all(url.startswith(("file:", "data:")) for url in asked)
    page.close()


def test_words_in_markup_are_escaped_and_end_no_script():
    control = explorers.Control("x", "</script><b>", ["<i>", "&"])
    written = explorers.Explorer("x", "<b>", [control], [], "{x} </script>", {})._repr_html_()
    assert written.count("</script>") == 1
    assert not re.search(r"<[bi]>", written.split("<script")[0])
