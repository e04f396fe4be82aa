"""How large a fair, randomised trial of a lever would have to be on this book's volumes, and whether it can be done."""

from bisect import bisect_left
from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import ceil
from typing import Any, Literal, NamedTuple, get_args

import narwhals as nw
import polars as pl

from cadran.book import Book
from cadran.measures import MEASURES, Question
from cadran.measures.before_after import LEAST_DEALS
from cadran.measures.counting import count, grouped, small
from cadran.measures.cycle import created_in, fates
from cadran.measures.periods import first_day
from cadran.measures.survival import Incidence
from cadran.models.power import LEVEL, POWER, Estimate, design_effect, intraclass, least_p, power
from cadran.tables.problems import Problem

#: What is drawn as one: a deal, or all the deals of a client, a seller or a team.
Unit = Literal["deal", "account", "rep", "team"]
UNITS: tuple[Unit, ...] = get_args(Unit)
#: The column of a deal that names its unit.
UNIT_COLUMNS: dict[Unit, str] = {"deal": "opportunity_id", "account": "account_id", "rep": "rep_id", "team": "team"}
#: What the deals of a trial may be chosen by when it is sized: what does not change as a deal goes on.
SETTLED = (
    "deal_type", "product", "lead_source", "account_id", "client", "sector", "segment", "account_region", "country",
    "parent_account_id", "team", "region", "seller", "rep_id",
)  # fmt: skip
DAYS_A_MONTH = 365.2425 / 12
#: Days looked back on for the pace of arrivals and the win rate.
_RECENT = 365
#: Months beyond which no trial is planned.
_LONGEST = 1200


class Cohort(NamedTuple):
    """Deals that a trial can take, and the shares of them that are won, and won or lost, when they are counted."""

    n: float
    won_share: float
    closed_share: float


@dataclass(frozen=True)
class Enrolment:
    """Who can be drawn: the deals open now, then those that arrive (`n` of them a month), and the units they come in."""

    open: Cohort
    arriving: Cohort
    n_units: int
    #: Mean size of a unit as a deal meets it; None where deals are drawn one by one.
    met: float | None = None
    #: The number of deals it was counted among, where the same units bring ever more: sellers and teams. Clients that
    #: are new come with new deals.
    n_counted: int | None = None

    def shares(self, n: float) -> tuple[float, float]:
        """The shares won, and won or lost, without the lever, among `n` deals: those open now first."""
        now = min(n, self.open.n)
        won, closed = (
            now * one + (n - now) * other for one, other in zip(self.open[1:], self.arriving[1:], strict=True)
        )
        return won / n, closed / n

    def months(self, n: float) -> float:
        """Months until `n` deals are drawn."""
        missing = n - self.open.n
        return 0.0 if missing <= 0 else missing / self.arriving.n if self.arriving.n else float("inf")

    def design_effect(self, n: float, rho: float) -> float:
        """Of `n` deals drawn in whole units."""
        if self.met is None:
            return 1.0
        return design_effect(self.met * n / self.n_counted if self.n_counted else self.met, rho)

    def power(self, n: float, effect: float, rho: float) -> float:
        """The chance that `n` deals show an effect on the win rate (a share, 0 to 1)."""
        won, closed = self.shares(n)
        freedom = self.n_units - 2.0 if self.n_counted else float("inf")
        return power(n / 2 / self.design_effect(n, rho), won, won + effect * closed, freedom)

    def needed(self, effect: float, rho: float) -> int | None:
        """How many deals, both arms together, show it with enough power; None if no number does."""
        if not self.can_show:
            return None
        most = ceil(self.open.n + self.arriving.n * _LONGEST) + 1
        n = 4 + bisect_left(range(4, most), POWER, key=lambda n: self.power(n, effect, rho))
        return n if n < most else None

    def least_effect(self, n: float, rho: float) -> float | None:
        """The least effect on the win rate that `n` deals show with enough power, to a tenth of a point."""
        if n < 4 or not self.can_show:
            return None
        won, closed = self.shares(n)
        tenths = range(1, int(1000 * (1 - won) / closed) + 1 if closed else 1)
        place = bisect_left(tenths, POWER, key=lambda tenth: self.power(n, tenth / 1000, rho))
        return tenths[place] / 1000 if place < len(tenths) and tenths[place] < 1000 else None

    @property
    def can_show(self) -> bool:
        """Whether there are units enough that some draw of them could be told from chance."""
        return self.met is None or least_p(self.n_units) <= LEVEL


