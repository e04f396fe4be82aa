"""Holding rows to the tables' rules: which row broke which, and what goes with it. A rule is a sentence."""

import re
from collections.abc import Mapping as Dict
from collections.abc import Sequence
from copy import copy
from functools import cache
from typing import Any

import dataframely as dy
import polars as pl

from cadran.sources.feeds import OLD, TOLD, column_of
from cadran.sources.place import FILE, ID, LINE, PLACE, ROW
from cadran.sources.survey_rules import OF_RESULTS
from cadran.tables import TABLES
from cadran.tables.delivery import SET_ASIDE

#: A source row, the fields that broke a rule (comma between; none for the row as a whole), and the rule.
BROKEN = {ID: pl.Int64, "field": pl.String, "rule": pl.String}

CORRECT = "Correct the value at the source."
_LINKS = {
    ("contacts", "account_id"): "every contact belongs to a known account",
    ("opportunities", "account_id"): "every deal belongs to a known account",
    ("versions", "opportunity_id"): "every version belongs to a known deal",
    ("versions", "stage"): "every deal is in a stage of the mapping",
    ("versions", "rep_id"): "every deal belongs to a known rep",
    ("deal_contacts", "opportunity_id"): "every contact's part is in a known deal",
    ("deal_contacts", "contact_id"): "every part in a deal is played by a known contact",
    ("leads", "rep_id"): "every lead belongs to a known rep",
    ("leads", "opportunity_id"): "every qualified lead became a known deal",
    ("activities", "opportunity_id"): "every activity is about a known deal",
    ("activities", "contact_id"): "every activity is with a known contact",
    ("activities", "rep_id"): "every activity is by a known rep",
}
_OWN = {
    "cells": ("every row has as many cells as the header", "Put quotation marks around text that holds the separator."),
    "epoch": (
        "a moment is not in January 1970",
        "Export the column again: milliseconds were read as seconds. Or say `missing`, if it means no date.",
    ),
    "empty": ("a row holds for some time", "Nothing: it ends the moment it begins, so that it never held."),
    "backward": ("a row ends after it begins", "Correct one of the two moments at the source."),
    "several": (
        "a field changes to one value at one moment",
        "Map `old_value`, which tells the order; or correct the moments at the source.",
    ),
    "no_meaning": (
        "the mapping says what each activity means",
        "Name it in `stages`, `touches`, `outcomes` or `ignored` of [events].",
    ),
    "happens_later": (
        "an event happens before the data was taken",
        "Correct the date, or `taken` in the mapping.",
    ),
    "into_itself": ("a thing is merged into another", "Correct one of the two identifiers at the source."),
    "merged_twice": ("a thing is merged into one other", "Keep the right merge: all that differ are set aside."),
    "left_behind": ("what a row tells of is taken in", "Correct the other rows of it that were set aside."),
    "twice": ("the same row is given once", "Remove the copy; the first one is kept."),
    "closed": ("a closed deal has a close date", "Fill the close date at the source."),
    "order": ("a deal closes on or after its creation", "Correct one of the two dates at the source."),
    "created_later": ("a deal is created before the data was taken", "Correct the date, or `taken` in the mapping."),
    "closed_later": ("a deal closes before the data was taken", "Correct the date, or `taken` in the mapping."),
    "changed_later": ("a deal changes before the data was taken", "Correct the date, or `taken` in the mapping."),
    "torn": ("a deal is taken in with its whole history", "Correct its versions that were set aside."),
    "no_version": ("every deal has at least one version", "Give its versions, or correct those set aside."),
    **OF_RESULTS,
}
#: Why the mapping leaves a row out, as a remark: it is neither accepted nor set aside, and nothing of it is kept.
LEFT_OUT = {
    "only": "left out: the mapping keeps other rows of this file",
    "deleted": "left out: deleted at the source, says `deleted` in the mapping",
    "ignored": "left out: an activity named in `ignored` in the mapping",
    "all": "left out: the mapping keeps other rows, and this file holds none of them; check the words it names",
}
_UNKNOWN = 'Add it to its file, correct it, or write unknown = "keep as null" in the mapping.'
_STAGE = "Add the stage to `stages` in the mapping, in its place, or give it a synonym in `values`."


def sentence(rule: str) -> tuple[str, str]:
    """What a broken rule says, and the repair, in English.

    Args:
        rule: A key of our own rules; or `TABLE.FIELD|KIND`, `TABLE|RULE`, `TABLE>FIELD` (a foreign key).
    """
    if rule in _OWN:
        return _OWN[rule]
    if ">" in rule:
        table, field = rule.split(">")
        repair = (
            _STAGE if field == "stage" else _UNKNOWN if field != "opportunity_id" else "Correct the deal, or this row."
        )
        return _LINKS[table, field], repair
    where, kind = rule.split("|")
    if "." not in where:
        key = ", ".join(f"`{name}`" for name in TABLES[where].primary_key())
        if kind == "primary_key":
            return f"each {key} stands on one row of {where}", "Keep the right one: all rows that differ are set aside."
        return kind.replace("_", " "), CORRECT
    table, field = where.split(".")
    return _of_field(field, kind, column_of(table, field))


