"""Why a forecast is not what it was on an earlier day: causes that add up to the change, to the last cent."""

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl

from cadran.measures.periods import month_end
from cadran.models.forecast import Forecast
from cadran.tables.measured.forecast import CAUSES
from cadran.tables.problems import Problem


def changed(now: Forecast, before: Forecast, begins: date, until: date) -> pl.DataFrame:
    """The company's forecast of a period on two days, and why it changed: `cadran.tables.measured.forecast.Changed`.

    Of each deal, what it was expected to bring then and now: `won` (signed since, at what it was signed for), `lost`
    (closed otherwise, or gone), `new` (open now, and not then), `chance_up` and `chance_down` (by today's model, of the
    facts of then and of now), `amount`, and `win_model` (today's model less that of then, of the facts of then). Of what
    no deal stands for: `arrivals` (deals still to be created: fewer as they come, and as time goes by) and `series` (what
    the series and the widths add or take). Opening and causes add up to the closing exactly.

    Raises:
        Problem: If deals tell nothing on one of the days, they are not in order, or the first did not reach the period.
    """
    if not before.book.day <= now.book.day:
        raise Problem("{day:%Y-%m-%d} lies after the book's day.", "Ask for an earlier day.", day=before.book.day)
    if month_end(before.seen.months[-1]) < until:
        raise Problem("The forecast of {day:%Y-%m-%d} does not reach {until:%Y-%m-%d}.", "Ask for a later day.",
                      day=before.book.day, until=until)  # fmt: skip
    for each in (before, now):
        if "bookings" in each.seen.silent:
            raise each.seen.silent["bookings"]
    deals = _deals(now, before, begins, until)
    signed, was_signed = _signed(now, begins, until), _signed(before, begins, until)
    newly = signed.join(was_signed, on="opportunity_id", how="anti")
    corrected = _sum(signed["amount"]) - _sum(newly["amount"]) - _sum(was_signed["amount"])
    gone = deals.filter(pl.col("expected_now").is_null())
    is_won = gone["status"].eq("won").fill_null(False)
    was_won, was_lost = gone.filter(is_won), gone.filter(~is_won)
    stays = deals.filter(pl.col("expected").is_not_null(), pl.col("expected_now").is_not_null())
    brought = deals.filter(pl.col("expected").is_null())
    refitted = pl.col("expected") * pl.col("ratio")
    at_old_amount = pl.col("expected_now") / pl.col("resized")
    moved = stays.select(more=at_old_amount - refitted)["more"]
    resized = stays.select(more=pl.col("expected_now") - at_old_amount)["more"]
    win_model = deals.filter(pl.col("expected").is_not_null()).select(more=refitted - pl.col("expected"))["more"]
    (opening, old_coming), (closing, coming) = (_totals(each, begins, until) for each in (before, now))
    told: dict[str, tuple[float, int | None]] = {
        "won": (_sum(newly["amount"]) - _sum(was_won.select(refitted).to_series()),
                pl.concat([newly["opportunity_id"], was_won["opportunity_id"]]).n_unique()),
        "lost": (-_sum(was_lost.select(refitted).to_series()), was_lost.height),
        "new": (_sum(brought["expected_now"]), brought.height),
        "chance_up": (_sum(moved.filter(moved > 0)), int((moved > 0).sum())),
        "chance_down": (_sum(moved.filter(moved < 0)), int((moved < 0).sum())),
        "amount": (_sum(resized) + corrected, int((resized.abs() > 0.005).sum())),
        "arrivals": (coming - old_coming, None),
        "win_model": (_sum(win_model), None),
    }  # fmt: skip
    cents = {cause: (round(100 * value), n) for cause, (value, n) in told.items()}
    ends = round(100 * opening), round(100 * closing)
    cents["series"] = (ends[1] - ends[0] - sum(value for value, _ in cents.values()), None)
    lines = [("opening", ends[0], None), *((cause, *cents[cause]) for cause in CAUSES), ("closing", ends[1], None)]
    schema = {"cause": pl.String, "cents": pl.Int64, "n_deals": pl.Int64}
    return pl.DataFrame(lines, schema=schema, orient="row").select(
        "cause", bookings=pl.col("cents") / 100, n_deals="n_deals"
    )


def _sum(values: pl.Series) -> float:
    return float(values.to_numpy().sum())


def _deals(now: Forecast, before: Forecast, begins: date, until: date) -> pl.DataFrame:
    """Deals open on either day: what they were expected to bring then and now; by which `ratio` today's models, of the
    chance and of what becomes of amounts, tell otherwise of what was known then; and by which their own amount changed.
    """
    both = _stock(before, begins, until).join(
        _stock(now, begins, until), on="opportunity_id", how="full", coalesce=True, suffix="_now"
    )
    # An amount that became known is larger or smaller than what stood for it; two unknown ones are alike.
    own = pl.coalesce("known_now", "amount_now") / pl.coalesce("known", "amount")
    is_alike = pl.all_horizontal(pl.col("known", "known_now").is_null()) | ~(own.is_finite() & (own > 0))
    resized = pl.when(is_alike).then(1.0).otherwise(own).fill_null(1.0)
    both = both.join(_ratios(now, before, until), on="opportunity_id", how="left").with_columns(resized=resized)
    of_amounts = pl.col("amount_now") / pl.col("amount") / pl.col("resized")
    ratio = pl.col("ratio").fill_null(1.0) * pl.when(of_amounts.is_finite()).then(of_amounts).otherwise(1.0).fill_null(
        1.0
    )
    status = now.deals.select("opportunity_id", "status")
    return both.with_columns(ratio=ratio).join(status, on="opportunity_id", how="left")


def _stock(told: Forecast, begins: date, until: date) -> pl.DataFrame:
    """`opportunity_id`, `known`, `amount` and `expected` in the period, of each open deal a reader may see."""
    seen = told.seen
    expected = seen.chances[:, told.turns(begins, until)].sum(axis=1) * seen.stock["amount"].to_numpy()
    stock = seen.stock.with_columns(expected=pl.Series(expected, dtype=pl.Float64))
    return stock.join(told.sellers.select("row"), on="row", how="semi").drop("row")


def _signed(told: Forecast, begins: date, until: date) -> pl.DataFrame:
    """What was signed in the period by the day."""
    is_signed = (pl.col("status") == "won") & pl.col("closed_date").is_between(begins, until)
    return told.deals.filter(is_signed).select("opportunity_id", pl.col("amount").fill_null(0.0))


def _ratios(now: Forecast, before: Forecast, until: date) -> pl.DataFrame:
    """By which factor today's model tells another chance to be won by the period's end, of what was known then."""
    if now.seen.source is None or before.seen.source is None:
        return pl.DataFrame(schema={"opportunity_id": pl.String, "ratio": pl.Float64})
    stock, days = before.seen.source.stock, [float((until - before.book.day).days)]
    old = stock.model.incidence(stock.facts, days)[:, 0]
    new = replace(now.seen.source.stock.model, day=stock.model.day).incidence(stock.facts, days)[:, 0]
    ratio = np.divide(new, old, out=np.ones_like(new, dtype=float), where=old > 1e-9)
    return stock.facts.select("opportunity_id").with_columns(ratio=pl.Series(ratio, dtype=pl.Float64))


def _totals(told: Forecast, begins: date, until: date) -> tuple[float, float]:
    """The mean of the period, and what deals still to be created are expected to bring of it."""
    totals, _, _ = told.futures("company", (None,), begins, until)
    coming = told.seen.coming[told.sellers["row"].to_numpy()][:, told.turns(begins, until)]
    return float(totals.mean()), float(coming.sum())
