"""How far the past of a book lets each lever on bookings go."""

import polars as pl

from cadran.models.levers import LEVERS
from cadran.models.open_stock import OpenStock
from cadran.models.pulls import Limits, limits

#: Events of a quarter below which it tells nothing of how far a lever was ever pulled.
FEW = 10
#: Days of a quarter counted back from the moment.
QUARTER = 91


def seen_limits(deals: pl.DataFrame, won: pl.DataFrame, today: int, stock: OpenStock) -> Limits:
    """How far each lever was ever seen to go, by complete quarters of the past (91 days back from the moment each)."""
    seen: dict[tuple[str, str | None], tuple[float, float]] = {}
    count = pl.len().cast(pl.Float64)
    days = pl.concat([frame[day].cast(pl.Int64) for frame, day in ((deals, "created_day"), (won, "closed_day"))])
    first = int(days.drop_nulls().to_numpy().min(initial=today))
    n_whole = max((today - first + 1) // QUARTER, 1)

    def quarters(frame: pl.DataFrame, day: str, value: pl.Expr, n: pl.Expr = count) -> tuple[float, float]:
        turn = (today - pl.col(day)) // QUARTER
        told = (
            frame.filter(pl.col(day).is_not_null())
            .group_by(turn=turn)
            .agg(value=value, n=n)
            .sort("turn", descending=True)
        )
        is_told = (pl.col("n") >= FEW) & (pl.col("turn") < n_whole)
        return limits(told.filter(is_told)["value"].cast(pl.Float64).to_list())

    closed = deals.filter(pl.col("status").is_in(["won", "lost"]))
    is_won = pl.col("status") == "won"
    odds = (is_won.sum() + 0.5) / ((~is_won).sum() + 0.5)
    created = deals.filter(pl.col("created_day").is_not_null())
    for segment in [None, *closed["segment"].drop_nulls().unique()]:
        part = closed if segment is None else closed.filter(pl.col("segment") == segment)
        seen["win_odds", segment] = quarters(part, "closed_day", odds, pl.min_horizontal(is_won.sum(), (~is_won).sum()))
    for region in [None, *created["region"].drop_nulls().unique()]:
        part = created if region is None else created.filter(pl.col("region") == region)
        seen["arrivals", region] = quarters(part, "created_day", count)
    sized = won.filter(pl.col("amount") > 0)
    seen["size", None] = quarters(sized, "closed_day", pl.col("amount").log().mean().exp())
    took = won.filter(pl.col("created_day").is_not_null()).with_columns(
        cycle=pl.col("closed_day") - pl.col("created_day")
    )
    seen["cycle", None] = quarters(took, "closed_day", pl.col("cycle").median())
    values = LEVERS["answer"].values
    return Limits(seen, (min(values), max(values)) if stock.tells_of_answers() else None)
