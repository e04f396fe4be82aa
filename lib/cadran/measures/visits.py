"""Visits of deals to the stages of the pipeline: from when, until when, and where they went."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import narwhals as nw
import polars as pl

from cadran.book import Book
from cadran.book.known import followed_since
from cadran.measures.catalogue import Need, Question
from cadran.measures.counting import small
from cadran.tables.deals import CLOSED

IMPORT_HISTORY = (
    "A book made of one export of present states does not know the stages its deals have crossed: import their history "
    "(docs/mapping.md), or go on importing: stages are followed from the first import on, or from where a history "
    "begins."
)
#: What a measure of stages needs, and the way out where a book lacks it.
NEEDS_STAGES = (
    Need(
        "next_stage", table="versions", told_by=lambda book: followed(book), once_is_enough=True, repair=IMPORT_HISTORY
    ),
)  # fmt: skip
_TOLD = ("entered_stage", "since", "ended", "to_stage", "closed_as", "amount_then")


def followed_day(book: Book) -> date | None:
    """The day of `followed_since` in the book's time zone."""
    since = followed_since(book)
    return None if since is None else since.astimezone(ZoneInfo(book.settings.time_zone)).date()


def followed(book: Book) -> nw.Expr:
    """Whether the book saw the deal of a version come to its stage."""
    since, began = followed_since(book), nw.col("stage_since")
    return ~began.is_null() if since is None else began >= since


def visits(book: Book, question: Question, *columns: str) -> nw.LazyFrame:
    """The visits of deals to open stages that began in the period, one row each, as known at the book's moment.

    A visit begins when a deal comes to a stage, be it at its creation, or is opened again in one. It lasts while the
    deal is open and keeps the stage, over however many versions. Deals no longer there (deleted, merged, vanished)
    have none, nor does what came before `followed_since`.

    Returns:
        One row per visit: the columns of `by`; those `columns` of its deal; `entered_stage`; `since` and `ended` (null
        while it lasts); `to_stage`, null where the deal closed without changing its stage or is still there;
        `closed_as`, the status it closed with, null where it went on open; `amount_then`, the amount at the end of the
        visit (reporting currency), null where unknown, or known at closing only.
    """
    versions = book.table("versions")
    closings = versions.filter(
        nw.col("status").is_in(CLOSED) & (nw.col("valid_from") == nw.col("status_since"))
    ).select("opportunity_id", ended="valid_from", closed_as="status")
    stays = versions.filter(
        (nw.col("status") == "open") & began_in(question, book, "stage_since") & followed(book)
    ).select(
        "opportunity_id", entered_stage="stage", since="stage_since", ended="valid_to", to_stage="next_stage",
        amount_then=nw.lit(None, nw.Float64) if "amount" in book.settings.known_at_close else nw.col("amount"),
    )  # fmt: skip
    # Of several versions in one stage, the last is the visit: it lasts, or it ends in another stage or a closing.
    left = stays.join(closings, on=["opportunity_id", "ended"], how="left")
    is_last = nw.col("ended").is_null() | ~nw.col("to_stage").is_null() | ~nw.col("closed_as").is_null()
    deals = book.deals(["opportunity_id", *question.columns, *columns], question.organisation)
    told = dict.fromkeys((*question.by, *columns, *_TOLD))
    return left.filter(is_last).join(question.keeps(deals), on="opportunity_id").select(*told)


def whole_lives(book: Book, deals: nw.LazyFrame) -> nw.LazyFrame:
    """Add to deals, by `opportunity_id`, whether the book saw all their stages from the first on (`is_whole`)."""
    cut = book.table("versions").filter(~followed(book)).select("opportunity_id").unique()
    flagged = deals.join(cut.with_columns(is_cut=nw.lit(True)), on="opportunity_id", how="left")
    return flagged.with_columns(is_whole=nw.col("is_cut").is_null()).drop("is_cut")


def open_stages(book: Book) -> pl.DataFrame:
    """The open stages in the order of the pipeline: `stage` and `position`."""
    stages = small(book.table("stages").filter(nw.col("kind") == "open"))
    return stages.sort("position", "stage").select("stage", "position")


def parts(frame: pl.DataFrame, by: Sequence[str]) -> dict[tuple[Any, ...], pl.DataFrame]:
    """The rows of each group of a small frame, by the values of `by`; one group in all when it is empty."""
    return frame.partition_by(by, as_dict=True, maintain_order=True) if by else {(): frame}


def period_of(question: Question, book: Book) -> tuple[datetime | None, datetime | None]:
    """The instants at which the period begins, and at which it is over, in the book's time zone; None if open."""
    first, after = question.since, question.until and question.until + timedelta(days=1)
    return midnight(first, book) if first else None, midnight(after, book) if after else None


def began_in(question: Question, book: Book, instant: str) -> nw.Expr:
    """Whether a column of instants lies in the period, whose days are those of the book's time zone."""
    began, (first, after) = nw.col(instant), period_of(question, book)
    kept = ~began.is_null()
    if first:
        kept = kept & (began >= first)
    return kept & (began < after) if after else kept


def midnight(day: date, book: Book) -> datetime:
    """The instant at which a day begins in the book's time zone."""
    return datetime.combine(day, time(), ZoneInfo(book.settings.time_zone)).astimezone(UTC)
