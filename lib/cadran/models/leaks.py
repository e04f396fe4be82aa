"""Facts that know the answer: written, or filled in, once a deal is won or lost, so that no open deal has them alike.

A model that learns from such a fact looks excellent on the past and is worthless on open deals. What is suspected is
named and left out until a person confirms it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl
from scipy.stats import binom

from cadran.measures.counting import LEAST_FOR_INTERVAL, wilson
from cadran.models.influence import auc
from cadran.models.rivals import KEYS
from cadran.tables.problems import Problem

#: A fact alone is suspected from this AUC on, out of sample, if its 95 % interval lies above the second.
AUC, AUC_LOW = 0.95, 0.9
#: So is one of its values, or its being filled in or blank, if this share of its deals came to one outcome,
PURE = 0.99
#: if they are this share of all deals of that outcome,
COVERS = 0.05
#: and if the other outcome is this many times rarer than on the whole, with this risk of chance over all tests.
RARER, CHANCE = 4.0, 0.01
#: So is a fact whose blank share among open deals is this much above that of like deals that have closed since.
SHIFT = 0.2
#: Deals wanted of each kind where nothing else says how sure a comparison is.
ENOUGH = 30
#: Where a deal is: that all are won from the last stage on is how a pipeline works, and no leak.
WHERE = ("stage", "stage_position", "stage_probability")
FOLDS, BINS, AGES = 5, 20, 3
REPAIR = (
    "It is left out of the model. Find out when it is written: if while deals are open, say --confirmed {fact}; if "
    'once they close, say known = "at_close" in the mapping.'
)
Sign = Literal["value", "filled in", "blank", "blank until closed"]


@dataclass(frozen=True)
class Suspect:
    """A fact that may know the answer, and what gives it away."""

    fact: str
    sign: Sign
    #: Deals behind it.
    n: int
    #: AUC of the fact alone (0.5 to 1), where that is what gives it away.
    auc: float | None = None
    #: One value of it (none: its being filled in, or blank), and the share of its deals that came to `outcome`:
    #: "won" or "lost".
    value: str | None = None
    share: float | None = None
    outcome: str | None = None
    #: Share blank among the deals open now, and among like ones that have closed since.
    blank_now: float | None = None
    blank_past: float | None = None

    def problem(self) -> Problem:
        """What it is and how to repair it, in words."""
        told: dict[str, Any] = {"fact": self.fact, "value": self.value, "n": self.n}
        if self.auc is not None:
            return Problem(
                "{fact} alone tells won deals from lost ones almost perfectly (AUC {auc:.2f}, {n} deals).",
                REPAIR, auc=self.auc, **told,
            )  # fmt: skip
        if self.blank_now is not None and self.blank_past is not None:
            return Problem(
                "{fact} is blank on {now:.0f} % of {n} deals open now (those of a stage and age at which others have closed "
                "since), but was on {past:.0f} % of these others: it seems to be filled in only once a deal closes.",
                REPAIR, now=100 * self.blank_now, past=100 * self.blank_past, **told,
            )  # fmt: skip
        told["percent"] = 100 * (self.share or 0)
        match self.sign, self.outcome:
            case "value", "won":
                return Problem("Where {fact} is “{value}”, {percent:.1f} % of {n} deals were won.", REPAIR, **told)
            case "value", _:
                return Problem("Where {fact} is “{value}”, {percent:.1f} % of {n} deals were lost.", REPAIR, **told)
            case "filled in", "won":
                return Problem("Where {fact} is filled in, {percent:.1f} % of {n} deals were won.", REPAIR, **told)
            case "filled in", _:
                return Problem("Where {fact} is filled in, {percent:.1f} % of {n} deals were lost.", REPAIR, **told)
            case _, "won":
                return Problem("Where {fact} is blank, {percent:.1f} % of {n} deals were won.", REPAIR, **told)
        return Problem("Where {fact} is blank, {percent:.1f} % of {n} deals were lost.", REPAIR, **told)


def suspects(
    facts: pl.DataFrame,
    won: np.ndarray,
    weights: np.ndarray,
    open_now: pl.DataFrame | None = None,
    confirmed: Collection[str] = (),
) -> tuple[Suspect, ...]:
    """The facts that may know the answer, each once, by what gives it away most plainly.

    Args:
        facts: Deals that have closed, as they were on past days (`facts_at`); several days of one deal are one deal.
        won: (n,) whether each was won.
        weights: (n,) how many each stands for.
        open_now: Facts of the deals open at the book's moment: what is blank on them, but was not on like deals that
            have closed since, is filled in late.
        confirmed: Facts that a person knows to be sound: never suspected.

    Returns:
        Nothing where fewer than `LEAST_FOR_INTERVAL` deals were won, or lost: so few tell nothing apart from chance.
    """
    deal = np.unique(facts["opportunity_key"].to_numpy(), return_inverse=True)[1]
    if min(len(np.unique(deal[won])), len(np.unique(deal[~won]))) < LEAST_FOR_INTERVAL:
        return ()
    names = [name for name in facts.columns if name not in (*KEYS, *confirmed)]
    named = {name: _named(facts[name]) for name in names}
    n_tests = sum(each.n_unique() + 2 for each in named.values())
    found = []
    for name in names:
        suspect = (
            _pure(facts[name], named[name], deal, won, n_tests)
            or _telling(facts[name], deal, won, weights)
            or (_late(facts, open_now, name) if open_now is not None else None)
        )
        found += [suspect] if suspect else []
    return tuple(found)


def _named(values: pl.Series) -> pl.Series:
    """The values by name; of numbers only those met often, the others are null."""
    if not values.dtype.is_numeric():
        return values.cast(pl.String)
    numbers = values.cast(pl.Float64).fill_nan(None)
    often = numbers.drop_nulls().value_counts(name="n").filter(pl.col("n") >= len(numbers) * COVERS / 10)
    names = {number: f"{number:g}" for number in often.to_series(0)}
    return numbers.replace_strict(names, default=None, return_dtype=pl.String)


def _pure(values: pl.Series, named: pl.Series, deal: np.ndarray, won: np.ndarray, n_tests: int) -> Suspect | None:
    """What covers most deals of one outcome, and hardly any of the other."""
    is_filled = pl.Series(np.where(values.is_null(), "blank", "filled in"))
    rows = pl.DataFrame({"sign": is_filled, "value": None, "deal": deal, "won": won}, schema_overrides=_TYPES)
    if values.name not in WHERE:
        by_name = rows.with_columns(value=named, sign=pl.lit("value")).filter(pl.col("value").is_not_null())
        rows = pl.concat([rows, by_name])
    n_won, n = pl.col("won").sum(), pl.len()
    counted = rows.unique().group_by("sign", "value").agg(n=n, won=n_won, lost=n - n_won)
    fates = rows.select("deal", "won").unique()["won"].to_numpy()
    all_of, found = {"won": int(fates.sum()), "lost": int((~fates).sum())}, []
    for outcome, other in (("won", "lost"), ("lost", "won")):
        pure = counted.filter(pl.col(outcome) >= PURE * pl.col("n"), pl.col(outcome) >= COVERS * all_of[outcome])
        for row in pure.iter_rows(named=True):
            chance = binom.cdf(row[other], row["n"], all_of[other] / len(fates) / RARER)
            if chance * n_tests < CHANCE:
                found.append((row[outcome], row["sign"] != "value", row, outcome))
    if not found:
        return None
    *_, row, outcome = max(found, key=lambda each: each[:2])
    share = row[outcome] / row["n"]
    return Suspect(values.name, row["sign"], row["n"], value=row["value"], share=share, outcome=outcome)


def _telling(values: pl.Series, deal: np.ndarray, won: np.ndarray, weights: np.ndarray) -> Suspect | None:
    """How well the share won of each value, or of each bin of numbers, among other deals ranks these ones."""
    known = values.is_not_null().to_numpy()
    place, deal, won, weights = _places(values.filter(known)), deal[known], won[known], weights[known]
    n_won, n_lost = len(np.unique(deal[won])), len(np.unique(deal[~won]))
    if min(n_won, n_lost) < LEAST_FOR_INTERVAL or place.max() == 0:
        return None
    fold, ranked = deal % FOLDS, np.zeros(len(won))
    for each in range(FOLDS):
        here = fold == each
        all_at, won_at = (
            np.bincount(place[~here], kept[~here], place.max() + 1) for kept in (weights, weights * won)
        )  # fmt: skip
        ranked[here] = ((won_at + won_at.sum() / all_at.sum()) / (all_at + 1))[place[here]]
    area, low, _ = auc(ranked, won, weights, deal)
    if low is None:  # all of one outcome ranked above all of the other
        low = area if min(n_won, n_lost) >= ENOUGH else 0
    if area is None or low is None or area < AUC or low < AUC_LOW:
        return None
    return Suspect(values.name, "value", n_won + n_lost, auc=area)


def _places(values: pl.Series) -> np.ndarray:
    """Numbers by the bin they fall in, other values by a number of their own."""
    if not values.dtype.is_numeric():
        return values.cast(pl.String).rank("dense").to_numpy().astype(int) - 1
    numbers = values.to_numpy().astype(float)
    edges = np.quantile(numbers, np.arange(1, BINS) / BINS) if len(numbers) else numbers
    return np.searchsorted(np.unique(edges), numbers)


def _late(past: pl.DataFrame, open_now: pl.DataFrame, name: str) -> Suspect | None:
    """Whether more is blank on open deals than was on closed ones while at the same stage and of the same age."""
    if not past["age_days"].count():
        return None
    ages = np.quantile(past["age_days"].drop_nulls().to_numpy(), np.arange(1, AGES) / AGES)
    older = [pl.col("age_days") > age for age in ages]
    cell = [pl.col("stage"), pl.sum_horizontal(older).alias("age")]
    was = past.select("opportunity_key", *cell, blank=pl.col(name).is_null()).unique()
    shares = was.group_by("stage", "age").agg(past=pl.col("blank").mean(), n_past=pl.len())
    now = open_now.select(*cell, blank=pl.col(name).is_null()).join(shares, on=["stage", "age"], nulls_equal=True)
    n_past = int(now.select("stage", "age", "n_past").unique()["n_past"].sum())
    if min(len(now), n_past) < ENOUGH:
        return None
    blank_now, blank_past = (float(now[told].to_numpy().mean()) for told in ("blank", "past"))
    if wilson(blank_now, len(now))[0] - wilson(blank_past, n_past)[1] < SHIFT:
        return None
    return Suspect(name, "blank until closed", len(now), blank_now=blank_now, blank_past=blank_past)


_TYPES = {"sign": pl.String, "value": pl.String}
