"""The search for the fewest moves: greedy first, then better, block by block, until the bound or the end of the time."""

import math
from collections.abc import Iterator
from time import monotonic

import numpy as np

from cadran.models.territories_bound import fewest
from cadran.models.territories_case import NOBODY, Case
from cadran.models.territories_greedy import greedy
from cadran.models.territories_milp import pairs, solve

#: Share of a block's time that its bound may take.
FOR_BOUND = 0.2
#: Share of what is then left that may go to the overloaded and those under the mean alone, then to the whole block.
FOR_EACH = 0.4
#: Times that blocks are gone through.
ROUNDS = 2
#: A block with at most so many pairs of an account and a seller is given to HiGHS whole.
MOST_PAIRS = 25_000
#: Pairs of the few sellers among whom accounts are shared out anew, and seconds for that.
FEW_PAIRS, FEW_SECONDS = 4_000, 4.0
#: So many rounds among a few sellers without a gain end the search.
PATIENCE = 12


def search(case: Case, ends: float) -> tuple[np.ndarray, int, bool]:
    """The seller of each account (n,); a number of moves that no sharing out of this question can go below; and whether
    it was proved that whole accounts cannot be shared out within the bands.

    Args:
        case: The question; bands that cannot be kept even by parts of accounts are widened before.
        ends: When to stop, on the clock of `time.monotonic`.
    """
    at = greedy(case)
    waiting = [_Block(case, accounts, sellers) for accounts, sellers in _blocks(case)]
    blocks = waiting
    for _ in range(ROUNDS):  # what some blocks leave of their time goes to the others
        for place, block in enumerate(waiting):
            at = block.improved(at, monotonic() + (ends - monotonic()) / (len(waiting) - place))
        waiting = [block for block in waiting if not block.is_done(at, ends)]
    bound = sum(block.bound for block in blocks)
    fixed = ~case.is_free & (case.owner != NOBODY)
    sure = int((case.owner[fixed] != case.fixed[fixed]).sum())
    return at, bound + sure, any(block.is_impossible for block in blocks)


def _blocks(case: Case) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Accounts and sellers that have nothing to do with the others; the smallest first."""
    of_account, of_rep = case.block
    labels, sizes = np.unique(of_account[case.is_free], return_counts=True)
    for label in labels[np.argsort(sizes, kind="stable")]:
        yield np.flatnonzero(of_account == label), np.flatnonzero(of_rep == label)


class _Block:
    """Accounts that only certain sellers may take, and who may take no others."""

    def __init__(self, case: Case, accounts: np.ndarray, sellers: np.ndarray):
        self.case, self.accounts, self.sellers = case, accounts, sellers
        home = np.where(case.must_move, NOBODY, np.where(case.is_free, case.owner, case.fixed))
        base = case.loads(home)[sellers]
        self.over, self.under = sellers[base > case.high[sellers]], sellers[base < case.target[sellers]]
        self.bound, self.is_impossible = 0, False
        self.random = np.random.default_rng(0)

    def improved(self, at: np.ndarray, ends: float) -> np.ndarray:
        """The same with fewer of this block's accounts moved; `bound` rises to what is found to be needed."""
        case = self.case
        known = self._moves(at) if self._outside(at) == 0 else len(self.accounts)
        seconds = FOR_BOUND * (ends - monotonic())
        self.bound = max(self.bound, fewest(case, self.accounts, self.sellers, seconds, known))
        if self._outside(at):
            at = self._among_few(at, ends, is_repair=True)
        offered = case.must_move[self.accounts] | np.isin(case.owner[self.accounts], self.over)
        for accounts, takers in ((self.accounts[offered], self.under), (self.accounts, self.sellers)):
            if self.is_done(at, ends):
                return at
            now = monotonic()
            at, least = self._tried(at, accounts, takers, now + FOR_EACH * (ends - now))
            if len(accounts) == len(self.accounts) and takers is self.sellers:
                self.bound = max(self.bound, least)
        return self._among_few(at, ends)

    def is_done(self, at: np.ndarray, ends: float) -> bool:
        """Whether nothing can be gained any more, or the time is over."""
        return self.is_impossible or (self._outside(at) == 0 and self._moves(at) <= self.bound) or monotonic() > ends

    def _tried(
        self, at: np.ndarray, accounts: np.ndarray, takers: np.ndarray, ends: float, most: int = MOST_PAIRS
    ) -> tuple[np.ndarray, int]:
        """What HiGHS makes of it, and how few moves it found to be possible with these accounts."""
        case, left = self.case, ends - monotonic()
        if left < 0.1 or len(pairs(case, accounts, takers)[0]) > most:
            return at, 0
        holds, moved = self._outside(at) == 0, case.moves(at) - case.moves(self._home(at, accounts))
        told = solve(case, at, accounts, takers, left, moved - 1 if holds else math.inf, must_hold=holds)
        found = at if told.at is None else min(at, told.at, key=self._rank)
        if told.is_impossible:
            return found, moved
        if not holds and told.bound > len(self.accounts):  # more than moves alone could cost
            self.is_impossible |= len(accounts) == len(self.accounts) and len(takers) == len(self.sellers)
            return found, 0
        return found, math.ceil(told.bound - 1e-6) if math.isfinite(told.bound) else 0

    def _home(self, at: np.ndarray, accounts: np.ndarray) -> np.ndarray:
        home = at.copy()
        home[accounts] = self.case.owner[accounts]
        return home

    def _among_few(self, at: np.ndarray, ends: float, *, is_repair: bool = False) -> np.ndarray:
        """Share out anew among a few sellers, drawn at random, again and again; to repair, until the bands hold."""
        case, gainless = self.case, 0
        size = max(4, int(math.sqrt(FEW_PAIRS * len(self.sellers) / len(self.accounts))))
        while gainless < PATIENCE and not self.is_done(at, ends):
            few = self._drawn(at, size)
            owner, here = case.owner[self.accounts], at[self.accounts]
            inside = np.isin(here, few) & (np.isin(owner, few) | case.must_move[self.accounts])
            before = self._rank(at)
            at = self._tried(at, self.accounts[inside], few, min(ends, monotonic() + FEW_SECONDS), 10 * FEW_PAIRS)[0]
            gainless = 0 if self._rank(at) < before else gainless + 1
            if is_repair and not self._outside(at):
                break
        return at

    def _drawn(self, at: np.ndarray, size: int) -> np.ndarray:
        """A few sellers, those likelier who give or are given accounts, or are outside the band."""
        case, moved = self.case, self.accounts[at[self.accounts] != self.case.owner[self.accounts]]
        busy = np.concatenate([at[moved], case.owner[moved][case.owner[moved] != NOBODY]])
        likely = 0.2 + np.bincount(busy, minlength=len(case.rep_ids))[self.sellers].astype(float)
        likely += 10 * (case.excess(case.loads(at))[self.sellers] != 0)
        return self.random.choice(self.sellers, min(size, len(self.sellers)), False, likely / likely.sum())

    def _outside(self, at: np.ndarray) -> float:
        return float(np.abs(self.case.excess(self.case.loads(at)))[self.sellers].sum())

    def _moves(self, at: np.ndarray) -> int:
        owner = self.case.owner[self.accounts]
        return int(((owner != NOBODY) & (at[self.accounts] != owner)).sum())

    def _rank(self, at: np.ndarray) -> tuple[float, int]:
        return self._outside(at), self._moves(at)
