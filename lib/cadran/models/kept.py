"""The win model of a book and its backtest: worked out once, kept in memory and beside the book's version.

A file holds numbers and words alone, so that reading one runs nothing. Boosted trees are not in it: where they were
chosen, the choice is kept, and the trees are fitted again, always the same ones.
"""

import hashlib
import io
import json
import os
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from cadran.book import Book
from cadran.book.draft import seal_of
from cadran.book.engines import POLARS
from cadran.book.whole import whole_of
from cadran.models import backtest, win
from cadran.models.design import Category, Design, Number
from cadran.models.hazards import Hazards, Rates
from cadran.models.hazards_logit import LogitHazards
from cadran.models.ladder import Rung
from cadran.models.landmarks import take
from cadran.models.leaks import Suspect
from cadran.models.logit import Logit
from cadran.models.made_by import made_by

#: The folder in a book's version: whatever removes or rewrites the version takes it along.
FOLDER = "models"
#: Files kept beside a version (each moment asked for has its own), the latest ones, and what is kept in memory.
MOST, MOST_IN_MEMORY = 24, 16


def model(book: Book, seed: int = 0, confirmed: Collection[str] = ()) -> win.WinModel:
    """The win model of a book at its moment: fitted when it is first asked for, by one of those who ask at once.

    It learns from the whole company, whoever reads: the reader's scope is for what is shown. The forward chain that
    the choice rests on is not kept (`card.chained` is None): the backtest tells of the past. Where the book cannot be
    written, nothing is kept on disk.

    Args:
        book: At its moment.
        seed: As `win.fit` takes it.
        confirmed: Facts suspected of a leak that were found to be sound.

    Raises:
        Problem: If a file of the book is damaged or gone.
    """
    return once(_MODEL, book, seed, tuple(sorted(set(confirmed))))


def past(
    book: Book, since: date | None = None, until: date | None = None, seed: int = 0, confirmed: Collection[str] = ()
) -> backtest.Backtest:
    """What `cadran.models.backtest.backtest` tells, kept in the same way."""
    return once(_PAST, book, since, until, seed, tuple(sorted(set(confirmed)))).seen_by(book.reader)


#: Plain values, and arrays or frames.
Told = tuple[dict[str, Any], dict[str, np.ndarray | pl.DataFrame]]


@dataclass(frozen=True)
class Kind:
    """Something that is kept, and read again while no code that makes it has changed."""

    #: What its files' names begin with.
    name: str
    #: Of a book and a question.
    made: Callable[..., Any]
    told: Callable[[Any], Told]
    #: Out of what a file tells, of a book and a question.
    found: Callable[..., Any]
    #: The module that it is made by, with all that it imports.
    code: str = __name__


@dataclass
class _Place:
    """Where it is, or will be, in memory."""

    held: Any = None
    lock: Any = field(default_factory=threading.Lock)


_LOCK = threading.Lock()


@lru_cache(maxsize=MOST_IN_MEMORY)
def _place(kind: Kind, book: Book, question: tuple[Any, ...]) -> _Place:
    return _Place()


def once(kind: Kind, book: Book, *question: Any) -> Any:
    """What is kept of a book for a question: made by one of those who ask at once."""
    asked = replace(whole_of(book, __name__), engine=POLARS, rates_persons=False)
    with _LOCK:
        place = _place(kind, asked, question)
    with place.lock:
        if place.held is None:
            place.held = _found(kind, asked, question)
        return place.held


def _found(kind: Kind, book: Book, question: tuple[Any, ...]) -> Any:
    """What is kept, out of its file, or made and written."""
    path = book.version / FOLDER / f"{kind.name}-{_key(kind, book, question)}.npz"
    told = _read(path)
    if told is not None:
        return kind.found(told, book, *question)
    made = kind.made(book, *question)
    if book.seal and seal_of(book.version) == book.seal:  # else somebody was forgotten while it was made
        _write(path, *kind.told(made))
    return made


def _key(kind: Kind, book: Book, question: tuple[Any, ...]) -> str:
    """What it hangs on: the book's seal, which covers every file of it, the question, and the code."""
    asked = [book.seal, book.moment.isoformat(), book.corrected, *question, made_by(kind.code)]
    return hashlib.sha256(json.dumps(asked, default=str).encode()).hexdigest()[:32]


