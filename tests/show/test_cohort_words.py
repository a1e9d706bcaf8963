"""Sentences that the chapters of a reader's cohort share, and words that a reader may write."""

from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from rdmas.show import prose
from rdmas.show.cohort import _words as words
from rdmas.stats.checks import Table


@given(st.text(alphabet=st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Z"])))
@example("1. first")
@example("12) x")
@example("+ a")
@example("- a")
@example("--- a")
@example("a\n\nb")
@example("<script>alert(1)</script>")
@example("<b>drug</b> & **bold** _it_ $x$ `code` [a](b) ![c](d) {glue}`x` &amp; ~~no~~ H^2^ #1")
@example("https://example.org a|b ::: {{ sub }} 'q' \"q\" \\*")
def test_a_readers_word_is_shown_as_it_is(text):
    """Group 29: names of arms with markup in them are escaped wherever shown."""
    written = prose.escaped(text)
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    for line in (written, f"In arm “{written}”."):
        blocks = tokens.parse(line)
        inline = [block for block in blocks if block.type == "inline"]
        assert len(inline) <= 1
        kinds = {child.type for block in inline for child in block.children}
        assert kinds <= {"text"}
        shown = "".join(child.content for block in inline for child in block.children)
        wanted = " ".join(text.split())
        assert shown == (wanted if line is written else f"In arm “{wanted}”.").strip()
    assert "<" not in written and "$" not in written and "{" not in written


def test_what_is_masked_says_so():
    assert words.masked("Survival", 5) == (
        "Survival is left out: a count in it is below 5, "
        "the smallest number of patients that this book was asked to show."
    )


def test_paragraphs_and_answers_leave_out_what_is_empty():
    assert words.paragraphs("a", "", "b") == "a\n\nb"
    assert words.answer("One.", "", "Two.") == "**The answer.** One. Two."


class Cohort:
    """As far as these sentences need one."""

    arms = ("new", "old")
    control_arm = "old"

    def count(self, arm, column, category):
        assert (column, category) == ("died", "1")
        return {"new": (7, 35), "old": (8, 28)}[arm]

    def deaths(self):
        return Table(7, 35, 8, 28)


def test_deaths_are_counted_by_arm():
    assert words.deaths(Cohort()) == {"new": (7, 35), "old": (8, 28)}
    assert words.compared(Cohort()) == Table(7, 35, 8, 28)
    one_armed = Cohort()
    one_armed.control_arm = None
    assert words.compared(one_armed) is None
