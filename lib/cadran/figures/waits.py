"""On whom deals wait in each stage, and what the pace of the best quarter would move."""

import altair as alt

from cadran.figures.figure import Chart, figure
from cadran.figures.style import BESIDE, Style
from cadran.figures.theme import colour
from cadran.tables.measured.audit import Bottlenecks, WaitingOn

STEP = 30
#: On whom a deal waits -> words, colour.
SIDES = {
    "us": ("On us", "bad"),
    "client": ("On the client", "actual"),
    "nobody": ("Nobody has spoken yet", "previous"),
    "unknown": ("Not known", "line"),
}


@figure(rows=WaitingOn)
def waiting(style: Style) -> Chart:
    """Share of the days in each stage spent waiting on us, on the client, or before anybody spoke.

    The rows carry `side_label`, the side in words, and `order`; "beside" one row per stage: `entered_stage`, `told`.
    """
    words = [style.words(text) for text, _ in SIDES.values()]
    colours = alt.Scale(domain=words, range=[colour(ink) for _, ink in SIDES.values()])
    tips = style.tips(
        entered_stage="Stage", side_label="Waiting", days_share="Share of the days", days_share_low="At least",
        days_share_high="At most", n_open="Open deals", amount_open="Open amount", median_days="Half wait, days",
        p90_days="One in ten over, days",
    )  # fmt: skip
    names = style.names("entered_stage", labelLimit=170, labelColor=colour("ink"))
    y = alt.Y("entered_stage:N", sort=alt.EncodingSortField("place", op="min"), title=None, axis=names)
    y_beside = alt.Y("entered_stage:N", sort=None, title=None, axis=names)
    bars = alt.Chart().mark_bar(height={"band": 0.62}).encode(
        y,
        alt.X("days_share:Q", title=None, axis=style.share(grid=True), stack="zero", scale=alt.Scale(domainMax=1)),
        alt.Color("side_label:N", scale=colours, legend=style.keys()),
        order="order:Q",
        tooltip=tips,
    )  # fmt: skip
    place = alt.XValue(alt.ExprRef("width + 10"))  # type: ignore[arg-type]
    beside = alt.Chart(alt.NamedData("beside")).mark_text(align="left", color=colour("muted"))
    return alt.layer(bars, beside.encode(y_beside, x=place, text="told:N")).properties(
        height=alt.Step(STEP), padding=BESIDE
    )


@figure(rows=Bottlenecks)
def bottlenecks(style: Style) -> Chart:
    """Revenue that would move in a quarter if each stage had the pace of its best one, with its 95 % interval.

    The rows carry `told`, the days gained.
    """
    days = style.tips(
        entered_stage="Stage", mean_days="Mean stay now", best_days="In the best quarter", gap_days="Shorter by"
    )
    money = style.tips(revenue_moved="Revenue moved", revenue_moved_low="At least", revenue_moved_high="At most")
    tips = [*days, *(tip.format("$,.0f") for tip in money)]
    names = style.names("entered_stage", labelLimit=170, labelColor=colour("ink"))
    base = alt.Chart().encode(style.down("entered_stage", title=None, axis=names), tooltip=tips)
    axis, scale = style.money(grid=True), alt.Scale(zero=True)
    return alt.layer(
        alt.Chart().mark_rule(color=colour("muted")).encode(x=alt.datum(0)),
        base.mark_rule(strokeWidth=3, strokeCap="round", strokeOpacity=0.45).encode(
            alt.X("revenue_moved_low:Q", title=None, axis=axis, scale=scale), alt.X2("revenue_moved_high:Q")
        ),
        base.mark_point().encode(alt.X("revenue_moved:Q", title=None, axis=axis, scale=scale)),
        style.right("datum.told", "entered_stage"),
    ).properties(height=alt.Step(STEP), padding=BESIDE)
