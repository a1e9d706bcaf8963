"""Colours, type and size that all figures share."""

import textwrap
from typing import Any

import matplotlib.pyplot as plt
import seaborn as sns
from IPython.core.getipython import get_ipython
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter
from matplotlib_inline.backend_inline import set_matplotlib_formats

from rdmas.show import prose

BLUE, VERMILION, GREEN, YELLOW = "#0072B2", "#D55E00", "#009E73", "#E69F00"
SKY, GREY, LIGHT, INK = "#56B4E9", "#8C8C8C", "#DDDDDD", "#333333"
PALE_GREEN = "#99D8C7"

#: Each colour, and white, where the page is dark.
ON_DARK = {
    BLUE: "#4AA8E8",
    VERMILION: "#FF8A47",
    GREEN: "#3ECF9F",
    YELLOW: "#F2B53C",
    SKY: "#8FD3FF",
    GREY: "#9AA3AD",
    LIGHT: "#3B424B",
    INK: "#E4E6E8",
    PALE_GREEN: "#2B6B57",
    "#F2F2F2": "#262B31",
    "#262626": "#E4E6E8",
    "#000000": "#E4E6E8",
    "#FFFFFF": "#15181C",
}

#: Treatment arm first.
ARM_COLOURS = (BLUE, VERMILION)
BASIS_COLOURS = {"data": GREEN, "counts": BLUE, "ordering": SKY, "input": YELLOW, "none": GREY}
STATE_COLOURS = {"measured": GREEN, "reported": BLUE, "assumed": YELLOW, "empty": "#F2F2F2"}
WIDTH_INCHES = 6.4

#: What an arm is called in a figure whose fonts cannot write its name.
PLACES = ("first arm", "second arm")


def use_style() -> None:
    """Set the style of every figure of the book, and draw figures of a notebook as SVG.

    Letters stay letters, the background is the page's, and the same figure is the same file.
    """
    if get_ipython():
        set_matplotlib_formats("svg", metadata={"Date": None})
    sns.set_theme(
        context="notebook",
        style="ticks",
        rc={
            "font.family": fonts(),
            "figure.figsize": (WIDTH_INCHES, 3.8),
            "figure.dpi": 160,
            "savefig.bbox": "tight",
            "font.size": 11,
            "axes.labelsize": 11,
            "xtick.labelsize": 10,
            "ytick.labelsize": 10,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "text.color": INK,
            "axes.labelcolor": INK,
            "figure.facecolor": "none",
            "axes.facecolor": "none",
            "svg.fonttype": "none",
            "svg.hashsalt": "rdmas",
        },
    )


# Fonts with Chinese, Japanese and Korean characters that systems bring.
_EASTERN_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "PingFang SC",
    "Hiragino Sans GB",
    "Microsoft YaHei",
    "SimHei",
    "Arial Unicode MS",
)


def fonts() -> list[str]:
    """Return the fonts that letters are taken from, in order: a figure needs no other."""
    installed = set(font_manager.get_font_names())
    return ["DejaVu Sans", *(name for name in _EASTERN_FONTS if name in installed)]


def plain(text: str, otherwise: str, width: int = 48) -> str:
    r"""Return a reader's own word as a figure writes it; another if no font has all its letters.

    Long ones are shortened, and a dollar begins no formula. matplotlib would warn and draw boxes.

    Examples
    --------
    >>> plain("emapalumab", "first arm"), plain("\U00016fe4", "first arm")
    ('emapalumab', 'first arm')
    >>> print(plain("a $ or b $", "first arm"))
    a \$ or b \$
    """
    letters = [font_manager.get_font(font_manager.findfont(name)) for name in fonts()]
    words = textwrap.shorten(text, width, placeholder="…")
    if not words or not all(
        any(font.get_char_index(ord(letter)) for font in letters) for letter in words
    ):
        return otherwise
    return words.replace("$", r"\$")


def new_axes(height: float, labels_inside: bool = False) -> Axes:
    """Return the axes of a new figure of the book's width, `height` inches high.

    With `labels_inside` long labels take their room from the plot. Otherwise they widen the
    picture, and on a narrow screen everything in it becomes smaller.
    """
    layout = "constrained" if labels_inside else None
    return plt.subplots(figsize=(WIDTH_INCHES, height), layout=layout)[1]


def left_out(words: str) -> Axes:
    """Return a figure that says in words why there is nothing drawn."""
    ax = new_axes(height=0.8)
    ax.text(0.5, 0.5, words, ha="center", va="center", transform=ax.transAxes, fontsize=10.5)
    ax.set_axis_off()
    return ax


def note(
    ax: Axes, text: str, at: tuple[float, float], offset: tuple[float, float], **style: Any
) -> None:
    """Write beside a point, at an offset in points of type; other options as in `annotate`."""
    style = {"fontsize": 10, **style}
    ax.annotate(text, at, xytext=offset, textcoords="offset points", **style)


def bar(ax: Axes, row: float, low: float, high: float, **style: Any) -> None:
    """Draw a horizontal bar that ends exactly at its limits."""
    ax.plot([low, high], [row, row], solid_capstyle="butt", **style)


def as_percent(axis: Axis) -> None:
    """Number an axis of proportions in percent."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: prose.percent(value)))
