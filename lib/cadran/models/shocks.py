"""What is shared by many deals of one future: how well all is won, how much comes, how large it is. All doubt is here."""

from dataclasses import dataclass, fields

import numpy as np

from cadran.models.arrivals import Arrivals
from cadran.models.hazards_logit import STEP_SD

#: Standard deviation, in log-odds, by which the level of winning moves in a quarter: what the win model allows for
#: between two quarters of its past. Open deals close, and a quarter's new deals are won, so many quarters on.
LEVEL_STEP, LEVEL_AGE = STEP_SD, 1.5
#: Of a region's level of winning around that of the company, in log-odds.
REGION_WINS = 0.15
#: Of a region's share of new deals, in logarithms, besides what its number of deals leaves open.
REGION_SHARE = 0.1
#: A step in log-odds is so many in normal quantiles (the logistic law has a standard deviation of 1.7 or so).
PROBIT = 1 / 1.7


@dataclass(frozen=True)
class Shocks:
    """What some futures share, one row per future ("path")."""

    #: (paths, 1 + quarters) level of winning, in normal quantiles: of what is open, and of what comes in each quarter.
    level: np.ndarray
    #: (paths, regions + 1) the same of each region around it; the last is no region of new deals, and none.
    region: np.ndarray
    #: (paths, types, months) new deals a day.
    coming: np.ndarray
    #: (paths, regions) factor on each region's share of them.
    share: np.ndarray
    #: (paths, laws) factor on the amounts of each law, and (paths,) on what known amounts become.
    sizes: np.ndarray
    became: np.ndarray
    #: (paths,) which of the drawn win models holds.
    model: np.ndarray

    def some(self, paths: slice) -> "Shocks":
        """Those of some futures."""
        return Shocks(**{each.name: getattr(self, each.name)[paths] for each in fields(self)})


def spreads(n: int) -> np.ndarray:
    """(n,) standard deviation of the level of winning with that of a region: of what is open, then by quarter."""
    steps = LEVEL_AGE + np.maximum(np.arange(n) - 1, 0)
    spread: np.ndarray = PROBIT * np.sqrt(LEVEL_STEP**2 * steps + REGION_WINS**2)
    return spread


def spread_with(column: np.ndarray | int, doubt: np.ndarray | None = None) -> np.ndarray:
    """Standard deviation of a deal's luck, of the level of winning in a column of `Shocks.level`, and of the doubt."""
    varies = np.zeros(1) if doubt is None else doubt.var(axis=0)
    told: np.ndarray = np.sqrt(1 + spreads(1 + int(np.max(column, initial=0)))[column] ** 2 + varies)
    return told


def quarter_of(months: int) -> np.ndarray:
    """(months,) the column of `Shocks.level` that holds for what is created in each month."""
    return 1 + np.arange(months) // 3


def draw(
    arrivals: Arrivals, doubt_of_laws: np.ndarray, doubt_of_became: float, n: int, draws: int, rng: np.random.Generator
) -> Shocks:
    """Draw them.

    Args:
        arrivals: New deals to come.
        doubt_of_laws: Standard error of the mean of each law of amounts, as a share of it.
        doubt_of_became: The same of what known amounts become.
        n: Futures.
        draws: Win models that were drawn.
        rng: Of all of it.
    """
    months, regions = len(arrivals.horizon.months), len(arrivals.sellers.regions)
    steps = rng.standard_normal((n, 1 + int(quarter_of(months)[-1])))
    walk = np.sqrt(LEVEL_AGE) * steps[:, :1] + np.column_stack([np.zeros((n, 2)), np.cumsum(steps[:, 2:], axis=1)])
    laws = [law.drawn(rng.standard_normal((n, months))) for law in arrivals.laws.values()]
    behind = np.bincount(arrivals.regions, arrivals.behind, regions)
    spread = np.sqrt(1 / np.maximum(behind, 1) + REGION_SHARE**2)
    share = np.exp(spread * rng.standard_normal((n, regions)) - spread**2 / 2)
    share /= share @ (behind / max(behind.sum(), 1e-9))[:, None] if regions else 1
    sizes = _factors(doubt_of_laws, n, rng)
    return Shocks(
        PROBIT * LEVEL_STEP * walk, np.column_stack([PROBIT * REGION_WINS * rng.standard_normal((n, regions)), np.zeros(n)]),
        np.stack(laws, axis=1) if laws else np.zeros((n, 0, months)), share, sizes,
        _factors(np.array([doubt_of_became]), n, rng)[:, 0], np.arange(n) % max(draws, 1),
    )  # fmt: skip


def _factors(doubt: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """(n, laws) factors of mean 1."""
    sd = np.sqrt(np.log1p(doubt**2))
    factors: np.ndarray = np.exp(sd * rng.standard_normal((n, len(doubt))) - sd**2 / 2)
    return factors
