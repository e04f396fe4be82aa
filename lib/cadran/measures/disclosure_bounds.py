"""How closely what is told bounds what a few people answered.

The answers of one question are numbers of people by type and score. All that agree with what is told form a polytope, and
what can be known of a few people is the least and the greatest that they can have in it. Inside it lies the distribution of
greatest entropy, the best guess there is; from there steps that change nothing that is told show how far they can go at
least. Only where that is too little are the ends themselves looked for by linear programming.

Source:
    Dobra, Fienberg (2000), Bounds for cell entries in contingency tables given marginal totals, PNAS 97(22).
"""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations_with_replacement
from typing import Any

import highspy
import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_array, eye_array, kron, vstack

from cadran.measures.disclosure_cells import CLOSE
from cadran.measures.disclosure_counts import Scale

Array = np.ndarray[Any, Any]
_STEPS, _CONVERGED, _AT_ONCE, _NO_CHANCE = 25, 1e-7, 64, 1e-12


@dataclass
class Question:
    """What is told of one question, as constraints on how many of each type gave each score.

    Scores are those at the ends of low, middle and high, whose mixtures make all others.
    """

    scale: Scale
    #: (types,) people, and (types, partitions) the group of each, all partitions one after the other.
    n: Array
    place: Array
    #: (groups, 3) high and middle scores, and the sum of all above the lowest; (groups,) whether that is told.
    told: Array
    is_told: Array
    #: (groups, 2) least and greatest number of high scores, where a band is told; null elsewhere.
    band: Array

    def __post_init__(self) -> None:
        ends = {(int(self.scale.levels[self.scale.part == part][end]), part) for part in range(3) for end in (0, -1)
                if (self.scale.part == part).any()}  # fmt: skip
        scores, parts = zip(*sorted(ends), strict=True)
        width = self.scale.high - self.scale.low
        self.features = np.array(
            [
                (part == 2, part == 1, (score - self.scale.low) / width)
                for score, part in zip(scores, parts, strict=True)
            ],
            float,
        )

    @property
    def values(self) -> Array:
        """(values, scores) what is bounded: whether a score is high, how high it is, and whether it is low."""
        high, middle, score = self.features.T
        return np.stack([high, score, 1 - high - middle])

    def mixed(self, level: int) -> Array:
        """(scores,) the mixture of scores that makes a score of the scale, by its place."""
        part, height = self.scale.part[level], level / (self.scale.high - self.scale.low)
        same = np.flatnonzero(self.features[:, 1] + 2 * self.features[:, 0] == part)
        low, most = same[[0, -1]]
        found = np.zeros(len(self.features))
        share = (height - self.features[low, 2]) / max(self.features[most, 2] - self.features[low, 2], 1e-9)
        found[low] += 1 - share
        found[most] += share
        return found

    @property
    def groups(self) -> int:
        """How many groups there are."""
        return len(self.told)

    @cached_property
    def in_group(self) -> Array:
        """(types, groups) how often each type stands in each group."""
        found = np.zeros((len(self.n), self.groups))
        for each in self.place.T:
            found[np.arange(len(found)), each] += 1
        return found


@dataclass
class Centre:
    """The best guess: (types, scores) chances, and what a step away from it needs."""

    chance: Array
    active: Array
    inverse: Any
    is_inside: bool


def centre(question: Question) -> Centre:
    """The distribution of greatest entropy among those that agree with what is told, near the middle of bands."""
    allowed = _allowed(question)
    is_band = ~np.isnan(question.band[:, 0])
    low, most = question.band.T
    spread = np.where(is_band, (most - low) / 4, 0.0)
    for _ in range(_STEPS):
        found = _fitted(question, allowed, spread)
        high = _moments(question, found.chance)[:, 0]
        out = is_band & ((high < low) | (high > most))
        if not found.is_inside or not out.any():
            return found
        spread[out] /= 2
    return replace(found, is_inside=False)


