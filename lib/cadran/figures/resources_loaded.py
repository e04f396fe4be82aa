"""Who is loaded: open, new and overdue deals by group and over time, balance, results against targets, staff."""

import altair as alt

from cadran.figures.figure import Chart, figure
from cadran.figures.style import BESIDE, Style
from cadran.figures.theme import colour
from cadran.tables.measured.resources import ActivityLoad, Attainment, Balance, Growth, Heads, Load, Tenure

STEP, TALL = 28, 210
#: What comes in and goes out of the open deals -> words, colour, side of the line.
FLOWS = {
    "n_new": ("New", "accent", 1),
    "n_won": ("Won", "actual", -1),
    "n_lost": ("Lost", "lost", -1),
    "n_disqualified": ("Disqualified", "previous", -1),
}


@figure(rows=Balance, whole=Balance)
def balance(style: Style, by: str, is_money: bool) -> Chart:
    """What the seller in the middle of each group has, beside that of the whole company, a line.

    The rows carry `told`: sellers, and how many lie beyond ±15 % of their group's median.
    """
    axis = style.money(grid=True) if is_money else style.counts(grid=True)
    tips = [
        *style.tips(**{by: "Group"}, n_sellers="Sellers"),
        *style.tips_as("$,.0f" if is_money else ",.1f", total="Together", median_load="The one in the middle"),
        *style.tips(n_above="More than 115 % of it", n_below="Less than 85 % of it"),
        *style.tips_as(".2f", gini="Gini index", gini_luck="Of luck alone"),
    ]
    base = alt.Chart().encode(_groups(style, by), tooltip=tips)
    scale = alt.Scale(zero=True)
    whole = alt.Chart(alt.NamedData("whole")).mark_rule(strokeDash=[4, 3], color=colour("ink"))
    return alt.layer(
        style.rows(by),
        base.mark_bar(height={"band": 0.5}, cursor="pointer").encode(
            alt.X("median_load:Q", title=None, axis=axis, scale=scale), color=style.ink(), opacity=style.fade()
        ),
        whole.encode(
            alt.X("median_load:Q", title=None, axis=axis, scale=scale),
            tooltip=style.tips_as("$,.0f" if is_money else ",.1f", median_load="Company: the one in the middle"),
        ),
        style.right("datum.told", by),
    ).properties(height=alt.Step(STEP), padding=BESIDE)


@figure(rows=Load)
def open_by(style: Style, by: str) -> Chart:
    """Open deals of each group or seller, those past their expected date apart."""
    tips = style.tips(**{by: "Who"}, n_open="Open deals", n_overdue="Of them, overdue", n_new="New deals",
                      amount_open="Open amount", n_won="Won deals", n_lost="Lost deals")  # fmt: skip
    base = alt.Chart().encode(_groups(style, by), tooltip=tips)
    axis = style.counts(grid=True)
    return alt.layer(
        style.rows(by),
        base.mark_bar(height={"band": 0.62}, cursor="pointer").encode(
            alt.X("n_open:Q", title=None, axis=axis), color=style.ink("previous"), opacity=style.fade()
        ),
        base.mark_bar(height={"band": 0.3}, color=colour("bad")).encode(alt.X("n_overdue:Q", title=None, axis=axis)),
        style.right(
            "isValid(datum.n_open) ? format(datum.n_overdue, ',') + ' / ' + format(datum.n_open, ',') : null", by
        ),
    ).properties(height=alt.Step(STEP), padding=BESIDE)


