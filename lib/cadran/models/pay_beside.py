"""The pay plans of a book beside each other: what each pays for the next deal, who gains and loses, what to look at; and
what the plan in force pays one seller, line by line."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

import polars as pl

from cadran.book import Book
from cadran.book.individual import check_active
from cadran.measures.answers import tried
from cadran.models.pay import Payroll, payouts_of, payroll, trace
from cadran.models.pay_compared import compared
from cadran.models.pay_costs import Costs
from cadran.models.pay_curve import curve, months_told, usual_quota
from cadran.models.pay_flags import Flag, flag_rows, flags
from cadran.models.pay_plan import PayPlan
from cadran.models.pay_read import plans_of
from cadran.models.plan_file import written
from cadran.models.scenario import Chain
from cadran.tables.problems import Problem


@dataclass(frozen=True)
class Beside:
    """The plan in force, and the first other one: frames as `cadran.tables.measured.pay` has them, or why there is none."""

    names: tuple[str, ...]
    curves: tuple[pl.DataFrame | Problem, ...]
    #: Who gains and loses under the other plan; None where there is no other.
    compared: pl.DataFrame | Problem | None
    _flags: tuple[tuple[PayPlan, tuple[Flag, ...]], ...]
    #: Why a plan of the book cannot be used.
    faults: tuple[Problem, ...]

    def flags(self, words: Callable[[str], str]) -> pl.DataFrame:
        """What a person has to look at in either plan, in the words of a reader: `PayFlag`."""
        return pl.concat([flag_rows(found, plan, words) for plan, found in self._flags])


@dataclass(frozen=True)
class Paid:
    """What one seller is paid: frames as `Payout`, `PayLine` and `PayCredit`. The lines of a period add up to its payout."""

    payouts: pl.DataFrame
    lines: pl.DataFrame
    credits: pl.DataFrame
    #: Names of the measures that count deals, not amounts.
    of_deals: frozenset[str]
    #: First day of what tiers count, where that is more than the period paid.
    counted_from: date | None


def plans_beside(book: Book) -> Beside:
    """The plans that a book keeps, told once for each state of their files.

    Raises:
        Problem: If the book keeps no plan, or none that can be used.
    """
    found = _beside(replace(book, viewed=None), written(book, "pay*.toml"))
    if isinstance(found.compared, pl.DataFrame):
        book.note("pay", found.compared.filter(pl.col("level") == "rep")["group"])
    return found


@lru_cache(maxsize=16)
def _beside(book: Book, _written: tuple[tuple[str, int], ...]) -> Beside:
    plans, faults = _plans(book)
    first, *others = [*plans.values()][:2]
    paid = tried(_payroll, book, _written)
    quota = usual_quota(paid) if isinstance(paid, Payroll) else None
    curves = tuple(tried(yearly, each, None if each.quota else quota) for each in (first, *others))
    against: pl.DataFrame | Problem | None = None
    if others:
        against = tried(compared, paid, others[0]) if isinstance(paid, Payroll) else paid
    found = tuple(
        (each, tuple(flags(book, each, paid if each is first and isinstance(paid, Payroll) else None)))
        for each in (first, *others)
    )
    return Beside(tuple(each.name for each in (first, *others)), curves, against, found, faults)


@lru_cache(maxsize=16)
def _payroll(book: Book, _written: tuple[tuple[str, int], ...]) -> Payroll:
    """The plan in force, settled."""
    return payroll(book, next(iter(_plans(book)[0].values())))


def _plans(book: Book) -> tuple[dict[str, PayPlan], tuple[Problem, ...]]:
    plans, faults = plans_of(book)
    if not plans:
        raise faults[0] if faults else Problem(
            "No pay plan is written for this book.", "Write plans/pay.toml in its folder, as docs/pay.md tells."
        )  # fmt: skip
    return plans, faults


def paid_reps(book: Book) -> dict[str, str]:
    """Whose pay the book's reader may be told line by line: identifier -> name, in order of name.

    Raises:
        Problem: If the pay of named persons is closed, or not told to the reader's role; if the book keeps no plan that has
            begun and pays somebody.
    """
    if not book.rates_persons:
        raise Problem(
            "What one person is paid is closed in this book.",
            "`cadran activate individual` opens it, once what the law asks for is on record.",
        )
    check_active(book, "pay")
    paid = _in_force(book)
    told = paid.staff.people.filter(paid.sees()).select("rep_id", pl.coalesce("seller", "rep_id").alias("seller"))
    return dict(told.sort("seller", "rep_id").iter_rows())


def paid_to(book: Book, rep_id: str) -> Paid:
    """What the plan in force pays one seller; whoever is told is noted.

    Raises:
        Problem: If the book keeps no plan that has begun, the plan does not pay them, or their pay is not told to its reader.
    """
    paid = _in_force(book)
    since = None if paid.plan.attainment == "period" else paid.plan.starts
    found = Paid(payouts_of(paid, rep_id), *trace(paid, rep_id), paid.plan.of_deals, since)
    book.note("pay", [rep_id])
    return found


def _in_force(book: Book) -> Payroll:
    """The plan in force, settled once for all who ask: of whom it tells is noted by whoever asks."""
    return _payroll(replace(book, viewed=None), written(book, "pay*.toml"))


def yearly(plan: PayPlan, quota: float | None = None) -> pl.DataFrame:
    """The curve of a plan, its pay that of a year at the same attainment: so plans of other periods stand beside it.

    Raises:
        Problem: If no quota is known.
    """
    return curve(plan, quota).with_columns(pl.col("pay") * 12 / months_told(plan))


def costs_ahead(chain: Chain) -> Costs:
    """What the plan in force may cost in the months ahead, things staying as they are.

    Raises:
        Problem: If the book has no plan for these months, or too few sellers are paid.
    """
    ahead = next(iter(chain.plans.values()), None)
    if ahead is None:
        raise chain.faults[0] if chain.faults else Problem(
            "There is no pay plan for these months.", "Write plans/pay.toml in the book's folder."
        )  # fmt: skip
    drawn = chain.run().drawn
    return ahead.costs(drawn.bookings, drawn.wins)
