"""The files of survey results opened and read: the text of every field, as any mapping reads it."""

from collections.abc import Callable
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path

import polars as pl

from cadran.sources import evidence
from cadran.sources.feeds import Feed, Field
from cadran.sources.fields import Reading
from cadran.sources.lookups import PERSONAL
from cadran.sources.place import FILE, ID
from cadran.sources.read import Source, must_have_rows, opened
from cadran.sources.rules import set_aside
from cadran.sources.survey import Read, lookups
from cadran.sources.survey_mapping import SurveyMapping
from cadran.sources.survey_questions import Asked, normal
from cadran.sources.survey_rules import NEVER_ASKED
from cadran.tables.delivery import SET_ASIDE
from cadran.tables.problems import Problem

#: An `ID` is the number of the feed and that of the row in its file, so many bits apart.
BITS = 40
#: Of a question that is a column: the prefix of its field.
QUESTION = "question:"
#: What joins the parts of a key: no file holds it.
_PART = "\x1f"
#: Masks what would name somebody, the respondents above all (the second argument), in what people wrote.
Mask = Callable[[pl.Series, pl.Series], pl.Series]
#: The rule of rows that `only` leaves out, as `rules.LEFT_OUT` has it.
_ONLY = "only"


@dataclass
class Opened:
    """One feed of survey results, read."""

    feed: Feed
    file: Read
    first_id: int
    #: A row for each of the file that the mapping keeps: `ID` and the text of each field; days as `@answered_at_day`.
    rows: pl.DataFrame
    #: As `rules.BROKEN`.
    broken: pl.DataFrame
    #: `ID` and `reason`.
    left_out: pl.DataFrame
    #: A remark, how many rows, and what was met.
    remarks: list[tuple[str, int, str]] = field(default_factory=list)

    @property
    def table(self) -> str:
        """Which form of results it is: answers, or responses."""
        return self.feed.table

    @property
    def is_wide(self) -> bool:
        """Whether a row is a respondent, each question a column."""
        return self.table == "responses"

    @property
    def digests(self) -> dict[str, str]:
        """SHA-256 by file name."""
        return self.file.source.digests

    @property
    def n_rows(self) -> dict[str, int]:
        """Rows by file name."""
        return self.file.n_rows

    def persons(self) -> pl.Series:
        """The respondents whose identifiers may be a name, or hold one."""
        if "respondent" not in self.rows.columns:
            return pl.Series(dtype=pl.String)
        each = self.rows["respondent"].drop_nulls().unique(maintain_order=True)
        return each.filter(each.str.contains(r"\p{L}{2}"))

    def places(self) -> pl.DataFrame:
        """`ID` and file of every row."""
        ends = [*self.file.starts[1:], sum(self.n_rows.values())]
        spans = zip(self.file.starts, ends, self.file.files, strict=True)
        parts = [
            pl.DataFrame({ID: pl.int_range(self.first_id + start, self.first_id + end, eager=True)})
            .with_columns(pl.lit(name).alias(FILE))
            for start, end, name in spans
        ]  # fmt: skip
        return pl.concat(parts) if parts else pl.DataFrame(schema={ID: pl.Int64, FILE: pl.String})

    def set_aside(self, broken: pl.DataFrame, hints: dict[int, str], mask: Mask) -> pl.DataFrame:
        """The rows that broke a rule, as `SET_ASIDE` and `ID`: who answered is left out, what they wrote is masked."""
        empty = pl.DataFrame(schema={ID: pl.Int64, **SET_ASIDE})
        if broken.is_empty():
            return empty
        fields = {name: said.column for name, said in self.feed.fields.items() if not said.source}
        persons = {
            c for n, said in self.feed.fields.items() if n.startswith("respondent") for c in (*said.column, *said.on)
        }
        written = {c for n in ("answer", "comment") if n in fields for c in fields[n]}
        written |= {c for n, columns in fields.items() if n.startswith(QUESTION) for c in columns}
        columns = [c for c in _named(self.feed) if c not in persons]
        starts = pl.Series(self.file.starts, dtype=pl.Int64)
        wanted = {int(n) - 1 for n in starts.search_sorted(broken[ID] - self.first_id, side="right").unique()}
        found = [empty]
        for _, block in self.file.rows(wanted, columns):
            rows = block.with_columns(pl.col(ID) + self.first_id).join(broken, on=ID, how="semi", maintain_order="left")
            texts = [name for name, dtype in rows.schema.items() if dtype == pl.String and name[0] != "@"]
            rows = rows.with_columns(mask(rows[name], self.persons()) for name in texts if name in written)
            others = [name for name in texts if name not in written]
            rows = rows.with_columns(pl.when(~pl.col(c).str.contains(PERSONAL)).then(c).alias(c) for c in others)
            aside = set_aside(broken, self.table, fields, "answer_id", rows)
            # A row of the frame for each row of the file, in their order.
            found.append(aside.with_columns(rows[ID]).select(empty.columns))
        rows = pl.concat(found)
        if not hints:
            return rows
        near = rows[ID].replace_strict(hints, default=None, return_dtype=pl.String)
        return rows.with_columns(found=pl.concat_str("found", near, separator=" ", ignore_nulls=True))


