"""Where deals wait: the funnel, the map, the time in each stage, told of measured frames. Computes no number."""

from collections.abc import Mapping
from typing import Any, TypeGuard

import polars as pl

from cadran.figures import process_map as draw
from cadran.figures import waits as draw_waits
from cadran.figures.blocks import Block, Notice, once
from cadran.figures.controls import TableView
from cadran.figures.figure import Figure
from cadran.figures.opportunities_answers import Answers
from cadran.figures.table import Table
from cadran.figures.told import with_finding
from cadran.tables.problems import Problem

EARLY_LATE = ("timing", "n_deals", "n_won", "n_lost", "n_open", "win_rate", "win_rate_low", "win_rate_high",
              "pushed_share", "late_days")  # fmt: skip
REWORK = ("entered_stage", "n_deals", "n_returning", "returning_share", "returning_share_low", "returning_share_high",
          "extra_days_per_return", "returned_win_rate", "n_closed_returned", "others_win_rate", "n_closed_others")  # fmt: skip
VARIANTS = ("path", "n_deals", "deals_share", "cumulative_share", "n_won", "n_lost", "win_rate", "win_rate_low",
            "win_rate_high", "median_days")  # fmt: skip


def stages(answers: Answers) -> dict[str, Block | Figure]:
    """The funnel, the map and the time in each stage."""
    words, dates = answers.words, answers.dates
    told = {
        "funnel": words("What becomes of the deals that enter each stage"),
        "map": words("The way deals take"),
        "dwell": words("How long deals stay in each stage"),
    }
    conversion, dwell = answers.frame("conversion"), answers.frame("dwell")
    if isinstance(conversion, Problem):
        return once({slot: Notice(conversion.told(words), title, "little") for slot, title in told.items()}, words)
    if isinstance(dwell, Problem) or not conversion["n_entered"].sum():
        why = words(
            "No deal entered a stage from {period}. A wider period, or fewer filters, would fill this.", period=dates
        )
        return once({slot: Notice(why, title, "empty") for slot, title in told.items()}, words)
    style = {"words": words, "currency": answers.currency}
    rows = conversion.with_row_index("row")
    share = pl.Series("told", [_share(row, answers) for row in rows.iter_rows(named=True)], dtype=pl.String)
    drawn = {
        "funnel": draw.funnel(
            rows.with_columns(share), title=told["funnel"], frames={"fates": _fates(rows, answers)},
            subtitle=words("Entries from {period}; share that moved on or was won, 95 % interval", period=dates), **style,
        ),
        "map": _map(answers, rows, dwell, told["map"]),
        "dwell": draw.dwell(
            dwell.with_columns(pl.Series("told", [_days(row, answers) for row in dwell.iter_rows(named=True)], dtype=pl.String)),
            title=told["dwell"],
            subtitle=words("Days from entry, {period}: half, and the middle half; those still there included", period=dates),
            **style,
        ),
    }  # fmt: skip
    return {slot: with_finding(block) for slot, block in drawn.items()}


def _map(answers: Answers, rows: pl.DataFrame, dwell: pl.DataFrame, title: str) -> Figure:
    words, names = answers.words, rows["entered_stage"].to_list()
    days = dict(dwell.select("entered_stage", "dwell_median_days").iter_rows())
    half = [words.days(days.get(name)) for name in names]
    said = [
        f"{words.n('{n} entry', '{n} entries', n)} · {each}" for n, each in zip(rows["n_entered"], half, strict=True)
    ]
    brief = [f"{words.number(n)} · {each}" for n, each in zip(rows["n_entered"], half, strict=True)]
    ends = [
        (row["row"], text, kind)
        for row in rows.iter_rows(named=True)
        for kind, text in (
            ("won", words.n("{n} won", "{n} won", row["n_won"])),
            ("lost", words.n("{n} lost", "{n} lost", row["n_lost"] + row["n_disqualified"])),
        )
        if row["n_won" if kind == "won" else "n_lost"]
    ]
    flows = answers.frame("flows")
    between = flows.rename({"n_moves": "n"}) if isinstance(flows, pl.DataFrame) else _no_flows()
    return draw.process_map(
        rows.with_columns(pl.Series("told", said), pl.Series("brief", brief), name="entered_stage"),
        words=words, currency=answers.currency, title=title, n_stages=rows.height,
        subtitle=words("Moves from {period}: as wide as they are many; to the right skipping ahead, to the left moving back; "
                       "in each stage its entries and the time within which half leave",
                       period=answers.dates),
        frames={
            "flows": draw.curves(between, names),
            "ends": pl.DataFrame(ends, schema={"row": pl.UInt32, "text": pl.String, "kind": pl.String}, orient="row"),
        },
    )  # fmt: skip


