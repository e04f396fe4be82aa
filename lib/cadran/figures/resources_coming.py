"""What is coming: signed revenue by month with its bands, what it is made of, why it moved, what was forecast before."""

import altair as alt

from cadran.figures.columns_planned import PARTS
from cadran.figures.figure import Chart, figure
from cadran.figures.style import BESIDE, Style
from cadran.figures.theme import colour
from cadran.tables.measured.forecast import Came, Changed, Forecast, Made, Signed

TALL, STEP = 270, 26
#: What others say of a period -> words, shape of its mark.
RIVALS = {
    "crm": ("CRM: amount × stage probability", "circle"),
    "commit": ("Sellers: commit", "square"),
    "best_case": ("Sellers: best case", "triangle-up"),
    "last_year": ("Same months, a year before", "diamond"),
    "run_rate": ("As in the last three months", "cross"),
}
#: The colours of what a forecast is made of.
INKS = {"won": "actual", "open": "accent", "arrivals": "previous", "series": "lost"}
#: The bands of a forecast: its ends and how strong it is drawn. Each lies on those before it.
BANDS = (("low", "high", 0.18), ("q10", "q90", 0.22), ("q25", "q75", 0.32))


@figure(rows=Forecast, signed=Signed)
def fan(style: Style, every: str, rivals: tuple[str, ...]) -> Chart:
    """What was signed in dark bars, what is coming as bands (50, 80, 95 %) around the median, the target outlined.

    `every` is "month" or "quarter"; what the `rivals` say stands as small marks.
    """
    tips = [
        *style.tips(period="From"),
        *style.tips_as("$,.0f", q50="As often below as above", low="At least, 95 %", high="At most, 95 %", won="Signed so far",
                       target="Target"),
        *style.tips(p_target="Chance to reach it"),
    ]  # fmt: skip
    x = alt.X("period:O", axis=style.periods(every), title=None, scale=alt.Scale(paddingInner=0.2, paddingOuter=0.1))
    base = alt.Chart().encode(x, tooltip=tips)
    past = alt.Chart(alt.NamedData("signed")).mark_bar(width={"band": 0.8})
    was = [*style.tips(period="From"), *style.tips_as("$,.0f", bookings="Signed")]
    bands = [
        base.mark_bar(width={"band": 0.8}, color=colour("accent"), opacity=strong).encode(
            _money(style, low), alt.Y2(f"{high}:Q")
        )
        for low, high, strong in BANDS
    ]
    layers = [
        past.encode(x, _money(style, "bookings"), tooltip=was),
        *bands,
        base.mark_bar(width={"band": 0.36}).encode(_money(style, "won")),
        base.mark_tick(thickness=2.5, width={"band": 0.8}, color=colour("accent")).encode(_money(style, "q50")),
        base.mark_tick(thickness=2.5, width={"band": 0.98}, color=colour("ink")).encode(_money(style, "target")),
    ]
    if rivals:
        layers.append(_rivals(style, x, rivals))
    return alt.layer(style.zero(), *layers).resolve_scale(shape="independent").properties(height=TALL)


def _rivals(style: Style, x: alt.X, rivals: tuple[str, ...]) -> alt.Chart:
    words = {name: style.words(RIVALS[name][0]) for name in rivals}
    legend = alt.Legend(
        labelExpr=f"{words}[datum.value]",
        labelLimit=300,
        columns=alt.ExprRef("containerSize()[0] < 520 ? 1 : 3"),  # type: ignore[arg-type]
        symbolStrokeColor=colour("ink"),
        symbolFillColor="transparent",
    )
    shapes = alt.Scale(domain=list(rivals), range=[RIVALS[name][1] for name in rivals])
    return (
        alt.Chart()
        .transform_fold(list(rivals), as_=["rival", "said"])
        .transform_filter("isValid(datum.said)")
        .transform_calculate(rival_label=f"{words}[datum.rival]")
        .mark_point(filled=False, size=42, color=colour("ink"), strokeWidth=1.3)
        .encode(
            x,
            alt.Y("said:Q", title=None, axis=style.money(grid=True)),
            alt.Shape("rival:N", scale=shapes, legend=legend),
            tooltip=[*style.tips(rival_label="Who"), *style.tips(period="From"), *style.tips_as("$,.0f", said="Says")],
        )
    )


