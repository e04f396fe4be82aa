"""What won deals of a book were like on their way: how long they stayed, waited and kept silent; and where, by their
measure, a weak signal begins."""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from cadran.book import Book
from cadran.book.engines import POLARS
from cadran.book.known import followed_since, kept_from
from cadran.book.moments import beside, collect, rows
from cadran.measures.catalogue import Question
from cadran.measures.response import waits
from cadran.measures.survival import UNKNOWN, Estimate, Incidence
from cadran.tables.deals import CLOSED

#: Fewer won deals than this make no threshold: of 30, three lie beyond the 90th percentile.
LEAST_WON = 30
#: The latest won deals are enough to learn from.
MOST_WON = 20_000
DEAL = "opportunity_key"
_HOUR, _DAY = 3600e6, 86_400e6
_INSTANT = pl.Datetime("us", "UTC")
_VALUES: dict[str, Any] = {"signal": pl.String, "stage": pl.String, "cluster": pl.Int64, "won_at": _INSTANT, "value": pl.Float64,
           "is_event": pl.Boolean}  # fmt: skip


def in_polars(book: Book) -> Book:
    """The same view, read in this process."""
    return book if book.engine is POLARS else replace(book, engine=POLARS)


@lru_cache(maxsize=8)
def habits(book: Book) -> pl.DataFrame:
    """What is learnt from the latest won deals of a book, nothing of after their closing.

    Returns:
        One row per stay, wait, gap, or deal: `signal`; `stage`, "" where that plays no part; `cluster`, the key of the
        deal; `won_at`; `value`, never negative; `is_event`, false where the value is only known to be greater.
    """
    book = in_polars(book)
    deals = book.collect(book.deals([DEAL, "opportunity_id", "status", "closed_at"]).filter(nw.col("status") == "won"))
    latest = deals.sort("closed_at", "opportunity_id").tail(MOST_WON)
    won = latest.select(pl.col(DEAL).cast(pl.Int64), won_at="closed_at")
    found = [*_of_versions(book, won), _of_waits(book, won), *_of_touches(book, won), _of_people(book, won)]
    return pl.concat([frame.select(pl.col(name).cast(kind) for name, kind in _VALUES.items()) for frame in found])


def quantile(values: pl.DataFrame, share: float, with_interval: bool = True) -> Estimate:
    """The value that a share of them are no greater than, deals being clusters; unknown under `LEAST_WON` deals.

    Source:
        As `Incidence.quantile`: Kaplan and Meier (1958), Brookmeyer and Crowley (1982).
    """
    if values["cluster"].n_unique() < LEAST_WON:
        return UNKNOWN
    counted = values.rename({"value": "time"}).select("cluster", "time", "is_event")
    is_event = pl.col("is_event").cast(pl.Int64)
    clock = counted.group_by("time").agg(n_event=is_event.sum(), n_other=pl.lit(0), n_censored=(1 - is_event).sum())
    curve = Incidence.of(clock)
    return (curve.clustered(counted) if with_interval else curve).quantile(share)


@lru_cache(maxsize=8)
def lives(book: Book) -> pl.DataFrame:
    """From when to when each deal was open for the first time: `opportunity_key`, `opportunity_id`, `began_at` and
    `ended_at` (null: still). What was before a purge is no part of it."""
    versions = in_polars(book).table("versions").to_native()
    is_closed = pl.col("status").cast(pl.String).is_in(CLOSED)
    first = collect(
        versions.group_by(DEAL, "opportunity_id").agg(
            began_at=pl.col("valid_from").filter(~is_closed).min(),
            ended_at=pl.col("valid_from").filter(is_closed).min(),
        )
    )
    began = pl.max_horizontal("began_at", pl.lit(kept_from(book), _INSTANT))
    return first.filter(pl.col("began_at").is_not_null()).with_columns(began_at=began).sort(DEAL)


def drawn(spans: pl.DataFrame, seed: int = 0) -> pl.DataFrame:
    """One moment of each deal, any of its life alike. It hangs on the deal alone, not on what else the book holds.

    Args:
        spans: One row per deal: `opportunity_key`, `opportunity_id`, `began_at`, `ended_at`.
        seed: Of the draw.

    Returns:
        `opportunity_key` and `at`, of the deals that lasted.
    """
    lasted = spans.filter(pl.col("ended_at") > pl.col("began_at"))
    began, ended = (lasted[name].cast(pl.Int64).to_numpy() for name in ("began_at", "ended_at"))
    drawn = np.array([_fraction(f"{seed} {deal}") for deal in lasted["opportunity_id"]], float)
    at = began + (drawn * (ended - began)).astype(np.int64)
    return lasted.select(DEAL, at=pl.Series(at, dtype=pl.Int64).cast(_INSTANT))


def _fraction(text: str) -> float:
    """A number from 0 to 1, under 1, that a text stands for, everywhere and always the same."""
    return int.from_bytes(blake2b(text.encode(), digest_size=6).digest(), "big") / 2**48


