"""Visits of deals to the stages of the pipeline: from when, until when, and where they went."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import narwhals as nw

from cadran.book import Book
from cadran.measures.catalogue import Question
from cadran.tables.deals import CLOSED


def followed_since(book: Book) -> datetime | None:
    """The moment from which a book sees deals move between stages; None where it knows their whole past.

    A source with one row per deal tells the stage of the day: what was crossed before the first import is not known.
    Nor is what was crossed before a history begins, as one that a CRM keeps since last year.
    """
    manifest = book.manifest
    if "versions" not in manifest["histories"]:
        return datetime.fromisoformat(manifest["first_taken"]) + timedelta(microseconds=1)
    since = manifest.get("followed_since")
    return datetime.fromisoformat(since) if since else None


def followed(book: Book) -> nw.Expr:
    """Whether the book saw the deal of a version come to its stage."""
    since, began = followed_since(book), nw.col("stage_since")
    return ~began.is_null() if since is None else began >= since


def visits(book: Book, question: Question) -> nw.LazyFrame:
    """The visits of deals to open stages that began in the period, one row each, as known at the book's moment.

    A visit begins when a deal comes to a stage, be it at its creation, or is opened again in one. It lasts while the
    deal is open and keeps the stage, over however many versions. Deals no longer there (deleted, merged, vanished)
    have none, nor does what came before `followed_since`.

    Returns:
        One row per visit: the columns of `by`; `entered_stage`; `since` and `ended` (null while it lasts);
        `to_stage`, null where the deal closed without changing its stage or is still there; `closed_as`, the status
        it closed with, null where it went on open.
    """
    versions = book.table("versions")
    closings = versions.filter(
        nw.col("status").is_in(CLOSED) & (nw.col("valid_from") == nw.col("status_since"))
    ).select("opportunity_id", ended="valid_from", closed_as="status")
    stays = versions.filter(
        (nw.col("status") == "open") & began_in(question, book, "stage_since") & followed(book)
    ).select("opportunity_id", entered_stage="stage", since="stage_since", ended="valid_to", to_stage="next_stage")
    # Of several versions in one stage, the last is the visit: it lasts, or it ends in another stage or a closing.
    left = stays.join(closings, on=["opportunity_id", "ended"], how="left")
    is_last = nw.col("ended").is_null() | ~nw.col("to_stage").is_null() | ~nw.col("closed_as").is_null()
    deals = book.deals(["opportunity_id", *question.columns], question.organisation)
    told = ("entered_stage", "since", "ended", "to_stage", "closed_as")
    return left.filter(is_last).join(question.keeps(deals), on="opportunity_id").select(*question.by, *told)


def began_in(question: Question, book: Book, instant: str) -> nw.Expr:
    """Whether a column of instants lies in the period, whose days are those of the book's time zone."""
    began = nw.col(instant)
    kept = ~began.is_null()
    if question.since:
        kept = kept & (began >= _midnight(question.since, book))
    return kept & (began < _midnight(question.until + timedelta(days=1), book)) if question.until else kept


def _midnight(day: date, book: Book) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(book.settings.time_zone)).astimezone(UTC)
