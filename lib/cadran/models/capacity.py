"""The capacity plan of a book: load against capacity, whom to hire by when, and what all of it rests on."""

from collections import Counter
from concurrent.futures import Future
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from cadran.book import Book
from cadran.book.engines import POLARS
from cadran.book.whole import whole_of
from cadran.measures.counting import Z95
from cadran.measures.one_to_ones import hours_per_week
from cadran.measures.periods import month_after
from cadran.models.behind import behind, told
from cadran.models.hiring import Hiring
from cadran.models.one_person import Seen, seen_of
from cadran.models.plan_file import beside, plan_there
from cadran.models.shortage import Plan, plan
from cadran.models.staff import TENURED, staff
from cadran.models.staffing import FILE, Staffing, read_staffing
from cadran.models.workforce import Change, Workforce, workforce
from cadran.tables.measured.capacity import Basis, RampMonth
from cadran.tables.problems import Problem

if TYPE_CHECKING:
    from cadran.models.coming import Coming

__all__ = ["Change", "Hiring", "Plan", "basis", "capacity", "of_coming", "plan", "ramp_curve", "staffing_of"]

#: Months that are planned, at most.
MOST_MONTHS = 18


def capacity(book: Book, months: int = 12, staffing: Staffing | None = None, wait: bool = True) -> Hiring | None:
    """The capacity plan of a book at its moment: worked out once for all who ask, behind the page. It is the whole
    company's; a reader of some regions or teams is shown those and the sum.

    Args:
        book: At its moment.
        months: How many months ahead, the one that has begun among them.
        staffing: What is stated of the staff; by default the book's own plan (`staffing_of`).
        wait: Whether to wait for it; otherwise None is given until it is there.

    Raises:
        Problem: If nobody sells, no chance or no amount of a deal can be told, or the plan file is faulty.
    """
    whole = replace(whole_of(book, __name__), engine=POLARS)
    staffing = _stated(replace(whole, viewed=None), months, beside(whole)) if staffing is None else staffing
    is_limited = book.reader is not None and book.reader.is_limited
    return told(_shown(book, months, staffing) if is_limited else _begun(whole, months, staffing), wait)


@lru_cache(maxsize=16)
def _shown(book: Book, months: int, staffing: Staffing) -> Future[Hiring]:
    """That of the whole company, as the book's reader is shown it."""

    def work() -> Hiring:
        hiring = capacity(whole_of(book, __name__), months, staffing)
        assert hiring is not None  # it was waited for
        made = hiring.plan
        return replace(hiring, plan=replace(made, seen=_seen(book, made.force, made.sellers)))

    return behind(work)


def _seen(book: Book, force: Workforce, sellers: pl.DataFrame) -> Seen:
    return seen_of(book, force.rows, force.adds_up[:, force.belongs(sellers)] > 0, sellers)


@lru_cache(maxsize=16)
def _begun(book: Book, months: int, staffing: Staffing) -> Future[Hiring]:
    def work() -> Hiring:
        from cadran.models.coming import coming

        return of_coming(book, staffing, coming(book, months))

    return behind(work)


def of_coming(book: Book, staffing: Staffing, found: "Coming") -> Hiring:
    """The capacity plan of a book on bookings to come that were worked out before, of the same moment."""
    force = workforce(book, staffing, found.sellers, found.months)
    seen = _seen(book, force, found.sellers)
    return Hiring(plan(force, found.sellers, found.drawn, seen=seen), found.why_not)


@lru_cache(maxsize=16)
def _stated(book: Book, months: int, _beside: tuple[tuple[str, int], ...]) -> Staffing:
    """What the book's own plan states, as it was last written."""
    return staffing_of(book, months)


