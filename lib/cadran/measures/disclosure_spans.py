"""Which sums over few people some sum or difference of what is told gives away: a row-space test.

Source:
    Hundepool et al. (2012), Statistical Disclosure Control, chapter 4: primary and secondary suppression.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.sparse import csr_array, vstack

from cadran.measures.disclosure_counts import Counted
from cadran.measures.disclosure_merge import Partition

Array = np.ndarray[Any, Any]
#: Left of a sum that is given away, as a part of it: nothing, but for rounding.
_NOTHING = 1e-6


@dataclass
class Targets:
    """Sums that must not be told, and all groups that may be: as how many of each stand in each group.

    The first targets are the groups themselves, then types (all attributes alike) and values of few people.
    """

    #: (targets,) people; (targets, groups) how many of them in each group; (groups, groups) the same of groups.
    n: Array
    meets: Array
    shared: Array
    minimum: int
    #: (targets, directions) each target's sum of random numbers, one for each type and direction; of groups too.
    drawn: Array
    drawn_groups: Array
    #: (respondents,) the type of each, and (types, partitions) the group that each type stands in.
    types: Array
    place: Array
    #: Sets of few people that are no type: (sets, types) whether each type stands in it.
    sets: csr_array
    #: (groups, people) whether a target of so many people lies within a group, and is not all of it.
    inside: Array
    _found: dict[bytes, Array] = field(default_factory=dict)

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
        n_groups = len(exact)
        return found[(found >= n_groups) | secret[np.minimum(found, n_groups - 1)]]

    def _given_away(self, exact: Array) -> Array:
        inverse = np.linalg.pinv(self.shared[np.ix_(exact, exact)].astype(float), hermitian=True, rtol=1e-10)
        made = self.meets[:, exact] @ inverse
        left = self.n - (made * self.meets[:, exact]).sum(1)
        found = left < _NOTHING * self.n
        # What is left of two targets together is nothing where one's is the other's turned round, in any direction.
        rest = self.drawn - made @ self.drawn_groups[exact]
        small = np.flatnonzero((self.n < self.minimum) & ~found)
        order = small[np.argsort(np.abs(rest[small, 0]), kind="stable")]
        size = np.abs(rest).max(initial=1.0)
        for step in range(1, 4):
            one, other = order[:-step], order[step:]
            turned = (np.abs(rest[one] + rest[other]) < 1e-7 * size).all(1) & (
                self.n[one] + self.n[other] < self.minimum
            )
            found[one[turned]] = found[other[turned]] = True
        return np.flatnonzero(found)


def targets_of(wave: Counted, partitions: Sequence[Partition], minimum: int) -> Targets:
    """What must not be given away: groups, if they are not to be told; types and values of fewer than the minimum."""
    starts = np.cumsum([0, *(len(each.values) for each in partitions)])
    places = np.stack([each.of + start for each, start in zip(partitions, starts, strict=False)], 1)
    types = np.zeros(wave.n_respondents, np.int64)
    for cut in wave.cuts:
        _, types = np.unique(types * (len(cut.labels) + 1) + cut.values, return_inverse=True)
    sets = list(places.T)
    names = [*sets, types, *(cut.values for cut in wave.cuts)]
    rng = np.random.default_rng(0)
    drawn = rng.standard_normal((int(types.max(initial=-1)) + 1, 3))[types]
    n_groups = int(starts[-1])
    n_found, meets_found, drawn_found, sets_found = [], [], [], []
    groups = np.zeros((n_groups, n_groups))
    group_drawn = np.zeros((n_groups, 3))
    for of in sets:
        np.add.at(groups, (np.repeat(of, places.shape[1]), places.ravel()), 1)
        for each in range(3):
            group_drawn[:, each] += np.bincount(of, drawn[:, each], minlength=n_groups)
    n_types = int(types.max(initial=-1)) + 1
    for of in names[len(sets) :]:
        n = np.bincount(of)
        small = (n > 0) & (n < minimum)
        row = np.cumsum(small) - 1
        theirs = small[of]
        meets = np.zeros((int(small.sum()), n_groups))
        np.add.at(meets, (np.repeat(row[of[theirs]], places.shape[1]), places[theirs].ravel()), 1)
        sums = np.zeros((len(meets), 3))
        np.add.at(sums, row[of[theirs]], drawn[theirs])
        n_found.append(n[small])
        meets_found.append(meets)
        drawn_found.append(sums)
        if of is not types:
            pairs = np.unique(np.stack([row[of[theirs]], types[theirs]], 1), axis=0)
            sets_found.append(csr_array((np.ones(len(pairs)), pairs.T), shape=(len(meets), n_types)))
    n, meets = np.concatenate([np.diag(groups), *n_found]), np.vstack([groups, *meets_found])
    few, whole = n[n_groups:].astype(int), meets[n_groups:] == n[n_groups:, None]
    inside = np.zeros((n_groups, minimum), bool)
    for size in range(1, minimum):
        inside[:, size] = (whole[few == size] & (np.diag(groups) > size)).any(0)
    _, first = np.unique(types, return_index=True)
    return Targets(
        n, meets, groups, minimum, np.vstack([group_drawn, *drawn_found]), group_drawn, types, places[first],
        vstack(sets_found, format="csr") if sets_found else csr_array((0, n_types)), inside,
    )  # fmt: skip
