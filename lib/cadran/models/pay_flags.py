"""What a person has to look at before a plan pays: told too late, taking back, moved territories, what the book lacks."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import narwhals as nw
import polars as pl

from cadran.book import Book
from cadran.measures.counting import small
from cadran.models.pay import Payroll
from cadran.models.pay_earned import Array
from cadran.models.pay_plan import PayPlan
from cadran.models.pay_shown import typed
from cadran.tables.measured.pay import PayFlag
from cadran.tables.problems import Problem


@dataclass(frozen=True)
class Flag:
    """One thing to look at."""

    #: Late, retroactive, deducting, territory, calendar or unknown.
    kind: str
    #: The sentence, and what to do about it.
    said: Problem
    n: int | None = None
    #: The money concerned, in the reporting currency.
    amount: float | None = None


def flags(book: Book, plan: PayPlan, paid: Payroll | None = None) -> list[Flag]:
    """What a plan says that has to be looked at; with its payouts, also what came up in them.

    The law meant is that of France, where most of the people measured work; counsel decides.
    """
    found = [*_notice(plan), *_deducting(plan), *_calendar(book, plan)]
    if paid is not None:
        found += [*_owed(paid), *_moved(paid), *_unknown(paid)]
    return found


def flag_rows(found: Sequence[Flag], plan: PayPlan, words: Callable[[str], str]) -> pl.DataFrame:
    """Flags as rows of `PayFlag`, told in the words of a reader."""
    rows = [
        {"plan": plan.name, "kind": each.kind, "n": each.n, "pay_amount": each.amount,
         "said": " ".join(each.said.told(words).split("\n"))}
        for each in found
    ]  # fmt: skip
    types = {"plan": pl.String, "kind": pl.String, "n": pl.Int64, "pay_amount": pl.Float64, "said": pl.String}
    return typed(PayFlag, [pl.DataFrame(rows, schema=types)])


def _notice(plan: PayPlan) -> Iterator[Flag]:
    """Whether the plan was told before what it pays for began."""
    told = plan.notified
    if told is None:
        yield Flag("late", Problem(
            "{plan} does not say when the sellers were told of it.",
            "Write `notified` once they were: before {starts:%Y-%m-%d}. A change of what the contract promises needs their "
            "agreement. Counsel decides.", plan=plan.name, starts=plan.starts,
        ))  # fmt: skip
        return
    ended = [last for _, last in plan.periods() if last < told]
    begun = [first for first, last in plan.periods() if first < told <= last]
    if ended:
        yield Flag("retroactive", Problem(
            "{plan} was told on {told:%Y-%m-%d}, after periods that it pays for had ended ({n}, the last on {last:%Y-%m-%d}): it "
            "pays for what was done under other rules.",
            "Begin it later, or pay these periods by the rules known then. Counsel decides.",
            plan=plan.name, told=told, n=len(ended), last=ended[-1],
        ), n=len(ended))  # fmt: skip
    if begun:
        yield Flag("late", Problem(
            "{plan} was told on {told:%Y-%m-%d}, after the period that began on {first:%Y-%m-%d}: in France, objectives that "
            "the employer sets alone bind only if they are told when the period begins (Cass. soc., 2 March 2011, "
            "08-44.977).",
            "Tell plans before they begin. Counsel decides.", plan=plan.name, told=told, first=begun[0],
        ), n=len(begun))  # fmt: skip


def _deducting(plan: PayPlan) -> Iterator[Flag]:
    """Clauses that take pay back."""
    if plan.clawback_days is not None:
        yield Flag("deducting", Problem(
            "{plan} takes back what was paid on deals lost or reopened within {n} days.",
            "In France fines and other pecuniary penalties are forbidden (Code du travail, art. L. 1331-2); what was earned "
            "for good may not be taken back. Counsel decides.", plan=plan.name, n=plan.clawback_days,
        ))  # fmt: skip
    if plan.draw and plan.is_draw_recoverable:
        yield Flag("deducting", Problem(
            "{plan} advances {amount:.2f} {currency} a month and takes it back from what is earned later.",
            "In France an advance is recovered by at most a tenth of the wages due each time (Code du travail, "
            "art. L. 3251-3). Counsel decides.", plan=plan.name, amount=plan.draw / 100, currency=plan.currency,
        ), amount=plan.draw / 100)  # fmt: skip


def _calendar(book: Book, plan: PayPlan) -> Iterator[Flag]:
    first = book.settings.fiscal_year_starts
    if (plan.starts.month - first) % plan.period_months:
        yield Flag("calendar", Problem(
            "The periods of {plan} are not those of the book, whose fiscal year begins in month {month}.",
            "Targets and payouts are then of different days: begin the plan with a fiscal period.",
            plan=plan.name, month=first,
        ))  # fmt: skip


def _owed(paid: Payroll) -> Iterator[Flag]:
    owed = paid.settled.carried[:, -1] * _seen(paid)
    if n := int((owed < 0).sum()):
        yield Flag("deducting", Problem(
            "Sellers who have earned less to date than they were paid: {n}, {amount:.2f} {currency} in all. It is set against what "
            "they earn later, and no payout is below 0.",
            "Say what becomes of it when the plan ends, or somebody leaves. Counsel decides.",
            n=n, amount=-float(owed.sum()) / 100, currency=paid.plan.currency,
        ), n=n, amount=-float(owed.sum()) / 100)  # fmt: skip


def _moved(paid: Payroll) -> Iterator[Flag]:
    """Deals that changed hands, and people who changed teams, while the plan ran."""
    plan, rows = (
        paid.plan,
        paid.credits.rows.filter(pl.col("kind") == "won").unique("opportunity_id", maintain_order=True),
    )
    hands = _hands(paid.book, plan.starts, rows)
    if not hands.is_empty():
        amount = float(hands["cents"].sum()) / 100
        yield Flag("territory", Problem(
            "Deals won that changed owner while {plan} ran: {n} of {of}. {amount:.2f} {currency} is credited to whoever owned them "
            "at the closing, nothing to those who did before.",
            "Write a split under [splits] where that is not meant. A move of territory that touches pay needs the seller's "
            "agreement where the contract names it. Counsel decides.",
            n=hands.height, of=rows.height, plan=plan.name, amount=amount, currency=plan.currency,
        ), n=hands.height, amount=amount)  # fmt: skip
    if n := int((paid.staff.is_moved & _seen(paid)).sum()):
        yield Flag("territory", Problem(
            "Sellers who changed team while {plan} ran: {n}. The team's result that pays them changed with it.",
            "Look at their payouts before and after.", n=n, plan=plan.name,
        ), n=n)  # fmt: skip


def _seen(paid: Payroll) -> Array:
    """Which of the reps paid the reader may see."""
    return paid.staff.people.select(seen=paid.sees().and_(pl.col("rep_id").is_not_null()))["seen"].to_numpy()


def _hands(book: Book, since: date, won: pl.DataFrame) -> pl.DataFrame:
    """The deals won that had another owner on some day from `since` to the win."""
    ids = won["opportunity_id"].to_list()
    versions = small(
        book.table("versions")
        .filter(nw.col("opportunity_id").is_in(ids))
        .select("opportunity_id", "valid_to", "status", "rep_id")
    )
    ended = pl.col("valid_to").dt.date()
    before = versions.filter(pl.col("status") == "open", ended.is_not_null() & (ended >= since))
    owned = before.join(won.select("opportunity_id", "won_date", "cents", owner="rep_id"), on="opportunity_id")
    other = owned.filter(pl.col("rep_id").ne_missing(pl.col("owner")), ended <= pl.col("won_date"))
    return other.unique("opportunity_id").select("opportunity_id", "cents")


def _unknown(paid: Payroll) -> Iterator[Flag]:
    aside = paid.staff.aside.filter(paid.sees())
    if n := aside.height:
        yield Flag("unknown", Problem(
            "Sellers without a quota, left out: {n} ({names}).",
            "Write quota.amount, or a quota of each under [people].",
            n=n, names=", ".join(aside["seller"].to_list()[:10]),
        ), n=n)  # fmt: skip
    if n := int((paid.staff.is_first_day_unknown & _seen(paid)).sum()):
        yield Flag("unknown", Problem(
            "Sellers whose first day is not known, taken to have been there all along: {n}.",
            "Import it, or write `starts` under [people].", n=n,
        ), n=n)  # fmt: skip
    if paid.visible is not None:
        return  # the rest is of the whole company
    if n := paid.credits.n_without_amount:
        yield Flag("unknown", Problem(
            "Deals won without a known amount, which count as 0: {n}.", "Have their amounts entered.", n=n
        ), n=n)  # fmt: skip
    credited = paid.credits.rows.filter(pl.col("kind") == "won", pl.col("known_in") < len(paid.periods))
    others = credited.filter(~pl.col("rep_id").is_in(paid.rep_ids) | pl.col("rep_id").is_null())
    if n := others.height:
        amount = float(others["cents"].sum()) / 100
        yield Flag("unknown", Problem(
            "Credits of owners whom {plan} does not pay, or of none: {n} of {of}, {amount:.2f} {currency}.",
            "Name them under [who], or split the deals.", n=n, of=credited.height, amount=amount, plan=paid.plan.name,
            currency=paid.plan.currency,
        ), n=n, amount=amount)  # fmt: skip
    if n := paid.credits.n_kept:
        yield Flag("unknown", Problem(
            "Deals paid before that were lost, reopened or deleted later and not taken back: {n}. No clause says so, or it was "
            "too late.", "Look at them.", n=n,
        ), n=n)  # fmt: skip
