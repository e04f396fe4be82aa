"""Open deals as bubbles: when each is likely to close, how likely it is won, how much it is worth, what to do."""

import altair as alt

from cadran.figures.figure import Chart, figure
from cadran.figures.style import STATES, Style
from cadran.figures.tasks import ACTIONS as ACTION_WORDS
from cadran.figures.theme import colour
from cadran.tables.measured.outlook import OpenDeal

#: Action -> colour and shape: neither alone tells them apart.
ACTIONS = {
    "secure": ("accent", "circle"),
    "push": ("bad", "triangle-up"),
    "watch": ("muted", "square"),
    "leave": ("lost", "cross"),
}


@figure(rows=OpenDeal)
def bubbles(style: Style) -> Chart:
    """Open deals: expected close × win probability, sized by amount; colour and shape say the action.

    Deals of unknown amount are hollow; those whose `state` is excluded fade. The opened deal has a ring.
    """
    words = {action: style.words(label) for action, label in ACTION_WORDS.items()}
    tips = style.tips(
        opportunity_id="Deal", client="Client", stage="Stage", action_label="Proposed", probability="Win probability",
        probability_low="At least", probability_high="At most", amount="Amount", close_date="Likely close",
    )  # fmt: skip
    label = f"{words}[datum.value]"
    legend = alt.Legend(
        labelExpr=label,
        columns=alt.ExprRef("containerSize()[0] < 420 ? 2 : 4"),
        symbolOpacity=1,
        symbolFillColor=None,
        labelColor=colour("ink"),
    )
    colours = [colour(each) for each, _ in ACTIONS.values()]
    action = alt.Color("action:N", scale=alt.Scale(domain=list(ACTIONS), range=colours), legend=legend)
    shape = alt.Shape(
        "action:N", scale=alt.Scale(domain=list(ACTIONS), range=[each for _, each in ACTIONS.values()]), legend=legend
    )
    base = (
        alt.Chart()
        .transform_calculate(size="isValid(datum.amount) ? datum.amount : 0", known="isValid(datum.amount)")
        .encode(
            alt.X("close_date:T", axis=style.quarters(grid=True), title=None, scale=alt.Scale(type="utc", nice=False)),
            alt.Y("probability:Q", title=None, axis=style.share(grid=True), scale=alt.Scale(domain=[0, 1])),
            alt.Size(
                "size:Q", scale=alt.Scale(range=[18, 900], domain=alt.DomainUnionWith(unionWith=[0, 1])), legend=None
            ),
            shape=shape,
            opacity=alt.Opacity(
                "state:N",
                scale=alt.Scale(type="ordinal", domain=STATES, range=[1, 0.9, 0.3]),
                legend=None,
            ),
            tooltip=tips,
            order=alt.Order("size:Q", sort="descending"),
        )
    )
    dots = base.mark_point(cursor="pointer", strokeWidth=1.2).encode(
        action,
        fillOpacity=alt.condition("datum.known", alt.value(0.55), alt.value(0)),
        stroke=alt.Stroke("action:N", scale=alt.Scale(domain=list(ACTIONS), range=colours), legend=None),
    )
    ring = base.transform_filter("datum.state == 'selected'").mark_point(
        filled=False, color=colour("ink"), strokeWidth=2.5, cursor="pointer"
    )
    return alt.layer(dots, ring).properties(height=360)
