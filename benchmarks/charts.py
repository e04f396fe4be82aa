"""The three charts as figures of Cadran."""

import altair as alt
import dataframely as dy

from cadran.figures.figure import figure
from cadran.figures.style import Style

#: Pixels, in every stack.
HEIGHT = 240


class Months(dy.Schema):
    """Signed revenue of each month."""

    closed_month = dy.Date(nullable=False)
    revenue = dy.Float64(nullable=True)


class Regions(dy.Schema):
    """Win rate of each region."""

    region = dy.String(nullable=True)
    n_closed = dy.UInt32(nullable=False)
    win_rate = dy.Float64(nullable=False)
    win_rate_low = dy.Float64(nullable=False)
    win_rate_high = dy.Float64(nullable=False)


class Sectors(dy.Schema):
    """Signed revenue of each sector."""

    sector = dy.String(nullable=True)
    revenue = dy.Float64(nullable=True)


@figure(rows=Months)
def revenue_by_month(style: Style) -> alt.Chart:
    """One bar a month."""
    month = alt.X("closed_month:T", timeUnit="utcyearmonth", axis=style.months())
    tips = [alt.Tooltip("closed_month:T", format="%B %Y"), alt.Tooltip("revenue:Q", format=",.0f")]
    bars = alt.Chart().mark_bar().encode(month, alt.Y("revenue:Q", axis=style.money()), tooltip=tips)
    return bars.properties(height=HEIGHT)


@figure(rows=Regions)
def win_rate_by_region(style: Style) -> alt.LayerChart:
    """A point and its interval for each region."""
    base = alt.Chart().encode(alt.Y("region:N", title=None), tooltip=[alt.Tooltip("win_rate:Q", format=".1%")])
    interval = base.mark_rule(strokeWidth=3).encode(
        alt.X("win_rate_low:Q", title=None, axis=style.share(), scale=alt.Scale(zero=True)), alt.X2("win_rate_high:Q")
    )
    return (interval + base.mark_point(filled=True, size=70).encode(alt.X("win_rate:Q"))).properties(height=HEIGHT)


@figure(rows=Sectors)
def revenue_by_sector(style: Style) -> alt.Chart:
    """One bar a sector."""
    tips = [alt.Tooltip("sector:N"), alt.Tooltip("revenue:Q", format=",.0f")]
    sector = alt.Y("sector:N", title=None)
    bars = alt.Chart().mark_bar().encode(alt.X("revenue:Q", axis=style.money()), sector, tooltip=tips)
    return bars.properties(height=HEIGHT)
