"""The win model of a book, fitted once: kept in memory, and beside the book's version, until the book is another.

A file holds numbers and words alone, so that reading one runs nothing. Boosted trees are not in it: where they were
chosen, the choice is kept, and the trees are fitted again, always the same ones.
"""

import hashlib
import io
import json
import os
import threading
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from cadran.book import Book
from cadran.book.draft import seal_of
from cadran.book.engines import POLARS
from cadran.models import win
from cadran.models.design import Category, Design, Number
from cadran.models.hazards import Hazards, Rates
from cadran.models.hazards_logit import LogitHazards
from cadran.models.ladder import Rung
from cadran.models.landmarks import take
from cadran.models.leaks import Suspect
from cadran.models.logit import Logit

#: The folder in a book's version: whatever removes or rewrites the version takes it along.
FOLDER = "models"
#: Models kept beside a version (each moment asked for has its own), the latest ones, and in memory.
MOST, MOST_IN_MEMORY = 12, 8
_CODE = [Path(__file__).parent, Path(__file__).parents[1] / "book"]


def model(book: Book, seed: int = 0, confirmed: Collection[str] = ()) -> win.WinModel:
    """The win model of a book at its moment: fitted when it is first asked for, by one of those who ask at once.

    It learns from the whole company, whoever reads: the reader's scope is for what is shown. The forward chain that
    the choice rests on is not kept (`card.chained` is None): `cadran.models.backtest` tells of the past. Where the
    book cannot be written, nothing is kept on disk.

    Args:
        book: At its moment.
        seed: As `win.fit` takes it.
        confirmed: Facts suspected of a leak that were found to be sound.

    Raises:
        Problem: If a file of the book is damaged or gone.
    """
    asked = replace(book, reader=None, engine=POLARS)
    with _LOCK:
        place = _place(asked, seed, frozenset(confirmed))
    with place.lock:
        if place.model is None:
            place.model = _found(asked, seed, sorted(set(confirmed)))
        return place.model


@dataclass
class _Place:
    """Where a model is, or will be, in memory."""

    model: win.WinModel | None = None
    lock: Any = field(default_factory=threading.Lock)


_LOCK = threading.Lock()


@lru_cache(maxsize=MOST_IN_MEMORY)
def _place(book: Book, seed: int, confirmed: frozenset[str]) -> _Place:
    return _Place()


def _found(book: Book, seed: int, confirmed: list[str]) -> win.WinModel:
    """The model out of its file, or fitted and written."""
    path = book.version / FOLDER / f"win-{_key(book, seed, confirmed)}.npz"
    told = _read(path)
    if told is not None:
        hazards = _hazards(told) or _refitted(book, seed, told)
        return win.WinModel(told["chosen"], hazards, told["day"], _card(told))
    fitted = win.fit(book, seed, confirmed)
    fitted = replace(fitted, card=replace(fitted.card, chained=None))
    if book.seal and seal_of(book.version) == book.seal:  # else somebody was forgotten while it was fitted
        _write(path, fitted)
    return fitted


def _key(book: Book, seed: int, confirmed: list[str]) -> str:
    """What a model hangs on: the book's seal, which covers every file of it, the question, and the code."""
    asked = [book.seal, book.moment.isoformat(), book.corrected, seed, confirmed, _code()]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:32]


@cache
def _code() -> str:
    """What the code that makes facts and models is, for none to be read that another would have made otherwise."""
    told = hashlib.sha256()
    for path in sorted(path for folder in _CODE for path in folder.glob("*.py")):
        told.update(path.read_bytes())
    return told.hexdigest()


def _refitted(book: Book, seed: int, told: Mapping[str, Any]) -> Hazards:
    left_out = tuple(suspect["fact"] for suspect in told["card"]["suspects"])
    return win.Learnt(left_out, seed=seed).hazards(told["chosen"], take(book, seed), win.RESAMPLED)


def _card(told: Mapping[str, Any]) -> win.Card:
    card = told["card"]
    return win.Card(**card | {
        "rungs": tuple(Rung(**rung) for rung in card["rungs"]),
        "suspects": tuple(Suspect(**suspect) for suspect in card["suspects"]),
        "drift": pl.read_ipc(told["drift"].tobytes()),
    })  # fmt: skip


def _hazards(told: Mapping[str, Any]) -> Hazards | None:
    """What the file holds of hazards; None for trees."""
    scalars = told["hazards"]
    match told["kind"]:
        case "rates":
            return Rates(counts=told["counts"], **scalars)
        case "logit":
            parts = [_part(**part) for part in told["design"]]
            fitted = Logit(told["coefficients"], told["covariance"], told["log_likelihood"])
            return LogitHazards(Design(tuple(parts)), fitted, **scalars)
    return None


def _part(**told: Any) -> Number | Category:
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
    return Category(**values) if "values" in values else Number(**values)


def _told(fitted: win.WinModel) -> tuple[dict[str, Any], dict[str, Any]]:
    """A model as plain values, and as arrays."""
    card = {each.name: getattr(fitted.card, each.name) for each in fields(fitted.card) if each.name != "drift"}
    card |= {name: [asdict(each) for each in card[name]] for name in ("rungs", "suspects")}
    told: dict[str, Any] = {"chosen": fitted.chosen, "day": fitted.day, "card": card, "kind": "trees", "hazards": {}}
    drift = io.BytesIO()
    fitted.card.drift.write_ipc(drift)
    arrays: dict[str, Any] = {"drift": np.frombuffer(drift.getvalue(), np.uint8)}
    hazards = fitted.hazards
    if isinstance(hazards, Rates):
        told |= {"kind": "rates", "hazards": {"stages": hazards.stages, "seed": hazards.seed}}
        arrays["counts"] = hazards.counts
    elif isinstance(hazards, LogitHazards):
        plain = [each.name for each in fields(hazards) if each.name not in ("design", "fitted") and each.name[0] != "_"]
        told |= {"kind": "logit", "hazards": {name: getattr(hazards, name) for name in plain}}
        told["design"] = [asdict(part) for part in hazards.design.parts]
        told["log_likelihood"] = hazards.fitted.log_likelihood
        arrays |= {"coefficients": hazards.fitted.coefficients, "covariance": hazards.fitted.covariance}
    return told, arrays


def _write(path: Path, fitted: win.WinModel) -> None:
    """Write it whole, its checksum first, or not at all; older ones make room."""
    told, arrays = _told(fitted)
    text = json.dumps(told, default=lambda number: number.item())  # a number of numpy's
    data = io.BytesIO()
    np.savez(data, told=np.frombuffer(text.encode(), np.uint8), **arrays)
    try:
        path.parent.mkdir(exist_ok=True)
        draft = path.with_name(f".{path.stem}.{os.getpid()}")
        draft.write_bytes(hashlib.sha256(data.getbuffer()).digest() + data.getbuffer())
        draft.replace(path)
        latest = sorted(path.parent.iterdir(), key=lambda each: each.stat().st_mtime, reverse=True)
        for old in latest[MOST:]:
            old.unlink(missing_ok=True)
    except OSError:
        return  # a folder that cannot be written, or is being removed: nothing is kept


def _read(path: Path) -> dict[str, Any] | None:
    """The plain values and arrays of a file; None where there is none, or not what was written."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if hashlib.sha256(data[32:]).digest() != data[:32]:
        return None
    with np.load(io.BytesIO(data[32:]), allow_pickle=False) as held:
        arrays = dict(held)
    return json.loads(arrays.pop("told").tobytes()) | arrays
