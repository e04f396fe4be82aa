"""How much more open pipeline would bring the chance to reach a target to where it is wanted, by simulation."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from cadran.measures.periods import month_end
from cadran.models.booked import by_level
from cadran.models.forecast import HORIZON, Forecast
from cadran.tables.measured.forecast import Needed

#: Chances wanted.
WANTED = (0.5, 0.8)
#: Fewest open deals of a group for its own to say what one more is worth; else the company's do.
LEAST_DEALS = 20
#: Deals added at most.
MOST_DEALS = 4_000


def needed(
    forecast: Forecast,
    by: str = "company",
    every: str = "quarter",
    horizon: int = HORIZON,
    target: float | None = None,
    wanted: Sequence[float] = WANTED,
) -> pl.DataFrame:
    """Open pipeline to be added for each group and period that has a target, as `Needed` has it.

    Deals are drawn out of those open today and added to every future of the period, one after the other: each is won in
    the period with its own chance, for its own amount, as if the period began today. What is told is the first number
    that brings enough futures to the target, at the mean amount: pipeline such as there is today, to be open beyond what
    is expected when the period begins, or today in the one under way.

    Args:
        forecast: As `cadran.models.forecast.forecast` gives it.
        by, every, horizon, target: As `Forecast.table` takes them.
        wanted: Chances to reach the target, 0 to 1.
    """
    groups, rows = forecast.groups(by), []
    stock = forecast.seen.stock
    owners = by_level(forecast.sellers, by).select("row", "group")
    stock = stock.with_row_index("place").join(owners, on="row", how="inner").sort("place")
    for begins, until in forecast.periods(every, horizon):
        totals, _, _ = forecast.futures(by, groups, begins, until)
        goals = forecast.goals(by, begins, until, target)
        is_first = begins <= forecast.seen.months[0]
        of_period = _within(forecast, len(forecast.turns(begins, until)), is_first)
        for turn, group in enumerate(groups):
            if (goal := goals.get(group)) is None:
                continue
            mine = stock.filter(pl.col("group").eq_missing(group))
            pool = mine if mine.height >= LEAST_DEALS else stock
            chance, amount = of_period[pool["place"].to_numpy()], pool["amount"].to_numpy()
            now = float(mine["amount"].sum())
            worth = float(chance @ amount / amount.sum()) if amount.sum() > 0 else None
            common = {
                "level": by, "group": group, "period": begins, "until": until, "target": goal, "worth": worth,
                "p_target": float((totals[:, turn] >= goal).mean()), "pipeline_now": now if is_first else None,
            }  # fmt: skip
            told = _added(totals[:, turn], goal, chance, amount, wanted)
            rows += [
                common | {"p_wanted": each, "gap": gap, "pipeline_needed": now + gap if gap is not None and is_first else None,
                          "reason": reason}
                for each, (gap, reason) in zip(wanted, told, strict=True)
            ]  # fmt: skip
    schema = {name: column.dtype for name, column in Needed.columns().items()} | {"level": pl.String}
    return pl.DataFrame([{name: row[name] for name in schema} for row in rows], schema=schema, orient="row")


def _within(forecast: Forecast, months: int, is_first: bool) -> np.ndarray:
    """(deals,) chance to be won within so many months from the day: of a period under way, within what is left of it;
    of another, the part of the month under way that is over is added after them."""
    chances, first, day = forecast.seen.chances, forecast.seen.months[0], forecast.book.day
    within: np.ndarray = chances[:, :months].sum(axis=1)
    if is_first or day < first or months >= chances.shape[1]:
        return within
    told: np.ndarray = within + chances[:, months] * (day.day / month_end(day).day)
    return told


def _added(
    totals: np.ndarray, goal: float, chance: np.ndarray, amount: np.ndarray, wanted: Sequence[float]
) -> list[tuple[float | None, str | None]]:
    """For each chance wanted: amount of the deals to add, or why it cannot be told."""
    gap, worth = goal - totals, float(chance @ amount) / max(len(amount), 1)
    reached = [(gap <= 0).mean() >= each for each in wanted]
    if all(reached):
        return [(0.0, None) for _ in wanted]
    if worth <= 0:
        why = "No open deal says what one more would be worth in the period."
        return [(0.0, None) if is_there else (None, why) for is_there in reached]
    rng = np.random.default_rng(0)
    n = min(int(np.quantile(np.maximum(gap, 0), max(wanted)) / worth * 3) + 50, MOST_DEALS)
    drawn = rng.integers(len(amount), size=(len(totals), n))
    brought = (rng.random(drawn.shape, np.float32) < chance[drawn]) * amount[drawn].astype(np.float32)
    share = (np.cumsum(brought, axis=1) >= gap[:, None]).mean(axis=0)
    told: list[tuple[float | None, str | None]] = []
    for each, is_there in zip(wanted, reached, strict=True):
        enough = np.flatnonzero(share >= each)
        if is_there:
            told.append((0.0, None))
        elif len(enough):
            told.append(((int(enough[0]) + 1) * float(amount.mean()), None))
        else:
            told.append((None, "No pipeline that could be opened now would do: too little of it is won in the period."))
    return told
