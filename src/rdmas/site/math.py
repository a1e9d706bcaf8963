"""Formulas as MathML, made when the book is built: no script, and readable aloud."""

from __future__ import annotations

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.writers.html5 import HTML5Translator


def mathml(formula: str, display: str = "inline") -> str:
    r"""Write a formula as MathML that can be searched for and copied as LaTeX.

    Examples
    --------
    >>> "<mfrac><mrow><mi>x</mi></mrow><mrow><mi>n</mi></mrow></mfrac>" in mathml(r"\frac{x}{n}")
    True
    """
    return convert(formula, display=display)


def visit_inline(translator: HTML5Translator, node: nodes.math) -> None:
    """Write a formula within a sentence."""
    translator.body.append(mathml(node.astext()))
    raise nodes.SkipNode


def visit_block(translator: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula of its own, in a box that scrolls where it is wider than the screen."""
    opening = translator.starttag(node, "span", CLASS="math-block", tabindex="0", role="group")
    translator.body.append(f"{opening}{mathml(node.astext(), 'block')}</span>\n")
    raise nodes.SkipNode
