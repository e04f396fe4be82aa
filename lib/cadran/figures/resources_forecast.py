"""What is coming, told: how the frames of the forecast become parts of the Resources page. Computes no number."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from cadran.figures import resources_coming as draw
from cadran.figures.blocks import Block, Nothing, Notice
from cadran.figures.columns_planned import CAUSES
from cadran.figures.controls import TableView
from cadran.figures.figure import Figure
from cadran.figures.opportunities_answers import Answers
from cadran.figures.table import Table
from cadran.figures.told import with_finding
from cadran.tables.problems import Problem

Parts = dict[str, Block | Figure]
#: Candidates of a forecast -> words.
CANDIDATES = {
    "blend": "The forecast told here", "bookings": "Deals, open and to come", "series": "The series of months",
    "average": "The average of past months", "seasonal_naive": "As in the same month a year before",
    "ets": "Exponential smoothing", "crm": "CRM: amount × stage probability", "commit": "Sellers: commit",
    "best_case": "Sellers: best case", "run_rate": "As in the last three months",
}  # fmt: skip
#: Columns of the tables.
TOLD = (
    "month", "quarter", "won_revenue", "q50", "q50_low", "q50_high", "target", "p_target", "crm", "commit", "best_case",
    "last_year", "run_rate",
)  # fmt: skip
NEEDED = ("quarter", "target", "p_target", "p_wanted", "pipeline_now", "pipeline_gap", "pipeline_needed")
SCORES = (
    "candidate", "chosen", "n_forecasts", "wape", "wape_low", "wape_high", "wape_difference", "wape_difference_low",
    "wape_difference_high", "mase",
    "pinball", "bias", "coverage_80", "coverage_95",
)  # fmt: skip


_NONE = {"made": Nothing(), "forecast": Nothing()}


@dataclass(frozen=True)
class Whom:
    """Whom a figure tells of: the company, a region or a team."""

    level: str
    group: str | None

    def of(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Their rows of a frame of groups."""
        return frame.filter((pl.col("level") == self.level) & pl.col("group").eq_missing(pl.lit(self.group, pl.String)))

    def told(self, answers: Answers) -> str:
        """In words."""
        return answers.words("whole company") if self.level == "company" else self.group or answers.words("Unknown")

    def first(self, answers: Answers) -> str:
        """In words that begin a line."""
        return _capital(self.told(answers))

    def seen(self, answers: Answers) -> str:
        """In words that begin a line, where of the company only what its reader may see is told: forecasts."""
        if self.level == "company" and answers.facts.is_part:
            return _capital(answers.words("all that you see"))
        return self.first(answers)


def _capital(said: str) -> str:
    return said[:1].upper() + said[1:]


COMPANY = Whom("company", None)


def coming(answers: Answers, whom: Whom, every: str) -> Parts:
    """The forecast of the months or quarters ahead, and what it is made of.

    Frames: `forecast`, `signed` and `made`, as `cadran.tables.measured.forecast` has them.
    """
    words, forecast, signed = answers.words, answers.frame("forecast"), answers.frame("signed")
    title = words("Signed revenue, month by month") if every == "month" else words("Signed revenue, quarter by quarter")
    said = words("{whom}; bands 50, 80 and 95 %, the median as a line; target: a dark line; signed: dark bars",
                 whom=whom.seen(answers))  # fmt: skip
    if isinstance(forecast, Problem) or isinstance(signed, Problem):
        problem = forecast if isinstance(forecast, Problem) else signed
        assert isinstance(problem, Problem)
        return {**_NONE, "fan": Notice(problem.told(words), title, "little")}
    mine = whom.of(forecast)
    if mine.is_empty():
        none = words("No forecast is told of {whom} alone: it would tell of one person.", whom=whom.told(answers))
        return {**_NONE, "fan": Notice(none, title, "empty")}
    past = whom.of(signed).drop_nulls("bookings") if every == "month" else whom.of(signed).head(0)
    spoke = [name for name in draw.RIVALS if answers.view["use"] == "detail" and mine[name].count()]
    drawn = draw.fan(
        mine, words=words, currency=answers.currency, title=title, subtitle=said, every=every, rivals=tuple(spoke),
        frames={"signed": past},
    )  # fmt: skip
    return {"fan": with_finding(drawn), **made(answers, every), "forecast": told(answers, mine, whom, every)}


