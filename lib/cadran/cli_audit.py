"""The command that audits the sales process: where deals go, how long they stay, on whom they wait, what it costs."""

import json
from dataclasses import dataclass
from typing import Annotated, Any

import polars as pl
import typer
from rich.box import SIMPLE
from rich.table import Table

from cadran.asked import (
    AsOfOption,
    BookOption,
    ByOption,
    CorrectedOption,
    FormatOption,
    SinceOption,
    TodayOption,
    UntilOption,
    WhereOption,
    questioned,
    seen_book,
)
from cadran.figures.columns import cell, label
from cadran.figures.renamed import told_renamed
from cadran.tables.problems import Problem
from cadran.terminal import Format, out, reader_words, tell_purge, warn
from cadran.text import Words

words = reader_words()
audit = typer.Typer()


@dataclass(frozen=True)
class Part:
    """One part of the audit: its measure, the columns that a table shows of it, and how to read them."""

    measure: str
    columns: tuple[str, ...]
    says: str
    #: What stands where a column is null, by column.
    nulls: tuple[tuple[str, str], ...] = ()
    #: The column that counts the deals of a rate, where it is not shown by itself.
    counts: tuple[tuple[str, str], ...] = ()


def _parts(words: Words) -> dict[str, Part]:
    """The parts, by the name they have in JSON, with their sentences in the reader's language."""
    return {
        "funnel": Part(
            "stage_funnel",
            ("entered_stage", "n_deals", "n_reached", "reached_share", "expected_share", "previous_share", "n_pending",
             "n_skipped", "n_back"),
            words(
                "Deals created in the period. Those still open may yet come to a stage: the expected share counts them "
                "for as long as they were followed."
            ),
            (("entered_stage", words("Won")),),
        ),
        "dwell": Part(
            "stage_dwell",
            ("entered_stage", "n_entered", "n_left", "n_still_there", "dwell_p25_days", "dwell_median_days",
             "dwell_p75_days"),
            words("Days by which a quarter, half and three quarters of the entries had left; those still there count."),
        ),
        "paths": Part(
            "path_variants",
            ("rank", "path", "n_variants", "n_deals", "deals_share", "n_won", "n_lost", "win_rate", "median_days"),
            words("Deals closed in the period, by the stages they went through."),
            (("path", words("All other paths")),),
        ),
        "rework": Part(
            "rework",
            ("entered_stage", "n_deals", "n_returning", "returning_share", "n_returns", "extra_days_per_return",
             "landmark_days", "returned_win_rate", "others_win_rate"),
            words(
                "Deals closed in the period. Win rates compare deals of the same age: who lives longer has more time to "
                "return."
            ),
            (("entered_stage", words("Any stage")),),
            (("returned_win_rate", "n_closed_returned"), ("others_win_rate", "n_closed_others")),
        ),
        "flows": Part(
            "stage_flows",
            ("from_stage", "to_stage", "to_kind", "n_moves", "n_deals", "median_days", "amount", "n_unknown_amount"),
            words("What became of the entries begun in the period, way by way."),
            (("from_stage", words("(begins)")),),
        ),
        "waits": Part(
            "waiting_on",
            ("entered_stage", "side", "n_deals", "days", "days_share", "n_open", "amount_open", "median_days"),
            words("Whose move it was, by who spoke last. It does not tell who is to blame."),
        ),
        "bottlenecks": Part(
            "bottlenecks",
            ("entered_stage", "n_entered", "n_quarters", "within_days", "mean_days", "best_quarter", "best_days",
             "gap_days", "days_moved", "revenue_moved", "reason"),
            words(
                "What a stage would move had it the pace of its best quarter, quarters shrunk so that luck is not taken "
                "for pace. Revenue earlier, once, not more revenue; an associated gap, not an effect."
            ),
        ),
        "early_late": Part(
            "close_timing",
            ("timing", "n_deals", "n_won", "n_lost", "n_open", "win_rate", "pushed_share", "median_days"),
            words(
                "Deals sorted on the day first expected of them, by what was so then, and followed from there. The share won "
                "is of all of them, those still open counting for as long as they were followed."
            ),
        ),
    }  # fmt: skip


