"""Bookings of invented regions of which the law is known: levels that walk together in part, a season, and noise."""

import numpy as np


def panel(
    seed: int, months: int, regions: int = 5, noise: float = 0.4, drift: float = 0.04, season: float = 0.0
) -> np.ndarray:
    """(regions, months): noise is the coefficient of variation of a month; drift and season are in logarithms."""
    rng = np.random.default_rng(seed)
    profile = np.exp(rng.normal(0, season, 12))[np.arange(months) % 12] if season else 1.0
    steps = np.sqrt(0.3) * rng.normal(0, drift, (1, months)) + np.sqrt(0.7) * rng.normal(0, drift, (regions, months))
    return 100 * profile * np.exp(steps.cumsum(axis=1)) * rng.gamma(1 / noise**2, noise**2, (regions, months))
