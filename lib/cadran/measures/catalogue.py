"""Every measure by name: what it means, what it needs, and how to ask a book for it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from inspect import signature
from typing import Any, Literal

import dataframely as dy
import narwhals as nw
import polars as pl

from cadran.book import DEAL_COLUMNS, Book
from cadran.book.book import Organisation
from cadran.book.individual import check_active, check_deals, check_load, is_one_persons
from cadran.book.removed import check_kept, start_of
from cadran.measures.values import check_known, read_value
from cadran.tables.problems import Problem

#: Which deals a period keeps. "closed": those closed in it. "created": those created in it.
#: "standing": those open at its end, and those closed in it. "all": the period plays no part.
Window = Literal["closed", "created", "standing", "all"]


#: The columns that name a seller.
PERSONS = ("rep_id", "seller")
#: Greatest whole number of an option: of days, months, clients or draws, more is a slip of the finger.
MOST = 10_000


@dataclass(frozen=True)
class Question:
    """What is asked of a measure: which deals, over which days, in which groups.

    `where` maps a deal column to the values kept (None stands for unknown). Days are inclusive, in the book's
    time zone; None leaves that side open.
    """

    by: tuple[str, ...] = ()
    where: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    since: date | None = None
    until: date | None = None
    organisation: Organisation = "as_was"
    #: What one measure alone understands, such as the age of a cohort.
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """The deal columns that the groups and the filter need."""
        return (*self.by, *self.where)

    @property
    def kept(self) -> nw.Expr:
        """Whether `where` keeps a deal."""
        kept = nw.lit(True)
        for column, values in self.where.items():
            told = nw.col(column).is_in([value for value in values if value is not None]).fill_null(False)
            kept = kept & (told | nw.col(column).is_null() if None in values else told)
        return kept

    def keeps(self, deals: nw.LazyFrame) -> nw.LazyFrame:
        """The deals that `where` keeps."""
        return deals.filter(self.kept) if self.where else deals

    @property
    def names_a_person(self) -> bool:
        """Whether its groups, or its filter, single out sellers; whose deals have none is no person."""
        return any(name in self.by or {*self.where.get(name, ())} - {None} for name in PERSONS)

    def days(self, column: str) -> nw.Expr:
        """Whether a date column lies in the period; false where it is null."""
        kept = ~nw.col(column).is_null()
        if self.since:
            kept = kept & (nw.col(column) >= self.since)
        if self.until:
            kept = kept & (nw.col(column) <= self.until)
        return kept.fill_null(False)

    def chosen(self, **defaults: Any) -> dict[str, Any]:
        """The options, with the defaults of those not given. A default that is a type stands for None, of that type.

        Raises:
            Problem: If an option is none of `defaults`, not of the kind of its default, or a number under 1 or over `MOST`
                (only under 0 for one that is 0 by default, as a seed).
        """
        given = {}
        for name, value in self.options.items():
            if name not in defaults:
                raise Problem(
                    "This measure has no option {name}.", "Its options are: {names}.",
                    name=name, names=", ".join(defaults) or "–",
                )  # fmt: skip
            kind = defaults[name] if isinstance(defaults[name], type) else type(defaults[name])
            given[name] = str(value) if kind is str else value
            if not isinstance(given[name], kind):
                raise Problem(
                    "{value} is no value of the option {name}.", "Write it as {example}.",
                    value=value, name=name, example=_EXAMPLES[kind],
                )  # fmt: skip
            least = min(defaults[name], 1) if kind is int else None
            if least is not None and not least <= value <= (MOST if least else value):
                raise Problem(
                    "{value} is no value of the option {name}.",
                    "Give {least} or more." if value < least else "Give {most} or less.",
                    value=value, name=name, least=least, most=MOST,
                )  # fmt: skip
        return {name: None if isinstance(value, type) else value for name, value in defaults.items()} | given

    def chosen_for(self, function: Callable[..., Any]) -> dict[str, Any]:
        """The options as a function takes them: its keywords, with the defaults its signature states."""
        parameters = signature(function).parameters.values()
        return self.chosen(**{each.name: each.default for each in parameters if each.kind is each.KEYWORD_ONLY})


_EXAMPLES = {date: "2026-06-30", int: "6"}


@dataclass(frozen=True)
class Subject:
    """What a measure counts: its columns, one row per thing as known to a book, and what to say of any other column."""

    columns: tuple[str, ...]
    rows: Callable[[Book, Iterable[str], Organisation], nw.LazyFrame]
    no_column: str
    #: What of it a book lacks, as "waves (closed) 0/1", where it has none: for what stands beside the tables of a book.
    lacks: Callable[[Book], str] | None = None


DEALS = Subject(DEAL_COLUMNS, Book.deals, "Deals have no column {column}.")


@dataclass(frozen=True)
class Need:
    """A field a measure cannot do without, among the deals of some statuses."""

    column: str
    among: tuple[str, ...] = ("open", "won", "lost")
    #: Filled share under which the measure is refused rather than given on what is left.
    least_share: float = 0.0
    #: Whether 0, or false, stands for an unknown value: sources that zero the amount of lost deals.
    zero_is_unknown: bool = False
    #: Whether one row that has it is enough, and none is too few: a word that no row says is another word there.
    once_is_enough: bool = False
    #: Another table than the deals, which must have the column filled in at least one row.
    table: str | None = None
    #: Which rows of that table can tell it, by the book; all of them by default.
    told_by: Callable[[Book], nw.Expr] | None = None
    #: What to do where no row of that table has it, and what that is in words; the measure's own repair otherwise.
    repair: str = ""

    def is_filled(self) -> nw.Expr:
        """Whether a row has the field."""
        value = nw.col(self.column)
        return (value.cast(nw.Float64) > 0).fill_null(False) if self.zero_is_unknown else ~value.is_null()


#: What repairs most books that lack what a measure needs.
MAP_IT = "Map the field that is missing, and import again; `cadran status` lists what can be had."


@dataclass(frozen=True)
class Rival:
    """Another definition in use in the field, and the number it gives here."""

    name: str
    says: str
    value: Callable[[Book, Question], float | None]


@dataclass(frozen=True)
class Measure:
    """One measure: its definition and how a book answers it. Sentences are English; their French is in `text`."""

    name: str
    title: str
    definition: str
    unit: str
    source: str
    needs: tuple[Need, ...]
    returns: type[dy.Schema]
    answer: Callable[[Book, Question], nw.LazyFrame]
    function: Callable[..., nw.LazyFrame]
    rivals: tuple[Rival, ...] = ()
    subject: Subject = DEALS
    #: What to do when the book lacks too much of what the measure needs.
    repair: str = MAP_IT
    #: Whether it may be told of a named seller at any time: how much there is, and to do, never how well it is done.
    of_persons: bool = False

    def ask(self, book: Book, question: Question) -> pl.DataFrame:
        """The measured frame: one row per group, the columns of `by` first, each once, then those of `returns`.

        Raises:
            Problem: If a column of `by` or `where` is none of the subject's, a value cannot be read as its type, it
                tells of one seller what is closed in this book or to its reader, the period begins before what a purge kept, or
                the book lacks too much of what the measure needs.
        """
        if "" in question.by:
            raise Problem("A column to group on has no name.", "Name one or more, as region,team, or none at all.")
        for column in question.columns:
            if column not in self.subject.columns:
                raise Problem(
                    self.subject.no_column, "The columns are: {names}.",
                    column=column, names=", ".join(self.subject.columns),
                )  # fmt: skip
        if {*PERSONS} & {*self.subject.columns}:
            check_deals(book)
            if question.names_a_person or is_one_persons(book):
                check_load(book) if self.of_persons else check_active(book)
        if question.since:
            check_kept(book.manifest, start_of(question.since, book.settings.time_zone))
        self.refuse_if_impossible(book)
        by, where = tuple(dict.fromkeys(question.by)), self._typed(book, question)
        told = book.collect(self.answer(book, replace(question, by=by, where=where)))
        self.note(book, question, told)
        return told

    def note(self, book: Book, question: Question, told: pl.DataFrame) -> None:
        """Note that the book's reader is shown what is told of sellers, if the question names any."""
        if book.viewed and question.names_a_person and {*PERSONS} & {*self.subject.columns}:
            persons = [each for name in PERSONS if name in question.by for each in told[name].unique()]
            persons += [each for name in PERSONS for each in question.where.get(name, ())]
            book.note("load" if self.of_persons else "rating", persons)

    def refuse_if_impossible(self, book: Book) -> None:
        """Raise a Problem that names what is missing, if the book lacks too much of what the measure needs."""
        counted = _filled(book, set(self.needs))
        for need in self.needs:
            if need.repair and need.table and not counted[need, need.table][0]:
                raise Problem("{title} cannot be had on this book.", need.repair, title=self.title, missing="")
        if self.subject.lacks or any(need.least_share > 0 or need.once_is_enough for need in self.needs):
            told = availability(book, [self])
            if told["available"][0] == "impossible":
                raise Problem(
                    "{title} cannot be had on this book: {missing} filled.",
                    self.repair, title=self.title, missing=told["missing"][0],
                )  # fmt: skip

    def check(self, book: Book, question: Question) -> None:
        """Hold the texts of the filter to those the book knows. For what a person types: a selection that is kept,
        as in the address of a page, may outlive its values.

        Raises:
            Problem: If a text is nowhere in its column: mistyped, it would answer 0.
        """
        asked = [column for column in question.where if column in self.subject.columns]
        if not asked:
            return
        rows = self.subject.rows(book, asked, question.organisation)
        schema = rows.collect_schema()
        for column in asked:
            values = question.where[column]
            if schema[column] == nw.String:
                check_known(rows, column, values, book)

    def _typed(self, book: Book, question: Question) -> dict[str, tuple[Any, ...]]:
        """The values of the filter, read as the type of their column."""
        if not question.where:
            return {}
        schema = self.subject.rows(book, question.where, question.organisation).collect_schema()
        columns, zone = self.subject.columns, book.settings.time_zone
        return {
            name: tuple(read_value(value, schema[name], name, columns, zone) for value in values)
            for name, values in question.where.items()
        }


