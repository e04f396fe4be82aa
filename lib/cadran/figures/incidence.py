"""Chances over time: of one deal from now on, of one deal until now, and of many deals as a lever moves."""

import altair as alt

from cadran.figures.figure import Chart, figure
from cadran.figures.style import Style
from cadran.figures.theme import colour
from cadran.tables.measured.outlook import Course, Happened, Promise, Pull

TALL = 220


@figure(rows=Promise, pulled=Promise)
def incidence(style: Style) -> Chart:
    """Chance of having won a deal by each day ahead: as it is in grey, with what the levers say in the accent.

    "pulled" holds the same days with the levers pulled, or no row while none is.
    """
    tips = style.tips(
        by_date="Won by", probability="Win probability", probability_low="At least", probability_high="At most"
    )
    layers = []
    for data, ink in ((None, "muted"), ("pulled", "accent")):
        chart = alt.Chart() if data is None else alt.Chart(alt.NamedData(data))
        base = chart.encode(alt.X("by_date:T", axis=style.quarters(), title=None, scale=alt.Scale(type="utc")))
        layers += [
            base.mark_area(opacity=0.16, color=colour(ink)).encode(
                _share(style, "probability_low"), alt.Y2("probability_high:Q")
            ),
            base.mark_line(color=colour(ink), strokeDash=[5, 3]).encode(_share(style, "probability")),
            base.mark_point(color=colour(ink), size=45).encode(_share(style, "probability"), tooltip=tips),
        ]
    return alt.layer(*layers).properties(height=TALL)


@figure(rows=Course, happened=Happened)
def course(style: Style) -> Chart:
    """Win probability of one deal on past days, with what happened to it: moves of stage, touches."""
    span = alt.Scale(type="utc")
    base = alt.Chart().encode(alt.X("at_date:T", axis=style.quarters(), title=None, scale=span))
    did = alt.Chart(alt.NamedData("happened")).encode(alt.X("at_date:T", scale=span, axis=style.quarters(), title=None))
    tips = style.tips(
        at_date="On", probability="Win probability", probability_low="At least", probability_high="At most",
        stage="Stage",
    )  # fmt: skip
    told = style.tips(at_date="On", what="What happened")
    return alt.layer(
        base.mark_area(opacity=0.16, color=colour("actual"), interpolate="step-after").encode(
            _share(style, "probability_low"), alt.Y2("probability_high:Q")
        ),
        base.mark_line(interpolate="step-after").encode(_share(style, "probability")),
        base.mark_point(size=40).encode(_share(style, "probability"), tooltip=tips),
        did.transform_filter("datum.is_move").mark_rule(strokeDash=[3, 3]).encode(tooltip=told),
        did.transform_filter("datum.is_move").mark_point(shape="triangle-down", size=90, color=colour("ink"), yOffset=-4)
        .encode(y=alt.value(0), tooltip=told),
        did.transform_filter("!datum.is_move").mark_tick(thickness=2, size=12, color=colour("accent"))
        .encode(y=alt.value(TALL - 7), tooltip=told),
    ).properties(height=TALL)  # fmt: skip


@figure(rows=Pull)
def pulls(style: Style, value: str) -> Chart:
    """Expected wins, or revenue, at each value of a lever, with its interval; the value chosen stands out, and a line
    marks what is expected as things are. `value` is "wins" or "revenue"."""
    axis = style.money(grid=True) if value == "revenue" else style.counts(grid=True)
    told = style.tips(**{value: "Expected", f"{value}_low": "At least", f"{value}_high": "At most"})
    pattern = "$,.0f" if value == "revenue" else ",.1f"
    tips = [*style.tips(label="Lever"), *(tip.format(pattern) for tip in told)]
    scale = alt.Scale(zero=True)
    base = alt.Chart().encode(
        style.down("label", title=None, axis=style.names("label", labelColor=colour("ink"))), tooltip=tips
    )
    now = alt.Chart().transform_filter("datum.is_now").mark_rule(strokeDash=[4, 3], color=colour("muted"))
    return alt.layer(
        now.encode(alt.X(f"{value}:Q", title=None, axis=axis, scale=scale)),
        base.mark_rule(strokeWidth=3, strokeCap="round", strokeOpacity=0.45).encode(
            alt.X(f"{value}_low:Q", title=None, axis=axis, scale=scale), alt.X2(f"{value}_high:Q"), color=style.ink("muted")
        ),
        base.mark_point().encode(alt.X(f"{value}:Q"), color=style.ink("muted")),
    ).properties(height=alt.Step(26))  # fmt: skip


def _share(style: Style, field: str) -> alt.Y:
    return alt.Y(f"{field}:Q", title=None, axis=style.share(grid=True), scale=alt.Scale(zero=True))