def _fitted(question: Question, allowed: Array, spread: Array) -> Centre:
    """Newton's method on the dual, with steps shortened until they lead downhill.

    Args:
        question: What is told.
        allowed: (types, scores) which are possible at all.
        spread: (groups,) how far from the middle of its band a number of high scores may well lie.
    """
    is_band = ~np.isnan(question.band[:, 0])
    active = np.repeat(question.is_told[:, None], 3, axis=1)
    target, soft = question.told.copy(), np.zeros_like(question.told)
    active[is_band, 0] = True
    target[is_band, 0] = question.band[is_band].mean(1)
    soft[:, 0] = spread**2
    if not allowed.any(1).all():
        return Centre(allowed / np.maximum(allowed.sum(1, keepdims=True), 1), active, None, False)

    def fall(at: Array) -> float:
        size = np.where(allowed, question.in_group @ at @ question.features.T, -np.inf)
        top = size.max(1)
        inner = question.n @ (top + np.log(np.exp(size - top[:, None]).sum(1)))
        return float(inner - (at * target)[active].sum() + (soft * at**2)[active].sum() / 2)

    dual = np.zeros_like(target)
    height = fall(dual)
    for _ in range(_STEPS):
        chance = _chance(question, allowed, dual)
        gap = (target - _moments(question, chance) - soft * dual)[active]
        curve = _curve(question, chance, active) + np.diag(soft[active])
        inverse = cho_factor(curve + np.eye(len(curve)) * 1e-9 * max(np.trace(curve) / max(len(curve), 1), 1.0))
        if np.abs(gap).max(initial=0) < _CONVERGED * max(question.n.sum(), 1):
            return Centre(chance, active, inverse, True)
        step = np.zeros_like(dual)
        step[active] = cho_solve(inverse, gap)
        length, slope = 1.0, float(gap @ step[active])
        while length > 1e-4 and fall(dual + length * step) > height - 1e-4 * length * slope:
            length /= 2
        dual += length * step
        height = fall(dual)
    return Centre(_chance(question, allowed, dual), active, None, False)


def _allowed(question: Question) -> Array:
    """(types, scores) which scores nothing told rules out at once."""
    features, told = question.features, question.is_told
    high, middle, total = question.told.T
    part = features[:, 1] + 2 * features[:, 0]
    free = np.ones((question.groups, len(features)), bool)
    counts = np.stack([question.in_group.T @ question.n - high - middle, middle, high], 1)
    for each in range(3):
        free[np.ix_(told & (counts[:, each] <= 0), part == each)] = False
    for end, sign in ((np.min, 1), (np.max, -1)):
        ends = np.array([end(features[part == each, 2], initial=sign) for each in range(3)])
        is_end = told & (np.abs(np.where(counts > 0, counts, 0) @ ends - total) < 1e-9)
        free[np.ix_(is_end, features[:, 2] != ends[part.astype(int)])] = False
    return np.asarray(free[question.place].all(1))


def _moments(question: Question, chance: Array) -> Array:
    return np.asarray(question.in_group.T @ ((question.n[:, None] * chance) @ question.features))


def _chance(question: Question, allowed: Array, dual: Array) -> Array:
    size = question.in_group @ dual @ question.features.T
    size = np.where(allowed, size, -np.inf)
    size -= size.max(1, keepdims=True)
    weight = np.exp(size)
    return np.asarray(weight / weight.sum(1, keepdims=True))


def _curve(question: Question, chance: Array, active: Array) -> Array:
    """How the moments of groups vary together."""
    features = question.features
    mean = chance @ features
    groups, feature = np.nonzero(active)
    columns = [np.flatnonzero(feature == each) for each in range(features.shape[1])]
    theirs = [question.in_group[:, groups[each]] for each in columns]
    whole = np.empty((len(groups), len(groups)))
    for one, other in combinations_with_replacement(range(features.shape[1]), 2):
        spread = question.n * (chance @ (features[:, one] * features[:, other]) - mean[:, one] * mean[:, other])
        block = (theirs[one] * spread[:, None]).T @ theirs[other]
        whole[np.ix_(columns[one], columns[other])] = block
        whole[np.ix_(columns[other], columns[one])] = block.T
    return whole


