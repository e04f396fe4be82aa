"""Whom to help and how to share: the funnel of observed against expected, and territories before and after."""

import altair as alt

from cadran.figures.figure import Chart, figure
from cadran.figures.style import BESIDE, Style
from cadran.figures.theme import colour
from cadran.tables.measured.coaching import Funnel, Help, Limits
from cadran.tables.measured.territories import Territory, TerritoryOfTeam

STEP, TALL = 28, 270


@figure(rows=Funnel, limits=Limits)
def funnel(style: Style) -> Chart:
    """Deals moved on ÷ expected of each group, by how many were expected: between the curves, chance alone explains it.

    The rows carry `label`; those outside, once it is counted how many are looked at, are filled and named.
    """
    tips = [
        *style.tips(label="Group"),
        *style.tips_as(",.0f", n_moved="Moved on", n_expected="Expected"),
        *style.tips_as(".2f", observed_ratio="Observed ÷ expected", ratio="Shrunk", ratio_low="At least",
                       ratio_high="At most"),
        *style.tips(n="Deals", n_sellers="Sellers"),
    ]  # fmt: skip
    x = alt.X(
        "n_expected:Q",
        title=style.words("Deals expected to be won"),
        scale=alt.Scale(zero=True),
        axis=alt.Axis(tickCount=6),
    )
    axis = alt.Axis(format=".1f", grid=True, tickCount=5)

    def y(field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", title=None, axis=axis, scale=alt.Scale(zero=False), stack=None)

    curves = alt.Chart(alt.NamedData("limits")).mark_line(strokeWidth=1.2, color=colour("muted"))
    dash = {"limit_low95": [5, 3], "limit_high95": [5, 3], "limit_low998": [1, 3], "limit_high998": [1, 3]}
    rings = alt.Chart().mark_point(filled=False, size=70, strokeWidth=2, color=colour("actual"))
    outside = alt.Chart().transform_filter("datum.is_outside")
    return alt.layer(
        alt.Chart().mark_rule(color=colour("muted")).encode(y=alt.datum(1)),
        *(
            curves.mark_line(strokeWidth=1.2, color=colour("muted"), strokeDash=each).encode(x, y(name))
            for name, each in dash.items()
        ),
        rings.encode(x, y("observed_ratio"), tooltip=tips),
        outside.mark_point(size=90, color=colour("accent")).encode(x, y("observed_ratio"), tooltip=tips),
        outside.mark_text(align="left", dx=8, color=colour("ink")).encode(x, y("observed_ratio"), text="label:N"),
    ).properties(height=TALL)  # fmt: skip


@figure(rows=Help)
def help_pays(style: Style, value: str) -> Chart:
    """What goes with moving on as many deals as expected, in a year, at the stage of each group where it is most.

    `value` is "revenue" or "wins". The rows carry `label` and `told`, the stage.
    """
    is_money = value == "revenue"
    pattern = "$,.0f" if is_money else ",.1f"
    tips = [
        *style.tips(label="Group", stage="Stage"),
        *style.tips_as(pattern, **{value: "A year", f"{value}_low": "At least", f"{value}_high": "At most"}),
        *style.tips_as("+.1%", gap_share="Share that would move on besides"),
        *style.tips(n="Entries", n_sellers="Sellers"),
    ]
    names = style.names("label", labelLimit=170, labelColor=colour("ink"))
    base = alt.Chart().encode(style.down("label", title=None, axis=names), tooltip=tips)
    axis = style.money(grid=True) if is_money else alt.Axis(format=",~r", grid=True, tickCount=5)
    return alt.layer(
        alt.Chart().mark_rule(color=colour("muted")).encode(x=alt.datum(0)),
        base.mark_rule(strokeWidth=3, strokeCap="round", strokeOpacity=0.45).encode(
            alt.X(f"{value}_low:Q", title=None, axis=axis), alt.X2(f"{value}_high:Q")
        ),
        base.mark_point().encode(alt.X(f"{value}:Q", title=None, axis=axis)),
        style.right("datum.told", "label"),
    ).properties(height=alt.Step(STEP), padding=BESIDE)


@figure(rows=TerritoryOfTeam)
def teams(style: Style) -> Chart:
    """Load of each team as a share of what its presence calls for: as it is (hollow), as proposed (filled).

    The rows carry `label`, `before_share` and `after_share`, and `told`: accounts given and received.
    """
    tips = [
        *style.tips(label="Team", n_sellers="Sellers"),
        *style.tips_as(".0%", before_share="As it is", after_share="As proposed"),
        *style.tips(n_outside_before="Sellers outside the band, as it is", n_outside="Outside, as proposed"),
        *style.tips(n_out="Clients given", n_in="Clients received"),
    ]
    names = style.names("label", labelLimit=170, labelColor=colour("ink"))
    base = alt.Chart().encode(style.down("label", title=None, axis=names), tooltip=tips)

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", title=None, axis=style.share(grid=True), scale=alt.Scale(zero=False))

    return alt.layer(
        alt.Chart().mark_rule(color=colour("muted")).encode(x=alt.datum(1)),
        base.mark_rule(strokeWidth=1.5, color=colour("muted")).encode(x("before_share"), alt.X2("after_share:Q")),
        base.mark_point(filled=False, strokeWidth=2, size=70).encode(x("before_share")),
        base.mark_point(size=80, color=colour("accent")).encode(x("after_share")),
        style.right("datum.told", "label"),
    ).properties(height=alt.Step(STEP), padding=BESIDE)


@figure(rows=Territory)
def sellers(style: Style) -> Chart:
    """Load of every seller as a share of what their presence calls for, a tick each, as it is and as proposed; the band
    shaded. The rows carry `low_share`, `high_share`, `before_share`, `after_share`."""
    words = {"before_share": style.words("As it is"), "after_share": style.words("As proposed")}
    tips = [
        *style.tips(seller="Seller", team="Team", region="Region"),
        *style.tips_as(".0%", before_share="As it is", after_share="As proposed"),
        *style.tips(
            n_open="Open deals",
            n_open_after="Open deals, as proposed",
            n_out="Clients given",
            n_in="Clients received",
        ),
    ]
    share = alt.Scale(zero=True)
    axis = style.share(grid=True)
    band = alt.Chart().transform_aggregate(low_share="min(low_share)", high_share="max(high_share)")
    ticks = (
        alt.Chart()
        .transform_fold(["before_share", "after_share"], as_=["moment", "load_share"])
        .mark_tick(thickness=2, size=34, opacity=0.55)
    )
    return alt.layer(
        band.mark_rect(color=colour("accent"), opacity=0.12).encode(
            alt.X("low_share:Q", title=None, axis=axis, scale=share), alt.X2("high_share:Q")
        ),
        ticks.encode(
            alt.X("load_share:Q", title=None, axis=axis, scale=share),
            alt.Y("moment:N", sort=["before_share", "after_share"], title=None,
                  axis=alt.Axis(labelExpr=f"{words}[datum.value]", labelColor=colour("ink"))),
            color=alt.condition("datum.moment == 'after_share'", alt.value(colour("accent")), alt.value(colour("actual"))),
            tooltip=tips,
        ),
    ).properties(height=alt.Step(52))  # fmt: skip
