"""What goes with eNPS: how much each question tells of it, and which are both low and strong."""

from typing import Any

import altair as alt

from cadran.figures.figure import Chart, figure
from cadran.figures.pulse import HIGH, LOWER, above, beside, shares_of_groups, signed
from cadran.figures.style import BESIDE, Style
from cadran.figures.theme import colour
from cadran.tables.measured.drivers import Driver, Priority, Raised
from cadran.tables.measured.one_to_ones import Regularity
from cadran.tables.measured.pulse_load import LoadLink

TALL = 260


@figure(rows=Driver)
def drivers(style: Style) -> Chart:
    """The share of what all questions tell of eNPS, question by question, with its interval.

    The rows carry `brief`, the question cut short, `asked`, the whole of it, and `told`. What may be chance alone is grey.
    """
    tips = [
        *style.tips(asked="Question", r2_share="Share of what all questions tell", r2_share_low="At least",
                    r2_share_high="At most"),
        *style.tips_as("+.2f", slope="eNPS score for one point more", slope_low="At least (score)",
                       slope_high="At most (score)"),
    ]  # fmt: skip
    axis = style.share(grid=True)
    ink = alt.condition("datum.is_told", alt.value(colour("accent")), alt.value(colour("muted")))
    base = alt.Chart().encode(
        style.down("brief", title=None, axis=None),
        tooltip=tips,
    )
    x = alt.X("r2_share:Q", title=None, axis=axis, scale=alt.Scale(zero=True))
    return alt.layer(
        above("brief"),
        base.mark_bar(height=13, yOffset=LOWER, opacity=0.35).encode(x, color=ink),
        base.mark_rule(yOffset=LOWER, strokeWidth=3, strokeCap="round", strokeOpacity=0.6).encode(
            alt.X("r2_share_low:Q", title=None, axis=axis), alt.X2("r2_share_high:Q"), color=ink
        ),
        base.mark_point(yOffset=LOWER, filled=True, size=70).encode(x, color=ink),
        beside(style, "brief", "told"),
    ).properties(height=alt.Step(HIGH), padding=BESIDE)


@figure(rows=Priority)
def priorities(style: Style) -> Chart:
    """Favourable share across, what goes with eNPS upwards: low and strong, top left, comes first.

    The rows carry `brief`, `asked`, `said` (the favourable share in words) and `told` (what to do); lines stand at the
    mean of the questions and at an even share. A share that is told as a range is a line, its middle hollow.
    """
    tips = style.tips(asked="Question", said="Favourable share", r2_share="Share of what all questions tell",
                      r2_share_low="At least", r2_share_high="At most", told="What to do")  # fmt: skip
    x = alt.X("favourable_share:Q", title=style.words("Favourable share"), axis=style.share(grid=True),
              scale=alt.Scale(zero=False, nice=True, padding=12))  # fmt: skip
    y = alt.Y("r2_share:Q", title=style.words("Share of what all questions tell"), axis=style.share(grid=True),
              scale=alt.Scale(zero=True))  # fmt: skip
    acts = alt.condition("datum.quadrant == 'act'", alt.value(colour("bad")), alt.value(colour("actual")))
    is_range = "datum.favourable_low < datum.favourable_high"
    base = alt.Chart().transform_filter("isValid(datum.favourable_share)").encode(x, y, tooltip=tips)
    lines = alt.Chart().mark_rule(strokeDash=[4, 3], color=colour("muted"))
    faint: dict[str, Any] = {"strokeOpacity": 0.35, "strokeWidth": 2}
    return alt.layer(
        lines.encode(alt.X("mean(favourable_cut):Q")),
        lines.encode(alt.Y("mean(r2_cut):Q")),
        base.mark_rule(**faint).encode(alt.Y("r2_share_low:Q"), alt.Y2("r2_share_high:Q"), color=acts),
        base.transform_filter(is_range)
        .mark_rule(**faint)
        .encode(alt.X("favourable_low:Q"), alt.X2("favourable_high:Q"), color=acts),
        base.transform_filter(f"!({is_range})").mark_point(filled=True, size=90).encode(color=acts),
        base.transform_filter(is_range).mark_point(filled=False, size=90).encode(color=acts),
        base.mark_text(align="left", dx=8, dy=-6, limit=200).encode(text="brief:N", color=acts),
    ).properties(height=TALL)


@figure(rows=Raised)
def raised(style: Style) -> Chart:
    """Points of the outcome that go with higher answers, dimension by dimension, from today's (0) on. Rows carry `brief`,
    `told` and `state`: the dimension chosen in the accent."""
    tips = [
        *style.tips(brief="Dimension"),
        *style.tips_as(
            "+.2f", rise="If answers rose by", effect="Points", effect_low="At least", effect_high="At most"
        ),
    ]
    axis = signed(tickCount=6)
    base = alt.Chart().encode(style.down("brief", title=None, axis=None), tooltip=tips)
    x = alt.X("effect:Q", title=None, axis=axis, scale=alt.Scale(zero=True))
    return alt.layer(
        alt.Chart().mark_rule(color=colour("muted")).encode(x=alt.datum(0)),
        above("brief"),
        base.mark_bar(height=13, yOffset=LOWER, opacity=0.3).encode(x, color=style.ink()),
        base.mark_rule(yOffset=LOWER, strokeWidth=3, strokeCap="round", strokeOpacity=0.6).encode(
            alt.X("effect_low:Q", title=None, axis=axis), alt.X2("effect_high:Q"), color=style.ink()
        ),
        base.mark_point(yOffset=LOWER, filled=True, size=70).encode(x, color=style.ink()),
        beside(style, "brief", "told"),
    ).properties(height=alt.Step(HIGH), padding=BESIDE)


@figure(rows=LoadLink)
def links(style: Style) -> Chart:
    """Points of the answers that go with one typical change of what weighs, with the interval. Rows carry `brief`, `told`."""
    tips = [
        *style.tips(brief="What weighs", n_groups="Groups", n_waves="Waves"),
        *style.tips_as("+.1f", effect="Points", effect_low="At least", effect_high="At most"),
        *style.tips_as(".1f", smallest_effect="Smallest that would show"),
    ]
    axis = signed(tickCount=5)
    ink = alt.condition("datum.is_link", alt.value(colour("accent")), alt.value(colour("muted")))
    base = alt.Chart().encode(style.down("brief", title=None, axis=None), tooltip=tips)
    return alt.layer(
        alt.Chart().mark_rule(color=colour("muted")).encode(x=alt.datum(0)),
        above("brief"),
        base.mark_rule(yOffset=LOWER, strokeWidth=3, strokeCap="round", strokeOpacity=0.45).encode(
            alt.X("effect_low:Q", title=None, axis=axis), alt.X2("effect_high:Q"), color=ink
        ),
        base.mark_point(yOffset=LOWER, filled=True, size=70).encode(
            alt.X("effect:Q", title=None, axis=axis), color=ink
        ),
        beside(style, "brief", "told"),
    ).properties(height=alt.Step(HIGH), padding=BESIDE)


@figure(rows=Regularity)
def talks(style: Style) -> Chart:
    """Share of the people of a group who were met as agreed, with its interval. The rows carry `group` and `said`."""
    tips = style.tips(group="Group", n_people="People", n_managers="Their managers", on_rhythm_share="Met as agreed",
                      on_rhythm_share_low="At least", on_rhythm_share_high="At most")  # fmt: skip
    return shares_of_groups(style, "on_rhythm_share", tips)
