"""Whom to help, with what: groups of sellers beside what like deals do, stage by stage. Never who is best."""

from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal

import polars as pl

from cadran.book import Book
from cadran.book.individual import check_active
from cadran.book.whole import whole_of
from cadran.measures.catalogue import MEASURES, Question
from cadran.measures.counting import small
from cadran.measures.staff import Staff
from cadran.models import kept
from cadran.models.behind import behind, told
from cadran.models.card import is_told, untold
from cadran.models.entries import Entries, entries
from cadran.models.funnel import Judged, beside, funnel, judged, limits, outside
from cadran.models.one_person import in_scope
from cadran.models.practices import practices
from cadran.models.win import open_facts
from cadran.models.worth import Worth, as_schema, helped, marked, placed
from cadran.tables.measured.coaching import Dwell, Funnel, Limits, Practice
from cadran.tables.measured.trend import BeforeAfter
from cadran.tables.problems import Problem

By = Literal["team", "region", "rep"]
#: How sure it must be that a group does better than expected, for what it does otherwise to be looked at.
WELL = 0.9
_GROUPS = {"team": ["region", "team"], "region": ["region"], "rep": ["rep_id"]}
NONE_WELL = Problem(
    "No group very likely does better than expected (nine chances in ten): what such groups do otherwise cannot be told.",
    "Ask again once more deals have closed.",
)
NO_CHANCES = Problem(
    "What moving on is worth is told by closed deals alone: no chance can be told of open ones.",
    "Import how deals were before they closed.",
)


@dataclass(frozen=True)
class Coaching:
    """What is told of groups: frames as `cadran.tables.measured.coaching` has them, in order of name."""

    by: By
    #: Days from which entries were looked at, and until which they were followed.
    since: date
    until: date
    funnel: pl.DataFrame
    limits: pl.DataFrame
    dwell: pl.DataFrame
    help: pl.DataFrame
    practices: pl.DataFrame
    #: What the team's actions changed, as the measure `before_after` tells it.
    trainings: pl.DataFrame
    #: The groups where it goes well, in order of name.
    well: tuple[str, ...]
    #: What could not be told, and why.
    notes: tuple[Problem, ...] = field(default=())


def coaching(book: Book, by: By = "team", wait: bool = True) -> Coaching | None:
    """Coaching of a book at its moment: worked out once for all who ask, behind the page.

    Args:
        book: At its moment.
        by: Groups: teams, regions, or sellers where persons are rated.
        wait: Whether to wait for it; otherwise None is given until it is there.

    Raises:
        Problem: If sellers are asked for and persons are not rated, or no deal was followed long enough.
    """
    if by == "rep":
        check_active(book)
    found = told(_begun(whole_of(book, __name__), by), wait)
    if found is None:
        return None
    seen = _seen(found, book)
    if by == "rep":
        book.note("rating", seen.funnel["rep_id"].unique())
    return seen


@lru_cache(maxsize=16)
def _begun(book: Book, by: By) -> Future[Coaching]:
    return behind(lambda: coach(book, by, chances(book)))


def chances(book: Book) -> pl.DataFrame | None:
    """The chance of each open deal by the book's win model: opportunity_id, probability; None where none can be told."""
    model = kept.model(book)
    if untold(model):
        return None
    facts = open_facts(book)
    facts = facts.filter(is_told(model, facts))
    return facts.select("opportunity_id", probability=pl.Series(model.incidence(facts)[:, 0], dtype=pl.Float64))


