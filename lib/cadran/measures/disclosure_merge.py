"""Groups large enough to be shown: values of a cut joined along their fixed order, until none of what is released of one
wave, or was released of earlier ones, differs from another by fewer people than the minimum."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cadran.measures.disclosure_apart import Earlier, Partition, between, company_of, overlap, thin, within
from cadran.measures.disclosure_counts import TIMES, Counted, Cut, named, once
from cadran.tables.pulse import COMPANY

Array = np.ndarray[Any, Any]


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
    overlaps = [overlap(wave.persons, each) for each in earlier] if protect and wave.persons is not None else []
    known = list(zip(earlier, overlaps, strict=False))
    joined = [(cut, frozenset(members)) for cut, members in before]
    if protect:
        for each, where in known:
            done.n_compared += 1
            if thin(between(company, each, where), company.n, each.n, minimum).any():
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
        is_within = {
            member for number in theirs for v in partition.values[number] for member in cut.members[v]
        } <= members
        is_run = len(theirs) > 1 and theirs[-1] - theirs[0] == len(theirs) - 1
        if is_run and is_within and len({partition.parents[each] for each in theirs}) == 1:
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
        touched = np.zeros(len(partition.values), bool)
        for other in accepted:
            touched |= thin(within(partition, other), partition.n, other.n, minimum)
        for each, where in known:
            touched |= thin(between(partition, each, where), partition.n, each.n, minimum)
        n_compared += len(accepted) + len(known)
        found = [each for each in np.flatnonzero(touched).tolist() if tuple(partition.values[each]) not in stuck]
        if not found:
            if touched.any():
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
