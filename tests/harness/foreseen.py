"""A forecast of drawn futures, as a backtest and a model would leave it: no model is fitted."""

from dataclasses import replace

import numpy as np
import polars as pl
import signed

from cadran.models.blend import Blend
from cadran.models.booked import ahead
from cadran.models.forecast import Forecast
from cadran.models.foresight import Foresight
from cadran.tables.problems import Problem

SELLERS = pl.DataFrame(
    [(rep, team, region) for rep, (region, team) in signed.SELLERS.items()], schema=["rep_id", "team", "region"], orient="row"
)  # fmt: skip


def forecast(book, paths=None, stock=None, chances=None, **more):
    """A forecast of drawn futures, as a backtest and a model would leave it."""
    months = ahead(book.day, 12)
    if paths is None:
        paths = np.random.default_rng(1).gamma(2.0, 60.0, (400, len(SELLERS), len(months)))
    won = np.zeros((len(SELLERS), len(months)))
    seen = Foresight(
        months, SELLERS, won, paths, {}, np.zeros(0), won + 0.5, None, np.ones((len(paths), len(months))), {}, {}
    )  # fmt: skip
    if stock is not None:
        seen.__dict__["stock"] = stock
        seen.__dict__["chances"] = np.zeros((len(stock), len(months))) if chances is None else chances
    blend = Blend(("bookings", "series", "average"), np.full((6, 3), 1 / 3), (1.0, 1.0), 0, 0)
    return Forecast(book, replace_seen(seen, more), blend, None, Problem("Too short.", "Wait."))


def replace_seen(seen, more):
    kept = {name: seen.__dict__[name] for name in ("stock", "chances") if name in seen.__dict__}
    made = replace(seen, **more)
    made.__dict__.update(kept)
    return made


def deals(*rows):
    """Open deals: identifier, place of the seller, amount."""
    told = pl.DataFrame(rows, schema={"opportunity_id": pl.String, "row": pl.Int64, "amount": pl.Float64}, orient="row")
    return told.with_columns(known="amount")
