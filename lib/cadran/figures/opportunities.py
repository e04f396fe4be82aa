"""What we draw of deals: volumes over time, win rates, the bridge between two dates, clients, pipeline, cycle."""

import altair as alt

from cadran.figures.figure import Chart, figure
from cadran.figures.style import BESIDE, Style
from cadran.figures.theme import colour
from cadran.tables.measured.clients import ClientConcentration
from cadran.tables.measured.cycle import Cycle
from cadran.tables.measured.opportunities import Volumes, WinRate
from cadran.tables.measured.pipeline import Pipeline
from cadran.tables.measured.trend import Trend
from cadran.tables.measured.waterfall import Waterfall

#: Height of one row of a horizontal chart, in pixels: a finger fits.
STEP = 26
#: Height of a chart over time, in pixels.
TALL = 210
#: Causes of a waterfall that are good news, and bad; the others are neither.
GOOD = ("won", "new", "reopened", "transferred_in", "pulled_in", "amount_up")
BAD = ("lost", "disqualified", "transferred_out", "pushed_out", "amount_down")


@figure(rows=Volumes, before=Volumes)
def volumes_over_time(style: Style, by: str, won: str, lost: str) -> Chart:
    """Won above the line, lost below it, by month of closing; the same month a year before in light grey behind.

    `won` and `lost` name the columns shown: counts or amounts. "before" holds the year before, on this year's months.
    """
    axis = style.money(grid=True) if won.startswith("amount") else style.counts(grid=True)
    tips = style.tips(**{by: "Month", won: "Won", lost: "Lost", "n_won": "Won deals", "n_lost": "Lost deals"})
    x = alt.X(f"{by}:O", axis=style.months(), title=None, scale=alt.Scale(paddingInner=0.12, paddingOuter=0.1))
    upward = alt.Y(f"{won}:Q", title=None, axis=axis, stack=None)
    old = alt.Chart(alt.NamedData("before")).mark_bar(color=colour("previous"), width={"band": 0.86})
    new = alt.Chart().mark_bar(width={"band": 0.56}, cursor="pointer")
    below = new.transform_calculate(below=f"-datum.{lost}").encode(
        x,
        alt.Y("below:Q", title=None, axis=axis, stack=None),
        color=style.ink("lost"),
        opacity=style.fade(),
        tooltip=tips,
    )
    old_below = old.transform_calculate(below=f"-datum.{lost}").encode(x, alt.Y("below:Q", axis=axis, stack=None))
    above = new.encode(x, upward, color=style.ink(), opacity=style.fade(), tooltip=tips)
    layers = alt.layer(old.encode(x, upward), old_below, above, below, style.zero())
    return layers.resolve_scale(color="independent").properties(height=TALL)


@figure(rows=WinRate)
def win_rate_by(style: Style, by: str) -> Chart:
    """Win rate of each group: a point, its 95 % interval, and how many deals it rests on."""
    base = alt.Chart().encode(_groups(style, by), tooltip=_rate_tips(style, by))
    return alt.layer(
        style.rows(by),
        base.mark_rule(strokeWidth=3, strokeCap="round", strokeOpacity=0.45, cursor="pointer").encode(
            alt.X("win_rate_low:Q", title=None, axis=style.share(grid=True), scale=alt.Scale(zero=True)),
            alt.X2("win_rate_high:Q"),
            color=style.ink(),
            opacity=style.fade(),
        ),
        base.mark_point(cursor="pointer").encode(alt.X("win_rate:Q"), color=style.ink(), opacity=style.fade()),
        style.right("isValid(datum.n_closed) ? 'n = ' + format(datum.n_closed, ',') : 'n = 0'", by),
    ).properties(height=alt.Step(STEP), padding=BESIDE)


@figure(rows=Trend)
def win_rate_over_time(style: Style, by: str) -> Chart:
    """Win rate of each period of closing, its 95 % interval as a band, and a mark where the team did something."""
    base = alt.Chart().encode(alt.X(f"{by}:T", axis=style.quarters(), title=None, scale=alt.Scale(type="utc")))
    share = alt.Scale(zero=True)
    tips = [*_rate_tips(style, by), *style.tips(actions="What the team did")]
    did = base.transform_filter("isValid(datum.actions)")
    return alt.layer(
        base.mark_area(opacity=0.16, color=colour("actual")).encode(
            alt.Y("win_rate_low:Q", title=None, axis=style.share(grid=True), scale=share), alt.Y2("win_rate_high:Q")
        ),
        did.mark_rule(strokeDash=[3, 3]).encode(tooltip=style.tips(actions="What the team did")),
        did.mark_point(shape="triangle-down", size=90, color=colour("ink"), yOffset=-4).encode(
            y=alt.value(0), tooltip=style.tips(actions="What the team did")
        ),
        base.mark_line().encode(alt.Y("win_rate:Q")),
        base.mark_point(cursor="pointer", size=80).encode(
            alt.Y("win_rate:Q"), color=style.ink(), opacity=style.fade(), tooltip=tips
        ),
    ).properties(height=TALL)


