"""How a team is: scores over time with their intervals, answers by question, what moved, where, who answered."""

from typing import Any

import altair as alt

from cadran.figures.figure import Chart, figure
from cadran.figures.style import BESIDE, Style
from cadran.figures.theme import colour
from cadran.tables.measured.pulse import FavourableShare, Participation, PulseCompared, PulseTrend

STEP, TALL = 28, 230
#: Height of a line that bears its question above it, and how far below its middle it is drawn, in pixels.
HIGH, LOWER = 42, 9
#: Parts of the answers to a question, from bad to good: column, words, colour.
PARTS = (
    ("unfavourable_share", "Unfavourable", "lost"),
    ("neutral_share", "Neutral", "previous"),
    ("favourable_share", "Favourable", "accent"),
)


def asked_above() -> alt.Chart:
    """The question of each line, above what is drawn of it, so that a phone has room for both."""
    names = alt.Chart().mark_text(align="left", yOffset=-LOWER - 2)
    return names.encode(
        alt.Y("label:N", sort=alt.EncodingSortField("place", op="min"), axis=None), x=alt.value(2), text="label:N"
    )


@figure(rows=PulseTrend)
def trend(style: Style, is_enps: bool) -> Chart:
    """One score wave by wave, the interval of each; waves that are not told leave a hole.

    Points that may be called a change since the wave before are filled with the accent.
    """
    low, high = (-100, 100) if is_enps else (0, 100)
    tips = [
        *style.tips(closed_on_date="Closed on", n_scores="Scores given"),
        *style.tips_as("+.0f" if is_enps else ".0f", value="Score", value_low="At least", value_high="At most"),
        *style.tips_as("+.0f", moved="Since the wave before", moved_low="Since, at least", moved_high="Since, at most"),
    ]
    x = alt.X("closed_on:T", title=None, axis=alt.Axis(grid=False, tickCount=8))
    axis = alt.Axis(grid=True, tickCount=5, format="+d" if is_enps else "d")
    scale = alt.Scale(domain=[low, high]) if not is_enps else alt.Scale(zero=True, nice=True, padding=10)
    base = alt.Chart().transform_calculate(closed_on_date="datum.closed_on").encode(x, tooltip=tips)
    y = alt.Y("value:Q", title=None, axis=axis, scale=scale)
    ink = alt.condition("datum.is_change", alt.value(colour("accent")), alt.value(colour("actual")))
    return alt.layer(
        style.zero() if is_enps else alt.Chart().mark_rule(opacity=0).encode(y=alt.datum(0)),
        base.mark_area(color=colour("actual"), opacity=0.12).encode(
            alt.Y("value_low:Q", title=None, axis=axis, scale=scale), alt.Y2("value_high:Q")
        ),
        base.mark_line(color=colour("actual")).encode(y),
        base.mark_point(filled=True, size=70).encode(y, color=ink),
    ).properties(height=TALL)


