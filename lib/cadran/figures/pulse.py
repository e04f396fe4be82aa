"""How a team is: scores over time with their intervals, answers by question, what moved, who answered."""

from typing import Any

import altair as alt

from cadran.figures.figure import Chart, figure
from cadran.figures.style import BESIDE, Style
from cadran.figures.theme import colour
from cadran.tables.measured.pulse import FavourableShare, Participation, PulseTrend

TALL = 230
#: Height of a line that bears its name above it, and how far below its middle it is drawn, in pixels.
HIGH, LOWER = 40, 9
#: Days from which on an axis of time tells months alone.
MONTHS = 75
#: Parts of the answers to a question, from bad to good: column, words, colour.
PARTS = (
    ("unfavourable_share", "Unfavourable", "lost"),
    ("neutral_share", "Neutral", "previous"),
    ("favourable_share", "Favourable", "accent"),
)


def above(by: str, text: str = "") -> alt.LayerChart:
    """The name of each line, above what is drawn of it, so that a phone has room for both."""
    place = alt.Y(f"{by}:N", sort=alt.EncodingSortField("place", op="min"), axis=None)
    names = alt.Chart().encode(place, x=alt.value(2), text=f"{text or by}:N")
    limit: Any = alt.ExprRef("isFinite(containerSize()[0]) ? max(width, containerSize()[0] - 12) : width")
    shape: dict[str, Any] = {"align": "left", "yOffset": -LOWER - 1, "limit": limit}
    ground = names.mark_text(**shape, stroke=colour("panel"), strokeWidth=4, strokeJoin="round", color=colour("panel"))
    return alt.LayerChart(layer=[ground, names.mark_text(**shape)])


def signed(**axis: Any) -> alt.Axis:
    """An axis of points with their sign, and a zero without one."""
    return alt.Axis(labelExpr="datum.value == 0 ? '0' : format(datum.value, '+')", grid=True, **axis)


@figure(rows=PulseTrend)
def trend(style: Style, is_enps: bool) -> Chart:
    """One score wave by wave, the interval of each; waves that are not told leave a hole.

    Points that may be called a change since the wave before are filled with the accent; the wave that is shown, whose
    `state` is selected, has a ring.
    """
    tips = [
        *style.tips(closed_on_date="Closed on", n_scores="Scores given"),
        *style.tips_as("+.0f" if is_enps else ".0f", value="Score", value_low="At least", value_high="At most"),
        *style.tips_as("+.0f", moved="Since the wave before", moved_low="Since, at least", moved_high="Since, at most"),
    ]
    months = style.months().labelExpr
    day = "utcFormat(datum.value, '%d %b %Y')"
    span = f"(domain('x')[1] - domain('x')[0]) / 864e5 < {MONTHS}"
    time = alt.Axis(grid=False, labelExpr=f"{span} ? {day} : {months}", tickCount=alt.ExprRef(f"{span} ? 3 : 'month'"))
    x = alt.X("closed_on:T", title=None, axis=time, scale=alt.Scale(type="utc"))
    axis = signed(tickCount=5) if is_enps else alt.Axis(grid=True, tickCount=5, format="d")
    scale = alt.Scale(zero=True, nice=True, padding=10) if is_enps else alt.Scale(domain=[0, 100])
    base = alt.Chart().transform_calculate(closed_on_date="datum.closed_on").encode(x, tooltip=tips)
    y = alt.Y("value:Q", title=None, axis=axis, scale=scale)
    ink = alt.condition("datum.is_change", alt.value(colour("accent")), alt.value(colour("actual")))
    return alt.layer(
        style.zero() if is_enps else alt.Chart().mark_rule(opacity=0).encode(y=alt.datum(0)),
        base.mark_area(color=colour("actual"), opacity=0.12).encode(
            alt.Y("value_low:Q", title=None, axis=axis, scale=scale), alt.Y2("value_high:Q")
        ),
        base.transform_window(before="lag(value)", after="lead(value)", sort=[alt.SortField("closed_on")])
        .transform_filter("!isValid(datum.before) && !isValid(datum.after)")
        .mark_rule(color=colour("actual"), opacity=0.3, strokeWidth=3)
        .encode(alt.Y("value_low:Q", title=None, axis=axis, scale=scale), alt.Y2("value_high:Q")),
        base.mark_line(color=colour("actual")).encode(y),
        base.mark_point(filled=True, size=70).encode(y, color=ink),
        base.transform_filter("datum.state == 'selected'")
        .mark_point(filled=False, size=190, strokeWidth=1.5, color=colour("actual"))
        .encode(y),
    ).properties(height=TALL)