def staffing_of(book: Book, months: int = 12, path: Path | None = None) -> Staffing:
    """What is stated of the staff: in a file, by default `plans/staffing.toml` beside the book's versions, if it is there.

    Raises:
        Problem: If the months are out of range, nobody sells, or the file cannot be read or holds a faulty number.
    """
    if not 1 <= months <= MOST_MONTHS:
        raise Problem(
            "The horizon asked for is {months} months.", "Ask for 1 to {most}.", months=months, most=MOST_MONTHS
        )
    sellers = staff(book)
    if not sellers["is_present"].any():
        raise Problem(
            "Nobody sells in this book: no deal has an owner, and no member of the staff the role seller.",
            "Map the owner of deals (rep_id), or the staff with their roles.",
        )
    path = path or plan_there(book, FILE)
    met = tuple(hours_per_week(book).items())
    if path is None:
        return Staffing(met_hours=met)
    first = month_after(book.day + timedelta(days=1), 0)
    groups = Counter(sellers.filter("is_present").select("region", "team").iter_rows())
    return replace(read_staffing(path, groups, [month_after(first, n) for n in range(months)]), met_hours=met)


def basis(force: Workforce) -> pl.DataFrame:
    """What a plan rests on, and where each comes from: `Basis`."""
    took, ramp, leaves, pace = force.workload, force.ramp, force.attrition, force.productivity
    doubt = None if took.basis == "stated hours" else np.exp(Z95 * took.error)
    source = {"stated hours": "stated", "stated load": "stated", "logged": "learnt", "assumed load": "assumed"}[
        took.basis
    ]
    rows = [
        _row("hours_per_open_deal", source, took.open_hours, doubt, n=took.n_touches),
        _row("hours_per_new_deal", source, took.new_hours, doubt, n=took.n_touches),
        _row("past_load_share", source if "load" in took.basis else "learnt", took.past_load, doubt),
        _row("logged_share", "learnt", took.logged_share, n=took.n_touches),
        _row("ramp_months", ramp.basis, float(ramp.months_to(force.staffing.useful_share)), n=ramp.n_hires),
        {
            "name": "yearly_attrition_share", "basis": leaves.basis, "n": leaves.n_left,
            **{f"value{end}": -np.expm1(-12 * each) for end, each in
               (("", leaves.monthly), ("_low", leaves.low), ("_high", leaves.high))},
        },
    ]  # fmt: skip
    if pace is not None:
        row = _row("revenue_per_seller_month", "learnt", pace.monthly, n=round(pace.seller_months))
        ends = {
            f"value_{end}": pace.monthly * (1 + sign * Z95 * pace.error) for end, sign in (("low", -1), ("high", 1))
        }
        rows.append(row | ends)
    staffing = force.staffing
    for name in _STATED:
        value = getattr(staffing, name)
        value = sum(value) if isinstance(value, tuple) else value
        rows += [] if value is None else [_row(name, "stated" if name in staffing.stated else "assumed", value)]
    types = dict(Basis.create_empty().schema)
    return pl.DataFrame(rows, schema=types, orient="row")


_STATED = (
    "hours_per_week", "selling_share", "other_share", "useful_share", "notice_months", "recruiting_days", "monthly_cost",
    "margin", "threshold", "leave_days", "recruiting_pace",
)  # fmt: skip


def _row(name: str, source: str, value: float, factor: float | None = None, n: int | None = None) -> dict[str, object]:
    ends = {} if factor is None else {"value_low": value / factor, "value_high": value * factor}
    return {"name": name, "basis": source, "value": value, **ends, "n": n}


def ramp_curve(force: Workforce) -> pl.DataFrame:
    """What a new seller does of a tenured one's work by months since hiring, over the whole company: `RampMonth`."""
    ramp = force.ramp
    ends = (np.clip(ramp.shares + sign * Z95 * ramp.errors, 0, None) for sign in (-1, 1))
    low, high = ends
    return pl.DataFrame(
        {
            "months_since_hire": np.arange(TENURED + 1), "productivity_share": ramp.shares,
            "productivity_share_low": low, "productivity_share_high": high, "basis": ramp.basis, "n_hires": ramp.n_hires,
        },
        schema=dict(RampMonth.create_empty().schema),
    )  # fmt: skip
