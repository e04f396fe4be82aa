"""What a book remembers of those it forgot: enough to know them again when a source delivers them, and no more."""

import hmac
import json
import secrets
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from cadran.book.persons import NAMED, Person, blanked, holding, pseudonymised, unsaid
from cadran.tables.delivery import Delivery, Part

#: The tables of which rows name somebody, and the rows set aside.
NAMES_SOMEBODY = frozenset({"set_aside", *(table for tables in NAMED.values() for table in tables)})
#: The file in the book's folder.
FILE = "forgotten.json"
_ABOUT = (
    "People this book forgot. `hash` is HMAC-SHA-256 of the kind and the identifier (or name) under `salt`: it tells "
    "whether somebody who is delivered again is one of them. It is not anonymous: who holds this file and a list of "
    "identifiers can try them. See docs/forgetting.md."
)


@dataclass
class Forgotten:
    """Those a book forgot. `met` grows with the delivery it is applied to."""

    salt: bytes
    #: Hash of the kind and a spelling -> pseudonym.
    known: dict[str, str] = field(default_factory=dict)
    #: Hash -> what is written beside it: the kind, whether it is a name, the number of its words.
    about: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: The first day kept by the last purge.
    purged_before: date | None = None
    #: The people recognised so far, by kind.
    met: dict[str, Person] = field(default_factory=dict)

    def remember(self, person: Person) -> None:
        """Take in somebody who is being forgotten."""
        for is_name, spellings in ((False, person.ids), (True, person.names)):
            for spelling, pseudonym in spellings.items():
                digest = self._hash(person.kind, spelling, is_name)
                self.known[digest] = pseudonym
                self.about[digest] = {"kind": person.kind, "is_name": is_name, "n_words": len(spelling.split())}

    def pseudonym(self, kind: str, spelling: str, is_name: bool = False) -> str | None:
        """The pseudonym of somebody forgotten; null for anybody else."""
        return self.known.get(self._hash(kind, spelling, is_name))

    def meet(self, table: str, rows: pl.DataFrame) -> None:
        """Recognise whom the stored rows of a table name, or the rows set aside."""
        if table == "set_aside":
            self.meet_in(_values(rows))
        for kind in NAMED:
            self._meet(kind, {table: rows})

    def applied(self, delivery: Delivery) -> Delivery:
        """The same delivery, in whose parts, as they come, nobody forgotten is named or described."""
        if self.known:
            delivery.parts = self._applied(delivery.parts)
        return delivery

    def scrubbed(self, noted: pl.DataFrame) -> pl.DataFrame:
        """Remarks on a delivery, of which the examples name nobody forgotten."""
        if not self.known or noted.is_empty():
            return noted
        self.meet_in(noted["found"].drop_nulls())
        spellings = {k: v for person in self.met.values() for k, v in person.spellings.items()}
        return noted.with_columns(
            pl.col("found").map_elements(lambda found: unsaid(found, spellings), return_dtype=pl.String)
        )

    def _applied(self, parts: Iterable[Part]) -> Iterator[Part]:
        for part in parts:
            tables = dict(part.tables)
            for kind in sorted({about["kind"] for about in self.about.values()}):
                self._meet(kind, tables)
            self.meet_in(_values(part.set_aside))
            set_aside = part.set_aside
            for person in self.met.values():
                tables = {name: pseudonymised(person, name, frame) for name, frame in tables.items()}
                set_aside = blanked(set_aside, holding(person))
            yield replace(part, tables=tables, set_aside=set_aside)

    def _meet(self, kind: str, tables: dict[str, pl.DataFrame]) -> None:
        """Recognise whom the columns of tables name, and the name that their own table gives them."""
        for table, columns in NAMED[kind].items():
            # Of keys that stand anew, and of numbers, a few columns are stored.
            for column in set(columns) & set(tables[table].columns) if table in tables else ():
                for value in tables[table][column].drop_nulls().unique():
                    self._recognise(kind, value)
        reps = tables.get("reps")
        if kind == "rep" and kind in self.met and reps is not None and "name" in reps.columns:
            ids = self.met[kind].ids
            named = reps.select("rep_id", "name").drop_nulls().unique()
            for name, whose in named.group_by("name").agg("rep_id").iter_rows():
                if len(set(whose)) == 1 and whose[0] in ids:
                    self.met[kind].names[name] = ids[whose[0]]

    def meet_in(self, texts: Iterable[str]) -> None:
        """Recognise whom texts name, as their whole or by words that follow one another."""
        lengths = sorted({about["n_words"] for about in self.about.values()})
        for text in {unicodedata.normalize("NFC", text) for text in texts}:
            words = [word.strip("\"'()[]{}<>,;:=.!?") for word in text.split()]
            said = {" ".join(words[i : i + n]) for n in lengths for i in range(len(words) - n + 1)}
            for spelling in {text, *said}:
                for kind in NAMED:
                    self._recognise(kind, spelling)

    def _recognise(self, kind: str, spelling: str) -> None:
        person = self.met.get(kind) or Person(kind, {}, {})
        for is_name, spellings in ((False, person.ids), (True, person.names)):
            if pseudonym := self.pseudonym(kind, spelling, is_name):
                spellings[spelling] = pseudonym
                self.met[kind] = person

    def _hash(self, kind: str, spelling: str, is_name: bool) -> str:
        said = f"{kind} {'name' if is_name else 'id'} {unicodedata.normalize('NFC', spelling)}"
        return hmac.digest(self.salt, said.encode(), "sha256").hex()

    def to_json(self) -> str:
        """The text of the file."""
        people = [about | {"hash": digest, "pseudonym": self.known[digest]} for digest, about in self.about.items()]
        before = self.purged_before and self.purged_before.isoformat()
        kept = {"about": _ABOUT, "salt": self.salt.hex(), "people": people, "purged_before": before}
        return json.dumps(kept, indent=1, ensure_ascii=False) + "\n"


def forgotten(folder: Path) -> Forgotten:
    """Those whom the book in a folder forgot; nobody where it never did."""
    try:
        kept = json.loads((folder / FILE).read_text("utf-8"))
    except FileNotFoundError:
        return Forgotten(secrets.token_bytes(32))
    about = {one["hash"]: {k: one[k] for k in ("kind", "is_name", "n_words")} for one in kept["people"]}
    pseudonyms = {one["hash"]: one["pseudonym"] for one in kept["people"]}
    before = kept["purged_before"] and date.fromisoformat(kept["purged_before"])
    return Forgotten(bytes.fromhex(kept["salt"]), pseudonyms, about, before)


def _values(set_aside: pl.DataFrame) -> Iterator[str]:
    """What stood in the cells of rows set aside, and their identifiers."""
    yield from set_aside["id"].drop_nulls()
    for row in set_aside["values"].drop_nulls():
        yield from (str(value) for value in _cells(json.loads(row)) if value is not None)


def _cells(row: Any) -> Iterable[Any]:
    return row.values() if isinstance(row, dict) else [row]
