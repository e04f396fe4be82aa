"""What was promised after a wave: what will be done, who does it until when, when the team was told and when it was done."""

import re
from datetime import UTC, date, datetime
from pathlib import Path

import dataframely as dy
import polars as pl

from cadran.book.book import Book
from cadran.book.lines import Row, added, lines, rewritten
from cadran.book.persons import unsaid
from cadran.book.pulse import pulse_of
from cadran.tables.problems import Problem
from cadran.tables.pulse import COMPANY

#: A line for each promise, and one for each time that something of it was noted.
FILE = "promised.jsonl"
#: Letters of what is promised, at most.
MOST_LETTERS = 500


class Promise(dy.Schema):
    """Something that was promised to a group of people who had answered."""

    promise_id = dy.String(primary_key=True, description="p1, p2, … in the order in which they were noted")
    survey = dy.String(nullable=False, description="The survey that it answers to")
    about = dy.String(nullable=False, description="The question, or the dimension, that it is to move")
    cut = dy.String(nullable=False, description="To whom: company, region, team, …")
    parent = dy.String(nullable=True, description="Of a team: the group of regions it stands in")
    group = dy.String(nullable=True, description="The group as it is released; null: the company")
    action = dy.String(nullable=False, description="What will be done")
    owner = dy.String(nullable=False, description="Who sees to it")
    promised_on = dy.Date(nullable=False, description="The day it was promised")
    due = dy.Date(nullable=False, description="The day until which it is to be done")
    told_on = dy.Date(nullable=True, description="The day the people concerned were told; null: not yet")
    done_on = dy.Date(nullable=True, description="The day it was done; null: not yet")


def promise(
    book: Book, survey: str, about: str, action: str, owner: str, due: date, at: datetime,
    group: tuple[str, str | None, str | None] = (COMPANY, None, None),
) -> str:  # fmt: skip
    """Note what was promised, and give it its name.

    Args:
        book: Beside which it is kept.
        survey: The survey it answers to.
        about: The question or dimension it is to move.
        action: What will be done.
        owner: Who sees to it.
        due: Until when.
        at: When it is noted: the day it was promised.
        group: Cut, parent and group as released.

    Raises:
        Problem: If it says not what or who, or is due before it is promised.
    """
    today = at.date()
    if not action.strip() or len(action) > MOST_LETTERS:
        raise Problem("What will be done is said in {n} letters.", "Say it in 1 to {most}.", n=len(action.strip()),
                      most=MOST_LETTERS)  # fmt: skip
    if not owner.strip():
        raise Problem("Nobody sees to it.", "Name who does: a promise without an owner is nobody's.")
    if due < today:
        raise Problem("It would be due on {due:%Y-%m-%d}, a day gone by.", "Name today or a later day.", due=due)
    cut, parent, name = group

    def numbered(there: list[Row]) -> list[Row]:
        number = 1 + sum(row["event"] == "promised" for row in there)
        return [{
            "event": "promised", "promise_id": f"p{number}", "survey": survey, "about": about, "cut": cut, "parent": parent,
            "group": name, "action": action.strip(), "owner": owner.strip(), "promised_on": today.isoformat(),
            "due": due.isoformat(), "noted_at": _instant(at),
        }]  # fmt: skip

    return str(added(_file(book), numbered)[0]["promise_id"])


def told(book: Book, promise_id: str, on: date, at: datetime) -> None:
    """Note that the people concerned were told what was promised.

    Raises:
        Problem: If there is no such promise, or the day lies before it or in the future.
    """
    _note(book, promise_id, "told_on", on, at)


def done(book: Book, promise_id: str, on: date, at: datetime) -> None:
    """Note that it was done.

    Raises:
        Problem: If there is no such promise, or the day lies before it or in the future.
    """
    _note(book, promise_id, "done_on", on, at)


def promises(book: Book) -> pl.DataFrame:
    """What was promised as far as the book's moment knows: `Promise`, in the order in which it was noted."""
    until = pulse_of(book).until
    rows: dict[str, Row] = {}
    for row in lines(_file(book)):
        if until is not None and datetime.fromisoformat(row["noted_at"]) > until:
            continue
        known = {name: value for name, value in row.items() if name in Promise.column_names()}
        rows[row["promise_id"]] = rows.get(row["promise_id"], {}) | known
    types = dict(Promise.create_empty().schema)
    text = {name: pl.String if each == pl.Date else each for name, each in types.items()}
    frame = pl.DataFrame(list(rows.values()), schema=text, orient="row")
    return Promise.validate(frame.with_columns(pl.col(n).str.to_date() for n, each in types.items() if each == pl.Date))


def forgotten(folder: Path, identifier: str, pseudonym: str) -> int:
    """Put a pseudonym in the place of who sees to something, also where it says so in words; gives how many lines named
    them."""
    is_word = re.search(r"[^\W\d_]{2}", identifier)  # "in 7 days" is not about somebody called 7

    def changed(row: Row) -> Row:
        said = {"owner": pseudonym} if row.get("owner") == identifier else {}
        if is_word and "action" in row:
            said["action"] = unsaid(row["action"], {identifier: pseudonym})
        return {**row, **said}

    return rewritten(folder / "pulse" / FILE, changed)


def _note(book: Book, promise_id: str, what: str, on: date, at: datetime) -> None:
    def noted(there: list[Row]) -> list[Row]:
        begun = {
            row["promise_id"]: date.fromisoformat(row["promised_on"]) for row in there if row["event"] == "promised"
        }
        if promise_id not in begun:
            raise Problem("Nothing was promised as {name}.", "There are: {names}.", name=promise_id,
                          names=", ".join(begun) or "-")  # fmt: skip
        if not begun[promise_id] <= on <= at.date():
            raise Problem(
                "{on:%Y-%m-%d} does not lie between the day of the promise, {begun:%Y-%m-%d}, and today.", "Correct the day.",
                on=on, begun=begun[promise_id],
            )  # fmt: skip
        return [{"event": "noted", "promise_id": promise_id, what: on.isoformat(), "noted_at": _instant(at)}]

    added(_file(book), noted)


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _file(book: Book) -> Path:
    return pulse_of(book).folder / FILE
