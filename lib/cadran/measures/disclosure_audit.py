"""What is told of each question at each level: exactly, in bands, or not; chosen by attacking it until nothing breaks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cadran.measures.disclosure_cells import bands_of, is_close
from cadran.measures.disclosure_counts import Counted
from cadran.measures.disclosure_merge import Partition, thin_between
from cadran.measures.disclosure_spans import Targets, targets_of

Array = np.ndarray[Any, Any]
EXACT, BAND, WITHHELD = 0, 1, 2

FEW = "Too few people answered this question here."
ALIKE = "Nearly all who answered agree, here or in a group beside: it is told in bands, or not at all."
DERIVED = "Taken together with what else is told, it would tell of too few people."
WHOLE_ALIKE = "Nearly all in the company agree: groups would tell of persons."
COARSER = "It is no closer told than the group it stands in."
NOT_ASKED = "Nobody here answered this question."


@dataclass
class Block:
    """The groups of one partition that stand in one group of a coarser one: told alike, question by question."""

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
    """The blocks of partitions, the company's first. Groups that are their whole parent are in none."""
    names = [each.cut for each in partitions]
    found = [Block(0, (0, 0), [0])]
    for number, partition in enumerate(partitions[1:], 1):
        coarse = names.index(partition.within)
        for parent in sorted(set(partition.parents)):
            groups = [
                each for each, its in enumerate(partition.parents) if its == parent and not partition.is_whole[each]
            ]
            if groups:
                found.append(Block(number, (coarse, parent), groups))
    return found


def chosen(wave: Counted, partitions: Sequence[Partition], counts: Sequence[Array], minimum: int) -> Told:
    """How much may be told of each question in each block.

    Args:
        wave: Counted.
        partitions: Of everybody who answered, the company first.
        counts: For each (groups, questions, scores).
        minimum: Fewest respondents of a group.
    """
    blocks = blocks_of(partitions)
    told = Told(blocks, np.full((len(wave.scales), len(blocks)), EXACT))
    targets = targets_of(wave, partitions, minimum)
    for question, scale in enumerate(wave.scales):
        cells = [each[:, question, : len(scale.levels)] for each in counts]
        _by_size(told, question, cells, wave, partitions, minimum)
        _by_agreement(told, question, cells, scale)
        secret = np.concatenate(
            [is_close(each, scale) | ((each.sum(1) > 0) & (each.sum(1) < minimum)) for each in cells]
        )
        _by_span(told, question, targets, secret, partitions)
        _hold_bands(told, question, cells, scale)
    return told


def everything(wave: Counted, partitions: Sequence[Partition], counts: Sequence[Array], minimum: int) -> Told:
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
    if n[0][0] == wave.n_respondents:
        return
    asked = None if wave.asked is None else wave.asked[:, question]
    for place, partition in enumerate(partitions):
        for other in range(place):
            thin = thin_between(partition, partitions[other], n[place], n[other], minimum, asked)
            told.count("differences", 1)
            for number, block in enumerate(told.blocks):
                if block.partition == place and thin[block.groups].any():
                    told.lower(question, number, WITHHELD, DERIVED)


def _by_agreement(told: Told, question: int, cells: Sequence[Array], scale: Any) -> None:
    """Cells in which nearly all agree, and bands that what they stand in would undo."""
    for number, block in enumerate(told.blocks):
        here = cells[block.partition][block.groups]
        told.count("agreement", len(here))
        if number and told.level[question, 0] > EXACT:
            told.lower(question, number, WITHHELD, WHOLE_ALIKE)
        elif told.level[question, number] == EXACT and is_close(here, scale).any():
            told.lower(question, number, BAND, ALIKE)


def _hold_bands(told: Told, question: int, cells: Sequence[Array], scale: Any) -> None:
    """Bands that what they stand in would undo, or that stand for too few counts, are not told."""
    for number, block in enumerate(told.blocks):
        here, whole = cells[block.partition][block.groups], cells[block.parent[0]][block.parent[1]]
        if told.level[question, number] == BAND and not _holds(here, whole, scale, not number):
            told.lower(question, number, WITHHELD, told.reason[question, number])


def _holds(here: Array, whole: Array, scale: Any, is_company: bool) -> bool:
    """Whether bands leave each cell three counts or more, given the count of all of them."""
    is_high = scale.part == 2
    high, n = here[:, is_high].sum(1), here.sum(1)
    bands = [
        next((band for band in bands_of(int(m)) if band[0] <= h <= band[1]), None)
        for h, m in zip(high, n, strict=True)
        if m
    ]
    if any(band is None for band in bands):
        return False
    if is_company:
        return True
    ends = np.array(bands)
    total = whole[is_high].sum()
    least = np.maximum(ends[:, 0], total - (ends[:, 1].sum() - ends[:, 1]))
    most = np.minimum(ends[:, 1], total - (ends[:, 0].sum() - ends[:, 0]))
    return bool((most - least >= 2).all())


def exact_groups(told: Told, question: int, partitions: Sequence[Partition]) -> Array:
    """(groups of all partitions, one after the other) which are told exactly; those that are their whole parent too."""
    starts = np.cumsum([0, *(len(each.values) for each in partitions)])
    found = np.zeros(starts[-1], bool)
    for number, block in enumerate(told.blocks):
        if told.level[question, number] == EXACT:
            found[starts[block.partition] + np.array(block.groups)] = True
    return found


def _by_span(told: Told, question: int, targets: Targets, secret: Array, partitions: Sequence[Partition]) -> None:
    """Sums and differences of what is told exactly that are a few people's, or a group's that is not told."""
    while (exact := exact_groups(told, question, partitions)).any():
        found = targets.given_away(exact, secret)
        told.count("sums and differences", len(targets.n))
        if not len(found):
            return
        for block in {_finest(told, question, targets.meets[each], partitions) for each in found}:
            told.lower(question, block, BAND, DERIVED)


def _finest(told: Told, question: int, meets: Array, partitions: Sequence[Partition]) -> int:
    """The last block that is told exactly and holds some of a target."""
    starts = np.cumsum([0, *(len(each.values) for each in partitions)])
    return max(
        number for number, block in enumerate(told.blocks)
        if told.level[question, number] == EXACT and meets[starts[block.partition] + np.array(block.groups)].any()
    )  # fmt: skip
