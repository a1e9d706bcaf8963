"""Explorers of what other cohorts say."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
from scipy.special import expit

from rdmas.show import prose
from rdmas.show.explorers._explorer import Control, Drawn, Explorer, Words
from rdmas.show.figures import GREEN, INK, YELLOW
from rdmas.stats.checks import Table

#: Columns of `by_spread`, how they are called here, and their colours.
_SHARES = {
    "below": ("P below {alpha}", INK),
    "below_this_way": ("same, this direction", GREEN),
    "as_wide": ("gap as wide", YELLOW),
}


def without_effect(
    by_spread: pd.DataFrame, mu: float, fitted: float, alpha: float, deaths: Table
) -> Explorer:
    """Choose the spread between cohorts: how often two of them differ this much.

    Parameters
    ----------
    by_spread : pandas.DataFrame
        From `rdmas.stats.no_effect.by_spread`.
    mu, fitted : float
        Mean and fitted standard deviation of the cohorts' true logits.
    alpha : float
        Significance level.
    deaths : rdmas.stats.checks.Table
        Deaths and patients of both arms, as they were seen.
    """
    taus = by_spread["tau"].to_numpy()
    spread = Control(
        "spread",
        "Spread between cohorts (standard deviation of log odds)",
        [prose.decimal(tau, 2) for tau in taus],
        int(np.abs(taus - fitted).argmin()),
    )
    words = {
        name: Words(["spread"], [prose.percent(share, 1) for share in by_spread[name]])
        for name in _SHARES
    }
    limits = [tuple(expit(mu + 1.96 * tau * np.array([-1, 1]))) for tau in taus]
    words["range"] = Words(["spread"], [prose.percent_interval(both) for both in limits])
    gap = deaths.events_a / deaths.n_a - deaths.events_b / deaths.n_b
    points = prose.decimal(100 * abs(gap), 0)
    return Explorer(
        "spread",
        "Choose how far cohorts differ, and see what they show without a drug effect",
        [spread],
        [(_shares(by_spread, spread, alpha, fitted), "Shares of pairs against the spread.")],
        f"Spread {{spread}}, so that nearly all cohorts’ true mortality is {{range}}: P is below "
        f"{alpha:g} in {{below}} of pairs, {{below_this_way}} in the paper’s direction; a gap of "
        f"{points} points or more that way appears in {{as_wide}}.",
        words,
    )


def _shares(by_spread: pd.DataFrame, spread: Control, alpha: float, fitted: float) -> Drawn:
    """Draw the shares against the spread, the fitted spread and the one chosen."""
    names = [name.format(alpha=f"{alpha:g}") for name, _ in _SHARES.values()]
    frame = pd.concat(
        [
            pd.DataFrame(
                {
                    "spread": range(len(by_spread)),
                    "tau": by_spread["tau"].round(5),
                    "share": by_spread[column].round(6),
                    "name": name,
                }
            )
            for column, name in zip(_SHARES, names, strict=True)
        ]
    )
    x = alt.X(
        "tau:Q",
        title=f"Spread (dashed: fitted, {prose.decimal(fitted, 2)})",
        scale=alt.Scale(domain=[0, float(frame["tau"].max())], nice=False),
    )
    y = alt.Y("share:Q", title="Share of pairs", axis=alt.Axis(format=".0%"))
    colour = alt.Color(
        "name:N",
        scale=alt.Scale(domain=names, range=[colour for _, colour in _SHARES.values()]),
        legend=alt.Legend(symbolType="stroke", columns=2),
    )
    base = alt.Chart(frame)
    now = base.transform_filter(f"datum.spread == {spread.name}")
    line = alt.Chart(pd.DataFrame({"tau": [fitted]}))
    return alt.layer(
        line.mark_rule(color=INK, strokeDash=[5, 4], opacity=0.6).encode(x=x),
        base.mark_line(strokeWidth=2.5).encode(x, y, colour),
        now.mark_rule(color=INK, strokeWidth=1).encode(x=x),
        now.mark_point(filled=True, size=100, opacity=1).encode(x, y, colour),
        height=230,
    )
