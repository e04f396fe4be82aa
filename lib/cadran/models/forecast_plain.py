"""Plain forecasts of a monthly series by itself: its mean, the same month last year, exponential smoothing as it comes."""

import warnings

import numpy as np
from scipy.stats import gamma, norm

from cadran.models.accuracy import SEASON

#: Fewest months for a smoothing, and for one with a season.
LEAST, LEAST_SEASONAL = 8, 2 * SEASON
#: Fewest pairs of months a year apart for an interval about the month of last year.
LEAST_PAIRS = 3
#: Months that the mean is taken over: at least, and at most.
MEAN_OVER = (3, 24)


def seasonal_naive(past: np.ndarray, horizon: int, levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same month of the last year known: (horizon,) means and (horizon, levels) quantiles, no lower than 0.

    NaN where that month is not known; quantiles also with fewer than `LEAST_PAIRS` pairs a year apart.

    Source:
        Hyndman and Athanasopoulos (2021), Forecasting: principles and practice, section 5.5.
    """
    padded = np.concatenate([np.full(SEASON, np.nan), past])
    mean = np.array([padded[len(padded) - SEASON + step % SEASON] for step in range(horizon)])
    gaps = padded[SEASON:] - padded[:-SEASON]
    gaps = gaps[np.isfinite(gaps)]
    spread = float(np.sqrt(np.mean(gaps**2))) if len(gaps) >= LEAST_PAIRS else np.nan
    return mean, _normal(mean, spread * np.sqrt(np.arange(horizon) // SEASON + 1), levels)


def average(past: np.ndarray, horizon: int, levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean of the latest months: (horizon,) means and (horizon, levels) quantiles of a gamma law as wide as they
    spread, and as the mean is in doubt. NaN with fewer than `MEAN_OVER` months known."""
    latest = past[np.isfinite(past)][-MEAN_OVER[1] :]
    n = len(latest)
    if n < MEAN_OVER[0] or not latest.mean() > 0:
        return np.full(horizon, np.nan), np.full((horizon, len(levels)), np.nan)
    middle, variance = float(latest.mean()), float(latest.var(ddof=1)) * (1 + 1 / n)
    told = (
        np.full(len(levels), middle)
        if variance == 0
        else gamma.ppf(levels, middle**2 / variance, scale=variance / middle)
    )
    return np.full(horizon, middle), np.tile(told, (horizon, 1))


def ets(past: np.ndarray, horizon: int, levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """statsmodels' exponential smoothing as it comes, of additive error, trend and season by AICc: means and quantiles.

    NaN with fewer than `LEAST` months known.
    """
    known = past[np.isfinite(past).cumsum() > 0] if np.isfinite(past).any() else past[:0]
    if len(known) < LEAST or not np.isfinite(known).all():
        return np.full(horizon, np.nan), np.full((horizon, len(levels)), np.nan)
    import pandas as pd
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    best = None
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # one that does not converge is judged by its AICc like the others
        for trend in (None, "add"):
            for seasonal in (None, "add") if len(known) >= LEAST_SEASONAL else (None,):
                fitted = ETSModel(
                    pd.Series(known), error="add", trend=trend, damped_trend=trend is not None, seasonal=seasonal,
                    seasonal_periods=SEASON if seasonal else None,
                ).fit(disp=False)  # fmt: skip
                if np.isfinite(fitted.aicc) and (best is None or fitted.aicc < best.aicc):
                    best = fitted
        if best is None:
            return np.full(horizon, np.nan), np.full((horizon, len(levels)), np.nan)
        told = best.get_prediction(start=len(known), end=len(known) + horizon - 1).summary_frame(alpha=0.05)
    mean = told["mean"].to_numpy()
    spread = (told["pi_upper"] - told["pi_lower"]).to_numpy() / (2 * norm.ppf(0.975))
    return mean, _normal(mean, spread, levels)


def _normal(mean: np.ndarray, spread: np.ndarray, levels: np.ndarray) -> np.ndarray:
    told = mean[:, None] + spread[:, None] * norm.ppf(levels)
    return np.maximum(np.where(levels == 0.5, mean[:, None], told), 0.0)
