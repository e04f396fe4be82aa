"""What of a pulse survey may be told, so that nobody is singled out: coarsened, attacked, and then released for good.

Groups of too few people are joined, cells in which nearly all agree are told in bands, and what an attack still breaks is
left out. A release is made once, when a wave has closed, and kept: what is told later never adds to it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from cadran.measures.disclosure_apart import Earlier, company_of
from cadran.measures.disclosure_audit import chosen, everything
from cadran.measures.disclosure_comments import shown
from cadran.measures.disclosure_counts import Array, counted, is_known
from cadran.measures.disclosure_merge import merged
from cadran.measures.disclosure_told import cells_of, groups_of, summed, told_of_cells, withheld
from cadran.tables.pulse import COMPANY, FLOOR, SCORED, TREE, Release, Wave

TOO_CLOSE = (
    "Nearly the same people answered an earlier wave: the difference would tell of the few who did not. It is told again "
    "once at least as many as the survey's minimum have come or gone."
)
TOO_FEW = "Fewer people than the survey's minimum answered."


def release(wave: Wave, earlier: Sequence[tuple[Wave, Release]] = (), protect: bool = True) -> Release:
    """What may be told of a wave, given all that was told of earlier ones.

    Args:
        wave: Closed.
        earlier: Each earlier wave and what was released of it, the first to close first. Those of other surveys, and those
            that share no question, are left out of account.
        protect: False tells everything of every group: to show that an attack works. No command reaches it.

    Returns:
        As `Release`. The same wave after the same releases gives the same release, byte for byte.
    """
    counts = counted(wave)
    minimum = max(wave.terms.minimum, FLOOR)
    told_before = _alike(wave, earlier)
    past = earlier_of(wave, earlier) if protect else []
    last = told_before[-1][1].groups if told_before and protect else None
    before = [] if last is None else list(last.select("cut", "members").iter_rows())
    parts = merged(counts, minimum, past, before, protect)
    audited: dict[str, Any] = {
        "minimum": minimum, "protected": protect, "n_respondents": counts.n_respondents,
        "waves_compared": [each.name for each, _ in told_before] if counts.persons is not None else [],
        "persons_known": counts.persons is not None, "partitions_compared": parts.n_compared, "groups": parts.notes,
    }  # fmt: skip
    if not parts.partitions:
        reason = TOO_CLOSE if parts.company else TOO_FEW
        groups, cells = groups_of(counts, [company_of(counts)]), withheld(counts, reason)
        audited |= {"company": reason, "too_close_to": parts.company}
    else:
        sums = [summed(counts, part) for part in parts.partitions]
        told = (chosen if protect else everything)(counts, parts.partitions, sums, minimum, past)
        groups, cells = groups_of(counts, parts.partitions), cells_of(counts, parts.partitions, sums, told)
        audited["tests"] = dict(sorted(told.tests.items()))
    regions = [list(row) for row in groups.filter(pl.col("cut") == TREE[0])["members"]] if parts.partitions else []
    audited |= told_of_cells(cells)
    return Release(
        wave.terms, wave.wave, wave.closed_at, wave.questions, groups, cells, shown(wave, counts, regions, protect), audited,
    )  # fmt: skip


def earlier_of(wave: Wave, earlier: Sequence[tuple[Wave, Release]]) -> list[Earlier]:
    """Who stood in which group of what was told of earlier waves, as far as this one is held against them."""
    return [part for each, its in _alike(wave, earlier) for part in _partitions(each, its)]


def _alike(wave: Wave, earlier: Sequence[tuple[Wave, Release]]) -> list[tuple[Wave, Release]]:
    """Earlier waves of the same survey that share a scored question."""
    asked = set(wave.questions.filter(pl.col("kind").is_in(SCORED))["question_id"])
    return [
        (each, its) for each, its in earlier
        if each.terms.survey == wave.terms.survey and asked & set(each.questions["question_id"])
    ]  # fmt: skip


def _partitions(wave: Wave, its: Release) -> list[Earlier]:
    """Who stood in which group of an earlier release, partition by partition; nothing if it told nothing."""
    counts = counted(wave) if is_known(wave) else None
    if counts is None or (persons := counts.persons) is None or (its.cells["told"] == "withheld").all():
        return []
    company = company_of(counts)
    asked = np.ones((counts.n_respondents, len(counts.scales)), bool) if counts.asked is None else counts.asked
    names = [scale.question_id for scale in counts.scales]

    def part(cut: str, rows: Sequence[dict[str, Any]], of: Array) -> Earlier:
        told = of >= 0
        gave = dict(zip(names, asked[told].T, strict=True))
        cells = {
            (*key, question): told == "exact"
            for *key, question, told in its.cells.filter(pl.col("cut") == cut)
            .select("parent", "group", "question_id", "told")
            .iter_rows()
        }
        exact = {
            name: np.array([cells.get((row["parent"], row["group"], name), False) for row in rows], bool)
            for name in names
        }
        n = np.bincount(of[told], minlength=len(rows))
        return Earlier(its.name, its.closed_at, cut, persons.filter(pl.Series(told)), of[told], n, exact, gave)

    found = [part(COMPANY, _rows(its, COMPANY), company.of)]
    regions = {row["group"]: set(row["members"]) for row in _rows(its, TREE[0])}
    for cut in counts.cuts:
        rows = _rows(its, cut.name)
        number = np.full(len(cut.labels), -1)
        for place, row in enumerate(rows):
            parents = regions.get(row["parent"], {row["parent"]})
            for value, members in enumerate(cut.members):
                if set(members) <= set(row["members"]) and (row["parent"] is None or cut.parents[value] in parents):
                    number[value] = place
        found.append(part(cut.name, rows, number[cut.values]))
    return found


def _rows(its: Release, cut: str) -> list[dict[str, Any]]:
    return its.groups.filter(pl.col("cut") == cut).to_dicts()