@figure(rows=Made)
def made_of(style: Style, every: str) -> Chart:
    """What each period's forecast is made of: signed, open deals, deals still to be created, the series' say."""
    words = {name: style.words(text) for name, text in PARTS.items()}
    colours = alt.Scale(domain=list(INKS), range=[colour(ink) for ink in INKS.values()])
    legend = style.keys()
    legend.labelExpr = f"{words}[datum.value]"
    bars = alt.Chart().transform_calculate(part_label=f"{words}[datum.part]").mark_bar(width={"band": 0.62})
    return alt.layer(
        bars.encode(
            alt.X("period:O", axis=style.periods(every), title=None),
            alt.Y("bookings:Q", title=None, axis=style.money(grid=True)),
            alt.Color("part:N", scale=colours, legend=legend),
            tooltip=[
                *style.tips(period="From", part_label="Part"),
                *style.tips_as("$,.0f", bookings="Expected"),
            ],
        ),
        style.zero(),
    ).properties(height=TALL - 60)


@figure(rows=Changed)
def moved(style: Style) -> Chart:
    """From the forecast then to that of now: a bar for each cause, hanging where the one before ended.

    The rows carry `label`, the words of each cause.
    """
    told = style.money_text("datum.bookings")
    is_total = "datum.cause == 'opening' || datum.cause == 'closing'"
    chart = (
        alt.Chart()
        .transform_calculate(step="datum.cause == 'closing' ? 0 : datum.bookings")
        .transform_window(ends="sum(step)")
        .transform_calculate(
            start=f"{is_total} ? 0 : datum.ends - datum.step",
            kind=f"{is_total} ? 'total' : datum.bookings >= 0 ? 'good' : 'bad'",
        )
    )
    tips = [
        *style.tips(label="Cause"),
        *style.tips_as("$,.0f", bookings="Amount"),
        *style.tips(n_deals="Deals behind it"),
    ]
    kinds = alt.Scale(domain=["total", "good", "bad"], range=[colour(c) for c in ("actual", "good", "bad")])
    names = style.names("label", labelLimit=190, labelColor=colour("ink"))
    return alt.layer(
        chart.mark_bar(height={"band": 0.62}).encode(
            style.down("label", title=None, axis=names),
            alt.X("start:Q", title=None, axis=style.money(grid=True), scale=alt.Scale(zero=True)),
            alt.X2("ends:Q"),
            alt.Color("kind:N", scale=kinds, legend=None),
            tooltip=tips,
        ),
        style.right(f"({is_total} || datum.bookings < 0 ? '' : '+') + {told}", "label"),
    ).properties(height=alt.Step(STEP), padding=BESIDE)


@figure(rows=Came)
def calls(style: Style) -> Chart:
    """What was forecast for each period (80 and 95 % interval, median), and what came, as a dark dot."""
    tips = [
        *style.tips(month="Month", origin_date="Forecast made on"),
        *style.tips_as("$,.0f", q50="As often below as above", q10="At least, 80 %", q90="At most, 80 %", actual="What came"),
    ]  # fmt: skip
    base = (
        alt.Chart()
        .transform_calculate(origin_date="datum.origin")
        .encode(alt.X("month:O", axis=style.periods("month"), title=None), tooltip=tips)
    )
    return alt.layer(
        style.zero(),
        *(
            base.mark_bar(width={"band": 0.7}, color=colour("accent"), opacity=strong).encode(
                _money(style, low), alt.Y2(f"{high}:Q")
            )
            for low, high, strong in BANDS[:2]
        ),
        base.mark_tick(thickness=2, width={"band": 0.7}, color=colour("accent")).encode(_money(style, "q50")),
        base.mark_point(size=60, color=colour("ink")).encode(_money(style, "actual")),
    ).properties(height=TALL - 60)


def _money(style: Style, field: str) -> alt.Y:
    return alt.Y(f"{field}:Q", title=None, axis=style.money(grid=True), scale=alt.Scale(zero=True), stack=None)
