"""A release attacked as it stands: what can be made of all that it tells, together with all that was told before."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cadran.measures.disclosure import earlier_of
from cadran.measures.disclosure_apart import Partition, company_of, differences, differs_too_little, who_answered
from cadran.measures.disclosure_assumed import Assumed
from cadran.measures.disclosure_audit import EXACT, WITHHELD, few_apart, in_differences, too_close
from cadran.measures.disclosure_cells import is_close
from cadran.measures.disclosure_counts import Array, Counted, Scale, counted, is_known
from cadran.measures.disclosure_spans import targets_of
from cadran.measures.disclosure_tight import Tight
from cadran.measures.disclosure_told import keys_of, summed
from cadran.tables.pulse import COMPANY, FLOOR, TOLD, Release, Wave


@dataclass(frozen=True)
class Break:
    """Something told that singles out too few people: by which test, of which question, in which groups."""

    test: str
    #: Null where it does not hang on a question.
    question_id: str | None
    #: Cut and name of the groups that hold them.
    groups: tuple[tuple[str, str | None], ...]


#: What each test finds.
TESTS = {
    "few": "A group of too few people is told.",
    "differences": "Two groups differ by too few people.",
    "agreement": "A cell tells of a person, or one person of all the others.",
    "sums": "A sum or difference of what is told is that of too few people.",
    "bounds": "What is told bounds too closely what few people answered.",
    "guesses": "Taken together with earlier waves, it lets what few people answer be guessed.",
    "latest": "Together with what was told before, it tells what few people answered, or changed.",
}


def breaks(wave: Wave, its: Release, earlier: Sequence[tuple[Wave, Release]] = ()) -> list[Break]:
    """What an attack on a release finds; nothing, if it was made by `release`.

    Nothing either where it is not kept who stands in which group (`is_known`).

    Args:
        wave: Of which it is.
        its: What is told of it.
        earlier: The waves before, and what was released of them.
    """
    if not is_known(wave):
        return []
    counts = counted(wave)
    minimum = max(wave.terms.minimum, FLOOR)
    parts = partitions_of(counts, its)
    names = [(part.cut, name) for part, theirs in zip(parts, _names(counts, parts), strict=True) for name in theirs]
    level = levels_of(counts, its, parts)
    found: list[Break] = []

    def add(test: str, question: int | None, groups: Array) -> None:
        if groups.any():
            question_id = None if question is None else counts.scales[question].question_id
            found.append(Break(test, question_id, tuple(names[each] for each in np.flatnonzero(groups))))

    told = (level < WITHHELD).any(0)
    add("few", None, told & (np.concatenate([part.n for part in parts]) < minimum))
    past = earlier_of(wave, earlier)
    if told.any():
        add("differences", None, told & differs_too_little(counts, parts, past, minimum))
    for question, scale in enumerate(counts.scales):
        here, theirs = who_answered(counts, parts, question)
        targets, apart = targets_of(here, theirs, minimum), differences(theirs)
        cells = np.concatenate([summed(counts, part)[:, question, : len(scale.levels)] for part in parts])
        n, close = cells.sum(1), is_close(cells, scale, minimum)
        is_few = (n > 0) & (n < minimum)
        add("few", question, (level[question] < WITHHELD) & is_few)
        add("agreement", question, (level[question] == EXACT) & close)
        exact = level[question] == EXACT
        add("agreement", question, _beside(parts, cells, exact, scale, minimum))
        add("agreement", question, in_differences(too_close(apart, cells, scale, minimum), exact))
        few = few_apart(theirs, cells, scale, minimum)
        add("agreement", question, exact & ((few | few.T) & exact).any(1))
        if exact.any():
            away = np.zeros(len(names), bool)
            for each in targets.given_away(exact, (close | is_few) & ~exact):
                away |= targets.groups_of(int(each)) & exact
            add("sums", question, away)
        guessed = Assumed(here, theirs, question, past, minimum).guessed(exact) & exact
        add("guesses", question, guessed & (np.arange(len(exact)) > 0))
        if counts.asked is not None and (level[question] < WITHHELD).any():
            add("bounds", question, Tight(here, question, cells, targets).broken(level[question]).groups)
    return found


def _beside(parts: Sequence[Partition], cells: Array, exact: Array, scale: Scale, minimum: int) -> Array:
    """(groups,) which are told exactly beside others of their parent whose sum, so given away, tells too much."""
    starts = dict(
        zip([part.cut for part in parts], np.cumsum([0, *(len(part.values) for part in parts)]), strict=False)
    )
    found = np.zeros(len(cells), bool)
    for part in parts[1:]:
        here = starts[part.cut] + np.arange(len(part.values))
        for parent in set(part.parents):
            theirs = here[np.array(part.parents) == parent]
            rest = cells[theirs[~exact[theirs]]].sum(0)
            if not exact[starts[part.within] + parent] or not exact[theirs].any() or not rest.sum():
                continue
            if rest.sum() < minimum or is_close(rest[None], scale, minimum)[0]:
                found[theirs[exact[theirs]]] = True
    return found


def partitions_of(counts: Counted, its: Release) -> list[Partition]:
    """The partitions of a release: those who stand in no group of a cut that is told stand in that of its parent."""
    found = [company_of(counts)]
    by_label: dict[str, dict[str | None, int]] = {COMPANY: {None: 0}}
    for cut in counts.cuts:
        rows = its.groups.filter(its.groups["cut"] == cut.name).to_dicts()
        if not rows:
            continue
        within = next((part for part in found[1:] if part.cut == cut.within), found[0])
        coarse = None if within.cut == COMPANY else counts.cut(within.cut)
        of_parent = {coarse.labels[v]: g for g, values in enumerate(within.values) for v in values} if coarse else {}
        parents = [of_parent.get(label, 0) for label in cut.parents]
        labels = by_label[within.cut]
        group_of = np.full(len(cut.labels), -1)
        for number, row in enumerate(rows):
            for value, members in enumerate(cut.members):
                if set(members) <= set(row["members"]) and parents[value] == labels[row["parent"]]:
                    group_of[value] = number
        n = len(rows)
        whole: dict[int, int] = {}
        for value in np.flatnonzero(group_of < 0).tolist():
            group_of[value] = whole.setdefault(parents[value], n + len(whole))
        values = [np.flatnonzero(group_of == number).tolist() for number in range(n + len(whole))]
        kept = [number for number, each in enumerate(values) if each]
        number_of = {old: new for new, old in enumerate(kept)}
        group_of = np.array([number_of[each] for each in group_of.tolist()])
        by_label[cut.name] = {rows[old]["group"]: new for old, new in number_of.items() if old < n}
        found.append(
            Partition(
                cut.name, within.cut, [values[each] for each in kept], [parents[values[each][0]] for each in kept],
                group_of[cut.values], [each >= n for each in kept],
            )
        )  # fmt: skip
    return found


def _names(counts: Counted, parts: Sequence[Partition]) -> list[list[str | None]]:
    return [[name for _, name, _ in theirs] for theirs in keys_of(counts, parts)]


def levels_of(counts: Counted, its: Release, parts: Sequence[Partition]) -> Array:
    """(questions, groups) how much a release tells of each."""
    told = {
        (row["cut"], row["parent"], row["group"], row["question_id"]): TOLD.index(row["told"])
        for row in its.cells.iter_rows(named=True)
    }
    keys = [(part.cut, *key[:2]) for part, theirs in zip(parts, keys_of(counts, parts), strict=True) for key in theirs]
    is_whole = [each for part in parts for each in part.is_whole]
    return np.array(
        [
            [WITHHELD if whole else told.get((*key, scale.question_id), WITHHELD)
             for key, whole in zip(keys, is_whole, strict=True)]
            for scale in counts.scales
        ]
    )  # fmt: skip