def unsure(answers: Answers, source: Any, silent: Mapping[str, Problem]) -> Parts:
    """Which deals the forecast does not count, or counts for what others were signed for, and who says nothing.

    `source` is what open and coming deals were drawn from (`cadran.models.bookings.Bookings`), None where they could not
    be; `silent` is why parts and rivals say nothing, by name: rivals are told of in detail only.
    """
    words, said, is_detail = answers.words, list[str](), answers.view["use"] == "detail"
    if source is not None:
        counts = {
            "Open deals of which no chance can be told, hence not counted: {n}.": int(source.silent["n"].sum()),
            "Open deals without an amount, for which the amounts signed before stand: {n}.": source.n_unknown,
            "Deals signed this month without an amount, in no sum: {n}.": source.n_won_unknown,
        }
        is_less = bool(answers.view.selection) or answers.facts.is_part
        company = f"{COMPANY.first(answers)}{words(': ')}" if is_less else ""
        said = [company + words(text, n=words.number(n)) for text, n in counts.items() if n]
    whys: dict[str, list[str]] = {}
    for name, why in silent.items():
        if is_detail or name not in draw.RIVALS:
            whys.setdefault(" ".join(why.told(words).split("\n")), []).append(words(CANDIDATES[name]))
    for told_why, names in whys.items():
        one = len(names) == 1
        said.append(
            words("{name} says nothing: {why}", name=names[0], why=told_why)
            if one
            else words("{names} say nothing: {why}", names=words.list(names), why=told_why)
        )
    return {"unsure": Notice("\n".join(said), kind="little") if said else Nothing()}


def made(answers: Answers, every: str) -> Parts:
    """What the forecast of all that the reader sees is made of."""
    words, title = answers.words, answers.words("What the forecast is made of")
    said = words("{whom}; the parts add up to the mean of the forecast", whom=COMPANY.seen(answers))
    drawn = answers.draw("made", draw.made_of, title, said, every=every)
    return {"made": with_finding(drawn)}


def told(answers: Answers, mine: pl.DataFrame, whom: Whom, every: str) -> Block:
    """The forecast in numbers, beside what others say."""
    words = answers.words
    rows = mine.with_columns(q50_low="low", q50_high="high", won_revenue="won").with_columns(
        pl.col("period").alias(every)
    )
    columns = tuple(name for name in TOLD if name in rows.columns and rows[name].null_count() < rows.height)
    view = answers.view.tables.get("forecast", TableView())
    said = words("{whom}; the forecast with its 95 % interval, and what others say of the same periods",
                 whom=whom.seen(answers))  # fmt: skip
    return Table(rows, words("The forecast, and its rivals"), words, answers.currency, view, said, columns=columns)


def needed(answers: Answers, whom: Whom) -> Parts:
    """How much open pipeline would bring the chance to reach a target where it is wanted."""
    words, title, frame = answers.words, answers.words("Pipeline it takes to reach the target"), answers.frame("needed")
    if isinstance(frame, Problem):
        return {"needed": Notice(frame.told(words), title, "little")}
    mine = whom.of(frame) if frame.height else frame
    if mine.is_empty():
        return {"needed": Notice(words("No target is set for these quarters."), title, "empty")}
    view = answers.view.tables.get("needed", TableView())
    said = words("{whom}; deals like those open today, added today, by simulation", whom=whom.seen(answers))
    mine = mine.with_columns(quarter="period").rename({"gap": "pipeline_gap"})
    return {"needed": Table(mine, title, words, answers.currency, view, said, columns=NEEDED)}