def active_people(book: Book, pairs: pl.DataFrame) -> pl.DataFrame:
    """How many fewer people of the client wrote, called or met us in the last 30 days than in the 30 before.

    Args:
        book: Read by polars.
        pairs: `opportunity_key` and `at`, one row per question.

    Returns:
        One row per question, in order: `n_fewer` (0 where there are as many or more), null where nobody had in these
        60 days. What a machine sent counts for nobody.
    """
    asked = pairs.select(DEAL, "at").with_row_index("row")
    told = rows(book, "activities", DEAL, "contact_id", "kind", "direction", "is_automatic", "at").rename({"at": "on"})
    kind, direction = pl.col("kind").cast(pl.String), pl.col("direction").cast(pl.String)
    is_active = (direction == "inbound").fill_null(False) | kind.is_in(["meeting", "demo"])
    is_theirs = is_active & pl.col("contact_id").is_not_null() & ~pl.col("is_automatic").fill_null(False)
    had = beside(asked, told.filter(is_theirs).drop("kind", "direction", "is_automatic"), DEAL, "on")
    days = (pl.col("at") - pl.col("on")).dt.total_microseconds() / _DAY
    recent = had.with_columns(days=days).filter(pl.col("days") < 60)
    who, is_late = pl.col("contact_id"), pl.col("days") < 30
    counted = recent.group_by("row").agg(now=who.filter(is_late).n_unique(), before=who.filter(~is_late).n_unique())
    fewer = (pl.col("before").cast(pl.Int64) - pl.col("now").cast(pl.Int64)).clip(0)
    return asked.join(counted, on="row", how="left", maintain_order="left").select(n_fewer=fewer)


def _of_versions(book: Book, won: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Stays of won deals, their pushes by the end of each, and how far their amount went from the first known."""
    told = collect(book.table("versions").to_native().join(won.lazy(), on=DEAL)).sort(DEAL, "valid_from")
    followed, is_open = followed_since(book), pl.col("status").cast(pl.String) == "open"
    base = {"cluster": pl.col(DEAL), "won_at": pl.col("won_at"), "is_event": pl.lit(True)}
    stays = told.filter(is_open, pl.col("valid_to").is_not_null()).group_by(DEAL, "won_at", "stage", "stage_since")
    ended = stays.agg(pl.col("valid_to").max(), pl.col("n_pushes").max())
    seen = ended if followed is None else ended.filter(pl.col("stage_since") >= followed)
    lasted = (pl.col("valid_to") - pl.col("stage_since")).dt.total_microseconds() / _DAY
    yield seen.select("stage", signal=pl.lit("stalled"), value=lasted, **base)
    whole = told if followed is None else told.filter(pl.col("valid_from").min().over(DEAL) >= followed)
    pushes = ended.join(whole, on=DEAL, how="semi")
    yield pushes.select("stage", signal=pl.lit("pushed_again"), value=pl.col("n_pushes"), **base)
    if "amount" in book.settings.known_at_close:
        return
    amounts = whole.group_by(DEAL, "won_at").agg(
        first=pl.col("amount").drop_nulls().first(), last=pl.col("amount").last()
    ).filter(pl.col("first") > 0, pl.col("last").is_not_null())  # fmt: skip
    change = pl.col("last") / pl.col("first") - 1
    for signal, way in (("amount_up", change), ("amount_down", -change)):
        yield amounts.select(stage=pl.lit(""), signal=pl.lit(signal), value=way.clip(0), **base)


def _of_waits(book: Book, won: pl.DataFrame) -> pl.DataFrame:
    """Hours that clients of won deals waited for us: those still waiting at the closing had waited until then."""
    asked = collect(waits(book, Question(where={"status": ("won",)})).to_native()).join(won, on=DEAL)
    now = pl.lit(book.moment).cast(_INSTANT)
    until_won = pl.col("age_hours") - (now - pl.col("won_at")).dt.total_microseconds() / _HOUR
    timed = asked.with_columns(until_won=until_won).filter(pl.col("until_won") >= 0)
    return timed.select(
        "won_at", signal=pl.lit("client_waits"), stage=pl.lit(""), cluster=DEAL,
        value=pl.min_horizontal("response_hours", "until_won"),
        is_event=(pl.col("response_hours") <= pl.col("until_won")).fill_null(False),
    )  # fmt: skip


def _of_touches(book: Book, won: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Days that a touch of ours stayed the last one, and days between two of the client's; the winning ends both."""
    direction, on = pl.col("direction").cast(pl.String), pl.col("at")
    told = book.table("activities").to_native().filter(
        direction.is_in(["inbound", "outbound"]), ~pl.col("is_automatic").fill_null(False)
    )  # fmt: skip
    touches = collect(
        told.select(pl.col(DEAL).cast(pl.Int64), "at", "activity_id", is_inbound=direction == "inbound")
        .join(won.lazy(), on=DEAL)
        .filter(on <= pl.col("won_at"))
    ).sort(DEAL, "at", "activity_id")
    follows = on.shift(-1).over(DEAL)
    ours = touches.with_columns(next=follows).filter(~pl.col("is_inbound"))
    theirs = touches.filter("is_inbound").with_columns(next=follows)
    for signal, gaps in (("no_reply", ours), ("silent_contact", theirs)):
        lasted = (pl.coalesce("next", "won_at") - on).dt.total_microseconds() / _DAY
        yield gaps.select(
            "won_at", signal=pl.lit(signal), stage=pl.lit(""), cluster=DEAL, value=lasted, is_event=pl.lit(True)
        )


def _of_people(book: Book, won: pl.DataFrame) -> pl.DataFrame:
    """By how many fewer people were active than a month before, at a moment drawn in the life of each won deal."""
    pairs = drawn(lives(book).join(won, on=DEAL, how="semi"))
    fewer = active_people(book, pairs)
    return pl.concat([pairs, fewer], how="horizontal").drop_nulls("n_fewer").join(won, on=DEAL).select(
        "won_at", signal=pl.lit("fewer_people"), stage=pl.lit(""), cluster=DEAL, value="n_fewer", is_event=pl.lit(True)
    )  # fmt: skip
