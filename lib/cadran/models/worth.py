"""What it would be worth to a group to move on as many deals of a stage as like ones do: an association, no promise."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from cadran.book import Book
from cadran.measures.counting import LEAST_FILLED, LEAST_FOR_INTERVAL, small
from cadran.models.entries import Entries
from cadran.models.funnel import DRAWS, Judged
from cadran.models.judged import log_odds
from cadran.tables.measured.coaching import Help

#: Entries that moved on, and that did not, without which what moving on is worth is not told.
LEAST_WORTH = 30


def placed(rows: pl.DataFrame, entered: Entries) -> pl.DataFrame:
    """With the stage, and every column that names a group."""
    absent = [pl.lit(None, pl.String).alias(name) for name in ("region", "team", "rep_id") if name not in rows.columns]
    return rows.with_columns(*absent, stage=pl.lit(entered.stage, pl.String), within_days=pl.lit(entered.within))


def as_schema(schema: Any, rows: pl.DataFrame) -> pl.DataFrame:
    """Exactly the columns of a schema, in its types."""
    types = schema.create_empty().schema
    return rows.select(pl.col(name).cast(kind) for name, kind in types.items())


@dataclass(frozen=True)
class Worth:
    """What became, or by the win model will, of each deal: `opportunity_id`, `won` (0 to 1), `amount` of the won."""

    deals: pl.DataFrame

    @classmethod
    def of(cls, book: Book, open_chances: pl.DataFrame | None) -> "Worth":
        """Of a book: `open_chances` as `cadran.models.coaching.chances` has them."""
        deals = small(book.deals(["opportunity_id", "status", "amount"])).with_columns(pl.col("status").cast(pl.String))
        known = pl.when(pl.col("status") != "open").then((pl.col("status") == "won").cast(pl.Float64))
        if open_chances is None:
            return cls(deals.with_columns(won=known))
        both = deals.join(open_chances, on="opportunity_id", how="left")
        return cls(both.with_columns(won=pl.coalesce(known, "probability")))

    def drawn(self, entered: Entries, rng: np.random.Generator) -> tuple[np.ndarray | None, np.ndarray | None]:
        """(DRAWS,) wins that go with one more entry that moves on, like deals held alike; and the size of a won one."""
        rows = entered.rows.join(self.deals, on="opportunity_id").filter(pl.col("won").is_not_null())
        moved, won = rows["moved"].to_numpy(), rows["won"].to_numpy()
        if min(moved.sum(), (~moved).sum()) < LEAST_WORTH:
            return None, None
        design = np.column_stack([np.ones(len(moved)), moved, log_odds(rows["chance"].to_numpy())])
        design = design[:, :2] if np.ptp(design[:, 2]) == 0 else design
        inverse = np.linalg.inv(design.T @ design)
        found = inverse @ design.T @ won
        scores = design * (won - design @ found)[:, None]
        error = np.sqrt((inverse @ scores.T @ scores @ inverse)[1, 1])
        wins = np.clip(rng.normal(found[1], error, DRAWS), 0, 1)
        amounts = rows.filter(status="won").unique("opportunity_id")["amount"]
        known = amounts.drop_nulls().to_numpy()
        if len(known) < max(LEAST_FOR_INTERVAL, LEAST_FILLED * len(amounts)):
            return wins, None
        return wins, np.maximum(rng.normal(known.mean(), known.std(ddof=1) / np.sqrt(len(known)), DRAWS), 0)


def helped(entered: Entries, rated: Judged, groups: list[str], worth: Worth, seed: int) -> pl.DataFrame:
    """What goes with each group moving on as many as expected, a year; and with all that move on fewer, together."""
    rows = rated.rows.with_columns(entries_per_year=pl.col("n") / entered.years)
    is_told = rows["reason"].is_null().to_numpy()
    wins, size = worth.drawn(entered, np.random.default_rng(seed))
    share = (rows["expected"] / rows["n"]).to_numpy()[is_told]
    gap = (1 - rated.draws) * share
    a_year = rows["entries_per_year"].to_numpy()[is_told]
    point = (1 - rows["ratio"].to_numpy()[is_told].astype(float)) * share
    told_of = [_row(point[i], gap[:, i], a_year[i], wins, size) for i in range(len(point))]
    names = ["gap_share", "wins", "revenue"]
    types = dict.fromkeys([f"{name}{end}" for name in names for end in ("", "_low", "_high")], pl.Float64)
    values = pl.DataFrame(told_of, schema=types, orient="row")
    where = pl.DataFrame({"row": np.flatnonzero(is_told)}).cast(pl.UInt32).hstack(values)
    each = rows.with_row_index("row").join(where, on="row", how="left", maintain_order="left")
    below = point > 0
    if below.any() and wins is not None:
        together = _row(1.0, gap[:, below] @ a_year[below], 1.0, wins, size, point=float((point * a_year)[below].sum()))
        total = pl.DataFrame([together], schema=types).with_columns(
            n=pl.lit(int(rows["n"].to_numpy()[is_told][below].sum())), entries_per_year=pl.lit(float(a_year[below].sum())),
            n_sellers=pl.lit(int(rows["n_sellers"].to_numpy()[is_told][below].sum())),
        )  # fmt: skip
        total = total.with_columns(pl.col("^gap_share.*$") / pl.col("entries_per_year"))
        each = pl.concat([each, total], how="diagonal_relaxed")
    return placed(each, entered).with_columns(pays_most=pl.lit(False))


def _row(
    gap: float, drawn: np.ndarray, a_year: float, wins: np.ndarray | None, size: np.ndarray | None,
    point: float | None = None,
) -> dict[str, float]:  # fmt: skip
    """A gap, and what it is worth a year, each with its interval."""
    told_of = {"gap_share": (gap if point is None else point, drawn)}
    if wins is not None:
        won = drawn * a_year * wins
        told_of["wins"] = (told_of["gap_share"][0] * a_year * float(wins.mean()), won)
        if size is not None:
            told_of["revenue"] = (told_of["wins"][0] * float(size.mean()), won * size)
    row: dict[str, float] = {}
    for name, (value, draws) in told_of.items():
        low, high = np.quantile(draws, (0.025, 0.975))
        row |= {name: float(value), f"{name}_low": float(min(low, value)), f"{name}_high": float(max(high, value))}
    return row


def marked(helps: list[pl.DataFrame]) -> pl.DataFrame:
    """Every stage of every group, with the one where help would pay most marked, where there is one."""
    if not helps:
        return Help.create_empty()
    rows = pl.concat(helps, how="diagonal_relaxed")
    groups = ["region", "team", "rep_id"]
    gain = pl.coalesce("revenue", "wins").fill_null(0)
    most = (gain > 0) & (gain == gain.max().over(groups))
    rows = rows.with_row_index("place").with_columns(pays_most=most.fill_null(False))
    return as_schema(Help, rows.sort(*groups, "place", nulls_last=True))
