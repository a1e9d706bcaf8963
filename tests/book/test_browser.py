"""Every page in a real browser: no errors, no third party, nothing wider than the screen."""

import functools
import gzip
import http.server
import io
import os
import shutil
import threading
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import CHAPTERS, REPOSITORY
from PIL import Image

from rdmas.site import pdf

CHROMIUM = pdf.browser()
PAGES = ["index.html", *(f"book/{path.stem}.html" for path in CHAPTERS)]
WIDTHS, SCHEMES = (1280, 390), ("light", "dark")
INTERFACE = [
    f"book/interface/{path.stem}.html"
    for path in sorted((REPOSITORY / "book" / "interface").glob("*.md"))
]


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        """Keep the requests of the browser out of the test output."""


@pytest.fixture(scope="module")
def address(site):
    handler = functools.partial(QuietHandler, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def visit(browser, address):
    """Open a page and collect what went wrong on the way."""
    contexts = []

    def open_page(name, width, scheme="light", seen=None):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page, troubles = context.new_page(), []
        page.on("console", lambda m: troubles.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("requestfailed", lambda request: troubles.append(f"failed: {request.url}"))
        page.on(
            "response",
            lambda answer: (
                troubles.append(f"{answer.status}: {answer.url}") if answer.status >= 400 else None
            ),
        )
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((address, "data:", "blob:"))
                else troubles.append(f"third party: {request.url}")
            ),
        )
        if seen:
            page.on("request", lambda request: seen(urlsplit(request.url).path.lstrip("/")))
        page.goto(f"{address}/{name}", wait_until="networkidle")
        return page, troubles

    yield open_page
    for context in contexts:
        context.close()


def violations(page):
    """Return the accessibility rules that a page breaks, with the first place of each."""
    found = Axe().run(page).response["violations"]
    return [(rule["id"], rule["nodes"][0]["html"][:200]) for rule in found]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_page_opens_cleanly_fits_the_screen_and_is_accessible(visit, name, width, scheme):
    page, troubles = visit(name, width, scheme)
    assert troubles == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("article h1").first.is_visible()
    assert violations(page) == []


@pytest.mark.parametrize("name", INTERFACE)
def test_pages_of_the_interface_too(visit, name):
    page, troubles = visit(name, 390, "dark")
    assert troubles == [] and violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_wider_than_the_narrowest_phone(visit, name):
    """320 pixels are also what remains of 1280 at four times the size."""
    page, _ = visit(name, 320)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("name", PAGES)
def test_a_first_visit_is_light(visit, site, name):
    """What a page asks for, each file compressed as a server would send it."""
    files = set()
    page, _ = visit(name, 390, seen=files.add)
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    page.wait_for_load_state("networkidle")
    sizes = {file: len(gzip.compress((site / file).read_bytes())) for file in files}
    assert sum(sizes.values()) <= (250 if "index" in name else 450) * 1024, sizes


@pytest.mark.parametrize("name", PAGES[1:])
def test_without_scripts_every_result_is_still_there(browser, address, name):
    texts = []
    for scripts in (True, False):
        context = browser.new_context(java_script_enabled=scripts)
        page = context.new_page()
        page.goto(f"{address}/{name}")
        # Controls of an explorer are no result; its picture and its sentence are.
        parts = ":is(p, table, figure, ul.board):not(.explorer, .explorer *)"
        shown = page.locator(f"article {parts}:visible")
        texts.append([text.strip() for text in shown.all_inner_texts() if text.strip()])
        context.close()
    with_scripts, without = texts
    assert set(with_scripts) - {"Show code"} <= set(without)


def test_code_is_shown_on_request_and_remembered(visit):
    page, _ = visit("book/survival.html", 1280)
    code, switch = page.locator(".cell_input").first, page.locator("button.show-code")
    assert not code.is_visible() and switch.get_attribute("aria-pressed") == "false"
    switch.focus()
    page.keyboard.press("Enter")
    assert code.is_visible() and switch.get_attribute("aria-pressed") == "true"
    page.reload()
    assert page.locator(".cell_input").first.is_visible()


def test_the_keyboard_reaches_the_text_first_and_everything_with_a_visible_focus(visit):
    page, _ = visit("book/cmv.html", 1280)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the text"
    for _ in range(40):
        page.keyboard.press("Tab")
        width = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
        assert width != "0px" or page.evaluate("document.activeElement === document.body")


def test_figures_follow_the_scheme_of_the_page(visit):
    """Blue of the treatment arm on paper, a lighter one in the dark; never a pale box."""
    colours = []
    for scheme in SCHEMES:
        page, _ = visit("book/index.html", 1280, scheme)
        drawn = page.locator("figure img").first.screenshot()
        pixels = Image.open(io.BytesIO(drawn)).convert("RGB")
        colours.append((pixels.getpixel((1, 1)), pixels.getcolors(1 << 24)))
    (paper, light), (night, dark) = colours
    assert sum(paper) > 700 and sum(night) < 150
    assert (0, 114, 178) in [colour for _, colour in light]
    assert (74, 168, 232) in [colour for _, colour in dark]


def test_formulas_are_mathml_and_need_no_script(visit):
    page, _ = visit("book/p_value_notes.html", 1280)
    assert page.locator("math").count() > 3
    assert "MathJax" not in page.content()


def test_figures_are_drawn_and_described(visit):
    for path in CHAPTERS:
        page, _ = visit(f"book/{path.stem}.html", 1280)
        images = page.locator("figure img").all()
        assert images, path.stem
        for image in images:
            assert image.evaluate("image => image.complete && image.naturalWidth > 300")
            assert len(image.get_attribute("alt")) > 40


def test_a_missing_browser_is_noticed_where_one_is_required():
    """CI sets the variable, so that these tests cannot be skipped there unseen."""
    if os.environ.get("RDMAS_REQUIRE_BROWSER"):
        assert CHROMIUM is not None
    assert CHROMIUM is None or shutil.which(CHROMIUM)
