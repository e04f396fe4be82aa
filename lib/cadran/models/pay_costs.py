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
from cadran.book.whole import whole_of
from cadran.measures.counting import small
from cadran.measures.periods import month_after
from cadran.models.pay_credits import credited
from cadran.models.pay_earned import Array, Roll, windows
from cadran.models.pay_futures import paid
from cadran.models.pay_plan import PayPlan
from cadran.models.pay_roll import staffed, why_nobody
from cadran.models.pay_shown import LEAST, typed
from cadran.tables.measured.forecast import QUANTILES
from cadran.tables.measured.pay import PayAttainment, PayCost
from cadran.tables.problems import Problem

#: Where the classes of attainment begin.
CLASSES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)


@dataclass(frozen=True)
class Costs:
    """What a plan may cost: `cost` (`PayCost`) by period and in all, `attainment` (`PayAttainment`) at its year's end."""

    cost: pl.DataFrame
    attainment: pl.DataFrame
    n_sellers: int
    #: Share of the simulated bookings that those make whom the plan pays, 0 to 1.
    covered_share: float


class Ahead:
    """A plan on the months ahead: made once for a book, then asked for any simulated bookings.

    Months after the plan's end are paid by the same rules from its first day of the next year on; those before its
    beginning as if it had begun a year earlier. Who leaves or comes later than the book knows is not in it; nor are
    losses after a win.
    """

    def __init__(self, book: Book, plan: PayPlan, sellers: Sequence[str | None], months: Sequence[date]):
        self.plan, self.months = plan, list(months)
        shares = _shares(book, plan)
        self._years: list[_Year] = []
        for each in _renewed(plan, months):
            self._years.append(_Year(book, each, sellers, months, shares, sum(len(y.last_month) for y in self._years)))
        self._spans = [np.flatnonzero(year.period == p) for year in self._years for p in year.last_month]
        self.n_sellers = self._years[0].staff.people.height
        if not self.n_sellers:
            raise why_nobody(whole_of(book, __name__), self._years[0].plan, self._years[0].staff)
        if self.n_sellers < LEAST and not is_active(book, "pay"):
            raise Problem("The plan pays too few sellers ({n}): what it costs would tell what each is paid.",
                          "`cadran activate individual` opens it, once what the law asks for is on record.",
                          n=self.n_sellers)  # fmt: skip

    def variable(self, bookings: Array, wins: Array | None = None, quota: float = 1.0) -> Array:
        """Variable pay in each future, by month: that of a period in its last month that is simulated.

        Args:
            bookings: (paths, sellers, months), in the reporting currency; the first month with what is won in it already.
            wins: Deals won, likewise; needed by plans that count deals.
            quota: Factor on every quota.

        Returns:
            (paths, months), in the reporting currency.

        Raises:
            Problem: If the plan counts deals and none are given.
        """
        pay = np.zeros((bookings.shape[0], len(self.months)))
        amounts, deals = self._by_period(bookings), self._deals(wins)
        for year in self._years:
            found = year.paid(amounts, deals, quota)
            for p, month in year.last_month.items():
                pay[:, month] += found[p - year.first].sum(-1) / 100
        return pay

    def costs(self, bookings: Array, wins: Array | None = None, quota: float = 1.0) -> Costs:
        """What the plan may cost, and how far sellers may come: arguments as for `variable`.

        Raises:
            Problem: If the plan counts deals and none are given.
        """
        rows, all_paid, all_booked = [], np.zeros(len(bookings)), np.zeros(len(bookings))
        amounts, deals = self._by_period(bookings), self._deals(wins)
        for year in self._years:
            found = year.paid(amounts, deals, quota)
            for p in year.last_month:
                inside = year.period == p
                pay = found[p - year.first].sum(-1) / 100
                booked = bookings[:, year.known][..., inside].sum((1, 2))
                all_paid, all_booked = all_paid + pay, all_booked + booked
                rows.append(_row(self.plan, year.firsts[p], int(inside.sum()), pay, booked))
        rows.append(_row(self.plan, None, len(self.months), all_paid, all_booked))
        whole, here = float(bookings.sum()), float(bookings[:, self._years[0].known].sum())
        return Costs(
            typed(PayCost, [pl.DataFrame(rows, schema_overrides={"period": pl.Date})]),
            _attainment(self._years[0], amounts, quota),
            self.n_sellers, here / whole if whole else 0.0,
        )  # fmt: skip

    def _deals(self, wins: Array | None) -> Array | None:
        """Wins by period, where the plan counts them."""
        is_counted = any(measure.is_of_deals for measure in self.plan.measures)
        return self._by_period(wins) if is_counted and wins is not None else None

    def _by_period(self, values: Array) -> Array:
        """Simulated months summed by period, in cents: (periods of all years, paths, sellers)."""
        # Plane by plane: a product of matrices would start threads that wait for each other.
        summed = np.zeros((len(self._spans), *values.shape[:-1]))
        for period, months in zip(summed, self._spans, strict=True):
            for month in months:
                period += values[..., month]
        return summed * 100


