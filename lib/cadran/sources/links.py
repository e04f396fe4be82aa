"""References between tables: which rows name something that is not there, followed to the end."""

from collections.abc import Callable, Iterable
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field

import polars as pl

from cadran.sources.place import ID
from cadran.sources.rules import BROKEN, broken
from cadran.tables import FOREIGN_KEYS

#: (table, column) that refer to a table.
_REFERRED = dict(FOREIGN_KEYS.values())


@dataclass
class Known:
    """The keys that rows may refer to: of rows accepted so far, and of those the book holds. As 64-bit hashes."""

    #: Keys that the book holds of a table to which rows that are not delivered may belong.
    held: Callable[[str], pl.Series] = lambda table: pl.Series(dtype=pl.String)
    #: Whether the book keeps a thing of a table under another key.
    is_renamed: Callable[[str, str], bool] = lambda table, key: False
    _keys: dict[str, list[pl.Series]] = field(default_factory=dict)

    def add(self, tables: Dict[str, pl.DataFrame]) -> None:
        """Take in the keys of accepted rows."""
        for table in tables.keys() & _REFERRED.keys():
            self._of(table).append(tables[table][_REFERRED[table]].drop_nulls().unique().hash(0))

    def holds(self, table: str, values: pl.Series) -> pl.Series:
        """Whether each value is a key of `table`."""
        keys = self._of(table)
        if len(keys) > 1:
            keys[:] = [pl.concat(keys).unique()]
        there = values.hash(0).is_in(keys[0].implode())
        renamed = [key for key in values.filter(~there).drop_nulls().unique() if self.is_renamed(table, key)]
        return there | values.is_in(renamed) if renamed else there

    def _of(self, table: str) -> list[pl.Series]:
        if table not in self._keys:
            self._keys[table] = [self.held(table).cast(pl.String).hash(0).cast(pl.UInt64)]
        return self._keys[table]


def unknown_to_null(
    tables: Dict[str, pl.DataFrame], bad: pl.DataFrame, kept_null: Iterable[tuple[str, str]], known: Known
) -> tuple[dict[str, pl.DataFrame], dict[tuple[str, str], pl.DataFrame]]:
    """References of `kept_null` to what does not exist made null; and for each, the rows (`ID`, value) it was."""
    tables, lost = dict(tables), {}
    for table, name in kept_null:
        if table not in tables:
            continue
        there = _there(table, name, tables, bad, known)
        unknown = tables[table][name].is_not_null() & ~there
        lost[table, name] = tables[table].filter(unknown).select(ID, value=name)
        tables[table] = tables[table].with_columns(tables[table][name].set(unknown, None))
    return tables, lost


def orphans(
    tables: Dict[str, pl.DataFrame], bad: pl.DataFrame, kept_null: Iterable[tuple[str, str]], known: Known
) -> pl.DataFrame:
    """Rows that refer to a row which does not exist or is itself set aside, followed to the end.

    Args:
        tables: Rows of the tables of a group with their `ID`.
        bad: `BROKEN` rows so far.
        kept_null: (table, column) whose unknown values were made null instead.
        known: Keys of the groups before.
    """
    kept_null = set(kept_null)
    found = [_unknown(tables, kept_null, known)]
    lost = pl.concat([bad, *found])
    good = without(tables, lost)
    while True:
        # What no row was taken from refers to no less than before.
        breaking = _unknown(good, kept_null, known) if lost.height else lost
        if "opportunities" in tables and "versions" in tables:
            breaking = pl.concat([breaking, *_half_told(tables, good, lost)])
        if breaking.is_empty():
            return pl.concat(found)
        found.append(breaking)
        lost = pl.concat([lost, breaking])
        good = without(good, breaking)


def without(tables: Dict[str, pl.DataFrame], bad: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The same tables without the rows that are bad."""
    if bad.is_empty():
        return dict(tables)
    ids = bad[ID].unique().implode()
    return {name: frame.filter(~pl.col(ID).is_in(ids).fill_null(False)) for name, frame in tables.items()}


def _half_told(
    tables: Dict[str, pl.DataFrame], good: Dict[str, pl.DataFrame], lost: pl.DataFrame
) -> list[pl.DataFrame]:
    """Deals without any version, and deals some of whose versions were set aside."""
    deals, key = good["opportunities"], "opportunity_id"
    bare = deals.filter(~pl.col(key).hash(0).is_in(good["versions"][key].hash(0).implode()))
    if lost.is_empty():
        return [broken(bare[ID], key, "no_version")]
    gone = tables["versions"].join(lost, on=ID, how="semi")
    torn = deals.join(bare, on=ID, how="anti").join(gone, on=key, how="semi")
    return [broken(bare[ID], key, "no_version"), broken(torn[ID], key, "torn")]


def _unknown(tables: Dict[str, pl.DataFrame], kept_null: set[tuple[str, str]], known: Known) -> pl.DataFrame:
    found = [pl.DataFrame(schema=BROKEN)]
    for table, name in FOREIGN_KEYS:
        if table in tables and (table, name) not in kept_null:
            own = tables[table]
            if own[name].null_count() < own.height:
                lost = own[ID].filter(own[name].is_not_null() & ~_there(table, name, tables, None, known))
                found.append(broken(lost, name, f"{table}>{name}"))
    return pl.concat(found)


def _there(table: str, name: str, tables: Dict[str, pl.DataFrame], bad: pl.DataFrame | None, known: Known) -> pl.Series:
    """Whether what each row refers to is there: in the same bucket, or known from before. Of null it says nothing."""
    parent, key = FOREIGN_KEYS[table, name]
    values = tables[table][name]
    if parent not in tables:
        return known.holds(parent, values)
    rows = tables[parent] if bad is None or bad.is_empty() else tables[parent].join(bad, on=ID, how="anti")
    there = values.hash(0).is_in(rows[key].drop_nulls().unique().hash(0).implode()) & values.is_not_null()
    missing = values.filter(~there & values.is_not_null())
    if len(missing) and known.holds(parent, missing).any():
        there = there | known.holds(parent, values).fill_null(False)
    return there
