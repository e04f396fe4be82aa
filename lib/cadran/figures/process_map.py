"""The process as it is lived: stages from top to bottom, the flows between them as wide as they are many."""

from math import pi, sin
from typing import Literal

import altair as alt
import polars as pl

from cadran.figures.figure import Chart, figure
from cadran.figures.style import BESIDE, Style
from cadran.figures.theme import colour
from cadran.tables.measured.stages import StageConversion, StageDwell

#: Height of a stage and its way to the next, in pixels.
ROW = 72
#: Where a stage's box begins and ends, and its middle, as shares of the width.
LEFT, RIGHT, MIDDLE = 0.2, 0.58, 0.39
#: Half a box's height, in rows.
HALF = 0.24
#: What becomes of the visits of a stage: column -> words, in the order of the bar.
FATES = {
    "n_forward": ("Moved on", "actual"),
    "n_won": ("Won", "accent"),
    "n_still_there": ("Still there", "line"),
    "n_back": ("Moved back", "previous"),
    "n_lost": ("Lost", "lost"),
    "n_disqualified": ("Disqualified", "muted"),
}
#: Width in pixels below which boxes say little.
NARROW = 420
_POINTS = 24


def curves(flows: pl.DataFrame, stages: list[str]) -> pl.DataFrame:
    """The points of each flow between two open stages: `flow`, `kind` on / skip / back, `x`, `y` (rows), `n`, `step`.

    Args:
        flows: `from_stage`, `to_stage`, `n`.
        stages: The open stages, from top to bottom.
    """
    place = {stage: index for index, stage in enumerate(stages)}
    leave = {"on": 1.0, "skip": 0.45, "back": -0.45}
    points = []
    for flow, (start, end, n) in enumerate(flows.select("from_stage", "to_stage", "n").iter_rows()):
        if start not in place or end not in place or start == end:
            continue
        here, there = place[start], place[end]
        kind = "on" if there == here + 1 else "skip" if there > here else "back"
        bulge = 0.05 + 0.045 * abs(there - here)
        side = {"on": 0.0, "skip": bulge, "back": -bulge}[kind]
        edge = {"on": MIDDLE, "skip": RIGHT, "back": LEFT}[kind]
        up, down = here + leave[kind] * HALF, there - leave[kind] * HALF
        for step in range(_POINTS + 1):
            t = step / _POINTS
            x = edge + side * sin(pi * t)
            points.append((flow, kind, start, end, n, step, x, up + (down - up) * t))
    names = ("flow", "kind", "from_stage", "to_stage", "n", "step", "x", "y")
    types = (pl.Int64, pl.String, pl.String, pl.String, pl.Int64, pl.Int64, pl.Float64, pl.Float64)
    return pl.DataFrame(points, schema=dict(zip(names, types, strict=True)), orient="row")


