"""The groups and cells of a release: what is told of each, as its table has it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from cadran.measures.disclosure_apart import Partition
from cadran.measures.disclosure_audit import BAND, EXACT, FEW, NOT_ASKED, WITHHELD, Told
from cadran.measures.disclosure_cells import band_of
from cadran.measures.disclosure_counts import Counted, named, once
from cadran.tables.pulse import COMPANY, TOLD, Cell, Group

Array = np.ndarray[Any, Any]
#: Parent, name and members of a group.
Key = tuple[str | None, str | None, list[str | None]]


def summed(counts: Counted, part: Partition) -> Array:
    """(groups, questions, scores) how many gave each score."""
    values = counts.counts[None] if part.cut == COMPANY else counts.cut(part.cut).counts
    return np.stack([values[group].sum(0) for group in part.values])


def groups_of(counts: Counted, partitions: Sequence[Partition]) -> pl.DataFrame:
    """As `Group`. A group that is its whole parent is told once, as the parent."""
    keys = keys_of(counts, partitions)
    rows = []
    for part, names in zip(partitions, keys, strict=True):
        n, n_invited = part.n, _invited(counts, part)
        for group, (parent, name, members) in enumerate(names):
            if not part.is_whole[group]:
                rows.append(
                    {"cut": part.cut, "parent": parent, "group": name, "members": members,
                     "n_invited": n_invited and n_invited[group], "n_answered": int(n[group])}
                )  # fmt: skip
    return Group.validate(pl.DataFrame(rows, Group.create_empty().schema))


def cells_of(counts: Counted, partitions: Sequence[Partition], sums: Sequence[Array], told: Told) -> pl.DataFrame:
    """As `Cell`: of each question and block as much as is told."""
    keys = keys_of(counts, partitions)
    rows = []
    facts = [_facts(counts, each) for each in sums]
    block_of = {(block.partition, group): number for number, block in enumerate(told.blocks) for group in block.groups}
    for (partition, group), number in sorted(block_of.items()):
        parent, name, _ = keys[partition][group]
        for question, scale in enumerate(counts.scales):
            cell = {"cut": partitions[partition].cut, "parent": parent, "group": name}
            level, reason = int(told.level[question, number]), told.reason.get((question, number))
            rows.append(cell | _cell(scale.question_id, facts[partition][group][question], level, reason))
    return Cell.validate(pl.DataFrame(rows, Cell.create_empty().schema))


def withheld(counts: Counted, reason: str) -> pl.DataFrame:
    """As `Cell`: of the company, of which nothing is told."""
    rows = [
        {"cut": COMPANY, "question_id": scale.question_id, "told": TOLD[WITHHELD], "reason": reason}
        for scale in counts.scales
    ]
    return Cell.validate(pl.DataFrame(rows, Cell.create_empty().schema))


def told_of_cells(cells: pl.DataFrame) -> dict[str, Any]:
    """How many cells are told, and why others are not, cut by cut."""
    by = ["cut", "told", "reason"]
    rows = cells.group_by(by).len("n_cells").sort(by, nulls_last=True)
    return {"cells": rows.to_dicts()}


def _facts(counts: Counted, gave: Array) -> list[list[list[int]]]:
    """[group][question] how many scores are low, in the middle and high, and their sum."""
    found = np.zeros((*gave.shape[:2], 4), np.int64)
    for question, scale in enumerate(counts.scales):
        here = gave[:, question, : len(scale.levels)]
        for part in range(3):
            found[:, question, part] = here[:, scale.part == part].sum(1)
        found[:, question, 3] = here @ scale.levels
    return list(found.tolist())


def _cell(question_id: str, facts: Sequence[int], level: int, reason: str | None) -> dict[str, Any]:
    low, middle, high, total = facts
    n = low + middle + high
    row: dict[str, Any] = {"question_id": question_id, "told": TOLD[level], "reason": reason}
    if n == 0:
        return row | {"told": TOLD[WITHHELD], "reason": NOT_ASKED}
    if level == EXACT:
        counted = {"n": n, "n_high": high, "n_middle": middle, "n_low": low, "score_sum": float(total)}
        return row | counted | {"reason": None}
    if level == BAND and (band := band_of(high, n)):
        return row | {"n": n, "band_low": band[0] / n, "band_high": band[1] / n}
    return row | {"told": TOLD[WITHHELD], "reason": reason or FEW}


def keys_of(counts: Counted, partitions: Sequence[Partition]) -> list[list[Key]]:
    """Parent, name and members of every group of every partition."""
    members = {
        part.cut: [once(m for value in group for m in counts.cut(part.cut).members[value]) if part.cut != COMPANY else []
                   for group in part.values]
        for part in partitions
    }  # fmt: skip
    return [
        [
            (
                None if part.within == COMPANY else named(members[part.within][parent]),
                None if part.cut == COMPANY else named(theirs),
                theirs,
            )
            for parent, theirs in zip(part.parents, members[part.cut], strict=True)
        ]
        for part in partitions
    ]


def _invited(counts: Counted, part: Partition) -> list[int] | None:
    if counts.n_invited is None:
        return None
    if part.cut == COMPANY:
        return [counts.n_invited]
    known = counts.cut(part.cut).n_invited
    return None if known is None else [int(known[group].sum()) for group in part.values]
