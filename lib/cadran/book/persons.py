"""Where a book names a person, and what takes the place of the name when the person is forgotten."""

import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

#: The tables and columns that hold the identifier of a person of each kind; their own table stands first.
NAMED: dict[str, dict[str, tuple[str, ...]]] = {
    "rep": {
        "reps": ("rep_id", "manager_id"),
        "versions": ("rep_id",),
        "leads": ("rep_id",),
        "activities": ("rep_id",),
        "targets": ("scope_id",),
        "actions": ("scope_id",),
    },
    "contact": {
        "contacts": ("contact_id", "merged_into"),
        "deal_contacts": ("contact_id",),
        "activities": ("contact_id",),
    },
    "lead": {"leads": ("lead_id",)},
}
#: The kind of person that each of these tables describes.
KIND_OF = {next(iter(tables)): kind for kind, tables in NAMED.items()}
#: Columns of a rep in which a source may write the name instead.
BY_NAME = ("manager_id", "scope_id")
#: What describes the person alone, in their own table.
DESCRIBED = {"reps": ("name", "hired_date", "left_date"), "contacts": ("job_function", "seniority"), "leads": ()}
#: Words of the team's own, which may mention a rep.
WORDS = {"targets": ("target_id",), "actions": ("action_id", "label")}
#: What stands in a row set aside in place of what it held of a person.
FORGOTTEN = "forgotten"


@dataclass(frozen=True)
class Person:
    """Somebody a book names, by all identifiers that were merged into one another, and by the names it gives them."""

    kind: str
    #: Each identifier, and the pseudonym that takes its place.
    ids: dict[str, str]
    #: Each name that is theirs alone, and the pseudonym that takes its place.
    names: dict[str, str] = field(default_factory=dict)

    @property
    def spellings(self) -> dict[str, str]:
        """Identifiers and names, each with its pseudonym."""
        return self.names | self.ids

    def of(self, column: str) -> dict[str, str]:
        """What may stand in a column of `NAMED`, with its pseudonym."""
        return self.spellings if column in BY_NAME else self.ids


def own_table(kind: str) -> str:
    """The table that describes people of a kind."""
    return next(iter(NAMED[kind]))


def is_named(column: str, spellings: Iterable[str]) -> pl.Expr:
    """Whether a row names one of the spellings in a column of `NAMED`. Goals and actions name a rep only if for one."""
    named = pl.col(column).is_in(pl.Series(list(spellings), dtype=pl.String).implode())
    return (named & (pl.col("scope").cast(pl.String) == "rep") if column == "scope_id" else named).fill_null(False)


def naming(person: Person, table: str, columns: Iterable[str]) -> pl.Expr:
    """Whether a row of a table, of which these columns are there, names the person or mentions them in words."""
    there = set(columns)
    named = [is_named(c, person.of(c)) for c in NAMED[person.kind].get(table, ()) if c in there]
    mentioned = [says(pl.col(c), person.names) for c in WORDS.get(table, ()) if c in there]
    return pl.any_horizontal(pl.lit(False), *named, *mentioned)


def pseudonymised(person: Person, table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """A table in which the pseudonym stands wherever the person was named, and nothing describes them alone.

    Teams, regions, roles and amounts stay, so that what was measured is measured again. The rows stay in their order.
    """
    columns = [c for c in NAMED[person.kind].get(table, ()) if c in frame.columns]
    if table == own_table(person.kind):
        described = [c for c in DESCRIBED[table] if c in frame.columns]
        own = is_named(columns[0], person.ids)
        frame = frame.with_columns(pl.when(~own).then(pl.col(c)).alias(c) for c in described)
    if person.kind == "rep" and table in WORDS:
        theirs = is_named("scope_id", person.spellings)
        frame = frame.with_columns(
            pl.when(theirs).then(_unsaid(pl.col(c), person.spellings)).otherwise(_unsaid(pl.col(c), person.names))
            for c in WORDS[table]
        )
    return frame.with_columns(
        pl.when(is_named(c, person.of(c))).then(pl.col(c).replace(person.of(c))).otherwise(pl.col(c)).alias(c)
        for c in columns
    )


def holding(person: Person) -> pl.Expr:
    """Whether a row set aside holds the person anywhere: an identifier, or all words of a name."""
    anywhere = pl.concat_str([pl.col(c).fill_null("") for c in ("id", "found", "values")], separator="\n")
    names = [pl.all_horizontal(says(anywhere, [word]) for word in name.split()) for name in person.names]
    return pl.any_horizontal(says(anywhere, person.ids), *names)


def blanked(set_aside: pl.DataFrame, held: pl.Expr, word: str = FORGOTTEN) -> pl.DataFrame:
    """Rows set aside that keep their file, place and rule; those `held` lose what stood there, and say `word`."""
    said = {"id": pl.lit(None, pl.String), "found": pl.lit(word), "values": pl.lit(json.dumps(word))}
    marked = set_aside.with_columns(held.alias("@held"))
    return marked.with_columns(
        pl.when("@held").then(new).otherwise(pl.col(column)).alias(column) for column, new in said.items()
    ).drop("@held")


def unsaid(text: str, spellings: dict[str, str]) -> str:
    """A text in which the pseudonym stands wherever one of the spellings is said as a word of its own."""
    for spelling in sorted(spellings, key=len, reverse=True):
        for form in _forms(spelling):
            text = re.sub(rf"(?<!\w){re.escape(form)}(?!\w)", spellings[spelling], text, flags=re.IGNORECASE)
    return text


def says(text: pl.Expr, spellings: Iterable[str]) -> pl.Expr:
    """Whether a text says one of the spellings as a word of its own."""
    patterns = sorted({re.escape(form) for spelling in spellings for form in _forms(spelling)})
    if not patterns:
        return pl.lit(False)
    return text.str.contains(rf"(?i)(?:^|\W)(?:{'|'.join(patterns)})(?:$|\W)").fill_null(False)


def _unsaid(text: pl.Expr, spellings: dict[str, str]) -> pl.Expr:
    replaced = text.map_elements(lambda said: unsaid(said, spellings), return_dtype=pl.String)
    return pl.when(says(text, spellings)).then(replaced).otherwise(text)


def _forms(spelling: str) -> set[str]:
    """A spelling as texts hold it: its accents composed or not, and as JSON writes it."""
    forms = {spelling, *(unicodedata.normalize(form, spelling) for form in ("NFC", "NFD"))}
    return forms | {json.dumps(form, ensure_ascii=only)[1:-1] for form in forms for only in (True, False)}
