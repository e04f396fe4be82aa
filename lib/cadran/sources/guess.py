"""Guessing which file feeds which table and which column which field, from headers and contents."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import dataframely as dy
import polars as pl

from cadran.sources.dates import dates
from cadran.sources.feeds import Database, column_of
from cadran.sources.free_text import looks_free_text
from cadran.sources.headers import FIELDS, FILES, NO_TABLE, PERSONAL, STAGE_KINDS, TOLD, plain
from cadran.sources.marks import still_so
from cadran.sources.parse import Writing, looks_personal, numbers, yes_no
from cadran.sources.shape import key_of
from cadran.tables.problems import Problem

#: Tables that can be guessed, deals first: the others are chosen by what deals refer to.
_ORDER = [
    "deals",
    "versions",
    "opportunities",
    "reps",
    "accounts",
    "contacts",
    "deal_contacts",
    "leads",
    "activities",
    "targets",
]
_NEEDED = {
    "activities": {"at", "kind"},
    "leads": {"created_at"},
    "deal_contacts": {"contact_id"},
    "targets": {"scope", "end_date"},
    "versions": {"valid_from", "stage"},
}

#: Words that may follow a field's name in a header: "montant HT en EUR", "close date of the deal".
_AFTER = {
    "de",
    "d",
    "du",
    "des",
    "la",
    "le",
    "l",
    "en",
    "ht",
    "hors",
    "eur",
    "euros",
    "usd",
    "of",
    "in",
    "for",
    "name",
    "k",
    "client",
    "commercial",
}


@dataclass(eq=False)
class Seen:
    """A file as read: its columns of text, and what it was found to feed."""

    path: Path
    frame: pl.DataFrame
    sheet: str = ""
    table: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    same_as: list[str] = field(default_factory=list)
    #: Where it is a table of one: `sheet` is its name there.
    database: Database | None = None

    @property
    def key(self) -> str:
        """Name of the file in the mapping."""
        return plain(self.sheet or self.path.stem) or "file"

    @property
    def name(self) -> str:
        """Name of the file, with its sheet where the workbook has several."""
        return f"{self.path.name} ({self.sheet})" if self.sheet else self.path.name

    def texts(self, name: str) -> pl.Series:
        """The texts of one mapped field, trimmed, without empty ones."""
        return self.frame[self.fields[name]].cast(pl.String).str.strip_chars().drop_nulls()


def assigned(seen: list[Seen]) -> list[Seen]:
    """The file that feeds each table, best first; files that hold the same rows in another writing noted on it."""
    fed: list[Seen] = []
    for table in _ORDER:
        if (table == "versions" and fed) or (table == "opportunities" and [s.table for s in fed] != ["versions"]):
            continue
        scored = []
        for file in (s for s in seen if not s.table and s.frame.height and not tells_changes(s.frame)):
            name = file.key
            words = [i for i, word in enumerate(FILES[table].split()) if word in name]
            if table != "versions" and any(word in name for word in NO_TABLE.split()):
                continue
            others = any(word in name for other in FILES if other != table for word in FILES[other].split())
            fields, reasons = matched(table, file.frame)
            shared = _shared(fed[0], table, file, fields) if fed else 0.0
            if _enough(table, fields, bool(words), others, shared):
                scored.append(
                    (len(fields) + 3 * bool(words) + 20 * shared - (words or [9])[0] / 10, file, fields, reasons)
                )
        scored.sort(key=lambda entry: (-entry[0], entry[1].name))
        if scored:
            _, best, fields, reasons = scored[0]
            best.table, best.fields, best.reasons = table, fields, reasons
            for _, other, fields, _ in scored[1:]:
                key = best.fields[key_of(table)]
                if fields == best.fields and overlap(other.frame[key], best.frame[key]) > 0.5:
                    other.table = f"as {best.name}"
                    best.same_as.append(other.path.name)
            fed.append(best)
    return fed


def tells_changes(frame: pl.DataFrame) -> bool:
    """Whether the headers are those of one row per changed field: when, which field, what it became."""
    headers = {plain(column) for column in frame.columns}
    return all(headers & set(TOLD["changes"][name].split()) for name in ("at", "field", "value")) and len(headers) <= 12


def _enough(table: str, fields: dict[str, str], named: bool, named_otherwise: bool, shared: float) -> bool:
    if key_of(table) not in fields or not _NEEDED.get(table, set()) <= fields.keys():
        return False
    if table == "deals":
        return (
            "stage" in fields
            and bool({"created_at", "closed_at", "amount"} & fields.keys())
            and (named or not named_otherwise)
        )
    if table == "opportunities":
        return shared > 0.5
    return named and (len(fields) > 1 or shared > 0.5)


def _shared(deals: Seen, table: str, file: Seen, fields: dict[str, str]) -> float:
    """How much of what deals refer to is found as the key of this file, 0 to 1."""
    link = key_of(table)
    if link not in fields:
        return 0.0
    return overlap(deals.texts(link), file.frame[fields[link]]) if link in deals.fields else 0.0


def overlap(values: pl.Series, keys: pl.Series) -> float:
    """Share of the distinct values that are among the keys, 0 to 1."""
    own = set(values.cast(pl.String).drop_nulls())
    return len(own & set(keys.cast(pl.String))) / max(len(own), 1)


def matched(table: str, frame: pl.DataFrame, is_history: bool = False) -> tuple[dict[str, str], dict[str, str]]:
    """The column of each field, by header then by contents, and why; of a history the key may stand on several rows."""
    headers = {plain(column): column for column in reversed(frame.columns)}
    fields: dict[str, str] = {}
    reasons: dict[str, str] = {}
    shared = {"name", "team", "manager_id"}
    for name, words in FIELDS[table].items():
        exact = [headers[word] for word in words.split() if word in headers]
        begun = [
            column
            for header, column in headers.items()
            for word in words.split()
            if len(word) > 3 and header.startswith(f"{word}_") and header[len(word) + 1 :].split("_")[0] in _AFTER
        ]
        for column in dict.fromkeys(exact + begun):
            if (column not in fields.values() or name in shared) and fitted(table, name, frame[column], is_history):
                fields[name], reasons[name] = column, "the header says so"
                break
        empty = [column for column in exact if frame[column].null_count() == frame.height]
        if table == "deals" and name not in fields and empty:
            fields[name], reasons[name] = empty[0], "the header says so, though the column is empty"
    if table == "deals":
        _by_contents(frame, fields, reasons)
    return fields, reasons


def _by_contents(frame: pl.DataFrame, fields: dict[str, str], reasons: dict[str, str]) -> None:
    """The stage, the identifier and the dates of deals, where headers say nothing."""
    free = [c for c in frame.columns if c not in fields.values()]
    if "stage" not in fields:
        for column in free:
            said = {kind for value in few(frame[column]) if (kind := stage_kind(value)) != "open"}
            if {"won", "lost"} <= said:
                fields["stage"], reasons["stage"] = column, "few values, and some say won and lost"
                break
    if "opportunity_id" not in fields:
        unique = [c for c in free if c not in fields.values() and _iskey_of(frame[c]) and not refusal(c, frame[c])]
        if unique:
            fields["opportunity_id"], reasons["opportunity_id"] = unique[0], "no two rows have the same value"
    if "created_at" not in fields and "closed_at" in fields:
        days = [c for c in free if c not in fields.values() and _share_of_dates(frame[c]) > 0.9]
        if days:
            fields["created_at"] = max(days, key=lambda c: frame[c].count())
            reasons["created_at"] = "it holds dates, on most rows"


def fitted(table: str, name: str, texts: pl.Series, is_history: bool = False) -> bool:
    """Whether a column's contents are what the field needs."""
    if name == "valid_to":
        open_ = still_so(texts).null_count() - texts.null_count()
        return open_ > 0 or _share_of_dates(texts) > 0.8
    said = texts.cast(pl.String).str.strip_chars().drop_nulls()
    kind = column_of(table, name)
    if said.is_empty() or (not texts.dtype.is_nested() and looks_personal(said)):
        return False
    if isinstance(kind, dy.Date | dy.Datetime):
        return _share_of_dates(texts) > 0.8
    if isinstance(kind, dy.Float64 | dy.Int64):
        try:
            n_numbers = numbers(said, Writing(told_decimal=".")).count()
        except Problem:  # numbers, in two writings: the import will ask
            return True
        return n_numbers > 0.8 * len(said) and not _share_of_dates(texts) > 0.9
    if name == "stage":
        return len(few(texts)) > 0
    if name == key_of(table) and not is_history and table not in ("reps", "deal_contacts", "versions"):
        return _iskey_of(texts)
    return True