def _fitted(book: Book, seed: int, confirmed: tuple[str, ...]) -> win.WinModel:
    fitted = win.fit(book, seed, confirmed)
    return replace(fitted, card=replace(fitted.card, chained=None))


def _model(told: Mapping[str, Any], book: Book, seed: int, confirmed: tuple[str, ...]) -> win.WinModel:
    return win.WinModel(told["chosen"], _hazards(told) or _refitted(book, seed, told), told["day"], _card(told))


def _refitted(book: Book, seed: int, told: Mapping[str, Any]) -> Hazards:
    left_out = tuple(suspect["fact"] for suspect in told["card"]["suspects"])
    return win.Learnt(left_out, seed=seed).hazards(told["chosen"], take(book, seed), win.RESAMPLED)


def _card(told: Mapping[str, Any]) -> win.Card:
    card = told["card"]
    return win.Card(**card | {
        "rungs": tuple(Rung(**rung) for rung in card["rungs"]),
        "suspects": tuple(Suspect(**suspect) for suspect in card["suspects"]),
        "drift": told["drift"],
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


def _of_model(fitted: win.WinModel) -> Told:
    card = {each.name: getattr(fitted.card, each.name) for each in fields(fitted.card) if each.name != "drift"}
    card |= {name: [asdict(each) for each in card[name]] for name in ("rungs", "suspects")}
    told: dict[str, Any] = {"chosen": fitted.chosen, "day": fitted.day, "card": card, "kind": "trees", "hazards": {}}
    arrays: dict[str, np.ndarray | pl.DataFrame] = {"drift": fitted.card.drift}
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


_FRAMES = ("scores", "reliability", "skill")


def _of_past(told: backtest.Backtest) -> Told:
    plain = {"since": told.since.isoformat(), "until": told.until.isoformat(), "chosen": told.chosen}
    suspects = [asdict(suspect) for suspect in told.suspects]
    return {**plain, "suspects": suspects}, {name: getattr(told, name) for name in _FRAMES}


def _past(told: Mapping[str, Any], *asked: Any) -> backtest.Backtest:
    since, until = (date.fromisoformat(told[name]) for name in ("since", "until"))
    suspects = tuple(Suspect(**suspect) for suspect in told["suspects"])
    frames: dict[str, Any] = {name: told[name] for name in _FRAMES}
    return backtest.Backtest(since, until, told["chosen"], suspects=suspects, **frames)


_MODEL = Kind("win", _fitted, _of_model, _model)
_PAST = Kind("backtest", lambda *asked: backtest.backtest(*asked), _of_past, _past)
#: What the name of a frame begins with in a file.
_FRAME = "frame of "


def _write(path: Path, told: Mapping[str, Any], arrays: Mapping[str, np.ndarray | pl.DataFrame]) -> None:
    """Write it whole, its checksum first, or not at all; older ones make room."""
    text = json.dumps(told, default=lambda number: number.item())  # a number of numpy's
    held: dict[str, Any] = {"told": np.frombuffer(text.encode(), np.uint8)}
    for name, each in arrays.items():
        held |= {_FRAME + name: _bytes(each)} if isinstance(each, pl.DataFrame) else {name: each}
    data = io.BytesIO()
    np.savez(data, **held)
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


def _bytes(frame: pl.DataFrame) -> np.ndarray:
    data = io.BytesIO()
    frame.write_ipc(data)
    return np.frombuffer(data.getvalue(), np.uint8)


def _read(path: Path) -> dict[str, Any] | None:
    """The plain values, arrays and frames of a file; None where there is none, or not what was written."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if hashlib.sha256(data[32:]).digest() != data[:32]:
        return None
    with np.load(io.BytesIO(data[32:]), allow_pickle=False) as held:
        arrays = dict(held)
    told = json.loads(arrays.pop("told").tobytes())
    frames = {name: arrays.pop(name) for name in [*arrays] if name.startswith(_FRAME)}
    return told | arrays | {name.removeprefix(_FRAME): pl.read_ipc(each.tobytes()) for name, each in frames.items()}
