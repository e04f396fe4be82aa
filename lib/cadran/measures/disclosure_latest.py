"""What of each person's latest answers may be told beside all that was told before.

Latest answers are mostly told already, by the waves they were given in and by the latest answers before: what tells of few
people is not this release alone but what it makes together with those. So answers are held against each other one by one,
each the answer of a person in a wave.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from cadran.measures.disclosure import release
from cadran.measures.disclosure_apart import Partition
from cadran.measures.disclosure_audit import EXACT
from cadran.measures.disclosure_cells import is_close
from cadran.measures.disclosure_check import Break, levels_of, partitions_of
from cadran.measures.disclosure_counts import Counted, Scale, counted
from cadran.measures.disclosure_told import summed, told_of_cells
from cadran.measures.latest import Told, latest_of
from cadran.tables.pulse import COMPANY, FLOOR, Release, Wave

Array = np.ndarray[Any, Any]
#: What is left of a set whose sum is given away, as a part of it: nothing, but for rounding.
_NOTHING = 1e-6

TOGETHER = "Together with what was told before, it would tell what changed of too few people."
IN_BANDS = "Latest answers are told exactly, or not at all."


def release_latest(waves: Sequence[Wave], told: Sequence[Told], without: Sequence[str] = ()) -> Release:
    """What may be told of each person's latest answers, given all that was told of the survey.

    Args:
        waves: Of the survey, in the order they closed: those whose answers count.
        told: Of its waves, and of latest answers before.
        without: Pseudonyms whose answers do not count.

    Returns:
        As `Release`. Groups are those of the first cut. A question is told by it and of the company, of the company alone,
        or not at all.
    """
    wave, given = latest_of(waves, without)
    its = release(wave, [each.pair for each in told])
    its = replace(its, cells=_withheld(its.cells, pl.col("told") == "band", IN_BANDS))
    before = [_Sets.of(each) for each in told]
    for scope in (pl.col("cut") != COMPANY, pl.lit(True)):
        now = _Sets.of(Told(wave, its, given))
        names = [scale.question_id for scale in now.counts.scales if tells_of_few(now, before, scale)]
        its = replace(its, cells=_withheld(its.cells, scope & pl.col("question_id").is_in(names), TOGETHER))
    audited = {**its.audited, "waves": [each.name for each in waves], "n_without": len(without)}
    return replace(its, audited=audited | told_of_cells(its.cells))


def broken(now: Told, told: Sequence[Told]) -> list[Break]:
    """What of latest answers, beside all that was told before, tells of too few people: question by question."""
    sets, before = _Sets.of(now), [_Sets.of(each) for each in told]
    return [
        Break("latest", scale.question_id, ((COMPANY, None),))
        for scale in sets.counts.scales if tells_of_few(sets, before, scale)
    ]  # fmt: skip


@dataclass(frozen=True)
class _Sets:
    """One of all that was told, counted: of the company and by the first cut.

    Latest answers are told of whole groups of that cut alone: what a wave tells of other groups makes up sums of the same.
    """

    told: Told
    counts: Counted
    parts: list[Partition]
    #: (questions, groups) how much of each is told.
    level: Array

    @classmethod
    def of(cls, told: Told) -> "_Sets":
        counts = counted(told.wave)
        cuts = (COMPANY, *told.wave.terms.cuts[:1])
        parts = [part for part in partitions_of(counts, told.release) if part.cut in cuts]
        return cls(told, counts, parts, levels_of(counts, told.release, parts))

    def rows(self, scale: Scale) -> tuple[pl.DataFrame, Array, Array]:
        """Of one question: (`ballot`, `asked_in`, `group`) of each answer in each group that is not its whole parent;
        (groups, scores) how many gave each; (groups,) whether that is told."""
        question = self.counts.scales.index(scale)
        given = self.told.given.filter(pl.col("question_id") == scale.question_id)
        starts = np.cumsum([0, *(len(part.values) for part in self.parts)])
        people = pl.DataFrame({"ballot": self.counts.persons}).with_columns(
            pl.Series(part.cut, part.of + start, pl.Int64) for part, start in zip(self.parts, starts, strict=False)
        )
        rows = given.join(people, on="ballot").unpivot(
            people.columns[1:], index=["ballot", "asked_in"], value_name="group"
        )
        is_whole = np.concatenate([part.is_whole for part in self.parts])
        gave = np.concatenate([summed(self.counts, part)[:, question, : len(scale.levels)] for part in self.parts])
        told = rows.drop("variable").filter(~pl.lit(is_whole).gather(pl.col("group")))
        return told, gave, self.level[question] == EXACT


def tells_of_few(now: _Sets, before: Sequence[_Sets], scale: Scale) -> bool:
    """Whether what is told of a question now, beside what was before, tells of fewer people than the minimum.

    Sets of answers are what is told exactly, and what one such set leaves of another that holds it. Too few are told of
    where two of them differ in the answers of fewer people than the minimum, where what is left is a cell that must not be
    told, and where sums and differences of any number of them make up the answers of few that are always told together, the
    difference of two such answers or sums, or a cell that was not told.

    Args:
        now: The latest answers, as they are to be told.
        before: The waves, and the latest answers before; those that ask the question otherwise are left out of account.
        scale: The question's.
    """
    minimum = max(now.told.wave.terms.minimum, FLOOR)
    if not (now.level[now.counts.scales.index(scale)] == EXACT).any():
        return False
    frames, gave, exact, is_new, n = [], [], [], [], 0
    for each in (now, *(each for each in before if scale in each.counts.scales and each.counts.persons is not None)):
        rows, theirs, is_told = each.rows(scale)
        frames.append(rows.with_columns(pl.col("group") + n))
        gave.append(theirs)
        exact.append(is_told)
        is_new.append(np.full(len(theirs), each is now))
        n += len(theirs)
    answers = pl.concat(frames).with_columns(
        unit=pl.struct("ballot", "asked_in").rank("dense") - 1, person=pl.col("ballot").rank("dense") - 1
    )
    units = answers.unique("unit").sort("unit")
    holds = np.zeros((n, units.height), np.float32)
    holds[answers["group"].to_numpy(), answers["unit"].to_numpy()] = 1
    some = holds.any(1)
    known = some & np.concatenate(exact)
    person = units["person"].to_numpy()
    new = np.concatenate(is_new)
    return _differs(holds[known], person, np.concatenate(gave)[known], new[known], scale, minimum) or _gives_away(
        holds, known, new, minimum
    )


def _differs(holds: Array, person: Array, gave: Array, new: Array, scale: Scale, minimum: int) -> bool:
    """Whether two sets differ by too few people, or one leaves of another what must not be told."""
    n, common = holds.sum(1), holds @ holds.T
    whole, part = np.nonzero((common == n) & (n[:, None] > n))
    by_new = new[whole] | new[part]
    tells = (n[whole] - n[part] < minimum) | is_close(gave[whole] - gave[part], scale, minimum)
    if (tells & by_new).any():
        return True
    sets = np.vstack([holds, holds[whole] - holds[part]])
    is_new = np.concatenate([new, by_new])
    people = np.zeros((len(sets), person.max(initial=0) + 1), np.float32)
    row, unit = np.nonzero(sets)
    people[row, person[unit]] = 1  # nobody has two answers in one set
    n = sets.sum(1)
    differ = n[:, None] + n - people @ people.T - sets @ sets.T
    return bool(((differ > 0) & (differ < minimum) & (is_new[:, None] | is_new)).any())


def _gives_away(holds: Array, known: Array, new: Array, minimum: int) -> bool:
    """Whether sums and differences of the known sets give away what those without the new ones do not."""
    types, n = np.unique(np.packbits(holds.astype(bool), axis=0), axis=1, return_counts=True)
    held = np.unpackbits(types, axis=0, count=len(holds)).astype(float)
    secret = held[~known]
    found = _given_away(held[known], secret, n, minimum)
    return bool(found.any() and (found & ~_given_away(held[known & ~new], secret, n, minimum)).any())


def _given_away(rows: Array, secret: Array, n: Array, minimum: int) -> Array:
    """(targets,) which sums known sets give away: of sets not told, of few answers alike, of two such and between them.

    Args:
        rows: (sets, types) whether each known set holds the answers of a type.
        secret: (sets, types) the same of those not told.
        n: (types,) how many answers.
        minimum: Fewer are few.
    """
    few = n < minimum
    inverse = np.linalg.pinv((rows * n) @ rows.T, hermitian=True, rtol=1e-10)
    whole, of_secret = secret @ n, (secret * n) @ rows.T
    is_told = (whole - ((of_secret @ inverse) * of_secret).sum(1) < _NOTHING * whole) & (whole > 0)
    size, of_few = n[few], rows[:, few] * n[few]
    made = of_few.T @ inverse @ of_few
    left = size - made.diagonal()
    both = size[:, None] + size
    two = left[:, None] + left - 2 * np.abs(made)
    pairs = (two < _NOTHING * both) & (both < minimum) & ~np.eye(len(size), dtype=bool)
    return np.concatenate([is_told, (left < _NOTHING * size) | pairs.any(1)])


def _withheld(cells: pl.DataFrame, which: pl.Expr, reason: str) -> pl.DataFrame:
    """Cells of which nothing is told any more."""
    told = [name for name, of in cells.schema.items() if of.is_numeric()]
    is_told = which & (pl.col("told") != "withheld")
    return cells.with_columns(
        pl.when(is_told).then(pl.lit("withheld")).otherwise("told").alias("told"),
        pl.when(is_told).then(pl.lit(reason)).otherwise("reason").alias("reason"),
        *(pl.when(~is_told).then(name).alias(name) for name in told),
    )
