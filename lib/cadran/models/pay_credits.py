"""What was won while a plan ran, to whose credit, and what of it was taken back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import narwhals as nw
import numpy as np
import polars as pl

from cadran.book import Book
from cadran.measures.counting import small
from cadran.models.pay_earned import Array
from cadran.models.pay_plan import COLUMNS, PayPlan

#: Columns of a frame of credits: one row per deal, rep and event. `counts_in` and `known_in` number the plan's periods.
CREDIT: dict[str, Any] = {
    "opportunity_id": pl.String, "rep_id": pl.String, "kind": pl.String, "date": pl.Date, "won_date": pl.Date,
    "counts_in": pl.Int64, "known_in": pl.Int64, "share": pl.Float64, "cents": pl.Int64, "hundredths": pl.Int64,
}  # fmt: skip


@dataclass(frozen=True)
class Credits:
    """What was won, as credited: `rows` as `CREDIT`, and a yes or no for each measure, `measure_0` and so on."""

    rows: pl.DataFrame
    #: Deals won without a known amount, which count as 0.
    n_without_amount: int
    #: Deals whose loss or reopening is not taken back: there is no clause, or it came too late.
    n_kept: int

    def known(self, plan: PayPlan, rep_ids: Sequence[str], n_periods: int) -> list[Array]:
        """For each period to pay, what was credited as known at its end: (measures + 1, reps, periods)."""
        place = pl.DataFrame({"rep_id": rep_ids, "rep": range(len(rep_ids))}, schema_overrides={"rep_id": pl.String})
        rows = self.rows.join(place, on="rep_id").filter(pl.col("known_in") < n_periods)
        sums = np.zeros((len(plan.measures) + 1, len(rep_ids), len(plan.periods())), np.int64)
        known = []
        for p in range(n_periods):
            new = rows.filter(pl.col("known_in") == p)
            if p == 0 or not new.is_empty():
                sums = sums.copy()
            where = new["rep"].to_numpy(), new["counts_in"].to_numpy()
            for m, measure in enumerate(plan.measures):
                counted = new["hundredths" if measure.is_of_deals else "cents"] * new[f"measure_{m}"].cast(pl.Int64)
                np.add.at(sums[m], where, counted.to_numpy())
            own = [pl.col(f"measure_{m}") for m, measure in enumerate(plan.measures) if not measure.is_of_deals]
            once = new.select(pl.col("cents") * (pl.any_horizontal(own) if own else pl.lit(False)).cast(pl.Int64))
            np.add.at(sums[-1], where, once["cents"].to_numpy())
            known.append(sums)
        return known


def credited(book: Book, plan: PayPlan) -> Credits:
    """What each rep is credited with in the periods of a plan, as known at the book's moment.

    A deal is credited to its owner at the closing, or as the plan splits it, in the period of its win. If its amount
    changes later, or it is lost, reopened or deleted, the period of the win is worked out anew: in that same period in
    any case; later, downwards only where the plan claws back and within its days. A deal won again is credited again
    only if it was taken back before.
    """
    versions = book.table("versions")
    is_here = (nw.col("status") == "won") & (nw.col("status_since_date") >= plan.starts) & (
        nw.col("status_since_date") <= plan.ends
    )  # fmt: skip
    ids = versions.filter(is_here).select("opportunity_id").unique()
    names = ("opportunity_id", "valid_from", "valid_to", "rep_id", "status", "amount", "status_since_date")
    rows = small(versions.join(ids, on="opportunity_id", how="semi").select(*names)).sort(
        "opportunity_id", "valid_from"
    )
    reading = _Reading(plan, ZoneInfo(book.settings.time_zone))
    found: list[dict[str, Any]] = []
    for deal, of_deal in groupby(rows.iter_rows(named=True), key=lambda row: row["opportunity_id"]):
        for event in reading.events(list(of_deal)):
            found += _shared(event, plan.splits.get(deal))
    told = pl.DataFrame(found, schema=CREDIT, orient="row")
    return Credits(_measured(book, plan, told), reading.n_without_amount, reading.n_kept)


class _Reading:
    """Goes through the versions of a deal, and tells what is credited and taken back."""

    def __init__(self, plan: PayPlan, zone: ZoneInfo):
        self.plan, self.zone = plan, zone
        self.lasts = [last for _, last in plan.periods()]
        self.n_without_amount = self.n_kept = 0

    def events(self, rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """The credits of one deal, from its versions in order."""
        win: dict[str, Any] | None = None  # the win that stands, with its owner, day and cents credited
        for number, row in enumerate(rows):
            if row["status"] != "won":
                continue
            day = row["status_since_date"] if win is None else row["valid_from"].astimezone(self.zone).date()
            cents = round(100 * (row["amount"] or 0.0))
            if win is None:
                win = {
                    "opportunity_id": row["opportunity_id"],
                    "rep_id": row["rep_id"],
                    "won_date": day,
                    "cents": cents,
                }
                self.n_without_amount += row["amount"] is None and self._place(day) is not None
                yield from self._told(win, "won", day, cents, 100)
            elif (more := cents - win["cents"]) and (more > 0 or self._is_taken(win, day)):
                win["cents"] = cents
                yield from self._told(win, "amended", day, more, 0)
            stays = number + 1 < len(rows) and rows[number + 1]["status"] == "won"
            if row["valid_to"] is None or stays:
                continue
            ended = row["valid_to"].astimezone(self.zone).date()
            if self._is_taken(win, ended):
                yield from self._told(win, "reversed", ended, -win["cents"], -100)
                win = None
            else:
                self.n_kept += self._place(win["won_date"]) is not None

    def _place(self, day: date) -> int | None:
        """The number of the period that holds a day; None outside the plan."""
        if day < self.plan.starts:
            return None
        return next((number for number, last in enumerate(self.lasts) if day <= last), None)

    def _is_taken(self, win: dict[str, Any], day: date) -> bool:
        place = self._place(win["won_date"])
        within = self.plan.clawback_days
        return (place is not None and place == self._place(day)) or (
            within is not None and (day - win["won_date"]).days <= within
        )

    def _told(self, win: dict[str, Any], kind: str, day: date, cents: int, hundredths: int) -> Iterator[dict[str, Any]]:
        counts_in = self._place(win["won_date"])
        if counts_in is not None:
            known_in = len(self.lasts) if (place := self._place(day)) is None else place
            yield {**win, "kind": kind, "date": day, "counts_in": counts_in, "known_in": known_in, "share": 1.0,
                   "cents": cents, "hundredths": hundredths}  # fmt: skip


def _shared(event: dict[str, Any], shares: dict[str, Fraction] | None) -> Iterator[dict[str, Any]]:
    """The event as it is, or split between reps so that the parts add up to it exactly."""
    if not shares:
        yield event
        return
    before = Fraction(0)
    for rep, share in shares.items():
        parts = {
            name: round(event[name] * (before + share)) - round(event[name] * before)
            for name in ("cents", "hundredths")
        }
        before += share
        yield {**event, "rep_id": rep, "share": float(share), **parts}


def _measured(book: Book, plan: PayPlan, told: pl.DataFrame) -> pl.DataFrame:
    """The credits with a yes or no for each measure: whether it counts the deal."""
    asked = [column for column in COLUMNS if any(column in dict(measure.where) for measure in plan.measures)]
    if asked:
        ids = told["opportunity_id"].unique().to_list()
        facts = small(book.deals(["opportunity_id", *asked]).filter(nw.col("opportunity_id").is_in(ids)))
        told = told.join(facts, on="opportunity_id", how="left", maintain_order="left")
    flags = [
        pl.all_horizontal(pl.lit(True), *(pl.col(c).is_in(v).fill_null(False) for c, v in measure.where)).alias(
            f"measure_{m}"
        )
        for m, measure in enumerate(plan.measures)
    ]
    return told.with_columns(flags).drop(asked)
