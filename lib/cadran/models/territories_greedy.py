"""A good sharing out at once: the largest account that fits, out of the overloaded into the emptiest."""

import numpy as np

from cadran.models.territories_case import NOBODY, ROUNDING, Case


def greedy(case: Case) -> np.ndarray:
    """(n,) the seller of each account, with few moves; loads may lie outside the bands where no account fits.

    Accounts that must go are placed first; then the overloaded give, whoever has the largest account first; then those
    below the band are given to; at last, what turns out not to have been needed is undone.
    """
    search = _Search(case)
    search.place()
    search.unload()
    search.fill()
    search.undo()
    return search.at


class _Search:
    """A sharing out, as it changes."""

    def __init__(self, case: Case):
        self.case = case
        self.at = np.where(case.is_free, np.where(case.must_move, NOBODY, case.owner), case.fixed)
        self.load = case.loads(self.at)
        self.scale = np.where(case.target > 0, case.target, 1.0)
        self.slack = ROUNDING * case.target.max(initial=0.0)

    def move(self, account: int, rep: int) -> None:
        weight = self.case.weight[account]
        if self.at[account] != NOBODY:
            self.load[self.at[account]] -= weight
        self.load[rep] += weight
        self.at[account] = rep

    def place(self) -> None:
        """Accounts that must go, to the emptiest with room; else to the emptiest."""
        case = self.case
        waiting = np.flatnonzero(case.must_move)
        for account in waiting[np.argsort(-case.weight[waiting], kind="stable")]:
            takers = np.flatnonzero(case.can[case.kind[account]])
            if len(takers):
                after = self.load[takers] + case.weight[account]
                fits = takers[after <= case.high[takers] + self.slack]
                pool = fits if len(fits) else takers
                self.move(account, pool[np.argmin(self.load[pool] / self.scale[pool])])

    def unload(self) -> None:
        """The overloaded give: the largest account of all that somebody has room for, to the emptiest, and so on. Room
        only shrinks meanwhile, so that one pass will do."""
        case = self.case
        own = np.flatnonzero(case.may_stay & (self.load > case.high + self.slack)[self.at])
        for account in own[np.argsort(-case.weight[own], kind="stable")]:
            rep, weight = self.at[account], case.weight[account]
            spare = self.load[rep] - case.low[rep] + self.slack
            if self.load[rep] <= case.high[rep] + self.slack or weight > spare:
                continue
            takers = np.flatnonzero(case.can[case.kind[account]] & (self.load + weight <= case.high + self.slack))
            if len(takers):
                self.move(account, takers[np.argmin(self.load[takers] / self.scale[takers])])

    def fill(self) -> None:
        """The emptiest takes the largest account that somebody can spare, until nobody is below the band."""
        case, stuck = self.case, np.zeros(len(self.load), dtype=bool)
        movable = np.flatnonzero(case.is_free & (self.at != NOBODY))
        while True:
            under = np.where(stuck, 0, (case.low - self.load) / self.scale)
            rep = int(np.argmax(under))
            if case.low[rep] - self.load[rep] <= self.slack or stuck[rep]:
                return
            weight, at = case.weight[movable], self.at[movable]
            spares = self.load[at] - weight >= case.low[at] - self.slack
            fits = spares & (at != rep) & case.can[case.kind[movable], rep]
            fits &= weight <= case.high[rep] - self.load[rep] + self.slack
            if not fits.any():
                stuck[rep] = True
                continue
            best = np.lexsort((-self.load[at] / self.scale[at], -np.where(fits, weight, -1)))[0]
            self.move(movable[best], rep)

    def undo(self) -> None:
        """Take back each move without which the bands hold as well, the smallest account first."""
        case = self.case
        moved = np.flatnonzero(case.may_stay & (self.at != case.owner))
        for account in moved[np.argsort(case.weight[moved], kind="stable")]:
            here, home, weight = self.at[account], case.owner[account], case.weight[account]
            is_spare = self.load[here] - weight >= case.low[here] - self.slack
            if is_spare and self.load[home] + weight <= case.high[home] + self.slack:
                self.move(account, home)
