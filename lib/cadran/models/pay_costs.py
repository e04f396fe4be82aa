"""What a plan may cost, and how far sellers may come, under simulated bookings."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

import narwhals as nw
import numpy as np
import polars as pl

from cadran.book import Book
from cadran.book.individual import is_active
from cadran.measures.counting import small
from cadran.models.pay_credits import credited
from cadran.models.pay_earned import Array, Settled, settle
from cadran.models.pay_plan import PayPlan, month_after
from cadran.models.pay_roll import Staffed, staffed
from cadran.models.pay_shown import LEAST, typed
from cadran.tables.measured.pay import PayAttainment, PayCost
from cadran.tables.problems import Problem

#: Shares of the futures that lie below what is told.
QUANTILES = {
    "low": 0.025, "q05": 0.05, "q10": 0.1, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q90": 0.9, "q95": 0.95, "high": 0.975,
}  # fmt: skip
#: Where the classes of attainment begin.
CLASSES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)


@dataclass(frozen=True)
class Costs:
    """What a plan may cost: `cost` by period and in all, `attainment` at the end of the plan's first year ahead.

    `pay` is the variable pay of each future, by month of the end of its period: (paths, months), in the reporting currency.
    """

    cost: pl.DataFrame
    attainment: pl.DataFrame
    pay: Array
    n_sellers: int
    #: Share of the simulated bookings that those make whom the plan pays, 0 to 1.
    covered_share: float


class Ahead:
    """A plan on the months ahead: made once for a book, then asked for any simulated bookings.

    Months after the plan's end are paid by the same rules from its first day of the next year on. Who leaves or comes
    later than the book knows is not in it; nor are losses after a win.
    """

    def __init__(self, book: Book, plan: PayPlan, sellers: Sequence[str | None], months: Sequence[date]):
        if plan.starts > months[-1]:
            raise Problem("The plan {plan} begins on {starts:%Y-%m-%d}, after the last month simulated.",
                          "Simulate more months.", plan=plan.name, starts=plan.starts)  # fmt: skip
        self.plan, self.months = plan, list(months)
        self.years = [_Year(book, each, sellers, months) for each in _renewed(plan, months)]
        self.shares, self.n_sellers = _shares(book, plan), self.years[0].staff.people.height
        if self.n_sellers < LEAST and not is_active(book):
            raise Problem("The plan pays {n} sellers: what it costs would tell what each is paid.",
                          "`cadran activate individual` opens it, once what the law asks for is on record.",
                          n=self.n_sellers)  # fmt: skip

    def costs(self, bookings: Array, wins: Array | None = None) -> Costs:
        """What the plan costs in each future.

        Args:
            bookings: (paths, sellers, months), in the reporting currency; the first month with what is won in it already.
            wins: Deals won, likewise; needed by plans that count deals.

        Raises:
            Problem: If the plan counts deals and none are given.
        """
        if wins is None and any(measure.is_of_deals for measure in self.plan.measures):
            raise Problem("The plan counts deals, and only amounts were simulated.", "Give the deals won too.")
        settled = [(year, year.settled(bookings, wins, self.shares)) for year in self.years]
        rows, n_paths = [], bookings.shape[0]
        pay = np.zeros((n_paths, len(self.months)))
        totals = np.zeros((2, n_paths))
        for year, each in settled:
            for p, (first, last) in enumerate(year.plan.periods()):
                n = sum(first <= month <= last for month in self.months)
                if not n:
                    continue
                paid = each.pay[..., p].sum(-1) / 100
                booked = year.booked(bookings, first, last)
                totals += [paid, booked]
                pay[:, [month <= last for month in self.months].count(True) - 1] += paid
                rows.append(_row(self.plan, first, n, paid, booked))
        rows.append(_row(self.plan, None, len(self.months), *totals))
        known = self.years[0].columns[self.years[0].columns >= 0]
        covered = float(bookings[:, known].sum() / bookings.sum()) if bookings.sum() else 0.0
        return Costs(
            typed(PayCost, [pl.DataFrame(rows, schema_overrides={"period": pl.Date})]),
            _attainment(self.plan, settled[0][1], self.years[0].staff), pay, self.n_sellers, covered,
        )  # fmt: skip


class _Year:
    """One year of a plan: whom it pays, what is known of it already, and where simulated months fall."""

    def __init__(self, book: Book, plan: PayPlan, sellers: Sequence[str | None], months: Sequence[date]):
        self.plan, self.staff = plan, staffed(book, plan)
        reps = self.staff.people["rep_id"].to_list()
        place = {rep: number for number, rep in enumerate(sellers)}
        #: Where each rep paid stands among the sellers simulated; -1 where they are not.
        self.columns = np.array([place.get(rep, -1) for rep in reps], np.int64)
        found = credited(book, plan)
        before = replace(found, rows=found.rows.filter(pl.col("won_date") < months[0], pl.col("date") <= book.day))
        n = len(plan.periods())
        self.so_far = before.known(plan, reps, n)[-1].astype(np.float64)
        firsts = [first for first, _ in plan.periods()]
        inside = [plan.starts <= month <= plan.ends for month in months]
        self.period = np.array([sum(first <= month for first in firsts) - 1 if is_in else -1
                                for month, is_in in zip(months, inside, strict=True)])  # fmt: skip
        self.months = list(months)

    def settled(self, bookings: Array, wins: Array | None, shares: list[float]) -> Settled:
        amounts, deals = (None if each is None else self._by_period(each) * 100 for each in (bookings, wins))
        assert amounts is not None
        rows = []
        for measure, share in zip(self.plan.measures, shares, strict=False):
            simulated = deals if measure.is_of_deals and deals is not None else amounts
            rows.append(simulated * share)
        total = np.stack([*rows, amounts * shares[-1]]) + self.so_far[:, None]
        return settle(self.plan, self.staff.roll, [total] * self.so_far.shape[-1])

    def booked(self, bookings: Array, first: date, last: date) -> Array:
        """What those paid book in a period, simulated months only."""
        inside = [first <= month <= last for month in self.months]
        return np.asarray(bookings[:, self.columns[self.columns >= 0]][..., inside].sum((1, 2)))

    def _by_period(self, values: Array) -> Array:
        """Simulated months summed by period: (paths, reps, periods); 0 for reps who are not simulated."""
        n = self.so_far.shape[-1]
        months = (self.period[:, None] == np.arange(n)).astype(np.float64)
        by_period = values @ months
        return np.where(self.columns[:, None] >= 0, by_period[:, self.columns], 0.0)


def _renewed(plan: PayPlan, months: Sequence[date]) -> list[PayPlan]:
    """The plan, and itself again for as long as there are months."""
    years = [plan]
    while years[-1].ends < months[-1]:
        starts = years[-1].ends + timedelta(1)
        years.append(replace(plan, starts=starts, ends=month_after(starts, plan.months) - timedelta(1), splits={}))
    return [year for year in years if year.ends >= months[0]]


def _shares(book: Book, plan: PayPlan) -> list[float]:
    """The share of each measure in what was won in the year before; last, that of all amounts counted."""
    asked = sorted({column for measure in plan.measures for column, _ in measure.where})
    if not asked:
        return [1.0] * (len(plan.measures) + 1)
    since = book.day - timedelta(365)
    won = small(
        book.deals(["status", "closed_date", "amount", *asked]).filter(
            (nw.col("status") == "won") & (nw.col("closed_date") > since)
        )
    ).with_columns(pl.col("amount").fill_null(0))
    flags = [
        pl.all_horizontal(
            pl.lit(True), *(pl.col(column).is_in(values).fill_null(False) for column, values in measure.where)
        )
        for measure in plan.measures
    ]
    weights = [pl.lit(1.0) if measure.is_of_deals else pl.col("amount") for measure in plan.measures]
    own = [flag for flag, measure in zip(flags, plan.measures, strict=True) if not measure.is_of_deals]
    parts = [(flag.cast(pl.Float64) * weight).sum() / weight.sum().replace(0, None)
             for flag, weight in zip(flags, weights, strict=True)]  # fmt: skip
    any_of = pl.any_horizontal(own).cast(pl.Float64) if own else pl.lit(0.0)
    parts.append((any_of * pl.col("amount")).sum() / pl.col("amount").sum().replace(0, None))
    found = won.select(part.fill_null(0.0).alias(str(number)) for number, part in enumerate(parts))
    return [float(each) for each in found.row(0)]


def _row(plan: PayPlan, period: date | None, n_months: int, paid: Array, booked: Array) -> dict[str, object]:
    told: dict[str, object] = {"plan": plan.name, "period": period, "n_months": n_months, "pay": float(paid.mean()),
                               "bookings": float(booked.mean())}  # fmt: skip
    told |= dict(zip(QUANTILES, np.quantile(paid, list(QUANTILES.values())).tolist(), strict=True))
    share = np.divide(paid, booked, out=np.full_like(paid, np.nan), where=booked > 0)
    known = share[~np.isnan(share)]
    ends = np.quantile(known, [0.025, 0.975]).tolist() if len(known) else [None, None]
    whole = float(paid.sum() / booked.sum()) if booked.sum() > 0 else None
    return told | {"pay_share": whole, "pay_share_low": ends[0], "pay_share_high": ends[1]}


def _attainment(plan: PayPlan, settled: Settled, staff: Staffed) -> pl.DataFrame:
    """How many sellers are in each class of attainment at the end of the year, over the futures."""
    is_here = staff.roll.present[:, -1] & (settled.quota[:, -1] > 0)
    if not is_here.any():
        return PayAttainment.create_empty()
    reached = settled.credited[:, is_here, -1] / settled.quota[is_here, -1]
    bounds = [*CLASSES, np.inf]
    rows = []
    for low, high in pairwise(bounds):
        n = ((reached >= low) & (reached < high)).sum(1)
        ends = np.quantile(n, [0.025, 0.975]).tolist()
        rows.append({"plan": plan.name, "bin_low": low, "bin_high": None if np.isinf(high) else high,
                     "n_expected": float(n.mean()), "n_expected_low": ends[0], "n_expected_high": ends[1]})  # fmt: skip
    return typed(PayAttainment, [pl.DataFrame(rows, schema_overrides={"bin_high": pl.Float64})])
