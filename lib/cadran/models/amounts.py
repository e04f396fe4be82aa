"""What deals are signed for: the law of signed amounts, and what known amounts became at signature."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import narwhals as nw
import numpy as np
import polars as pl

from cadran.book import Book
from cadran.measures.counting import small
from cadran.tables.problems import Problem

#: Days after which a signed amount weighs half, and beyond which it is not looked at.
HALF_LIFE, OLDEST = 365.0, 1460
#: Deals' worth of the wider group that a narrower one starts from: its deal type's, and that of all deals.
PRIOR = 20.0
#: Spread, in logarithms, around each signed amount: another deal is not signed for exactly the same.
AROUND = 0.1
#: An amount that became more than so many times itself, or less, is held: a typing error made good is no law.
MOST_CHANGE = 5.0
#: Months back from which open deals are looked at for what their amounts became.
LOOKS = 24


@dataclass(frozen=True)
class Amounts:
    """The law of signed amounts of each cell (deal type and segment): past amounts and what each weighs in it."""

    #: (pool,) signed amounts, rising.
    pool: np.ndarray
    #: (cells, pool) weights, each row summing to 1.
    weights: np.ndarray
    #: (cells,) standard error of each mean, as a share of it: the doubt about the law itself.
    doubt: np.ndarray

    def moments(self, up_to: float = np.inf) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(cells,) share of the deals signed for no more than `up_to`, and what their amounts and squares add."""
        kept = self.pool <= up_to
        weights = self.weights[:, kept]
        pool = self.pool[kept]
        return weights.sum(axis=1), weights @ pool, weights @ pool**2 * np.exp(AROUND**2)

    def drawn(self, cells: np.ndarray, rng: np.random.Generator, above: float = -np.inf) -> np.ndarray:
        """(n,) one amount drawn for each cell named, beyond `above`."""
        told = np.empty(len(cells))
        for cell in np.unique(cells):
            here = cells == cell
            share = np.cumsum(np.where(self.pool > above, self.weights[cell], 0))
            told[here] = self.pool[
                np.searchsorted(share, rng.random(here.sum()) * share[-1], side="right").clip(max=len(share) - 1)
            ]
        return told * np.exp(AROUND * rng.standard_normal(len(cells)) - AROUND**2 / 2)


def signed_amounts(won: pl.DataFrame, cells: Sequence[tuple[str | None, str | None]], today: int) -> Amounts:
    """Learn them from the deals won.

    Args:
        won: `deal_type`, `segment`, `amount`, `closed_day`.
        cells: Deal type and segment of each.
        today: Day of the moment, from 1970.

    Raises:
        Problem: If no amount of a deal won is known.
    """
    known = won.filter(pl.col("amount").is_not_null() & (pl.col("closed_day") > today - OLDEST)).sort("amount")
    if known.is_empty():
        known = won.filter(pl.col("amount").is_not_null()).sort("amount")
    if won.is_empty():
        raise Problem(
            "No deal has been won yet: what deals are signed for cannot be told.",
            "Import the deals that were won, with their amounts; or wait.",
        )  # fmt: skip
    if known.is_empty():
        raise Problem(
            "Of {n} deals won, none has a known amount: what is signed cannot be told in money.",
            "Map the column that holds the amount of deals, and import again.", n=won.height,
        )  # fmt: skip
    pool = known["amount"].to_numpy().astype(float)
    weight = 0.5 ** ((today - known["closed_day"].to_numpy()) / HALF_LIFE)
    weight = np.maximum(weight, 1e-12)
    types, segments = (np.array(known[name].to_list(), object) for name in ("deal_type", "segment"))
    rows = []
    for kind, segment in cells:
        law = _normed(weight)
        for here in (types == kind, (types == kind) & (segments == segment)):
            own = weight * here
            if total := own.sum():
                n = total**2 / (own**2).sum()
                law = (n * own / total + PRIOR * law) / (n + PRIOR)
        rows.append(law)
    weights = np.stack(rows) if rows else np.zeros((0, len(pool)))
    mean, square = weights @ pool, weights @ pool**2
    n = 1 / (weights**2).sum(axis=1)
    return Amounts(pool, weights, np.sqrt(np.maximum(square / np.maximum(mean**2, 1e-12) - 1, 0) / n))


def _normed(weight: np.ndarray) -> np.ndarray:
    normed: np.ndarray = weight / weight.sum()
    return normed


@dataclass(frozen=True)
class Became:
    """What known amounts of open deals became at signature: factors, each as likely, and the doubt about their mean."""

    factors: np.ndarray
    doubt: float

    @property
    def mean(self) -> float:
        """Mean factor."""
        return float(self.factors.mean())

    @property
    def square(self) -> float:
        """Mean of the square of the factor."""
        return float((self.factors**2).mean())


def became(book: Book) -> Became:
    """Learn it: deals that were open on past dates, a month apart, and are won by now.

    The factors are brought to the mean that fits sums of money: what was signed, by what was known before. Where few
    were seen it is held near 1.
    """
    told = book.table("versions").select("opportunity_key", "valid_from", "valid_to", "status", "amount")
    versions = small(told.filter(~nw.col("amount").is_null()))
    won = versions.filter((pl.col("status") == "won") & pl.col("valid_to").is_null())
    won = won.select("opportunity_key", signed="amount")
    was_open = versions.filter(pl.col("status") == "open").join(won, on="opportunity_key")
    before, after = [], []
    for turn in range(1, LOOKS + 1):
        at = pl.lit(book.moment - timedelta(days=30.4 * turn)).cast(pl.Datetime("us", "UTC"))
        seen = was_open.filter((pl.col("valid_from") <= at) & (pl.col("valid_to") > at) & (pl.col("amount") > 0))
        before.append(seen["amount"].to_numpy())
        after.append(seen["signed"].to_numpy())
    then, signed = np.concatenate(before), np.concatenate(after)
    n_deals = was_open["opportunity_key"].n_unique()
    if not len(then):
        return Became(np.ones(1), 0.0)
    ratio = np.clip(signed / then, 1 / MOST_CHANGE, MOST_CHANGE)
    overall = float((ratio * then).sum() / then.sum())
    trust = n_deals / (n_deals + PRIOR)
    factors = np.exp(trust * np.log(ratio))
    factors *= (1 + trust * (overall - 1)) / factors.mean()
    spread = float((np.abs(ratio - overall) ** 2 * then**2).sum() ** 0.5 / then.sum())
    # Looks at one deal are one deal.
    return Became(factors, spread * float(np.sqrt(len(then) / max(n_deals, 1))))
