"""Whether named persons may be rated: closed until what the law asks for is on record, and again once that has run out.

Rates, observed against expected, ramp, pay and forecasts of one person need it; how much somebody has to do does not.
"""

import json
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cadran.book.folder import alone
from cadran.book.reader import SELLER
from cadran.tables.problems import Problem

if TYPE_CHECKING:
    from cadran.book.book import Book

#: Every activation and every end of one, a line each: the last line holds.
RECORD = "individual.jsonl"
#: Years an activation may last before it is looked at again, and months that what it shows may be kept.
MOST_YEARS, MOST_MONTHS = 3, 60


@dataclass(frozen=True)
class Activation:
    """What is on record for persons to be rated."""

    #: What it is for, in words that staff would recognise.
    purpose: str
    #: Article 6 of the GDPR: legitimate interest, contract, …
    legal_basis: str
    #: Where the impact assessment is kept.
    impact_assessment: str
    #: The day the works council was consulted, or why none has to be.
    works_council: date | str
    #: The day staff were told.
    notice_date: date
    #: Months for which what is shown of a person may be kept.
    retention_months: int
    #: The last day.
    until: date

    def missing(self, on: date) -> list[Problem]:
        """What keeps it from being recorded on a day, fault by fault."""
        texts: tuple[str, ...] = ("purpose", "legal_basis", "impact_assessment")
        if isinstance(self.works_council, str):
            texts += ("works_council",)
        told = [
            Problem("{field} is empty.", "Say it: it is what anybody may ask to see.", field=name)
            for name in texts if not str(getattr(self, name)).strip()
        ]  # fmt: skip
        if isinstance(self.works_council, date) and self.works_council > on:
            told.append(Problem("The works council will only be consulted on {day:%Y-%m-%d}.",
                                "Activate after that day.", day=self.works_council))  # fmt: skip
        if self.notice_date > on:
            told.append(Problem("Staff will only be told on {day:%Y-%m-%d}.", "Activate from that day on.",
                                day=self.notice_date))  # fmt: skip
        if not on < self.until <= on.replace(year=on.year + MOST_YEARS, day=min(on.day, 28)):
            told.append(Problem("It would end on {day:%Y-%m-%d}.", "Name a last day within {n} years.",
                                day=self.until, n=MOST_YEARS))  # fmt: skip
        if not 1 <= self.retention_months <= MOST_MONTHS:
            told.append(Problem("What is shown would be kept for {months} months.", "Name 1 to {n} months.",
                                months=self.retention_months, n=MOST_MONTHS))  # fmt: skip
        return told


def activate(folder: Path, activation: Activation, at: datetime) -> None:
    """Open the ratings of named persons in a book.

    Raises:
        Problem: If something is missing, or the folder cannot be written.
    """
    if faults := activation.missing(at.date()):
        raise faults[0]
    _write(folder, at, **asdict(activation))


def end(folder: Path, at: datetime) -> None:
    """Close them again.

    Raises:
        Problem: If the folder cannot be written.
    """
    _write(folder, at)


def activation_of(folder: Path, on: date) -> Activation | None:
    """The activation that holds on a day; None where there is none, or it has ended.

    Raises:
        Problem: If the record is damaged.
    """
    record = folder / RECORD
    if not record.exists():
        return None
    try:
        told = json.loads(record.read_text("utf-8").splitlines()[-1])
        if "until" not in told:
            return None
        days = {name: date.fromisoformat(told[name]) for name in ("notice_date", "until")}
        council = date.fromisoformat(told["works_council"]) if told.pop("is_consulted") else told["works_council"]
        told.pop("at")
        found = Activation(**told | days | {"works_council": council})
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise Problem(
            "{file} cannot be read: {reason}", "Activate anew, or put the file back from a backup.",
            file=record, reason=str(error),
        ) from error  # fmt: skip
    return found if found.notice_date <= on <= found.until else None


def is_active(book: "Book", what: str = "ratings") -> bool:
    """Whether this book, as it was opened, rates named persons to its reader, or with "pay" tells what one is paid."""
    return book.rates_persons and (book.reader is None or book.reader.may(what))


def check_active(book: "Book", what: str = "ratings") -> None:
    """Raises Problem: If this book, as it was opened, does not rate named persons to its reader, or tell what one is paid."""
    if not book.rates_persons:
        raise Problem(
            "Rates of a named person are closed in this book; teams are the finest group.",
            "Ask by team. `cadran activate individual` opens them, once what the law asks for is on record.",
        )
    if not is_active(book, what):
        raise Problem(
            "How well one person does, or what they are paid, is not told to your role.",
            "Ask by team, or ask who may be told.",
        )


def is_one_persons(book: "Book") -> bool:
    """Whether all that this book's reader sees is one person's own: whatever rates it rates that person."""
    return book.reader is not None and book.reader.role == SELLER


def check_deals(book: "Book") -> None:
    """Raises Problem: If this book's reader is told of no deals: none would be counted as nought."""
    if book.reader is not None and not book.reader.may("deals"):
        raise Problem("Deals are not told to your role.", "Ask whoever leads the region.")


def check_load(book: "Book") -> None:
    """Raises Problem: If this book's reader is not told how much one person has to do."""
    if book.reader is not None and not book.reader.may("load"):
        raise Problem("How much one person has to do is told to that person and to whoever leads them.", "Ask by team.")


def _write(folder: Path, at: datetime, **told: object) -> None:
    if told:
        told["is_consulted"] = isinstance(told["works_council"], date)
    with alone(folder), (folder / RECORD).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"at": at, **told}, default=str, ensure_ascii=False) + "\n")
