"""One-to-ones beside a book: what people note of them, held to the rules, and the rhythm that was agreed."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from cadran.book.book import Book
from cadran.book.lines import Row, added, lines, rewritten
from cadran.book.pulse import pulse_of
from cadran.tables.delivery import SET_ASIDE
from cadran.tables.one_to_ones import (
    DAYS,
    HELD,
    KINDS,
    LEAST_DAYS,
    LEAST_MINUTES,
    MINUTES,
    MOST_DAYS,
    MOST_MINUTES,
    PLANNED,
    OneToOne,
)
from cadran.tables.problems import Problem

#: What was noted, and what was agreed; a line each time, of which the last one of a key holds.
FILE, AGREED = "one_to_ones.jsonl", "one_to_ones_agreed.jsonl"
_KEY = ("person", "manager", "day", "kind")

#: A rule, what to do where it is broken, and which rows break it.
_RULES: tuple[tuple[str, str, pl.Expr], ...] = (
    ("it says who was met", "Write the identifier as the staff have it (rep_id).", pl.col("person").is_null()),
    ("the person is one of the staff", "Write the identifier as the staff have it (rep_id), or import the staff.",
     pl.col("person").is_not_null() & ~pl.col("is_known")),
    ("the day is a date", "Write it as 2026-05-31.", pl.col("day").is_null()),
    ("the person was still there", "Correct the day.", pl.col("has_left")),
    ("the person has a manager on that day", "Import who leads whom (manager_id of the staff).",
     pl.col("is_known") & pl.col("day").is_not_null() & pl.col("own_manager").is_null()),
    ("nobody meets themselves", "Write who was met, and who leads them.", pl.col("person") == pl.col("manager")),
    ("it is with the person's manager", "Write the manager of that day, or leave it empty.",
     pl.col("manager") != pl.col("own_manager")),
    ("it is planned, held or cancelled", "Write planned, held or cancelled.", ~pl.col("kind").is_in(KINDS)),
    ("what was held is not in the future", "Write planned, or correct the day.",
     (pl.col("kind") == HELD) & (pl.col("day") > pl.col("today"))),
    ("it lasts 5 to 480 minutes", "Write whole minutes, 60 for an hour.",
     ~pl.col("minutes").is_between(LEAST_MINUTES, MOST_MINUTES) | pl.col("is_odd")),
    ("it is told once", "Remove the row: an earlier one says the same.", pl.col("is_again")),
)  # fmt: skip


@dataclass(frozen=True)
class Rhythm:
    """What was agreed: how many days lie between two one-to-ones at most, and how long one lasts."""

    days: int
    minutes: int
    #: Whether nobody agreed on it: then it is an assumption of ours.
    is_assumed: bool = False


def led(book: Book) -> pl.DataFrame:
    """Who led whom: `person`, `manager` (null: nobody), `since` (null: ever), `left` (last day; null: there)."""
    zone = book.settings.time_zone
    rows = book.collect(book.table("reps")).sort("rep_id", "valid_from")
    since = pl.col("valid_from").dt.convert_time_zone(zone).dt.date()
    is_first = pl.col("valid_from") == pl.col("valid_from").min().over("rep_id")
    return rows.select(
        person="rep_id", manager="manager_id", since=pl.when(~is_first).then(since),
        left=pl.col("left_date").last().over("rep_id"),
    )  # fmt: skip


def sifted(book: Book, rows: pl.DataFrame, today: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows that keep the rules, and the others.

    Args:
        book: Whose staff say who leads whom.
        rows: person, day, kind; manager (null: the person's own), minutes (null: as agreed), and where they stand: file,
            row, line; what stood there where it was no day and no number: day_told, minutes_told.
        today: What was held is not later.

    Returns:
        Rows as `OneToOne`, and rows set aside as `cadran.tables.delivery.SET_ASIDE` has them.
    """
    staff = led(book)
    last = staff.group_by("person").agg(pl.col("left").last(), is_known=pl.lit(True))
    numbered = rows.with_row_index("place").with_columns(today=pl.lit(today))
    begun = numbered.join(staff.rename({"manager": "own_manager"}).drop("left"), on="person", how="left")
    begun = begun.filter(pl.col("since").is_null() | (pl.col("since") <= pl.col("day")).fill_null(False))
    own = begun.group_by("place").agg(pl.col("own_manager").sort_by("since", nulls_last=False).last())
    told = numbered.join(own, on="place", how="left", maintain_order="left").join(
        last, on="person", how="left", maintain_order="left"
    )
    rhythms = _rhythms(book)
    usual = pl.col("own_manager").replace_strict(
        {name: each.minutes for name, each in rhythms.items() if name}, default=rhythms[None].minutes,
        return_dtype=pl.Int64,
    )  # fmt: skip
    told = told.with_columns(
        pl.col("is_known").fill_null(False), manager=pl.coalesce("manager", "own_manager"),
        minutes=pl.coalesce("minutes", usual), is_odd=pl.col("minutes").is_null() & pl.col("minutes_told").is_not_null(),
        has_left=(pl.col("left") < pl.col("day")).fill_null(False),
    )  # fmt: skip
    told = told.with_columns(is_again=~pl.struct(_KEY).is_first_distinct())
    broken = told.with_columns(
        rule=_sentences(rule for rule, _, _ in _RULES), repair=_sentences(repair for _, repair, _ in _RULES)
    ).with_columns(pl.col("rule", "repair").list.join("\n"))
    aside = broken.filter(pl.col("rule") != "")
    aside = aside.select(
        table=pl.lit("one_to_ones"),
        file="file",
        row="row",
        line="line",
        id="person",
        rule="rule",
        repair="repair",
        found=pl.concat_str(pl.lit("day = "), pl.col("day_told").fill_null("")),
        values=pl.lit(None, pl.String),
    ).cast(SET_ASIDE)  # type: ignore[arg-type]
    kept = broken.filter(pl.col("rule") == "").with_columns(noted_at=pl.lit(None, pl.Datetime("us", "UTC")))
    types = dict(OneToOne.create_empty().schema)
    return OneToOne.validate(kept.select(pl.col(name).cast(each) for name, each in types.items())), aside