def size(
    book: Book,
    question: Question,
    unit: Unit = "deal",
    effect: float = 0.05,
    follow_up_days: int | None = None,
    patience_months: float = 12,
) -> dict[str, Any]:
    """How large a trial of a lever would have to be, how long it would take, and what could be seen in the time given.

    Won deals are counted among all that were drawn, at the end of their follow-up. The deals open now are drawn on the
    first day, those that arrive as they are created.

    Args:
        book: The trial is planned on what it knows of the last 12 months.
        question: `where` keeps the deals that the trial would take, by columns of `SETTLED`.
        unit: What is drawn as one.
        effect: The least effect on the win rate worth seeing, a share, 0 to 1.
        follow_up_days: Days from being drawn to being counted; by default those by which three quarters of the
            deals created have closed.
        patience_months: How long the trial may take, the last follow-up included.

    Returns:
        What it rests on (counts, shares 0 to 1, intervals); `n_needed` deals, both arms together (None: no number is
        enough), the `months` until the last is counted, both again at the upper end of ρ's interval (`_high`);
        `is_feasible`; `least_effect_share`, the least that could be seen within the patience (None: nothing).

    Raises:
        Problem: If a column of `where` changes as a deal goes on, too few deals were closed, too few followed that
            long, or the effect is none that can be.
    """
    question = of_settled(book, question)
    since = max(book.day - timedelta(days=_RECENT), first_day(book) or date.min)
    closed = MEASURES["win_rate"].ask(book, replace(question, since=since))
    baseline = closed.row(0, named=True) if closed.height else {"n_closed": 0}
    if baseline["n_closed"] < LEAST_DEALS:
        raise Problem(
            "Closed deals like these since {since:%Y-%m-%d}: {n}, too few to know where a trial would start from.",
            "Ask for more kinds of deals, or import more of the past: {least} are needed.",
            n=baseline["n_closed"], since=since, least=LEAST_DEALS,
        )  # fmt: skip
    if not 0 < effect <= 1 - baseline["win_rate"]:
        raise Problem(
            "A win rate of {rate:.1f} % cannot rise by {effect:.1f} points.",
            "Give --effect in points, above 0 and at most {most:.1f}.",
            effect=100 * effect, rate=100 * baseline["win_rate"], most=100 * (1 - baseline["win_rate"]),
        )  # fmt: skip
    days = follow_up_days or _usual_days(book, question)
    n_open, n_before, stock = _open_now(book, question, days)
    arriving = _arriving(book, question, since, days)
    who = Enrolment(stock, arriving, *_units(book, question, unit, since))
    alike, n_several, n_alike = _alike(book, question, unit, since)
    rho, follow_up = alike.value or 0.0, days / DAYS_A_MONTH
    needed, needed_high = who.needed(effect, rho), who.needed(effect, max(alike.high or 0.0, rho))
    months, months_high = (None if n is None else who.months(n) + follow_up for n in (needed, needed_high))
    in_time = who.open.n + who.arriving.n * (patience_months - follow_up) if follow_up <= patience_months else 0
    least = who.least_effect(in_time, rho)
    if least is not None and baseline["win_rate"] + least > 1:
        least = None
    is_followed = stock.n > 0
    return {
        "unit": unit,
        **{name: baseline[name] for name in ("n_closed", "n_won", "win_rate", "win_rate_low", "win_rate_high")},
        "since": since,
        "follow_up_days": days,
        "n_open": n_open, "n_open_before": n_before,
        "open_won_share": stock.won_share if is_followed else None,
        "open_closed_share": stock.closed_share if is_followed else None,
        "new_per_month": arriving.n, "new_won_share": arriving.won_share, "new_closed_share": arriving.closed_share,
        "n_units": who.n_units, "rho": alike.value, "rho_low": alike.low, "rho_high": alike.high,
        "rho_taken": None if unit == "deal" else max(rho, 0.0), "n_rho_units": n_several, "n_rho_deals": n_alike,
        "design_effect": None if needed is None else who.design_effect(needed, rho),
        "effect_share": effect,
        "n_needed": needed, "months": months, "n_needed_high": needed_high, "months_high": months_high,
        "patience_months": float(patience_months), "is_feasible": months is not None and months <= patience_months,
        "n_in_patience": int(in_time), "least_effect_share": least,
    }  # fmt: skip


def of_settled(book: Book, question: Question) -> Question:
    """The question of a trial that is planned.

    Raises:
        Problem: If a column of `where` changes as a deal goes on, or no deal has a value.
    """
    for column in question.where:
        if column not in SETTLED:
            raise Problem(
                "A trial cannot be planned on {column}, which changes as a deal goes on.",
                "The columns are: {names}.", column=column, names=", ".join(SETTLED),
            )  # fmt: skip
    MEASURES["win_rate"].check(book, question)
    return of_new(book, question)


def of_new(book: Book, question: Question) -> Question:
    """The question, of new business where the book tells the types of deals and `where` does not."""
    is_new = nw.col("deal_type") == "new"
    if "deal_type" in question.where or not small(book.deals(["deal_type"]).filter(is_new).head(1)).height:
        return question
    return replace(question, where=question.where | {"deal_type": ("new",)})


