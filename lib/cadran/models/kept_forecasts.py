"""The forecasts of a book's past: made once, kept in memory and beside the book's version as the win model is."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from cadran.book import Book
from cadran.models.forecast_past import Past, forecast_past
from cadran.models.kept import Kind, Told, once
from cadran.tables.problems import Problem


def past_forecasts(book: Book, since: date | None = None, until: date | None = None, seed: int = 0) -> Past:
    """What `cadran.models.forecast_past.forecast_past` tells. A reader of some regions sees the company's and theirs.

    Raises:
        Problem: As `forecast_past`.
    """
    past: Past = once(_PAST, book, since, until, seed)
    return past.seen_by(book.reader)


def _of_past(past: Past) -> Told:
    silent = {name: [each.what, each.repair, _plain(each.values)] for name, each in past.silent.items()}
    return {"since": past.since.isoformat(), "until": past.until.isoformat(), "silent": silent}, {"told": past.told}


def _past(told: Mapping[str, Any], *asked: Any) -> Past:
    since, until = (date.fromisoformat(told[name]) for name in ("since", "until"))
    silent = {name: Problem(what, repair, **_read(values)) for name, (what, repair, values) in told["silent"].items()}
    return Past(since, until, told["told"], silent)


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: {"day": each.isoformat()} if isinstance(each, date) else each for name, each in values.items()}


def _read(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: date.fromisoformat(each["day"]) if isinstance(each, dict) else each for name, each in values.items()}


_PAST = Kind("forecast", lambda *asked: forecast_past(*asked), _of_past, _past, __name__)
