"""Groups large enough to be shown: values of a cut joined along their fixed order, until none of what is released of one
wave, or was released of earlier ones, differs from another by fewer people than the minimum."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from scipy.sparse import coo_array, csr_array, vstack

from cadran.measures.disclosure_counts import TIMES, Counted, Cut, named, once
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
    cut: str
    persons: pl.Series
    of: Array
    n: Array


@dataclass
class Merged:
    """The partitions of a wave that may be released, and what had to be done."""

    partitions: list[Partition]
    #: Why the company itself cannot be told, if so: the waves it differs too little from.
    company: list[str]
    notes: list[dict[str, Any]]
    n_compared: int


def merged(
    wave: Counted,
    minimum: int,
    earlier: Sequence[Earlier] = (),
    before: Iterable[tuple[str, list[str | None]]] = (),
    protect: bool = True,
) -> Merged:
    """Partitions of everybody who answered, whose groups hold the minimum and can be told beside each other.

    Args:
        wave: Counted.
        minimum: Fewest respondents of a group.
        earlier: What was released before, to compare with.
        before: (cut, members) of the groups of the wave before, taken over where they still hold.
        protect: Without it every value is a group, whoever it holds.
    """
    company = company_of(wave)
    done = Merged([], [], [], 0)
    overlaps = [_overlap(wave.persons, each) for each in earlier] if protect and wave.persons is not None else []
    known = list(zip(earlier, overlaps, strict=False))
    joined = [(cut, frozenset(members)) for cut, members in before]
    if protect:
        for each, where in known:
            done.n_compared += 1
            if _thin(_between(company, each, where), company.n, each.n, minimum).any():
                done.company = sorted({*done.company, each.wave})
        if done.company or wave.n_respondents < minimum:
            return done
    done.partitions.append(company)
    by_cut = {COMPANY: company}
    for cut in wave.cuts:
        if TIMES in cut.name and cut.within not in by_cut:
            done.notes.append({"cut": cut.name, "what": "not released", "why": "What it is crossed with is not told."})
            continue
        parent = by_cut.get(cut.within, company)
        partition = _values_of(cut, parent, wave)
        n_values = len(partition.values)
        if protect:
            _taken_over(partition, cut, wave, [each for name, each in joined if name == cut.name], minimum)
            _enough(partition, cut, wave, minimum)
            done.n_compared += _apart(partition, cut, wave, done.partitions, known, minimum)
        _mark(partition, parent)
        if all(partition.is_whole) or len(partition.values) < 2:
            done.notes.append({"cut": cut.name, "what": "not released", "why": "One group is left of it."})
            continue
        done.notes += [
            {"cut": cut.name, "what": "merged", "group": _label(cut, group)}
            for group in partition.values
            if len(group) > 1
        ]
        if len(partition.values) < n_values:
            done.notes.append(
                {"cut": cut.name, "what": "groups", "n_values": n_values, "n_groups": len(partition.values)}
            )
        by_cut[cut.name] = partition
        done.partitions.append(partition)
    return done


def company_of(wave: Counted) -> Partition:
    """Everybody who answered, as one group."""
    return Partition(COMPANY, COMPANY, [[0]], [0], np.zeros(wave.n_respondents, np.int64), [False])


def _label(cut: Cut, group: Sequence[int]) -> str:
    return named(once(member for value in group for member in cut.members[value]))


def _values_of(cut: Cut, parent: Partition, wave: Counted) -> Partition:
    """Every value for itself, in its place among those of the same parent, where those of one name are one."""
    parents = [0] * len(cut.labels)
    if parent.cut != COMPANY:
        coarse = wave.cut(parent.cut)
        group_of = {coarse.labels[value]: number for number, group in enumerate(parent.values) for value in group}
        parents = [group_of[label] for label in cut.parents]
    keys = [(parents[value], label is None, label or "") for value, label in enumerate(cut.labels)]
    numbers = {key: number for number, key in enumerate(sorted(set(keys)))}
    number = np.array([numbers[key] for key in keys], np.int64)
    values = [np.flatnonzero(number == each).tolist() for each in range(len(numbers))]
    return Partition(cut.name, parent.cut, values, [key[0] for key in sorted(numbers)], number[cut.values])


def _taken_over(
    partition: Partition, cut: Cut, wave: Counted, before: Sequence[frozenset[str | None]], minimum: int
) -> None:
    """Groups as the wave before had them, where one of their values is too small still, and they stand beside each other
    in one parent."""
    rows = _scores(partition, cut, wave)
    number_of = {
        member: number for number, group in enumerate(partition.values) for v in group for member in cut.members[v]
    }
    runs = []
    for members in before:
        theirs = sorted({number_of[member] for member in members if member in number_of})
        within = {member for number in theirs for v in partition.values[number] for member in cut.members[v]} <= members
        is_run = len(theirs) > 1 and theirs[-1] - theirs[0] == len(theirs) - 1
        if is_run and within and len({partition.parents[each] for each in theirs}) == 1:
            runs += [theirs] if min(rows[each].min() for each in theirs) < minimum else []
    for theirs in sorted(runs, reverse=True):  # from the end, so that what comes before keeps its number
        for _ in theirs[1:]:
            _join(partition, theirs[0])
    partition.of = _standing(partition, cut)


def _join(partition: Partition, number: int) -> None:
    """A group and the next become one."""
    partition.values[number] += partition.values.pop(number + 1)
    partition.parents.pop(number + 1)


def _standing(partition: Partition, cut: Cut) -> Array:
    """(respondents,) the group of each."""
    number = np.empty(len(cut.labels), np.int64)
    for group, values in enumerate(partition.values):
        number[values] = group
    return np.asarray(number[cut.values])


def _grow(partition: Partition, number: int, sizes: Sequence[int]) -> int | None:
    """Join a group with the smaller of its neighbours in the same parent, the one before if they are alike; the number of
    what became one."""
    beside = [
        each for each in (number - 1, number + 1)
        if 0 <= each < len(partition.values) and partition.parents[each] == partition.parents[number]
    ]  # fmt: skip
    if not beside:
        return None
    first = min(number, min(beside, key=lambda each: (sizes[each], each)))
    _join(partition, first)
    return first


def _scores(partition: Partition, cut: Cut, wave: Counted) -> list[Array]:
    """[group] how many answered, and how many gave a score to each question that most were asked."""
    n = np.concatenate(
        [np.bincount(cut.values, minlength=len(cut.labels))[:, None], cut.counts.sum(2)[:, wave.is_main]], 1
    )
    return [n[group].sum(0) for group in partition.values]


def _enough(partition: Partition, cut: Cut, wave: Counted, minimum: int) -> None:
    """Join groups until each holds the minimum, or is its whole parent."""
    rows = _scores(partition, cut, wave)
    sizes = [int(row.min()) for row in rows]
    stuck: set[tuple[int, ...]] = set()
    while small := [
        (size, number) for number, size in enumerate(sizes)
        if size < minimum and tuple(partition.values[number]) not in stuck
    ]:  # fmt: skip
        number = min(small)[1]
        first = _grow(partition, number, sizes)
        if first is None:
            stuck.add(tuple(partition.values[number]))
        else:
            rows[first] = rows[first] + rows.pop(first + 1)
            sizes[first : first + 2] = [int(rows[first].min())]
    partition.of = _standing(partition, cut)


def _mark(partition: Partition, parent: Partition) -> None:
    """Which groups are all of their parent."""
    alone = np.bincount(partition.parents, minlength=len(parent.values))
    partition.is_whole = [bool(alone[each] == 1) for each in partition.parents]


def _apart(
    partition: Partition,
    cut: Cut,
    wave: Counted,
    accepted: Sequence[Partition],
    known: Sequence[tuple[Earlier, Array]],
    minimum: int,
) -> int:
    """Join groups until none differs from what is told otherwise by fewer than the minimum; how often it looked."""
    n_compared = 0
    stuck: set[tuple[int, ...]] = set()
    while len(partition.values) > 1:
        thin = np.zeros(len(partition.values), bool)
        for other in accepted:
            thin |= _thin(_within(partition, other), partition.n, other.n, minimum)
        for each, where in known:
            thin |= _thin(_between(partition, each, where), partition.n, each.n, minimum)
        n_compared += len(accepted) + len(known)
        found = [each for each in np.flatnonzero(thin).tolist() if tuple(partition.values[each]) not in stuck]
        if not found:
            if thin.any():
                while len(partition.values) > 1:
                    _join(partition, 0)
                partition.of = _standing(partition, cut)
            return n_compared
        sizes = partition.n.tolist()
        number = min(found, key=lambda each: (sizes[each], each))
        if _grow(partition, number, sizes) is None:
            stuck.add(tuple(partition.values[number]))
        else:
            partition.of = _standing(partition, cut)
    return n_compared


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
            shared, n, n_beside = _within(part, beside), part.n, beside.n
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
    overlaps = [] if wave.persons is None else [(each, _overlap(wave.persons, each)) for each in earlier]
    for number, part in enumerate(parts):
        thin = np.zeros(len(part.values), bool)
        for other in parts[:number]:
            thin |= _thin(_within(part, other), part.n, other.n, minimum)
        for each, where in overlaps:
            thin |= _thin(_between(part, each, where), part.n, each.n, minimum)
        found.append(thin)
    return np.concatenate(found)


def thin_between(
    partition: Partition, other: Partition, n: Array, n_other: Array, minimum: int, asked: Array | None
) -> Array:
    """Which groups of a partition take part in a difference of too few scores of one question.

    Args:
        partition: Looked at.
        other: Of the same respondents.
        n: (groups,) scores given in each; of the other's (others,) `n_other`.
        minimum: Fewest scores they may differ by, unless it is none.
        asked: (respondents,) who gave one; null where it is not known.
    """
    if asked is None:
        return _thin(_within(partition, other), partition.n, other.n, minimum, (n, n_other))
    return _thin(_shared(partition.of[asked], other.of[asked], (len(n), len(n_other))), n, n_other, minimum)


def _thin(shared: Array, n: Array, n_other: Array, minimum: int, scores: tuple[Array, Array] | None = None) -> Array:
    """Which groups of a partition take part in a difference of too few people.

    Looked at are each group beside the least union of the others' groups that holds it, and the greatest that it holds; and
    the other way round.

    Args:
        shared: (groups, others) how many stand in both.
        n: (groups,) how many in each; of the others (others,) `n_other`.
        minimum: Fewest people that two of them may differ by, unless they are the same.
        scores: The same two as numbers of scores, where these are what may not differ by too few.

    Returns:
        (groups,) whether each does.
    """

    def is_thin(difference: Array) -> Array:
        return (difference > 0) & (difference < minimum)

    def beside(shared: Array, n: Array, n_other: Array, m: Array, m_other: Array) -> tuple[Array, Array]:
        meets = shared > 0
        over = is_thin(meets @ m_other - m) & (shared.sum(1) == n)
        inner = meets & (shared == n_other)
        return over, is_thin(m - inner @ m_other) & inner.any(1)

    m, m_other = scores or (n, n_other)
    over, under = beside(shared, n, n_other, m, m_other)
    theirs_over, theirs_under = beside(shared.T, n_other, n, m_other, m)
    meets = shared > 0
    # Any group of a union that holds one of the others too closely may grow, but those that lie within it for good.
    by_union = (meets & (shared < n[:, None]) & theirs_over).any(1)
    return over | under | by_union | (meets & theirs_under).any(1)


def _within(partition: Partition, other: Partition) -> Array:
    return _shared(partition.of, other.of, (len(partition.values), len(other.values)))


def _shared(of: Array, of_other: Array, shape: tuple[int, int]) -> Array:
    """(groups, others) how many stand in both."""
    return np.bincount(of * shape[1] + of_other, minlength=shape[0] * shape[1]).reshape(shape)


def _overlap(persons: pl.Series, earlier: Earlier) -> Array:
    """(respondents,) the group that each stood in then; -1: none."""
    now = pl.DataFrame({"person": persons})
    then = pl.DataFrame({"person": earlier.persons, "of": earlier.of})
    return now.join(then, on="person", how="left", maintain_order="left")["of"].fill_null(-1).to_numpy()


def _between(partition: Partition, earlier: Earlier, where: Array) -> Array:
    both = where >= 0
    return _shared(partition.of[both], where[both], (len(partition.values), len(earlier.n)))
