"""Which tables are kept together, and how a group too large for memory is cut into buckets of its key."""

from dataclasses import dataclass

import polars as pl

#: Rows of a group beyond which it is read, checked, derived and written bucket by bucket.
MOST_ROWS = 2_000_000
#: Rows a bucket is meant to hold.
BUCKET_ROWS = 500_000


@dataclass(frozen=True)
class Group:
    """Tables imported and stored together. Rows of one `key` stand in one bucket, in every table of the group."""

    name: str
    tables: tuple[str, ...]
    key: str | None = None


#: In the order in which a row of one may refer to a row of another.
GROUPS = (
    Group("plan", ("stages", "reps", "targets", "actions")),
    Group("accounts", ("accounts",), "account_id"),
    Group("contacts", ("contacts",), "contact_id"),
    Group("deals", ("opportunities", "versions", "deal_contacts", "activities"), "opportunity_id"),
    Group("leads", ("leads",), "lead_id"),
)


def group_of(table: str) -> Group:
    """The group that a table belongs to (the calendar, which is derived, to none)."""
    return next(group for group in GROUPS if table in group.tables)


def n_buckets(n_rows: int, at_least: int = 1) -> int:
    """How many buckets a group of so many rows is cut into: a power of two, 1 up to `MOST_ROWS`."""
    n = at_least
    while n_rows > MOST_ROWS and n * BUCKET_ROWS < n_rows:
        n *= 2
    return n


def bucket_of(key: str, n: int) -> pl.Expr:
    """The bucket, 0 to n - 1, of each value of a key; 0 where it is null. Holds within one version of polars."""
    return (pl.col(key).hash(0) % n).fill_null(0).cast(pl.Int32)