@audit.callback()
def audits() -> None:
    """Audits of how the team works."""


@audit.command("process", help=words("Audit the stages: where deals go, how long they stay, on whom they wait."))
def audit_process(
    by: ByOption = None,
    where: WhereOption = None,
    as_of: AsOfOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    part: Annotated[
        list[str] | None, typer.Option(help=words("Only this part of the audit; repeat for more. CSV needs one."))
    ] = None,
    corrected: CorrectedOption = False,
    today: TodayOption = False,
    book: BookOption = None,
    format: FormatOption = Format.table,  # noqa: A002
) -> None:
    """Audit the stages: where deals go, how long they stay, on whom they wait."""
    from cadran.measures import MEASURES
    from cadran.measures.renamed import renamed_stages

    words, opened = reader_words(), seen_book(book, as_of, corrected)
    parts = _asked(part or [], format, words)
    question = questioned(by, where, since, until, today, {})
    MEASURES[next(iter(parts.values())).measure].check(opened, question)
    told: dict[str, pl.DataFrame | Problem] = {}
    for name, each in parts.items():
        try:
            told[name] = MEASURES[each.measure].ask(opened, question)
        except Problem as problem:
            told[name] = problem
    problems = [each for each in told.values() if isinstance(each, Problem)]
    if len(problems) == len(told) and len({str(each) for each in problems}) == 1:
        raise problems[0]
    renamed = renamed_stages(opened)
    if format is Format.csv:
        frame = next(iter(told.values()))
        assert isinstance(frame, pl.DataFrame)
        typer.echo(frame.write_csv(), nl=False)
        warn(told_renamed(renamed, words))  # beside the table, which a script reads
    elif format is Format.json:
        typer.echo(
            json.dumps(_object(told, renamed, opened, question, words), ensure_ascii=False, indent=1, default=str)
        )
    else:
        out.print(f"[bold]{words('Process audit')}[/] · {opened.settings.name} · {words.date(opened.day)}")
        tell_purge(opened, words)
        for sentence in told_renamed(renamed, words):
            out.print(sentence, style="yellow", markup=False, highlight=False, soft_wrap=True)
        for name, each in parts.items():
            if isinstance(rows := told[name], pl.DataFrame):
                title = words(MEASURES[each.measure].title)
                _tell(title, each, rows, question.by, words, opened.settings.currency)
        for sentence in _refusals(problems, words):
            out.print(f"\n{sentence}", style="yellow", markup=False, highlight=False, soft_wrap=True)


def _asked(names: list[str], form: Format, words: Words) -> dict[str, Part]:
    """The parts asked for, all of them by default."""
    parts = _parts(words)
    for name in names:
        if name not in parts:
            raise Problem("The audit has no part {name}.", "Its parts are: {names}.", name=name, names=", ".join(parts))
    chosen = {name: each for name, each in parts.items() if not names or name in names}
    if form is Format.csv and len(chosen) > 1:
        raise Problem(
            "CSV holds one table, and the audit has several.", "Name one of them: --part {names}.",
            names=" | ".join(parts),
        )  # fmt: skip
    return chosen


def _object(
    told: dict[str, pl.DataFrame | Problem], renamed: pl.DataFrame, book: Any, question: Any, words: Words
) -> dict[str, Any]:
    """The audit as one object: each part a list of rows, or null where `refused` says why."""
    refused = {name: each.told(words) for name, each in told.items() if isinstance(each, Problem)}
    rows = {name: None if isinstance(each, Problem) else each.to_dicts() for name, each in told.items()}
    return {
        "book": book.settings.name, "as_of": book.day, "since": question.since, "until": question.until,
        "by": list(question.by), "currency": book.settings.currency, "renamed": renamed.to_dicts(), **rows, "refused": refused,
    }  # fmt: skip


