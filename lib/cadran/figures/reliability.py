"""How far to trust a probability: what was said against what came, how early it knows, how the win rate drifts."""

import altair as alt

from cadran.figures.figure import Chart, figure
from cadran.figures.style import BESIDE, Style
from cadran.figures.theme import colour
from cadran.tables.measured.outlook import Drift, Reliability, Skill

STEP, TALL = 26, 240


@figure(rows=Reliability)
def reliability(style: Style) -> Chart:
    """Share won against probability said, by bins of deals: on the diagonal, one can be taken for the other."""
    tips = style.tips(predicted="Said", observed="Won", observed_low="At least", observed_high="At most",
                      n="Looks at deals")  # fmt: skip
    x = alt.X("predicted:Q", axis=style.share(), title=style.words("Probability said"), scale=alt.Scale(domain=[0, 1]))
    domain = alt.Scale(domain=[0, 1])
    base = alt.Chart().encode(x, tooltip=tips)
    ideal = alt.Chart().mark_line(strokeDash=[4, 3], color=colour("muted"), strokeWidth=1.2)
    corners = ideal.transform_calculate(corner="datum.place == 0 ? 0 : 1").transform_filter("datum.place < 2")
    return alt.layer(
        corners.encode(alt.X("corner:Q", scale=domain), alt.Y("corner:Q", scale=domain, title=None, axis=style.share(grid=True))),
        base.mark_rule(strokeWidth=3, strokeCap="round", strokeOpacity=0.45).encode(
            alt.Y("observed_low:Q", title=None, axis=style.share(grid=True), scale=domain), alt.Y2("observed_high:Q")
        ),
        base.mark_point(color=colour("accent")).encode(
            alt.Y("observed:Q"), alt.Size("n:Q", scale=alt.Scale(range=[30, 240]), legend=None)
        ),
    ).properties(height=TALL)  # fmt: skip


@figure(rows=Skill)
def skill(style: Style) -> Chart:
    """How much better than the overall rate a probability is, by groups of deals: 1 knows all, 0 knows nothing."""
    tips = style.tips(group="Group", skill="Skill", skill_low="At least", skill_high="At most", n="Looks at deals")
    base = alt.Chart().encode(
        style.down("group", title=None, axis=style.names("group", labelColor=colour("ink"))), tooltip=tips
    )
    return alt.layer(
        alt.Chart().mark_rule(color=colour("muted")).encode(x=alt.datum(0)),
        base.mark_rule(strokeWidth=3, strokeCap="round", strokeOpacity=0.45).encode(
            alt.X("skill_low:Q", title=None, axis=style.share(grid=True)), alt.X2("skill_high:Q")
        ),
        base.mark_point().encode(alt.X("skill:Q")),
        style.right("'n = ' + format(datum.n, ',')", "group"),
    ).properties(height=alt.Step(STEP), padding=BESIDE)  # fmt: skip


@figure(rows=Drift)
def drift(style: Style) -> Chart:
    """Share won of the deals that closed, period by period, with its interval: what a probability has to follow."""
    tips = style.tips(quarter="Quarter", win_rate="Win rate", win_rate_low="At least", win_rate_high="At most",
                      n_won="Won deals", n_closed="Closed deals")  # fmt: skip
    x = alt.X("quarter:T", axis=style.quarters(labelSeparation=10), title=None, scale=alt.Scale(type="utc"))
    base = alt.Chart().encode(x, tooltip=tips)
    return alt.layer(
        base.mark_rule(strokeWidth=3, strokeCap="round", strokeOpacity=0.45).encode(
            alt.Y("win_rate_low:Q", title=None, axis=style.share(grid=True), scale=alt.Scale(zero=True)),
            alt.Y2("win_rate_high:Q"),
        ),
        base.mark_line(strokeWidth=1.2).encode(alt.Y("win_rate:Q")),
        base.mark_point().encode(alt.Y("win_rate:Q")),
    ).properties(height=TALL)  # fmt: skip