def opened_results(mapping: SurveyMapping, folder: Path, place: Path) -> list[Opened]:
    """Every feed of a mapping, read.

    Raises:
        Problem: If a file cannot be read, lacks a column, or holds personal data where the mapping expects none.
    """
    source = mapping.source
    names = {feed.file for feed in source.feeds}
    names |= {name for feed in source.feeds for said in feed.fields.values() for name, _, _ in said.hops}
    files = {name: opened(source.files[name], folder, place) for name in sorted(names)}
    feeds = [(n, feed) for n, feed in enumerate(source.feeds) if files[feed.file].digests]
    found = [each for n, feed in feeds if (each := _opened(feed, n << BITS, mapping, files))]
    if not found:
        raise Problem("None of the files of answers is there.", "Name their folder with --from.")
    return found


def _opened(feed: Feed, first_id: int, mapping: SurveyMapping, files: dict[str, Source]) -> Opened | None:
    source = files[feed.file]
    name = mapping.source.files[feed.file].path[0]
    remarks: list[tuple[str, int, str]] = []
    fields = _split(feed.fields)
    if feed.table == "responses":
        asked = _columns(mapping.questions, source.columns, name)
        keys = [question.question_id for question in mapping.questions]
        remarks += [(NEVER_ASKED.format(question=key), 0, "") for key in keys if key not in asked]
        fields |= {
            QUESTION + key: Field(QUESTION + key, (column,), personal="allowed") for key, column in asked.items()
        }
    feed = replace(feed, fields=fields)
    reading = Reading(feed, mapping.source, lookups(feed, mapping.source, files))
    reading.check(source.columns)
    file = Read(source, n_rows=dict.fromkeys(source.digests, 0))
    kept, broken, left = _gone_through(reading, file, first_id)
    must_have_rows(mapping.source.files[feed.file], file.n_rows)
    if not kept:  # an optional file that has a header alone
        return None
    reading.settle(evidence.writing([reading.columns[n] for n in feed.fields if feed.fields[n].column], reading.file))
    rows, wrong = reading.fields(pl.concat(kept, how="diagonal"))
    remarks += [(remark, n, ", ".join(sorted(met))) for remark, (n, met) in reading.remarks.items()]
    remarks += [("the encoding of a file was guessed", 1, guess) for guess in source.guesses.values()]
    return Opened(feed, file, first_id, _keyed(rows), pl.concat([*broken, wrong]), pl.concat(left), remarks)


def _gone_through(
    reading: Reading, file: Read, first_id: int
) -> tuple[list[pl.DataFrame], list[pl.DataFrame], list[pl.DataFrame]]:
    """What is kept of every row, what is wrong with some, and those that `only` leaves out; block by block."""
    kept, broken, left, start = [], [], [], 0
    for block in file.source.blocks():
        rows = block.load(list(reading.needs()), block.data)
        rows = rows.with_columns(pl.int_range(first_id + start, first_id + start + rows.height, eager=True).alias(ID))
        file.starts.append(start)
        file.files.append(block.file)
        file.n_rows[block.file] += rows.height
        start += rows.height
        out = reading.left_out(rows) if reading.feed.only else pl.repeat(False, rows.height, eager=True)
        left.append(rows.filter(out).select(ID, pl.lit(_ONLY).alias("reason")))
        own = rows.filter(~out)
        taken, wrong = reading.take(own, reading.texts(own))
        kept.append(taken)
        broken.append(wrong)
    return kept, broken, left


def _split(fields: Dict[str, Field]) -> dict[str, Field]:
    """A key of several columns as one field for each of them."""
    made: dict[str, Field] = {}
    for name, said in fields.items():
        if name not in ("respondent", "answer_id") or len(said.column) < 2:
            made[name] = said
            continue
        for n, column in enumerate(said.column):
            made[f"{name}:{n}"] = replace(said, name=f"{name}:{n}", column=(column,))
    return made


def _keyed(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with each key of several columns as one text, null where one of them is; a respondent in small letters."""
    for name in ("respondent", "answer_id"):
        if parts := [column for column in rows.columns if column.startswith(f"{name}:")]:
            rows = rows.with_columns(pl.concat_str(parts, separator=_PART).alias(name)).drop(parts)
    if "respondent" in rows.columns:
        rows = rows.with_columns(pl.col("respondent").str.to_lowercase())
    return rows


def _columns(questions: tuple[Asked, ...], columns: list[str], file: str) -> dict[str, str]:
    """The column of each question that the file asks.

    Raises:
        Problem: If two columns are one question, or no column is any.
    """
    found: dict[str, str] = {}
    known = {normal(name): asked.question_id for asked in questions for name in asked.named}
    for column in columns:
        key = known.get(normal(column))
        if key in found:
            raise Problem(
                "{file}: {one!r} and {other!r} are both the question {question}.",
                "Take one of them out of `named`.",
                file=file, one=found[key], other=column, question=key,
            )  # fmt: skip
        if key:
            found[key] = column
    if not found:
        close = get_close_matches(normal(questions[0].named[0]), [normal(c) for c in columns], 1, 0.0)
        raise Problem(
            "{file} asks none of the questions of the mapping; {question} is nearest to {close!r}.",
            "Write the headers of its columns under `named` of each question.",
            file=file, question=questions[0].question_id, close="".join(close),
        )  # fmt: skip
    return found


def _named(feed: Feed) -> list[str]:
    """The columns of its own file that a feed names."""
    used = [c for said in feed.fields.values() for c in (said.on if said.source else said.column)]
    return list(dict.fromkeys([*used, *feed.only]))
