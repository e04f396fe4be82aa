"""What a plan pays on what was won: payouts by period, each with its lines, per team or, where that is open, per rep."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from cadran.book import Book
from cadran.book.individual import check_active, is_active
from cadran.book.masked import names_to_hide
from cadran.book.whole import whole_of
from cadran.models.pay_credits import Credits, credited
from cadran.models.pay_earned import Line, Settled, settle
from cadran.models.pay_plan import PayPlan
from cadran.models.pay_roll import Staffed, staffed, why_nobody
from cadran.models.pay_shown import LEAST, money, shown_as, typed
from cadran.tables.measured.pay import LEVELS, STEPS, PayCredit, PayLine, Payout
from cadran.tables.problems import Problem


@dataclass(frozen=True)
class Payroll:
    """A plan settled on a book: of the periods that had begun at its moment, in cents.

    `settled` and `lines` are of named persons: what readers see are `payouts` and `trace` here, and `pay_compared`, which
    keep to what is open.
    """

    book: Book
    plan: PayPlan
    staff: Staffed
    credits: Credits
    settled: Settled
    #: First and last day of the periods settled.
    periods: list[tuple[date, date]]
    #: The reps whom the book's reader may see; null for all. The others are settled too: teams and splits reach across.
    visible: pl.Series | None = None

    @property
    def rep_ids(self) -> list[str]:
        """The reps paid, in the order of the arrays."""
        return self.staff.people["rep_id"].to_list()

    def sees(self) -> pl.Expr:
        """Whether the reader may see the rep of a row."""
        return pl.lit(True) if self.visible is None else pl.col("rep_id").is_in(self.visible.implode())

    @cached_property
    def lines(self) -> pl.DataFrame:
        """Every line of every payout, as `PayLine`. Of named persons: for the trace, and for tests."""
        noted: list[Line] = []
        known = self.credits.known(self.plan, self.rep_ids, len(self.periods))
        settle(self.plan, self.staff.roll, known, noted.append)
        return lines_of(
            noted, self.rep_ids, self.periods, None if self.plan.attainment == "period" else self.plan.starts
        )


def payroll(book: Book, plan: PayPlan) -> Payroll:
    """Settle a plan on what a book knows.

    Raises:
        Problem: If the plan has not begun at the book's moment, or pays nobody.
    """
    periods = [span for span in plan.periods() if span[0] <= book.day]
    if not periods:
        raise Problem(
            "The plan {plan} begins on {starts:%Y-%m-%d}, after this book's day, {day:%Y-%m-%d}: there is nothing to pay yet.",
            "Ask what it may cost, or compare it with a plan that has begun.",
            plan=plan.name, starts=plan.starts, day=book.day,
        )  # fmt: skip
    whole = whole_of(book, __name__)
    staff = staffed(whole, plan)
    if staff.people.is_empty():
        raise why_nobody(whole, plan, staff)
    found = credited(whole, plan)
    known = found.known(plan, staff.people["rep_id"].to_list(), len(periods))
    is_limited = book.reader is not None and book.reader.is_limited
    # As the whole book names them: a presenter's has numbers in their place.
    visible = names_to_hide(book, ["rep_id"])["rep_id"].unique().sort() if is_limited else None
    return Payroll(book, plan, staff, found, settle(plan, staff.roll, known), periods, visible)


def payouts(paid: Payroll, since: date | None = None, until: date | None = None) -> pl.DataFrame:
    """What is paid by period: to the company, to each team and, only where ratings of persons are open, to each rep.

    Teams of fewer than `LEAST` sellers are shown together with the next smallest; a company of fewer is not shown.

    Args:
        paid: A plan settled on a book.
        since: Only periods that begin on this day or later.
        until: Only periods that end on this day or earlier.

    Returns:
        Rows as `Payout`, the company first; empty where it has too few sellers.
    """
    rows = _per_rep(paid)
    if since:
        rows = rows.filter(pl.col("period") >= since)
    if until:
        rows = rows.filter(pl.col("until") <= until)
    names = shown_as(rows.filter("is_here"))
    rows = rows.with_columns(shown=pl.col("team").replace_strict(names, default="", return_dtype=pl.String))
    told = [_summed(rows, None), _summed(rows.filter(pl.col("shown") != ""), "shown")]
    if rows["rep_id"].n_unique() < LEAST:
        told = []
    if is_active(paid.book, "pay"):
        each = _as_reps(rows)
        told = [*(told or [_summed(rows, None)]), each]
        paid.book.note("pay", each["group"].unique())
    return typed(Payout, [_in_money(each) for each in told])


def payouts_of(paid: Payroll, rep_id: str) -> pl.DataFrame:
    """What one rep is paid by period: rows as `Payout`.

    Raises:
        Problem: As `trace`.
    """
    _check_told(paid, rep_id)
    return typed(Payout, [_in_money(_as_reps(_per_rep(paid).filter(pl.col("rep_id") == rep_id)))])


def trace(paid: Payroll, rep_id: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """How one rep's payouts come about: the lines of each, which add up to it to the cent, and the deals credited.

    Returns:
        Rows as `PayLine`, and rows as `PayCredit`.

    Raises:
        Problem: If ratings of named persons are closed, or the plan does not pay the rep.
    """
    _check_told(paid, rep_id)
    own = paid.credits.rows.filter(pl.col("rep_id") == rep_id, pl.col("known_in") < len(paid.periods))
    firsts = pl.Series([first for first, _ in paid.periods])
    frames = []
    for m, measure in enumerate(paid.plan.measures):
        amount = money("hundredths" if measure.is_of_deals else "cents")
        counted = own.filter(f"measure_{m}").with_columns(
            measure=pl.lit(measure.name),
            credited_amount=amount,
            counts_in=firsts.gather(own.filter(f"measure_{m}")["counts_in"]),
        )
        frames.append(counted)
    deals = typed(PayCredit, frames).sort("measure", "date", "opportunity_id", maintain_order=True)
    return paid.lines.filter(pl.col("rep_id") == rep_id), deals


def _check_told(paid: Payroll, rep_id: str) -> None:
    """That what a rep is paid may be told to the book's reader, who is noted to see it."""
    check_active(paid.book, "pay")
    seen = paid.staff.people.filter(paid.sees())["rep_id"].to_list()
    if rep_id not in seen:
        raise Problem("The plan {plan} does not pay {rep}.", "Name one of the reps it pays: {names}, …",
                      plan=paid.plan.name, rep=rep_id, names=", ".join(seen[:5]))  # fmt: skip
    paid.book.note("pay", [rep_id])


