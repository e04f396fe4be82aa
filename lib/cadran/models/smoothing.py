"""Exponential smoothing of many monthly series at once, the ways of smoothing weighed by how far off they were."""

from itertools import product

import numpy as np

from cadran.models.accuracy import SEASON

#: Months looked back at: what is older tells nothing of the year to come.
MEMORY = 240
#: Months after which an error counts half in the choice of how to smooth.
HALF_LIFE = 60
#: What all series together say of a way of smoothing counts as this many months of each one's own.
SHARED_MONTHS = 300.0
#: How fast a way that errs more loses weight, per month looked at and per unit of the logarithm of its error.
SHARPNESS = 0.3
#: Months of a series from which its first seasonal profile is taken.
PROFILE_MONTHS = 60
#: How many times its noise a season must stand above to be believed at all: the strength of twelve numbers is itself
#: uncertain, and a season that is not there costs as much as one left out.
CAUTION = 1.5


def _ways() -> np.ndarray:
    """(ways, 4): the weight of the newest month in the level, in the slope and in the season; the slope's damping."""
    levels, seasons = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7), (0.0, 0.05, 0.15, 0.3)
    slopes = ((0.0, 1.0), (0.02, 0.95), (0.02, 0.99), (0.06, 0.85), (0.06, 0.95), (0.06, 0.99))
    return np.array(
        [(level, slope, season, damped) for level, season, (slope, damped) in product(levels, seasons, slopes)]
    )


WAYS = _ways()


def smooth(history: np.ndarray, horizon: int) -> np.ndarray:
    """What comes next in each series: damped trend, multiplicative season, by the weighted mean of `WAYS`.

    Args:
        history: (series, months), ending in the same month; NaN before a series begins, and where a month is unknown.
        horizon: Months asked for, at least 1.

    Returns:
        (series, horizon), in the unit of the history; NaN for a series of which nothing is known.

    Source:
        Gardner (2006), Exponential smoothing: the state of the art II, Int. J. of Forecasting 22(4).
    """
    history, told = history[:, -MEMORY:], np.full((len(history), horizon), np.nan)
    is_known = ~np.isnan(history).all(axis=1)
    if is_known.any():
        ahead, error, months = _run(history[is_known], horizon)
        told[is_known] = np.einsum("khw,kw->kh", ahead, _weights(error, months))
    return told


def _weights(error: np.ndarray, months: np.ndarray) -> np.ndarray:
    """(series, ways): each way's share, from its errors (series, ways) over so many months (series, 1)."""
    lost = np.log(np.maximum(error, 1e-12))
    lost -= lost.min(axis=1, keepdims=True)
    shared = (months * lost).sum(axis=0) / max(months.sum(), 1e-12)
    lost = (months * lost + SHARED_MONTHS * shared) / (months + SHARED_MONTHS)
    share = np.exp(-SHARPNESS * (months + SHARED_MONTHS) * (lost - lost.min(axis=1, keepdims=True)))
    return share / share.sum(axis=1, keepdims=True)