def _open_now(book: Book, question: Question, days: int) -> tuple[int, int, Cohort]:
    """How many deals are open now and were `days` ago; those of now with what became of those of then.

    None of the deals open now are counted on where fewer than `LEAST_DEALS` were followed.
    """
    columns = ["opportunity_id", "status", *question.where]
    is_open = nw.col("status") == "open"
    n_open = small(question.keeps(book.deals(columns)).filter(is_open).select(nw.len().alias("n")))["n"][0]
    before = question.keeps(book.as_of(book.day - timedelta(days=days)).deals(columns)).filter(is_open)
    now = book.deals(["opportunity_id", "status"]).select("opportunity_id", became="status")
    ended = before.select("opportunity_id").join(now, on="opportunity_id", how="left")
    n_before, won, closed = small(
        ended.select(
            nw.len().alias("n"),
            count((nw.col("became") == "won").fill_null(False), "won"),
            count(nw.col("became").is_in(["won", "lost"]).fill_null(False), "closed"),
        )
    ).row(0)
    if n_before < LEAST_DEALS:
        return n_open, n_before, Cohort(0, 0.0, 0.0)
    return n_open, n_before, Cohort(n_open, won / n_before, closed / n_before)


def _arriving(book: Book, question: Question, since: date, days: int) -> Cohort:
    """The deals that arrive a month, with what becomes of deals in `days` from their creation."""
    past = replace(question, since=since - timedelta(days=days))
    fate = fates(created_in(book, past, "status"), ()).filter(pl.col("time").is_not_null())
    lost = pl.col("n_lost") + pl.col("n_disqualified")
    won = Incidence.of(fate.select("time", n_event="n_won", n_other=lost, n_censored="n_open"))
    either = pl.col("n_won") + pl.col("n_lost")
    closed = Incidence.of(fate.select("time", n_event=either, n_other="n_disqualified", n_censored="n_open"))
    won_share, closed_share = won.by(days)[0], closed.by(days)[0]
    if won_share is None or closed_share is None:
        raise Problem(
            "No deal like these was followed for {days} days.", "Give --follow-up with fewer days.", days=days
        )
    recent = created_in(book, replace(question, since=since), "status").filter(~nw.col("created_date").is_null())
    n = small(recent.select(nw.len().alias("n")))["n"][0]
    return Cohort(n / max((book.day - since).days, 1) * DAYS_A_MONTH, won_share, closed_share)


def _units(book: Book, question: Question, unit: Unit, since: date) -> tuple[int, float | None, int | None]:
    """The units of the deals that a trial could take, as `Enrolment` has them."""
    column, own = UNIT_COLUMNS[unit], nw.col("opportunity_id") if unit == "account" else nw.lit(None, nw.String)
    deals = question.keeps(book.deals(["opportunity_id", column, "status", "created_date", *question.where]))
    is_recent = replace(question, since=since).days("created_date") | (nw.col("status") == "open")
    # Clients come back seldom: all the deals they ever had tell how many a trial would meet.
    deals = deals.with_columns(its_unit=nw.coalesce(nw.col(column), own))
    deals = deals if unit == "account" else deals.filter(is_recent)
    counted = small(grouped(deals.filter(~nw.col("its_unit").is_null()), ["its_unit"], nw.len().alias("n")))
    sizes = counted["n"].to_numpy().astype(float)
    if unit == "deal" or not len(sizes):
        return len(sizes), None, None
    met = float((sizes**2).sum() / sizes.sum())
    return len(sizes), met, None if unit == "account" else int(sizes.sum())


def _usual_days(book: Book, question: Question) -> int:
    """Days by which three quarters of the deals have closed."""
    fate = fates(created_in(book, question, "status"), ()).filter(pl.col("time").is_not_null())
    ended = pl.sum_horizontal("n_won", "n_lost", "n_disqualified")
    days = Incidence.of(fate.select("time", n_event=ended, n_other=pl.lit(0), n_censored="n_open")).quantile(0.75)[0]
    if days is None:
        raise Problem(
            "Three quarters of the deals have never closed: how long to follow them is not known.",
            "Give --follow-up, in days.",
        )
    return max(ceil(days), 1)


def _alike(book: Book, question: Question, unit: Unit, since: date) -> tuple[Estimate, int, int]:
    """How alike the deals of one unit end, in how many units with several of them, and in how many deals in all.

    Of sellers and teams, among those closed since a day; clients come back seldom: among all that were ever closed.
    """
    if unit == "deal":
        return Estimate(), 0, 0
    column, asked = UNIT_COLUMNS[unit], replace(question, since=None if unit == "account" else since)
    deals = question.keeps(book.deals([column, "status", "closed_date", *question.where]))
    closed = deals.filter(nw.col("status").is_in(["won", "lost"]), asked.days("closed_date"), ~nw.col(column).is_null())
    counted = small(grouped(closed, [column], nw.len().alias("n"), count(nw.col("status") == "won", "won")))
    n, won = (counted[name].to_numpy().astype(float) for name in ("n", "won"))
    alike = intraclass(n, won / n, float((won * (n - won) / n).sum())) if len(n) > 1 else Estimate()
    return alike, int((n > 1).sum()), int(n.sum())