@figure(rows=FavourableShare)
def answers(style: Style) -> Chart:
    """What was answered to each question: unfavourable left of the middle, favourable right, neutral around it.

    The rows carry `label`, the question cut short, `asked`, the whole of it, and `said`, the share with its interval.
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
        .encode(style.down("label", title=None, axis=None))
    )
    return alt.layer(
        asked_above(),
        base.mark_bar(height=15, yOffset=LOWER).encode(
            alt.X("begins:Q", title=None, axis=axis), alt.X2("ends:Q"), alt.Color("part:N", scale=colours, legend=legend),
            tooltip=tips,
        ),
        alt.Chart().mark_rule(color=colour("muted")).encode(x=alt.datum(0)),
        style.right("datum.said", "label"),
    ).properties(height=alt.Step(HIGH), padding=BESIDE)  # fmt: skip


@figure(rows=PulseTrend)
def moved(style: Style) -> Chart:
    """How far each score moved since the wave before, in points, with its interval. The rows carry `label`, `asked`, `said`."""
    tips = [
        *style.tips(asked="Question", n_scores="Scores given"),
        *style.tips_as("+.0f", moved="Since the wave before", moved_low="At least", moved_high="At most",
                       moved_same_mix="With the groups weighed alike"),
    ]  # fmt: skip
    axis = alt.Axis(format="+d", grid=True, tickCount=5)
    ink = alt.condition("datum.is_change", alt.value(colour("accent")), alt.value(colour("muted")))
    base = (
        alt.Chart()
        .transform_filter("isValid(datum.moved)")
        .encode(
            style.down("label", title=None, axis=None),
            tooltip=tips,
        )
    )
    return alt.layer(
        asked_above(),
        alt.Chart().mark_rule(color=colour("muted")).encode(x=alt.datum(0)),
        base.mark_rule(yOffset=LOWER, strokeWidth=3, strokeCap="round", strokeOpacity=0.45).encode(
            alt.X("moved_low:Q", title=None, axis=axis), alt.X2("moved_high:Q"), color=ink
        ),
        base.mark_point(yOffset=LOWER, filled=True, size=70).encode(alt.X("moved:Q", title=None, axis=axis), color=ink),
        style.right("datum.said", "label"),
    ).properties(height=alt.Step(HIGH), padding=BESIDE)


@figure(rows=FavourableShare)
def heat(style: Style) -> Chart:
    """Favourable share of each question in each group that is large enough. Rows carry `label`, `asked`, `group`, `said`."""
    tips = style.tips(group="Group", asked="Question", n_scores="Scores given", favourable_share="Favourable",
                      favourable_share_low="At least", favourable_share_high="At most", said="Told", why="Why")  # fmt: skip
    x = alt.X(
        "group:N",
        sort=None,
        title=None,
        axis=alt.Axis(orient="top", labelAngle=-20, labelLimit=180, labelOverlap=False),
    )
    limit: Any = alt.ExprRef("containerSize()[0] < 560 ? 110 : 320")
    y = style.down("label", title=None, axis=style.names("label", labelLimit=limit, labelColor=colour("ink")))
    base = alt.Chart().encode(x, y, tooltip=tips)
    cell: dict[str, Any] = {"stroke": colour("panel"), "strokeWidth": 2}
    strength = alt.Opacity("strength:Q", scale=alt.Scale(domain=[0, 0.5], range=[0.03, 0.75]), legend=None)
    known = base.transform_filter("isValid(datum.favourable_share)")
    known = known.transform_calculate(strength="abs(datum.favourable_share - 0.5)")
    return alt.layer(
        base.mark_rect(**cell, color=colour("grid"), fillOpacity=0.5),
        known.transform_filter("datum.favourable_share >= 0.5")
        .mark_rect(**cell, color=colour("accent"))
        .encode(opacity=strength),
        known.transform_filter("datum.favourable_share < 0.5")
        .mark_rect(**cell, color=colour("lost"))
        .encode(opacity=strength),
        base.mark_text(color=colour("ink")).encode(text="said:N"),
    ).properties(height=alt.Step(32), padding={"left": 4, "top": 4, "right": 44, "bottom": 4})


@figure(rows=PulseCompared)
def groups(style: Style) -> Chart:
    """Each group's score beside the company's, pulled towards the mean of the groups the more so the fewer answered.

    The rows carry `group` and `said`. Filled and coloured where a difference may be called one; the hollow mark is what
    was counted.
    """
    tips = [
        *style.tips(group="Group", n_scores="Scores given"),
        *style.tips_as(".0f", value="Counted", shrunk_value="Likely", shrunk_value_low="At least",
                       shrunk_value_high="At most", company_value="Company"),
    ]  # fmt: skip
    axis = alt.Axis(grid=True, tickCount=6, format="d")
    ink = alt.condition("datum.is_difference", alt.value(colour("accent")), alt.value(colour("actual")))
    base = alt.Chart().encode(
        style.down("group", title=None, axis=style.names("group", labelLimit=240, labelColor=colour("ink"))),
        tooltip=tips,
    )

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", title=None, axis=axis, scale=alt.Scale(zero=False, nice=True))

    return alt.layer(
        style.rows("group"),
        alt.Chart().mark_rule(strokeDash=[4, 3], color=colour("muted")).encode(alt.X("mean(company_value):Q", title=None)),
        base.mark_rule(strokeWidth=3, strokeCap="round", strokeOpacity=0.4).encode(
            x("shrunk_value_low"), alt.X2("shrunk_value_high:Q"), color=ink
        ),
        base.mark_point(filled=True, size=80).encode(x("shrunk_value"), color=ink),
        base.mark_point(filled=False, size=60, color=colour("muted")).encode(x("value")),
        style.right("datum.said", "group"),
    ).properties(height=alt.Step(STEP), padding=BESIDE)  # fmt: skip


@figure(rows=Participation)
def answered(style: Style) -> Chart:
    """Share of the invited who answered, group by group. The rows carry `group` and `said`: how many of how many."""
    tips = style.tips(group="Group", n_invited="Invited", n_answered="Answered", participation_share="Participation",
                      participation_share_low="At least", participation_share_high="At most")  # fmt: skip
    return shares_of_groups(style, "participation_share", tips)


def shares_of_groups(style: Style, share: str, tips: list[alt.Tooltip]) -> Chart:
    """A share of each group, a bar with its interval; beside it what is `said` of it."""
    base = alt.Chart().encode(
        style.down("group", title=None, axis=style.names("group", labelLimit=240, labelColor=colour("ink"))),
        tooltip=tips,
    )

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", title=None, axis=style.share(grid=True), scale=alt.Scale(domain=[0, 1]))

    return alt.layer(
        style.rows("group"),
        base.mark_bar(height={"band": 0.5}, color=colour("previous")).encode(x(share)),
        base.mark_rule(strokeWidth=3, strokeCap="round", color=colour("actual"), strokeOpacity=0.6).encode(
            x(f"{share}_low"), alt.X2(f"{share}_high:Q")
        ),
        style.right("datum.said", "group"),
    ).properties(height=alt.Step(STEP), padding=BESIDE)
