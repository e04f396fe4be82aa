"""Won deals beside lost ones, fact by fact: a filled and a hollow dot, each with its interval."""

import altair as alt

from cadran.figures.figure import Chart, figure
from cadran.figures.style import BESIDE, Style
from cadran.figures.theme import colour
from cadran.tables.measured.process import Reference

STEP = 40
#: How far below the middle of its line a fact is drawn, under its name, in pixels.
LOWER = 7
#: Unit of the facts -> how their values are written (d3).
FORMATS = {"share": ".0%", "per deal": ",.1f", "days": ",.0f", "hours": ",.1f"}


@figure(rows=Reference)
def won_against_lost(style: Style, unit: str) -> Chart:
    """Each fact of won deals (filled) and of lost ones (hollow) with its 95 % interval, on one axis of the `unit`.

    The rows carry `label`, the fact in words, and `told`, what is said of the difference. The line between the two is
    solid where the difference may be called one.
    """
    told = style.tips(
        won="Won deals", won_low="At least", won_high="At most",
        lost="Lost deals", lost_low="At least (lost)", lost_high="At most (lost)",
    )  # fmt: skip
    counts = style.tips(n_won="Deals won", n_lost="Deals lost")
    tips = [*style.tips(label="Fact"), *(tip.format(FORMATS[unit]) for tip in told), *counts]
    y = style.down("label", title=None, axis=None)
    scale = alt.Scale(zero=True, domainMax=1) if unit == "share" else alt.Scale(zero=True)
    axis = alt.Axis(format=".0%" if unit == "share" else ",~r", grid=True, tickCount=5)
    base = alt.Chart().encode(y, tooltip=tips)

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", title=None, axis=axis, scale=scale)

    def side(name: str, ink: str, down: int, filled: bool) -> tuple[alt.Chart, alt.Chart]:
        rule = base.mark_rule(
            strokeWidth=3, strokeCap="round", strokeOpacity=0.4, color=colour(ink), yOffset=down + LOWER
        )
        point = base.mark_point(filled=filled, color=colour(ink), yOffset=down + LOWER, strokeWidth=2, size=75)
        return rule.encode(x(f"{name}_low"), alt.X2(f"{name}_high:Q")), point.encode(x(name))

    between = base.transform_filter("datum.is_difference").mark_rule(
        color=colour("ink"), strokeWidth=1.6, yOffset=LOWER
    )
    name = alt.Chart().mark_text(align="left", yOffset=-LOWER - 3).encode(y, x=alt.value(2), text="label:N")
    return alt.layer(
        name,
        between.encode(x("won"), alt.X2("lost:Q")),
        *side("won", "accent", -4, filled=True),
        *side("lost", "lost", 4, filled=False),
        style.right("datum.told", "label"),
    ).properties(height=alt.Step(STEP), padding=BESIDE)
