"""How far forecasts were from what came: measures over arrays, in which NaN is what is not known and counts nowhere."""

from collections.abc import Sequence

import numpy as np

#: Months after which a season comes again.
SEASON = 12


def wape(actual: np.ndarray, forecast: np.ndarray) -> float:
    """Weighted absolute percentage error: the sum of |forecast − actual| over the sum of |actual|.

    Args:
        actual: What came, of any shape; NaN where it is not known.
        forecast: Of the same shape; NaN where none was made.

    Returns:
        A share, 0 or more; NaN where no pair is known, or all actuals are 0.

    Source:
        Kolassa and Schütz (2007), Advantages of the MAD/mean ratio over the MAPE, Foresight 6.
    """
    is_known, error = _errors(actual, forecast)
    whole = np.abs(np.asarray(actual)[is_known]).sum()
    return float(np.abs(error).sum() / whole) if whole > 0 else np.nan


def bias(actual: np.ndarray, forecast: np.ndarray) -> float:
    """Mean of forecast − actual, in their unit: above 0 where too much was forecast. NaN where no pair is known."""
    _, error = _errors(actual, forecast)
    return float(error.mean()) if error.size else np.nan


def mase(actual: np.ndarray, forecast: np.ndarray, history: np.ndarray, season: int = SEASON) -> float:
    """Mean absolute scaled error: |forecast − actual| in units of the error that the seasonal naive made in the history.

    Args:
        actual: (series, horizon) what came; NaN where it is not known.
        forecast: (series, horizon); NaN where none was made.
        history: (series, periods) all that was known when the forecast was made; NaN before a series begins.
        season: Periods after which a season comes again.

    Returns:
        The mean over series of each one's mean, 0 or more; 1 is as far off as the naive was. A series without a scale
        (see `naive_error`) or without a known pair is left out; NaN if all are.

    Source:
        Hyndman and Koehler (2006), Another look at measures of forecast accuracy, Int. J. of Forecasting 22(4).
    """
    actual, forecast = np.atleast_2d(actual), np.atleast_2d(forecast)
    is_known, _ = _errors(actual, forecast)
    off = np.where(is_known, np.abs(forecast - actual), 0.0)
    scale, n = naive_error(history, season), is_known.sum(axis=1)
    is_told = (n > 0) & ~np.isnan(scale)
    return float(np.mean(off[is_told].sum(axis=1) / n[is_told] / scale[is_told])) if is_told.any() else np.nan


def naive_error(history: np.ndarray, season: int = SEASON) -> np.ndarray:
    """(series,) mean of |value − value one season before| in a history of (series, periods): the scale of `mase`.

    A series too short to hold one such pair is scaled by its change from one period to the next. NaN where there is no
    such pair either, or where the naive made no error at all.
    """
    history = np.atleast_2d(np.asarray(history, dtype=float))
    scale = np.full(len(history), np.nan)
    for lag in (season, 1):
        changes = np.abs(history[:, lag:] - history[:, :-lag])
        n = (~np.isnan(changes)).sum(axis=1)
        means = np.nansum(changes, axis=1) / np.maximum(n, 1)
        scale = np.where(np.isnan(scale) & (n > 0), means, scale)
    return np.where(scale > 0, scale, np.nan)


def pinball(actual: np.ndarray, quantiles: np.ndarray, levels: Sequence[float]) -> float:
    """Mean pinball loss over values and levels, in the unit of the values: half the mean |error| for the median alone.

    Args:
        actual: What came, of any shape; NaN where it is not known.
        quantiles: Of that shape and one more dimension, the last, over the levels.
        levels: Each between 0 and 1.

    Returns:
        0 or more; NaN where no value is known with all its quantiles.

    Raises:
        ValueError: If there are not as many quantiles as levels.

    Source:
        Koenker and Bassett (1978), Regression quantiles, Econometrica 46(1).
    """
    actual, quantiles, level = np.asarray(actual, float), np.asarray(quantiles, float), np.asarray(levels, float)
    if quantiles.shape != (*actual.shape, len(level)):
        raise ValueError(f"quantiles must be of shape {(*actual.shape, len(level))}, got {quantiles.shape}.")
    over = actual[..., None] - quantiles
    loss = np.maximum(level * over, (level - 1) * over).mean(axis=-1)
    return float(loss[~np.isnan(loss)].mean()) if (~np.isnan(loss)).any() else np.nan


def coverage(actual: np.ndarray, low: np.ndarray, high: np.ndarray) -> float:
    """Share, 0 to 1, of actuals within their intervals, ends included; NaN where none is known with both ends."""
    actual, low, high = (np.asarray(each, dtype=float) for each in (actual, low, high))
    is_known = ~(np.isnan(actual) | np.isnan(low) | np.isnan(high))
    return float(((low <= actual) & (actual <= high))[is_known].mean()) if is_known.any() else np.nan


def _errors(actual: np.ndarray, forecast: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which pairs are known, and forecast − actual of these."""
    error = np.asarray(forecast, dtype=float) - np.asarray(actual, dtype=float)
    is_known = ~np.isnan(error)
    return is_known, error[is_known]
