"""Colours, type and size that all figures share."""

import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from IPython.core.getipython import get_ipython
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter
from matplotlib.transforms import ScaledTranslation, Transform
from matplotlib_inline.backend_inline import set_matplotlib_formats
from numpy.typing import NDArray

from rdmas.show import prose

BLUE, VERMILION, GREEN, YELLOW = "#0072B2", "#D55E00", "#009E73", "#E69F00"
GREY, LIGHT, INK, PALE = "#8C8C8C", "#DDDDDD", "#333333", "#F2F2F2"
PURPLE, LILAC, PALE_GREEN = "#5D2A7A", "#A87FC0", "#99D8C7"

#: What a colour of marks is where letters are written in it, dark enough to be read.
_LETTERS = {VERMILION: "#A84A00", GREEN: "#00634A", LILAC: PURPLE, YELLOW: INK, GREY: "#6B6B6B"}

#: Each colour, and white, where the page is dark.
ON_DARK = {
    BLUE: "#4AA8E8",
    VERMILION: "#FF8A47",
    GREEN: "#3ECF9F",
    YELLOW: "#F2B53C",
    GREY: "#9AA3AD",
    LIGHT: "#3B424B",
    INK: "#E4E6E8",
    PALE: "#262B31",
    PURPLE: "#CFAEF0",
    LILAC: "#8560A0",
    PALE_GREEN: "#2B6B57",
    _LETTERS[VERMILION]: "#FF8A47",
    _LETTERS[GREEN]: "#3ECF9F",
    _LETTERS[GREY]: "#9AA3AD",
    "#1D6B4A": "#5FD3A4",
    "#6D5300": "#E3BE55",
    "#9C1C4D": "#F48FB6",
    "#262626": "#E4E6E8",
    "#000000": "#E4E6E8",
    "#FFFFFF": "#15181C",
}

#: Treatment arm first. Nothing else is drawn in these two.
ARM_COLOURS = (BLUE, VERMILION)
STATE_COLOURS = {"measured": GREEN, "reported": PURPLE, "assumed": LILAC, "empty": PALE}

#: As on the badges of the pages.
VERDICT_COLOURS = {
    "reproduced": "#1D6B4A",
    "consistent": "#1D6B4A",
    "compatible": "#6D5300",
    "not reproduced": "#9C1C4D",
    "not checkable": GREY,
}

#: Width of every picture, and the size of its type in points: on a page of 390 pixels, whose text
#: is 358 wide, letters are then shown at no less than 11 pixels.
WIDTH_INCHES, TYPE = 5.0, 11.5

#: What an arm is called in a figure whose fonts cannot write its name.
PLACES = ("first arm", "second arm")


_SIZES = (
    "font.size",
    "axes.labelsize",
    "xtick.labelsize",
    "ytick.labelsize",
    "legend.fontsize",
    "legend.title_fontsize",
)


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
            "figure.figsize": (WIDTH_INCHES, 3.6),
            "figure.dpi": 160,
            "savefig.bbox": "tight",
            "savefig.pad_inches": 0.03,
            **dict.fromkeys(_SIZES, TYPE),
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
    room = width - sum(unicodedata.east_asian_width(letter) in "WF" for letter in text[:width]) // 2
    words = textwrap.shorten(text, room, placeholder="…")
    if words == "…":
        words = text[: room - 1] + "…"
    if not words or not all(
        any(font.get_char_index(ord(letter)) for font in letters) for letter in words
    ):
        return otherwise
    return words.replace("$", r"\$")


def wrapped(text: str, width: int) -> str:
    """Divide a label into lines of at most `width` letters; wide (Chinese) ones count twice."""
    wide = any(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return textwrap.fill(" ".join(text.split()), width // 2 if wide else width)


def lettering(colour: str) -> str:
    """Return the colour of letters that name what is drawn in a colour."""
    return _LETTERS.get(colour, colour)


def new_axes(height: float) -> Axes:
    """Return the axes of a new figure of the book's width, `height` inches high.

    Labels take their room from the plot: if they widened the picture, everything in it would be
    smaller on a narrow screen.
    """
    return plt.subplots(figsize=(WIDTH_INCHES, height), layout="constrained")[1]


def moved(ax: Axes, transform: Transform, x: float = 0, y: float = 0) -> Transform:
    """Return a transform that goes on by some points of type."""
    return transform + ScaledTranslation(x / 72, y / 72, ax.figure.dpi_scale_trans)


def named_rows(
    names: Iterable[str], values: Sequence[str] = (), more: Sequence[float] | float = 0
) -> tuple[Axes, NDArray]:
    """Return axes with a row for each name, and where rows lie, in points from the top.

    Name and value stand above the row, which so has the whole width, however long the name is.
    `more` is the room in points that the marks of all rows, or of each, need above their row.
    """
    lines = [wrapped(name, 34 if values else 50) for name in names]
    above = np.broadcast_to(more, len(lines))
    high = np.array([26 + 14.5 * line.count("\n") for line in lines]) + above
    rows = np.cumsum(high) + 11.0 * np.arange(len(lines))
    bottom = rows[-1] + 12 if len(lines) else 12
    ax = new_axes((bottom + 52) / 72)
    # On the page's colour, so that no line of reference crosses them.
    style: dict[str, Any] = {
        "va": "bottom",
        "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 0.5},
    }
    for row, (line, up) in enumerate(zip(lines, above, strict=True)):
        at = moved(ax, ax.get_yaxis_transform(), y=7 + up)
        ax.text(0, rows[row], line, style, transform=at)
        if values:
            ax.text(1, rows[row], values[row], style, ha="right", transform=at)
    ax.set(ylim=(bottom, 0), ylabel="")
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    return ax, rows


def left_out(words: str) -> Axes:
    """Return a figure that says in words why there is nothing drawn."""
    ax = new_axes(height=0.8)
    style = {"ha": "center", "va": "center", "transform": ax.transAxes}
    ax.text(0.5, 0.5, wrapped(words, 48), style)
    ax.set_axis_off()
    return ax


def note(
    ax: Axes, text: str, at: tuple[float, float], offset: tuple[float, float], **style: Any
) -> None:
    """Write beside a point, at an offset in points of type; other options as in `annotate`."""
    ax.annotate(text, at, xytext=offset, textcoords="offset points", **style)


def bar(ax: Axes, row: float, low: float, high: float, **style: Any) -> None:
    """Draw a horizontal bar that ends exactly at its limits."""
    ax.plot([low, high], [row, row], solid_capstyle="butt", **style)


def as_percent(axis: Axis) -> None:
    """Number an axis of proportions in percent."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: prose.percent(value)))


def as_decimals(axis: Axis) -> None:
    """Number a logarithmic axis without powers, whose exponents would be small letters."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: decimals(value)))


def decimals(value: float) -> str:
    """Write a number of a scale with as many decimals as it has, up to six."""
    return prose.decimal(value, 6).rstrip("0").rstrip(".") if value < 1 else f"{value:g}"
