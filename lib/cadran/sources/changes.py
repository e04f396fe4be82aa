"""From one row per changed field to what a thing was: the state before its first change, and after each."""

from datetime import datetime

import polars as pl

from cadran.sources.feeds import OLD
from cadran.sources.place import ID
from cadran.sources.rules import broken
from cadran.sources.spans import MOMENT, Shaped, complete


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
    wrong = pl.concat([broken(late[ID], "at", "changed_later"), broken(torn, "value,old_value", "several")])
    return Shaped(_after_each(usable, begins, names), wrong)


def _after_each(usable: pl.DataFrame, begins: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """The states of `states`, of changes that can be used. One pass over rows in order: no group, no window."""
    keys = usable.select("key").unique().join(begins, on="key", how="left")
    base = keys.select("key", "begin", *(pl.col(n).alias(f"@known_{n}") for n in names if n in begins.columns))
    every = pl.concat(
        [base.with_columns(at="begin", base=True), usable.with_columns(base=False)], how="diagonal_relaxed"
    )
    every = complete(every, [(f"@known_{n}", every.schema[n]) for n in names])
    # The state at the beginning stands first of its thing, even where its moment is not known.
    every = every.sort(pl.col("key").hash(0), pl.col("base").not_(), "at", ID).with_row_index("row")
    start = pl.when("base").then("row").forward_fill()
    last = pl.when(pl.col("base").shift(-1, fill_value=True)).then("row").backward_fill()
    every = (
        every.with_columns(start=start, last=last)
        .drop("begin")
        .with_columns(begin=pl.col("at").gather(pl.col("start")))
    )
    rows = every.with_columns(_filled(n) for n in names)
    rows = rows.with_columns(
        pl.col(ID).fill_null(pl.col(ID).shift(-1)),  # the beginning is told by the first change
        valid_from=pl.max_horizontal("at", "begin"),
    )
    following = (pl.col("start") != pl.col("start").shift(-1)) | (
        pl.col("valid_from") != pl.col("valid_from").shift(-1)
    )
    rows = rows.filter(pl.col("valid_from").is_not_null() & following.fill_null(True))
    is_new = pl.any_horizontal(pl.col(n).ne_missing(pl.col(n).shift(1)) for n in names)
    is_new = is_new | (pl.col("start") != pl.col("start").shift(1)).fill_null(True)
    return rows.filter(is_new).select(
        ID, "key", pl.col("valid_from").cast(MOMENT), *names, pl.col("base").alias("@base")
    )


def _filled(name: str) -> pl.Expr:
    """A field on every row: of the last change so far; else what it was before the next one; else from the beginning."""
    is_set = pl.col("field") == name
    before, after = (pl.when(is_set).then("row").forward_fill(), pl.when(is_set).then("row").backward_fill())
    was = pl.col(OLD + name).gather(pl.when(after <= pl.col("last")).then(after))
    so_far = pl.when(before >= pl.col("start"))
    known = pl.col(f"@known_{name}").gather(pl.col("start"))
    return (
        so_far.then(pl.col(name).gather(pl.when(before >= pl.col("start")).then(before)))
        .when(after <= pl.col("last")).then(was)
        .otherwise(known)
        .alias(name)
    )  # fmt: skip


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


def torn_keys(changes: pl.DataFrame, bad: pl.DataFrame) -> pl.Series:
    """Keys of things of which a change was set aside, and not as a copy."""
    return changes.join(bad.filter(pl.col("rule") != "twice"), on=ID, how="semi")["key"].drop_nulls().unique()