@figure(rows=StageConversion)
def process_map(style: Style, n_stages: int) -> Chart:
    """Stages as boxes, from top to bottom, and the flows between them: on, skipping ahead (right), back (left, dashed).

    The rows carry `row` (0 for the first stage), `name` and `told`, what the box says, `brief` where it is narrow.
    "flows" holds `curves`; "ends"
    one row per stage and end: `row`, `text`, `kind` "won" or "lost".
    """
    height = ROW * n_stages
    y = alt.Scale(domain=[-0.5, n_stages - 0.5], reverse=True, nice=False, zero=False)
    x = alt.Scale(domain=[0, 1], nice=False)

    def at(chart: alt.Chart, across: str, down: str = "row") -> alt.Chart:
        return chart.encode(alt.X(f"{across}:Q", axis=None, scale=x), alt.Y(f"{down}:Q", axis=None, scale=y))

    flows = alt.Chart(alt.NamedData("flows"))
    inks = alt.Scale(domain=["on", "skip", "back"], range=[colour("actual"), colour("previous"), colour("lost")])
    tips = style.tips(from_stage="From", to_stage="To", n="Moves")
    lines = at(flows.mark_line(strokeCap="butt"), "x", "y").encode(
        alt.Color("kind:N", scale=inks, legend=None),
        alt.Size("n:Q", scale=alt.Scale(domainMin=0, range=[0.6, 20]), legend=None),
        strokeDash=alt.condition("datum.kind == 'back'", alt.value([5, 3]), alt.value([1, 0])),
        order="step:Q",
        detail=["flow:N"],
        tooltip=tips,
    )
    middle = flows.transform_filter(f"datum.step == {_POINTS // 2}")
    away: dict[str, tuple[Literal["left", "right"], int]] = {
        "on": ("left", 12),
        "skip": ("left", 6),
        "back": ("right", -6),
    }
    counts = [
        at(middle.transform_filter(f"datum.kind == '{kind}'").mark_text(align=align, dx=dx, color=colour("muted")), "x", "y")
        .encode(alt.Text("n:Q", format=","))
        for kind, (align, dx) in away.items()
    ]  # fmt: skip
    boxes = alt.Chart().transform_calculate(
        left=f"{LEFT}",
        right=f"{RIGHT}",
        middle=f"{MIDDLE}",
        top=f"datum.row - {HALF}",
        bottom=f"datum.row + {HALF}",
        said=f"width < {NARROW} ? datum.brief : datum.told",
    )
    box = at(
        boxes.mark_rect(color=colour("panel"), stroke=colour("actual"), strokeWidth=1.3, cornerRadius=5), "left", "top"
    )
    box = box.encode(x2="right:Q", y2="bottom:Q", tooltip=style.tips(
        entered_stage="Stage", n_entered="Entries", forward_share="Moved on or won", forward_share_low="At least",
        forward_share_high="At most", n_skipping="Of them, skipping a stage", n_passed_over="Passed over",
    ))  # fmt: skip
    name = at(boxes.mark_text(dy=-8, fontWeight=600, limit=200), "middle").encode(text="name:N")
    told = at(boxes.mark_text(dy=9, color=colour("muted"), limit=240), "middle").encode(text="said:N")
    ends = alt.Chart(alt.NamedData("ends")).transform_calculate(x="0.98")
    ending = [
        at(ends.transform_filter(f"datum.kind == '{kind}'").mark_text(align="right", dy=dy, color=colour(ink)), "x")
        .encode(text="text:N")
        for kind, dy, ink in (("won", -8, "accent"), ("lost", 9, "bad"))
    ]  # fmt: skip
    return (
        alt.layer(lines, box, name, told, *counts, *ending).resolve_scale(color="independent").properties(height=height)
    )


@figure(rows=StageConversion)
def funnel(style: Style) -> Chart:
    """Entries into each stage, and what became of them; beside each bar the share that moved on or was won.

    "rows" is one row per stage, with `told`; "fates" one per stage and fate: `entered_stage`, `fate`, `n`, `order`.
    """
    fates = [style.words(text) for text, _ in FATES.values()]
    colours = alt.Scale(domain=fates, range=[colour(ink) for _, ink in FATES.values()])
    names = style.names("entered_stage", labelLimit=170, labelColor=colour("ink"))
    y = alt.Y("entered_stage:N", sort=alt.EncodingSortField("row", op="min"), title=None, axis=names)
    bars = alt.Chart(alt.NamedData("fates")).mark_bar(height={"band": 0.62}).encode(
        y,
        alt.X("n:Q", title=None, axis=style.counts(grid=True), stack="zero"),
        alt.Color("fate:N", scale=colours, legend=style.keys()),
        order="order:Q",
        tooltip=style.tips(entered_stage="Stage", fate="What became of it", n="Entries"),
    )  # fmt: skip
    place = alt.XValue(alt.ExprRef("width + 10"))  # type: ignore[arg-type]
    beside = alt.Chart().mark_text(align="left", color=colour("muted")).encode(y, x=place, text="told:N")
    return alt.layer(bars, beside).properties(height=alt.Step(30), padding=BESIDE)


@figure(rows=StageDwell)
def dwell(style: Style) -> Chart:
    """Days in each stage: half, and the middle half, of the visits, those that still last included."""
    tips = style.tips(entered_stage="Stage", dwell_p25_days="A quarter left within", dwell_median_days="Half left within",
                      dwell_p75_days="Three quarters left within", n_entered="Entries", n_still_there="Still there")  # fmt: skip
    names = style.names("entered_stage", labelLimit=170, labelColor=colour("ink"))
    base = alt.Chart().encode(style.down("entered_stage", title=None, axis=names), tooltip=tips)
    axis = style.counts(grid=True)
    return alt.layer(
        base.mark_rule(strokeWidth=3, strokeOpacity=0.35, strokeCap="round").encode(
            alt.X("dwell_p25_days:Q", title=None, axis=axis, scale=alt.Scale(zero=True)), alt.X2("dwell_p75_days:Q")
        ),
        base.mark_point().encode(alt.X("dwell_median_days:Q")),
        style.right("datum.told", "entered_stage"),
    ).properties(height=alt.Step(30), padding=BESIDE)
