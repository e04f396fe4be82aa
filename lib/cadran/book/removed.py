"""What a purge takes from one version of a book: what ended before a day, and whom nothing that is left names."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from cadran.book.stored import MASKS
from cadran.tables.deals import CLOSED
from cadran.tables.groups import group_of
from cadran.tables.problems import Problem

#: The tables whose rows go with their deal.
OF_DEALS = ("opportunities", "versions", "deal_contacts", "activities")
#: The tables whose rows go by their own identifier.
KEYS = {"leads": "lead_id", "contacts": "contact_id", "reps": "rep_id"}
#: The tables whose rows go with the seller they are for.
FOR_REPS = ("targets", "actions")

Rows = Callable[[str], pl.LazyFrame]


@dataclass(frozen=True)
class Removed:
    """What goes from one version of a book: identifiers, in one column of their key."""

    before: datetime
    deals: pl.DataFrame
    leads: pl.DataFrame
    contacts: pl.DataFrame
    reps: pl.DataFrame

    def stay(self, table: str, rows: pl.LazyFrame) -> pl.LazyFrame:
        """The rows of a table that are kept, in their order."""
        if table in OF_DEALS:
            rows = rows.join(self.deals.lazy(), on="opportunity_id", how="anti", maintain_order="left")
        if table == "activities":
            rows = rows.filter(pl.col("opportunity_id").is_not_null() | (pl.col("at") >= self.before))
        if table in KEYS:
            rows = rows.join(getattr(self, table).lazy(), on=KEYS[table], how="anti", maintain_order="left")
        if table in FOR_REPS:
            is_theirs = pl.col("scope_id").is_in(self.reps["rep_id"].implode()).fill_null(False)
            rows = rows.filter(~is_theirs | (pl.col("scope").cast(pl.String) != "rep"))
        return rows

    def held(self) -> pl.Expr:
        """Whether a row set aside holds the identifier of a deal or a lead that goes."""
        gone = pl.concat([self.deals.to_series(), self.leads.to_series()]).implode()
        cells = (
            pl.col("values").str.extract_all(r'"(?:[^"\\]|\\.)*"|-?\d+').list.eval(pl.element().str.strip_chars('"'))
        )
        return pl.col("id").is_in(gone).fill_null(False) | cells.list.eval(
            pl.element().is_in(gone)
        ).list.any().fill_null(False)


def removed(version: Path, manifest: dict[str, Any], before: date, closed: pl.DataFrame | None = None) -> Removed:
    """What goes from a version.

    Args:
        version: Its folder.
        manifest: Its manifest.
        before: The first day that is kept, in the book's time zone.
        closed: Deals that a later version knows to have closed before.
    """
    start = start_of(before, manifest["settings"]["time_zone"])
    rows, deal = partial(stored_rows, version, manifest), "opportunity_id"
    kept = _ids(rows("versions").filter(pl.col("known_to").is_null() & lives_on(start)), deal)
    deals = _ids(rows("opportunities"), deal).join(kept, on=deal, how="anti").collect()
    if closed is not None:
        later = _ids(rows("opportunities"), deal).join(closed.lazy(), on=deal, how="semi").collect()
        deals = pl.concat([deals, later]).unique()
    current = rows("leads").join(deals.lazy(), on=deal, how="anti").filter(~is_old_lead(start))
    leads = _ids(rows("leads"), "lead_id").join(_ids(current, "lead_id"), on="lead_id", how="anti").collect()
    nobody = (pl.DataFrame(schema={key: pl.String}) for key in ("contact_id", "rep_id"))
    gone = Removed(start, deals, leads, *nobody)
    return replace(gone, contacts=_unnamed_contacts(rows, gone), reps=_unnamed_reps(rows, gone, before))


def stored_rows(version: Path, manifest: dict[str, Any], table: str) -> pl.LazyFrame:
    """Every row of a table, believed or taken back; of keys that stand anew beside their bucket, only these."""
    rows = pl.scan_parquet(version / table / "*.parquet")
    group = group_of(table)
    if group.name not in manifest.get("changed", ()):
        return rows
    mask = pl.scan_parquet(version / "changed" / f"{group.name}.parquet")
    kept = rows.join(mask, on=MASKS[group.name], how="anti", nulls_equal=True)
    return pl.concat([kept, pl.scan_parquet(version / "changed" / table / "*.parquet")])


def start_of(day: date, time_zone: str) -> datetime:
    """The instant at which a day begins."""
    return datetime.combine(day, time(), ZoneInfo(time_zone)).astimezone(UTC)


def check_kept(manifest: dict[str, Any], moment: datetime) -> None:
    """Refuse to tell what was known at a moment of which a purge kept only a part.

    Raises:
        Problem: If the moment is before the first day kept.
    """
    if "purged_before" not in manifest:
        return
    kept = date.fromisoformat(manifest["purged_before"])
    if moment < start_of(kept, manifest["settings"]["time_zone"]):
        raise Problem(
            "What ended before {kept:%Y-%m-%d} was purged: what was known on {asked:%Y-%m-%d} cannot be told.",
            "Ask for {kept:%Y-%m-%d} or a later date.", kept=kept, asked=moment,
        )  # fmt: skip


def lives_on(before: datetime) -> pl.Expr:
    """Whether a deal is kept for a version of it: one that was not over by then, and had not closed before."""
    had_closed = pl.col("status").cast(pl.String).is_in(CLOSED) & (pl.col("status_since") < before)
    return (pl.col("valid_to").is_null() | (pl.col("valid_to") > before)) & ~had_closed


def is_old_lead(before: datetime) -> pl.Expr:
    """Whether a lead is about no deal, and the last it tells of was before."""
    last = pl.max_horizontal("created_at", "first_response_at", "qualified_at", "rejected_at")
    return pl.col("opportunity_id").is_null() & (last < before)


def _ids(rows: pl.LazyFrame, key: str, column: str | None = None) -> pl.LazyFrame:
    return rows.select(pl.col(column or key).alias(key)).drop_nulls().unique()


def _unnamed_contacts(rows: Rows, gone: Removed) -> pl.DataFrame:
    """Contacts known before the day, whom nothing that is kept names."""
    key = "contact_id"
    since = rows("contacts").group_by(key).agg(pl.col("valid_from").min()).filter(pl.col("valid_from") < gone.before)
    named = pl.concat([_ids(gone.stay(t, rows(t)), key) for t in ("deal_contacts", "activities")])
    return since.select(key).join(named, on=key, how="anti").collect()


def _unnamed_reps(rows: Rows, gone: Removed, before: date) -> pl.DataFrame:
    """Sellers who had left before the day, whom nothing that is kept names, by identifier or by name."""
    reps = rows("reps").collect()
    last = reps.filter(pl.col("known_to").is_null()).sort("valid_from").unique("rep_id", keep="last")
    had_left = (pl.col("left_date") < before) | (
        pl.col("end_reason").is_not_null() & (pl.col("valid_to") <= gone.before)
    )
    left = last.filter(had_left.fill_null(False)).select("rep_id")
    owners = [_ids(gone.stay(t, rows(t)), "rep_id") for t in ("versions", "leads", "activities")]
    for_reps = pl.col("scope").cast(pl.String) == "rep"
    aims = rows("targets").filter(for_reps & (pl.col("end_date") >= before))
    acts = rows("actions").filter(for_reps & (pl.col("date") >= before))
    named = pl.concat([*owners, *(_ids(frame, "rep_id", "scope_id") for frame in (aims, acts))]).unique().collect()
    names = reps.select("rep_id", "name").drop_nulls().unique()
    while True:
        stay = reps.join(left.join(named, on="rep_id", how="semi"), on="rep_id", how="semi")
        others = pl.concat([reps.join(left, on="rep_id", how="anti"), stay])
        managers = others.select(rep_id="manager_id").drop_nulls().unique()
        by_name = names.join(managers, left_on="name", right_on="rep_id", how="semi").select("rep_id")
        wider = pl.concat([named, managers, by_name]).unique()
        if wider.height == named.height:
            return left.join(named, on="rep_id", how="anti")
        named = wider
