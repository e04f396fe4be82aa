"""When to hire: load against capacity, where a shortage threatens, by when to recruit, what too early and too late cost."""

import altair as alt

from cadran.figures.figure import Chart, figure
from cadran.figures.style import BESIDE, Style
from cadran.figures.theme import colour
from cadran.tables.measured.capacity import CapacityMonth, HireBy, RampMonth, Timing

STEP, TALL = 30, 230
#: From this chance on the number in a cell is written on a dark ground.
DARK = 0.55

#: Numbers in cells, where there is room for them.
ROOM = alt.ExprRef("width < 380 ? 0 : 1")


@figure(rows=CapacityMonth)
def shortage(style: Style, by: str) -> Chart:
    """Chance of shortage of each region, or team, and month: the darker, the likelier; `by` names the rows' `label`."""
    tips = [
        *style.tips(**{by: "Group", "month": "Month"}),
        *style.tips_as(".0%", p_shortage="Chance of shortage", load="Load", load_low="At least", load_high="At most"),
        *style.tips_as(",.0f", hours_load="Hours of work", hours_capacity="Hours there are"),
        *style.tips_as(",.1f", n_sellers="Sellers"),
    ]
    base = alt.Chart().encode(
        alt.X("month:O", axis=style.months(domain=False), title=None, scale=alt.Scale(padding=0.04)),
        style.down(by, title=None, axis=style.names(by, labelLimit=170, labelColor=colour("ink"))),
        tooltip=tips,
    )
    light = f"datum.p_shortage < {DARK}"
    return alt.layer(
        base.mark_rect(cornerRadius=2, cursor="pointer", color=colour("bad"), strokeWidth=2).encode(
            opacity=alt.Opacity("p_shortage:Q", scale=alt.Scale(domain=[0, 1], range=[0.04, 1]), legend=None),
            stroke=alt.condition("datum.is_short", alt.value(colour("ink")), alt.value(None)),
        ),
        base.mark_text(fontSize=11, cursor="pointer", opacity=ROOM).encode(
            text=alt.Text("p_shortage:Q", format=".0%"),
            color=alt.condition(light, alt.value(colour("ink")), alt.value(colour("panel"))),
        ),
    ).properties(height=alt.Step(STEP))


