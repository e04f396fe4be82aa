"""One-to-ones of a book: who has been waiting, what they take of a manager's week. Never what is said in them."""

from datetime import date, timedelta

import polars as pl

from cadran.book import Book
from cadran.book.one_to_ones import agreed, check_leads, led, one_to_ones
from cadran.book.whole import whole_of
from cadran.measures.staff import Staff
from cadran.tables.measured.one_to_ones import Hours, Waiting
from cadran.tables.one_to_ones import HELD, PLANNED
from cadran.tables.problems import Problem

#: How much longer than agreed is still on rhythm: a holiday, a trade fair.
GRACE = 1.25
#: Weeks that are looked at.
WEEKS = 26
#: The role of a reader who leads people.
MANAGER = "manager"


def people(book: Book, on: date) -> pl.DataFrame:
    """Everybody who has a manager on a day, with what is known of their one-to-ones.

    Returns:
        One row per person, sorted: `person`, `manager`, `region`, `team`, `last_held` (null: none is known), `next_planned`,
        `waiting_days` (since the last one, else since this manager leads them, they joined, or the manager noted a first one
        with anybody: nobody knows of those before), `rhythm_days`, `is_on_rhythm` (met within the days agreed, and a quarter
        more; who is new counts so). Both null where their manager has noted none.
    """
    staff = Staff.of(book, "as_was").on(on).filter("is_here").select("rep_id", "region", "team", "joined")
    lead = led(book).filter(pl.col("since").is_null() | (pl.col("since") <= on))
    lead = lead.with_columns(begun=pl.col("manager").ne_missing(pl.col("manager").shift()).over("person"))
    now = lead.group_by("person").agg(
        pl.col("manager").last(), since=pl.col("since").filter("begun").last(),
    ).filter(pl.col("manager").is_not_null())  # fmt: skip
    told = now.join(staff.rename({"rep_id": "person"}), on="person")
    met = one_to_ones(book, on)
    # A one-to-one with the manager before is one with them still: nobody is late because the manager changed.
    held = met.filter(pl.col("kind") == HELD).group_by("person").agg(last_held=pl.col("day").max())
    ahead = met.filter(pl.col("kind") == PLANNED, pl.col("day") >= on).join(
        met.filter(pl.col("kind") == HELD), on=["person", "manager", "day"], how="anti"
    )
    ahead = ahead.group_by("person", "manager").agg(next_planned=pl.col("day").min())
    told = told.join(held, on="person", how="left").join(ahead, on=["person", "manager"], how="left")
    noted = met.group_by("manager").agg(first_noted=pl.col("day").min())
    told = told.join(noted, on="manager", how="left")
    days = {name: agreed(book, name).days for name in told["manager"].unique()}
    rhythm = pl.col("manager").replace_strict(days, return_dtype=pl.Int64) if days else pl.lit(1, pl.Int64)
    first = pl.when(pl.col("first_noted").is_not_null()).then(pl.max_horizontal("since", "joined", "first_noted"))
    waiting = (pl.lit(on) - pl.coalesce("last_held", first)).dt.total_days().clip(0)
    return told.with_columns(waiting_days=waiting, rhythm_days=rhythm).with_columns(
        is_on_rhythm=pl.col("waiting_days") <= pl.col("rhythm_days") * GRACE
    ).select(
        "person", "manager", "region", "team", "last_held", "next_planned", "waiting_days", "rhythm_days", "is_on_rhythm"
    ).sort("person")  # fmt: skip


def waiting(book: Book, manager: str, on: date) -> pl.DataFrame:
    """Those whom a manager leads, by how long they have been waiting for a one-to-one: `Waiting`. For that manager alone.

    Args:
        book: With its reader: without one it is the manager at the command line.
        manager: Whose people, as the staff write it.
        on: The day it is.

    Raises:
        Problem: If the reader is another one, or nobody is led by that manager.
    """
    if book.reader is not None and (book.reader.role != MANAGER or book.reader.id != manager):
        raise Problem(
            "Who waits for a one-to-one is told to their manager alone.", "Ask for how regular they are, by region."
        )
    check_leads(book, manager)
    whole = whole_of(book, __name__)
    theirs = people(whole, on).filter(pl.col("manager") == manager).with_columns(is_late=~pl.col("is_on_rhythm"))
    if theirs["waiting_days"].count() == 0:
        raise Problem("No one-to-one of {manager} was noted: nobody knows who waits.",
                      "Note those held: `cadran pulse one-to-ones held`, or import them.", manager=manager)  # fmt: skip
    theirs = theirs.filter(pl.col("waiting_days").is_not_null())
    book.note("one_to_ones", theirs["person"])
    return theirs.sort("waiting_days", "person", descending=[True, False]).select(Waiting.column_names())


def hours(book: Book, since: date, until: date, manager: str | None = None) -> pl.DataFrame:
    """Hours of one-to-ones of each manager in each week from one day until another: `Hours`, of weeks that have any.

    A planned one counts until it is held or cancelled, or its day is over.

    Args:
        book: At its moment.
        since: First day.
        until: Last day; what was held after the book's day counts too, as surveys and one-to-ones go on between imports.
        manager: Of one manager alone.

    Raises:
        Problem: If a reader who leads people asks for another manager than themselves.
    """
    if book.reader is not None and (manager is None or book.reader.id != manager):
        raise Problem("The hours of one-to-ones are told to the manager whose they are.", "Ask for your own.")
    met = one_to_ones(book, until).filter(pl.col("day").is_between(since, until))
    met = met if manager is None else met.filter(pl.col("manager") == manager)
    is_held = pl.col("kind") == HELD
    left = met.filter(~is_held).join(met.filter(is_held), on=["person", "manager", "day"], how="anti")
    told = pl.concat([met.filter(is_held), left]).with_columns(week=pl.col("day").dt.truncate("1w"), is_held=is_held)
    whole = pl.col("minutes") / 60
    rows = told.group_by("manager", "week").agg(
        n_held=pl.col("is_held").sum().cast(pl.Int64), hours_held=whole.filter("is_held").sum(),
        n_planned=(~pl.col("is_held")).sum().cast(pl.Int64), hours_planned=whole.filter(~pl.col("is_held")).sum(),
    )  # fmt: skip
    return rows.select(Hours.column_names()).sort("manager", "week")


def hours_per_week(book: Book) -> dict[str, float]:
    """Hours a week that one-to-ones take of each manager from now on: by the rhythm agreed and the people they lead; where
    none was agreed, as the last 13 weeks had them. Nobody who holds none is in it."""
    whole = whole_of(book, __name__)
    met = hours(whole, book.day - timedelta(weeks=13) + timedelta(days=1), book.day)
    told = {
        name: value / 13 for name, value in met.group_by("manager").agg(pl.col("hours_held").sum()).iter_rows() if value
    }
    for (name,), theirs in people(whole, book.day).group_by("manager"):
        rhythm = agreed(book, str(name))
        if not rhythm.is_assumed:
            told[str(name)] = theirs.height * 7 / rhythm.days * rhythm.minutes / 60
    return dict(sorted(told.items()))
