"""How to pay: the curve of pay with its jumps, what a plan may cost, who gains and loses between two."""

import altair as alt

from cadran.figures.figure import Chart, figure
from cadran.figures.style import BESIDE, Style
from cadran.figures.theme import colour
from cadran.tables.measured.pay import PayAttainment, PayCompared, PayCost, PayCurve

STEP, TALL = 28, 240
#: The first plan, and that it is compared with -> colour, dashes.
PLANS = {"first": ("accent", [1, 0]), "other": ("ink", [6, 3])}


@figure(rows=PayCurve)
def curve(style: Style) -> Chart:
    """Variable pay at each attainment; where it jumps a hollow ring, where the next deal pays nothing a thick line.

    The rows carry `place_plan`, "first" or "other".
    """
    tips = [
        *style.tips(plan="Plan"),
        *style.tips_as(".0%", attainment="Of the quota"),
        *style.tips_as("$,.0f", pay="Variable pay"),
        *style.tips_as(".4f", marginal_rate="Per next unit signed"),
        *style.tips(at="What changes here"),
    ]
    axis = alt.Axis(format=".0%", tickCount=8)
    base = alt.Chart().encode(
        alt.X("attainment:Q", title=style.words("Attainment of the quota"), axis=axis, scale=alt.Scale(nice=False)),
        alt.Y("pay:Q", title=None, axis=style.money(grid=True), scale=alt.Scale(zero=True), stack=None),
        tooltip=tips,
    )
    layers = []
    for place, (ink, dash) in PLANS.items():
        mine = base.transform_filter(f"datum.place_plan == '{place}'")
        layers += [
            mine.mark_line(color=colour(ink), strokeDash=dash),
            mine.transform_filter("datum.is_flat").mark_point(
                shape="square", size=12, color=colour("bad"), opacity=0.6
            ),
            mine.transform_filter("datum.is_cliff").mark_point(
                filled=False, size=90, strokeWidth=2, color=colour("bad")
            ),
        ]
    return alt.layer(*layers).properties(height=TALL)


@figure(rows=PayCost)
def cost(style: Style) -> Chart:
    """What variable pay may cost, period by period: bands of 50, 80 and 95 % around the median."""
    tips = [
        *style.tips(period="From", n_months="Months simulated"),
        *style.tips_as("$,.0f", pay="Mean", q50="Median", low="At least, 95 %", high="At most, 95 %"),
        *style.tips_as(".1%", pay_share="Of what is signed", pay_share_low="At least", pay_share_high="At most"),
    ]
    base = alt.Chart().encode(alt.X("period:O", axis=style.periods("quarter"), title=None), tooltip=tips)

    def y(field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", title=None, axis=style.money(grid=True), scale=alt.Scale(zero=True), stack=None)

    bands = (("low", "high", 0.18), ("q10", "q90", 0.22), ("q25", "q75", 0.32))
    return alt.layer(
        *(
            base.mark_bar(width={"band": 0.5}, color=colour("accent"), opacity=strong).encode(
                y(low), alt.Y2(f"{high}:Q")
            )
            for low, high, strong in bands
        ),
        base.mark_tick(thickness=2.5, width={"band": 0.5}, color=colour("accent")).encode(y("q50")),
    ).properties(height=TALL - 30)


@figure(rows=PayCompared)
def compared(style: Style) -> Chart:
    """What each team would get more or less under the other plan; beside it, how many sellers gain and lose.

    The rows carry `label` and `told`.
    """
    tips = [
        *style.tips(label="Team", n_sellers="Sellers", n_gain="Gain", n_lose="Lose", n_same="The same"),
        *style.tips_as("$,.0f", pay_a="Under the first plan", pay_b="Under the other", difference_pay="Difference",
                       gain_pay="Gained in all", lose_pay="Lost in all"),
    ]  # fmt: skip
    names = style.names("label", labelLimit=170, labelColor=colour("ink"))
    ink = alt.condition("datum.difference_pay >= 0", alt.value(colour("good")), alt.value(colour("bad")))
    base = alt.Chart().encode(style.down("label", title=None, axis=names), tooltip=tips)
    return alt.layer(
        alt.Chart().mark_rule(color=colour("muted")).encode(x=alt.datum(0)),
        base.mark_bar(height={"band": 0.55}).encode(
            alt.X("difference_pay:Q", title=None, axis=style.money(grid=True)), color=ink
        ),
        style.right("datum.told", "label"),
    ).properties(height=alt.Step(STEP), padding=BESIDE)


@figure(rows=PayAttainment)
def attained(style: Style) -> Chart:
    """How many sellers may reach how much of their quota, with the 95 % interval. The rows carry `label`."""
    tips = [
        *style.tips(label="Of the quota"),
        *style.tips_as(",.1f", n_expected="Sellers expected", n_expected_low="At least", n_expected_high="At most"),
    ]
    axis = style.counts(grid=True)
    base = alt.Chart().encode(
        alt.X("label:N", sort=alt.EncodingSortField("place", op="min"), title=None, axis=alt.Axis(labelAngle=0)),
        tooltip=tips,
    )
    return alt.layer(
        base.mark_bar(color=colour("accent"), opacity=0.5, width={"band": 0.62}).encode(
            alt.Y("n_expected:Q", title=None, axis=axis)
        ),
        base.mark_rule(strokeWidth=2).encode(
            alt.Y("n_expected_low:Q", title=None, axis=axis), alt.Y2("n_expected_high:Q")
        ),
    ).properties(height=TALL - 30)