MEASURES: dict[str, Measure] = {}


def measure(
    *,
    title: str,
    definition: str,
    unit: str,
    source: str,
    returns: type[dy.Schema],
    needs: tuple[Need, ...] = (),
    window: Window | None = None,
    answer: Callable[[Book, Question], nw.LazyFrame] | None = None,
    rivals: tuple[Rival, ...] = (),
    subject: Subject = DEALS,
    repair: str = MAP_IT,
    of_persons: bool = False,
) -> Callable[[Callable[..., nw.LazyFrame]], Callable[..., nw.LazyFrame]]:
    """Register a measure under its function's name.

    A measure over deals, `f(deals, by, **options)`, states the `window` through which a period chooses deals;
    any other states how to `answer` a question from a book.
    """

    def register(function: Callable[..., nw.LazyFrame]) -> Callable[..., nw.LazyFrame]:
        name = function.__name__

        def over_deals(book: Book, question: Question) -> nw.LazyFrame:
            assert window is not None
            deals = deals_for(book, question, window, *(need.column for need in needs if need.table is None))
            return function(deals, by=question.by, **question.chosen_for(function))

        MEASURES[name] = Measure(
            name,
            title,
            definition,
            unit,
            source,
            needs,
            returns,
            answer or over_deals,
            function,
            rivals,
            subject,
            repair,
            of_persons,
        )
        return function

    return register


