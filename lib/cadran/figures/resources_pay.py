"""How to pay, told: the curve of pay, what it may cost, who gains and loses between two plans, what to look at first."""

from collections.abc import Sequence

import polars as pl

from cadran.figures import resources_paying as draw
from cadran.figures.blocks import Block, Lines, Nothing, Notice
from cadran.figures.figure import Figure
from cadran.figures.opportunities_answers import Answers
from cadran.figures.told import with_finding
from cadran.tables.problems import Problem

Parts = dict[str, Block | Figure]
#: What to look at in a plan -> words.
KINDS = {
    "late": "Told late", "retroactive": "Retroactive", "deducting": "Deducts", "territory": "Territory moved",
    "calendar": "Calendar", "unknown": "Not known",
}  # fmt: skip


def curve(answers: Answers, curves: Sequence[pl.DataFrame | Problem]) -> Parts:
    """Pay at each attainment, of the first plan and of that it is compared with; frames as `PayCurve`."""
    words, title = answers.words, answers.words("What the next deal pays")
    told = [each for each in curves if isinstance(each, pl.DataFrame)]
    if not told:
        first = next((each for each in curves if isinstance(each, Problem)), None)
        return {"pay_curve": Notice(first.told(words), title, "little") if first else Nothing()}
    frames = zip(draw.PLANS, told, strict=False)
    rows = pl.concat([each.with_columns(place_plan=pl.lit(place)) for place, each in frames])
    names = [each["plan"].first() for each in told]
    said = words("Variable pay of a year by attainment; blue: {first}", first=names[0])
    if len(names) > 1:
        said += words("; dashed: {other}", other=names[1])
    said += words("; ring: pay jumps, a deal may be hurried or held; orange squares: the next deal pays nothing")
    drawn = draw.curve(rows, words=words, currency=answers.currency, title=title, subtitle=said)
    return {"pay_curve": with_finding(drawn)}


def costs(answers: Answers, cost: pl.DataFrame, attained: pl.DataFrame, share: float) -> Parts:
    """What the plan may cost, and how many may reach how much of their quota; frames as `PayCost`, `PayAttainment`."""
    words = answers.words
    whole = cost.filter(pl.col("period").is_null())
    said = words("Bands 50, 80 and 95 % of the simulated bookings, {share} of which the plan pays on",
                 share=words.percent(share))  # fmt: skip
    if whole.height:
        row = whole.row(0, named=True)
        said += words("; in all {pay} ({low} to {high}), {of} of what is signed", pay=answers.money(row["pay"]),
                      low=answers.money(row["low"]), high=answers.money(row["high"]),
                      of=words.percent(row["pay_share"], 1))  # fmt: skip
    style = {"words": words, "currency": answers.currency}
    title = words("What variable pay may cost")
    drawn: Parts = {
        "pay_cost": draw.cost(cost.drop_nulls("period"), title=title, subtitle=said, **style)  # type: ignore[arg-type]
    }
    labels = [_bin(answers, low, high) for low, high in attained.select("bin_low", "bin_high").iter_rows()]
    rows = attained.with_columns(label=pl.Series(labels, dtype=pl.String))
    title = words("How many sellers may reach how much of their quota")
    said = words("Sellers expected by the end of the plan's year, with the 95 % interval")
    drawn["pay_attained"] = draw.attained(rows, title=title, subtitle=said, **style)  # type: ignore[arg-type]
    return {slot: with_finding(each) for slot, each in drawn.items()}


def compared(answers: Answers, frame: pl.DataFrame | Problem | None, names: Sequence[str]) -> Parts:
    """Who gains and loses under the other plan, team by team; frame as `PayCompared`, None without another plan."""
    words = answers.words
    if frame is None or len(names) < 2:
        return {"pay_compared": Nothing()}
    title = words("Under {other} instead of {first}, on the same deals", first=names[0], other=names[1])
    if isinstance(frame, Problem):
        return {"pay_compared": Notice(frame.told(words), title, "little")}
    rows = frame.filter(pl.col("level") == "team").sort("group", nulls_last=True)
    if rows.is_empty():
        few = words("Too few sellers are paid to tell of teams: it would tell what each is paid.")
        return {"pay_compared": Notice(few, title, "little")}
    texts = [
        words("not told")
        if gain is None
        else f"{words.n('{n} gains', '{n} gain', gain)}, {words.n('{n} loses', '{n} lose', lose)}"
        for gain, lose in rows.select("n_gain", "n_lose").iter_rows()
    ]  # fmt: skip
    labels = [group or words("Unknown") for group in rows["group"]]
    rows = rows.with_columns(label=pl.Series(labels, dtype=pl.String), told=pl.Series(texts, dtype=pl.String))
    said = words("Variable pay of each team, more or less; beside it, sellers")
    said += "".join(f". {words(why)}" for why in rows["reason"].drop_nulls().unique())
    drawn = draw.compared(rows, words=words, currency=answers.currency, title=title, subtitle=said)
    return {"pay_compared": with_finding(drawn)}


def flags(answers: Answers, frame: pl.DataFrame) -> Parts:
    """What a person has to look at before the plan pays; frame as `PayFlag`."""
    words = answers.words
    if frame.is_empty():
        return {"pay_flags": Nothing()}
    lines = [(words(KINDS[kind]), plan, said) for kind, plan, said in frame.select("kind", "plan", "said").iter_rows()]
    said = words("For people, and counsel, to decide")
    return {"pay_flags": Lines(words("To look at before it pays"), said, lines)}


def _bin(answers: Answers, low: float, high: float | None) -> str:
    words = answers.words
    if high is None:
        return f"≥ {words.percent(low)}"
    return f"{words.number(100 * low, 0)}–{words.percent(high)}"
