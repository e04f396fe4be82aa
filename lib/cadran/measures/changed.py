"""What became another on open deals between two views of a book, as on two days."""

import polars as pl

from cadran.book import Book
from cadran.book.landmarks import facts_at, open_pairs
from cadran.measures.signals_learnt import DEAL, in_polars
from cadran.tables.measured.signals import Changed
from cadran.tables.problems import Problem

#: What is compared: facts of `facts_at`, and the day on which the deal is expected to close.
FACTS = ("stage", "amount", "expected_close_date", "n_contacts", "competitor", "forecast_category", "n_touches", "team")


def changed_since(book: Book, earlier: Book) -> pl.DataFrame:
    """What changed on the deals open now since an earlier view, each as it was known at its moment.

    Args:
        book: The later view, read by whoever asks: the deals are those open in it.
        earlier: An earlier view of the same book.

    Returns:
        One row per deal and fact of `FACTS` that differs, as `Changed` has it, in the order of the deals and of
        `FACTS`: numbers and days as text (ISO), null where not known. A deal that was not there before has the one row
        `new`, one that was closed then `reopened`, with the stage it is in.

    Raises:
        Problem: If the other view is not an earlier one of the same version.
    """
    if earlier.version != book.version or earlier.moment > book.moment:
        raise Problem(
            "{day:%Y-%m-%d} of another book, or of a later day, is nothing to compare with.",
            "Compare a book with an earlier day of the same version.", day=earlier.moment,
        )  # fmt: skip
    pairs = open_pairs(book)
    then = pl.lit(earlier.moment).cast(pairs.schema["at"])
    before = _told(earlier, pairs.with_columns(at=then)).with_columns(
        came=pl.when(pl.col("opportunity_id").is_null())
        .then(pl.lit("new"))
        .when(~pl.col(DEAL).is_in(open_pairs(earlier)[DEAL].implode()))
        .then(pl.lit("reopened"))
    )
    joined = _told(book, pairs).join(before, on=DEAL, how="left", suffix="_before", maintain_order="left")
    came = pl.col("came")
    rows = [
        joined.filter(came.is_not_null()).select(
            DEAL, "opportunity_id", what=came, before=pl.lit(None, pl.String), after="stage"
        )
    ]
    rows += [
        joined.filter(came.is_null(), pl.col(fact).ne_missing(pl.col(f"{fact}_before"))).select(
            DEAL, "opportunity_id", what=pl.lit(fact), before=f"{fact}_before", after=fact
        )
        for fact in FACTS
    ]
    place = pl.col("what").replace_strict({name: number for number, name in enumerate(("new", "reopened", *FACTS))})
    return pl.concat(rows).sort("opportunity_id", place).select(Changed.column_names())


def _told(book: Book, pairs: pl.DataFrame) -> pl.DataFrame:
    """The facts compared, as text, with the deal's key and identifier."""
    told = facts_at(book, pairs)
    view = in_polars(book)
    dates = view.collect(view.deals([DEAL, "expected_close_date"])).with_columns(pl.col(DEAL).cast(pl.Int64))
    joined = told.join(dates, on=DEAL, how="left", maintain_order="left")
    numbers = pl.col("n_contacts", "n_touches").cast(pl.Int64)
    return joined.with_columns(numbers).select(
        DEAL, "opportunity_id", *(pl.col(name).cast(pl.String) for name in FACTS)
    )
