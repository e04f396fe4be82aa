"""Who may take which account, and how much of it each seller should carry: the question behind territories, in arrays."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from cadran.tables.problems import Problem

#: Nobody: where an account has no seller.
NOBODY = -1
#: A load this share of a target beyond the band is still in it: sums of decimals are not exact.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Case:
    """Accounts to be shared out among sellers.

    Accounts that any seller may take as well as another are of one kind: same region, same languages.

    Attributes:
        account_ids: (n,) identifiers.
        rep_ids: (m,) identifiers.
        weight: (n,) what each account weighs, above 0, in the unit of the measure.
        owner: (n,) the seller who has it now, or `NOBODY`.
        fixed: (n,) the seller it must be with, or `NOBODY` where that is free.
        kind: (n,) which kind of account it is.
        kinds: (k, 2) region and languages of each kind, as told to a reader; empty where none.
        can: (k, m) whether a seller may take accounts of a kind.
        share: (m,) presence of each seller; 0: leaves.
        tolerance: Half the width of the band, as a share of the target.
        group: (m,) sellers whose loads are evened out; `pool`: (k,) the group that carries the free accounts of a kind.
        target: (m,) load of each seller that is even for the presence of all in the same group.
        low, high: (m,) the band around it.
    """

    account_ids: np.ndarray
    rep_ids: np.ndarray
    weight: np.ndarray
    owner: np.ndarray
    fixed: np.ndarray
    kind: np.ndarray
    kinds: list[tuple[str, str]]
    can: np.ndarray
    share: np.ndarray
    tolerance: float
    group: np.ndarray
    pool: np.ndarray
    target: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @cached_property
    def is_free(self) -> np.ndarray:
        """(n,) whether it may change hands."""
        return self.fixed == NOBODY

    @cached_property
    def must_move(self) -> np.ndarray:
        """(n,) free accounts that cannot stay: without a seller, or with one who may not have them."""
        stays = (self.owner != NOBODY) & self.can[self.kind, self.owner]
        return self.is_free & ~stays

    @cached_property
    def may_stay(self) -> np.ndarray:
        """(n,) free accounts that need not move."""
        return self.is_free & ~self.must_move

    @cached_property
    def block(self) -> tuple[np.ndarray, np.ndarray]:
        """(n,) and (m,): accounts and sellers that have nothing to do with each other are in different blocks. A fixed
        account has none (`NOBODY`)."""
        n, k = len(self.rep_ids), len(self.kinds)
        used = np.unique(self.kind[self.is_free])
        kinds, reps = np.nonzero(self.can)
        held = self.may_stay | (self.must_move & (self.owner != NOBODY))
        is_used = np.isin(kinds, used)
        row = np.concatenate([kinds[is_used], self.kind[held]])
        column = np.concatenate([reps[is_used], self.owner[held]]) + k
        links = coo_array((np.ones(len(row)), (row, column)), shape=(k + n, k + n))
        label = connected_components(links, directed=False)[1]
        return np.where(self.is_free, label[self.kind], NOBODY), label[k:]

    def loads(self, at: np.ndarray) -> np.ndarray:
        """(m,) what each seller carries when each account is `at` a seller or `NOBODY`."""
        placed = at != NOBODY
        return np.bincount(at[placed], self.weight[placed], len(self.rep_ids))

    def excess(self, load: np.ndarray) -> np.ndarray:
        """(m,) how far a load lies above the band (or, negative, below it); 0 inside."""
        slack = ROUNDING * np.maximum(self.target, self.target.max(initial=0.0))
        above, below = load - self.high, load - self.low
        return np.where(above > slack, above, np.where(below < -slack, below, 0.0))

    def moves(self, at: np.ndarray) -> int:
        """How many accounts change hands."""
        return int(((self.owner != NOBODY) & (at != self.owner)).sum())

    @cached_property
    def kept(self) -> np.ndarray:
        """(m,) what each seller must keep."""
        return self.loads(np.where(self.is_free, NOBODY, self.fixed))

    @cached_property
    def free(self) -> np.ndarray:
        """(k,) what the free accounts of each kind weigh."""
        return np.bincount(self.kind[self.is_free], self.weight[self.is_free], len(self.kinds))

    def banded(self, group: np.ndarray, pool: np.ndarray) -> "Case":
        """The same, evened out in other groups: targets by presence, and bands around them.

        What is counted in whole numbers can be no nearer to 6.1 than 6 or 7: these are always inside.
        """
        n = int(max(group.max(initial=0), pool.max(initial=0))) + 1
        total = np.bincount(group, self.kept, n) + np.bincount(pool, self.free, n)
        present = np.bincount(group, self.share, n)
        target = self.share * (total / np.where(present > 0, present, 1))[group]
        low, high = target * (1 - self.tolerance), target * (1 + self.tolerance)
        if (self.weight == np.round(self.weight)).all():
            low, high = np.minimum(low, np.floor(target)), np.maximum(high, np.ceil(target))
        gone = self.share == 0
        low, high = np.where(gone, 0, low), np.where(gone, 0, high)
        return replace(self, group=group, pool=pool, target=target, low=low, high=high)


def case(accounts: pl.DataFrame, reps: pl.DataFrame, tolerance: float) -> Case:
    """The question in arrays, from frames as `cadran.models.territories.reassign` takes them.

    Raises:
        Problem: If an identifier is there twice, an account names a seller who is not there, a weight is not above 0,
            or nobody is present.
    """
    _check(accounts, reps, tolerance)
    number = {rep_id: place for place, rep_id in enumerate(reps["rep_id"])}
    owner, named = (_numbers(accounts[name], number) for name in ("rep_id", "named_rep_id"))
    fixed = np.where(named != NOBODY, named, np.where(accounts["is_locked"].to_numpy(), owner, NOBODY))
    told = accounts.select("region", pl.col("languages").list.unique().list.sort())
    kinds = told.unique(maintain_order=True).with_row_index("kind")
    kind = told.join(kinds, on=told.columns, nulls_equal=True, maintain_order="left")["kind"].to_numpy().astype(int)
    share = reps["share"].to_numpy().astype(float)
    can = np.zeros((kinds.height, reps.height), dtype=bool)
    for place, region, languages in kinds.iter_rows():
        can[place] = [
            (region is None or theirs is None or region == theirs) and _speaks(spoken, languages)
            for theirs, spoken in reps.select("region", "languages").iter_rows()
        ]
    weight = accounts["weight"].to_numpy().astype(float)
    labels = [(region or "", ", ".join(languages or ())) for _, region, languages in kinds.iter_rows()]
    empty, group = np.zeros(reps.height), _groups(reps, kinds, kind[fixed == NOBODY])
    open_to = can & (share > 0)
    pool = np.where(open_to.any(axis=1), group[np.argmax(open_to, axis=1)], 0)
    made = Case(
        accounts["account_id"].to_numpy(), reps["rep_id"].to_numpy(), weight, owner, fixed, kind, labels, open_to,
        share, tolerance, group, pool, empty, empty, empty,
    )  # fmt: skip
    return made.banded(group, pool)


def check_tolerance(tolerance: float) -> None:
    """That a band has a width.

    Raises:
        Problem: If it has not.
    """
    if not 0 < tolerance < 1:
        raise Problem("The tolerance is {tolerance}.", "Give a share above 0 and below 1: 0.1 is ± 10%.",
                      tolerance=tolerance)  # fmt: skip


def _check(accounts: pl.DataFrame, reps: pl.DataFrame, tolerance: float) -> None:
    check_tolerance(tolerance)
    for frame, name in ((accounts, "account_id"), (reps, "rep_id")):
        if not (twice := frame.filter(pl.col(name).is_duplicated())).is_empty():
            raise Problem("{id} is there twice.", "Name each account and each seller once.", id=twice[name][0])
    for name in ("rep_id", "named_rep_id"):
        if not (
            unknown := accounts.drop_nulls(name).join(reps, left_on=name, right_on="rep_id", how="anti")
        ).is_empty():
            raise Problem("The account {account} names the seller {rep}, who is not there.",
                          "Name a seller who is, or none.", account=unknown["account_id"][0], rep=unknown[name][0])  # fmt: skip
    if not accounts.filter(~(pl.col("weight") > 0) | pl.col("weight").is_infinite()).is_empty():
        raise Problem("An account weighs nothing.", "Leave out accounts without weight: they change no balance.")
    if not reps["share"].sum() > 0:
        raise Problem("Nobody is present.", "Give at least one seller a share above 0.")


def _numbers(ids: pl.Series, number: dict[str, int]) -> np.ndarray:
    return np.array([NOBODY if each is None else number[each] for each in ids], dtype=int)


def _speaks(spoken: list[str] | None, asked: list[str] | None) -> bool:
    return spoken is None or not asked or bool(set(spoken) & set(asked))


def _groups(reps: pl.DataFrame, kinds: pl.DataFrame, free: np.ndarray) -> np.ndarray:
    """(m,) the group within which loads are evened out: the region, or all where some account may go anywhere."""
    asked = kinds["region"].gather(np.unique(free))
    if reps["region"].null_count() or asked.null_count():
        return np.zeros(reps.height, dtype=int)
    return reps["region"].rank("dense").to_numpy().astype(int) - 1
