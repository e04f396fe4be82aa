"""Stages whose name seems to have changed midway: one stops being entered when another begins to be, in the same place."""

from collections import Counter
from datetime import date, timedelta
from itertools import permutations
from zoneinfo import ZoneInfo

import narwhals as nw
import polars as pl

from cadran.book import Book
from cadran.book.engines import EPOCH
from cadran.measures.catalogue import Question
from cadran.measures.counting import LEAST_FOR_INTERVAL, grouped, small
from cadran.measures.flows import moves, stage_flows
from cadran.measures.visits import visits
from cadran.tables.measured.audit import RenamedStage

#: Microseconds.
_HOUR = 3_600_000_000
#: Of the entries of either name, those that may lie on the wrong side of the change: someone late, or early.
_STRAY = 0.01
#: Hours between the last entry under one name and the first under the other; and those that the entries of both must span.
_AT_MOST = 31 * 24
#: Share of the neighbours that both names have in common, from which they stand in the same place.
_LEAST_ALIKE = 2 / 3

#: By stage and side, before or after: how many moves, by the other stage or end; None where deals begin.
_Around = dict[tuple[str, str], Counter[str | None]]


def renamed_stages(book: Book) -> pl.DataFrame:
    """Pairs of open stages that are likely one stage, called otherwise from some day on.

    Of either name at least `LEAST_FOR_INTERVAL` entries are known; all but 1 in 100 of those of the first lie before
    all but 1 in 100 of those of the second, at most 31 days apart; and deals come from, and go to, the same stages and
    ends (two thirds of them), moves from one name to the other left out, stages renamed beside them counting as one.
    Where the entries of both lie within 31 days nothing is told by their order: in a batch typed in one morning any
    stage comes before or after any other, and two names that a team has used for a month had no time to alternate.

    Args:
        book: The book, at whose moment the names are looked at.

    Returns:
        One row per pair, as `RenamedStage` has it, by the day of the change.
    """
    timed = book.engine.microseconds(visits(book, Question(), "opportunity_id"), {"came": "since"})
    by_hour = grouped(timed.with_columns(hour=nw.col("came") // _HOUR), ["entered_stage", "hour"], nw.len().alias("n"))
    n, hour = pl.col("n"), pl.col("hour")
    ends = {
        "first": hour.filter(n.cum_sum() > _STRAY * n.sum()).first(),
        "last": hour.filter(n.cum_sum(reverse=True) > _STRAY * n.sum()).last(),
    }
    entered = small(by_hour).sort("hour").group_by("entered_stage").agg(**ends, n=n.sum()).sort("entered_stage")
    used = {row["entered_stage"]: row for row in entered.iter_rows(named=True) if row["n"] >= LEAST_FOR_INTERVAL}
    candidates = [
        (old, new)
        for old, new in permutations(used, 2)
        if 0 <= used[new]["first"] - used[old]["last"] <= _AT_MOST < used[new]["last"] - used[old]["first"]
    ]
    around = _neighbours(book) if candidates else {}
    named: dict[str, str] = {}
    while left := [pair for pair in candidates if pair[0] not in named.values() and pair[1] not in named]:
        old, new = max(left, key=lambda pair: _alike(around, pair[0], pair[1], named))
        named[new] = old
    rows = [
        {
            "old_stage": old, "new_stage": new, "since": _day(used[new]["first"], book),
            "n_old": used[old]["n"], "n_new": used[new]["n"],
        }
        for new, old in named.items()
        if _alike(around, old, new, named) >= _LEAST_ALIKE
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=RenamedStage.create_empty().schema).sort("since", "old_stage")


def _day(hour: int, book: Book) -> date:
    """The day on which an hour since 1970 begins in the book's time zone."""
    return (EPOCH + timedelta(hours=hour)).astimezone(ZoneInfo(book.settings.time_zone)).date()


def _neighbours(book: Book) -> _Around:
    """How many moves came to each stage from where, and left it whereto."""
    flows = small(stage_flows(moves(book, Question()), book=book)).filter(pl.col("to_kind") != "still_there")
    around: _Around = {}
    for from_stage, to_stage, kind, n in flows.select("from_stage", "to_stage", "to_kind", "n_moves").iter_rows():
        for stage, side, other in ((from_stage, "after", to_stage or kind), (to_stage, "before", from_stage)):
            if stage:
                around.setdefault((stage, side), Counter())[other] += n
    return around


def _alike(around: _Around, old: str, new: str, named: dict[str, str]) -> float:
    """The share of what comes before and after that both names have in common, 0 to 1."""
    common = []
    for side in ("before", "after"):
        shares = []
        for stage in (old, new):
            counted: Counter[str | None] = Counter()
            for other, n in around.get((stage, side), Counter()).items():
                if other not in (old, new):
                    counted[named.get(other, other) if other else other] += n
            shares.append({other: n / counted.total() for other, n in counted.items()})
        common.append(sum(min(share, shares[1].get(other, 0.0)) for other, share in shares[0].items()))
    return sum(common) / 2
