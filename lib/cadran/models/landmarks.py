"""Snapshots of open deals on past dates, with what became of each: what the win model learns from and is judged on."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from cadran.book import Book
from cadran.book.engines import EPOCH
from cadran.book.known import kept_from
from cadran.book.landmarks import facts_at

#: Days between the past dates at which deals are looked at, counted back from the book's moment.
EVERY = 7
#: Ends of the periods a snapshot is followed over, in days: 2, 2, 4, 5 and 13 weeks, then 26 weeks at a time.
ENDS = np.array([14.0, 28.0, 56.0, 91.0, 182.0])
BEYOND = 182.0
N_PERIODS = len(ENDS) + 1
#: First day and length of each period; the last one repeats.
STARTS = np.append(0, ENDS)
LENGTHS = np.append(np.diff(STARTS), BEYOND)
#: Person-period rows a fit may have; beyond, deals are sampled.
MOST_ROWS = 170_000
#: Snapshots taken of one deal: at least, where deals abound, and at most.
PER_DEAL = (2, 4)
OPEN, WON, ENDED = 0, 1, 2
_DAY = 86_400e6
#: Days below which two instants cannot be told apart once they are days since 1970.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Snapshots:
    """Open deals looked at on past dates; every array has one entry per snapshot."""

    #: As `cadran.book.landmarks.facts_at` gives them: what was known on the date.
    facts: pl.DataFrame
    #: Number of the deal, for intervals that allow for many snapshots of one.
    deal: np.ndarray
    #: Weekly looks this snapshot stands for.
    weight: np.ndarray
    #: Days from 1970-01-01 UTC: when it was taken, and when the deal closed, vanished, or was last seen open.
    at: np.ndarray
    end: np.ndarray
    #: What it came to at `end`: 0 nothing seen, 1 won, 2 ended otherwise (lost or disqualified).
    outcome: np.ndarray
    #: The day from which that was known: `end`, or later where it was entered late.
    known: np.ndarray
    #: The day up to which outcomes are known.
    until: float
    #: Of the calendar that its dates are told in.
    time_zone: str = "UTC"

    def __len__(self) -> int:
        return len(self.at)

    def keep(self, kept: np.ndarray) -> "Snapshots":
        """Some of them, by flag or by place."""
        facts = self.facts.filter(pl.Series(kept)) if kept.dtype == bool else self.facts[kept]
        arrays = {name: getattr(self, name)[kept] for name in ("deal", "weight", "at", "end", "outcome", "known")}
        return replace(self, facts=facts, **arrays)

    def known_on(self, day: float) -> "Snapshots":
        """Those taken before a day, with the outcomes known that day."""
        past = self.keep(self.at < day)
        is_later = past.known > day
        end, known = (np.where(is_later, day, each) for each in (past.end, past.known))
        return replace(past, end=end, outcome=np.where(is_later, OPEN, past.outcome), known=known, until=day)

    @property
    def followed(self) -> np.ndarray:
        """Days from each snapshot to the last day whose outcomes are known."""
        return self.until - self.at

    def rows(self) -> "Rows":
        """The person-period rows: each snapshot once per period that it entered and that is known to its end.

        A period not over by `until` is left out even if the deal has closed in it: keeping only such would count the
        quick ones.
        """
        lived = self.end - self.at
        parts = []
        for period, start, stop in periods(float(self.followed.max(initial=0))):
            entered = (lived > start) & (self.followed > stop - _ROUNDING)
            gone = (self.outcome == OPEN) & (lived < stop) & (self.end < self.until)
            of = np.flatnonzero(entered & ~gone)
            outcome = np.where(lived[of] <= stop, self.outcome[of], OPEN)
            parts.append((of, np.full(len(of), period), np.full(len(of), start), outcome))
        whose, which, begins, came = (np.concatenate(each) for each in zip(*parts, strict=True))
        return Rows(whose, which, self.at[whose] + begins, came)


@dataclass(frozen=True)
class Rows:
    """Person-period rows: of which snapshot, which period, when it began (days), and what came of it."""

    of: np.ndarray
    period: np.ndarray
    start: np.ndarray
    outcome: np.ndarray

    def check_all_met(self) -> None:
        """Raises ValueError: If one of the three outcomes is never met."""
        if len(np.unique(self.outcome)) < 3:
            raise ValueError("One of the outcomes is never met.")


def periods(followed: float) -> Iterator[tuple[int, float, float]]:
    """Number, first and last day of the periods that begin within so many days; the last number repeats."""
    start = 0.0
    for period, stop in enumerate(ENDS):
        yield period, start, float(stop)
        start = float(stop)
    while start < followed:
        yield N_PERIODS - 1, start, start + BEYOND
        start += BEYOND


def take(book: Book, seed: int = 0) -> Snapshots:
    """Snapshots of the deals of a book on weekly past dates, a few of each deal, each standing for known others.

    Deals that were never open on one of the dates have none. A deal opened again after it closed is another life,
    followed to its own end.

    Args:
        book: At its moment: nothing later is used.
        seed: Of the choice of dates, and of deals where there are more than `MOST_ROWS` allows.
    """
    lives = _lives(book)
    start, end, known = (lives[name].to_physical().to_numpy() for name in ("start", "end", "known"))
    moment = _instant(book.moment)
    # A look is at moment - k × week, k >= 1: those from start to before end.
    week = int(EVERY * _DAY)
    first = np.maximum((moment - end) // week + 1, 1)
    kept = kept_from(book)
    told_from = -(2**62) if kept is None else _instant(kept)
    n_dates = np.maximum((moment - np.maximum(start, told_from)) // week - first + 1, 0)
    rng = np.random.default_rng(seed)
    chosen = np.flatnonzero(n_dates)
    n_rows = _rows_of_a_look((end - start) / _DAY)
    per_deal = int(np.clip(MOST_ROWS // max(n_rows[chosen].sum(), 1), *PER_DEAL))
    n_taken = np.minimum(n_dates, per_deal)
    kept_share = min(1.0, MOST_ROWS / max((n_rows * n_taken)[chosen].sum(), 1))
    if kept_share < 1:
        chosen = chosen[rng.random(len(chosen)) < kept_share]
    of = np.repeat(chosen, n_taken[chosen])
    turn = np.arange(len(of)) - np.repeat(np.cumsum(n_taken[chosen]) - n_taken[chosen], n_taken[chosen])
    begun = np.repeat(rng.random(len(chosen)), n_taken[chosen])
    place = np.floor((turn + begun) * n_dates[of] / n_taken[of])
    at = moment - week * (first[of] + place.astype(np.int64))
    instants = pl.Series(at).cast(pl.Datetime("us", "UTC"))
    facts = facts_at(book, pl.DataFrame({"opportunity_key": lives["opportunity_key"][of], "at": instants}))
    taken = Snapshots(
        facts, facts["opportunity_key"].to_numpy(), weight=n_dates[of] / n_taken[of] / kept_share, at=at / _DAY,
        end=end[of] / _DAY, outcome=lives["outcome"].to_numpy()[of], known=known[of] / _DAY, until=moment / _DAY,
        time_zone=book.settings.time_zone,
    )  # fmt: skip
    # Some were entered late: nobody could have looked at them that day.
    return taken.keep(facts["opportunity_id"].is_not_null().to_numpy())


def _rows_of_a_look(lived: np.ndarray) -> np.ndarray:
    """About how many person-period rows a look at each life makes: one in the middle of it, which is the mean."""
    left = lived / 2
    return np.searchsorted(STARTS, left) + np.maximum(np.ceil((left - ENDS[-1]) / BEYOND) - 1, 0)


def _instant(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def _lives(book: Book) -> pl.DataFrame:
    """Open lives of deals: key, start, end (the moment where it is open yet), outcome at the end, when it was known."""
    told = book.table("versions").select("opportunity_key", "valid_from", "valid_to", "status", "known_from")
    versions = book.collect(told).sort("opportunity_key", "valid_from")
    deal, is_open = pl.col("opportunity_key"), pl.col("status") == "open"
    goes_on = (pl.col("valid_from") == pl.col("valid_to").shift().over(deal)) & is_open & is_open.shift().over(deal)
    follows = pl.col("valid_to") == pl.col("valid_from").shift(-1).over(deal)  # else it vanished
    opened = versions.with_columns(
        life=(~goes_on.fill_null(False)).cum_sum(),
        came=pl.when(follows).then(pl.col("status").shift(-1).over(deal)),
        late=pl.when(follows).then(pl.col("known_from").shift(-1).over(deal)),
    )
    moment = pl.lit(book.moment).cast(pl.Datetime("us", "UTC"))
    lives = opened.filter(is_open).group_by("life", maintain_order=True).agg(
        pl.col("opportunity_key").first(), pl.col("came", "late").last(),
        start=pl.col("valid_from").first(), end=pl.col("valid_to").last().fill_null(moment),
    )  # fmt: skip
    closed = pl.col("came").replace_strict({"won": WON, "lost": ENDED, "disqualified": ENDED}, default=OPEN)
    return lives.with_columns(outcome=closed.fill_null(OPEN).cast(pl.Int64), known=pl.max_horizontal("end", "late"))