class _Year:
    """One year of a plan: whom it pays, what is known of it already, and where simulated months fall."""

    def __init__(
        self,
        book: Book,
        plan: PayPlan,
        sellers: Sequence[str | None],
        months: Sequence[date],
        shares: list[float],
        place: int,
    ):
        self.plan, self.staff, self.shares, self.place = plan, staffed(book, plan), shares, place
        reps = self.staff.people["rep_id"].to_list()
        numbers = {rep: number for number, rep in enumerate(sellers)}
        columns = np.array([numbers.get(rep, -1) for rep in reps], np.int64)
        #: Where the reps paid stand among the sellers simulated, and which of them do.
        self.known, self.is_simulated = columns[columns >= 0], columns >= 0
        found = credited(whole_of(book, __name__), plan)
        before = replace(found, rows=found.rows.filter(pl.col("won_date") < months[0], pl.col("date") <= book.day))
        self.firsts = [first for first, _ in plan.periods()]
        self.so_far = before.known(plan, reps, len(self.firsts))[-1].astype(np.float64)
        #: The period of each month simulated; -1 outside this year.
        self.period = np.array(
            [
                sum(first <= month for first in self.firsts) - 1 if plan.starts <= month <= plan.ends else -1
                for month in months
            ]
        )
        #: Of each period with a month simulated, the place of the last of them.
        self.last_month = {int(p): int(np.flatnonzero(self.period == p)[-1]) for p in np.unique(self.period) if p >= 0}
        self.first = min(self.last_month)

    def paid(self, amounts: Array, deals: Array | None, quota: float) -> Array:
        """Payouts of the year in each future, from its first period simulated on, in cents: (periods, paths, reps)."""
        mine, simulated = self.of_reps(amounts), []
        for measure, share in zip(self.plan.measures, self.shares, strict=False):
            if measure.is_of_deals and deals is None:
                raise Problem("The plan {plan} counts deals, and only amounts were simulated.", "Give the deals won too.",
                              plan=self.plan.name)  # fmt: skip
            of = self.of_reps(deals) if measure.is_of_deals and deals is not None else mine
            simulated.append(of if share == 1 else of * share)
        return paid(self.plan, self.roll(quota), self.so_far, simulated, self.first)

    def roll(self, quota: float) -> Roll:
        """Who is paid, with a factor on every quota."""
        roll = self.staff.roll
        return roll if quota == 1 else replace(roll, quota=roll.quota * quota)

    def of_reps(self, summed: Array) -> Array:
        """Of what every seller books by period, what those paid do: 0 for reps who are not simulated."""
        mine = summed[self.place : self.place + len(self.last_month)]
        if self.is_simulated.all():
            return mine if np.array_equal(self.known, np.arange(mine.shape[-1])) else mine[..., self.known]
        whole = np.zeros((*mine.shape[:-1], len(self.is_simulated)))
        whole[..., self.is_simulated] = mine[..., self.known]
        return whole


def _renewed(plan: PayPlan, months: Sequence[date]) -> list[PayPlan]:
    """The plan in each of its years that hold a month, before it and after it as it is."""
    first, last = (12 * day.year + day.month for day in (months[0], months[-1]))
    begins = 12 * plan.starts.year + plan.starts.month
    years = range((first - begins) // plan.months, (last - begins) // plan.months + 1)
    return [_shifted(plan, number * plan.months) for number in years]


def _shifted(plan: PayPlan, months: int) -> PayPlan:
    if not months:
        return plan
    starts = month_after(plan.starts, months)
    return replace(plan, starts=starts, ends=month_after(starts, plan.months) - timedelta(1))


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


def _attainment(year: _Year, amounts: Array, quota: float) -> pl.DataFrame:
    """How many sellers are in each class of attainment at the end of the year, over the futures."""
    roll, plan = year.roll(quota), year.plan
    held = windows(plan, roll.quota, roll.quota.shape[1] - 1)
    is_here = roll.present[:, -1] & (held > 0)
    if not is_here.any():
        return PayAttainment.create_empty()
    mine, known = year.of_reps(amounts) * year.shares[-1], year.so_far[-1] * roll.present
    is_simulated = year.first + len(mine) == len(year.firsts)
    last = known[:, -1] + (mine[-1] if is_simulated else np.zeros_like(mine[-1]))
    told = last if plan.attainment == "period" else mine.sum(0) + known.sum(-1)
    reached = told[:, is_here] / held[is_here]
    rows = []
    for low, high in pairwise([*CLASSES, np.inf]):
        n = ((reached >= low) & (reached < high)).sum(1)
        ends = np.quantile(n, [0.025, 0.975]).tolist()
        rows.append({"plan": plan.name, "bin_low": low, "bin_high": None if np.isinf(high) else high,
                     "n_expected": float(n.mean()), "n_expected_low": ends[0], "n_expected_high": ends[1]})  # fmt: skip
    return typed(PayAttainment, [pl.DataFrame(rows, schema_overrides={"bin_high": pl.Float64})])
