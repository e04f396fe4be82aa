"""Fewer moves, or a way into the bands where the greedy search found none: whole accounts, by HiGHS."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array, csr_array, hstack

from cadran.models.territories_case import NOBODY, ROUNDING, Case

#: What a load outside the bands costs, in moves per target of the largest seller: more than any moves are worth.
COST_OUTSIDE = 1e4


@dataclass(frozen=True)
class Solved:
    """What HiGHS found.

    Attributes:
        at: (n,) the seller of each account; None: no sharing out was found.
        bound: No sharing out of what was asked about takes fewer moves.
        is_impossible: Whether it was proved that there is none.
    """

    at: np.ndarray | None
    bound: float
    is_impossible: bool


def pairs(case: Case, accounts: np.ndarray, takers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which of some accounts may go to which of some sellers, other than its own: a row of each per pair."""
    open_to = np.zeros((len(accounts), len(case.rep_ids)), dtype=bool)
    open_to[:, takers] = case.can[case.kind[accounts]][:, takers]
    stays = np.flatnonzero(case.may_stay[accounts])
    open_to[stays, case.owner[accounts[stays]]] = False
    row, rep = np.nonzero(open_to)
    return accounts[row], rep


def solve(
    case: Case, at: np.ndarray, accounts: np.ndarray, takers: np.ndarray, seconds: float, most: float = math.inf,
    *, must_hold: bool = True,
) -> Solved:  # fmt: skip
    """Share out some accounts with as few moves as possible; all others stay where they are.

    Args:
        case: All of it.
        at: (n,) where accounts are.
        accounts: Places of the accounts to share out, free ones: each stays with who had it, or goes to a taker.
        takers: Places of sellers.
        seconds: When to stop.
        most: Only look for what moves at most so many of these accounts.
        must_hold: Whether the bands must be kept; else what lies outside is made as small as it can be.
    """
    account, rep = pairs(case, accounts, takers)
    home = at.copy()
    home[accounts] = np.where(case.must_move[accounts], NOBODY, case.owner[accounts])
    base, weight, n = case.loads(home), case.weight[account], len(account)
    if not n:
        return Solved(None, 0.0, False)
    scale = max(float(case.target.max()), 1e-300)
    leaves = np.flatnonzero(home[account] != NOBODY)
    touched = np.unique(np.concatenate([rep, home[account[leaves]]]))
    row = np.full(len(case.rep_ids), NOBODY)
    row[touched] = np.arange(len(touched))
    loads = _matrix(np.concatenate([row[rep], row[home[account[leaves]]]]), np.concatenate([np.arange(n), leaves]),
                    np.concatenate([weight, -weight[leaves]]) / scale, (len(touched), n))  # fmt: skip
    rows, once = np.unique(account, return_inverse=True)
    one = _matrix(once, np.arange(n), np.ones(n), (len(rows), n))
    cost = (case.owner[account] != NOBODY).astype(float)
    low, high = ((each - base)[touched] / scale for each in (case.low, case.high))
    m, slack = (0, 10 * ROUNDING) if must_hold else (len(touched), 0.0)
    outside = _matrix(np.tile(np.arange(m), 2), np.arange(2 * m), np.repeat([1.0, -1.0], m), (len(touched), 2 * m))
    none = csr_array((len(rows), 2 * m))
    costs = np.concatenate([cost, np.full(2 * m, COST_OUTSIDE)])
    rules = [
        LinearConstraint(hstack([one, none]), case.must_move[rows].astype(float), 1.0),
        LinearConstraint(hstack([loads, outside]), low - slack, high + slack),
    ]
    if math.isfinite(most):
        rules.append(LinearConstraint(np.concatenate([cost, np.zeros(2 * m)])[None, :], -np.inf, most))
    whole = np.repeat([1.0, 0.0], [n, 2 * m])
    told = milp(costs, integrality=whole, bounds=Bounds(0, np.where(whole > 0, 1.0, np.inf)), constraints=rules,
                options={"time_limit": max(seconds, 0.1)})  # fmt: skip
    bound = 0.0 if told.mip_dual_bound is None else float(told.mip_dual_bound)
    if told.x is None:
        return Solved(None, bound, told.status == 2)
    chosen, found = told.x[:n] > 0.5, home.copy()
    found[account[chosen]] = rep[chosen]
    return Solved(found, bound, False)


def _matrix(rows: np.ndarray, columns: np.ndarray, values: np.ndarray, shape: tuple[int, int]) -> csr_array:
    return csr_array(coo_array((values, (rows, columns)), shape=shape))
