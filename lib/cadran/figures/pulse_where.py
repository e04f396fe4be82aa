"""Where a team is how: favourable answers of each group question by question, and groups beside the company."""

from typing import Any

import altair as alt

from cadran.figures.figure import Chart, figure
from cadran.figures.pulse import HIGH, LOWER, above, beside
from cadran.figures.style import BESIDE, Style
from cadran.figures.theme import colour
from cadran.tables.measured.pulse import FavourableShare, PulseCompared

#: Pixels of a column under which its name stands upright and what its cells say is set small, a range in two lines.
NARROW = 74
#: Height of a cell, in pixels.
CELL = 24


@figure(rows=FavourableShare)
def heat(style: Style) -> Chart:
    """Favourable share of each question in each group that is large enough: a line of cells a group, its name above.

    A cell told exactly is full; one told as a range is framed, and as deep as the end that is nearer to one half; one
    that is not told is a dash. The rows carry `group`, `name` (of the group, in its first row alone), `brief` (the
    question's short name), `asked` and `said`.
    """
    tips = style.tips(group="Group", asked="Question", n_scores="Scores given", said="Favourable",
                      favourable_share_low="At least", favourable_share_high="At most", reason="Why")  # fmt: skip
    is_narrow = f"bandwidth('x') < {NARROW}"
    turned: Any = {
        "labelAngle": alt.ExprRef(f"{is_narrow} ? -90 : 0"), "labelAlign": alt.ExprRef(f"{is_narrow} ? 'left' : 'center'"),
        "labelBaseline": alt.ExprRef(f"{is_narrow} ? 'middle' : 'bottom'"),
        "labelLimit": alt.ExprRef(f"{is_narrow} ? 150 : bandwidth('x')"),
    }  # fmt: skip
    axis = alt.Axis(orient="top", labelOverlap=False, labelColor=colour("ink"), domain=False, **turned)
    columns = alt.Scale(paddingInner=0.04, paddingOuter=0)
    base = alt.Chart().encode(
        alt.X("brief:N", sort=alt.EncodingSortField("place", op="min"), title=None, axis=axis, scale=columns),
        style.down("group", title=None, axis=None),
        tooltip=tips,
    )
    lean = (
        "isValid(datum.favourable_share) ? datum.favourable_share - 0.5"
        " : isValid(datum.band_low) ? max(datum.band_low - 0.5, 0) + min(datum.band_high - 0.5, 0) : null"
    )
    base = base.transform_calculate(lean=lean, depth="abs(datum.lean)")
    told = base.transform_filter("isValid(datum.lean)")
    ink = alt.condition("datum.lean < 0", alt.value(colour("lost")), alt.value(colour("accent")))
    depth = alt.Opacity("depth:Q", scale=alt.Scale(domain=[0, 0.5], range=[0.04, 0.6]), legend=None)
    in_two = f"{is_narrow} && isValid(datum.band_low) && !isValid(datum.favourable_share)"
    text = f"{in_two} ? [round(100 * datum.band_low) + '–', round(100 * datum.band_high)] : datum.said"
    small: dict[str, Any] = {
        "fontSize": alt.ExprRef(f"{is_narrow} ? 10 : 12"), "dy": alt.ExprRef(f"{in_two} ? -5 : 0"), "lineHeight": 10,
    }  # fmt: skip
    shape: dict[str, Any] = {"yOffset": LOWER + 2, "height": CELL}
    return alt.layer(
        above("group", "name"),
        told.mark_rect(**shape).encode(color=ink, opacity=depth),
        base.transform_filter("isValid(datum.band_low) && !isValid(datum.favourable_share)").mark_rect(
            **shape, fillOpacity=0, stroke=colour("muted"), strokeDash=[3, 2]
        ),
        base.mark_text(color=colour("ink"), yOffset=LOWER + 2, text=alt.ExprRef(text), **small),
    ).properties(height=alt.Step(HIGH + 5))


@figure(rows=PulseCompared)
def groups(style: Style) -> Chart:
    """Each group's score beside the company's, pulled towards it the more so the fewer answered.

    The rows carry `group` and `said`. Filled and coloured where a difference may be called one; the hollow mark is what
    was counted, with its own interval where groups are too few to be pulled.
    """
    tips = [
        *style.tips(group="Group", n_scores="Scores given"),
        *style.tips_as(".0f", value="Counted", value_low="Counted, at least", value_high="Counted, at most",
                       shrunk_value="Likely", shrunk_value_low="At least", shrunk_value_high="At most",
                       company_value="Company"),
        *style.tips(reason="Why"),
    ]  # fmt: skip
    axis = alt.Axis(grid=True, tickCount=6, format="d")
    ink = alt.condition("datum.is_difference", alt.value(colour("accent")), alt.value(colour("actual")))
    ends = {
        end: f"isValid(datum.shrunk_value_{end}) ? datum.shrunk_value_{end} : datum.value_{end}"
        for end in ("low", "high")
    }
    base = alt.Chart().transform_calculate(**ends).encode(style.down("group", title=None, axis=None), tooltip=tips)

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", title=None, axis=axis, scale=alt.Scale(zero=False, nice=True))

    return alt.layer(
        above("group"),
        alt.Chart().mark_rule(strokeDash=[4, 3], color=colour("muted")).encode(alt.X("mean(company_value):Q", title=None)),
        base.mark_rule(yOffset=LOWER, strokeWidth=3, strokeCap="round", strokeOpacity=0.4).encode(
            x("low"), alt.X2("high:Q"), color=ink
        ),
        base.mark_point(yOffset=LOWER, filled=True, size=80).encode(x("shrunk_value"), color=ink),
        base.mark_point(yOffset=LOWER, filled=False, size=60, color=colour("muted")).encode(x("value")),
        beside(style, "group"),
    ).properties(height=alt.Step(HIGH), padding=BESIDE)  # fmt: skip
