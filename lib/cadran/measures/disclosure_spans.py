"""Which sums over few people some sum or difference of what is told gives away: a row-space test.

Source:
    Hundepool et al. (2012), Statistical Disclosure Control, chapter 4: primary and secondary suppression.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.sparse import csr_array, vstack

from cadran.measures.disclosure_apart import Partition
from cadran.measures.disclosure_counts import Counted

Array = np.ndarray[Any, Any]
#: Left of a sum that is given away, as a part of it: nothing, but for rounding.
_NOTHING = 1e-6
#: Directions in which what is left of two sums is held against each other, and neighbours looked at.
_DIRECTIONS, _NEIGHBOURS = 3, 3
#: Up to so many people, those who share two groups are looked at too.
CROSSED = 500


@dataclass
class Targets:
    """Sums that must not be told. In this order: groups, where they are not to be told; sets of few people, who share a
    value; and types, who share all of them."""

    minimum: int
    #: (groups, groups) how many stand in both; (sets, groups) how many of a set stand in each.
    shared: Array
    meets: Array
    #: (types,) people of each, and (types, partitions) the group that each stands in.
    n_types: Array
    place: Array
    #: (respondents,) the type of each; (sets, types) whether a set holds each.
    types: Array
    sets: csr_array
    #: (types, directions) random numbers.
    drawn: Array
    _found: dict[bytes, Array] = field(default_factory=dict)

    @property
    def n(self) -> Array:
        """(targets,) people."""
        return np.concatenate([np.diag(self.shared), self.sets @ self.n_types, self.n_types])

    def groups_of(self, target: int) -> Array:
        """(groups,) whether each holds somebody of a target."""
        n_groups, n_sets = len(self.shared), len(self.meets)
        if target < n_groups + n_sets:
            return np.asarray((self.shared[target] if target < n_groups else self.meets[target - n_groups]) > 0)
        found = np.zeros(n_groups, bool)
        found[self.place[target - n_groups - n_sets]] = True
        return found

    def given_away(self, exact: Array, secret: Array) -> Array:
        """The targets of which the groups told exactly give the sum away, alone or two small ones together.

        Args:
            exact: (groups,) which are told exactly.
            secret: (groups,) which must not be: of them the sums count too.
        """
        key = exact.tobytes()
        if key not in self._found:
            self._found[key] = self._given_away(exact)
        found = self._found[key]
        return found[(found >= len(exact)) | secret[np.minimum(found, len(exact) - 1)]]

    def _given_away(self, exact: Array) -> Array:
        inverse = np.zeros_like(self.shared)
        inverse[np.ix_(exact, exact)] = np.linalg.pinv(self.shared[np.ix_(exact, exact)], hermitian=True, rtol=1e-10)
        sets = np.vstack([self.shared, self.meets])
        made = [((sets @ inverse) * sets).sum(1), self.n_types**2 * _pairs(inverse, self.place)]
        n = self.n
        found = n - np.concatenate(made) < _NOTHING * n
        found[len(exact) :] &= n[len(exact) :] <= self.minimum
        # What is left of two targets together is nothing where one's is the other's turned round, in any direction; of what
        # they differ by, where it is the other's.
        weighted = self.drawn * self.n_types[:, None]
        by_group = np.stack([_summed(self.place, each, len(exact)) for each in weighted.T], 1)
        slopes = inverse @ by_group
        sums = np.vstack([by_group, self.sets @ weighted, weighted])
        rest = sums - np.vstack([sets @ slopes, slopes[self.place].sum(1) * self.n_types[:, None]])
        small = np.flatnonzero((n < self.minimum) & ~found)
        order = small[np.argsort(np.abs(rest[small, 0]), kind="stable")]
        for step in range(1, _NEIGHBOURS + 1):
            one, other = order[:-step], order[step:]
            nothing = _NOTHING * np.abs(rest).max(initial=1)
            turned = (np.abs(rest[one] + rest[other]) < nothing).all(1)
            # Whoever is one of two sets alone knows the other from what they differ by.
            is_same = (np.abs(sums[one] - sums[other]) < nothing).all(1)
            turned |= (
                (np.abs(rest[one] - rest[other]) < nothing).all(1) & ~is_same & (np.minimum(n[one], n[other]) == 1)
            )
            turned &= n[one] + n[other] <= self.minimum
            found[one[turned]] = found[other[turned]] = True
        return np.flatnonzero(found)


def targets_of(wave: Counted, partitions: Sequence[Partition], minimum: int) -> Targets:
    """What must not be given away of a wave whose groups these are."""
    starts = np.cumsum([0, *(len(each.values) for each in partitions)])
    n_groups = int(starts[-1])
    places = np.stack([each.of + start for each, start in zip(partitions, starts, strict=False)], 1)
    types = np.zeros(wave.n_respondents, np.int64)
    for cut in wave.cuts:
        _, types = np.unique(types * len(cut.labels) + cut.values, return_inverse=True)
    n_types, first = np.bincount(types), np.unique(types, return_index=True)[1]
    place = places[first]
    pairs = np.zeros(n_groups**2)
    for number, one in enumerate(place.T):
        for other in place.T[:number]:
            pairs += np.bincount(one * n_groups + other, n_types, minlength=n_groups**2)
    shared = pairs.reshape(n_groups, n_groups)
    shared = shared + shared.T + np.diag(_summed(place, n_types, n_groups))
    meets: list[Array] = [np.zeros((0, n_groups))]
    sets = [csr_array((0, len(n_types)))]
    for of in [cut.values for cut in wave.cuts] + _crossed(partitions, wave.n_respondents):
        n = np.bincount(of)
        small = (n > 0) & (n < minimum)
        theirs = np.flatnonzero(small[of[first]])
        row = (np.cumsum(small) - 1)[of[first[theirs]]]
        sets.append(csr_array((np.ones(len(theirs)), (row, theirs)), shape=(int(small.sum()), len(n_types))))
        key = (row[:, None] * n_groups + place[theirs]).ravel()
        weight = np.repeat(n_types[theirs], place.shape[1])
        meets.append(np.bincount(key, weight, minlength=int(small.sum()) * n_groups).reshape(-1, n_groups))
    held, member = np.vstack(meets), vstack(sets, format="csr")
    drawn = np.random.default_rng(0).standard_normal((len(n_types), _DIRECTIONS))
    return Targets(minimum, shared, held, n_types.astype(float), place, types, member, drawn)


def _crossed(partitions: Sequence[Partition], n_respondents: int) -> list[Array]:
    """[pair of partitions] (respondents,) the two groups of each, as a number; of a large company there are too many."""
    if n_respondents > CROSSED:
        return []
    return [
        np.unique(one.of * len(other.values) + other.of, return_inverse=True)[1]
        for number, one in enumerate(partitions[1:])
        for other in partitions[1:][:number]
    ]


def _pairs(matrix: Array, place: Array) -> Array:
    """(types,) the sum of a symmetric matrix over all pairs of groups that a type stands in."""
    found = matrix.diagonal()[place].sum(1)
    for number, one in enumerate(place.T):
        for other in place.T[:number]:
            found += 2 * matrix[one, other]
    return np.asarray(found)


def _summed(place: Array, weights: Array, n_groups: int) -> Array:
    return np.sum([np.bincount(each, weights, minlength=n_groups) for each in place.T], axis=0)
