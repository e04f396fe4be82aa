"""Which accounts each seller has, as a book knows it, and what each weighs."""

from dataclasses import dataclass
from datetime import date, timedelta

import narwhals as nw
import polars as pl

from cadran.book import Book
from cadran.measures.counting import LEAST_FILLED, count, small, total
from cadran.measures.staff import Staff
from cadran.tables.problems import Problem

#: What an account may weigh.
MEASURES = ("open_deals", "accounts", "potential", "employees", "annual_revenue")
#: An account is active with an open deal, or one that was created or closed in so many days; so long is a year's revenue.
ACTIVE = timedelta(days=365)


@dataclass(frozen=True)
class Portfolio:
    """The accounts of a book, and the sellers who are there.

    Attributes:
        accounts: One row per account that ever had a deal, as its owner has it: `account_id`, `client`, `region`,
            `country`, `employees`, `annual_revenue`; `rep_id` (the present seller who has it; null: nobody),
            `former_rep_id` (the last one who had it, and is gone); `n_open`, `n_due` (open deals to be closed by
            `quarter_ends`, the overdue ones included), `n_undated` (without an expected day), `amount_open` (known
            amounts), `n_open_unknown`, `revenue` (signed in the last year), `n_won_unknown`, `is_active`; `is_deal`: a
            deal of no account is one of its own. Colleagues with open deals of the account have a row each: `is_part`.
            `unit_id` tells the rows apart.
        reps: One row per seller: `rep_id`, `seller`, `team`, `region`.
        everybody: The region of all who are or were in the book: `rep_id`, `region`.
        quarter_ends: Last day of the fiscal quarter that the book's day is in; of the next one, if it is that day.
    """

    accounts: pl.DataFrame
    reps: pl.DataFrame
    everybody: pl.DataFrame
    quarter_ends: date


def portfolio(book: Book) -> Portfolio:
    """Who has which account at the book's moment.

    An account is with the present seller of most of its open deals (of as many, the latest created); without an open
    deal, with whose deal closed last. Open deals of somebody gone fall to the owner; those of colleagues stay theirs.
    A seller is who Sellers present counts.

    Raises:
        Problem: If nobody sells, or no deal says whose it is.
    """
    known = Staff.of(book).on(book.day)
    present = known.filter("is_seller").select("rep_id", "team", "region").sort("rep_id")
    if present.is_empty():
        raise Problem("Nobody sells on {day:%Y-%m-%d}: no seller is present who has a deal, or whose role is seller.",
                      "Map the sellers of deals, and import again.", day=book.day)  # fmt: skip
    named = small(book.table("reps").select("rep_id", "name", "valid_from")).sort("valid_from")
    names = named.group_by("rep_id").agg(seller=pl.coalesce(pl.col("name").last(), pl.col("rep_id").first()))
    ends = _quarter_ends(book)
    held = _held(book, ends).join(present.select("rep_id", is_here=True), on="rep_id", how="left")
    told = _owned(held, book.day - ACTIVE).join(_facts(book), on="account_id", how="left")
    told = told.with_columns(pl.col("client").fill_null(pl.col("account_id")))
    if told.is_empty():
        raise Problem("No deal says whose it is.", "Map the sellers of deals, and import again.")
    reps = present.join(names, on="rep_id", how="left").select("rep_id", "seller", "team", "region")
    return Portfolio(told.sort("unit_id"), reps, known.select("rep_id", "region"), ends)


def _owned(held: pl.DataFrame, active: date) -> pl.DataFrame:
    """Each account with its owner, and the open deals that colleagues have there."""
    open_ = ("n_open", "n_due", "n_undated", "amount_open", "n_open_unknown")
    closed = ("revenue", "n_won_unknown")
    works = pl.col("is_here").fill_null(False) & (pl.col("n_open") > 0)
    ordered = held.with_columns(works=works).sort(
        "account_id", "works", "n_open", "latest_open", "latest_closed", "rep_id",
        descending=[False, True, True, True, True, False], nulls_last=True,
    ).with_columns(is_first=pl.int_range(pl.len()).over("account_id") == 0)  # fmt: skip
    ordered = ordered.with_columns(is_part=pl.col("works") & ~pl.col("is_first"))
    owned = ordered.group_by("account_id", maintain_order=True).agg(
        *(pl.col(name).filter(~pl.col("is_part")).sum() for name in open_), pl.col(closed).sum(),
        pl.col("rep_id", "is_here").first(), pl.col("is_deal").all(),
        is_active=(pl.col("latest") > active).any() | (pl.col("n_open") > 0).any(),
    )  # fmt: skip
    here = pl.col("is_here").fill_null(False)
    owned = owned.with_columns(
        unit_id="account_id", is_part=pl.lit(False), rep_id=pl.when(here).then("rep_id"),
        former_rep_id=pl.when(~here).then("rep_id"),
    ).drop("is_here")  # fmt: skip
    parts = ordered.filter("is_part").with_columns(
        *(pl.lit(0, owned.schema[name]).alias(name) for name in closed), is_active=pl.lit(False),
        unit_id=pl.format("{} · {}", "account_id", "rep_id"), former_rep_id=pl.lit(None, pl.String),
    )  # fmt: skip
    return pl.concat([owned, parts.select(owned.columns)])


