"""Figures follow the reader's system: an SVG carries its own colours for dark pages."""

from __future__ import annotations

from rdmas.show.figures import ON_DARK

#: The type of the page around, which a picture does not know.
_TYPE = "system-ui,'Segoe UI',Roboto,'Noto Sans','DejaVu Sans',sans-serif"


def with_colours_for_dark(svg: str) -> str:
    """Add to an SVG drawn by matplotlib what its colours become where the page is dark.

    A picture on a page knows the scheme of the page, and no more of its styles.

    Examples
    --------
    >>> drawn = '<svg><defs/><path style="fill: #0072b2"/></svg>'
    >>> "prefers-color-scheme: dark" in with_colours_for_dark(drawn)
    True
    """
    rules = "".join(
        f'[style*="{kind}: {light.lower()}"]{{{kind}:{dark}!important}}'
        for light, dark in ON_DARK.items()
        for kind in ("fill", "stroke")
    )
    ink = ON_DARK["#000000"]
    dark = f'{rules}text:not([style*="fill"]){{fill:{ink}}}'
    letters = f"text{{font-family:{_TYPE}!important}}"
    style = f"<style>{letters}@media (prefers-color-scheme: dark){{{dark}}}</style>"
    return svg.replace("<defs", f"{style}<defs", 1)
