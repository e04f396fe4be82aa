"""Where rows come from, and how they are held to the tables' rules."""

from collections.abc import Callable
from pathlib import Path

import polars as pl

from cadran.sources.feeds import Mapping
from cadran.sources.fields import Fed, fed
from cadran.sources.read import FILE, ID, Rows, read
from cadran.sources.rules import breaches, broken, orphans, set_aside
from cadran.sources.shape import (
    earliest,
    gathered,
    in_one_currency,
    in_time,
    key_of,
    lives,
    only_new,
    stages,
    taken,
    with_status,
)
from cadran.tables import FOREIGN_KEYS, TABLES, VERSIONED
from cadran.tables.delivery import NOTED, SET_ASIDE, Delivery, Settings, SourceFile
from cadran.tables.problems import Problem

__all__ = ["deliver"]

Progress = Callable[[str, float], None]
#: A row of `NOTED`.
Note = tuple[str, str, str, int, str]
OPEN_WITH_CLOSE = "the close date of an open deal was not used"


def deliver(mapping: Mapping, folder: Path | None = None, progress: Progress | None = None) -> Delivery:
    """Read a source into valid tables; rows that break a rule are set aside, with the rule.

    Args:
        mapping: From `load_mapping`.
        folder: Where the files are. Default: the mapping's own `folder`, else the mapping file's place
            (the current folder for a mapping that ships with Cadran).
        progress: Told what is being done, and the share done (0 to 1).

    Returns:
        The tables that the mapping feeds, every row valid and every foreign key known; the rows set aside; and one
        `SourceFile` per file and table, with rows read = rows accepted + rows set aside.

    Raises:
        Problem: If nothing can be imported: see docs/mapping.md, "What stops an import".
    """
    said = progress or (lambda doing, share: None)
    files = _read_all(mapping, folder or _home(mapping), said)
    feeds, first_id = [], 0
    for n, feed in enumerate(mapping.feeds):
        said(feed.table, 0.3 + 0.3 * n / len(mapping.feeds))
        if files[feed.file].frame.width:
            feeds.append(fed(feed, files, mapping, first_id))
            first_id += files[feed.file].frame.height
    feeds = only_new(feeds)
    said("rules", 0.6)
    tables, settings, wrong, open_notes = _shaped(feeds, mapping)
    bad = pl.concat([*(f.broken for f in feeds), wrong])
    tables = {table: _fitted(table, rows) for table, rows in tables.items()}
    bad = pl.concat([bad, *(breaches(table, rows) for table, rows in tables.items())])
    said("links", 0.8)
    tables, kept_null, notes = _unknown_to_null(tables, bad, feeds)
    bad = pl.concat([bad, orphans(tables, bad, kept_null)])
    good = {table: rows.join(bad, on=ID, how="anti") for table, rows in tables.items()}
    aside = pl.concat([pl.DataFrame(schema=SET_ASIDE), *(_aside(f, bad) for f in feeds)])
    if good["opportunities"].is_empty():
        _nothing_left(aside)
    said("done", 1.0)
    valid = {table: rows.drop(ID) for table, rows in good.items()}
    noted = pl.DataFrame([*_guessed(files), *open_notes, *notes], schema=NOTED, orient="row")
    read = [file for f in feeds for file in _counted(f, bad, files)]
    return Delivery.whole(settings, valid, aside, files=read, noted=noted)


def _home(mapping: Mapping) -> Path:
    here = Path() if mapping.is_shipped else mapping.path.parent
    return here / mapping.folder if mapping.folder else here


def _read_all(mapping: Mapping, folder: Path, said: Progress) -> dict[str, Rows]:
    used = {feed.file for feed in mapping.feeds} | {
        f.source for feed in mapping.feeds for f in feed.fields.values() if f.source
    }
    files = {}
    for n, name in enumerate(sorted(used)):
        said(name, 0.3 * n / len(used))
        files[name] = read(mapping.files[name], folder)
    return files


def _shaped(feeds: list[Fed], mapping: Mapping) -> tuple[dict[str, pl.DataFrame], Settings, pl.DataFrame, list[Note]]:
    rows, wrong = gathered(feeds)
    rows["stages"], first_stage = stages(mapping, rows.get("stages"))
    for table in rows.keys() & {"deals", "versions"}:
        rows[table] = with_status(rows[table], rows["stages"])
    until = taken(mapping, rows)
    since_ever = earliest(rows, until)
    known = {f.name: f.known for feed in mapping.feeds if feed.table == "deals" for f in feed.fields.values()}
    late: list[pl.DataFrame] = []
    notes: list[Note] = []
    if "versions" in rows:
        late.append(broken(rows["versions"].filter(pl.col("valid_from") > until)[ID], "valid_from", "changed_later"))
    if "deals" in rows:
        notes += _open_with_close(rows["deals"], feeds)
        opportunities, versions, wrong_lives = lives(rows.pop("deals"), known, first_stage, until)
        late.append(wrong_lives)
        rows["opportunities"] = pl.concat([opportunities, *_given(rows, "opportunities")], how="diagonal")
        rows["versions"] = pl.concat([versions, *_given(rows, "versions")], how="diagonal")
    rows["versions"] = in_one_currency(rows["versions"], mapping)
    tables = {table: in_time(table, r, since_ever) if table in VERSIONED else r for table, r in rows.items()}
    settings = Settings(
        name=mapping.name,
        taken=until,
        time_zone=mapping.time_zone,
        currency=mapping.currency,
        amount_basis=mapping.amount_basis,
        fiscal_year_starts=mapping.fiscal_year_starts,
        holidays=mapping.holidays,
        known_at_close=tuple(name for name, when in known.items() if when == "at_close"),
    )
    return tables, settings, pl.concat([wrong, *late]), notes