def waits(answers: Answers) -> dict[str, Block | Figure]:
    """On whom deals wait, what the best pace would move, returns, and the ways deals take. Stands below `stages`: the
    same frames and more."""
    words, dates = answers.words, answers.dates
    style = {"words": words, "currency": answers.currency}
    drawn: dict[str, Block | Figure] = {}
    subtitles = {
        "early_late": words(
            "First expected from {period}: sorted on that day by what was so then, and followed from there. Late deals "
            "differ in more than the date.", period=dates,
        )
    }  # fmt: skip
    conversion = answers.frame("conversion")
    said = {conversion.repair} if isinstance(conversion, Problem) else set()
    title = words("On whom deals wait")
    frame = answers.frame("waiting")
    drawn["waiting"] = _waiting(frame, answers, title) if _says(frame) else _silent(frame, title, answers, said)
    title = words("What the pace of the best quarter would move")
    frame = answers.frame("bottlenecks")
    if not _says(frame, "revenue_moved"):
        drawn["bottlenecks"] = _silent(frame, title, answers, said)
    else:
        told = [_shorter(row, answers) for row in frame.iter_rows(named=True)]
        subtitle = words(
            "Revenue signed a quarter earlier than it was, 95 % interval; beside it the days a stay is longer now"
        )
        named = frame.with_columns(pl.Series("told", told, dtype=pl.String))
        drawn["bottlenecks"] = draw_waits.bottlenecks(named, title=title, subtitle=subtitle, **style)
    early = answers.frame("close_timing")
    # The days are counted from the first expected date, not from creation.
    timed = early if isinstance(early, Problem) else early.rename({"median_days": "late_days"}, strict=False)
    answers = answers.with_frames({"close_timing": timed})
    for slot, name, title, columns in (
        ("early_late", "close_timing", words("Deals closed by the date first expected, and later ones"), EARLY_LATE),
        ("rework", "rework", words("Deals that come back to a stage"), REWORK),
        ("variants", "variants", words("The ways deals take, the most taken first"), VARIANTS),
    ):
        frame = answers.frame(name)
        view = answers.view.tables.get(slot, TableView())
        subtitle = subtitles.get(slot, words("Deals that moved from {period}", period=dates))
        drawn[slot] = (
            Table(_named(frame, answers), title, words, answers.currency, view, subtitle, columns=columns)
            if _says(frame)
            else _silent(frame, title, answers, said)
        )
    return {slot: with_finding(block) for slot, block in drawn.items()}


def _says(frame: pl.DataFrame | Problem, needed: str = "") -> TypeGuard[pl.DataFrame]:
    """Whether there is something to draw."""
    return isinstance(frame, pl.DataFrame) and bool(frame[needed].count() if needed else frame.height)


def _silent(frame: pl.DataFrame | Problem, title: str, answers: Answers, said: set[str]) -> Notice:
    """What is said where there is nothing to draw; a repair that was `said` is not said again."""
    words = answers.words
    if isinstance(frame, Problem):
        repair = "" if frame.repair in said else frame.repair
        said.add(frame.repair)
        return Notice(Problem(frame.what, repair, **frame.values).told(words), title, "little")
    reason = frame["reason"].drop_nulls().first() if "reason" in frame.columns else None
    if reason:
        return Notice(words(str(reason)), title, "little")
    return Notice(words("Nothing to show for {period}. A wider period, or fewer filters, would fill this.",
                        period=answers.dates), title, "empty")  # fmt: skip


def _waiting(frame: pl.DataFrame, answers: Answers, title: str) -> Figure:
    words, sides = answers.words, list(draw_waits.SIDES)
    said = {side: words(text) for side, (text, _) in draw_waits.SIDES.items()}
    rows = frame.with_columns(
        side_label=pl.col("side").replace_strict(said, return_dtype=pl.String),
        order=pl.col("side").replace_strict({side: place for place, side in enumerate(sides)}, return_dtype=pl.Int64),
    )
    open_now = frame.group_by("entered_stage", maintain_order=True).agg(pl.col("n_open").sum())
    told = [words.n("{n} open", "{n} open", n) for n in open_now["n_open"]]
    return draw_waits.waiting(
        rows, words=words, currency=answers.currency, title=title,
        subtitle=words("Share of the days in each stage by whose move it is: who did not speak last, {period}",
                       period=answers.dates),
        frames={"beside": open_now.with_columns(pl.Series("told", told, dtype=pl.String))},
    )  # fmt: skip


def _shorter(row: Mapping[str, Any], answers: Answers) -> str:
    words = answers.words
    if row["gap_days"] is None:
        return words("too few")
    days, low, high = (words.number(row[f"gap_days{end}"], 1) for end in ("", "_low", "_high"))
    return words("{days} days ({low} to {high})", days=days, low=low, high=high)


def _named(frame: pl.DataFrame, answers: Answers) -> pl.DataFrame:
    """Lines over all stages, or of all other ways, said so."""
    named = [
        pl.col(column).fill_null(answers.words(text))
        for column, text in (("entered_stage", "Any stage"), ("path", "All other ways"))
        if column in frame.columns
    ]
    return frame.with_columns(named)


def _no_flows() -> pl.DataFrame:
    return pl.DataFrame(schema={"from_stage": pl.String, "to_stage": pl.String, "n": pl.Int64})


def _fates(rows: pl.DataFrame, answers: Answers) -> pl.DataFrame:
    """One row per stage and fate that some deal met."""
    parts = [
        rows.select("row", "entered_stage", pl.lit(answers.words(text)).alias("fate"), n=column, order=pl.lit(order))
        for order, (column, (text, _)) in enumerate(draw.FATES.items())
    ]
    return pl.concat(parts).filter(pl.col("n") > 0)


def _share(row: Mapping[str, Any], answers: Answers) -> str:
    words = answers.words
    if row["forward_share"] is None:
        return "n = 0"
    low, high = (words.percent(row[f"forward_share_{end}"]) for end in ("low", "high"))
    return f"{words.percent(row['forward_share'])} ({low} – {high})"


def _days(row: Mapping[str, Any], answers: Answers) -> str:
    median = answers.words.days(row["dwell_median_days"])
    return f"{median} · n = {answers.words.number(row['n_entered'])}"
