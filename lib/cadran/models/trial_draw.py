"""The assignment of a trial: drawn by a rule that can be repeated to the byte, kept as a CSV, and read back from it."""

import csv
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from cadran.book import Book
from cadran.measures import MEASURES, Question
from cadran.measures.catalogue import DEALS
from cadran.measures.counting import small
from cadran.measures.values import read_value
from cadran.models.trial import UNIT_COLUMNS, UNITS, Unit, of_new
from cadran.tables.problems import Problem

#: The two arms: those for whom the lever is pulled, and those handled as usual.
LEVER, CONTROL = "lever", "control"
ARMS = (LEVER, CONTROL)
#: What an assignment says of each deal. `planned` and `follow_up_days` are the plan it was drawn for, null if none.
ASSIGNMENT = {
    "opportunity_id": pl.String,
    "unit": pl.String,
    "unit_id": pl.String,
    "stratum": pl.String,
    "arm": pl.String,
    "drawn_on": pl.Date,
    "seed": pl.Int64,
    "planned": pl.Int64,
    "follow_up_days": pl.Int64,
}
_NEEDED = ("opportunity_id", "unit", "unit_id", "stratum", "arm", "drawn_on", "seed")
#: Facts that make the strata of each unit. So few teams would leave too few draws that could have been.
_STRATA: dict[str, tuple[str, ...]] = {
    "deal": ("stage", "region"),
    "account": ("region",),
    "rep": ("region",),
    "team": (),
}


@dataclass(frozen=True)
class Assignment:
    """Deals with their arm, as `ASSIGNMENT` has them, and what was wrong with the other rows of the file."""

    rows: pl.DataFrame
    problems: list[Problem] = field(default_factory=list)


def draw(
    book: Book,
    question: Question,
    unit: Unit = "deal",
    seed: int = 0,
    *,
    earlier: pl.DataFrame | None = None,
    planned: int | None = None,
    follow_up_days: int | None = None,
) -> pl.DataFrame:
    """Assign the open deals to the two arms: the same book, question and seed give the same rows.

    Half of the units of each stratum go to each arm: stage × region of deals, region of clients and sellers; teams are
    too few for strata.

    Args:
        book: The open deals of its moment are drawn; its day is that of the draw.
        question: `where` keeps the deals that are eligible, new business by default.
        unit: What is drawn as one. Deals without seller or team cannot be drawn by it; a deal without client is one
            of its own.
        seed: Of the draw; each day draws differently.
        earlier: An assignment that this one goes on: its deals stay as they are, and the deals that came since to a
            unit already drawn take its arm.
        planned: Number of deals that the trial was planned for.
        follow_up_days: Days after which each is counted.

    Returns:
        One row per deal, as `ASSIGNMENT` has it: those of `earlier` first, then by stratum, unit and deal.

    Raises:
        Problem: If `earlier` was drawn by another unit, or later, or nothing is left to draw.
    """
    before = pl.DataFrame(schema=ASSIGNMENT) if earlier is None else earlier
    _check(before, unit, book.day)
    column, facts = UNIT_COLUMNS[unit], _STRATA[unit]
    question = _typed(book, question)
    open_ = question.keeps(
        book.deals(["opportunity_id", column, *facts, "status", *question.where])
    ).filter(nw.col("status") == "open")  # fmt: skip
    own = nw.col("opportunity_id") if unit == "account" else nw.lit(None, nw.String)
    deals = small(open_.with_columns(unit_id=nw.coalesce(nw.col(column), own)))
    deals = deals.drop_nulls("unit_id").join(before, on="opportunity_id", how="anti").sort("unit_id", "opportunity_id")
    if deals.is_empty():
        raise Problem("No open deal is left to draw.", "Ask for more kinds of deals, or wait for new ones.")
    stratum = pl.concat_str([pl.col(fact).fill_null("–") for fact in facts], separator=" · ") if facts else pl.lit("–")
    units = deals.group_by("unit_id", maintain_order=True).agg(stratum=stratum.first())
    placed = units.join(before.group_by("unit_id").agg(arm=pl.col("arm").first()), on="unit_id", how="left")
    known, new = placed.drop_nulls("arm"), placed.filter(pl.col("arm").is_null()).sort("stratum", "unit_id")
    random = np.random.default_rng([seed, book.day.toordinal()])
    is_lever = pl.Series(drawn(new["stratum"], 1, random)[0])
    new = new.with_columns(arm=pl.when(is_lever).then(pl.lit(LEVER)).otherwise(pl.lit(CONTROL)))
    told = {"unit": unit, "drawn_on": book.day, "seed": seed, "planned": planned, "follow_up_days": follow_up_days}
    assigned = deals.select("opportunity_id", "unit_id").join(pl.concat([known, new]), on="unit_id")
    assigned = assigned.with_columns(pl.lit(value, ASSIGNMENT[name]).alias(name) for name, value in told.items())
    return pl.concat([before, assigned.select(list(ASSIGNMENT)).sort("stratum", "unit_id", "opportunity_id")])


