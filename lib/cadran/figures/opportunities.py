"""What we draw of deals: volumes, win rates, the bridge between two dates, clients, cycles, pipeline."""

import altair as alt

from cadran.figures.figure import figure
from cadran.figures.style import Style
from cadran.figures.theme import colour
from cadran.tables.measured.opportunities import WinRate

#: Height of one row of a horizontal chart, in pixels: a finger fits.
STEP = 26


@figure(rows=WinRate)
def win_rate_by(style: Style, by: str) -> alt.LayerChart:
    """Win rate of each group: a point, its 95 % interval, and how many deals it rests on."""
    tips = style.tips(**{by: "Group"}, win_rate="Win rate", win_rate_low="At least", win_rate_high="At most",
                      n_won="Won deals", n_closed="Closed deals")  # fmt: skip
    base = alt.Chart().encode(_groups(by), tooltip=tips)
    row = base.mark_rect(fillOpacity=0, cursor="pointer")
    interval = base.mark_rule(strokeWidth=3, strokeCap="round", strokeOpacity=0.45, cursor="pointer").encode(
        alt.X("win_rate_low:Q", title=None, axis=style.share(grid=True), scale=alt.Scale(zero=True)),
        alt.X2("win_rate_high:Q"),
        color=style.ink(),
        opacity=style.fade(),
    )
    point = base.mark_point(cursor="pointer").encode(alt.X("win_rate:Q"), color=style.ink(), opacity=style.fade())
    count = base.transform_calculate(n="'n = ' + format(datum.n_closed, ',')").mark_text(
        align="left", dx=8, color=colour("muted"), cursor="pointer"
    ).encode(alt.X("win_rate_high:Q"), text=alt.Text("n:N"), opacity=style.fade())
    return alt.layer(row, interval, point, count).properties(height=alt.Step(STEP))


def _groups(by: str) -> alt.Y:
    return alt.Y(f"{by}:N", title=None, sort=None, axis=alt.Axis(labelLimit=150, labelColor=colour("ink")))
