"""The bookings to come that capacity, pay and scenarios go on from: the forecast's own futures, as far as it tells them."""

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from cadran.book import Book
from cadran.models.forecast import MONTHS, foretold
from cadran.models.futures import Drawn
from cadran.tables.problems import Problem

if TYPE_CHECKING:
    from cadran.models.bookings import Bookings


@dataclass(frozen=True)
class Coming:
    """Futures of the bookings. The whole company's, whoever reads."""

    #: One row per seller: `rep_id`, `team`, `region`.
    sellers: pl.DataFrame
    months: tuple[date, ...]
    #: Arrays by seller and month, in their order.
    drawn: Drawn
    #: Why these are not the forecast's; None where they are.
    why_not: Problem | None = None


def coming(book: Book, months: int) -> Coming:
    """The bookings to come of a book: open and coming deals in the futures in which the forecast tells them.

    Args:
        book: At its moment.
        months: How many months ahead, the one that has begun among them. Beyond those that are forecast, none of them is
            the forecast's: they are those of open and coming deals alone, which is said.

    Raises:
        Problem: If no chance, or no amount, can be told of any deal.
    """
    if months > MONTHS:
        from cadran.models.bookings import bookings

        found = bookings(book, months)
        assert found is not None  # it was waited for
        return Coming(found.sellers, found.months, found.drawn(), Problem(
            "The forecast reaches {most} months: the revenue shown for {months} is that of open and coming deals alone, "
            "without the series and the widths that the past teaches.",
            "Ask for {most} months or fewer to see the forecast's.", most=MONTHS, months=months,
        ))  # fmt: skip
    told = foretold(book)
    assert told is not None  # it was waited for
    seen = told.seen
    if seen.source is None:
        raise seen.silent["bookings"]
    drawn = scaled(seen.source, seen.source.drawn(n=len(seen.scale)), seen.scale)
    whole = replace(drawn, bookings=seen.paths)
    return Coming(seen.source.sellers, seen.months[:months], Drawn(
        *(getattr(whole, name)[..., :months] for name in ("bookings", "wins", "opened", "created", "level"))
    ))  # fmt: skip


def scaled(source: "Bookings", drawn: Drawn, scale: np.ndarray) -> Drawn:
    """Futures in which what is to come is multiplied as the forecast does; what is signed already stays as it is.

    Args:
        source: What they were drawn from.
        drawn: Futures, with any levers pulled.
        scale: (paths, months) factors.
    """
    # At the usual sizes, what is multiplied is the number of wins.
    bookings, wins = drawn.bookings * scale[:, None], drawn.wins * scale[:, None]
    for told, known in ((bookings, source.known), (wins, source.known_wins)):
        told[:, :, 0] += known[:, 0] * (1 - scale[:, :1])
    return replace(drawn, bookings=bookings, wins=wins)
