"""What is told of each question at each level: exactly, in bands, or not; chosen by attacking it until nothing breaks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from cadran.measures.disclosure_apart import Earlier, Partition, differences, thin, who_answered, within
from cadran.measures.disclosure_assumed import Assumed
from cadran.measures.disclosure_cells import CLOSE, bands_for, bands_hold, is_close
from cadran.measures.disclosure_counts import Counted, Scale
from cadran.measures.disclosure_room import ROOM, held_by, told_by
from cadran.measures.disclosure_spans import Targets, targets_of
from cadran.measures.disclosure_tight import Tight

Array = np.ndarray[Any, Any]
EXACT, BAND, WITHHELD = 0, 1, 2
#: The fewest groups of a block, if its parent has more.
FAMILY = 4

FEW = "Too few people answered this question here."
ALIKE = "Nearly all who answered agree, here or in a group beside: it is told in bands, or not at all."
DERIVED = "Taken together with what else is told, it would tell of too few people."
ASSUMED = "Taken together with earlier waves, it would let what too few people answer be guessed."
CROWDED = "So few people answered that telling this as well would give answers away."
BLANK = "Some gave no answer here, and it is not known who: groups are not told."
WHOLE_ALIKE = "Nearly all in the company agree: groups would tell of persons."
COARSER = "It is no closer told than the group it stands in."
NOT_ASKED = "Nobody here answered this question."


@dataclass
class Block:
    """Groups of one partition, all or some, that stand in one group of a coarser one: told alike, question by question."""

    partition: int
    #: The coarser partition, and the group of it.
    parent: tuple[int, int]
    groups: list[int]


@dataclass
class Told:
    """How much is told: (questions, blocks) each, and why not all."""

    blocks: list[Block]
    level: Array
    reason: dict[tuple[int, int], str] = field(default_factory=dict)
    tests: dict[str, int] = field(default_factory=dict)

    def lower(self, question: int, block: int, level: int, reason: str) -> None:
        """Tell no more than this of a block; what stands in it is told no closer."""
        if self.level[question, block] < level:
            self.level[question, block] = level
            self.reason[question, block] = reason
            mine = self.blocks[block]
            for number, each in enumerate(self.blocks):
                if each.parent[0] == mine.partition and each.parent[1] in mine.groups and number != block:
                    self.lower(question, number, level, COARSER)

    def count(self, test: str, n: int) -> None:
        """So many more tests of a kind were run."""
        self.tests[test] = self.tests.get(test, 0) + n


def blocks_of(partitions: Sequence[Partition]) -> list[Block]:
    """The blocks of partitions, the company's first. Groups that are their whole parent are in none.

    Of a parent with many groups, those of like size make up a block, never fewer than four: how many answered is told anyway,
    and where few of them agree, large groups need not give way.
    """
    names = [each.cut for each in partitions]
    found = [Block(0, (0, 0), [0])]
    for number, partition in enumerate(partitions[1:], 1):
        coarse, n = names.index(partition.within), partition.n
        for parent in sorted(set(partition.parents)):
            groups = [
                each for each, its in enumerate(partition.parents) if its == parent and not partition.is_whole[each]
            ]
            groups.sort(key=lambda each: -n[each])
            families = np.array_split(np.array(groups, int), max(len(groups) // FAMILY, 1))
            found += [Block(number, (coarse, parent), each.tolist()) for each in families if len(each)]
    return found


def chosen(
    wave: Counted,
    partitions: Sequence[Partition],
    counts: Sequence[Array],
    minimum: int,
    earlier: Sequence[Earlier] = (),
) -> Told:
    """How much may be told of each question in each block.

    Args:
        wave: Counted.
        partitions: Of everybody who answered, the company first.
        counts: For each (groups, questions, scores).
        minimum: Fewest respondents of a group.
        earlier: What was told of earlier waves.
    """
    blocks = blocks_of(partitions)
    told = Told(blocks, np.full((len(wave.scales), len(blocks)), EXACT))
    starts = np.cumsum([0, *(len(each.values) for each in partitions)])
    by_whom: dict[bytes, tuple[Counted, Sequence[Partition], Targets, csr_array]] = {}
    for question, scale in enumerate(wave.scales):
        whom = b"" if wave.asked is None else wave.asked[:, question].tobytes()
        if whom not in by_whom:
            here, parts = who_answered(wave, partitions, question)
            by_whom[whom] = here, parts, targets_of(here, parts, minimum), differences(parts)
        here, parts, targets, apart = by_whom[whom]
        cells = [each[:, question, : len(scale.levels)] for each in counts]
        flat = np.concatenate(cells)
        close = is_close(flat, scale, minimum)
        told.count("agreement", len(close))
        _by_size(told, question, cells, here, parts, minimum)
        _by_agreement(told, question, close, starts)
        told.count("differences", apart.shape[0])
        _by_difference(told, question, too_close(apart, flat, scale, minimum), starts)
        _by_the_few(told, question, few_apart(parts, flat, scale, minimum), starts)
        _by_room(told, question, flat, scale, starts)
        _by_span(told, question, targets, close | ((flat.sum(1) > 0) & (flat.sum(1) < minimum)), starts)
        _by_guess(told, question, Assumed(here, parts, question, earlier, minimum), starts)
        _settle(told, question, flat, scale, minimum, starts)
        _by_bounds(told, question, flat, here, targets, starts)
    return told


def everything(
    wave: Counted,
    partitions: Sequence[Partition],
    counts: Sequence[Array],
    minimum: int,
    earlier: Sequence[Earlier] = (),
) -> Told:
    """All of it, whatever it gives away: to show that an attack works."""
    blocks = blocks_of(partitions)
    return Told(blocks, np.full((len(wave.scales), len(blocks)), EXACT))


def _by_size(
    told: Told, question: int, cells: Sequence[Array], wave: Counted, partitions: Sequence[Partition], minimum: int
) -> None:
    """Cells of few scores, and differences of few scores between groups."""
    n = [each.sum(1) for each in cells]
    if n[0][0] < minimum:
        for number in range(len(told.blocks)):
            told.lower(question, number, WITHHELD, FEW)
        return
    for number, block in enumerate(told.blocks):
        here = n[block.partition][block.groups]
        if ((here > 0) & (here < minimum)).any():
            told.lower(question, number, WITHHELD, FEW)
    if wave.asked is None:
        for number in range(1, len(told.blocks)):
            told.lower(question, number, WITHHELD, BLANK)
        return
    for place, partition in enumerate(partitions):
        for other in range(place):
            told.count("differences", 1)
            touched = thin(within(partition, partitions[other]), n[place], n[other], minimum)
            for number, block in enumerate(told.blocks):
                if block.partition == place and touched[block.groups].any():
                    told.lower(question, number, WITHHELD, DERIVED)


def _by_agreement(told: Told, question: int, close: Array, starts: Array) -> None:
    """Cells that tell too much by themselves."""
    for number, block in enumerate(told.blocks):
        if number and told.level[question, 0] > EXACT:
            told.lower(question, number, WITHHELD, WHOLE_ALIKE)
        elif told.level[question, number] == EXACT and close[starts[block.partition] + block.groups].any():
            told.lower(question, number, BAND, ALIKE)


def too_close(apart: csr_array, cells: Array, scale: Scale, minimum: int) -> csr_array:
    """The differences of groups that tell what a cell must not, if both are told exactly.

    Args:
        apart: (differences, groups) as `differences` gives them.
        cells: (groups, scores) how many gave each score.
        scale: The question's.
        minimum: Fewest scores of a group.
    """
    gave = np.rint(apart @ cells).astype(np.int64)
    n = gave.sum(1)
    return apart[((n > 0) & (n < minimum)) | is_close(gave, scale, minimum)]


def in_differences(apart: csr_array, exact: Array) -> Array:
    """(groups,) which take part in a difference all of whose groups are told exactly."""
    used = abs(apart)
    return np.asarray(used[(used @ ~exact) == 0].sum(0) > 0)


def _by_difference(told: Told, question: int, apart: csr_array, starts: Array) -> None:
    """Differences of two that are told exactly: cells as any other."""
    while (found := in_differences(apart, _levels(told, question, starts) == EXACT)).any():
        told.lower(question, _finest(told, question, found, starts, BAND), BAND, ALIKE)


def _by_the_few(told: Told, question: int, few: Array, starts: Array) -> None:
    """Two groups told exactly, of which one holds a few whom the other does not."""
    while True:
        exact = _levels(told, question, starts) == EXACT
        pairs = np.argwhere(few & exact[:, None] & exact)
        if not len(pairs):
            return
        groups = np.isin(np.arange(len(few)), pairs[0])
        told.lower(question, _finest(told, question, groups, starts, BAND), BAND, ALIKE)


def few_apart(partitions: Sequence[Partition], cells: Array, scale: Scale, minimum: int) -> Array:
    """(groups, groups) whether the first holds fewer people than the minimum whom the second does not, and what is told of
    both may tell one of those whom the second alone holds what these answered.

    Args:
        partitions: Of all who answered the question.
        cells: (groups, scores) how many gave each score.
        scale: The question's.
        minimum: Fewer people than this are a few.
    """
    starts = np.cumsum([0, *(len(each.values) for each in partitions)])
    place = np.stack([each.of + start for each, start in zip(partitions, starts, strict=False)], 1)
    person = np.repeat(np.arange(len(place)), place.shape[1])
    member = csr_array((np.ones(place.size), (place.ravel(), person)), shape=(len(cells), len(place)))
    n = cells.sum(1)
    alone = n[:, None] - (member @ member.T).toarray()
    others = alone.T
    found = np.zeros_like(alone, bool)
    for part in (2, 0):
        gave = cells[:, scale.part == part].sum(1)
        gap = gave[:, None] - gave
        # All of the few, and at most one of the others; or none, and all others but one.
        found |= (gap >= alone - 1) | (gap <= 1 - others)
    height = cells @ (scale.levels - scale.low)
    top, gap = scale.high - scale.low, height[:, None] - height
    for own in range(top + 1):
        low, most = np.maximum(0, gap + own), np.minimum(top * alone, gap + own + top * (others - 1))
        found |= (cells[:, own] > 0) & (most - low <= CLOSE * top * alone)
    return np.asarray(found & (alone > 0) & (alone < minimum) & (others > 0))


def _by_room(told: Told, question: int, cells: Array, scale: Scale, starts: Array) -> None:
    """Blocks in their order, as long as what is told leaves enough of what the answers hold untold."""
    room = ROOM * held_by(cells[0])
    exact = told_by(cells[0], scale, cells.sum(1))
    bands = np.log2(np.maximum(bands_for(cells.sum(1)), 1))
    bits = 0.0
    for number, block in enumerate(told.blocks):
        here = starts[block.partition] + np.array(block.groups)
        # Given the whole, the last of its parts is known from the others.
        before = told.blocks[number - 1]
        is_first = number and (before.partition, before.parent) != (block.partition, block.parent)
        rest = exact[here].sum() - (exact[here].max() if is_first else 0)
        if told.level[question, number] == EXACT and number and bits + rest > room:
            told.lower(question, number, BAND, CROWDED)
        if told.level[question, number] == BAND and number and bits + bands[here].sum() > room:
            told.lower(question, number, WITHHELD, CROWDED)
        bits += (rest, bands[here].sum(), 0.0)[told.level[question, number]]


def _settle(told: Told, question: int, cells: Array, scale: Scale, minimum: int, starts: Array) -> None:
    """Bands that what they stand in would undo, or that stand for too few counts, are not told; nor are blocks told
    exactly beside others whose sum, which they give away, tells too much."""
    n, high = cells.sum(1), cells[:, scale.part == 2].sum(1)
    level = told.level[question]
    by_parent: dict[tuple[int, tuple[int, int]], list[int]] = {}
    for number, block in enumerate(told.blocks):
        by_parent.setdefault((block.partition, block.parent), []).append(number)
    for numbers in by_parent.values():
        less = [each for each in numbers if level[each] > EXACT]
        if less and len(less) < len(numbers):
            rest = sum(cells[starts[told.blocks[each].partition] + told.blocks[each].groups].sum(0) for each in less)
            if 0 < rest.sum() < minimum or is_close(rest[None], scale, minimum)[0]:
                for each in numbers:
                    told.lower(question, each, max(level[less]), DERIVED)
    for number, block in enumerate(told.blocks):
        here = starts[block.partition] + np.array(block.groups)
        if level[number] == BAND and not bands_hold(high[here], n[here], int(high[here].sum()) if number else None):
            told.lower(question, number, WITHHELD, told.reason[question, number])


def _by_span(told: Told, question: int, targets: Targets, secret: Array, starts: Array) -> None:
    """Sums and differences of what is told exactly that are a few people's, or a group's that must not be told."""
    while (exact := _levels(told, question, starts) == EXACT).any():
        found = targets.given_away(exact, secret)
        told.count("sums and differences", len(targets.n))
        if not len(found):
            return
        for number in {_finest(told, question, targets.groups_of(each), starts, BAND) for each in found}:
            told.lower(question, number, BAND, DERIVED)


def _by_guess(told: Told, question: int, assumed: Assumed, starts: Array) -> None:
    """What lets few people's answers be guessed from several waves together; the company is told anyway."""
    while True:
        exact = _levels(told, question, starts) == EXACT
        found = assumed.guessed(exact) & exact
        if not found[1:].any():
            return
        told.count("guesses", assumed.few.shape[0])
        told.lower(question, _finest(told, question, found, starts, BAND), BAND, ASSUMED)


