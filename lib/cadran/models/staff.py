"""Who sells, since when, where, and what they won month by month: counted, for teams and regions; nobody is rated."""

from dataclasses import dataclass
from datetime import date, timedelta

import narwhals as nw
import numpy as np
import polars as pl

from cadran.book import Book
from cadran.measures.periods import month_after
from cadran.measures.signals_learnt import in_polars

#: The role that sells, whatever its holder owns.
SELLER = "seller"
#: Who owned a deal within so many days sells, whatever the role.
OWNED_WITHIN = 365
#: Months since hiring beyond which a seller counts as tenured, whose hiring is unknown too.
TENURED = 24
_DEAL = "opportunity_key"


def staff(book: Book) -> pl.DataFrame:
    """Everybody who sells or sold, as the book knows them at its moment.

    Returns:
        One row per seller, sorted: `rep_id`, `region`, `team` (as they are now, or were last), `hired` (null: unknown),
        `began` and `left`, the days between which they are known to have sold (`left` null: still there), and
        `is_present`: whether they are there, or will be from `hired` on.
    """
    view = in_polars(book)
    known = view.collect(view.table("reps")).sort("rep_id", "valid_from")
    zone = book.settings.time_zone
    last = known.group_by("rep_id", maintain_order=True).agg(
        pl.col("region", "team", "left_date", "valid_to").last(), hired=pl.col("hired_date").drop_nulls().first(),
        sells=(pl.col("role").str.to_lowercase() == SELLER).any(), sells_now=pl.col("role").last().str.to_lowercase() == SELLER,
    )  # fmt: skip
    ended = pl.col("valid_to").dt.convert_time_zone(zone).dt.date()
    owners = _owners(view).with_columns(pl.col("first_owned", "last_owned").dt.convert_time_zone(zone).dt.date())
    both = last.join(owners, on="rep_id", how="full", coalesce=True).with_columns(
        pl.col("sells", "sells_now").fill_null(False), left=pl.coalesce("left_date", ended)
    )
    owned = pl.col("last_owned") > book.day - timedelta(days=OWNED_WITHIN)
    is_gone = (pl.col("left") <= book.day).fill_null(False)
    is_present = ~is_gone & (pl.col("sells_now") | owned.fill_null(False))
    sold = both.filter(pl.col("sells") | pl.col("first_owned").is_not_null())
    return sold.with_columns(is_present=is_present).select(
        "rep_id", "region", "team", "hired",
        began=pl.coalesce("hired", "first_owned"),
        left=pl.when(is_gone | is_present).then("left").otherwise(pl.coalesce("left", "last_owned")),
        is_present="is_present",
    ).sort("rep_id")  # fmt: skip


def _owners(view: Book) -> pl.DataFrame:
    """Since when and until when each seller is known to own a deal."""
    until = nw.when(nw.col("status") == "open").then(nw.col("valid_to")).otherwise(nw.col("valid_from"))
    versions = view.table("versions").filter(~nw.col("rep_id").is_null(), nw.col("valid_from") <= view.moment)
    until = nw.when(until.is_null() | (until > view.moment)).then(nw.lit(view.moment)).otherwise(until)
    owned = versions.with_columns(owned_until=until).group_by("rep_id")
    return view.collect(owned.agg(first_owned=nw.col("valid_from").min(), last_owned=nw.col("owned_until").max()))


@dataclass(frozen=True)
class Presence:
    """Sellers by month of the past: arrays are (sellers, months), in the order of `sellers` and `months`."""

    sellers: pl.DataFrame
    #: First days of the whole months of the past, in order.
    months: tuple[date, ...]
    #: Share of the month each was there.
    present: np.ndarray
    #: Whole months since the month of hiring; `TENURED` where it is longer ago, or unknown.
    tenure: np.ndarray
    #: Won deals, each shared out over the days it was open among those who owned it: work that was worth it, when it was done.
    carried: np.ndarray
    #: Revenue signed.
    revenue: np.ndarray


def months_between(first: date, last: date) -> tuple[date, ...]:
    """First days of the months from that of one day to that of another."""
    n = (last.year - first.year) * 12 + last.month - first.month
    return tuple(month_after(first, k) for k in range(n + 1))