@figure(rows=Waterfall)
def bridge(style: Style, value: str) -> Chart:
    """From the pipeline at one date to that at another: a bar for each cause, hanging where the one before ended.

    `value` is "amount" or "n". The rows carry `label`, the words of each cause.
    """
    is_money = value == "amount"
    axis = style.money(grid=True) if is_money else style.counts(grid=True)
    told = style.money_text(f"datum.{value}") if is_money else f"format(datum.{value}, ',')"
    is_total = "datum.cause == 'opening' || datum.cause == 'closing'"
    chart = (
        alt.Chart()
        .transform_calculate(step=f"datum.cause == 'closing' ? 0 : datum.{value}")
        .transform_window(ends="sum(step)")
        .transform_calculate(
            start=f"{is_total} ? 0 : datum.ends - datum.step",
            kind=f"{is_total} ? 'total' : {_one_of(GOOD)} ? 'good' : {_one_of(BAD)} ? 'bad' : 'even'",
        )
    )
    tips = style.tips(label="Cause", amount="Amount", n="Deals added or taken away", n_deals="Deals concerned")
    base = chart.encode(_groups(style, "label"), tooltip=tips)
    kinds = alt.Scale(
        domain=["total", "good", "bad", "even"], range=[colour(c) for c in ("actual", "good", "bad", "muted")]
    )
    return alt.layer(
        style.rows("label"),
        base.mark_bar(height={"band": 0.62}, cursor="pointer", strokeWidth=2.5).encode(
            alt.X("start:Q", title=None, axis=axis, scale=alt.Scale(zero=True)),
            alt.X2("ends:Q"),
            alt.Color("kind:N", scale=kinds, legend=None),
            stroke=alt.condition("datum.state == 'selected'", alt.value(colour("ink")), alt.value(None)),
        ),
        style.right(f"({is_total} || datum.{value} < 0 ? '' : '+') + {told}", "label"),
    ).properties(height=alt.Step(STEP), padding=BESIDE)


@figure(rows=ClientConcentration)
def largest_clients(style: Style) -> Chart:
    """The clients that bring most revenue, each with the share that all down to it bring together."""
    tips = style.tips(client="Client", revenue="Signed revenue", revenue_share="Share", cumulative_share="Share so far",
                      n_won="Won deals")  # fmt: skip
    base = alt.Chart().encode(_groups(style, "client"), tooltip=tips)
    return alt.layer(
        style.rows("client"),
        base.mark_bar(height={"band": 0.62}, cursor="pointer").encode(
            alt.X("revenue:Q", title=None, axis=style.money(grid=True)), color=style.ink(), opacity=style.fade()
        ),
        style.right("format(datum.cumulative_share, '.0%')", "client"),
    ).properties(height=alt.Step(STEP), padding=BESIDE)


@figure(rows=Pipeline)
def pipeline_over_time(style: Style, value: str) -> Chart:
    """The open pipeline as it stood at the end of each month. `value` is "amount_open" or "n_open"."""
    axis = style.money(grid=True) if value.startswith("amount") else style.counts(grid=True)
    tips = style.tips(date="End of", amount_open="Open amount", n_open="Open deals", n_open_unknown="Of unknown amount")
    base = alt.Chart().encode(
        alt.X("date:O", axis=style.months(), title=None, scale=alt.Scale(type="point", padding=0.4)),
        alt.Y(f"{value}:Q", title=None, axis=axis, scale=alt.Scale(zero=True)),
        tooltip=tips,
    )
    return alt.layer(
        base.mark_area(color=colour("actual"), opacity=0.12), base.mark_line(), base.mark_point(size=60)
    ).properties(height=TALL)


@figure(rows=Cycle)
def cycle_by(style: Style, by: str) -> Chart:
    """Days from creation to winning, for each group: the median, and what one deal in ten exceeds."""
    tips = style.tips(**{by: "Group"}, median_days="Median", p90_days="One in ten exceeds", mean_days="Mean", n="Deals")
    base = alt.Chart().encode(_groups(style, by), tooltip=tips)
    return alt.layer(
        style.rows(by),
        base.mark_rule(strokeWidth=3, strokeOpacity=0.35, strokeCap="round").encode(
            alt.X("median_days:Q", title=None, axis=style.counts(grid=True), scale=alt.Scale(zero=True)),
            alt.X2("p90_days:Q"),
            color=style.ink(),
            opacity=style.fade(),
        ),
        base.mark_point(cursor="pointer").encode(alt.X("median_days:Q"), color=style.ink(), opacity=style.fade()),
        base.mark_tick(thickness=2, size=11).encode(alt.X("p90_days:Q"), color=style.ink(), opacity=style.fade()),
        style.right("isValid(datum.n) ? 'n = ' + format(datum.n, ',') : 'n = 0'", by),
    ).properties(height=alt.Step(STEP), padding=BESIDE)


def _groups(style: Style, by: str) -> alt.Y:
    return style.down(by, title=None, axis=style.names(by, labelLimit=170, labelColor=colour("ink")))


def _one_of(causes: tuple[str, ...]) -> str:
    return f"indexof({list(causes)}, datum.cause) >= 0"


def _rate_tips(style: Style, by: str) -> list[alt.Tooltip]:
    return style.tips(
        **{by: "Group"}, win_rate="Win rate", win_rate_low="At least", win_rate_high="At most",
        n_won="Won deals", n_closed="Closed deals",
    )  # fmt: skip