@figure(rows=FavourableShare)
def answers(style: Style) -> Chart:
    """What was answered to each question: unfavourable left of the middle, favourable right, neutral around it.

    The rows carry `brief`, the question cut short, `asked`, the whole of it, and `said`, the share with its interval.
    """
    names = [name for name, _, _ in PARTS]
    words = {name: style.words(text) for name, text, _ in PARTS}
    colours = alt.Scale(domain=names, range=[colour(ink) for _, _, ink in PARTS])
    legend = style.keys()
    legend.columns = 3
    legend.labelExpr = f"{words}[datum.value]"
    tips = style.tips(asked="Question", n_scores="Scores given", favourable_share="Favourable", neutral_share="Neutral",
                      unfavourable_share="Unfavourable")  # fmt: skip
    axis = alt.Axis(labelExpr="format(abs(datum.value), '.0%')", grid=True, tickCount=5)
    starts = {
        "unfavourable_share": "-datum.neutral_share / 2 - datum.unfavourable_share",
        "neutral_share": "-datum.neutral_share / 2",
        "favourable_share": "datum.neutral_share / 2",
    }
    start = " : ".join(f"datum.part == '{name}' ? {told}" for name, told in starts.items()) + " : 0"
    base = (
        alt.Chart()
        .transform_filter("isValid(datum.favourable_share)")
        .transform_fold([*names], as_=["part", "share"])
        .transform_calculate(begins=start)
        .transform_calculate(ends="datum.begins + datum.share")
        .encode(style.down("brief", title=None, axis=None))
    )
    return alt.layer(
        alt.Chart().mark_rule(color=colour("muted")).encode(x=alt.datum(0)),
        above("brief"),
        base.mark_bar(height=15, yOffset=LOWER).encode(
            alt.X("begins:Q", title=None, axis=axis), alt.X2("ends:Q"), alt.Color("part:N", scale=colours, legend=legend),
            tooltip=tips,
        ),
        beside(style, "brief"),
    ).properties(height=alt.Step(HIGH), padding=BESIDE)  # fmt: skip


@figure(rows=PulseTrend)
def moved(style: Style) -> Chart:
    """How far each score moved since the wave before, in points, with its interval. The rows carry `brief`, `asked`, `said`."""
    tips = [
        *style.tips(asked="Question", n_scores="Scores given"),
        *style.tips_as("+.0f", moved="Since the wave before", moved_low="At least", moved_high="At most",
                       moved_same_mix="With the groups weighed alike"),
    ]  # fmt: skip
    axis = signed(tickCount=5)
    ink = alt.condition("datum.is_change", alt.value(colour("accent")), alt.value(colour("muted")))
    base = (
        alt.Chart()
        .transform_filter("isValid(datum.moved)")
        .encode(
            style.down("brief", title=None, axis=None),
            tooltip=tips,
        )
    )
    return alt.layer(
        alt.Chart().mark_rule(color=colour("muted")).encode(x=alt.datum(0)),
        above("brief"),
        base.mark_rule(yOffset=LOWER, strokeWidth=3, strokeCap="round", strokeOpacity=0.45).encode(
            alt.X("moved_low:Q", title=None, axis=axis), alt.X2("moved_high:Q"), color=ink
        ),
        base.mark_point(yOffset=LOWER, filled=True, size=70).encode(alt.X("moved:Q", title=None, axis=axis), color=ink),
        beside(style, "brief"),
    ).properties(height=alt.Step(HIGH), padding=BESIDE)


@figure(rows=Participation)
def answered(style: Style) -> Chart:
    """Share of the invited who answered, group by group. The rows carry `group` and `said`: how many of how many."""
    tips = style.tips(group="Group", n_invited="Invited", n_answered="Answered", participation_share="Participation",
                      participation_share_low="At least", participation_share_high="At most")  # fmt: skip
    return shares_of_groups(style, "participation_share", tips)


@figure(rows=Participation)
def respondents(style: Style) -> Chart:
    """How many answered, group by group, where it is not known how many were invited. The rows carry `group` and `said`."""
    x = alt.X("n_answered:Q", title=None, axis=style.counts(grid=True))
    base = alt.Chart().encode(
        style.down("group", title=None, axis=None), x, tooltip=style.tips(group="Group", n_answered="Answered")
    )
    bars = base.mark_bar(height=13, yOffset=LOWER, color=colour("previous"))
    return alt.layer(above("group"), bars, beside(style, "group")).properties(height=alt.Step(HIGH), padding=BESIDE)


def shares_of_groups(style: Style, share: str, tips: list[alt.Tooltip]) -> Chart:
    """A share of each group, a bar with its interval; beside it what is `said` of it."""
    base = alt.Chart().encode(style.down("group", title=None, axis=None), tooltip=tips)

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", title=None, axis=style.share(grid=True), scale=alt.Scale(domain=[0, 1]))

    return alt.layer(
        above("group"),
        base.mark_bar(height=13, yOffset=LOWER, color=colour("previous")).encode(x(share)),
        base.mark_rule(
            yOffset=LOWER, strokeWidth=3, strokeCap="round", color=colour("actual"), strokeOpacity=0.6
        ).encode(x(f"{share}_low"), alt.X2(f"{share}_high:Q")),
        beside(style, "group"),
    ).properties(height=alt.Step(HIGH), padding=BESIDE)


def beside(style: Style, by: str, text: str = "said") -> alt.Chart:
    """What is said of each line, right of it and as high as it is drawn."""
    texts = style.right(f"datum.{text}", by)
    texts.mark.yOffset = LOWER
    return texts