def _run(history: np.ndarray, horizon: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What each way says comes next (series, horizon, ways), how far off it was on the way there, relative to its
    forecasts (series, ways), and over how many months, old ones counting less (series, 1)."""
    n, (level_pull, slope_pull, season_pull, damped) = history.shape[1], WAYS.T
    is_known = ~np.isnan(history)
    first, floor, profile = is_known.argmax(axis=1), _floor(history)[:, None], seasonal_profile(history)
    rows = np.arange(len(history))
    level = np.maximum(history[rows, first] / profile[rows, first % SEASON], floor[:, 0])
    level, slope = np.repeat(level[:, None], len(WAYS), 1), np.zeros((len(history), len(WAYS)))
    season = np.repeat(profile[:, :, None], len(WAYS), 2)
    steps = np.arange(1, horizon + 1)
    reach = np.cumsum(damped ** steps[:, None], axis=0)
    error, months = np.zeros_like(level), np.zeros((len(history), 1))

    def ahead(at: int, of: np.ndarray) -> np.ndarray:
        line = np.maximum(level[:, None] + reach[of - 1] * slope[:, None], floor[:, None])
        return line * season[:, (at + of) % SEASON]

    for at in range(n):
        month, now = at % SEASON, is_known[:, at, None]
        line = np.maximum(level + damped * slope, floor)
        off = np.where(now, history[:, at, None] - line * season[:, month], 0.0)
        pull = np.maximum(level_pull, 1 / np.maximum(at - first + 1, 1)[:, None])
        moved = off / np.maximum(season[:, month], 1)
        level = np.where(now, np.maximum(line + pull * moved, floor), level)
        slope = np.where(now, damped * slope + level_pull * slope_pull * moved, slope)
        gained = season_pull * (1 - level_pull) * off / np.maximum(line, 10 * floor)
        season[:, month] = np.maximum(season[:, month] + gained, 0.02)
        seen = steps[steps < n - at]
        is_old = (first + SEASON <= at)[:, None] & now
        if len(seen) and is_old.any():
            told = ahead(at, seen)
            miss = np.abs(history[:, at + seen, None] - told)
            counts = is_old * 0.5 ** ((n - 1 - at) / HALF_LIFE) * is_known[:, at + seen].any(axis=1, keepdims=True)
            error += counts * _mean(miss) / np.abs(told).mean(axis=(1, 2))[:, None]
            months += counts
    return ahead(n - 1, steps), error / np.maximum(months, 1e-12), months


def _floor(history: np.ndarray) -> np.ndarray:
    """(series,) what a level is never below: a thousandth of the series' mean size."""
    return 1e-3 * _mean(np.abs(history)) + 1e-12


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean over the second dimension of what is known; 0 where nothing is."""
    n = (~np.isnan(values)).sum(axis=1)
    return np.nansum(values, axis=1) / np.maximum(n, 1)


def seasonal_profile(history: np.ndarray) -> np.ndarray:
    """How much each month of the year stands above or below its year: ratios of mean 1, shrunk twice.

    A month's ratio to the centred mean of twelve is averaged over years. What all series have in common is pulled
    towards no season, and each series' own towards what is common, by how much of it is noise (empirical Bayes).
    A history under 25 months has no season: it cannot be told from a trend.

    Args:
        history: (series, months); NaN where nothing is known. The profile of a series is that of its first months.

    Returns:
        (series, 12): column 0 is the month of the year in which the history begins.
    """
    series, n = history.shape
    if n < 2 * SEASON + 1:
        return np.ones((series, SEASON))
    first = (~np.isnan(history)).argmax(axis=1)
    early = np.where(np.arange(n) < (first + PROFILE_MONTHS)[:, None], history, np.nan)
    weights = np.r_[0.5, np.ones(SEASON - 1), 0.5] / SEASON
    year = np.lib.stride_tricks.sliding_window_view(early, SEASON + 1, axis=1) @ weights
    ratio = np.full(history.shape, np.nan)
    half = SEASON // 2
    ratio[:, half : n - half] = np.divide(
        early[:, half : n - half], year, out=np.full(year.shape, np.nan), where=year > 0
    )
    own, noise = _by_month(ratio)
    trust = np.where(np.isnan(noise), 0.0, 1 / (noise + 1e-4))[:, None] * ~np.isnan(ratio)
    whole = trust.sum(axis=0)
    common = np.divide((trust * np.nan_to_num(ratio)).sum(axis=0), whole, out=np.full(n, np.nan), where=whole > 0)
    shared, shared_noise = (each[0] for each in _by_month(common[None]))
    if np.isnan(shared_noise):
        return np.ones((series, SEASON))
    shared = 1 + max(0.0, 1 - CAUTION * shared_noise / max(np.mean((shared - 1) ** 2), 1e-12)) * (shared - 1)
    apart = np.mean((own - shared) ** 2, axis=1)
    is_own = ~np.isnan(noise)
    spread = max(0.0, np.mean((apart - noise)[is_own])) if series > 1 else 0.0
    kept = np.where(is_own, spread / (spread + np.nan_to_num(noise) + 1e-12), 0.0)
    profile = np.maximum(shared + kept[:, None] * np.where(is_own[:, None], own - shared, 0.0), 0.05)
    return profile / profile.mean(axis=1, keepdims=True)


def _by_month(ratio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(series, 12) mean ratio of each month of the year, of mean 1; (series,) the variance of such a mean, from how
    the years differ. NaN where a month of the year is never seen, or each only once."""
    series, n = ratio.shape
    years = np.concatenate([ratio, np.full((series, -n % SEASON), np.nan)], axis=1).reshape(series, -1, SEASON)
    count = (~np.isnan(years)).sum(axis=1)
    mean = np.where(count > 0, np.nansum(years, axis=1) / np.maximum(count, 1), np.nan)
    free = (count - 1).sum(axis=1)
    varied = np.nansum((years - mean[:, None]) ** 2, axis=(1, 2)) / np.maximum(free, 1)
    is_told = (count > 0).all(axis=1) & (free > 0)
    noise = np.where(is_told, varied * np.mean(1 / np.maximum(count, 1), axis=1), np.nan)
    return mean / mean.mean(axis=1, keepdims=True), noise
