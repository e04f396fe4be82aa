"""Territories: who has which account, how even that is, and how few moves would even it out."""

from dataclasses import dataclass
from time import monotonic

import numpy as np
import polars as pl

from cadran.models.territories_case import NOBODY, Case, case
from cadran.models.territories_conflicts import placeable, settle, unfinished
from cadran.models.territories_search import search
from cadran.tables.problems import Problem


@dataclass(frozen=True)
class Reassigned:
    """A sharing out of accounts, and how good it is.

    Attributes:
        accounts: One row per account that is to change hands or had no seller: `account_id`, `from_rep_id` (null:
            nobody), `to_rep_id`, `weight`, `reason` ("named", "no seller", "leaves", "rule", "balance").
        reps: One row per seller: `rep_id`, `target`, `low`, `high`, `before`, `after`, `is_within_before`,
            `is_within` (all but the last two in the unit of the weights).
        n_moves: Accounts that change hands. `n_placed`: accounts that had no seller and get one.
        bound: No sharing out that keeps the rules takes fewer moves: the best there can be.
        conflicts: Rules that cannot hold together. With one, the bands are widened as little as can be, and `bound`
            is of these.
        is_balanced: Whether everybody present is within the band asked for.
    """

    accounts: pl.DataFrame
    reps: pl.DataFrame
    n_moves: int
    n_placed: int
    bound: int
    conflicts: tuple[Problem, ...]
    is_balanced: bool

    @property
    def gap(self) -> float:
        """By which share of the bound the moves may be more than needed; 0: as few as can be."""
        return 0.0 if self.n_moves == self.bound else (self.n_moves - self.bound) / max(self.bound, 1)


def reassign(
    accounts: pl.DataFrame, reps: pl.DataFrame, tolerance: float = 0.1, time_limit: float = 30.0
) -> Reassigned:
    """Bring every seller within a band around the mean by moving as few accounts as possible.

    The mean is that of the sellers of a region, each counted by presence; of all where some account may go to any
    region. Where weights are whole numbers, the two around the mean are always within the band.

    Args:
        accounts: One row per account that weighs something: `account_id`, `rep_id` (who has it; null: nobody), `weight`
            (above 0), `region` (null: any), `languages` (list of text: speaking one of them is enough; null: any will
            do), `is_locked` (stays where it is), `named_rep_id` (must go there; null: free).
        reps: One row per seller: `rep_id`, `region` (null: all), `languages` (list; null: all), `share` of a full
            presence (0: leaves, and keeps nothing that is free).
        tolerance: Half the width of the band, as a share of the mean: 0.1 is ± 10 %.
        time_limit: Seconds after which the best found so far is given. With a slower machine, moves may be more.

    Raises:
        Problem: If a row breaks these rules.
    """
    ends = monotonic() + time_limit
    asked, conflicts = placeable(case(accounts, reps, tolerance))
    settled, more = settle(asked)
    conflicts += more
    at, bound, is_impossible = search(settled, ends)
    after = asked.loads(at)
    if last := unfinished(asked, after, bool(conflicts), is_impossible, time_limit):
        conflicts.append(last)
    return _told(asked, settled, at, after, bound, conflicts)


def _told(
    asked: Case, settled: Case, at: np.ndarray, after: np.ndarray, bound: int, conflicts: list[Problem]
) -> Reassigned:
    placed = at != NOBODY
    before = asked.loads(asked.owner)
    present = asked.target > 0
    within, was = asked.excess(after) == 0, asked.excess(before) == 0
    ids = np.array([*asked.rep_ids, None], dtype=object)
    changed = placed & (at != settled.owner)
    gone = (settled.owner != NOBODY) & ~present[settled.owner]
    reason = np.select(
        [~settled.is_free, settled.owner == NOBODY, gone, settled.must_move],
        ["named", "no seller", "leaves", "rule"], "balance",
    )  # fmt: skip
    moved = pl.DataFrame(
        {
            "account_id": settled.account_ids[changed].tolist(),
            "from_rep_id": ids[settled.owner[changed]].tolist(),
            "to_rep_id": ids[at[changed]].tolist(),
            "weight": settled.weight[changed],
            "reason": reason[changed],
        },
        schema={"account_id": pl.String, "from_rep_id": pl.String, "to_rep_id": pl.String, "weight": pl.Float64,
                "reason": pl.String},
    )  # fmt: skip
    sellers = pl.DataFrame(
        {
            "rep_id": asked.rep_ids.tolist(), "target": asked.target, "low": asked.low, "high": asked.high, "before": before,
            "after": after, "is_within_before": was, "is_within": within,
        }
    )  # fmt: skip
    n_placed = int((changed & (settled.owner == NOBODY)).sum())
    return Reassigned(
        moved.sort("weight", "account_id", descending=[True, False]), sellers, settled.moves(at), n_placed, bound,
        tuple(conflicts), bool(within.all()) and not conflicts,
    )  # fmt: skip
