"""How far levers go: as far as whole quarters of the past went."""

from types import SimpleNamespace

import polars as pl

from cadran.models.limits import seen_limits

TODAY = 20_000


def test_a_quarter_that_the_book_does_not_hold_whole_tells_nothing():
    days = [
        TODAY - day for day in range(120) for _ in range(5)
    ]  # as many every day: one quarter, and a part of another
    deals = pl.DataFrame({"created_day": days, "closed_day": days, "status": "won", "amount": 1.0}).with_columns(
        segment=pl.lit(None, pl.String), region=pl.lit(None, pl.String)
    )

    told = seen_limits(deals, deals, TODAY, SimpleNamespace(tells_of_answers=lambda: False))

    assert told.seen["arrivals", None] == (0.8, 1.25)
    assert told.answer is None
