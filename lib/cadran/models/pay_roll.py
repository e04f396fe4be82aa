"""Who a plan pays, for how much of each period, and what they are held to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from cadran.book import Book
from cadran.measures.catalogue import Question
from cadran.measures.counting import small
from cadran.measures.targets import targets_for
from cadran.models.pay_earned import Array, Roll, part
from cadran.models.pay_plan import PayPlan, Person
from cadran.tables.problems import Problem

#: The role that is paid where the plan names nobody, if the book knows it.
SELLER = "seller"
NO_QUOTA = "no quota"
YEAR = 12


@dataclass(frozen=True)
class Staffed:
    """Who is paid. `people` has a row per rep, in the order of the arrays: `rep_id, seller, team, region, hired_date,
    left_date`, as at the book's moment."""

    people: pl.DataFrame
    roll: Roll
    #: Fixed pay of each rep and period, in cents.
    base: Array
    #: Names of the teams that `roll.team` numbers; null for no team.
    teams: list[str | None]
    #: Whom the plan would pay and cannot: `rep_id, seller, team, reason`.
    aside: pl.DataFrame
    #: How sellers were told from others: the plan, their role, or that they own deals.
    by: str
    #: Whether the book does not know the first day of each rep: taken to have been there all along.
    is_first_day_unknown: Array
    #: Whether the team of each rep changed while the plan ran.
    is_moved: Array


def staffed(book: Book, plan: PayPlan) -> Staffed:
    """Who a plan pays, prorated for the days they are there."""
    periods = plan.periods()
    versions = small(book.table("reps")).sort("rep_id", "valid_from")
    people, by = _paid(book, plan, versions.group_by("rep_id", maintain_order=True).last())
    firsts = [_own(plan, rep).starts or hired for rep, hired in people.select("rep_id", "hired_date").rows()]
    lasts = [_own(plan, rep).ends or left for rep, left in people.select("rep_id", "left_date").rows()]
    days = np.array([(last - first).days + 1 for first, last in periods], np.int64)
    there = _days(firsts, lasts, periods)
    is_here = there.sum(1) > 0
    quota, has_quota = _quota(book, plan, people["rep_id"].to_list(), periods)
    is_paid = is_here & (has_quota | ~np.array(plan.needs_quota))
    aside = people.filter(is_here & ~is_paid).select("rep_id", "seller", "team", reason=pl.lit(NO_QUOTA))
    people, there, quota = people.filter(is_paid), there[is_paid], quota[is_paid]
    presence = there if plan.is_prorated else np.where(there > 0, days, 0)

    def prorated(yearly: Array, months: int = plan.period_months) -> Array:
        return part(yearly, Fraction(months, YEAR), presence, np.broadcast_to(days, presence.shape))

    variable = _yearly(plan, people, "variable", plan.variable)
    cap = None if plan.cap is None else prorated(_scaled(variable, plan))
    teams, numbers = _teams(versions, people["rep_id"].to_list(), [min(last, book.day) for _, last in periods])
    roll = Roll(
        quota=part(quota, Fraction(1), presence, np.broadcast_to(days, presence.shape)),
        variable=prorated(variable), cap=cap, draw=_draw(plan, people, presence, days, periods, firsts, is_paid),
        present=there > 0, team=numbers,
    )  # fmt: skip
    unknown = np.array([day is None for day, paid in zip(firsts, is_paid, strict=True) if paid], bool)
    begun = [number for number, (first, _) in enumerate(periods) if first <= book.day]
    moved = np.asarray((numbers[:, begun] != numbers[:, :1]).any(1))
    return Staffed(people, roll, prorated(_yearly(plan, people, "base", plan.base)), teams, aside, by, unknown, moved)


def why_nobody(book: Book, plan: PayPlan, staff: Staffed) -> Problem:
    """Why a plan pays nobody in a book: no quota, nobody there in its days, nobody in its groups, or nobody at all."""
    if n := staff.aside.height:
        repair = "Import targets of scope rep for each of its periods that has begun, or write quota.amount."
        return Problem(
            "The plan {plan} pays nobody: there is no quota for any of those who are there: {n}.",
            repair if plan.is_quota_from_targets else "Write quota.amount, or a quota for each of [people].",
            plan=plan.name, n=n,
        )  # fmt: skip
    reps = small(book.table("reps")).sort("rep_id", "valid_from").group_by("rep_id", maintain_order=True).last()
    if n := _paid(book, plan, reps)[0].height:
        return Problem(
            "The plan {plan} pays nobody: those it is for ({n}) are not there between {starts:%Y-%m-%d} and "
            "{ends:%Y-%m-%d}.",
            "Look at the days of the plan, at `starts` and `ends` under [people], and at hired_date and left_date in the "
            "book.",
            plan=plan.name, n=n, starts=plan.starts, ends=plan.ends,
        )  # fmt: skip
    named = {"reps": plan.reps, "roles": () if plan.reps else plan.roles, "teams": plan.teams}
    if told := [f"{group} {', '.join(names[:5])}" for group, names in named.items() if names]:
        return Problem(
            "The plan {plan} pays nobody: nobody is in all the groups it names: {groups}.",
            "Write under [who] groups that have somebody in common, as the book knows them last.",
            plan=plan.name, groups=", ".join(told),
        )  # fmt: skip
    if reps.is_empty():
        return Problem("The plan {plan} pays nobody: the book knows no seller.",
                       "Map the owner of deals (rep_id), or the staff with their roles.", plan=plan.name)  # fmt: skip
    return Problem("The plan {plan} pays nobody: nobody has owned a deal since {starts:%Y-%m-%d}.",
                   "Write who is paid under [who], or import newer deals.", plan=plan.name, starts=plan.starts)  # fmt: skip


