"""The months to come of a few series, or many, from their past alone; and how far off that may be, learnt from how far
off it has been.

Forecasts are made again at past months, on what was known then. Their errors, relative to the forecast, make one law
for all series, which grows with the months ahead; each series has its own size of it, pulled towards that of all.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, t

from cadran.models.accuracy import SEASON
from cadran.models.smoothing import smooth

#: Past months at which forecasts are made again, and months after which such an error counts half.
ORIGINS, HALF_LIFE = 24, 12
#: Months of history before a forecast is made again.
FIRST_ORIGIN = 3
#: Mean |error| of a forecast, relative to it, before any was seen; it counts as so many months seen.
PRIOR_ERROR, PRIOR_MONTHS = 0.5, 3
#: The law of all series counts as so many forecasts of each one's own in the size of its errors.
OWN_FORECASTS = 6.0
#: Student's law of 4 degrees (its mean size is 1) stands in for the errors seen; it counts as so many months of them.
TAIL_DEGREES, TAIL_MONTHS = 4, 20
#: How far errors hang together over months, and between series, where these months say nothing.
TOGETHER = 0.2
#: Chances at which the law of errors is kept.
LEVELS = (np.arange(400) + 0.5) / 400
#: A series has closed if its last months are all zero, so many at least, and so many times the longest such run before.
CLOSED_MONTHS, CLOSED_TIMES = 6, 3


@dataclass(frozen=True)
class SeriesForecast:
    """What comes next in each of `k` series over `h` months, in the unit of their histories."""

    #: (k, h) the mean over `paths`.
    mean: np.ndarray
    #: (n_paths, k, h) futures; in one, errors hang together from month to month and between series.
    paths: np.ndarray
    #: (k,) months known of each series: under 25 of the longest there is no season, under 12 hardly a level.
    months: np.ndarray
    #: (k,) whether it ended: its futures are 0.
    is_closed: np.ndarray
    #: Months, of all series, of which earlier forecasts were compared with what came: under 40 the width of the
    #: intervals is for a good part assumed.
    n_held_out: int

    def quantile(self, level: float) -> np.ndarray:
        """(k, h) what so large a share of the futures stays below."""
        return np.quantile(self.paths, level, axis=0)


def forecast_series(
    history: np.ndarray, horizon: int, n_paths: int = 1000, seed: int = 0, days: np.ndarray | None = None
) -> SeriesForecast:
    """Forecast each series, with futures as far apart as earlier forecasts were from what came.

    Args:
        history: (series, months), all ending in the last whole month; NaN before a series begins, and where a month
            is unknown. 0 is a month without anything.
        horizon: Months to forecast, at least 1.
        n_paths: Futures to draw, at least 1.
        seed: Of the draws. The same seed and shapes give the same luck, whatever the history.
        days: (months + horizon,) working days of each month, that of the history and then those asked for: what is
            forecast is then the sum per day. None: all months are alike.

    Returns:
        See `SeriesForecast`. A series with no month known in its last 12 has NaN, one that closed 0. Where no month
        of the history is below 0, no future is.

    Raises:
        ValueError: If the history is not of two dimensions or holds an infinite number, the horizon or `n_paths` is
            below 1, or there is not one number of days above 0 for each month.

    Source:
        Intervals from errors on held-out data: Vovk, Gammerman and Shafer (2005), Algorithmic Learning in a Random
        World; scaled, pooled and drawn jointly as said above.
    """
    history = np.asarray(history, dtype=float)
    if history.ndim != 2 or np.isinf(history).any() or min(horizon, n_paths) < 1:
        raise ValueError(
            f"history {history.shape} must be finite (series, months), {horizon} and {n_paths} at least 1."
        )
    days = np.ones(history.shape[1] + horizon) if days is None else np.asarray(days, dtype=float)
    if days.shape != (history.shape[1] + horizon,) or not (days > 0).all():
        raise ValueError(f"days must be {history.shape[1] + horizon} numbers above 0, got {days}.")
    history, ahead = history / days[: history.shape[1]], days[history.shape[1] :]
    closed, silent = _closed(history), np.isnan(history[:, -SEASON:]).all(axis=1)
    going = ~(closed | silent)
    paths, n_held_out = np.zeros((n_paths, len(history), horizon)), 0
    paths[:, silent] = np.nan
    if going.any():
        law, n_held_out = _law(history[going], horizon)
        paths[:, going] = (
            law.drawn(_luck(n_paths, (len(history), horizon), law, seed)[:, going], history[going]) * ahead
        )
    return SeriesForecast(paths.mean(axis=0), paths, (~np.isnan(history)).sum(axis=1), closed, n_held_out)


@dataclass(frozen=True)
class _Law:
    """The law of the errors of forecasts."""

    #: (k, h) the forecasts; (k, h) the mean size of their errors.
    centre: np.ndarray
    width: np.ndarray
    #: Quantiles of an error of mean size 1, at `LEVELS`.
    shape: np.ndarray
    #: How far errors of one future hang together over months, and between series: 0 to 1.
    over_months: float
    between_series: float

    def drawn(self, z: np.ndarray, history: np.ndarray) -> np.ndarray:
        """Futures with errors as rare as `z` standard deviations of the normal law, whose mean is the forecast; those
        of a series that was never below 0 never are."""
        paths = self.centre + np.interp(norm.cdf(z), LEVELS, self.shape) * self.width
        is_positive = np.all(~(history < 0), axis=1)[:, None]
        paths = np.where(is_positive, np.maximum(paths, 0), paths)
        mean = paths.mean(axis=0)
        by = np.divide(self.centre, mean, out=np.ones_like(mean), where=mean > 0)
        return np.where(is_positive, paths * by, paths + self.centre - mean)


def _law(history: np.ndarray, horizon: int) -> tuple[_Law, int]:
    """The law of the errors to come, and from how many months of all series it was learnt."""
    off, weight = _held_out(history, horizon)
    n = int((weight > 0).any(axis=2).sum())
    growth = (n * _growth(off, weight) + PRIOR_MONTHS * PRIOR_ERROR) / (n + PRIOR_MONTHS)
    forecasts = (weight > 0).sum(axis=(0, 2)) / horizon
    own = (weight * np.abs(off) / growth).sum(axis=(0, 2)) / np.maximum(weight.sum(axis=(0, 2)), 1e-12)
    own = (forecasts * own + OWN_FORECASTS) / (forecasts + OWN_FORECASTS)
    off = off / growth / own[:, None]
    trust, assumed = n / (n + TAIL_MONTHS), t.ppf(LEVELS, TAIL_DEGREES)
    shape, months, series = assumed, TOGETHER, TOGETHER
    if n:
        off -= (weight * off).sum() / weight.sum()
        shape = np.quantile(off[weight > 0], LEVELS, weights=weight[weight > 0], method="inverted_cdf")
        months, series = _together(np.where(weight > 0, np.clip(off, -3, 3), np.nan))
    centre = smooth(history, horizon)
    width = _size(centre, history) * growth * own[:, None]
    shape = trust * shape + (1 - trust) * assumed
    together = (trust * each + (1 - trust) * TOGETHER for each in (months, series))
    return _Law(centre, width, shape, *together), n


def _held_out(history: np.ndarray, horizon: int) -> tuple[np.ndarray, np.ndarray]:
    """(origins, k, h) errors of forecasts made again, relative to them, and their weights; 0 and 0 where not known."""
    n = history.shape[1]
    origins = np.arange(max(FIRST_ORIGIN, n - ORIGINS), n)
    off = np.full((len(origins), len(history), horizon), np.nan)
    for row, origin in enumerate(origins):
        seen, known = min(horizon, n - origin), history[:, :origin]
        # Nothing is relative to a forecast of nothing: a series begins to count after its first month above 0.
        told = np.where(np.nansum(np.abs(known), axis=1, keepdims=True) > 0, smooth(known, horizon), np.nan)
        off[row, :, :seen] = (history[:, origin : origin + seen] - told[:, :seen]) / _size(told, known)[:, :seen]
    return np.nan_to_num(off), 0.5 ** ((n - origins) / HALF_LIFE)[:, None, None] * ~np.isnan(off)


def _size(told: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(k, h) what errors of a forecast are measured by: between the forecast and its mean; more for a young series."""
    months = (~np.isnan(known)).sum(axis=1, keepdims=True)
    least = 0.1 * np.nansum(np.abs(known), axis=1, keepdims=True) / np.maximum(months, 1)
    return np.maximum(np.sqrt(told * told.mean(axis=1, keepdims=True)), least) * np.sqrt(1 + 1 / np.maximum(months, 1))


