"""Who sells, where and since when, on any day; and how many came, went and moved."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import narwhals as nw
import polars as pl

from cadran.book import Book
from cadran.book.book import Organisation
from cadran.measures.catalogue import Need, Question, Subject, measure
from cadran.measures.counting import small
from cadran.measures.periods import day_before, spans
from cadran.tables.measured.resources import Heads
from cadran.tables.problems import Problem

#: A seller is who has this role, in any case of letters, or owned a deal within so many days.
SELLER, OWNED_WITHIN = "seller", timedelta(days=365)
#: Fewer people than this, and what is told of a group as a group is told of them.
LEAST_PERSONS = 5
_PLACES = ("team", "region")


@dataclass(frozen=True)
class Staff:
    """The people of a book as known at its moment, small enough to be in memory."""

    #: One row per person and version: `rep_id`, `from_day`, `role`, team, region.
    versions: pl.DataFrame
    #: One row per person: `rep_id`; `joined`, `is_told` (whether that is a hiring date); `left` (the last day);
    #: `owned_since`, `owned_until`, from the first to the last day a deal was theirs.
    people: pl.DataFrame
    organisation: Organisation

    @classmethod
    def of(cls, book: Book, organisation: Organisation = "as_was") -> "Staff":
        """Who is in the book, and the reader's scope, at its moment."""
        zone = book.settings.time_zone
        told = small(book.table("reps")).sort("rep_id", "valid_from")
        local = {name: pl.col(name).dt.convert_time_zone(zone).dt.date() for name in ("valid_from", "valid_to")}
        versions = told.with_columns(from_day=local["valid_from"], to_day=local["valid_to"])
        # Who vanished from the source is not there any more.
        people = versions.group_by("rep_id", maintain_order=True).agg(
            joined=pl.coalesce(pl.col("hired_date").last(), pl.col("from_day").first()),
            is_told=pl.col("hired_date").last().is_not_null(),
            left=pl.min_horizontal(pl.col("left_date").last(), pl.col("to_day").last()),
        )
        at = nw.coalesce(nw.col("valid_to"), nw.lit(book.moment))
        owned = book.table("versions").filter(nw.col("status") == "open", ~nw.col("rep_id").is_null())
        owned = owned.group_by("rep_id").agg(owned_since=nw.col("valid_from").min(), owned_until=at.max())
        days = [pl.col(name).dt.convert_time_zone(zone).dt.date() for name in ("owned_since", "owned_until")]
        people = people.join(small(owned).with_columns(days), on="rep_id", how="left")
        return cls(versions.select("rep_id", "from_day", "role", *_PLACES), people, organisation)

    def on(self, day: date) -> pl.DataFrame:
        """Everybody of the book on a day: `rep_id`, `team` and `region` (of the day, or of the last one known with
        today's organisation), `is_here`, `is_seller` (and here), `joined`, `tenure_days` (null where the hiring date is
        unknown)."""
        begun = self.versions.filter(pl.col("from_day") <= day)
        first, last = (self.versions.unique("rep_id", keep=keep, maintain_order=True) for keep in ("first", "last"))
        then = pl.concat([begun.unique("rep_id", keep="last", maintain_order=True), first]).unique(
            "rep_id", keep="first", maintain_order=True
        )
        if self.organisation == "today":
            then = then.drop(_PLACES).join(last.select("rep_id", *_PLACES), on="rep_id")
        is_here = (pl.col("joined") <= day) & (pl.col("left") >= day).fill_null(True)
        owns = (pl.col("owned_since") <= day) & (pl.col("owned_until") >= day - OWNED_WITHIN)
        sells = owns.fill_null(False) | (pl.col("role").str.to_lowercase() == SELLER).fill_null(False)
        return self.people.join(then, on="rep_id", maintain_order="left").select(
            "rep_id", *_PLACES, "joined", is_here=is_here, is_seller=is_here & sells,
            tenure_days=pl.when("is_told").then((pl.lit(day) - pl.col("joined")).dt.total_days()),
        )  # fmt: skip

    def sellers(self, day: date, where: Mapping[str, tuple[Any, ...]] | None = None) -> pl.DataFrame:
        """Those of `on` who sell, of the places and persons that a filter keeps."""
        found = self.on(day).filter("is_seller")
        for column, values in (where or {}).items():
            if column in found.columns:
                found = found.filter(pl.col(column).is_in(list(values), nulls_equal=True))
        return found