def few(texts: pl.Series) -> list[str]:
    """The values of a column that has few of them, the most frequent first; none if it has many."""
    values = texts.cast(pl.String).str.strip_chars().drop_nulls().value_counts(sort=True)
    few = len(values) <= 40 and (len(values) <= 12 or len(values) < 0.2 * len(texts))
    return values.to_series(0).to_list() if few else []


def _iskey_of(texts: pl.Series) -> bool:
    return texts.null_count() == 0 and texts.n_unique() >= 0.98 * len(texts)


def _share_of_dates(texts: pl.Series) -> float:
    said = texts.drop_nulls().unique(maintain_order=True).head(2_000)
    if said.dtype == pl.String:
        said = said.str.strip_chars()
        if said.str.contains(r"^\d{1,7}$|^\d{9,}$|^\D*$").sum() > 0.2 * len(said):
            return 0.0
        try:
            return dates(said, "UTC")["day"].count() / max(len(said), 1)
        except Problem:
            return 1.0
    return 1.0 if said.dtype.is_temporal() and len(said) else 0.0


def refusal(column: str, texts: pl.Series) -> str | None:
    """Why a column never enters a book, if it must not."""
    said = texts.drop_nulls()
    for kind, pattern in PERSONAL.items():
        if re.search(pattern, plain(column)) and not _only_about(kind, said):
            return kind
    if said.dtype != pl.String or said.is_empty():
        return None
    long = said.str.len_chars().quantile(0.9) or 0
    is_text = looks_free_text(said) or (long > 80 and said.n_unique() > 20)
    return looks_personal(said) or ("free text" if is_text else None)


def _only_about(kind: str, said: pl.Series) -> bool:
    """Whether a column named like personal data only says something about it: yes or no, or one of a few codes."""
    if said.is_empty():
        return False
    if said.dtype == pl.Boolean or (said.dtype == pl.String and yes_no(said.str.strip_chars()).null_count() == 0):
        return True
    is_few = said.dtype == pl.String and said.n_unique() <= 0.2 * len(said)
    return kind == "e-mail addresses" and is_few and not said.str.contains("@", literal=True).any()


def stage_kind(value: str) -> str:
    """What a stage is by its name: won, lost, disqualified, else open."""
    said = plain(value)
    return next((kind for kind, pattern in STAGE_KINDS if re.search(pattern, said)), "open")
