"""What if: the levers pulled in the accent, things as they are as a ghost behind, scenarios kept as lines beside."""

import altair as alt

from cadran.figures.figure import Chart, figure
from cadran.figures.style import BESIDE, Style
from cadran.figures.theme import colour
from cadran.tables.measured.scenario import ScenarioMonth, Sensitivity

TALL, STEP = 250, 30
#: Dashes of the scenarios kept, by their place.
DASHES = {"keep_a": [7, 3], "keep_b": [2, 3], "keep_c": [9, 3, 2, 3]}
#: What may be drawn month by month -> its ends, or None.
SHOWN = {"bookings": True, "load": True, "pay": False, "n_sellers": False, "p_shortage": False}

#: Numbers in cells, where there is room for them.
ROOM = alt.ExprRef("width < 380 ? 0 : 1")


@figure(rows=ScenarioMonth, now=ScenarioMonth, kept=ScenarioMonth)
def months(style: Style, value: str) -> Chart:
    """One quantity month by month: under the levers in the accent, as things are in grey, each with its 95 % band.

    `value` is one of `SHOWN`. "now" holds things as they are; "kept" the scenarios kept, with `name` and `place_kept`.
    The target is a dark line where bookings have one.
    """
    pattern, axis = _written(style, value)
    x = alt.X("month:O", axis=style.months(), title=None, scale=alt.Scale(type="point", padding=0.4))
    has_ends = SHOWN[value]
    told = {value: "Expected"} | ({f"{value}_low": "At least", f"{value}_high": "At most"} if has_ends else {})

    def y(field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", title=None, axis=axis, scale=alt.Scale(zero=True), stack=None)

    if value == "pay":
        return _bars(style, y(value), [*style.tips(month="Month"), *style.tips_as(pattern, **told)])
    layers = []
    for data, ink, strong in (("now", "muted", 0.16), (None, "accent", 0.2)):
        chart = alt.Chart() if data is None else alt.Chart(alt.NamedData(data))
        base = chart.encode(x, tooltip=[*style.tips(month="Month"), *style.tips_as(pattern, **told)])
        if has_ends:
            layers.append(
                base.mark_area(color=colour(ink), opacity=strong).encode(y(f"{value}_low"), alt.Y2(f"{value}_high:Q"))
            )
        layers += [
            base.mark_line(color=colour(ink), strokeDash=[4, 3] if data else [1, 0]).encode(y(value)),
            base.mark_point(color=colour(ink), size=30 if data else 60).encode(y(value)),
        ]
    kept = alt.Chart(alt.NamedData("kept")).mark_line(color=colour("ink"), strokeWidth=1.5)
    dashes = alt.Scale(domain=list(DASHES), range=list(DASHES.values()))
    tips = [*style.tips(name="Scenario", month="Month"), *style.tips_as(pattern, **told)]
    layers.append(
        kept.encode(x, y(value), strokeDash=alt.StrokeDash("place_kept:N", scale=dashes, legend=None), tooltip=tips)
    )
    if value == "bookings":
        goal = alt.Chart().mark_tick(thickness=2.5, size=26, color=colour("ink"))
        layers.append(goal.encode(x, y("target"), tooltip=style.tips_as(pattern, target="Target")))
    if value == "load":
        layers.insert(0, alt.Chart().mark_rule(color=colour("ink"), strokeDash=[3, 3]).encode(y=alt.datum(1)))
    return alt.layer(*layers).properties(height=TALL)


def _bars(style: Style, y: alt.Y, tips: list[alt.Tooltip]) -> Chart:
    """What falls due in some months alone: bars, those of things as they are behind."""
    band = alt.X("month:O", axis=style.months(), title=None, scale=alt.Scale(paddingInner=0.2, paddingOuter=0.1))
    now = alt.Chart(alt.NamedData("now")).mark_bar(color=colour("previous"), width={"band": 0.9})
    here = alt.Chart().mark_bar(color=colour("accent"), width={"band": 0.5})
    return alt.layer(now.encode(band, y, tooltip=tips), here.encode(band, y, tooltip=tips)).properties(height=TALL)


@figure(rows=ScenarioMonth, now=ScenarioMonth)
def shortage(style: Style) -> Chart:
    """Chance of shortage by region and month under the levers; a small mark where it is another as things are.

    The rows carry `label` and `change_label`, what the levers change.
    """
    tips = [
        *style.tips(label="Region", month="Month"),
        *style.tips_as(".0%", p_shortage="Chance of shortage", load="Load", load_low="At least", load_high="At most"),
        *style.tips(change_label="Against things as they are"),
        *style.tips_as(",.1f", n_sellers="Sellers"),
    ]
    base = alt.Chart().encode(
        alt.X("month:O", axis=style.months(domain=False), title=None, scale=alt.Scale(padding=0.04)),
        style.down("label", title=None, axis=style.names("label", labelLimit=170, labelColor=colour("ink"))),
        tooltip=tips,
    )
    return alt.layer(
        base.mark_rect(cornerRadius=2, color=colour("bad")).encode(
            opacity=alt.Opacity("p_shortage:Q", scale=alt.Scale(domain=[0, 1], range=[0.04, 1]), legend=None)
        ),
        base.mark_text(fontSize=11, opacity=ROOM).encode(
            text=alt.Text("p_shortage:Q", format=".0%"),
            color=alt.condition("datum.p_shortage < 0.55", alt.value(colour("ink")), alt.value(colour("panel"))),
        ),
        base.transform_filter("datum.change_label != ''")
        .mark_point(size=24, color=colour("accent"), yOffset=11),
    ).properties(height=alt.Step(STEP))  # fmt: skip


@figure(rows=Sensitivity)
def tornado(style: Style, quantity: str) -> Chart:
    """Each lever moved down and up by its step: what it changes, with the 95 % interval; the one that matters most first.

    The rows carry `label`, `less_label` and `more_label`, what each lever is moved to.
    """
    pattern, axis = _written(style, quantity)
    names = style.names("label", labelLimit=190, labelColor=colour("ink"))
    y = style.down("label", title=None, axis=names)
    layers: list[alt.Chart] = [alt.Chart().mark_rule(color=colour("muted")).encode(x=alt.datum(0))]
    for side, ink, offset in (("less", "lost", -5), ("more", "accent", 5)):
        tips = [
            *style.tips(**{"label": "Lever", f"{side}_label": "Moved to"}),
            *style.tips_as(pattern, **{side: "Change", f"{side}_low": "At least", f"{side}_high": "At most"}),
        ]
        base = alt.Chart().encode(y, tooltip=tips)
        layers += [
            base.mark_bar(height=8, color=colour(ink), yOffset=offset).encode(
                alt.X(f"{side}:Q", title=None, axis=axis)
            ),
            base.mark_rule(strokeWidth=1.5, color=colour("ink"), yOffset=offset, strokeOpacity=0.7).encode(
                alt.X(f"{side}_low:Q", title=None, axis=axis), alt.X2(f"{side}_high:Q")
            ),
        ]
    return alt.layer(*layers, style.right("datum.less_label + ' / ' + datum.more_label", "label")).properties(
        height=alt.Step(STEP), padding=BESIDE
    )


def _written(style: Style, value: str) -> tuple[str, alt.Axis]:
    """How values of a quantity are written on hover, and their axis."""
    if value in ("bookings", "pay"):
        return "$,.0f", style.money(grid=True)
    if value in ("n_sellers", "wins", "hires_needed"):
        return ",.1f", alt.Axis(format=",~r", grid=True, tickCount=5)
    return ".0%", style.share(grid=True)