def _open_with_close(deals: pl.DataFrame, feeds: list[Fed]) -> list[Note]:
    """A note, for each file, on deals still open whose close date says nothing yet."""
    if "closed_at" not in deals.columns:
        return []
    fed = [(one, one.feed.fields.get("closed_at")) for one in feeds if one.feed.table == "deals"]
    expected = {f.column for one, _ in fed if (f := one.feed.fields.get("expected_close_date"))}
    odd = deals.filter(pl.col("status") == "open", pl.col("closed_at").is_not_null()).select(ID, day="@closed_at_day")
    notes: list[Note] = []
    for one, field in fed:
        rows = one.rows.select(ID, FILE).join(odd, on=ID)
        for file in rows[FILE].unique().sort() if field and field.column not in expected else ():
            days = rows.filter(pl.col(FILE) == file)["day"]
            found = ", ".join(map(str, days.unique().sort().head(5)))
            notes.append(("opportunities", file, OPEN_WITH_CLOSE, len(days), found))
    return notes


def _given(rows: dict[str, pl.DataFrame], table: str) -> list[pl.DataFrame]:
    return [rows[table]] if table in rows else []


def _fitted(table: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Exactly the columns of the table, null where the source has none, and `ID`."""
    schema = TABLES[table].create_empty().schema
    return rows.select(
        *(pl.col(n).cast(d) if n in rows.columns else pl.lit(None, d).alias(n) for n, d in schema.items()), ID
    )


def _unknown_to_null(
    tables: dict[str, pl.DataFrame], bad: pl.DataFrame, feeds: list[Fed]
) -> tuple[dict[str, pl.DataFrame], set[tuple[str, str]], list[Note]]:
    """References to what does not exist made null where the mapping says so, and a note on each."""
    tables, kept, notes = dict(tables), set(), []
    keeping = [(one, f) for one in feeds for f in one.feed.fields.values() if f.unknown == "keep as null"]
    for one, field in keeping:
        parts = ("opportunities", "versions") if one.feed.table == "deals" else (one.feed.table,)
        table = next(part for part in parts if (part, field.name) in FOREIGN_KEYS)
        parent, key = FOREIGN_KEYS[table, field.name]
        there = tables[parent].join(bad, on=ID, how="anti")[key].unique().implode()
        own = pl.col(ID).is_in(one.rows[ID].implode())
        unknown = own & ~pl.col(field.name).is_in(there) & pl.col(field.name).is_not_null()
        lost = tables[table].filter(unknown)
        if lost.height:
            values = ", ".join(lost[field.name].unique().sort().head(10))
            file = ", ".join(one.rows[FILE].unique())
            notes.append(
                (table, file, f"an unknown `{field.name}` was taken as not given", lost[ID].n_unique(), values)
            )
        tables[table] = tables[table].with_columns(pl.when(~unknown).then(field.name).alias(field.name))
        kept.add((table, field.name))
    return tables, kept, notes


def _guessed(files: dict[str, Rows]) -> list[Note]:
    return [
        ("", name, "the encoding of a file was guessed", 1, encoding)
        for rows in files.values()
        for name, encoding in rows.guesses.items()
    ]


def _aside(fed: Fed, bad: pl.DataFrame) -> pl.DataFrame:
    table = "opportunities" if fed.feed.table == "deals" else fed.feed.table
    columns = {name: field.column for name, field in fed.feed.fields.items()}
    return set_aside(bad, table, columns, key_of(fed.feed.table), fed.rows)


def _counted(fed: Fed, bad: pl.DataFrame, files: dict[str, Rows]) -> list[SourceFile]:
    table = "opportunities" if fed.feed.table == "deals" else fed.feed.table
    wrong = fed.rows.join(bad, on=ID, how="semi")
    return [
        SourceFile(
            name,
            table,
            digest,
            n := int((fed.rows[FILE] == name).sum()),
            n - (m := int((wrong[FILE] == name).sum())),
            m,
        )
        for name, digest in files[fed.feed.file].digests.items()
    ]


class NothingLeft(Problem):
    """Every deal was set aside. The rule that most of them break and its repair are sentences of their own."""

    def told(self, words: Callable[[str], str]) -> str:
        said = {name: "; ".join(words(line) for line in str(text).split("\n")) for name, text in self.values.items()}
        return words(self.what).format(**said) + "\n" + said["advice"]


def _nothing_left(aside: pl.DataFrame) -> None:
    deals = aside.filter(pl.col("table") == "opportunities")
    if deals.is_empty():
        raise Problem("The source holds no deal.", "Check that the files are the right ones.")
    frequent = deals["rule"].value_counts(sort=True)["rule"][0]
    row = deals.filter(pl.col("rule") == frequent).row(0, named=True)
    raise NothingLeft(
        "All {n} deals were set aside; most often: {rule}. For example {file}, row {row}: {found}.",
        "",
        n=deals.height, rule=frequent, file=row["file"], row=row["row"], found=row["found"], advice=row["repair"],
    )  # fmt: skip