def spans(question: Question, found: Centre, sets: csr_array, along: Array, values: Array) -> Array:
    """(sets, values, 2) least and greatest sums over each set on a straight way through the centre, along which the sum of
    one value changes, and nothing that is told: all of it agrees with what is told.

    Args:
        question: What is told.
        found: Its centre.
        sets: (sets, types) which types are whole in each.
        along: (scores,) the value that changes.
        values: (values, scores) what is summed.
    """
    chance, features, in_group = found.chance, question.features, question.in_group
    mean, mean_along = chance @ features, chance @ along
    together = ((chance * along) @ features - mean * mean_along[:, None]) * question.n[:, None]
    low, most = question.band.T
    is_band = ~np.isnan(low)
    high = _moments(question, chance)[is_band, 0]
    room = np.maximum(np.stack([high - low[is_band], most[is_band] - high]), _NO_CHANCE)
    ends = np.empty((sets.shape[0], len(values), 2))
    for start in range(0, sets.shape[0], _AT_ONCE):
        member = sets[start : start + _AT_ONCE].toarray()
        n, size = len(member), features.shape[1]
        right = np.stack([(member * together[:, each]) @ in_group for each in range(size)], 2).reshape(n, -1)
        chosen = found.active.ravel()
        dual = np.zeros_like(right)
        dual[:, chosen] = cho_solve(found.inverse, right[:, chosen].T).T
        dual = dual.reshape(n, question.groups, size)
        back = np.stack([dual[:, :, each] @ in_group.T for each in range(size)], 2)
        rate = member[:, :, None] * (along - mean_along[:, None]) - (
            back @ features.T - (back * mean).sum(2)[:, :, None]
        )
        rate = np.where(chance > _NO_CHANCE, rate, 0)
        moves = rate * (chance * question.n[:, None])
        shift = (moves @ features[:, 0]) @ in_group[:, is_band]
        change = np.einsum("stl,vl,st->sv", moves, values, member)
        base = np.einsum("tl,vl,st->sv", chance * question.n[:, None], values, member)
        for side, sign in ((0, -1), (1, 1)):
            fastest = (-sign * rate).max((1, 2), initial=_NO_CHANCE)
            slip = np.maximum(sign * shift / room[1], -sign * shift / room[0]).max(1, initial=0) if is_band.any() else 0
            reach = sign / np.maximum(fastest, slip)
            ends[start : start + n, :, side] = base + reach[:, None] * change
    return np.sort(ends, axis=2)


class Program:
    """The constraints of a question, for linear programming: solved again and again, each time from where the last ended."""

    def __init__(self, question: Question):
        self.question = question
        n_types, n_scores = len(question.n), len(question.features)
        in_group = csr_array(question.in_group.T)
        rows = [kron(eye_array(n_types), np.ones((1, n_scores)))]
        low = [question.n]
        if len(told := np.flatnonzero(question.is_told)):
            rows += [kron(in_group[told], each) for each in question.features.T[:, None]]
            low += list(question.told[told].T)
        most = list(low)
        in_bands = np.flatnonzero(~np.isnan(question.band[:, 0]))
        if len(in_bands):
            rows.append(kron(in_group[in_bands], question.features[None, :, 0]))
            low.append(question.band[in_bands, 0])
            most.append(question.band[in_bands, 1])
        whole = vstack(rows, format="csc")
        model = highspy.HighsLp()
        model.num_row_, model.num_col_ = whole.shape
        model.row_lower_, model.row_upper_ = np.concatenate(low), np.concatenate(most)
        self._most = np.repeat(question.n, n_scores).astype(float)
        model.col_cost_ = model.col_lower_ = np.zeros(len(self._most))
        model.col_upper_ = self._most
        model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        model.a_matrix_.start_, model.a_matrix_.index_, model.a_matrix_.value_ = whole.indptr, whole.indices, whole.data
        self._solver = highspy.Highs()
        # Only what is aimed at changes: where the last ended is possible still, and the primal simplex goes on from there.
        for option, value in (("output_flag", False), ("threads", 1), ("presolve", "off"), ("simplex_strategy", 4)):
            self._solver.setOptionValue(option, value)
        self._solver.passModel(model)
        self._all = np.arange(len(self._most), dtype=np.int32)
        #: How often it was solved.
        self.n_solved = 0

    def greatest(self, weights: Array) -> Array | None:
        """(types, scores) how many gave each score where a weighted sum of them is greatest; null if nothing fits."""
        self.n_solved += 1
        self._solver.changeColsCost(len(self._all), self._all, -weights.ravel())
        self._solver.run()
        if self._solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        return np.array(self._solver.getSolution().col_value).reshape(weights.shape)

    def known(self, kind: int, gave: Array) -> None:
        """From here on, (scores,) so many of a type gave each score at the least."""
        here = np.arange(kind * len(gave), (kind + 1) * len(gave), dtype=np.int32)
        self._solver.changeColsBounds(len(here), here, np.asarray(gave, float), self._most[here])


def is_narrow(ends: Array, n: Array, unit: float, slack: Array | int = 0) -> Array:
    """Whether two ends leave the mean of n no more than a fifth of its range.

    Args:
        ends: (sets, 2) of the sum, a whole number of units.
        n: (sets,) people; the mean of one runs from 0 to 1.
        unit: See `ends`.
        slack: How many units more count as no more.
    """
    low, most = ends.T
    low, most = np.ceil(low / unit - 1e-6) * unit, np.floor(most / unit + 1e-6) * unit
    return np.asarray(most - low - slack * unit <= CLOSE * np.maximum(n, 1) + 1e-9)