def _sellers(book: Book, columns: Iterable[str], organisation: Organisation) -> nw.LazyFrame:
    """The people of a book by the columns that a question may name."""
    return book.table("reps").select(*dict.fromkeys(columns))


#: What measures of people count. Nobody's name: `rep_id` tells one apart.
SELLERS = Subject(("rep_id", *_PLACES), _sellers, "Sellers have no column {column}.")


def check_places(question: Question) -> None:
    """Raises Problem: If a question groups sellers by anything but where they are."""
    for column in question.by:
        if column not in _PLACES:
            raise Problem(
                "Sellers cannot be grouped by {column}.", "The columns are: {names}.",
                column=column, names=", ".join(_PLACES),
            )  # fmt: skip


@measure(
    title="Sellers present",
    definition=(
        "People who sell at the end of each month: those whose role is seller, or who owned an open deal in the 365 days "
        "before, from their hiring (or from when the book first tells of them) to their last day. Joined, left and moved "
        "between groups: against the end of the month before; who came and went within one month is in neither. Option "
        "every: week, quarter. Without dates: the last twelve months."
    ),
    unit="people; days",
    source="Definition",
    returns=Heads,
    needs=(Need("valid_from", table="reps", least_share=0.01),),
    subject=SELLERS,
    answer=lambda book, question: heads(book, question),
)
def heads(book: Book, question: Question) -> nw.LazyFrame:
    """How many sell at the end of each period, and how many came, went and moved within it.

    Args:
        book: At its moment: people as known then.
        question: Groups and filter are of people: region, team. Option `every`: week, month, quarter.

    Returns:
        One row per group and period, as `Heads` has it, 0 where nobody sold.
    """
    told, by = spans(book, question, question.chosen(every="month")["every"], 12), list(question.by)
    check_places(question)
    staff = Staff.of(book, question.organisation)
    parts = []
    before = staff.sellers(day_before(told["since"][0]), question.where)
    for span in told.rows(named=True):
        now = staff.sellers(span["until"], question.where)
        parts.append(_flows(before, now, by).with_columns(pl.lit(span[name]).alias(name) for name in told.columns))
        before = now
    rows = pl.concat(parts)
    groups = rows.select(by).unique(maintain_order=True) if by else None
    lines = told.drop("since") if groups is None else groups.join(told.drop("since"), how="cross")
    keys = [*by, "period"]
    full = lines.join(rows.select(pl.exclude("since", "until", "is_whole")), on=keys, how="left", nulls_equal=True)
    counts = pl.col("^n_.*$").fill_null(0).cast(pl.Int64)
    return nw.from_native(full.with_columns(counts).sort(keys).lazy()).select(*by, *Heads.column_names())


def _flows(before: pl.DataFrame, now: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """The counts of one period: a row per group that has, or had, a seller."""

    def counted(people: pl.DataFrame, **aggregates: pl.Expr) -> pl.DataFrame:
        return people.group_by(by).agg(**aggregates) if by else people.select(**aggregates)

    stayed = now.join(before, on="rep_id", how="semi")
    old = before.filter(pl.col("rep_id").is_in(stayed["rep_id"].implode()))
    same = stayed.join(old, on=["rep_id", *by], how="semi", nulls_equal=True)["rep_id"].implode()
    came, moved = ~pl.col("rep_id").is_in(before["rep_id"].implode()), ~pl.col("rep_id").is_in(same)
    gone = ~pl.col("rep_id").is_in(now["rep_id"].implode())
    here = counted(
        now, n_heads=pl.len(), n_joined=came.sum(), n_moved_in=(~came & moved).sum(),
        median_tenure_days=pl.col("tenure_days").median(), n_unknown=pl.col("tenure_days").null_count(),
    )  # fmt: skip
    then = counted(before, n_left=gone.sum(), n_moved_out=(~gone & moved).sum())
    return here.join(then, on=by, how="full", coalesce=True, nulls_equal=True) if by else pl.concat(
        [here, then], how="horizontal"
    )  # fmt: skip