def coach(book: Book, by: By, open_chances: pl.DataFrame | None, seed: int = 0) -> Coaching:
    """Work it out.

    Args:
        book: Whole.
        by: Groups, as they were when deals entered a stage.
        open_chances: The chance of open deals to be won, as `chances` has them.
        seed: Of the draws.
    """
    if by == "rep":
        check_active(book)
    found, problem = entries(book)
    groups, cluster = _GROUPS[by], "account_id" if by == "rep" else "rep_id"
    moves, stays, helps, curves = [], [], [], []
    draws: dict[str | None, Judged] = {}
    worth = Worth.of(book, open_chances)
    for entered in _named(found, book) if by == "team" else found:
        moved = entered.rows.with_columns(
            observed=pl.col("moved").cast(pl.Float64), expected=pl.col("chance"),
            variance=pl.col("chance") * (1 - pl.col("chance")),
        )  # fmt: skip
        error = float((entered.rows["stay_days"] - entered.rows["like_days"]).var() or 0.0)  # type: ignore[arg-type]
        stayed = entered.rows.with_columns(
            observed=pl.col("stay_days"), expected=pl.col("like_days"), variance=pl.lit(error)
        )
        rated = judged(beside(moved, groups, cluster), groups, book.rates_persons, seed)
        lasted = judged(beside(stayed, groups, cluster), groups, book.rates_persons, seed)
        moves.append(placed(rated.rows, entered))
        stays.append(placed(lasted.rows, entered))
        curves.append(funnel(rated.rows).with_columns(stage=pl.lit(entered.stage, pl.String)))
        draws[entered.stage] = rated
        if entered.stage is not None:
            helps.append(helped(entered, rated, groups, worth, seed))
    well = _well(draws[None], groups[-1]) if None in draws else ()
    notes = [problem] if problem else []
    notes += [NO_CHANCES] if open_chances is None else []
    notes += [] if well else [NONE_WELL]
    first = book.day - timedelta(days=round(max(e.years * 365.2425 + e.within for e in found)))
    return Coaching(
        by, first, book.day, _funnel(pl.concat(moves)), pl.concat(curves).select(Limits.column_names()),
        _dwell(pl.concat(stays)), marked(helps), practices(book, groups[-1], well) if well else Practice.create_empty(),
        _trainings(book), well, tuple(notes),
    )  # fmt: skip


def _named(found: list[Entries], book: Book) -> list[Entries]:
    """With the region that a team is in now, so that one that moved is one; as it was where several teams share a name."""
    now = Staff.of(whole_of(book, __name__)).on(book.day).filter("is_here", pl.col("team").is_not_null())
    only = now.group_by("team").agg(of=pl.col("region").drop_nulls().unique()).filter(pl.col("of").list.len() == 1)
    places = dict(only.select("team", pl.col("of").list.first()).iter_rows())
    place = pl.col("team").replace_strict(places, default=pl.col("region"), return_dtype=pl.String)
    return [replace(each, rows=each.rows.with_columns(region=place)) for each in found]


def _told(name: str, value: pl.Expr) -> pl.Expr:
    """A value of groups that are told of."""
    return pl.when(pl.col("reason").is_null()).then(value).alias(name)


def _funnel(rows: pl.DataFrame) -> pl.DataFrame:
    n, ends = pl.col("n"), limits(pl.col("expected"), pl.col("variance"))
    told_of = [
        _told("n_moved", pl.col("observed").round().cast(pl.Int64)), _told("n_expected", pl.col("expected")),
        _told("observed_share", pl.col("observed") / n), _told("expected_share", pl.col("expected") / n),
        _told("observed_ratio", pl.col("observed_ratio")), *(_told(name, value) for name, value in ends.items()),
    ]  # fmt: skip
    return as_schema(Funnel, rows.with_columns(is_outside=outside(rows["p"])).with_columns(told_of))


def _dwell(rows: pl.DataFrame) -> pl.DataFrame:
    n = pl.col("n")
    told_of = [_told("observed_days", pl.col("observed") / n), _told("expected_days", pl.col("expected") / n)]
    return as_schema(Dwell, rows.with_columns(is_outside=outside(rows["p"])).with_columns(told_of))


def _well(overall: Judged, name: str) -> tuple[str, ...]:
    """The groups that very likely do better than expected from creation to signature."""
    names = overall.rows.filter(pl.col("reason").is_null())[name].to_list()
    sure = (overall.draws > 1).mean(axis=0)
    return tuple(sorted(each for each, share in zip(names, sure, strict=False) if share >= WELL))


def _trainings(book: Book) -> pl.DataFrame:
    try:
        return MEASURES["before_after"].ask(book, Question())
    except Problem:
        return BeforeAfter.create_empty()


def _seen(found: Coaching, book: Book) -> Coaching:
    """What of it the reader may see: the groups of their regions and teams."""
    reader = book.reader
    if reader is None or not reader.is_limited:
        return found
    reps = small(book.table("reps").select("rep_id").unique())["rep_id"].implode() if found.by == "rep" else None

    def keep(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.filter(in_scope(frame, book) if reps is None else pl.col("rep_id").is_in(reps).fill_null(False))

    seen = keep(found.funnel)
    names = set(seen[_GROUPS[found.by][-1]])
    return replace(
        found, funnel=seen, dwell=keep(found.dwell), help=keep(found.help), trainings=_trainings(book),
        well=tuple(name for name in found.well if name in names),
    )  # fmt: skip