def _as_reps(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of reps as those of groups of one: of whoever was there, or has something paid or owed."""
    told = rows.filter(pl.col("is_here") | (pl.col("pay") != 0) | (pl.col("carried") != 0))
    return told.with_columns(level=pl.lit("rep"), group="rep_id", carried_pay=pl.col("carried"), n_sellers=pl.lit(1))


def _per_rep(paid: Payroll) -> pl.DataFrame:
    """One row per rep and period from their first with the plan on, in cents."""
    staff, settled = paid.staff, paid.settled
    n = len(paid.periods)
    people = staff.people.select("rep_id", "seller")
    rows = people[np.repeat(np.arange(people.height), n)]
    names = np.array([name or "" for name in staff.teams], dtype=object)
    arrays = {
        "quota": settled.quota, "credited": settled.credited, "base": staff.base[:, :n],
        "target": staff.roll.variable[:, :n], "pay": settled.pay, "carried": settled.carried, "balance": settled.balance,
        "is_here": staff.roll.present[:, :n],
    }  # fmt: skip
    spans = pl.DataFrame(paid.periods, schema={"period": pl.Date, "until": pl.Date}, orient="row").with_columns(
        counted_from=pl.col("period") if paid.plan.attainment == "period" else pl.lit(paid.plan.starts),
        quota_until=pl.lit(paid.plan.ends) if paid.plan.attainment == "year" else pl.col("until"),
    )
    rows = rows.with_columns(
        pl.concat([spans] * people.height),
        team=pl.Series(names[staff.roll.team[:, :n].ravel()].tolist(), dtype=pl.String).replace("", None),
        **{name: pl.Series(values[:, :n].ravel()) for name, values in arrays.items()},
    )
    rows = rows.filter(paid.sees())
    is_told = pl.col("is_here") | pl.any_horizontal(pl.col("quota", "pay", "carried", "balance") != 0)
    return rows.filter(is_told).with_columns(is_complete=pl.col("until") <= paid.book.day)


def _summed(rows: pl.DataFrame, by: str | None) -> pl.DataFrame:
    keys = pl.lit(None, pl.String).alias("group") if by is None else pl.col(by).alias("group")
    sums = pl.col("quota", "credited", "base", "target", "pay", "balance").sum()
    spans = ("period", "until", "counted_from", "quota_until", "is_complete")
    summed = rows.group_by(keys, *spans, maintain_order=True).agg(
        sums, carried_pay=pl.col("carried").sum(), n_sellers=pl.col("is_here").sum()
    )
    level = LEVELS[0 if by is None else 1]
    return summed.sort("group", "period", nulls_last=True).with_columns(
        level=pl.lit(level), seller=pl.lit(None, pl.String), team=pl.col("group")
    )


def _in_money(rows: pl.DataFrame) -> pl.DataFrame:
    """Cents as amounts, and the attainment: sums over sums, never a mean of rates."""
    held = pl.when(pl.col("quota") > 0).then(pl.col("credited") / pl.col("quota"))
    return rows.with_columns(
        quota_amount=money("quota"), credited_amount=money("credited"), attainment=held,
        base_pay=money("base"), target_pay=money("target"), pay_cents=pl.col("pay"), pay=money("pay"),
        carried_pay=money("carried_pay"), draw_balance_pay=money("balance"),
    )  # fmt: skip


def lines_of(
    noted: Sequence[Line], rep_ids: list[str], periods: list[tuple[date, date]], since: date | None = None
) -> pl.DataFrame:
    """Lines of arrays as rows of `PayLine`: those that pay something, or that a rate was applied to.

    Args:
        noted: Lines.
        rep_ids: The reps, in the order of the arrays.
        periods: First and last day of each.
        since: First day of what tiers count; None: that of each line's own period.
    """
    frames = []
    firsts = [first for first, _ in periods]
    for order, line in enumerate(noted):
        place = np.flatnonzero((line.pay != 0) | (np.asarray(line.base if line.base is not None else 0) != 0))
        if not len(place):
            continue
        frame: dict[str, Any] = {"rep": place, "cents": line.pay[place]}
        for name, values in (("base", line.base), ("quota", line.quota), ("target", line.target)):
            if values is not None:
                frame[name] = np.broadcast_to(values, line.pay.shape)[place]
        earlier = None if line.of_period is None else firsts[line.of_period]
        fixed = {
            "order": order, "step": line.step, "period": firsts[line.period],
            "measure": line.measure and line.measure.name, "tier": line.tier,
            "of_period": earlier,
            "rate": None if line.rate is None else str(line.rate),
            "counted_from": None if line.base is None else since or earlier or firsts[line.period],
        }  # fmt: skip
        frames.append(pl.DataFrame(frame).with_columns(pl.lit(value).alias(name) for name, value in fixed.items()))
    if not frames:
        return PayLine.create_empty()
    rows = pl.concat(frames, how="diagonal_relaxed").sort("rep", "period", "order")
    for name in ("base", "quota", "target"):
        if name not in rows.columns:
            rows = rows.with_columns(pl.lit(None, pl.Int64).alias(name))
    told = rows.with_columns(
        rep_id=pl.Series(rep_ids, dtype=pl.String).gather(rows["rep"]),
        line=pl.int_range(1, pl.len() + 1).over("rep", "period"), base_amount=money("base"),
        quota_amount=money("quota"), target_pay=money("target"), pay=money("cents"),
        pay_cents=pl.col("cents"), step=pl.col("step").cast(pl.Enum(STEPS)),
    )  # fmt: skip
    return typed(PayLine, [told])