def weigh(book: Book, found: Portfolio, measure: str, chances: pl.DataFrame | None = None) -> tuple[pl.DataFrame, int]:
    """What each account weighs, and how many of those weights stand in for an unknown value.

    Args:
        book: At its moment.
        found: From `portfolio`.
        measure: One of `MEASURES`: "open_deals" (their number); "accounts" (1 for an active one); "potential" (open
            amounts times the chance to be won, and what was signed in the last year: an unknown amount counts as the
            mean of those won); "employees", "annual_revenue" (of active accounts; an unknown one counts as the median).
        chances: `opportunity_id`, `probability` of open deals, for "potential"; by default the book's win model tells.

    Returns:
        `unit_id`, `weight` (0 or more).

    Raises:
        Problem: If there is no such measure, or the book cannot tell it.
    """
    accounts = found.accounts
    if measure == "open_deals":
        return accounts.select("unit_id", weight=pl.col("n_open").cast(pl.Float64)), 0
    if measure == "accounts":
        return accounts.select("unit_id", weight=pl.col("is_active").cast(pl.Float64)), 0
    if measure in ("employees", "annual_revenue"):
        active = accounts.filter("is_active")
        unknown = active[measure].null_count()
        if unknown > (1 - LEAST_FILLED) * active.height:
            raise Problem(
                "{measure} is known of {n} of {total} active accounts: too few to share them out by it.",
                "Map that column, or share out by another measure: {names}.", measure=measure,
                n=active.height - unknown, total=active.height, names=", ".join(MEASURES),
            )  # fmt: skip
        filled = pl.col(measure).cast(pl.Float64).fill_null(active[measure].median())
        return accounts.select("unit_id", weight=pl.when("is_active").then(filled).otherwise(0.0)), unknown
    if measure == "potential":
        return _potential(book, found, chances)
    raise Problem("There is no measure {name}.", "The measures are: {names}.", name=measure, names=", ".join(MEASURES))


def _potential(book: Book, found: Portfolio, chances: pl.DataFrame | None) -> tuple[pl.DataFrame, int]:
    accounts = found.accounts
    won_mean = small(
        book.deals(["status", "amount"]).filter(nw.col("status") == "won").select(nw.col("amount").mean())
    ).item()
    unknown = int(accounts["n_open_unknown"].sum()) + int(accounts["n_won_unknown"].sum())
    if won_mean is None:
        raise Problem("No amount of a won deal is known: potential cannot be told.",
                      "Map the amounts, or share out by open_deals.")  # fmt: skip
    won = float(won_mean)
    told = _chances(book) if chances is None else chances
    named = nw.coalesce(nw.col("account_id"), nw.col("opportunity_id"))
    open_ = small(
        book.deals(["opportunity_id", "account_id", "rep_id", "status", "amount"]).filter(nw.col("status") == "open")
        .select("opportunity_id", "amount", "rep_id", account_id=named)
    ).join(told.select("opportunity_id", "probability"), on="opportunity_id", how="left")  # fmt: skip
    if open_.height and not open_["probability"].count():
        raise Problem("The chance of no open deal can be told: potential cannot be told.",
                      "Share out by open_deals; `cadran backtest win` says why.")  # fmt: skip
    n_silent, usual = open_["probability"].null_count(), pl.col("probability").mean()
    open_ = open_.with_columns(pl.col("probability").fill_null(usual))
    parts = accounts.filter("is_part").select("account_id", "rep_id", "unit_id")
    open_ = open_.join(parts, on=["account_id", "rep_id"], how="left")
    expected = open_.group_by(unit_id=pl.coalesce("unit_id", "account_id")).agg(
        expected=(pl.col("amount").fill_null(won) * pl.col("probability")).sum()
    )
    weighed = accounts.join(expected, on="unit_id", how="left").select(
        "unit_id", weight=pl.col("expected").fill_null(0.0) + pl.col("revenue") + pl.col("n_won_unknown") * won
    )
    return weighed, unknown + n_silent


def _chances(book: Book) -> pl.DataFrame:
    from cadran.models import kept, win

    model = kept.model(book)
    return model.score(win.open_facts(book))


def _held(book: Book, ends: date) -> pl.DataFrame:
    """Deals counted by account and seller."""
    since = book.day - ACTIVE
    named = nw.coalesce(nw.col("account_id"), nw.col("opportunity_id"))
    deals = book.deals(
        ["opportunity_id", "account_id", "rep_id", "status", "amount", "created_date", "closed_date", "expected_close_date"]
    ).with_columns(account_id=named, is_deal=nw.col("account_id").is_null())  # fmt: skip
    is_open, due = nw.col("status") == "open", nw.col("expected_close_date")
    is_new = (nw.col("status") == "won") & (nw.col("closed_date") > since)
    is_unknown = nw.col("amount").is_null()
    lasts = {
        "latest_open": nw.when(is_open).then(nw.col("created_date")),
        "latest_closed": nw.col("closed_date"),
        "latest": nw.coalesce(nw.col("closed_date"), nw.col("created_date")),
    }
    grouped = deals.with_columns(**lasts).group_by("account_id", "rep_id")
    return small(grouped.agg(
        count(is_open, "n_open"), count(is_open & (due <= ends).fill_null(False), "n_due"),
        count(is_open & due.is_null(), "n_undated"), count(is_open & is_unknown, "n_open_unknown"),
        count(is_new & is_unknown, "n_won_unknown"), total(is_open, "amount", "amount_open"), total(is_new, "amount", "revenue"),
        nw.col("is_deal").all(), *(nw.col(name).max() for name in lasts),
    ))  # fmt: skip


def _facts(book: Book) -> pl.DataFrame:
    """What is known of each account now."""
    columns = ("name", "region", "country", "employees", "annual_revenue")
    told = small(book.table("accounts").select("account_id", "valid_from", *columns)).sort("account_id", "valid_from")
    return told.group_by("account_id", maintain_order=True).agg(pl.col(columns).last()).rename({"name": "client"})


def _quarter_ends(book: Book) -> date:
    day = book.day + timedelta(days=1)
    months = day.year * 12 + day.month - 1
    months += 3 - (day.month - book.settings.fiscal_year_starts) % 3
    return date(months // 12, months % 12 + 1, 1) - timedelta(days=1)
