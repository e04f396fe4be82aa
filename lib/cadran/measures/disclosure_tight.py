"""Which people what is told bounds too closely, question by question."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.sparse import coo_array, csr_array, eye_array, vstack
from scipy.sparse.csgraph import connected_components

from cadran.measures.disclosure_bounds import Program, Question, centre, is_narrow, spans
from cadran.measures.disclosure_cells import band_of
from cadran.measures.disclosure_counts import MOST_KNOWN, Counted
from cadran.measures.disclosure_spans import Targets

Array = np.ndarray[Any, Any]
#: Up to so many types all groups are looked at together; among more, only groups smaller than the largest of these sizes
#: that leaves no more types to look at: each larger one has room enough for what one person changes.
MOST_TYPES, SIZES = 500, (50, 35, 25, 18)
#: How many answers that agree with what is told are drawn for a start, to see what somebody who takes their own answer off
#: may still think possible; and how often all sets are pushed at once, before each is looked at by itself.
_DRAWN, _PUSHES = 60, 8


@dataclass
class Broken:
    """What was found: (groups,) which hold somebody bounded too closely, and how much was looked at."""

    groups: Array
    n_bounds: int = 0
    n_programs: int = 0


class Tight:
    """One question of one wave, of those who answered it."""

    def __init__(self, wave: Counted, question: int, cells: Array, targets: Targets):
        self.scale, self.targets = wave.scales[question], targets
        scale = self.scale
        by_part = np.stack([cells[:, scale.part == part].sum(1) for part in range(3)], 1)
        total = cells @ (scale.levels - scale.low) / (scale.high - scale.low)
        self.told = np.stack([by_part[:, 2], by_part[:, 1], total, cells.sum(1)], 1).astype(float)
        self.gave = None if wave.scores is None else wave.scores[:, question]
        self.is_large = len(targets.n_types) > MOST_KNOWN
        self.points: list[Array] = []
        self.fine: set[tuple[int, ...]] = set()
        self.tight: tuple[int, ...] | None = None

    def broken(self, level: Array, block: Array | None = None) -> Broken:
        """Which groups hold a target that is bounded too closely.

        Args:
            level: (groups,) how much is told of each: 0 exactly, 1 in bands, 2 nothing.
            block: (groups,) where each stands in the order in which they give way; null: in their own. What is found tells
                for certain which is last.
        """
        found = Broken(np.zeros(len(level), bool))
        types, in_play = self._looked_at(level)
        if not len(types):
            return found
        question = self._question(types, in_play, level)
        sets = self._sets(types, question)
        keys = [tuple(types[sets.indices[a:b]].tolist()) for a, b in pairwise(sets.indptr)]
        last = np.append(in_play if block is None else block[in_play], -1)[question.place].max(1)
        last = np.maximum.reduceat(last[sets.indices], sets.indptr[:-1])
        program = Program(question)
        row = self._of_all(program, sets, keys, last)
        if row is None and self.gave is not None and not self.is_large:
            row = self._of_one(program, sets, self._answers(self.gave, types, question))
        found.n_bounds, found.n_programs = 2 * len(keys), program.n_solved
        if row is not None:
            held = np.unique(question.place[sets[[row]].indices])
            found.groups[in_play[held[held < len(in_play)]]] = True
            found.groups &= level < 2
        return found

    def _of_all(self, program: Program, sets: csr_array, keys: Sequence[tuple[int, ...]], last: Array) -> int | None:
        """A set that is bounded too closely for everybody, of those that stand in the last group; null if there is none."""
        question = program.question
        order = np.argsort(-last, kind="stable")
        # What was not bounded is not bounded by less; what was mostly still is.
        left = np.array([row for row in order.tolist() if keys[row] not in self.fine], int)
        unknown = np.broadcast_to([np.inf, -np.inf], (sets.shape[0], len(question.values), 2))
        again = [row for row in left[:1].tolist() if keys[row] == self.tight]
        if again and self._tight(program, sets, again, unknown.copy()) is not None:
            return again[0]
        ends, values = unknown.copy(), question.values
        if len(left) and (middle := centre(question)).is_inside:
            ways = np.concatenate([spans(question, middle, sets[left], each, values) for each in values[:2]], 2)
            ends[left] = np.stack([ways.min(2), ways.max(2)], 2)
        row = self._tight(program, sets, left, ends)
        self.tight = None if row is None else keys[row]
        is_open = ~self._is_close(ends[left], sets[left] @ question.n)
        self.fine |= {keys[each] for each in left[is_open].tolist()}
        return row

    def _of_one(self, program: Program, sets: csr_array, own_answers: Sequence[tuple[int, Array]]) -> int | None:
        """A set that is bounded too closely for somebody who takes their own answer off; null if there is none."""
        values = program.question.values
        drawn = np.random.default_rng(0)
        while len(self.points) < _DRAWN:
            gave = program.greatest(drawn.standard_normal((sets.shape[1], values.shape[1])))
            if gave is None:
                return None
            self.points.append(gave)
        points = np.array(self.points)
        reached = np.stack([sets @ (points @ value).T for value in values], 1)
        for kind, own in own_answers:
            can = (points[:, kind] >= own - 1e-6).all(1)
            ends = np.stack([reached[:, :, can].min(2, initial=np.inf), reached[:, :, can].max(2, initial=-np.inf)], 2)
            program.known(kind, own)
            row = self._tight(program, sets, range(sets.shape[0]), ends, (kind, own))
            if row is not None:
                return row
            program.known(kind, np.zeros(len(own)))
        return None

    def _answers(self, gave: Array, types: Array, question: Question) -> list[tuple[int, Array]]:
        """Each score that somebody of each type gave, as a mixture of the scores looked at."""
        pairs = np.unique(np.stack([self.targets.types, gave])[:, gave >= 0], axis=1)
        kinds, levels = pairs[:, np.isin(pairs[0], types)]
        return [
            (kind, question.mixed(level))
            for kind, level in zip(np.searchsorted(types, kinds).tolist(), levels.tolist(), strict=True)
        ]

    def _tight(
        self,
        program: Program,
        sets: csr_array,
        rows: Sequence[int] | Array,
        ends: Array,
        own: tuple[int, Array] | None = None,
    ) -> int | None:
        """The first of some sets that is bounded too closely; null if none is.

        Args:
            program: What agrees with all that is told.
            sets: (sets, types).
            rows: Which of them, in this order.
            ends: (sets, values, 2) least and greatest that is known to be possible of each; widened here.
            own: Type and answer of somebody who takes it off, which the program knows.
        """
        values = program.question.values
        n, mine = sets @ program.question.n, np.zeros((sets.shape[0], len(values)))
        if own is not None:
            is_in = sets[:, [own[0]]].toarray()[:, 0]
            n, mine = n - is_in, np.outer(is_in, values @ own[1])
        left = np.array([row for row in rows if n[row] > 0], int)

        def still() -> Array:
            return left[self._is_close(ends[left] - mine[left, :, None], n[left])]

        def push(weights: Array) -> bool:
            gave = program.greatest(weights)
            if gave is None:
                return False
            if own is not None:
                self.points.append(gave)
            at = sets @ (gave @ values.T)
            ends[:, :, 0], ends[:, :, 1] = np.minimum(ends[:, :, 0], at), np.maximum(ends[:, :, 1], at)
            return True

        left = still()
        for number in range(_PUSHES):
            # All to one side, all to the other; then every second one, every second pair, and so on.
            side = (
                np.where(np.arange(len(left)) >> max(number // 2 - 1, 0) & 1, 1, -1)
                if number > 1
                else np.ones(len(left))
            )
            weights = (sets[left].T @ side)[:, None] * values[:2].sum(0) * (-1) ** number
            if not len(left) or not push(weights):
                break
            left = still()
        while len(left):
            row = int(left[0])
            member = sets[[row]].toarray()[0]
            if not all(push(side * np.outer(member, value)) for value in values for side in (-1, 1)):
                return row if own is None else None
            left = still()
            if len(left) and left[0] == row:
                return row
        return None

    def _looked_at(self, level: Array) -> tuple[Array, Array]:
        """Types, and the groups told that bound them."""
        place, told = self.targets.place, level < 2
        types, in_play = np.arange(len(place)), np.flatnonzero(told)
        if len(types) <= MOST_TYPES:
            return types, in_play
        n = self.told[:, 3]
        for size in SIZES:
            small = told & (n < size)
            held = small[place]
            several = held.sum(1) > 1
            if not several.any():
                return np.zeros(0, int), in_play[:0]
            rows, columns = np.nonzero(held)
            joins = coo_array(
                (np.ones(len(rows)), (rows, len(place) + place[rows, columns])), shape=(len(place) + len(n),) * 2
            )
            _, part = connected_components(joins, directed=False)
            is_met = np.isin(part[: len(place)], np.unique(part[: len(place)][several]))
            types = np.flatnonzero(is_met)
            if len(types) <= MOST_TYPES:
                break
        return types, np.intersect1d(np.flatnonzero(small), place[types])

    def _question(self, types: Array, in_play: Array, level: Array) -> Question:
        """The constraints that groups put on types; a last group holds whoever is in none of them."""
        number = np.full(len(level), len(in_play))
        number[in_play] = np.arange(len(in_play))
        band = np.full((len(in_play) + 1, 2), np.nan)
        for row in np.flatnonzero(level[in_play] == 1).tolist():
            high, _, _, n = self.told[in_play[row]].tolist()
            band[row] = band_of(int(high), int(n)) or (0, n)
        place = number[self.targets.place[types]]
        told = np.vstack([self.told[in_play, :3], np.zeros(3)])
        return Question(
            self.scale, self.targets.n_types[types], place, told, np.append(level[in_play] == 0, False), band
        )

    def _sets(self, types: Array, question: Question) -> csr_array:
        """Each type by itself, the few whom nothing told parts, and the sets of few people that these types make up."""
        whole = self.targets.sets @ np.ones(len(self.targets.place))
        theirs = self.targets.sets[:, types]
        alike = np.unique(question.place, axis=0, return_inverse=True)[1].ravel()
        together = csr_array((np.ones(len(types)), (alike, np.arange(len(types)))), shape=(len(types), len(types)))
        together = together[together @ question.n < self.targets.minimum]
        sets = vstack(
            [
                eye_array(len(types)),
                theirs[theirs @ np.ones(len(types)) == whole],
                together[together @ np.ones(len(types)) > 0],
            ],
            format="csr",
        )
        sets.sort_indices()
        rows = {tuple(sets.indices[a:b].tolist()): row for row, (a, b) in enumerate(pairwise(sets.indptr))}
        return sets[sorted(rows.values())]

    def _is_close(self, ends: Array, n: Array) -> Array:
        """(sets,) whether ends leave one of a set, or a set of few, too little. That nobody of it is low may be known.

        Args:
            ends: (sets, 3, 2) least and greatest number of high scores, sum of scores, and number of low ones.
            n: (sets,) people.
        """
        high, mean, low = ends.transpose(1, 0, 2)
        of_one = np.minimum(high[:, 1], 1) - np.maximum(high[:, 0] - n + 1, 0)
        few = n < self.targets.minimum
        is_near = is_narrow(high, n, 1) | (is_narrow(low, n, 1) & (low[:, 0] > 1e-6))
        is_near = is_narrow(mean, n, 1 / (self.scale.high - self.scale.low), self.is_large & (n > 1)) | (
            (n > 1) & is_near
        )
        return np.asarray((of_one < 1 - 1e-6) | (few & is_near))
