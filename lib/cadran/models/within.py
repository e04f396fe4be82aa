"""What goes with what within groups over time: neither what sets groups apart for good, nor what befell all at once."""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

#: What is left of a spread, below which there is none.
_NOTHING = 1e-9
#: Chance of seeing an effect of the smallest size told.
POWER = 0.8


@dataclass(frozen=True)
class Within:
    """One slope, with the error that few groups allow."""

    slope: float
    error: float
    #: Degrees of freedom that the groups leave.
    freedom: float
    #: Spread of the predictor within groups and moments.
    spread: float
    n_groups: int
    n_times: int
    n: int

    def limits(self, alpha: float = 0.05) -> tuple[float, float]:
        """The two-sided interval that misses with probability `alpha`."""
        half = float(stdtrit(self.freedom, 1 - alpha / 2)) * self.error
        return self.slope - half, self.slope + half

    def smallest(self, alpha: float = 0.05) -> float:
        """The smallest slope that would be seen eight times in ten, at the error found."""
        return float(stdtrit(self.freedom, 1 - alpha / 2) + stdtrit(self.freedom, POWER)) * self.error


def within(outcome: np.ndarray, predictor: np.ndarray, group: np.ndarray, time: np.ndarray) -> Within | None:
    """Least squares with an effect of each group and of each moment, its error by groups.

    Args:
        outcome: (rows,) numbers.
        predictor: (rows,) numbers.
        group: (rows,) whose each row is; rows of one resemble each other in any way.
        time: (rows,) when; each group once at most.

    Returns:
        The slope; None where nothing of the predictor is left within groups and moments, or nothing of the outcome.
        Groups seen once tell nothing, and are left out.

    Source:
        Pustejovsky & Tipton (2018), Journal of Business & Economic Statistics 36(4): CR2 with fixed effects, and the
        degrees of freedom of Bell & McCaffrey (2002), Survey Methodology 28(2).
    """
    _, place, counts = np.unique(group, return_inverse=True, return_counts=True)
    is_kept = counts[place] > 1
    outcome, predictor, group, time = (each[is_kept] for each in (outcome, predictor, group, time))
    if not len(outcome):
        return None
    of_group, of_time = (_dummies(each) for each in (group, time))
    left = _projects_off(of_group)
    times = _independent(left @ of_time)
    others = np.eye(len(outcome)) - times @ times.T
    x, y = others @ left @ predictor, others @ left @ outcome
    total = x @ x
    if total <= _NOTHING * max(predictor @ predictor, 1.0) or y @ y <= _NOTHING * max(outcome @ outcome, 1.0):
        return None
    slope = float(x @ y / total)
    residual = y - slope * x
    regressors = np.column_stack([x / np.sqrt(total), times])
    whole = left @ (np.eye(len(x)) - regressors @ regressors.T)
    scores, errors = np.zeros((of_group.shape[1], len(x))), []
    for number, rows in enumerate(of_group.T > 0):
        mine = regressors[rows]
        adjusted = _inverse_root(np.eye(rows.sum()) - mine @ mine.T) @ x[rows] / total
        errors.append(float(adjusted @ residual[rows]))
        scores[number] = adjusted @ whole[rows]
    products = scores @ scores.T
    freedom = float(np.trace(products) ** 2 / (products**2).sum())
    error = float(np.sqrt(np.square(errors).sum()))
    if error <= 0 or freedom < 1:
        return None
    spread = float(np.sqrt(total / max(len(x) - of_group.shape[1] - times.shape[1], 1)))
    return Within(slope, error, freedom, spread, len(np.unique(group)), len(np.unique(time)), len(x))


def _dummies(values: np.ndarray) -> np.ndarray:
    return (values[:, None] == np.unique(values)[None]).astype(float)


def _projects_off(columns: np.ndarray) -> np.ndarray:
    basis = _independent(columns)
    return np.asarray(np.eye(len(columns)) - basis @ basis.T)


def _independent(columns: np.ndarray) -> np.ndarray:
    """An orthonormal basis of what the columns span."""
    left, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    return np.asarray(left[:, sizes > _NOTHING * max(sizes.max(initial=0.0), 1.0)])


def _inverse_root(matrix: np.ndarray) -> np.ndarray:
    sizes, vectors = np.linalg.eigh(matrix)
    roots = np.where(sizes > 1e-8, 1 / np.sqrt(np.where(sizes > 1e-8, sizes, 1.0)), 0.0)
    return np.asarray(vectors @ (roots[:, None] * vectors.T))
