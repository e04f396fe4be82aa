"""From the rows of a file to the fields of a feed, block by block: joins, synonyms, missing values, and parsing."""

from collections.abc import Mapping as Dict
from dataclasses import dataclass, field

import dataframely as dy
import polars as pl

from cadran.sources import parse
from cadran.sources.dates import order_told, two_ways
from cadran.sources.evidence import DAYS, MIDNIGHTS, TEXTS, Column, is_dated, is_number
from cadran.sources.feeds import Feed, Field, Mapping, column_of
from cadran.sources.lookups import chosen, cleaned, has, joined, never_found, trimmed, unmatched
from cadran.sources.marks import about, at_the_epoch, deleted, still_so
from cadran.sources.place import ID, RAGGED
from cadran.sources.rules import BROKEN, broken
from cadran.sources.values import dated, number, or_null
from cadran.tables import TABLES, VERSIONED
from cadran.tables.problems import Problem

__all__ = ["Fed", "Reading", "column_of"]

#: How many rows of a block hold a value met (`from_values`).
N = "@n"


@dataclass(frozen=True)
class Fed:
    """A feed's rows parsed into fields, with their `ID`, and what was wrong with them."""

    feed: Feed
    fields: pl.DataFrame
    broken: pl.DataFrame


@dataclass
class Reading:
    """A feed being read: block by block first (`take`), then, once the whole was seen (`settle`), field by field."""

    feed: Feed
    mapping: Mapping
    #: Other files that its fields are brought from, by the field's name.
    lookups: Dict[str, pl.DataFrame]
    #: Fields whose texts all wait, for what was believed of them proved wrong.
    waiting: frozenset[str] = frozenset()
    columns: dict[str, Column] = field(default_factory=dict)
    met: list[pl.DataFrame] = field(default_factory=list)
    found: set[str] = field(default_factory=set)
    #: What was taken as not given: by remark how many rows, and which words or keys.
    remarks: dict[str, tuple[int, set[str]]] = field(default_factory=dict)
    is_day_first: bool | None = None
    told_decimal: str | None = None

    def __post_init__(self) -> None:
        file = self.mapping.files[self.feed.file]
        for name, said in self.feed.fields.items():
            kind = column_of(self.feed.table, name)
            self.columns[name] = Column(
                name, kind, said.dates or file.dates, said.decimal or file.decimal,
                said.personal is not None or not said.column, name in self.waiting,
            )  # fmt: skip

    @property
    def file(self) -> str:
        """The file's name, as messages give it."""
        return self.mapping.files[self.feed.file].path[0]

    def needs(self) -> list[str]:
        """Columns of its file that it is made of."""
        used = [c for f in self.feed.fields.values() for c in (f.on if f.source else f.column)]
        return list(dict.fromkeys([*used, *self.feed.only, *self.feed.deleted]))

    def check(self, columns: list[str]) -> None:
        """Raise a `Problem` if the file lacks a column that the mapping names."""
        for said in self.feed.fields.values():
            for column in said.column if not said.source else said.on:
                has(columns, column, self.file, f"[{self.feed.table}] {said.name}")
        for key, asked in (("only", self.feed.only), ("deleted", self.feed.deleted)):
            for column in asked:
                has(columns, column, self.file, f"[{self.feed.table}] {key}")

    def left_out(self, rows: pl.DataFrame) -> pl.Series:
        """Whether `only` leaves each row out; never one whose cells are not the header's: nothing tells what it says."""
        return rows.select(~(pl.col(RAGGED) | chosen(self.feed.only))).to_series()

    def texts(self, rows: pl.DataFrame, is_plain: bool = False) -> pl.DataFrame:
        """What a block's rows (`ID` and the columns used) say of each field, not yet parsed (`is_plain`: `trimmed`)."""
        found = pl.DataFrame([rows[ID], *(self._text(said, rows, is_plain) for said in self.feed.fields.values())])
        return about(self.feed, found)

    def take(
        self, rows: pl.DataFrame, texts: pl.DataFrame, may_hold_mail: bool = True
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The fields of a block's rows, parsed from `texts` as far as can be told; `BROKEN` rows.

        Rows whose cells are not the header's keep their identifiers only. Values met are kept until `settle`.
        """
        if self.feed.from_values:
            self._meet(texts.filter(~rows[RAGGED]))
            return texts.select(ID).clear(), pl.DataFrame(schema=BROKEN)
        wrong = pl.DataFrame(schema=BROKEN)
        if rows[RAGGED].any():
            wrong = broken(rows.filter(RAGGED)[ID], "", "cells")
            named = [n for n in texts.columns if n == ID or n.endswith("_id") or n in ("key", "case", "into")]
            texts = texts.with_columns(pl.when(~rows[RAGGED]).then(pl.exclude(named)))
        kept, more = self._kept(texts, may_hold_mail)
        if self.feed.deleted:
            kept = kept.with_columns(deleted(self.feed, rows))
            if self.feed.table not in (*VERSIONED, "deals", "opportunities"):
                more = pl.concat([more, broken(kept.filter("@deleted")[ID], "", "deleted")])
        return kept, pl.concat([wrong, more])

    def values_met(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """One row per value of the key, at the first row that holds it (`from_values`), as `take` gives rows."""
        key = TABLES[self.feed.table].primary_key()[0]
        met = _merged(self.met)
        others = [c for c in met.columns if c not in (ID, N, key)]
        if self.feed.table == "stages":  # a row typed wrong does not take its probability from a stage
            met = met.with_columns(_most_frequent(c, key) for c in others)
        said = [pl.col(c).drop_nulls() for c in others]
        agreed = [pl.when(c.n_unique() == 1).then(c.first()) for c in said]
        each = met.sort(ID).group_by(key, maintain_order=True).agg(pl.col(ID).first(), *agreed)
        return self._kept(each.select(c for c in met.columns if c != N))

    def settle(self, together: tuple[bool | None, str | None]) -> set[str]:
        """Decide how waiting texts are read, by what the whole column (or `together`, its file) told.

        Returns:
            Fields that were taken for what they prove not to be: the feed has to be read again with these `waiting`.

        Raises:
            Problem: If a column holds personal data, or is written in a way that cannot be told.
        """
        self.is_day_first, self.told_decimal = together
        for name, column in self.columns.items():
            self._refuse(name, column)
            try:
                self._decide(name, column)
            except Problem as problem:
                raise parse.in_file(problem, self.file) from None
        for name, said in self.feed.fields.items():
            if said.source and said.unknown == "set aside" and name not in self.found:
                raise never_found(said, self.feed, self.mapping)
        return {n for n, c in self.columns.items() if c.has_points and self._decimal(c) == "," and not c.waits}

    def fields(self, kept: pl.DataFrame, names: list[str] | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Fields (all, or those named) of rows that `take` kept, and the rows whose text is none, as `BROKEN`.

        A moment of what is no table (deals) comes with two more columns: whether it is a whole day, and its day.
        """
        values, wrong = [kept[ID]], [pl.DataFrame(schema=BROKEN)]
        for name, column in self.columns.items():
            if names is None or name in names:
                found = self._values(name, column, kept)
                values += [
                    series for series in found if not series.name.startswith("@") or self.feed.table not in TABLES
                ]
                if name + TEXTS in kept.columns:
                    bad = kept.filter(pl.col(name + TEXTS).is_not_null() & found[0].is_null())[ID]
                    wrong.append(broken(bad, name, f"{self.feed.table}.{name}|type"))
                if column.kind.dtype == pl.Datetime and (odd := at_the_epoch(found[0])).any():
                    wrong.append(broken(kept.filter(odd)[ID], name, "epoch"))
                    values = [v.set(odd, None) if v.name == name else v for v in values]
        values += [kept["@deleted"]] if "@deleted" in kept.columns else []
        return pl.DataFrame(values), pl.concat(wrong)

    def kept_as(self, names: list[str]) -> list[str]:
        """The columns in which `take` keeps some fields."""
        return [ID, *(name + ending for name in names for ending in ("", DAYS, MIDNIGHTS, TEXTS))]

    def _values(self, name: str, column: Column, kept: pl.DataFrame) -> list[pl.Series]:
        if is_number(column.kind):
            return [number(column, kept, self._decimal(column), self.feed.fields[name].scale)]
        if is_dated(column.kind):
            return dated(column, kept, self.mapping.time_zone, self._order(column))
        return [or_null(kept, name, pl.String() if isinstance(column.kind, dy.String) else column.kind.dtype)]

    def _text(self, said: Field, rows: pl.DataFrame, is_plain: bool) -> pl.Series:
        """What the source says for one field: text (or Parquet's own type), with synonyms and missing values."""
        if not said.column:
            return pl.repeat(str(said.constant), rows.height, dtype=pl.String, eager=True).alias(said.name)
        file, frame = self.mapping.files[self.feed.file], rows
        kind = self.columns[said.name].kind
        if said.source:
            frame = joined(said, rows, self.lookups[said.name], self.feed, self.mapping)
            file = self.mapping.files[str(said.origin)]
            if said.name not in self.found and not frame[said.column[0]].is_null().all():
                self.found.add(said.name)
            for remark, n, keys in unmatched(said, frame):
                self._remark(remark, n, keys)
        waits = is_dated(kind) or is_number(kind)  # these are trimmed later, if need be
        first = said.column[0]
        is_simple = not (said.source or said.missing or said.values or file.missing or first in file.values)
        if is_simple and len(said.column) == 1 and rows.schema[first] == pl.String:
            text = rows[first] if waits else trimmed(rows[first], is_plain)
            return self._or_else(said, text.alias(said.name))
        parts = [cleaned(c, file.missing, file.values.get(c, {}), frame, is_trimmed=waits) for c in said.column]
        if len(parts) == 1 and not said.missing and not said.values:
            return self._or_else(said, frame.select(parts[0].alias(said.name)).to_series())
        whole = parts[0] if len(parts) == 1 else _together(parts)
        named = frame.select(whole.alias(said.name))
        own = named.select(cleaned(said.name, said.missing, said.values, named)).to_series()
        if said.missing and is_number(kind):
            own = _without_numbers(own, said.missing)
        return self._or_else(said, own)

    def _or_else(self, said: Field, texts: pl.Series) -> pl.Series:
        """Texts with what is said where there is none; an end that is none is left out."""
        if said.name == "valid_to":
            return still_so(texts)
        if said.otherwise is None:
            return texts
        texts = texts.cast(pl.String)
        return texts.set((texts.is_null() | (texts.str.strip_chars() == "")), said.otherwise)

    def _kept(self, texts: pl.DataFrame, may_hold_mail: bool = True) -> tuple[pl.DataFrame, pl.DataFrame]:
        kept, wrong = [texts[ID]], [pl.DataFrame(schema=BROKEN)]
        for name, column in self.columns.items():
            text, said = texts[name], self.feed.fields[name]
            may_hold = may_hold_mail or said.source is not None or bool(said.values)
            if not isinstance(column.kind, dy.Bool | dy.Enum):
                kept += column.take(text, self.mapping.time_zone, may_hold)
                continue
            column.look(text, may_hold)
            enum = isinstance(column.kind, dy.Enum)
            value = parse.one_of(text, list(column.kind.categories)) if enum else parse.yes_no(text)  # type: ignore[union-attr]
            odd = texts.filter(text.is_not_null() & value.is_null())
            if enum and said.unknown != "set aside":
                self._remark(f"an unknown `{name}` was taken as not given", odd.height, {*odd[name].unique()})
            else:
                wrong.append(broken(odd[ID], name, f"{self.feed.table}.{name}|type"))
            kept.append(value.alias(name))
        return pl.DataFrame(kept), pl.concat(wrong)

    def _remark(self, remark: str, n: int, values: set[str]) -> None:
        before, met = self.remarks.get(remark, (0, set()))
        if n:
            self.remarks[remark] = before + n, {*sorted(met | values)[:10]}

    def _meet(self, texts: pl.DataFrame) -> None:
        key = TABLES[self.feed.table].primary_key()[0]
        fields = [c for c in texts.columns if c != ID]
        texts = texts.drop_nulls(key).group_by(fields).agg(pl.col(ID).min(), pl.len().cast(pl.Int64).alias(N))
        self.met.append(texts.select(ID, *fields, N))
        if len(self.met) > 16:
            self.met = [_merged(self.met)]

    def _refuse(self, name: str, column: Column) -> None:
        said = self.feed.fields[name]
        if column.is_personal_allowed or not (kind := column.refused()):
            return
        phones = "{file}: {column} holds phone numbers, which never enter a book."
        mails = "{file}: {column} holds e-mail addresses, which never enter a book."
        notes = "{file}: {column} holds free text, which never enters a book."
        what = {"e-mail addresses": mails, "phone numbers": phones, "free text": notes}[kind]
        other = 'Map another column to {where}; or, if it is none, write personal = "allowed" there.'
        nobody = 'Map another column to {where}; or, if its texts name nobody, write personal = "allowed" there.'
        where = f"[{self.feed.table}] {name}"
        repair = nobody if kind == "free text" else other
        raise Problem(what, repair, file=self.file, column=", ".join(said.column), where=where)

    def _decide(self, name: str, column: Column) -> None:
        """Raise a `Problem` if the texts of a column can be read two ways, or are amounts in another currency."""
        if is_dated(column.kind) and column.orders.get("either") and self._order(column) is None:
            raise two_ways(column.orders, name)
        if name == "amount" and (sign := parse.foreign(column.signs, self.mapping.currency)):
            raise Problem(
                "{file}: {column} writes amounts in {sign}; the book counts in {currency}.",
                "Correct `currency` in the mapping; or map a `currency` column, and give its rate in `rates`.",
                file="", column=", ".join(self.feed.fields[name].column), sign=sign, currency=self.mapping.currency,
            )  # fmt: skip
        either = column.marks.get("either")
        if is_number(column.kind) and either and self._decimal(column) is None:
            raise parse.two_ways(either, name)

    def _order(self, column: Column) -> bool | None:
        own = order_told(column.orders, column.name) if column.orders else None
        return self.is_day_first if own is None else own

    def _decimal(self, column: Column) -> str | None:
        own = parse.mark_told(column.marks, column.name) if column.marks else None
        return column.decimal or own or self.told_decimal


def _most_frequent(column: str, key: str) -> pl.Expr:
    """The value that stands on most rows of a key; the first in order where several do."""
    n = pl.when(pl.col(column).is_not_null()).then(pl.col(N).sum().over(key, column))
    return pl.col(column).sort_by(n, column, descending=[True, False], nulls_last=True).first().over(key).alias(column)


def _together(parts: list[pl.Expr]) -> pl.Expr:
    texts = [text.cast(pl.String).str.strip_chars() for text in parts]
    return pl.concat_str([pl.when(text != "").then(text) for text in texts], separator=" ", ignore_nulls=True)


def _merged(met: list[pl.DataFrame]) -> pl.DataFrame:
    both = pl.concat(met)
    fields = [c for c in both.columns if c not in (ID, N)]
    return both.group_by(fields).agg(pl.col(ID).min(), pl.col(N).sum()).select(both.columns)


def _without_numbers(texts: pl.Series, missing: tuple[str, ...]) -> pl.Series:
    """Texts without those that are a missing number written otherwise: 0,00 is 0."""
    meant = pl.Series(missing).cast(pl.Float64, strict=False).drop_nulls()
    value = texts.cast(pl.String).str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
    return texts.set(value.is_in(meant.implode()).fill_null(False), None)