def changed(answers: Answers, since: date) -> Parts:
    """Why the forecast of the quarter is not what it was; `changed` is as `Changed` has it."""
    words, frame = answers.words, answers.frame("changed")
    title = words("The forecast of the quarter: from {since} to {day}", since=words.date(since),
                  day=words.date(answers.view.day("as_of")))  # fmt: skip
    if isinstance(frame, pl.DataFrame):
        kept = frame.filter((pl.col("bookings").abs() >= 1) | pl.col("cause").is_in(["opening", "closing"]))
        labels = [words(CAUSES[cause]) for cause in kept["cause"]]
        frame = kept.with_columns(label=pl.Series(labels, dtype=pl.String))
    said = words("{whom}; the mean of the forecast; the causes add up exactly", whom=COMPANY.seen(answers))
    return {"changed": with_finding(answers.with_frames({"changed": frame}).draw("changed", draw.moved, title, said))}


def past(answers: Answers, ahead: int) -> Parts:
    """What was forecast and what came, and what each candidate was worth.

    Frames: `calls`, as `Called` has it, of the company and so many months `ahead`; `scores`, as `Score` has it.
    """
    words = answers.words
    title = words.n("Forecast {n} month ahead, and what came", "Forecast {n} months ahead, and what came", ahead)
    said = words("Whole company; 80 and 95 % bands, the median as a line; what came: a dark dot. Made on past days from what "
                 "was known then")  # fmt: skip
    drawn = {"calls": with_finding(answers.draw("calls", draw.calls, title, said))}
    return {**drawn, "scores": _scores(answers)}


def _scores(answers: Answers) -> Block:
    words, title, frame = answers.words, answers.words("How good forecasts were"), answers.frame("scores")
    if isinstance(frame, Problem):
        return Notice(frame.told(words), title, "little")
    rows = frame.filter(pl.col("n") > 0)
    if rows.is_empty():
        return Notice(words("No forecast of the past can be judged yet."), title, "empty")
    names = [words(CANDIDATES[name]) for name in rows["name"].cast(pl.String)]
    ends = {f"wape_difference{end}": pl.col(f"difference{end}") for end in ("", "_low", "_high")}
    ends["n_forecasts"] = pl.col("n")
    rows = rows.with_columns(candidate=pl.Series(names, dtype=pl.String), **ends)
    columns = tuple(name for name in SCORES if rows[name].null_count() < rows.height)
    view = answers.view.tables.get("scores", TableView())
    said = words("Made on past month ends from what was known then, 1 to 6 months ahead; WAPE: the errors' share of what came. "
                 "Below 0, a difference says that a rival was better")  # fmt: skip
    return Table(rows, title, words, answers.currency, view, said, columns=columns)


def quarter_told(answers: Answers, whom: Whom, frame: pl.DataFrame | Problem) -> tuple[str, Mapping[str, Any]]:
    """The sentence on the first period of a forecast by quarter, and its row; none where nothing is told."""
    words = answers.words
    mine = whom.of(frame) if isinstance(frame, pl.DataFrame) else pl.DataFrame()
    if mine.is_empty():
        return "", {}
    row = mine.row(0, named=True)
    ends = {"low": answers.money(row["low"]), "high": answers.money(row["high"])}
    said = words("By the end of {quarter}, {amount} are to be expected (between {low} and {high}, 95 %), {won} of it signed",
                 quarter=words.quarter(row["period"]), amount=answers.money(row["mean"]), won=answers.money(row["won"]),
                 **ends)  # fmt: skip
    if row["p_target"] is not None:
        said += words("; the target of {target} is reached with a chance of {chance}", target=answers.money(row["target"]),
                      chance=answers.chance(row["p_target"]))  # fmt: skip
    return f"{said}.", row