def _sentences(texts: Any) -> pl.Expr:
    """Of each rule that a row breaks, its text."""
    each = [
        pl.when(is_broken.fill_null(False)).then(pl.lit(text))
        for text, (_, _, is_broken) in zip(texts, _RULES, strict=True)
    ]
    return pl.concat_list(each).list.drop_nulls()


def noted(book: Book, rows: pl.DataFrame, at: datetime | None) -> int:
    """Keep one-to-ones beside a book. What is there already, alike, is no fault and is not kept again.

    Args:
        book: Beside which they are kept.
        rows: As `OneToOne`, out of `sifted`.
        at: When they were noted; null for an import of what was noted elsewhere.

    Returns:
        How many were new, or told otherwise than before.
    """

    def new(there: list[Row]) -> list[Row]:
        last = {tuple(row[name] for name in _KEY): row["minutes"] for row in there}
        told = [{**row, "day": row["day"].isoformat(), "noted_at": at and at.astimezone(UTC).isoformat()}
                for row in rows.to_dicts()]  # fmt: skip
        return [row for row in told if last.get(tuple(row[name] for name in _KEY)) != row["minutes"]]

    return len(added(_file(book, FILE), new))


def one_to_ones(book: Book, on: date) -> pl.DataFrame:
    """One-to-ones as known at the book's moment: `OneToOne`, by day; what was planned and then cancelled, or is said of a
    day after `on` to have been held, is not among them."""
    types = dict(OneToOne.create_empty().schema)
    rows = pl.DataFrame(lines(_file(book, FILE)), schema={**types, "day": pl.String, "noted_at": pl.String})
    told = rows.with_columns(pl.col("day").str.to_date(), pl.col("noted_at").str.to_datetime(time_zone="UTC"))
    until = pulse_of(book).until
    if until is not None:
        known = (
            pl.when(pl.col("noted_at").is_null()).then(pl.col("day") <= book.day).otherwise(pl.col("noted_at") <= until)
        )
        told = told.filter(known)
    last = told.unique(_KEY, keep="last", maintain_order=True)
    cancelled = last.filter(kind="cancelled").select("person", "manager", "day", kind=pl.lit(PLANNED))
    stands = last.join(cancelled, on=_KEY, how="anti").filter(
        (pl.col("kind") == PLANNED) | ((pl.col("kind") == HELD) & (pl.col("day") <= on))
    )
    return stands.sort("day", "person", maintain_order=True)


def agree(book: Book, days: int, minutes: int, at: datetime, manager: str | None = None) -> None:
    """Note the rhythm agreed: of one manager, or of all who agreed on none of their own.

    Raises:
        Problem: If it is no rhythm, or nobody goes by the manager's identifier.
    """
    if not (LEAST_DAYS <= days <= MOST_DAYS and LEAST_MINUTES <= minutes <= MOST_MINUTES):
        raise Problem(
            "A one-to-one of {minutes} minutes every {days} days is no rhythm.",
            "Write 1 to 366 days, and 5 to 480 minutes.", minutes=minutes, days=days,
        )  # fmt: skip
    if manager is not None:
        check_leads(book, manager)
    told = {"manager": manager, "days": days, "minutes": minutes, "noted_at": at.astimezone(UTC).isoformat()}
    added(_file(book, AGREED), lambda _: [told])


def agreed(book: Book, manager: str | None = None) -> Rhythm:
    """The rhythm agreed with a manager, else with all; an assumption where there is none."""
    rhythms = _rhythms(book)
    return rhythms.get(manager, rhythms[None])


def check_leads(book: Book, manager: str) -> None:
    """Raises Problem: If nobody's manager goes by an identifier."""
    names = led(book)["manager"].drop_nulls().unique()
    if manager not in set(names):
        raise Problem("Nobody in this book is led by {manager}.", "Write the identifier as the staff have it (manager_id).",
                      manager=manager)  # fmt: skip


def forgotten(folder: Path, identifier: str, pseudonym: str) -> int:
    """Put a pseudonym in the place of a person in all that was noted and agreed.

    Args:
        folder: The book's folder.
        identifier: Whom.
        pseudonym: What stands in the book in its place.

    Returns:
        How many lines named them.
    """

    def changed(row: Row) -> Row:
        return {
            name: pseudonym if name in ("person", "manager") and value == identifier else value
            for name, value in row.items()
        }

    return sum(rewritten(folder / "pulse" / name, changed) for name in (FILE, AGREED))


def before(folder: Path, day: date) -> int:
    """How many lines tell of a one-to-one before a day."""
    return sum(row["day"] < day.isoformat() for row in lines(folder / "pulse" / FILE))


def purged(folder: Path, day: date) -> int:
    """Remove the one-to-ones before a day; gives how many lines went."""
    return rewritten(folder / "pulse" / FILE, lambda row: None if row["day"] < day.isoformat() else row)


def _rhythms(book: Book) -> dict[str | None, Rhythm]:
    until = pulse_of(book).until
    told: dict[str | None, Rhythm] = {None: Rhythm(DAYS, MINUTES, is_assumed=True)}
    for row in lines(_file(book, AGREED)):
        if until is None or datetime.fromisoformat(row["noted_at"]) <= until:
            told[row["manager"]] = Rhythm(row["days"], row["minutes"])
    return told


def _file(book: Book, name: str) -> Path:
    return pulse_of(book).folder / name
