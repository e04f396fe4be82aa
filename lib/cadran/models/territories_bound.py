"""How few moves there could be at best, and whether the bands can be kept at all: relaxations that HiGHS solves."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import coo_array

from cadran.models.territories_case import NOBODY, ROUNDING, Case


@dataclass(frozen=True)
class Room:
    """How the bands could be kept if accounts could be split.

    Attributes:
        above, below: (m,) by how much, in all the least, bands must be left for every account to have a seller.
        flow: (k, m) how much of each kind each seller takes.
    """

    above: np.ndarray
    below: np.ndarray
    flow: np.ndarray


def room(case: Case) -> Room:
    """Whether bands, fixed accounts, regions and languages can hold together. Accounts count as divisible: what this
    finds impossible is impossible; what it finds possible may still fail for whole accounts."""
    supply, fixed = case.free, case.kept
    kinds, reps = np.nonzero(case.can & (supply > 0)[:, None])
    n, m = len(kinds), len(case.rep_ids)
    scale = max(float(case.target.max(initial=0.0)), 1e-300)
    into = coo_array((np.ones(n), (reps, np.arange(n))), shape=(m, n)).toarray()
    of = coo_array((np.ones(n), (kinds, np.arange(n))), shape=(len(supply), n)).toarray()
    taken = np.isin(np.arange(len(supply)), kinds)

    slack = np.vstack([np.hstack([-np.eye(m), np.zeros((m, m))]), np.hstack([np.zeros((m, m)), -np.eye(m)])])
    x = linprog(
        np.concatenate([np.zeros(n), np.ones(2 * m)]),
        np.hstack([np.vstack([into, -into]), slack]),
        np.concatenate([case.high - fixed, fixed - case.low]) / scale,
        np.hstack([of[taken], np.zeros((taken.sum(), 2 * m))]),
        supply[taken] / scale,
        method="highs",
    ).x
    flow = np.zeros(case.can.shape)
    flow[kinds, reps] = x[:n] * scale
    above, below = (np.where(each > 1e-7, each * scale, 0.0) for each in (x[n : n + m], x[n + m :]))
    return Room(above, below, flow)


def fewest(case: Case, accounts: np.ndarray, reps: np.ndarray, seconds: float, enough: int) -> int:
    """At least so many of these accounts change hands, of whole blocks, however they are shared out.

    A relaxation: accounts leave whole, but arrive in any parts. Besides, whoever is above the band must give as many as
    it takes of the largest that others have room for, whoever is below must get as many, and the others stay.

    Args:
        case: All of it.
        accounts: Places of the free accounts of the blocks.
        reps: Places of their sellers.
        seconds: How long HiGHS may take; a bound of less time is lower, and valid.
        enough: Moves that are known to do: a bound that reaches them is not made better.
    """
    base = case.loads(np.where(case.must_move, NOBODY, np.where(case.is_free, case.owner, case.fixed)))
    slack = ROUNDING * case.target.max(initial=0.0)
    most = np.where(case.can, (case.high - case.kept)[None, :], -np.inf)
    forced = accounts[case.must_move[accounts]]
    stays = accounts[case.may_stay[accounts]]
    elsewhere = most[case.kind[stays]]
    elsewhere[np.arange(len(stays)), case.owner[stays]] = -np.inf
    leaves = stays[case.weight[stays] <= elsewhere.max(axis=1, initial=-np.inf) + slack]
    sure = int((case.owner[forced] != NOBODY).sum())
    received = sum(_received(case, rep, base, most, np.concatenate([forced, leaves]), slack) for rep in reps)
    needed = max(received - len(forced), 0)
    given = np.array([_given(case, rep, base, leaves, slack) for rep in reps], dtype=float)
    n, place = len(leaves), {rep: row for row, rep in enumerate(reps)}
    kinds, takers = np.nonzero(case.can[:, reps] & np.isin(np.arange(len(case.kinds)), case.kind[accounts])[:, None])
    weight, scale = case.weight, max(float(case.target.max()), 1e-300)
    row_of = {kind: row for row, kind in enumerate(np.unique(kinds))}
    loads = coo_array(
        (np.concatenate([-weight[leaves] / scale, np.ones(len(takers))]),
         (np.concatenate([[place[rep] for rep in case.owner[leaves]], takers]), np.arange(n + len(takers)))),
        shape=(len(reps), n + len(takers)),
    )  # fmt: skip
    flows = coo_array(
        (np.concatenate([weight[leaves] / scale, -np.ones(len(takers))]),
         (np.array([row_of[kind] for kind in [*case.kind[leaves], *kinds]]), np.arange(n + len(takers)))),
        shape=(len(row_of), n + len(takers)),
    )  # fmt: skip
    waiting = np.bincount(case.kind[forced], weight[forced], len(case.kinds))[list(row_of)] / scale
    count = np.concatenate([np.ones(n), np.zeros(len(takers))])
    loosened = 10 * slack / scale
    gives = coo_array((np.ones(n), ([place[rep] for rep in case.owner[leaves]], np.arange(n))), shape=loads.shape)
    needed = max(needed, int(given.sum()))
    if sure + needed >= enough:
        return sure + needed
    rules = [
        LinearConstraint(gives, given, np.inf),
        LinearConstraint(
            loads, (case.low - base)[reps] / scale - loosened, (case.high - base)[reps] / scale + loosened
        ),
        LinearConstraint(flows, -waiting - loosened, -waiting + loosened),
        LinearConstraint(count[None, :], needed, np.inf),
    ]
    told = milp(
        count, integrality=count, bounds=Bounds(0, np.where(count > 0, 1, np.inf)), constraints=rules,
        options={"time_limit": max(seconds, 0.05)},
    )  # fmt: skip
    found = told.mip_dual_bound
    least = math.ceil(found - 1e-6) if found is not None and math.isfinite(found) else 0
    return sure + max(least, needed)


def _given(case: Case, rep: int, base: np.ndarray, leaves: np.ndarray, slack: float) -> int:
    """How many of the accounts that may leave a seller above the band must give at the least."""
    return _fewest_of(case.weight[leaves[case.owner[leaves] == rep]], base[rep] - case.high[rep] - slack)


def _received(case: Case, rep: int, base: np.ndarray, most: np.ndarray, pool: np.ndarray, slack: float) -> int:
    """How many accounts a seller below the band must get at the least."""
    fits = pool[(most[case.kind[pool], rep] + slack >= case.weight[pool]) & (case.owner[pool] != rep)]
    return _fewest_of(case.weight[fits], case.low[rep] - base[rep] - slack)


def _fewest_of(weights: np.ndarray, needed: float) -> int:
    """How many of some accounts, the largest first, weigh as much as is needed; all of them, where that is too little."""
    reached = np.cumsum(np.sort(weights)[::-1]) >= needed
    return 0 if needed <= 0 else int(np.argmax(reached)) + 1 if reached.any() else len(weights)
