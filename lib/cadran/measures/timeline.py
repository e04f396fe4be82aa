"""What happened to one deal, as known at the book's moment: what it was from when on, and every touch."""

from zoneinfo import ZoneInfo

import narwhals as nw
import polars as pl

from cadran.book import Book

#: Columns of a version whose change is an event, in the order in which those of one instant are told.
TOLD = ("stage", "amount", "expected_close_date", "status")
EVENTS = {
    "at_date": pl.Date, "kind": pl.String, "direction": pl.String, "value": pl.String, "is_move": pl.Boolean,
}  # fmt: skip


def timeline(book: Book, opportunity_id: str) -> pl.DataFrame:
    """The events of a deal.

    Args:
        book: A view of a book: what it does not know, or its reader may not see, is not there.
        opportunity_id: The deal. One that is not there has no event.

    Returns:
        One row per event, in order: `at_date` (day in the book's time zone); `kind`, what of the deal changed (a name
        of `TOLD`) or the kind of the touch; `direction` of a touch, null where not known; `value`, what it became, as
        text; `is_move`, whether the deal changed, against a touch. The first version tells all that is known of it.
    """
    deals = book.collect(
        book.deals(["opportunity_id", "opportunity_key"]).filter(nw.col("opportunity_id") == opportunity_id)
    )
    if deals.is_empty():
        return pl.DataFrame(schema=EVENTS)
    key = deals["opportunity_key"][0]
    versions = _of(book, "versions", key, "valid_from", *TOLD).sort("valid_from")
    touches = _of(book, "activities", key, "at", "kind", "direction")
    zone = ZoneInfo(book.settings.time_zone)
    nobody = pl.lit(None, pl.String).alias("direction")
    moves = []
    for name in TOLD:
        is_new = pl.col(name).ne_missing(pl.col(name).shift()) & (
            pl.col(name).is_not_null() | (pl.int_range(pl.len()) > 0)
        )
        value = pl.col(name).cast(pl.String).alias("value")
        kind = pl.lit(name).alias("kind")
        moves.append(
            versions.filter(is_new).select(pl.col("valid_from").alias("at"), kind, nobody, value, is_move=True)
        )
    touched = touches.select(
        "at", pl.col("kind").cast(pl.String), pl.col("direction").cast(pl.String), value=pl.lit(None, pl.String), is_move=False
    )  # fmt: skip
    events = pl.concat([*moves, touched]).sort("at", maintain_order=True)
    return events.select(pl.col("at").dt.convert_time_zone(str(zone)).dt.date().alias("at_date"), *list(EVENTS)[1:])


def _of(book: Book, table: str, key: int, *columns: str) -> pl.DataFrame:
    return book.collect(book.table(table).filter(nw.col("opportunity_key") == key).select(*columns))