@figure(rows=Load)
def flows(style: Style, every: str) -> Chart:
    """Deals that came in above the line, and went out below it, period by period; one begun is paler."""
    words = {name: style.words(text) for name, (text, _, _) in FLOWS.items()}
    colours = alt.Scale(domain=list(FLOWS), range=[colour(ink) for _, ink, _ in FLOWS.values()])
    signs = {name: side for name, (_, _, side) in FLOWS.items()}
    legend = style.keys()
    legend.columns = 4
    legend.labelExpr = f"{words}[datum.value]"
    bars = (
        alt.Chart()
        .transform_fold(list(FLOWS), as_=["flow", "n_deals"])
        .transform_calculate(
            moved=f"datum.n_deals * {signs}[datum.flow]",
            label=f"{words}[datum.flow]",
            order=f"indexof({list(FLOWS)}, datum.flow)",
        )
        .mark_bar(width={"band": 0.68})
        .encode(
            alt.X("period:O", axis=style.periods(every), title=None),
            alt.Y("moved:Q", title=None, axis=style.counts(grid=True)),
            alt.Color("flow:N", scale=colours, legend=legend),
            order="order:Q",
            opacity=alt.condition("datum.is_whole", alt.value(1), alt.value(0.55)),
            tooltip=style.tips(period="From", until="Until", label="What", n_deals="Deals"),
        )
    )
    return alt.layer(bars, style.zero()).properties(height=TALL)


@figure(rows=Load)
def stock(style: Style, every: str) -> Chart:
    """Deals open at the end of each period, and those of them past their expected date."""
    tips = style.tips(until="End of", n_open="Open deals", n_overdue="Of them, overdue", n_undated="Without an expected date",
                      amount_open="Open amount")  # fmt: skip
    x = alt.X("period:O", axis=style.periods(every), title=None, scale=alt.Scale(type="point", padding=0.4))
    base = alt.Chart().encode(x, tooltip=tips)
    axis, scale = style.counts(grid=True), alt.Scale(zero=True)
    layers = []
    for field, ink, strong in (("n_open", "actual", 0.12), ("n_overdue", "bad", 0.3)):
        y = alt.Y(f"{field}:Q", title=None, axis=axis, scale=scale, stack=None)
        layers += [
            base.mark_area(color=colour(ink), opacity=strong).encode(y),
            base.mark_line(color=colour(ink)).encode(y),
            base.mark_point(color=colour(ink), size=45).encode(y),
        ]
    return alt.layer(*layers).properties(height=TALL)


@figure(rows=Growth)
def growth(style: Style) -> Chart:
    """Change within a year of what comes in and is signed, with its interval. The rows carry `label` and `told`."""
    tips = [
        *style.tips(label="Quantity"),
        *style.tips_as("+.0%", growth="Within a year", growth_low="At least", growth_high="At most"),
        *style.tips(n_periods="Months looked at", n="Deals"),
    ]
    base = alt.Chart().encode(
        style.down("label", title=None, axis=style.names("label", labelLimit=170, labelColor=colour("ink"))),
        tooltip=tips,
    )
    axis = alt.Axis(format="+.0%", labelExpr="datum.value ? datum.label : '0'", grid=True, tickCount=5)
    ink = alt.condition("datum.is_change", alt.value(colour("accent")), alt.value(colour("muted")))
    return alt.layer(
        alt.Chart().mark_rule(color=colour("muted")).encode(x=alt.datum(0)),
        base.mark_rule(strokeWidth=3, strokeCap="round", strokeOpacity=0.45).encode(
            alt.X("growth_low:Q", title=None, axis=axis), alt.X2("growth_high:Q"), color=ink
        ),
        base.mark_point().encode(alt.X("growth:Q", title=None, axis=axis), color=ink),
        style.right("datum.told", "label"),
    ).properties(height=alt.Step(STEP), padding=BESIDE)