def _of_field(field: str, kind: str, column: dy.Column) -> tuple[str, str]:
    field = field.removeprefix(OLD)
    if kind == "nullability":
        return f"`{field}` is given", "Fill it at the source."
    if kind == "type" and isinstance(column, dy.Date | dy.Datetime):
        return (
            f"`{field}` is a date",
            "Correct it; or, if that is how dates are written, say so with `dates` in the mapping.",
        )
    if kind == "type" and isinstance(column, dy.Enum):
        return (
            f"`{field}` is one of {', '.join(column.categories)}",
            "Say what the value means with `values` in the mapping.",
        )
    if kind == "type":
        what = {dy.Int64: "a whole number", dy.Bool: "yes or no"}.get(type(column), "a number")
        return f"`{field}` is {what}", CORRECT
    bounds = {"min": "at least", "max": "at most", "min_exclusive": "above", "max_exclusive": "below"}
    if kind in bounds:
        bound = getattr(column, kind)
        return f"`{field}` is {bounds[kind]} {bound:,.0f}", CORRECT
    return f"`{field}` is a finite number", CORRECT


def broken(ids: pl.Series, field: str, rule: str) -> pl.DataFrame:
    """Rows that broke one rule."""
    return ids.rename(ID).to_frame().select(ID, pl.lit(field).alias("field"), pl.lit(rule).alias("rule"))


def all_differ(rows: pl.DataFrame, columns: Sequence[str]) -> bool:
    """Whether no two rows agree on all of some columns. Told by a hash: rarely, of rows that differ, that two agree."""
    return bool(rows.select(columns).hash_rows().n_unique() == rows.height)


@cache
def _schema(table: str, is_unique: bool) -> type[dy.Schema]:
    """The schema of a table with `ID`; without the costly look for a key given twice, where there is known to be none."""
    columns: dict[str, dy.Column] = {ID: dy.Int64(nullable=True)}
    for name in TABLES[table].primary_key() if is_unique else ():
        columns[name] = copy(TABLES[table].columns()[name])
        columns[name].primary_key = False
    return type(table, (TABLES[table],), columns)


