"""Which people what is told bounds too closely, question by question."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import coo_array, csr_array, eye_array, vstack
from scipy.sparse.csgraph import connected_components

from cadran.measures.disclosure_bounds import Question, centre, ends, is_narrow, spans
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
#: Linear programs for one question: so many for types, but a few at least.
_PROGRAMS, _FEWEST = 400, 2


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
        self.n_programs = 0

    def broken(self, level: Array) -> Broken:
        """Which groups hold a target that is bounded too closely.

        Args:
            level: (groups,) how much is told of each: 0 exactly, 1 in bands, 2 nothing.
        """
        found = Broken(np.zeros(len(level), bool))
        types, in_play = self._looked_at(level)
        if not len(types):
            return found
        question = self._question(types, in_play, level)
        middle = centre(question)
        sets = self._sets(types)
        found.n_bounds = sets.shape[0] * 2
        open_ = np.ones(sets.shape[0], bool)
        keys = [tuple(types[sets.indices[a:b]].tolist()) for a, b in zip(sets.indptr, sets.indptr[1:], strict=False)]
        open_ &= [key not in self.fine for key in keys]
        if middle.is_inside and open_.any():
            rows = np.flatnonzero(open_)
            both = question.features[:, [0, 2]].T
            ways = np.concatenate([spans(question, middle, sets[rows], along, both) for along in both], 2)
            high, mean = (np.stack([ways[:, each].min(1), ways[:, each].max(1)], 1) for each in range(2))
            open_[rows] = self._is_close(high, mean, self._size(question, sets[rows]), _EITHER, 0)
        self.fine |= {key for key, is_open in zip(keys, open_, strict=True) if not is_open}
        rows = np.flatnonzero(open_)
        most = max(_FEWEST, _PROGRAMS // max(len(types), 1))
        for place, row in enumerate(rows):
            member = sets[[row]].toarray()[0]
            if place < most and self.n_programs < 4 * most:
                self.n_programs += 2
                found.n_programs += 2
                limits = (
                    ends(question, member, question.features[:, 0]),
                    ends(question, member, question.features[:, 2]),
                )
                if limits[0] is not None and limits[1] is not None and not self._is_close(
                    np.array([limits[0]]), np.array([limits[1]]), self._size(question, sets[[row]]), 1 - 1e-6, 1
                ).any():  # fmt: skip
                    self.fine.add(keys[row])
                    continue
            held = np.unique(question.place[member > 0])
            found.groups[in_play[held[held < len(in_play)]]] = True
        found.groups &= level < 2
        return found

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
        return vstack([eye_array(len(types)), theirs[(theirs @ np.ones(len(types))) == whole]], format="csr")

    def _size(self, question: Question, sets: csr_array) -> Array:
        return np.asarray(sets @ question.n)

    def _is_close(self, high: Array, mean: Array, n: Array, near: float, whole: int) -> Array:
        """(sets,) whether ends leave one of a set, or a set of few, too little; if whole, sums are whole numbers."""
        unit = whole / (self.scale.high - self.scale.low)
        of_one = np.minimum(high[:, 1], 1) - np.maximum(high[:, 0] - n + 1, 0)
        is_close = (of_one < near) | is_narrow(mean, np.ones(len(n)), unit)
        few = (n > 1) & (n < self.targets.minimum)
        return np.asarray(is_close | (few & (is_narrow(high, n, whole) | is_narrow(mean, n, unit))))
