"""Groups beside each other: by how few people one differs from others, of the same wave or an earlier one."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
from scipy.sparse import coo_array, csr_array, vstack

from cadran.measures.disclosure_counts import Counted
from cadran.tables.pulse import COMPANY

Array = np.ndarray[Any, Any]


@dataclass
class Partition:
    """Everybody who answered, by the groups of one cut: disjoint, and nobody is left out."""

    cut: str
    #: The partition that it stands in.
    within: str
    #: (groups,) values of the cut in each, and the group of the coarser partition it stands in.
    values: list[list[int]]
    parents: list[int]
    #: (respondents,) the group of each.
    of: Array
    #: (groups,) whether it is its whole parent, and so not told again.
    is_whole: list[bool] = field(default_factory=list)

    @property
    def n(self) -> Array:
        """(groups,) how many answered."""
        return np.bincount(self.of, minlength=len(self.values))


@dataclass(frozen=True)
class Earlier:
    """A partition that was released of an earlier wave, by pseudonym."""

    wave: str
    closed_at: datetime
    cut: str
    persons: pl.Series
    of: Array
    n: Array
    #: By question, (groups,) which were told exactly; (persons,) who answered it.
    exact: dict[str, Array] = field(default_factory=dict)
    gave: dict[str, Array] = field(default_factory=dict)


def company_of(wave: Counted) -> Partition:
    """Everybody who answered, as one group."""
    return Partition(COMPANY, COMPANY, [[0]], [0], np.zeros(wave.n_respondents, np.int64), [False])


def who_answered(wave: Counted, partitions: Sequence[Partition], question: int) -> tuple[Counted, Sequence[Partition]]:
    """A wave and its partitions as far as those stand in them who answered a question; whole, if that is not known."""
    if wave.asked is None:
        return wave, partitions
    gave = wave.asked[:, question]
    scores = None if wave.scores is None else wave.scores[gave]
    cuts = [replace(cut, values=cut.values[gave]) for cut in wave.cuts]
    persons = None if wave.persons is None else wave.persons.filter(pl.Series(gave))
    theirs = replace(
        wave, persons=persons, n_respondents=int(gave.sum()), cuts=cuts, asked=wave.asked[gave], scores=scores
    )
    return theirs, [replace(part, of=part.of[gave]) for part in partitions]


def differences(partitions: Sequence[Partition]) -> csr_array:
    """(differences, groups of all partitions) what each group is beside the least union of another partition's groups that
    holds it, and beside the greatest that it holds: 1 for groups added, -1 for those taken off."""
    starts = np.cumsum([0, *(len(part.values) for part in partitions)])
    names = [part.cut for part in partitions]
    # A group that is its whole parent is told as that.
    told_as = np.arange(starts[-1])
    for number, part in enumerate(partitions):
        for group in np.flatnonzero(part.is_whole):
            told_as[starts[number] + group] = told_as[starts[names.index(part.within)] + part.parents[group]]
    found = [csr_array((0, int(starts[-1])))]
    for one, part in enumerate(partitions):
        for other, beside in enumerate(partitions):
            if one == other:
                continue
            shared, n, n_beside = within(part, beside), part.n, beside.n
            holds, held = shared > 0, (shared > 0) & (shared == n_beside)
            n_all = part.n.sum()
            for union, sign in ((holds, 1), (held, -1)):
                size = union @ n_beside
                # All of another partition is the company, and stands there once.
                kept = np.flatnonzero((sign * (size - n) > 0) & union.any(1) & ((size < n_all) | (other == 0)))
                row, column = np.nonzero(union[kept])
                places = (
                    np.concatenate([row, np.arange(len(kept))]),
                    np.concatenate([column + starts[other], kept + starts[one]]),
                )
                signs = np.concatenate([np.full(len(row), sign), np.full(len(kept), -sign)])
                found.append(
                    coo_array((signs, (places[0], told_as[places[1]])), shape=(len(kept), int(starts[-1]))).tocsr()
                )
    rows = vstack(found, format="csr")
    rows.eliminate_zeros()
    return rows


def differs_too_little(wave: Counted, parts: Sequence[Partition], earlier: Sequence[Earlier], minimum: int) -> Array:
    """(groups of all partitions, one after the other) which differ by too few people from others, or from earlier ones."""
    found = []
    overlaps = [] if wave.persons is None else [(each, overlap(wave.persons, each)) for each in earlier]
    for number, part in enumerate(parts):
        touched = np.zeros(len(part.values), bool)
        for other in parts[:number]:
            touched |= thin(within(part, other), part.n, other.n, minimum)
        for each, where in overlaps:
            touched |= thin(between(part, each, where), part.n, each.n, minimum)
        found.append(touched)
    return np.concatenate(found)


def thin(shared: Array, n: Array, n_other: Array, minimum: int) -> Array:
    """Which groups of a partition take part in a difference of too few people.

    Looked at are each group beside the least union of the others' groups that holds it, and the greatest that it holds; and
    the other way round.

    Args:
        shared: (groups, others) how many stand in both.
        n: (groups,) how many in each; of the others (others,) `n_other`.
        minimum: Fewest people that two of them may differ by, unless they are the same.

    Returns:
        (groups,) whether each does.
    """

    def is_thin(difference: Array) -> Array:
        return (difference > 0) & (difference < minimum)

    def beside(shared: Array, n: Array, n_other: Array) -> tuple[Array, Array]:
        meets = shared > 0
        over = is_thin(meets @ n_other - n) & (shared.sum(1) == n)
        inner = meets & (shared == n_other)
        return over, is_thin(n - inner @ n_other) & inner.any(1)

    over, under = beside(shared, n, n_other)
    theirs_over, theirs_under = beside(shared.T, n_other, n)
    meets = shared > 0
    # Any group of a union that holds one of the others too closely may grow, but those that lie within it for good.
    by_union = (meets & (shared < n[:, None]) & theirs_over).any(1)
    return over | under | by_union | (meets & theirs_under).any(1)


def within(partition: Partition, other: Partition) -> Array:
    """(groups, others) how many of a group of one partition stand in a group of the other."""
    return _shared(partition.of, other.of, (len(partition.values), len(other.values)))


def _shared(of: Array, of_other: Array, shape: tuple[int, int]) -> Array:
    """(groups, others) how many stand in both."""
    return np.bincount(of * shape[1] + of_other, minlength=shape[0] * shape[1]).reshape(shape)


def overlap(persons: pl.Series, earlier: Earlier) -> Array:
    """(respondents,) the group that each stood in then; -1: none."""
    now = pl.DataFrame({"person": persons})
    then = pl.DataFrame({"person": earlier.persons, "of": earlier.of})
    return now.join(then, on="person", how="left", maintain_order="left")["of"].fill_null(-1).to_numpy()


def between(partition: Partition, earlier: Earlier, where: Array) -> Array:
    """(groups, earlier) how many of a group stood in a group of an earlier release; `where` each stood, −1: nowhere."""
    both = where >= 0
    return _shared(partition.of[both], where[both], (len(partition.values), len(earlier.n)))