def _finest(told: Told, question: int, groups: Array, starts: Array, below: int) -> int:
    """The last block that holds one of some groups and is told more closely than that."""
    return max(
        number for number, block in enumerate(told.blocks)
        if told.level[question, number] < below and groups[starts[block.partition] + block.groups].any()
    )  # fmt: skip


def _by_bounds(told: Told, question: int, cells: Array, wave: Counted, targets: Targets, starts: Array) -> None:
    """What bounds few people too closely."""
    if wave.asked is None:
        return
    tight = Tight(wave, question, cells, targets)
    blocks = _by_group(told, np.arange(len(told.blocks)), -1, starts)
    while (level := _levels(told, question, starts)).min() < WITHHELD:
        broken = tight.broken(level, blocks)
        told.tests["bounds"] = told.tests.get("bounds", 0) + broken.n_bounds
        told.tests["linear programs"] = told.tests.get("linear programs", 0) + broken.n_programs
        if not broken.groups.any():
            return
        number = _finest(told, question, broken.groups, starts, WITHHELD)
        told.lower(question, number, WITHHELD if told.level[question, number] else BAND, DERIVED)
        _settle(told, question, cells, wave.scales[question], targets.minimum, starts)


def _levels(told: Told, question: int, starts: Array) -> Array:
    """(groups,) how much is told of each."""
    return _by_group(told, told.level[question], WITHHELD, starts)


def _by_group(told: Told, values: Array, other: int, starts: Array) -> Array:
    """(groups,) what (blocks,) values say of each; another where it is in no block."""
    found = np.full(starts[-1], other)
    for block, value in zip(told.blocks, values, strict=True):
        found[starts[block.partition] + block.groups] = value
    return found
