"""From one row per changed field to what a thing was: the state before its first change, and after each."""

from collections.abc import Collection
from datetime import datetime

import polars as pl

from cadran.sources.feeds import OLD
from cadran.sources.place import ID
from cadran.sources.rules import broken
from cadran.sources.spans import MOMENT, Shaped


def fields_of(changes: pl.DataFrame) -> list[str]:
    """The fields that changes, as parsed, may be about."""
    return [c.removeprefix(OLD) for c in changes.columns if c.startswith(OLD)]


def states(changes: pl.DataFrame, begins: pl.DataFrame, bad: pl.DataFrame, until: datetime) -> Shaped:
    """What each thing was since it began and after each of its changes, in the fields that changes are about.

    Before its first change a field was its old value; null where that is not told. A change from before the thing
    began holds since it began. Several values of one field at one moment are put in the order their old values tell;
    where these do not, the rows are set aside.

    Args:
        changes: `ID`, `key`, `at`, `field`, `value` and `old_value` (texts), and for each field a typed column and
            `OLD` column, null on rows about another field.
        begins: `key`, `begin` (null where it is not known), and for each field the value it had from the beginning,
            where that is known and never changed; at most one row a thing.
        bad: `BROKEN` rows so far.
        until: The moment the data was taken.

    Returns:
        One row per thing and moment at which something changed: `ID` of a change, `key`, `valid_from`, the fields;
        and `@base` on the row of the beginning.
    """
    names = fields_of(changes)
    late = changes.filter(pl.col("at") > until)
    usable = changes.join(pl.concat([bad, broken(late[ID], "at", "changed_later")]), on=ID, how="anti")
    usable = usable.drop_nulls(["key", "at"]).filter(pl.col("field").is_in(names))
    usable, torn = _in_order(usable)
    begins = usable.select("key").unique().join(begins, on="key", how="left", maintain_order="left")
    usable = usable.join(begins.select("key", "begin"), on="key", how="left").sort("key", "at", ID)
    usable = usable.with_columns(valid_from=pl.max_horizontal("at", "begin"))
    moments = usable.group_by("key", "valid_from", maintain_order=True).agg(
        pl.col(ID).first(),
        *(pl.col(n).filter(pl.col("field") == n).last() for n in names),
        *((pl.col("field") == n).any().alias(f"@set_{n}") for n in names),
    )
    base = usable.group_by("key", maintain_order=True).agg(
        pl.col(ID).first(),
        pl.col("begin").first().alias("valid_from"),
        *(pl.col(OLD + n).filter(pl.col("field") == n).first().alias(n) for n in names),
        *((pl.col("field") == n).any().alias(f"@set_{n}") for n in names),
    )
    known = begins.select("key", *(pl.col(n).alias(f"@known_{n}") for n in names if n in begins.columns))
    base = base.join(known, on="key", how="left", maintain_order="left").with_columns(
        *(pl.when(f"@set_{n}").then(n).otherwise(f"@known_{n}").alias(n) for n in names if n in begins.columns),
    )
    base = base.select("key", "valid_from", ID, *names, *(pl.lit(True).alias(f"@set_{n}") for n in names), base=True)
    every = pl.concat([base, moments.with_columns(base=False)], how="diagonal_relaxed")
    # The state at the beginning stands first even where its moment is not known; a change at that moment replaces it.
    every = every.sort("key", pl.col("base").not_(), "valid_from").with_row_index("row")
    every = every.with_columns(
        pl.col(n).gather(pl.when(f"@set_{n}").then("row").forward_fill().over("key")).alias(n) for n in names
    )
    is_new = pl.any_horizontal(pl.col(n).ne_missing(pl.col(n).shift(1)) for n in names) | (
        pl.col("key") != pl.col("key").shift(1)
    )
    every = every.filter(pl.col("valid_from").is_not_null()).unique(
        ["key", "valid_from"], keep="last", maintain_order=True
    )
    every = every.filter(is_new.fill_null(True))
    wrong = pl.concat([broken(late[ID], "at", "changed_later"), broken(torn, "value,old_value", "several")])
    return Shaped(
        every.select(ID, "key", pl.col("valid_from").cast(MOMENT), *names, pl.col("base").alias("@base")), wrong
    )


def _in_order(changes: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """Changes with one value for each field and moment, and `ID` of those that cannot be put in order."""
    moment = ["key", "at", "field"]
    several = changes.filter(pl.struct(moment).is_duplicated())
    if several.is_empty():
        return changes, several[ID]
    left = several.select(*moment, "value").rename({"value": "old_value"}).unique()
    before = several.select(*moment, "old_value").rename({"old_value": "value"}).unique()
    last = several.join(before, on=[*moment, "value"], how="anti", nulls_equal=True)
    first = several.join(left, on=[*moment, "old_value"], how="anti", nulls_equal=True)
    ends = last.group_by(moment).agg(pl.col("value").n_unique().alias("n"), pl.col(ID).min().alias("@last"))
    heads = first.group_by(moment).agg(pl.col(ID).min().alias("@first"))
    told = several.join(ends.filter(pl.col("n") == 1), on=moment).join(heads, on=moment, how="left")
    # One row says it all: from what it was before the first of them to what it is after the last.
    old = [c for c in changes.columns if c.startswith(OLD)]
    heads_rows = told.filter(pl.col(ID) == pl.coalesce("@first", "@last")).select(*moment, *old, "old_value")
    merged = told.filter(pl.col(ID) == pl.col("@last")).drop("n", "@last", "@first", *old, "old_value")
    merged = merged.join(heads_rows, on=moment, how="left").select(changes.columns)
    torn = several.join(told, on=ID, how="anti")[ID]
    return pl.concat([changes.join(several, on=ID, how="anti"), merged]), torn


def torn_keys(changes: pl.DataFrame, bad: pl.DataFrame, but: Collection[str] = ("only", "twice")) -> pl.Series:
    """Keys of things of which a change was set aside for another reason than `but`."""
    lost = bad.filter(~pl.col("rule").is_in(list(but)))
    return changes.join(lost, on=ID, how="semi")["key"].drop_nulls().unique()
