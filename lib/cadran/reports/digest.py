"""The digest of a week: what the pages say changed since a day, and what they say to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from cadran.book import Book
from cadran.book.reader import Reader
from cadran.figures.blocks import Headlines, Lines, Notice, Sentences
from cadran.figures.figure import Figure
from cadran.figures.table import Table
from cadran.reports.gathered import WAVES, Part, Report, axes_of, gather, last_wave
from cadran.reports.pictures import Pictures
from cadran.reports.shown import Shown
from cadran.tables.problems import Problem
from cadran.text import Words

#: Days from which the pages compare with a month before, where they can with a week or a month alone.
A_MONTH = 15
#: Rows of what moved, and of what to do.
MOVED, TO_DO = 5, 10
#: Of a table of a page, the columns that a mail has room for.
COLUMNS = {
    "actions": ("opportunity_id", "task", "client", "amount", "probability", "due_date", "seller", "reason"),
    "moved": ("opportunity_id", "change", "change_low", "change_high", "probability", "client", "amount", "moved_with"),
}
#: Of the frame behind a figure likewise.
OF_FIGURE = {
    "bridge": ("label", "n_deals", "amount"),
    "changed": ("label", "n_deals", "bookings"),
    "hire_by": ("region", "hire_by", "start_month", "n_hires"),
}
#: Figures whose subtitle says what their marks mean, which a table has not.
MARKED = ("hire_by",)


@dataclass(frozen=True)
class Piece:
    """One thing that is told, with the axis it is from, and of how many rows at most."""

    axis: str
    shown: Shown
    most: int = MOVED


@dataclass(frozen=True)
class Digest:
    """What is sent."""

    report: Report
    since: date
    changed: Sequence[Piece]
    to_do: Sequence[Piece]

    @property
    def title(self) -> str:
        """What it is about."""
        words = self.report.words
        return words("{name}, {since} to {until}", name=self.report.facts.name, since=words.date(self.since),
                     until=words.date(self.report.day))  # fmt: skip


def digest(
    book: Book,
    words: Words,
    reader: Reader | None,
    day: date | None,
    since: date | None,
    made: datetime,
    **settings: Any,
) -> Digest:
    """Run the pages that are for the reader as a report does, and take what changed and what to do.

    Args:
        book: As for `gather`, like `words`, `reader`, `made` and what else it takes.
        day: What was known at the end of it; the last one of the data by default.
        since: The day before the first that counts; a week before by default. The pages compare chances and forecasts
            with a week or a month before alone: they are asked for the nearer, and say from which day they count.

    Raises:
        Problem: As `gather`; or if the days are not in order.
    """
    until = day or book.day
    since = since or until - timedelta(days=7)
    if since >= until:
        raise Problem(
            "Nothing lies between {since} and {until}.", "Give an earlier day with --since.", since=since, until=until
        )
    window = "30" if (until - since).days >= A_MONTH else "7"
    first = since + timedelta(days=1)
    queries = {
        "opportunities": {"period": "custom", "from": first.isoformat(), "until": until.isoformat()},
        "process": {"since": window},
        "resources": {"since": window},
    }
    with Pictures() as pictures:
        report = gather(book, axes_of(reader), words, reader, day, made, pictures, False, queries, **settings)
    parts = {part.name: part for part in report.parts}
    seen = book.scope(reader) if reader else book
    is_new_wave = last_wave(seen, until) != last_wave(seen, since)
    return Digest(report, since, _changed(parts, words, since, is_new_wave), _to_do(parts))


def _changed(parts: Mapping[str, Part], words: Words, since: date, is_new_wave: bool) -> list[Piece]:
    told = [
        *_taken(parts.get("opportunities"), "sentences", "headlines", "bridge"),
        *_taken(parts.get("resources"), "changed"),
        *_taken(parts.get("process"), "moved"),
    ]
    if WAVES not in parts:
        return told
    if is_new_wave:
        return [*told, *_taken(parts[WAVES], "sentences", "headlines")]
    none = words("No wave of a survey has closed since {day}.", day=words.date(since))
    return [*told, Piece(parts[WAVES].title, Notice(none, kind="empty"))]


def _to_do(parts: Mapping[str, Part]) -> list[Piece]:
    return [
        *_taken(parts.get("process"), "actions", most=TO_DO),
        *_taken(parts.get("resources"), "hire_by"),
        *_taken(parts.get(WAVES), "promised"),
    ]


def _taken(part: Part | None, *slots: str, most: int = MOVED) -> list[Piece]:
    """What stands in these places of a page, as a mail has room for it; nothing of a page that is not the reader's."""
    if part is None:
        return []
    found = [(slot, part.blocks.get(slot)) for slot in slots]
    told = [Piece(part.title, _narrow(slot, block), most) for slot, block in found if isinstance(block, _TOLD)]
    return told or [Piece(part.title, each) for row in part.rows[:1] for each in row if isinstance(each, Notice)]


_TOLD = (Sentences, Headlines, Notice, Lines, Table, Figure)


def _narrow(slot: str, block: Any) -> Any:
    if isinstance(block, Table) and slot in COLUMNS:
        return replace(block, columns=tuple(name for name in COLUMNS[slot] if name in block.shown))
    if isinstance(block, Figure) and slot in OF_FIGURE:
        kept = [name for name in OF_FIGURE[slot] if name in block.frame.columns]
        subtitle = "" if slot in MARKED else block.subtitle
        return replace(block, subtitle=subtitle, frames={**block.frames, "rows": block.frame.select(kept)})
    return block