def _refusals(problems: list[Problem], words: Words) -> list[str]:
    """Why parts cannot be told, each reason and each repair once."""
    alike: dict[str, dict[str, list[str]]] = {}
    for each in problems:
        what, _, repair = each.told(words).partition("\n")
        missing = each.values.get("missing")
        titles = alike.setdefault(repair, {}).setdefault(str(what if missing is None else missing), [])
        titles += [] if missing is None else [words(str(each.values["title"]))]
    return [
        "\n".join(
            [*(
                words("{titles}: not to be had on this book, {missing} filled.", titles=words.list(titles), missing=why)
                if titles and why else
                words("{titles}: not to be had on this book.", titles=words.list(titles)) if titles else why
                for why, titles in reasons.items()
            ), repair]
        )
        for repair, reasons in alike.items()
    ]  # fmt: skip


def _tell(title: str, part: Part, told: pl.DataFrame, by: tuple[str, ...], words: Words, currency: str) -> None:
    """One part as a table: its title, how to read it, and its lines."""
    out.print(f"\n[bold]{title}[/]", highlight=False)
    out.print(part.says, style="dim", highlight=False, soft_wrap=True)
    if told.is_empty():
        out.print(words("No row."), style="dim")
        return
    columns = [column for column in (*by, *part.columns) if column in by or told[column].null_count() < told.height]
    table = Table(*(_head(column, part, words) for column in columns), box=SIMPLE)
    for row in told.iter_rows(named=True):
        table.add_row(*(_cell(column, row, part, words, currency) for column in columns))
    out.print(table, soft_wrap=True, crop=False)
    if "followed_since" in told.columns and (day := told["followed_since"][0]):
        followed = words("Stages are followed since {day}: what came before is not known.", day=words.date(day))
        out.print(followed, style="yellow", highlight=False, soft_wrap=True)
    if "n_unknown" in told.columns and (n := int(told["n_unknown"].max() or 0)):  # type: ignore[arg-type]
        out.print(
            words.n("Left out, what the book knows of it beginning too late: {n} deal.",
                    "Left out, what the book knows of them beginning too late: {n} deals.", n),
            style="yellow", highlight=False, soft_wrap=True,
        )  # fmt: skip


def _head(column: str, part: Part, words: Words) -> str:
    """The name of a column. Days until a move, a reply or a closing have names of their own."""
    own = {
        ("stage_flows", "median_days"): words("Half before"),
        ("waiting_on", "median_days"): words("Half for"),
        ("close_timing", "median_days"): words("Half closed, after that day"),
        ("close_timing", "win_rate"): words("Won, of all of them"),
        ("bottlenecks", "mean_days"): words("Mean stay"),
    }
    return own.get((part.measure, column)) or label(column, words)


def _cell(column: str, row: dict[str, Any], part: Part, words: Words, currency: str) -> str:
    """A value, with its interval where it has one."""
    value, null = row[column], dict(part.nulls).get(column)
    if value is None and (null or column in ("to_stage", "reason")):
        return null or ""
    if column == "reason":
        return words(value)
    told = _one(column, value, words, currency)
    low, high = (row.get(f"{column}_{end}") for end in ("low", "high"))
    if low is not None and high is not None:
        told += f" ({_one(column, low, words, currency)} … {_one(column, high, words, currency)})"
    counted = dict(part.counts).get(column)
    return f"{told} · {words.number(row[counted])}" if counted else told


def _one(column: str, value: Any, words: Words, currency: str) -> str:
    if column in ("days", "days_moved") and value is not None:
        return words.number(value, 0)
    if column.endswith(("_days", "_days_per_return")) and value is not None:  # one unit, whatever the length
        return f"{words.number(value, 1 if abs(value) < 10 else 0)} {words('d')}"
    return cell(column, value, words, currency)