def breaches(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Rows of `frame` (the columns of `table` and `ID`) that break a rule of the table's schema."""
    _, failure = _schema(table, all_differ(frame, TABLES[table].primary_key())).filter(frame)
    if not failure.counts():
        return pl.DataFrame(schema=BROKEN)
    details, found = failure.details(), []
    for name in failure.counts():
        field, _, kind = name.rpartition("|")
        invalid = details.filter(pl.col(name) == "invalid")
        # Rows without a key are told so; that they share its absence is no second fault.
        ids = (invalid.drop_nulls(TABLES[table].primary_key()) if name == "primary_key" else invalid)[ID]
        fields = field or (TABLES[table].primary_key()[0] if name == "primary_key" else "")
        found.append(broken(ids, fields, f"{table}.{field}|{kind}" if field else f"{table}|{kind}"))
    return pl.concat(found)


def set_aside(
    bad: pl.DataFrame, table: str, fields: Dict[str, tuple[str, ...]], key: str, rows: pl.DataFrame
) -> pl.DataFrame:
    """Rows of one feed set aside, as `SET_ASIDE`: each once, with all its sentences (a line each).

    Args:
        bad: `BROKEN` rows, any feed.
        table: Table the feed feeds.
        fields: The source's columns of each field.
        key: The field that identifies the row.
        rows: The feed's rows as read.
    """
    bad = bad.join(rows.select(ID), on=ID, how="semi")
    alone = bad.filter(rule="cells")  # what else is wrong with such a row means nothing
    bad = pl.concat([alone, bad.join(alone, on=ID, how="anti")]).unique(
        [ID, "field"], keep="first", maintain_order=True
    )
    kinds = {rule: sentence(rule) for rule in bad["rule"].unique()}
    columns = {f: [c for name in f.split(",") for c in fields.get(name, ())] for f in bad["field"].unique()}
    shown = {f: ", ".join(c) for f, c in columns.items()}
    per_row = bad.with_columns(
        said=pl.col("rule").replace_strict({rule: said for rule, (said, _) in kinds.items()}, return_dtype=pl.String),
        repair=pl.col("rule").replace_strict(
            {rule: repair for rule, (_, repair) in kinds.items()}, return_dtype=pl.String
        ),
        column=pl.col("field").replace_strict(shown, return_dtype=pl.String),
    )
    source = [c for c in rows.columns if c not in (*PLACE, ID)]
    read = rows.join(bad, on=ID, how="semi", maintain_order="left")
    found = []
    for names in {tuple(c) for c in columns.values() if c}:
        told = [
            pl.format("{} = {}", pl.lit(c), pl.col(c).cast(pl.String).fill_null("")) for c in names if c in read.columns
        ]
        if told:
            found.append(read.select(ID, column=pl.lit(", ".join(names)), found=pl.concat_str(told, separator=", ")))
    empty = pl.DataFrame(schema={ID: pl.Int64, "column": pl.String, "found": pl.String})
    per_row = per_row.join(pl.concat([empty, *found]), on=[ID, "column"], how="left", maintain_order="left")
    texts = [pl.col(c).drop_nulls().unique(maintain_order=True).str.join("\n") for c in ("said", "repair", "found")]
    said = per_row.group_by(ID, maintain_order=True).agg(texts)
    return (
        read.join(said, on=ID, maintain_order="left")
        .select(
            pl.lit(table).alias("table"),
            pl.col(FILE).alias("file"),
            pl.col(ROW).cast(pl.Int64).alias("row"),
            pl.col(LINE).cast(pl.Int64).alias("line"),
            pl.concat_str(
                [pl.col(c).cast(pl.String) for c in fields.get(key, ()) if c in read.columns]
                or [pl.lit(None, pl.String)]
            ).alias("id"),
            pl.col("said").alias("rule"),
            "repair",
            "found",
            pl.struct(source).struct.json_encode().alias("values"),
        )
        .select(SET_ASIDE.keys())
    )


def remark(note: str, words: Any) -> str:
    """A note of `NOTED` in the reader's words. Notes that differ by the field they name are one sentence."""
    field = re.search("`(.+?)`", note)
    general = note.replace(field[0], "`{field}`", 1) if field else note
    return str(words(general, field=field[1]) if field and general in words.catalogue else words(note))


def messages(aside: pl.DataFrame, words: Any) -> list[str]:
    """One message for each file and rule, the most frequent first: the rule, an example with its row, the repair.

    Where different things stood there, the 5 most frequent are told with their numbers.

    Args:
        aside: Rows set aside, as `SET_ASIDE`.
        words: The reader's `Words`.
    """
    firsts = aside.group_by("file", "rule", maintain_order=True).agg(pl.len().alias("n"), pl.all().first())
    lines = []
    for first in firsts.sort("n", descending=True, maintain_order=True).iter_rows(named=True):
        rule, repair = ("; ".join(map(words, first[name].split("\n"))) for name in ("rule", "repair"))
        in_parquet = "{n} × {rule}. {file}, row {row}: {found}"
        place = "{n} × {rule}. {file}, row {row} (line {line}): {found}" if first["line"] else in_parquet
        rule = words("rule broken: {rule}", rule=rule)
        n, row, line = (words.number(first[name]) for name in ("n", "row", "line"))
        found = first["found"].replace("\n", "; ") or first["id"] or "…"
        said = words(place, n=n, file=first["file"], row=row, line=line, found=found, rule=rule)
        lines.append("\n  ".join([said, *_others(aside, first, words), repair]))
    return lines


def _others(aside: pl.DataFrame, first: Dict[str, Any], words: Any) -> list[str]:
    """The most frequent of the different things that stood in the rows of one message, with their numbers."""
    same = aside.filter(pl.col("file") == first["file"], pl.col("rule") == first["rule"], pl.col("found") != "")
    met = same["found"].str.replace_all("\n", "; ").value_counts(sort=True)
    if met.height < 2:
        return []
    most = ", ".join(
        f"{found} ({words.number(n)})"
        for found, n in met.sort("count", "found", descending=[True, False]).head(5).rows()
    )
    return [words("Found: {values}", values=most + (", …" if met.height > 5 else ""))]


def sentences() -> list[str]:
    """Every sentence that can stand in `rule` or `repair`, in English: what a catalogue must translate."""
    rules = [*_OWN, *(f"{table}>{field}" for table, field in _LINKS)]
    for table, schema in ((table, schema) for table, schema in TABLES.items() if table != "calendar"):
        own = [name for name in vars(schema) if name[0] != "_" and name not in schema.column_names()]
        rules += [f"{table}|primary_key", *(f"{table}|{name}" for name in own)]
        for field, column in schema.columns().items():
            bounds = [kind for kind in ("min", "max", "min_exclusive") if getattr(column, kind, None) is not None]
            kinds = [*([] if column.nullable else ["nullability"]), *bounds]
            kinds += [] if isinstance(column, dy.String) else ["type"]
            finite = ["inf"] if isinstance(column, dy.Float64) else []
            rules += [f"{table}.{field}|{kind}" for kind in [*kinds, *finite]]
    rules += ["deals.closed_at|type", "deals.deleted_at|type", "stages.is_closed|type", "stages.is_won|type"]
    for table, columns in TOLD.items():
        rules += [f"{table}.{name}|nullability" for name, column in columns.items() if isinstance(column, dy.String)]
        rules += [f"{table}.at|nullability", f"{table}.at|type"]
    return list(dict.fromkeys(text for rule in rules for text in sentence(rule)))
