"""What "significant" means here, and the words that `claims.csv` has for it."""

from __future__ import annotations

from rdmas.stats.significance import significant

#: A two-sided P-value below this is significant, in the paper's field and in this book.
ALPHA = 0.05

#: What `claims.csv` may say where two arms are compared in words, and the direction it means.
SIGNIFICANCE_WORDING = {
    "significantly higher": 1,
    "significantly lower": -1,
    "not significantly different": 0,
}


def words(direction: int) -> str:
    """Say that arm a is significantly higher (1), lower (-1) or neither (0)."""
    return next(text for text, sign in SIGNIFICANCE_WORDING.items() if sign == direction)


def words_for(p_value: float, direction: int) -> str:
    """Put a P-value into words, given which arm is higher."""
    return words(direction if significant(p_value, ALPHA) else 0)
