"""What groups where it goes well do otherwise: facts of their deals at one age, beside those of the other groups."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from cadran.book import Book
from cadran.book.landmarks import facts_at
from cadran.book.moments import latest, rows
from cadran.book.whole import whole_of
from cadran.measures.clustered import UNKNOWN, Estimate, Values, difference
from cadran.measures.counting import LEAST_FOR_INTERVAL, small
from cadran.measures.signals_learnt import in_polars
from cadran.tables.measured.coaching import Practice

#: The age of deals, and how far back those looked at were created.
AGE, LENGTH = timedelta(days=30), timedelta(days=730)
_DEAL = "opportunity_key"
#: What is looked at: its unit, and how it is told of a deal.
FACTS = {
    "mean_log_wait": ("hours", pl.col("mean_log_wait").exp() - 1),
    "share_in_a_day": ("share", pl.col("share_in_a_day")),
    "n_contacts": ("per deal", pl.col("n_contacts")),
    "n_functions": ("per deal", pl.col("n_functions")),
    "has_senior": ("share", pl.col("has_senior")),
    "has_decision_maker": ("share", pl.col("has_decision_maker")),
    "n_meetings": ("per deal", pl.col("n_meetings")),
    "n_touches": ("per deal", pl.col("n_touches")),
    "n_pushes": ("per deal", pl.col("n_pushes")),
}


@dataclass(frozen=True)
class _Side:
    """One side of a comparison: its estimate and how many deals tell it."""

    estimate: Estimate | None
    n: int


def practices(book: Book, by: str, well: Collection[str]) -> pl.DataFrame:
    """What deals of some groups had at the age of 30 days, beside those of the others: `Practice`.

    Deals of both sides are weighed to the same mix of deal types. Sellers are clusters, as what one does to deals is
    alike. A share of several answers is taken as a mean.

    Args:
        book: Whole.
        by: "team", "region" or "rep_id", as it was then.
        well: The groups where it goes well.
    """
    told = _deals(in_polars(whole_of(book, __name__)))
    told = told.filter(pl.col(by).is_not_null()).with_columns(is_well=pl.col(by).is_in(list(well)))
    number = pl.coalesce("rep_id", "opportunity_id").rank("dense").cast(pl.Int64) - 1
    told = told.with_columns(number=number) if told.height else told.with_columns(number=pl.lit(0))
    n_numbers = told["number"].n_unique()
    sides = {fact: (_side(told, fact, True, n_numbers), _side(told, fact, False, n_numbers)) for fact in FACTS}
    n = max(sum(_is_told(one) and _is_told(other) for one, other in sides.values()), 1)
    compared = [
        _compared(fact, one, other, n) for fact, (one, other) in sides.items() if one.estimate or other.estimate
    ]
    return pl.DataFrame(compared, schema=Practice.create_empty().schema, orient="row")


def _deals(view: Book) -> pl.DataFrame:
    """Deals that were open at the age looked at: their facts, seller and group then."""
    deals = small(view.deals([_DEAL, "created_at", "closed_at"])).with_columns(pl.col(_DEAL).cast(pl.Int64))
    at = pl.col("created_at") + AGE
    is_open = pl.col("closed_at").is_null() | (pl.col("closed_at") > at)
    asked = deals.filter(is_open & (at <= view.moment) & (pl.col("created_at") > view.moment - LENGTH))
    pairs = asked.select(_DEAL, at=at.cast(pl.Datetime("us", "UTC")))
    facts = facts_at(view, pairs)
    owners = rows(view, "versions", _DEAL, "valid_from", "rep_id")
    asked_of = pairs.with_row_index("row")
    whose = asked_of.select("row").join(latest(asked_of, owners, _DEAL).select("row", "rep_id"), on="row", how="left",
                                        maintain_order="left")  # fmt: skip
    return facts.with_columns(whose["rep_id"]).filter(pl.col("opportunity_id").is_not_null())


def _side(told: pl.DataFrame, fact: str, is_well: bool, n_numbers: int) -> _Side:
    """One fact on one side, weighed so that its deal types are those of both sides together."""
    unit, value = FACTS[fact]
    known = told.with_columns(value=value.cast(pl.Float64)).filter(pl.col("value").is_not_null())
    both = known.group_by("deal_type").agg(both=pl.len())
    here = known.filter(is_well=is_well)
    weighed = here.join(both, on="deal_type", nulls_equal=True, maintain_order="left").with_columns(
        weight=pl.col("both") / pl.len().over("deal_type") * here.height / max(known.height, 1)
    )
    if weighed.is_empty():
        return _Side(None, 0)
    value_of, weight, number = (weighed[name].to_numpy() for name in ("value", "weight", "number"))
    values = Values(value_of, weight, number, n_numbers)
    return _Side(values.share if unit == "share" else values.mean, weighed.height)


def _is_told(side: _Side) -> bool:
    return side.estimate is not None and side.estimate.n_clients >= LEAST_FOR_INTERVAL


def _compared(fact: str, one: _Side, other: _Side, n: int) -> dict[str, object]:
    row: dict[str, object] = {
        "fact": fact,
        "unit": FACTS[fact][0],
        "n_well": one.n,
        "n_others": other.n,
        "n_compared": n,
    }
    for name, side in (("well", one), ("others", other)):
        low, high = side.estimate.limits(0.05) if side.estimate else UNKNOWN
        row |= {name: side.estimate and side.estimate.value, f"{name}_low": low, f"{name}_high": high}
    if one.estimate is None or other.estimate is None:
        return row
    low, high = difference(one.estimate, other.estimate, 0.05 / n)
    row |= {"difference": one.estimate.value - other.estimate.value, "difference_low": low, "difference_high": high}
    return row | {"is_difference": None if low is None or high is None else not low <= 0 <= high}
