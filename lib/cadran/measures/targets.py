"""Targets of a period, company-wide or by region, team, rep or deal type."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import date

import narwhals as nw
import polars as pl

from cadran.book import Book
from cadran.measures.catalogue import Question
from cadran.measures.counting import small
from cadran.tables.problems import Problem

_LEVELS = {"region": "region", "team": "team", "rep_id": "rep"}


def targets_for(book: Book, question: Question, since: date, until: date) -> pl.DataFrame:
    """The target of each group for a period, as it was set at the book's moment.

    Of the goals of a scope, those of the shortest kind (month, quarter, year) that together cover the period count.
    One that reaches beyond it counts for its share of business days; a seller's, for the business days of it that they
    are in the company. Goals by deal type are added up where there is
    none for all types.

    Returns:
        One row per group of `question.by` that has a target: its columns and `target` (reporting currency).

    Raises:
        Problem: If a column of the question is none that targets are set for, or there are two levels of them.
    """
    level, scope = _level(book, question)
    known = book.table("targets").filter(
        nw.col("valid_to").is_null(),
        nw.col("scope") == scope,
        nw.col("start_date") <= until,
        nw.col("end_date") >= since,
    )
    known = known.with_columns(nw.col("scope_id").alias(level or "company"))
    goals = small(question.keeps(known))
    is_typed = "deal_type" in question.columns
    owner = [level or "company", *(["deal_type"] if is_typed else [])]
    goals = goals.filter(pl.col("deal_type").is_not_null()) if is_typed else _for_all_types(goals, owner)
    length = (pl.col("end_date") - pl.col("start_date")).dt.total_days()
    presence = _presence(book, goals) if scope == "rep" else 1.0
    kinds = goals.with_columns(
        counted=_shares(book, goals, since, until) * presence * pl.col("amount"),
        kind=pl.when(length <= 31).then(0).when(length <= 93).then(1).otherwise(2),
    )
    kinds = kinds.group_by(*owner, "kind").agg(
        target=pl.col("counted").sum(), spans=pl.struct("start_date", "end_date").unique()
    )
    kinds = kinds.filter(pl.Series([_covers(spans, since, until) for spans in kinds["spans"]], dtype=pl.Boolean))
    chosen = kinds.sort("kind").group_by(owner, maintain_order=True).first()
    columns = list(question.by)
    if columns:
        return chosen.group_by(columns).agg(pl.col("target").sum()).select(*columns, "target")
    return chosen.select(pl.col("target").sum()) if chosen.height else chosen.select("target")


def _level(book: Book, question: Question) -> tuple[str | None, str]:
    """The column that tells whom the goals are for, and their scope; none for the whole company."""
    columns = dict.fromkeys(question.columns)
    for column in columns:
        if column not in (*_LEVELS, "deal_type"):
            raise Problem(
                "There are no targets by {column}.", "Ask by one of {names}.",
                column=column, names=", ".join((*_LEVELS, "deal_type")),
            )  # fmt: skip
    levels = [column for column in columns if column in _LEVELS]
    reader = book.reader
    if not levels and reader is not None and reader.is_limited:
        of = {"region": reader.regions, "team": reader.teams, "rep_id": reader.persons}
        levels = [name for name, theirs in of.items() if theirs]
    if len(levels) > 1:
        raise Problem(
            "Targets are set for {first} or for {second}, not for both at once.",
            "Ask for one of them.", first=levels[0], second=levels[1],
        )  # fmt: skip
    return (levels[0], _LEVELS[levels[0]]) if levels else (None, "company")


def _for_all_types(goals: pl.DataFrame, owner: Sequence[str]) -> pl.DataFrame:
    has_general = pl.col("deal_type").is_null().any().over(owner)
    return goals.filter(pl.col("deal_type").is_null() | ~has_general)


def _presence(book: Book, goals: pl.DataFrame) -> pl.Series:
    """The part of each goal's business days on which its seller is in the company: all of it where that is not known."""
    people = small(book.table("reps").sort("valid_from"))
    last = people.unique("rep_id", keep="last").select(scope_id="rep_id", hired="hired_date", left="left_date")
    spans = goals.join(last, on="scope_id", how="left", maintain_order="left")
    ends = spans.select(
        "start_date", "end_date", first=pl.max_horizontal("start_date", "hired"), last=pl.min_horizontal("end_date", "left")
    )  # fmt: skip
    days = business_days(book)
    shares = [
        between(days, first, last) / (between(days, begins, ends) or 1) for begins, ends, first, last in ends.rows()
    ]
    return pl.Series(shares, dtype=pl.Float64)


def business_days(book: Book) -> list[date]:
    """Every business day of the book's calendar, in order."""
    return list(small(book.table("calendar").filter(nw.col("is_business_day")).select("date").sort("date"))["date"])


def _shares(book: Book, goals: pl.DataFrame, since: date, until: date) -> pl.Series:
    """The part of each goal's business days that the period holds."""
    days = business_days(book)
    spans = goals.select("start_date", "end_date").rows()
    shares = []
    for first, last in spans:
        part, whole = between(days, max(first, since), min(last, until)), between(days, first, last)
        shares.append(1.0 if since <= first and last <= until else part / (whole or 1))
    return pl.Series(shares, dtype=pl.Float64)


def between(days: list[date], first: date, last: date) -> int:
    """How many of the sorted days lie between two, both included."""
    return max(bisect_right(days, last) - bisect_left(days, first), 0)


def _covers(spans: Iterable[dict[str, date]], since: date, until: date) -> bool:
    """Whether the spans hold every day of the period."""
    held = {day for span in spans for day in pl.date_range(span["start_date"], span["end_date"], eager=True)}
    return set(pl.date_range(since, until, eager=True)) <= held