def presence(book: Book, sellers: pl.DataFrame) -> Presence:
    """The months of the past, from the first deal's to the last whole one before the book's day.

    Args:
        book: At its moment.
        sellers: From `staff`.
    """
    view = in_polars(book)
    deals = view.deals([_DEAL, "rep_id", "status", "created_date", "closed_date", "amount"])
    won = view.collect(deals.filter(nw.col("status") == "won"))
    first = view.collect(deals.select(nw.col("created_date").min())).item()
    end = month_after(book.day + timedelta(days=1), 0)  # the month of the book's day counts if it is over
    months = months_between(first, end - timedelta(days=1)) if first and first < end else ()
    starts = np.array(months, "datetime64[D]")
    ends = np.array([month_after(month, 1) for month in months], "datetime64[D]")
    began = _days(sellers["began"], np.datetime64("1900-01-01"))
    left = _days(sellers["left"], np.datetime64("2200-01-01")) + np.timedelta64(1, "D")
    overlap = np.minimum(ends, left[:, None]) - np.maximum(starts, began[:, None])
    present = np.clip(overlap.astype(float) / (ends - starts).astype(float), 0, 1)
    places = sellers.select("rep_id").with_row_index("place")
    revenue = _by_month(
        won.join(places, on="rep_id").select("place", "amount", day="closed_date"), months, present.shape
    )
    spans = _spans(view, won).join(places, on="rep_id")
    return Presence(
        sellers, months, present, tenure_of(sellers["hired"], months), _carried(spans, months, present.shape), revenue
    )


def _spans(view: Book, won: pl.DataFrame) -> pl.DataFrame:
    """The days on which each owner had each won deal open: `rep_id`, `since`, `until` (excluded), `share` of its days."""
    versions = view.table("versions").filter(nw.col("status") == "open", ~nw.col("rep_id").is_null())
    rows = view.collect(versions.select(_DEAL, "rep_id", "valid_from", "valid_to"))
    rows = rows.join(won.select(_DEAL), on=_DEAL, how="semi")
    day = [pl.col(name).dt.convert_time_zone(view.settings.time_zone).dt.date() for name in ("valid_from", "valid_to")]
    spans = rows.select(_DEAL, "rep_id", since=day[0], until=day[1].fill_null(view.day))
    # A deal won on its first day counts for that day.
    spans = spans.with_columns(until=pl.max_horizontal("until", pl.col("since") + pl.duration(days=1)))
    days = (pl.col("until") - pl.col("since")).dt.total_days()
    return spans.with_columns(share=1 / days.sum().over(_DEAL))


def _carried(spans: pl.DataFrame, months: tuple[date, ...], shape: tuple[int, ...]) -> np.ndarray:
    """(sellers, months) won deals, by the days of the month on which each seller had them open."""
    each = spans.with_columns(day=pl.date_ranges(pl.col("since").dt.truncate("1mo"), pl.col("until"), "1mo")).explode(
        "day"
    )
    ends = pl.min_horizontal("until", pl.col("day").dt.offset_by("1mo"))
    days = (ends - pl.max_horizontal("since", "day")).dt.total_days().clip(0)
    return _by_month(each.select("place", "day", amount=days * pl.col("share")), months, shape)


def _by_month(rows: pl.DataFrame, months: tuple[date, ...], shape: tuple[int, ...]) -> np.ndarray:
    """(sellers, months) amounts summed by place and month."""
    month = (rows["day"].dt.year().cast(pl.Int64) * 12 + rows["day"].dt.month()).to_numpy()
    column = month - (months[0].year * 12 + months[0].month if months else 0)
    inside = (column >= 0) & (column < len(months))
    told = np.zeros(shape)
    amounts = rows["amount"].cast(pl.Float64).fill_null(0.0).to_numpy()
    np.add.at(told, (rows["place"].to_numpy()[inside], column[inside]), amounts[inside])
    return told


def tenure_of(hired: pl.Series, months: tuple[date, ...]) -> np.ndarray:
    """(sellers, months) whole months since hiring, negative before; at most `TENURED`, which stands for unknown too."""
    began = (hired.dt.year() * 12 + hired.dt.month()).cast(pl.Int64).fill_null(-(10**6)).to_numpy()
    each = np.array([month.year * 12 + month.month for month in months], np.int64)
    return np.asarray(np.minimum(each - began[:, None], TENURED))


def _days(days: pl.Series, unknown: np.datetime64) -> np.ndarray:
    return np.where(days.is_null().to_numpy(), unknown, days.cast(pl.Date).to_numpy().astype("datetime64[D]"))
