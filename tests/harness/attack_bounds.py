"""Bounds of what is counted of types of people, from all that is told: by propagation, and by programs."""

import numpy as np
from attack_tables import SLACK
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

#: How wide bounds may be to count as recovered: ±10 % of the range.
NEAR = 0.2
#: high, low, sum of scores: what is counted of a set. The middle is the rest.
HIGH, LOW, SUM = range(3)


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


def solve(scale, holds, size, low, high, bounds, members, what):
    """Least and greatest count of a union of types that all tables allow; integers where a first program comes near."""
    n_types = len(size)
    top, bottom = scale.ends[:, 1], scale.ends[:, 0]
    zero = np.zeros_like(holds)
    eye = np.eye(n_types)
    # Unknowns: high, low and sum of each type. The middle is what is left.
    free, whole = np.full(n_types, np.inf), np.where(scale.favourable_from == scale.unfavourable_to + 1, size, 0)
    blocks = [(np.hstack([holds if w == v else zero for v in range(3)]), low[:, w], high[:, w]) for w in range(3)]
    blocks += [
        (np.hstack([eye, eye, 0 * eye]), whole, size),
        (np.hstack([-(top[0] - top[1]) * eye, (top[1] - top[2]) * eye, eye]), -free, top[1] * size),
        (np.hstack([-(bottom[0] - bottom[1]) * eye, (bottom[1] - bottom[2]) * eye, eye]), bottom[1] * size, free),
    ]
    rows = csr_array(np.vstack([block for block, _, _ in blocks]))
    told = LinearConstraint(rows, *(np.concatenate([block[side] for block in blocks]) - sign * SLACK
                                    for side, sign in ((1, 1), (2, -1))))  # fmt: skip
    limits = Bounds(bounds[0].T.ravel(), np.maximum(bounds[0], bounds[1]).T.ravel())
    aim = np.zeros(3 * n_types)
    aim[np.array(members) + what * n_types] = 1
    span = size[members].sum() * (scale.high - scale.low if what == SUM else 1)
    result = (bounds[0][members, what].sum(), bounds[1][members, what].sum())
    for whole in (0, 1):
        ends = []
        for sign, other in ((1, result[0]), (-1, result[1])):
            options = {"time_limit": 2.0}
            done = milp(
                sign * aim, integrality=np.full(len(aim), whole), bounds=limits, constraints=told, options=options
            )
            assert done.status in (0, 1), f"the tables contradict one another: {done.message}"
            bound = done.mip_dual_bound if whole else done.fun
            ends.append(other if bound is None else sign * bound)
        result = (ends[0], ends[1]) if not whole else (np.ceil(ends[0] - 1e-4), np.floor(ends[1] + 1e-4))
        if result[1] - result[0] > 3 * NEAR * span or result[1] - result[0] <= NEAR * span:
            break
    return result
