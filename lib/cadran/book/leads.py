"""Leads as they were known at a book's moment, with who had them and when they came."""

from collections.abc import Iterable
from datetime import timedelta

import narwhals as nw

from cadran.book.book import _BY_CALENDAR, _FROM_REP, _PERIODS, Book, Organisation
from cadran.book.engines import EPOCH
from cadran.tables.problems import Problem

_EVENTS = {"response": "first_response_at", "qualified": "qualified_at", "rejected": "rejected_at"}

#: Every column `known_leads` can give, in order.
LEAD_COLUMNS: tuple[str, ...] = (
    "lead_id",
    "source",
    "rep_id",
    "opportunity_id",
    "created_at",
    *_EVENTS.values(),
    "created_date",
    *(f"{event}_hours" for event in (*_EVENTS, "age")),
    *_FROM_REP,
    *(f"created_{period}" for period in (*_PERIODS, *_BY_CALENDAR)),
)


def known_leads(
    book: Book, columns: Iterable[str] | None = None, organisation: Organisation = "as_was"
) -> nw.LazyFrame:
    """One row per lead known at the moment, with only the tables joined that `columns` need.

    Args:
        book: The book, at its moment.
        columns: Names out of `LEAD_COLUMNS`; all of them by default.
        organisation: "as_was" gives each lead the team and region its seller had when it came; "today" those of the
            data's last day.

    Returns:
        One row per lead. `response_hours`, `qualified_hours` and `rejected_hours` are calendar hours from creation,
        null where it has not happened by the moment; `age_hours` is from creation to the moment.

    Raises:
        Problem: If a column is none of `LEAD_COLUMNS`.
    """
    wanted = list(dict.fromkeys(LEAD_COLUMNS if columns is None else columns))
    for column in wanted:
        if column not in LEAD_COLUMNS:
            raise Problem(
                "Leads have no column {column}.", "The columns are: {names}.",
                column=column, names=", ".join(LEAD_COLUMNS),
            )  # fmt: skip
    instants = {"created_us": "created_at"} | {f"{event}_us": at for event, at in _EVENTS.items()}
    frame = book.engine.microseconds(book.table("leads"), instants)
    now = nw.lit((book.moment - EPOCH) // timedelta(microseconds=1))
    ends = {"age": now} | {event: nw.col(f"{event}_us") for event in _EVENTS}
    seconds = {name: (end - nw.col("created_us")) // 1_000_000 for name, end in ends.items()}
    frame = frame.with_columns(**{f"{name}_hours": each.cast(nw.Float64) / 3600 for name, each in seconds.items()})
    if {*wanted} & {*_FROM_REP}:
        frame = book._with_rep(frame.with_columns(closed_at="created_at"), "rep_id", organisation)
    return book._with_periods(frame, {*wanted}).select(wanted)