@figure(rows=CapacityMonth)
def ahead(style: Style) -> Chart:
    """Hours of work that deals bring, with their 95 % band, and the hours that sellers have, month by month."""
    tips = [
        *style.tips(month="Month"),
        *style.tips_as(",.0f", hours_load="Hours of work", hours_load_low="At least", hours_load_high="At most",
                       hours_capacity="Hours there are"),
        *style.tips_as(".0%", p_shortage="Chance of shortage"),
        *style.tips_as(",.1f", n_sellers="Sellers", n_ramped="Of them, as tenured ones"),
    ]  # fmt: skip
    x = alt.X("month:O", axis=style.months(), title=None, scale=alt.Scale(type="point", padding=0.4))
    base = alt.Chart().encode(x, tooltip=tips)
    axis = style.counts(grid=True)

    def y(field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", title=None, axis=axis, scale=alt.Scale(zero=True), stack=None)

    layers = []
    for name, ink, strong in (("capacity", "actual", 0.14), ("load", "accent", 0.2)):
        layers += [
            base.mark_area(color=colour(ink), opacity=strong).encode(
                y(f"hours_{name}_low"), alt.Y2(f"hours_{name}_high:Q")
            ),
            base.mark_line(color=colour(ink), strokeDash=[5, 3] if name == "load" else [1, 0]).encode(
                y(f"hours_{name}")
            ),
            base.mark_point(color=colour(ink), size=45).encode(y(f"hours_{name}")),
        ]
    return alt.layer(*layers).properties(height=TALL)


@figure(rows=CapacityMonth)
def bookings_capacity(style: Style) -> Chart:
    """Signed revenue forecast, with its 95 % band, beside what the sellers there sign at the pace of the past."""
    tips = [
        *style.tips(month="Month"),
        *style.tips_as("$,.0f", bookings="Forecast", bookings_low="At least", bookings_high="At most",
                       bookings_capacity="At the pace of the past"),
        *style.tips_as(",.1f", n_ramped="Sellers, as tenured ones"),
    ]  # fmt: skip
    x = alt.X("month:O", axis=style.months(), title=None, scale=alt.Scale(type="point", padding=0.4))
    base = alt.Chart().encode(x, tooltip=tips)

    def y(field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", title=None, axis=style.money(grid=True), scale=alt.Scale(zero=True), stack=None)

    return alt.layer(
        base.mark_area(color=colour("accent"), opacity=0.2).encode(y("bookings_low"), alt.Y2("bookings_high:Q")),
        base.mark_line(color=colour("accent"), strokeDash=[5, 3]).encode(y("bookings")),
        base.mark_line(color=colour("actual")).encode(y("bookings_capacity")),
        base.mark_point(color=colour("actual"), size=45).encode(y("bookings_capacity")),
    ).properties(height=TALL)


@figure(rows=HireBy)
def hire_by(style: Style) -> Chart:
    """For each region that will be short: from the day to recruit by (▶) over the start to the month of the shortage (▼).

    The rows carry `label`, `told` and `today_date`, the day of the data, a line.
    """
    tips = style.tips(label="Group", hire_by_date="Recruit from", start_date="Start", shortage_date="Short from",
                      n_hires="Hires", days_late="Days late")  # fmt: skip
    base = (
        alt.Chart()
        .transform_calculate(
            hire_by_date="datum.hire_by", start_date="datum.start_month", shortage_date="datum.shortage_month"
        )
        .encode(
            style.down("label", title=None, axis=style.names("label", labelLimit=170, labelColor=colour("ink"))),
            tooltip=tips,
        )
    )
    scale, axis = alt.Scale(type="utc", nice=False), style.quarters(grid=True)
    # Room in days, and not in pixels: the same days at every width, for those who listen too.
    room = (
        alt.Chart()
        .transform_joinaggregate(first="min(hire_by)", last="max(shortage_month)")
        .transform_calculate(
            first_date="utcOffset('date', datum.first, -15)", last_date="utcOffset('date', datum.last, 15)"
        )
        .mark_rule(opacity=0, aria=False)
    )

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:T", title=None, axis=axis, scale=scale)

    late = alt.condition("isValid(datum.days_late)", alt.value(colour("bad")), alt.value(colour("accent")))
    today = alt.Chart().mark_rule(color=colour("ink"), strokeDash=[4, 3])
    return alt.layer(
        room.encode(x("first_date"), alt.X2("last_date:T")),
        today.encode(x("today_date"), tooltip=style.tips(today_date="Data of")),
        base.mark_rule(strokeWidth=3).encode(x("hire_by_date"), alt.X2("start_date:T"), color=late),
        base.mark_rule(strokeWidth=1.5, strokeDash=[2, 3]).encode(x("start_date"), alt.X2("shortage_date:T")),
        base.mark_point(shape="triangle-right", size=110).encode(x("hire_by_date"), color=late),
        base.mark_point(shape="circle", size=55).encode(x("start_date"), color=late),
        base.mark_point(shape="triangle-down", size=110, color=colour("ink")).encode(x("shortage_date")),
        style.right("datum.told", "label"),
    ).properties(height=alt.Step(STEP), padding=BESIDE)  # fmt: skip


@figure(rows=Timing)
def timing(style: Style, is_costed: bool) -> Chart:
    """What hiring sooner or later than planned costs, months along the axis; the plan is 0.

    With `is_costed`, salaries and lost margin together against the plan, with the 95 % interval; else, as no salary is
    stated, the hours nobody has time for, and the months paid before they are needed.
    """
    x = alt.X(
        "shift_months:O", title=style.words("Months later than planned"), axis=alt.Axis(labelAngle=0, labelExpr=_SIGNED)
    )
    place = alt.condition("datum.is_possible", alt.value(1), alt.value(0.35))
    if is_costed:
        tips = style.tips_as("$,.0f", more="Against the plan", more_low="At least", more_high="At most", salary="Salaries",
                             revenue_short="Revenue not carried")  # fmt: skip
        base = alt.Chart().encode(x, tooltip=[*style.tips(shift_months="Months later"), *tips], opacity=place)
        y = alt.Y("more:Q", title=None, axis=style.money(grid=True), scale=alt.Scale(zero=True))
        return alt.layer(
            style.zero(),
            base.mark_rule(strokeWidth=3, strokeCap="round", strokeOpacity=0.45).encode(
                alt.Y("more_low:Q", title=None, axis=style.money(grid=True)), alt.Y2("more_high:Q")
            ),
            base.mark_point(color=colour("accent"), size=75).encode(y),
        ).properties(height=TALL - 30)
    tips = style.tips_as(
        ",.0f", hours_short="Hours nobody has time for", hours_short_low="At least", hours_short_high="At most"
    )
    idle = style.tips_as(",.1f", seller_months_idle="Months paid before they are needed")
    base = alt.Chart().encode(x, tooltip=[*style.tips(shift_months="Months later"), *tips, *idle], opacity=place)
    axis = style.counts(grid=True)
    return alt.layer(
        base.mark_rule(strokeWidth=3, strokeCap="round", strokeOpacity=0.45).encode(
            alt.Y("hours_short_low:Q", title=None, axis=axis, scale=alt.Scale(zero=True)), alt.Y2("hours_short_high:Q")
        ),
        base.mark_point(color=colour("accent"), size=75).encode(alt.Y("hours_short:Q", title=None, axis=axis)),
    ).properties(height=TALL - 30)  # fmt: skip


@figure(rows=RampMonth)
def ramp(style: Style) -> Chart:
    """What a new seller does of a tenured one's work, month by month since hiring, with the 95 % interval."""
    tips = [
        *style.tips(months_since_hire="Months since hiring"),
        *style.tips_as(".0%", productivity_share="Of a tenured one's work", productivity_share_low="At least",
                       productivity_share_high="At most"),
        *style.tips(n_hires="New sellers it was learnt from"),
    ]  # fmt: skip
    x = alt.X("months_since_hire:Q", title=style.words("Months since hiring"), axis=alt.Axis(tickCount=6))
    base = alt.Chart().encode(x, tooltip=tips)

    def y(field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", title=None, axis=style.share(grid=True), scale=alt.Scale(zero=True), stack=None)

    return alt.layer(
        base.mark_area(opacity=0.16, color=colour("actual")).encode(
            y("productivity_share_low"), alt.Y2("productivity_share_high:Q")
        ),
        base.mark_line().encode(y("productivity_share")),
        base.mark_point(size=40).encode(y("productivity_share")),
    ).properties(height=TALL - 30)


_SIGNED = "datum.value > 0 ? '+' + datum.value : datum.value == 0 ? '0' : '\u2212' + abs(datum.value)"
