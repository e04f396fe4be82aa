"""Which people what is told bounds too closely, question by question."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.sparse import coo_array, csr_array, eye_array, vstack
from scipy.sparse.csgraph import connected_components

from cadran.measures.disclosure_bounds import Program, Question, centre, is_narrow, spans
from cadran.measures.disclosure_cells import band_of
from cadran.measures.disclosure_counts import Counted
from cadran.measures.disclosure_spans import Targets

Array = np.ndarray[Any, Any]
#: Up to so many types all groups are looked at together; among more, only groups smaller than the largest of these sizes
#: that leaves no more types to look at: each larger one has room enough for what one person changes.
MOST_TYPES, SIZES = 500, (50, 35, 25, 18)
#: A straight way on which the chance of a high score changes by so much shows that a person may have given either: on ways
#: with corners it goes from 0 to 1.
_EITHER = 0.5
#: How often all are pushed at once, and how many are then looked at one by one: more give way to a coarser level.
_PUSHES, _PROGRAMS = 8, 4


@dataclass
class Broken:
    """What was found: (groups,) which hold somebody bounded too closely, and how much was looked at."""

    groups: Array
    n_bounds: int = 0
    n_programs: int = 0


class Tight:
    """One question of one wave."""

    def __init__(self, wave: Counted, question: int, cells: Array, targets: Targets):
        self.scale, self.targets = wave.scales[question], targets
        scale = self.scale
        by_part = np.stack([cells[:, scale.part == part].sum(1) for part in range(3)], 1)
        total = cells @ (scale.levels - scale.low) / (scale.high - scale.low)
        self.told = np.stack([by_part[:, 2], by_part[:, 1], total, cells.sum(1)], 1).astype(float)
        asked = wave.asked
        self.is_partial = bool(asked is None and cells[0].sum() < wave.n_respondents)
        self.n = np.bincount(targets.types, None if asked is None else asked[:, question], minlength=len(targets.place))
        self.fine: set[tuple[int, ...]] = set()
        self.tight: set[tuple[int, ...]] = set()

    def broken(self, level: Array) -> Broken:
        """Which groups hold a target that is bounded too closely.

        Args:
            level: (groups,) how much is told of each: 0 exactly, 1 in bands, 2 nothing.
        """
        found = Broken(np.zeros(len(level), bool))
        types, in_play = self._looked_at(level)
        if not len(types):
            return found
        question, sets = self._question(types, in_play, level), self._sets(types)
        keys = [tuple(types[sets.indices[a:b]].tolist()) for a, b in pairwise(sets.indptr)]
        last = np.append(in_play, -1)[question.place].max(1)
        last = np.maximum.reduceat(last[sets.indices], sets.indptr[:-1])
        program = Program(question)
        # What was not bounded is not bounded by less.
        left = np.array([row for row, key in enumerate(keys) if key not in self.fine], int)
        # What was bounded mostly still is: if no other stands in a later group, the others make no difference.
        first = left[np.argsort(-last[left], kind="stable")][:1]
        if len(left) and keys[first[0]] in self.tight and self._is_tight(program, sets[first], _EITHER, 0):
            left = first
        else:
            found.n_bounds = 2 * len(left)
            left = self._unmoved(program, sets, left)
            for row in left[np.argsort(-last[left], kind="stable")][:_PROGRAMS].tolist():
                if self._is_tight(program, sets[[row]], 1, 1):
                    break
                left = left[left != row]
            self.tight = {keys[row] for row in left}
            self.fine |= set(keys) - self.tight
        found.n_programs = program.n_solved
        for row in left.tolist():
            held = np.unique(question.place[sets[[row]].indices])
            found.groups[in_play[held[held < len(in_play)]]] = True
        found.groups &= level < 2
        return found

    def _unmoved(self, program: Program, sets: csr_array, left: Array) -> Array:
        """What is left of some sets once they were moved along straight ways, and then pushed."""
        question = program.question
        reached = np.tile([np.inf, -np.inf], (len(left), 2, 1))
        if not len(left):
            return left
        middle = centre(question)
        values = question.features[:, [0, 2]].T
        if middle.is_inside:
            ways = np.concatenate([spans(question, middle, sets[left], along, values) for along in values], 2)
            reached = np.stack([ways.min(2), ways.max(2)], 2)
            is_open = self._is_close(reached, sets[left] @ question.n, _EITHER, 0)
            left, reached = left[is_open], reached[is_open]
        return self._pushed(program, sets, left, reached)

    def _pushed(self, program: Program, sets: csr_array, left: Array, reached: Array) -> Array:
        """What is left of some sets once all are pushed to their ends at once, each to one side or the other."""
        question = program.question
        values = question.features[:, [0, 2]].T
        for push in range(_PUSHES):
            if not len(left):
                break
            # All to one side, all to the other; then every second one, every second pair, and so on.
            side = (
                np.where(np.arange(len(left)) >> max(push // 2 - 1, 0) & 1, 1, -1) if push > 1 else np.ones(len(left))
            )
            weights = (sets[left].T @ side)[:, None] * values.sum(0) * (-1) ** push
            gave = program.greatest(weights)
            if gave is None:
                break
            here = np.stack([sets[left] @ (gave @ value) for value in values], 1)
            reached = np.stack([np.minimum(reached[:, :, 0], here), np.maximum(reached[:, :, 1], here)], 2)
            is_open = self._is_close(reached, sets[left] @ question.n, _EITHER, 0)
            left, reached = left[is_open], reached[is_open]
        return left

    def _is_tight(self, program: Program, one: csr_array, near: float, whole: int) -> bool:
        """Whether one set is bounded too closely, by its least and greatest high and mean; `near`, `whole`: see `_is_close`."""
        question = program.question
        member, ends = one.toarray()[0], np.tile([-np.inf, np.inf], (1, 2, 1))
        for number, value in enumerate(question.features[:, [0, 2]].T):
            for side, sign in enumerate((-1, 1)):
                gave = program.greatest(sign * np.outer(member, value))
                if gave is None:
                    return True
                ends[0, number, side] = member @ gave @ value
            if self._is_close(ends, one @ question.n, near, whole).any():
                return True
        return False

    def _looked_at(self, level: Array) -> tuple[Array, Array]:
        """Types, and the groups told that bound them."""
        place, told = self.targets.place, level < 2
        some = self.n > 0
        types, in_play = np.flatnonzero(some), np.flatnonzero(told)
        if len(types) <= MOST_TYPES:
            return types, in_play
        n = self.told[:, 3]
        for size in SIZES:
            small = told & (n < size)
            held = small[place] & some[:, None]
            several = held.sum(1) > 1
            if not several.any():
                return np.zeros(0, int), in_play[:0]
            rows, columns = np.nonzero(held)
            joins = coo_array(
                (np.ones(len(rows)), (rows, len(place) + place[rows, columns])), shape=(len(place) + len(n),) * 2
            )
            _, part = connected_components(joins, directed=False)
            is_met = np.isin(part[: len(place)], np.unique(part[: len(place)][several]))
            types = np.flatnonzero(is_met & some)
            if len(types) <= MOST_TYPES:
                break
        return types, np.flatnonzero(small)

    def _question(self, types: Array, in_play: Array, level: Array) -> Question:
        """The constraints that groups put on types; a last group holds whoever is in none of them."""
        number = np.full(len(level), len(in_play))
        number[in_play] = np.arange(len(in_play))
        told = np.vstack([self.told[in_play], np.zeros(4)])
        is_told = np.zeros((len(in_play) + 1, 4), bool)
        is_told[:-1, :3] = (level[in_play] == 0)[:, None]
        is_told[:-1, 3] = self.is_partial
        band = np.full((len(in_play) + 1, 2), np.nan)
        for row in np.flatnonzero(level[in_play] == 1).tolist():
            high, n = int(told[row, 0]), int(told[row, 3])
            band[row] = band_of(high, n) or (0, n)
        place = number[self.targets.place[types]]
        return Question(self.scale, self.n[types], place, told, is_told, band, self.is_partial)

    def _sets(self, types: Array) -> csr_array:
        """Each type by itself, and the sets of few people that these types make up."""
        whole = self.targets.sets @ np.ones(len(self.n))
        theirs = self.targets.sets[:, types]
        theirs.sort_indices()
        rows: dict[tuple[int, ...], int] = {}
        for row in np.flatnonzero((theirs @ np.ones(len(types)) == whole) & (whole > 1)).tolist():
            rows.setdefault(tuple(theirs.indices[theirs.indptr[row] : theirs.indptr[row + 1]].tolist()), row)
        return vstack([eye_array(len(types)), theirs[list(rows.values())]], format="csr")

    def _is_close(self, ends: Array, n: Array, near: float, whole: int) -> Array:
        """(sets,) whether ends leave one of a set, or a set of few, too little.

        Args:
            ends: (sets, 2, 2) least and greatest number of high scores, and sum of scores.
            n: (sets,) people.
            near: How far the chance of a high score of one of them has to go.
            whole: Whether sums are whole numbers.
        """
        high, mean = ends[:, 0], ends[:, 1]
        unit = whole / (self.scale.high - self.scale.low)
        of_one = np.minimum(high[:, 1], 1) - np.maximum(high[:, 0] - n + 1, 0)
        few = n < self.targets.minimum
        is_near = is_narrow(mean, n, unit) | ((n > 1) & is_narrow(high, n, whole))
        return np.asarray((of_one < near - 1e-6) | (few & is_near))