def deals_for(book: Book, question: Question, window: Window, *columns: str) -> nw.LazyFrame:
    """The deals a question is about: `columns`, those of the question and those of the window."""
    dates = {"closed": ["closed_date"], "created": ["created_date"], "standing": ["closed_date"], "all": []}[window]
    dates = dates if question.since or question.until else []
    deals = question.keeps(
        book.deals(["opportunity_id", "status", *columns, *question.columns, *dates], question.organisation)
    )
    if not dates:
        return deals
    is_in = question.days(dates[0])
    return deals.filter((nw.col("status") == "open") | is_in if window == "standing" else is_in)


def availability(book: Book, measures: Iterable[Measure] | None = None) -> pl.DataFrame:
    """How far each measure can be had on this book.

    Returns:
        One row per measure: `measure`, `available` ("available", "partial" or "impossible") and `missing`: the
        fields that are (partly) missing, with rows filled of rows in all, as "amount (lost) 0/2473".
    """
    asked = list(MEASURES.values() if measures is None else measures)
    counted = _filled(book, {need for each in asked for need in each.needs})
    rows = []
    for each in asked:
        lacked = each.subject.lacks(book) if each.subject.lacks else ""
        state, missing = ("impossible", [lacked]) if lacked else ("available", [])
        for need in each.needs:
            ofs = need.among if need.table is None else (need.table,)
            found = {of: counted[need, of] for of in ofs if (need, of) in counted}
            n, total = (sum(counts) for counts in zip(*found.values(), strict=True)) if found else (1, 1)
            least, enough = (1, 1) if need.once_is_enough else (need.least_share * total, total)
            if n < enough:
                missing += [f"{need.column} ({of}) {n}/{total}" for of, (n, total) in found.items() if n < total]
            if n < least:
                state = "impossible"
            elif n < enough and state == "available":
                state = "partial"
        rows.append((each.name, state, ", ".join(missing)))
    return pl.DataFrame(rows, schema=["measure", "available", "missing"], orient="row")


def _filled(book: Book, needs: set[Need]) -> dict[tuple[Need, str], tuple[int, int]]:
    """Rows that have the field, and rows in all, by need and status; for another table, whether any row has it.
    Counted once per view of a book."""
    known, counted = _known(book, str(book.manifest["rows"]))
    if missing := needs - known:
        counted |= _count_filled(book, missing)
        known |= missing
    return counted


@lru_cache(maxsize=100)
def _known(book: Book, rows: str) -> tuple[set[Need], dict[tuple[Need, str], tuple[int, int]]]:
    """The needs that were counted in a view of a book, and the counts. A purge leaves other numbers of rows."""
    return set(), {}


def _count_filled(book: Book, needs: set[Need]) -> dict[tuple[Need, str], tuple[int, int]]:
    of_deals = [need for need in needs if need.table is None]
    names = [f"need_{number}" for number in range(len(of_deals))]
    flags = [need.is_filled().cast(nw.Int64).sum().alias(name) for need, name in zip(of_deals, names, strict=True)]
    deals = book.deals(["status", *(need.column for need in of_deals)])
    counted = book.collect(deals.with_columns(of="status").group_by("of").agg(nw.len().alias("n"), *flags))
    counts = {
        (need, row["of"]): (row[name], row["n"])
        for row in counted.iter_rows(named=True)
        for need, name in zip(of_deals, names, strict=True)
    }
    for need in needs:
        if need.table is not None:
            rows = book.table(need.table).filter(need.is_filled())
            rows = (rows.filter(need.told_by(book)) if need.told_by else rows).select(n=nw.len())
            counts[need, need.table] = (min(book.collect(rows)["n"][0], 1), 1)
    return counts
