"""What goes with eNPS: how much each question tells of it, and which are both low and strong."""

import altair as alt

from cadran.figures.figure import Chart, figure
from cadran.figures.pulse import HIGH, LOWER, asked_above, shares_of_groups
from cadran.figures.style import BESIDE, Style
from cadran.figures.theme import colour
from cadran.tables.measured.drivers import Driver, Priority, Raised
from cadran.tables.measured.one_to_ones import Regularity
from cadran.tables.measured.pulse_load import LoadLink

STEP, TALL = 28, 260


@figure(rows=Driver)
def drivers(style: Style) -> Chart:
    """The share of what all questions tell of eNPS, question by question, with its interval.

    The rows carry `label`, the question cut short, `asked`, the whole of it, and `told`. What may be chance alone is grey.
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
        style.down("label", title=None, axis=None),
        tooltip=tips,
    )
    x = alt.X("r2_share:Q", title=None, axis=axis, scale=alt.Scale(zero=True))
    return alt.layer(
        asked_above(),
        base.mark_bar(height=13, yOffset=LOWER, opacity=0.35).encode(x, color=ink),
        base.mark_rule(yOffset=LOWER, strokeWidth=3, strokeCap="round", strokeOpacity=0.6).encode(
            alt.X("r2_share_low:Q", title=None, axis=axis), alt.X2("r2_share_high:Q"), color=ink
        ),
        base.mark_point(yOffset=LOWER, filled=True, size=70).encode(x, color=ink),
        style.right("datum.told", "label"),
    ).properties(height=alt.Step(HIGH), padding=BESIDE)


@figure(rows=Priority)
def priorities(style: Style) -> Chart:
    """Favourable share across, what goes with eNPS upwards: low and strong, top left, comes first.

    The rows carry `label` and `asked`; lines stand at the mean of the questions and at an even share.
    """
    tips = style.tips(asked="Question", favourable_share="Favourable share", favourable_low="At least (favourable)",
                      favourable_high="At most (favourable)", r2_share="Share of what all questions tell",
                      r2_share_low="At least", r2_share_high="At most", quadrant="What to do")  # fmt: skip
    x = alt.X("favourable_share:Q", title=style.words("Favourable share"), axis=style.share(grid=True),
              scale=alt.Scale(domain=[0, 1]))  # fmt: skip
    y = alt.Y("r2_share:Q", title=style.words("Share of what all questions tell"), axis=style.share(grid=True),
              scale=alt.Scale(zero=True))  # fmt: skip
    acts = alt.condition("datum.quadrant == 'act'", alt.value(colour("bad")), alt.value(colour("actual")))
    base = alt.Chart().transform_filter("isValid(datum.favourable_share)").encode(x, y, tooltip=tips)
    lines = alt.Chart().mark_rule(strokeDash=[4, 3], color=colour("muted"))
    return alt.layer(
        lines.encode(alt.X("mean(favourable_cut):Q")),
        lines.encode(alt.Y("mean(r2_cut):Q")),
        base.mark_rule(strokeOpacity=0.35, strokeWidth=2).encode(
            alt.Y("r2_share_low:Q"), alt.Y2("r2_share_high:Q"), color=acts
        ),
        base.mark_point(filled=True, size=90).encode(color=acts),
        base.mark_text(align="left", dx=8, dy=-6, limit=200).encode(text="label:N", color=acts),
    ).properties(height=TALL)


@figure(rows=Raised)
def raised(style: Style) -> Chart:
    """Points of the outcome that go with higher answers, dimension by dimension, from today's (0) on. Rows carry `label`,
    `told` and `state`: the dimension chosen in the accent."""
    tips = [
        *style.tips(label="Dimension"),
        *style.tips_as(
            "+.2f", rise="If answers rose by", effect="Points", effect_low="At least", effect_high="At most"
        ),
    ]
    axis = alt.Axis(format="+.1f", grid=True, tickCount=6)
    base = alt.Chart().encode(
        style.down("label", title=None, axis=style.names("label", labelLimit=230, labelColor=colour("ink"))),
        tooltip=tips,
    )
    x = alt.X("effect:Q", title=None, axis=axis, scale=alt.Scale(zero=True))
    return alt.layer(
        style.rows("label"),
        base.mark_bar(height={"band": 0.5}, opacity=0.4).encode(x, color=style.ink("previous")),
        base.mark_rule(strokeWidth=3, strokeCap="round", strokeOpacity=0.6).encode(
            alt.X("effect_low:Q", title=None, axis=axis), alt.X2("effect_high:Q"), color=style.ink()
        ),
        base.mark_point(filled=True, size=70).encode(x, color=style.ink()),
        alt.Chart().mark_rule(color=colour("muted")).encode(x=alt.datum(0)),
        style.right("datum.told", "label"),
    ).properties(height=alt.Step(STEP), padding=BESIDE)


@figure(rows=LoadLink)
def links(style: Style) -> Chart:
    """Points of the answers that go with one typical change of what weighs, with the interval. Rows carry `label`, `told`."""
    tips = [
        *style.tips(label="What weighs", n_groups="Groups", n_waves="Waves"),
        *style.tips_as("+.1f", effect="Points", effect_low="At least", effect_high="At most"),
        *style.tips_as(".1f", smallest_effect="Smallest that would show"),
    ]
    axis = alt.Axis(format="+d", grid=True, tickCount=5)
    ink = alt.condition("datum.is_link", alt.value(colour("accent")), alt.value(colour("muted")))
    base = alt.Chart().encode(
        style.down("label", title=None, axis=style.names("label", labelLimit=230, labelColor=colour("ink"))),
        tooltip=tips,
    )
    return alt.layer(
        style.rows("label"),
        alt.Chart().mark_rule(color=colour("muted")).encode(x=alt.datum(0)),
        base.mark_rule(strokeWidth=3, strokeCap="round", strokeOpacity=0.45).encode(
            alt.X("effect_low:Q", title=None, axis=axis), alt.X2("effect_high:Q"), color=ink
        ),
        base.mark_point(filled=True, size=70).encode(alt.X("effect:Q", title=None, axis=axis), color=ink),
        style.right("datum.told", "label"),
    ).properties(height=alt.Step(STEP), padding=BESIDE)


@figure(rows=Regularity)
def talks(style: Style) -> Chart:
    """Share of the people of a group who were met as agreed, with its interval. The rows carry `group` and `said`."""
    tips = style.tips(group="Group", n_people="People", n_managers="Their managers", on_rhythm_share="Met as agreed",
                      on_rhythm_share_low="At least", on_rhythm_share_high="At most")  # fmt: skip
    return shares_of_groups(style, "on_rhythm_share", tips)