def drawn(strata: pl.Series, draws: int, random: np.random.Generator) -> np.ndarray:
    """Draw units so many times: whether the lever is theirs, (draws, units), with half of each stratum in each arm.

    Args:
        strata: The stratum of each unit, equal ones side by side. Of an odd number, a coin says which arm has one more.
        draws: How many times.
        random: Where chance comes from.
    """
    sizes = strata.rle().struct.field("len").to_numpy().astype(np.int64)
    codes, begins = np.repeat(np.arange(len(sizes)), sizes), np.cumsum(sizes) - sizes
    place = np.arange(len(codes)) - begins[codes]
    coin = random.random((draws, len(sizes))) < 0.5
    is_lever = place < (sizes // 2 + coin * (sizes % 2))[:, codes]
    shuffled = np.argsort(codes + random.random((draws, len(codes))), axis=1)
    result = np.empty(is_lever.shape, dtype=bool)
    np.put_along_axis(result, shuffled, is_lever, axis=1)
    return result


def balance(book: Book, assignment: pl.DataFrame) -> pl.DataFrame:
    """How alike the arms are.

    Returns:
        One row per arm: `n_units`, `n_deals`, `n_unknown` (deals of unknown amount), `mean_amount` (reporting
        currency) and `mean_age_days` on the book's day.
    """
    facts = small(book.deals(["opportunity_id", "amount", "age_days"]))
    known = assignment.join(facts, on="opportunity_id", how="left")
    return (
        known.group_by("arm")
        .agg(
            n_units=pl.col("unit_id").n_unique(), n_deals=pl.len(), n_unknown=pl.col("amount").null_count(),
            mean_amount=pl.col("amount").mean(), mean_age_days=pl.col("age_days").mean(),
        )
        .sort("arm", descending=True)
    )  # fmt: skip


def write_assignment(assignment: pl.DataFrame, path: Path) -> None:
    """Keep an assignment as CSV: once written it is never written again.

    Raises:
        Problem: If there is such a file.
    """
    try:
        with path.open("x", encoding="utf-8", newline="") as file:
            file.write(assignment.write_csv())
    except FileExistsError:
        raise Problem(
            "{file} is there already: an assignment is drawn once.",
            "Name another file; to draw the deals that came since, add --after {file}.", file=path,
        ) from None  # fmt: skip


def read_assignment(path: Path) -> Assignment:
    """An assignment from its CSV, as written or as a spreadsheet saved it (semicolons).

    Returns:
        The rows that hold to the rules; for each of the others a Problem that names file, row (the header is row 1),
        rule and repair.

    Raises:
        Problem: If the file cannot be read, lacks a column, or no row is good.
    """
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise Problem("There is no file {file}.", "`cadran trial draw --to {file}` makes one.", file=path) from None
    except (OSError, UnicodeDecodeError):
        raise Problem("{file} cannot be read as text.", "Save it as CSV, encoded in UTF-8.", file=path) from None
    header = text.partition("\n")[0]
    lines = list(csv.reader(text.splitlines(), delimiter=";" if header.count(";") > header.count(",") else ","))
    names = [name.strip() for name in lines[0]] if lines else []
    missing = [name for name in _NEEDED if name not in names]
    if missing:
        raise Problem(
            "{file} lacks the column {missing}.", "Use the file that `cadran trial draw` wrote.",
            file=path, missing=", ".join(missing),
        )  # fmt: skip
    reader = _Rows(path)
    for number, line in enumerate(lines[1:], start=2):
        if any(line):
            reader.take(number, dict(zip(names, (cell.strip() for cell in line), strict=False)))
    if not reader.rows and not reader.problems:
        raise Problem("{file} assigns no deal.", "Use the file that `cadran trial draw` wrote.", file=path)
    if not reader.rows:
        raise reader.problems[0]
    return Assignment(pl.DataFrame(reader.rows, schema=ASSIGNMENT, orient="row"), reader.problems)


class _Rows:
    """The rows of one file that hold to the rules, and what is wrong with the others."""

    def __init__(self, path: Path):
        self.path, self.rows, self.problems = path, list[dict[str, Any]](), list[Problem]()
        self.arms: dict[tuple[str, str], str] = {}
        self.seen: dict[str, int] = {}

    def take(self, number: int, cells: dict[str, str]) -> None:
        """One row: kept, or set aside with its problem."""
        try:
            row = self._read(number, cells)
        except Problem as problem:
            self.problems.append(problem)
            return
        self.seen[row["opportunity_id"]] = number
        self.arms.setdefault((row["unit"], row["unit_id"]), row["arm"])
        self.rows.append(row)

    def _read(self, number: int, cells: dict[str, str]) -> dict[str, Any]:
        at: dict[str, Any] = {"file": self.path, "row": number}
        row: dict[str, Any] = {name: cells.get(name) or None for name in ASSIGNMENT}
        for name in _NEEDED:
            if row[name] is None:
                raise Problem("{file}, row {row}: {column} is empty.", _AS_DRAWN, **at, column=name)
        units = (self.rows[0]["unit"],) if self.rows else UNITS
        for name, known in (("arm", ARMS), ("unit", units)):
            if row[name] not in known:
                raise Problem("{file}, row {row}: {value} is no {column}.", "Write one of: {names}.", **at,
                              column=name, value=row[name], names=", ".join(known))  # fmt: skip
        for name, dtype in ASSIGNMENT.items():
            if dtype == pl.String or row[name] is None:
                continue
            example = "2026-06-30" if dtype == pl.Date else "12"
            try:
                row[name] = date.fromisoformat(row[name]) if dtype == pl.Date else int(row[name])
            except ValueError:
                raise Problem("{file}, row {row}: {value} is no {column}.", "Write it as {example}.", **at,
                              column=name, value=row[name], example=example) from None  # fmt: skip
        if row["opportunity_id"] in self.seen:
            raise Problem("{file}, row {row}: the deal {id} is already in row {first}.", "Remove one of them.", **at,
                          id=row["opportunity_id"], first=self.seen[row["opportunity_id"]])  # fmt: skip
        arm = self.arms.get((row["unit"], row["unit_id"]), row["arm"])
        if row["arm"] != arm:
            raise Problem("{file}, row {row}: {id} is drawn as a whole, and is in the other arm above.", _AS_DRAWN, **at,
                          id=row["unit_id"])  # fmt: skip
        return row


_AS_DRAWN = "Write it as `cadran trial draw` wrote it."


def _check(before: pl.DataFrame, unit: Unit, day: date) -> None:
    """Hold an assignment to the draw that goes on with it."""
    for other in before["unit"].unique():
        if other != unit:
            raise Problem(
                "The file was drawn by {other}, not by {unit}.", "Draw by {other}, or begin another file.",
                other=other, unit=unit,
            )  # fmt: skip
    last = before["drawn_on"].max()
    if isinstance(last, date) and last > day:
        raise Problem(
            "The file was drawn on {last:%Y-%m-%d}, after {day:%Y-%m-%d}.",
            "Go on from the book of that day, or of a later one.", last=last, day=day,
        )  # fmt: skip


def _typed(book: Book, question: Question) -> Question:
    """The question of a draw: the values of its filter read as the type of their column, held to those the book knows."""
    for column in question.where:
        if column not in DEALS.columns:
            raise Problem(DEALS.no_column, "The columns are: {names}.", column=column, names=", ".join(DEALS.columns))
    MEASURES["volumes"].check(book, question)
    schema, zone = book.deals(["status", *question.where]).collect_schema(), book.settings.time_zone
    where = {
        name: tuple(read_value(value, schema[name], name, DEALS.columns, zone) for value in values)
        for name, values in question.where.items()
    }
    return of_new(book, replace(question, where=where))