@figure(rows=Attainment)
def attainment(style: Style, by: str) -> Chart:
    """Signed so far in dark, the target outlined, and a mark at what is usually signed by that day.

    The rows carry `told`, and `usual_amount`: target × expected_share.
    """
    tips = [
        *style.tips(**{by: "Group"}),
        *style.tips_as("$,.0f", amount_won="Signed so far", target="Target", usual_amount="Usual by this day"),
        *style.tips_as(".0%", attainment="Of the target", pace="Pace", pace_low="At least", pace_high="At most"),
        *style.tips(n_won="Won deals"),
    ]
    base = alt.Chart().encode(_groups(style, by), tooltip=tips)

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", title=None, axis=style.money(grid=True), scale=alt.Scale(zero=True))

    return alt.layer(
        style.rows(by),
        base.mark_bar(height={"band": 0.62}, filled=False, stroke=colour("muted"), strokeWidth=1.5).encode(x("target")),
        base.mark_bar(height={"band": 0.4}, cursor="pointer").encode(
            x("amount_won"), color=style.ink(), opacity=style.fade()
        ),
        base.mark_tick(thickness=2.5, size=22, color=colour("accent")).encode(x("usual_amount")),
        style.right("datum.told", by),
    ).properties(height=alt.Step(STEP), padding=BESIDE)


@figure(rows=ActivityLoad)
def touches(style: Style, every: str) -> Chart:
    """Touches a seller, period by period."""
    tips = [
        *style.tips(until="End of", n_sellers="Sellers", n_touches="Touches"),
        *style.tips_as(",.1f", touches_per_seller="A seller", timed_hours_per_seller="Hours logged, a seller"),
        *style.tips(after_hours_share="Outside working hours"),
    ]
    x = alt.X("period:O", axis=style.periods(every), title=None, scale=alt.Scale(type="point", padding=0.4))
    y = alt.Y("touches_per_seller:Q", title=None, axis=style.counts(grid=True), scale=alt.Scale(zero=True))
    base = alt.Chart().encode(x, y, tooltip=tips)
    return alt.layer(base.mark_line(), base.mark_point(size=50)).properties(height=TALL)


@figure(rows=Heads)
def heads(style: Style, every: str) -> Chart:
    """Sellers present at the end of each period; who joined above it, who left below."""
    tips = style.tips(until="End of", n_heads="Sellers", n_joined="Joined", n_left="Left", n_moved_in="Moved in",
                      n_moved_out="Moved out", median_tenure_days="Half are there for less than")  # fmt: skip
    x = alt.X("period:O", axis=style.periods(every), title=None, scale=alt.Scale(type="band", paddingInner=0.3))
    axis = style.counts(grid=True)
    base = alt.Chart().encode(x, tooltip=tips)
    left = base.transform_calculate(below="-datum.n_left")
    return alt.layer(
        base.mark_bar(color=colour("previous")).encode(alt.Y("n_heads:Q", title=None, axis=axis, stack=None)),
        base.mark_bar(color=colour("accent")).encode(alt.Y("n_joined:Q", title=None, axis=axis, stack=None)),
        left.mark_bar(color=colour("lost")).encode(alt.Y("below:Q", title=None, axis=axis, stack=None)),
        style.zero(),
    ).properties(height=TALL)


@figure(rows=Tenure)
def tenure(style: Style) -> Chart:
    """Deals won a month by sellers of each tenure, with its interval. The rows carry `label` and `told`."""
    tips = [
        *style.tips(label="Time since hiring", n_heads="Sellers now", n_sellers="Sellers seen at that tenure"),
        *style.tips_as(".2f", won_per_month="Won a month", won_per_month_low="At least", won_per_month_high="At most"),
    ]
    base = alt.Chart().encode(
        style.down("label", title=None, axis=style.names("label", labelLimit=170, labelColor=colour("ink"))),
        tooltip=tips,
    )
    axis, scale = alt.Axis(format=",.1f", grid=True, tickCount=5), alt.Scale(zero=True)
    return alt.layer(
        base.mark_rule(strokeWidth=3, strokeCap="round", strokeOpacity=0.45).encode(
            alt.X("won_per_month_low:Q", title=None, axis=axis, scale=scale), alt.X2("won_per_month_high:Q")
        ),
        base.mark_point().encode(alt.X("won_per_month:Q", title=None, axis=axis, scale=scale)),
        style.right("datum.told", "label"),
    ).properties(height=alt.Step(STEP), padding=BESIDE)


def _groups(style: Style, by: str) -> alt.Y:
    return style.down(by, title=None, axis=style.names(by, labelLimit=170, labelColor=colour("ink")))
