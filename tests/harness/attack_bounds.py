"""Bounds of what is counted of types of people, from all that is told: by propagation, and by programs."""

import numpy as np
from attack_tables import SLACK
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, eye_array, kron, vstack

#: How wide bounds may be to count as recovered: ±10 % of the range.
NEAR = 0.2
#: high, low, sum of scores: what is counted of a set. The middle is the rest.
HIGH, LOW, SUM = range(3)
#: How many types may differ from the truth where it is looked for answers that give the same tables; then how many.
FREE = (40, 80, 160)
#: From so many types on, that is tried before any other program, for each takes long.
LARGE = 300


def best(k, first, second, scores):
    """Sum of k scores taken from a class of `first` people, then one of `second`, then the rest."""
    one = np.minimum(k, first)
    two = np.minimum(k - one, second)
    return one * scores[0] + two * scores[1] + (k - one - two) * scores[2]


def propagate(scale, holds, size, low, high):
    """Bounds of what is counted of each type, each set's equation used in turn, until they stand still."""
    top, bottom = scale.ends[:, 1], scale.ends[:, 0]
    least = np.column_stack([np.zeros_like(size), np.zeros_like(size), size * scale.low])
    most = np.column_stack([size, size, size * scale.high])
    inside = holds.astype(bool)
    for _ in range(6):
        was = least.sum() - most.sum()
        room, need = high - holds @ least, low - holds @ most
        for what in range(3):
            most[:, what] = np.minimum(
                most[:, what], least[:, what] + np.where(inside, room[:, what, None], np.inf).min(axis=0)
            )
            least[:, what] = np.maximum(
                least[:, what], most[:, what] + np.where(inside, need[:, what, None], -np.inf).max(axis=0)
            )
        most[:, HIGH] = np.minimum(most[:, HIGH], size - least[:, LOW])
        most[:, LOW] = np.minimum(most[:, LOW], size - least[:, HIGH])
        if scale.favourable_from == scale.unfavourable_to + 1:
            least[:, HIGH] = np.maximum(least[:, HIGH], size - most[:, LOW])
            least[:, LOW] = np.maximum(least[:, LOW], size - most[:, HIGH])
        # The sum from the classes, and the classes from the sum.
        most[:, SUM] = np.minimum(most[:, SUM], best(size, most[:, HIGH], size - most[:, HIGH] - least[:, LOW], top))
        least[:, SUM] = np.maximum(
            least[:, SUM], best(size, most[:, LOW], size - most[:, LOW] - least[:, HIGH], bottom[::-1])
        )
        if top[0] > top[1]:
            least[:, HIGH] = np.maximum(
                least[:, HIGH], np.ceil((least[:, SUM] - top[1] * size) / (top[0] - top[1]) - SLACK)
            )
        if bottom[1] > bottom[2]:
            least[:, LOW] = np.maximum(
                least[:, LOW], np.ceil((bottom[1] * size - most[:, SUM]) / (bottom[1] - bottom[2]) - SLACK)
            )
        if least.sum() - most.sum() <= was + SLACK:
            break
    assert (least <= most + 1e-3).all(), "the tables contradict one another"
    return least, most


def counted(scale, which, scores):
    """What is counted of each type of people: types by high, low and sum."""
    scores = np.array(scores)
    each = np.column_stack([scores >= scale.favourable_from, scores <= scale.unfavourable_to, scores])
    return np.stack([np.bincount(which, one) for one in each.T.astype(float)], axis=1)


class Program:
    """What all tables allow: how many of each type are high and low, and the sum of their scores."""

    def __init__(self, scale, holds, size, low, high, bounds):
        self.scale, self.holds, self.size, self.bounds = scale, holds, size, bounds
        top, bottom = scale.ends[:, 1], scale.ends[:, 0]
        # Unknowns: high, low and sum of each type. The middle is what is left.
        free, whole = np.full(len(size), np.inf), np.where(scale.favourable_from == scale.unfavourable_to + 1, size, 0)
        kinds = [[1, 1, 0], [top[1] - top[0], top[1] - top[2], 1], [bottom[1] - bottom[0], bottom[1] - bottom[2], 1]]
        rows = vstack([kron(eye_array(3), csr_array(holds)), kron(np.array(kinds), eye_array(len(size)))], format="csr")
        least = np.concatenate([low.T.ravel(), whole, -free, bottom[1] * size])
        most = np.concatenate([high.T.ravel(), size, top[1] * size, free])
        self.told = LinearConstraint(rows, least - SLACK, most + SLACK)

    def near(self, members, what):
        """How close together the ends of a union of types must be for it to count as known."""
        return NEAR * self.size[members].sum() * (self.scale.high - self.scale.low if what == SUM else 1)

    def ends(self, members, what, true=None):
        """Least and greatest count of a union of types that all tables allow; integers where a first program comes near, and
        the true counts of all types, if given, do not show that nothing narrow could be found."""
        near, ends = self.near(members, what), [end[members, what].sum() for end in self.bounds]
        is_large = len(self.size) > LARGE
        if is_large and true is not None and self.is_far(members, what, true):
            return ends
        for whole in (0, 1):
            for side, (sign, done) in enumerate(self._solved(members, what, whole, self.bounds)):
                assert done.status in (0, 1), f"the tables contradict one another: {done.message}"
                bound = done.mip_dual_bound if whole else done.fun
                ends[side] = ends[side] if bound is None else sign * bound
            is_near = near < ends[1] - ends[0] <= 3 * near
            if whole or not is_near or (true is not None and not is_large and self.is_far(members, what, true)):
                break
        return (np.ceil(ends[0] - 1e-4), np.floor(ends[1] + 1e-4)) if whole else ends

    def is_far(self, members, what, true):
        """Whether other answers than the true ones give the same tables, though the count of a union of types differs by so
        much that it cannot be known; looked for where few types differ, those that most sets hold as they hold the union."""
        apart = np.min([np.abs(self.holds - self.holds[:, [one]]).sum(axis=0) for one in members], axis=0)
        order = np.argsort(apart, kind="stable")
        for free in FREE:
            least, most = (end.copy() for end in self.bounds)
            least[order[free:]] = most[order[free:]] = true[order[free:]]
            low, high = (
                true[members, what].sum() if done.x is None else sign * done.fun
                for sign, done in self._solved(members, what, 1, (least, most))
            )
            if high - low > self.near(members, what) + SLACK:
                return True
        return False

    def _solved(self, members, what, whole, bounds):
        """A union of types at its least (sign 1), and at its greatest (−1)."""
        aim = np.zeros(bounds[0].size)
        aim[np.array(members) + what * len(self.size)] = 1
        limits = Bounds(bounds[0].T.ravel(), np.maximum(*bounds).T.ravel())
        for sign in (1, -1):
            done = milp(
                sign * aim, integrality=np.full(len(aim), whole), bounds=limits, constraints=self.told,
                options={"time_limit": 2.0},
            )  # fmt: skip
            yield sign, done