def _growth(off: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(h,) mean |error| by months ahead: a line through what was seen that does not fall."""
    ahead, whole = np.arange(off.shape[2]), weight.sum(axis=(0, 1))
    is_seen = whole > 0
    if not is_seen.any():
        return np.full(len(ahead), PRIOR_ERROR)
    mean = (weight * np.abs(off)).sum(axis=(0, 1))[is_seen] / whole[is_seen]
    if is_seen.sum() > 1:
        slope, start = np.polyfit(ahead[is_seen], mean, 1, w=np.sqrt(whole[is_seen]))
        if slope > 0 and start > 0:
            return start + slope * ahead
    return np.full(len(ahead), np.average(mean, weights=whole[is_seen]))


def _together(off: np.ndarray) -> tuple[float, float]:
    """How far errors (origins, series, months ahead) made at one time hang together over months and between series."""
    size = np.nanmean(off**2)
    ahead = np.arange(1, off.shape[2] + 1)
    first, second = np.triu_indices(len(ahead), 1)
    like = np.sqrt(ahead[first] / ahead[second])  # of the sums of a random walk
    pairs = off[:, :, first] * off[:, :, second]
    of_pairs = np.nansum(pairs) / max(np.sum(~np.isnan(pairs) * like), 1e-12)
    n = (~np.isnan(off)).sum(axis=1)
    others = np.nansum(off, axis=1) ** 2 - np.nansum(off**2, axis=1)
    of_series = others.sum() / max((n * (n - 1)).sum(), 1)
    months, series = (float(np.clip(each / max(size, 1e-12), 0, 0.95)) for each in (of_pairs, of_series))
    return months, series


def _luck(n_paths: int, shape: tuple[int, int], law: _Law, seed: int) -> np.ndarray:
    """(n_paths, k, h) normal draws that hang together as the law says; half of them are the other half's negatives."""
    rng = np.random.default_rng(seed)
    half, (series, horizon) = -(-n_paths // 2), shape

    def drawn(k: int) -> np.ndarray:
        walk = rng.standard_normal((half, k, horizon)).cumsum(axis=2) / np.sqrt(np.arange(1, horizon + 1))
        step = rng.standard_normal((half, k, horizon))
        return np.sqrt(law.over_months) * walk + np.sqrt(1 - law.over_months) * step

    z = np.sqrt(law.between_series) * drawn(1) + np.sqrt(1 - law.between_series) * drawn(series)
    return np.concatenate([z, -z])[:n_paths]


def _closed(history: np.ndarray) -> np.ndarray:
    """(k,) whether a series has ended: see `CLOSED_MONTHS`."""
    return np.array([_is_closed(row[~np.isnan(row)] == 0) for row in history], dtype=bool)


def _is_closed(is_zero: np.ndarray) -> bool:
    runs = np.diff(np.flatnonzero(np.r_[True, ~is_zero, True])) - 1
    return bool(runs[-1] >= max(CLOSED_MONTHS, CLOSED_TIMES * max(runs[:-1], default=0)))