def _own(plan: PayPlan, rep_id: str) -> Person:
    return plan.people.get(rep_id, Person())


def _paid(book: Book, plan: PayPlan, reps: pl.DataFrame) -> tuple[pl.DataFrame, str]:
    """The reps a plan is for, and how they were found."""
    by = "plan"
    if plan.reps:
        reps = reps.filter(pl.col("rep_id").is_in(plan.reps))
    elif plan.roles or SELLER in reps["role"]:
        by = "plan" if plan.roles else "role"
        reps = reps.filter(pl.col("role").is_in(plan.roles or (SELLER,)))
    elif not plan.teams:
        by = "deals"
        ended = nw.col("valid_to").is_null() | (nw.col("valid_to").dt.date() >= plan.starts)
        owners = small(book.table("versions").filter(ended).select("rep_id").unique())["rep_id"].drop_nulls()
        reps = reps.filter(pl.col("rep_id").is_in(owners.implode()))
    if plan.teams:
        reps = reps.filter(pl.col("team").is_in(plan.teams))
    seller = pl.coalesce("name", "rep_id").alias("seller")
    return reps.select("rep_id", seller, "team", "region", "hired_date", "left_date").sort("rep_id"), by


def _days(firsts: Sequence[date | None], lasts: Sequence[date | None], periods: list[tuple[date, date]]) -> Array:
    """Days on which each rep is there, by period."""
    never = date.max.toordinal()
    begins = np.array([0 if day is None else day.toordinal() for day in firsts], np.int64)[:, None]
    ends = np.array([never if day is None else day.toordinal() for day in lasts], np.int64)[:, None]
    first, last = (np.array([span[side].toordinal() for span in periods], np.int64) for side in (0, 1))
    return np.maximum(np.minimum(ends, last) - np.maximum(begins, first) + 1, 0)


def _yearly(plan: PayPlan, people: pl.DataFrame, name: str, default: int) -> Array:
    """A yearly amount of each rep, as a column: the plan's, or their own."""
    own = [getattr(_own(plan, rep), name) for rep in people["rep_id"]]
    return np.array([default if each is None else each for each in own], np.int64)[:, None]


def _scaled(variable: Array, plan: PayPlan) -> Array:
    """The cap of each rep: as far above their own variable as the plan's is above the plan's."""
    if not plan.variable:
        return np.full_like(variable, plan.cap)
    return part(variable, Fraction(plan.cap or 0, plan.variable))


def _quota(book: Book, plan: PayPlan, reps: list[str], periods: list[tuple[date, date]]) -> tuple[Array, Array]:
    """The quota of each rep and period before presence, in cents, and whether each has one."""
    own = [_own(plan, rep).quota for rep in reps]
    yearly = np.array([each if each is not None else plan.quota or 0 for each in own], np.int64)[:, None]
    seasons = plan.seasons or (Fraction(1, len(periods)),) * len(periods)
    quota = np.hstack([part(yearly, share * Fraction(plan.months, YEAR)) for share in seasons])
    if plan.is_quota_from_targets:
        has_own = np.array([each is not None for each in own])[:, None]
        quota = np.where(has_own, quota, _targets(book, reps, periods))
        needed = [number for number, (first, _) in enumerate(periods) if plan.attainment == "year" or first <= book.day]
        return quota, np.asarray((quota[:, needed] > 0).all(1))
    return quota, np.asarray(quota.sum(1) > 0)


def _targets(book: Book, reps: list[str], periods: list[tuple[date, date]]) -> Array:
    columns: list[list[int]] = []
    for first, last in periods:
        found = dict(targets_for(book, Question(by=("rep_id",)), first, last).rows())
        columns.append([round(100 * found.get(rep, 0.0)) for rep in reps])
    return np.array(columns, np.int64).reshape(len(periods), len(reps)).T


def _draw(
    plan: PayPlan, people: pl.DataFrame, presence: Array, days: Array, periods: list[tuple[date, date]],
    firsts: Sequence[date | None], is_paid: Array,
) -> Array:  # fmt: skip
    """The draw of each rep and period, in cents: of periods that end within its months from their first day."""
    monthly = np.full((people.height, 1), plan.draw, np.int64)
    draw = part(monthly, Fraction(plan.period_months), presence, np.broadcast_to(days, presence.shape))
    if plan.draw_months is None:
        return draw
    known = [day for day, paid in zip(firsts, is_paid, strict=True) if paid]
    ends = [0 if day is None else _months(day) + plan.draw_months for day in known]
    return np.where(np.array(ends, np.int64)[:, None] > np.array([_months(last) for _, last in periods]), draw, 0)


def _months(day: date) -> int:
    return YEAR * day.year + day.month


def _teams(versions: pl.DataFrame, reps: list[str], ends: list[date]) -> tuple[list[str | None], Array]:
    """The team of each rep at the end of each period, as numbers, with their names; a rep without one stands alone."""
    columns = []
    for end in ends:
        told = versions.filter((pl.col("valid_from").dt.date() <= end) | ~pl.col("rep_id").is_duplicated())
        last = told.group_by("rep_id", maintain_order=True).last()
        first = versions.group_by("rep_id", maintain_order=True).first()
        found: dict[Any, Any] = dict(first.select("rep_id", "team").rows()) | dict(last.select("rep_id", "team").rows())
        columns.append([found.get(rep) for rep in reps])
    names: list[str | None] = sorted({each for column in columns for each in column if each is not None})
    number = {name: place for place, name in enumerate(names)}
    alone = range(len(names), len(names) + len(reps))
    rows = [[number.get(team, own) for team, own in zip(column, alone, strict=True)] for column in columns]
    return [*names, *[None] * len(reps)], np.array(rows, np.int64).reshape(len(ends), len(reps)).T
