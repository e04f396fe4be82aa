"""The formulas of a randomised trial: its power, what drawing whole units costs, and the difference of two arms."""

from math import comb
from typing import NamedTuple

import numpy as np

from cadran.measures.counting import wilson

#: Chance of seeing an effect that is there, and of seeing one that is not, two-sided.
POWER, LEVEL = 0.8, 0.05


class Estimate(NamedTuple):
    """An estimate with its 95 % interval; None where it cannot be told."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


def power(n: float, p: float, other: float, freedom: float = float("inf")) -> float:
    """The chance that two arms of `n` each, whose shares are `p` and `other` in truth, are told apart.

    Args:
        n: Size of each arm; of whole units, divided by their design effect.
        p: Share in one arm, 0 to 1.
        other: Share in the other.
        freedom: Degrees of freedom: the number of units less 2 where few are drawn.

    Source:
        Fleiss, Levin and Paik (2003), Statistical Methods for Rates and Proportions, 3rd ed., section 4.2, without
        correction for continuity; Student's t in place of the normal for few units: Donner and Klar (2000), Design
        and Analysis of Cluster Randomization Trials, chapter 5.
    """
    from scipy.special import ndtr, ndtri, stdtr, stdtrit

    if freedom < 1 or not 0 <= other <= 1:
        return 0.0
    mean = (p + other) / 2
    same, apart = np.sqrt(2 * mean * (1 - mean)), np.sqrt(p * (1 - p) + other * (1 - other))
    if apart == 0:
        return float(p != other)
    is_normal = np.isinf(freedom)
    quantile = ndtri(1 - LEVEL / 2) if is_normal else stdtrit(freedom, 1 - LEVEL / 2)
    distance = (abs(other - p) * np.sqrt(n) - quantile * same) / apart
    return float(ndtr(distance) if is_normal else stdtr(freedom, distance))


def design_effect(met: float, rho: float) -> float:
    """By how much drawing whole units multiplies the number of deals needed: 1 + (m − 1) ρ, at least 1.

    Args:
        met: Mean size of a unit as a deal meets it: Σ m² ÷ Σ m.
        rho: How alike the deals of one unit end, −1 to 1.

    Source:
        Donner and Klar (2000), chapter 5; for units of unequal size Eldridge, Ashby and Kerry (2006), International
        Journal of Epidemiology 35(5).
    """
    return 1 + max(met - 1, 0.0) * max(rho, 0.0)


def intraclass(sizes: np.ndarray, means: np.ndarray, within: float) -> Estimate:
    """How alike the members of one unit are, −1 to 1: the analysis-of-variance estimator.

    Args:
        sizes: Members of each unit.
        means: Their mean in each unit.
        within: Sum of the squared distances of members from the mean of their unit.

    Source:
        Donner (1986), International Statistical Review 54(1); interval: Shrout and Fleiss (1979), Psychological
        Bulletin 86(2), with the estimator's own mean size where sizes differ.
    """
    from scipy.stats import f

    k, n = len(sizes), int(sizes.sum())
    size = (n - (sizes**2).sum() / n) / (k - 1) if k > 1 else 1.0
    if n <= k or size <= 1 or within == 0:
        return Estimate()
    middle = (sizes * means).sum() / n
    ratio = (sizes * (means - middle) ** 2).sum() / (k - 1) / (within / (n - k))
    ratios = (ratio, ratio / f.ppf(1 - LEVEL / 2, k - 1, n - k), ratio / f.ppf(LEVEL / 2, k - 1, n - k))
    return Estimate(*(float((each - 1) / (each + size - 1)) for each in ratios))


def least_p(n_units: int) -> float:
    """The least two-sided p that drawing half of so few units again can give: no result is more extreme."""
    return min((1 + (n_units % 2 == 0)) / comb(n_units, n_units // 2), 1.0)


def share_of(part: float, n: float) -> Estimate:
    """A share with its score interval, `cadran.measures.counting.wilson`."""
    return Estimate(part / n, *wilson(part / n, n)) if n > 0 else Estimate()


def newcombe(part: float, n: float, other_part: float, other_n: float) -> Estimate:
    """Difference of two shares, the first less the other.

    Source:
        Newcombe (1998), Interval estimation for the difference between independent proportions, Statistics in
        Medicine 17(8), method 10.
    """
    one, other = share_of(part, n), share_of(other_part, other_n)
    if None in one or None in other:
        return Estimate()
    (p, low, high), (q, other_low, other_high) = np.array(one), np.array(other)
    return Estimate(
        float(p - q), float(p - q - np.hypot(p - low, other_high - q)), float(p - q + np.hypot(high - p, q - other_low))
    )


def share_of_units(parts: np.ndarray, sizes: np.ndarray) -> Estimate:
    """A share where whole units were drawn, from the part and the size of each.

    Source:
        Wilson's interval with the number of single ones that would have the same variance, no more than there are, and
        Student's t of k − 1 units: Franco et al. (2019), Journal of Survey Statistics and Methodology 7(3); variance of
        a linearised ratio with units as clusters: Liang & Zeger (1986), Biometrika 73:13, corrected by k ÷ (k − 1).
    """
    from scipy.special import stdtrit

    if sizes.sum() == 0:
        return Estimate()
    share, variance = _ratio(parts, sizes)
    if not variance:
        return Estimate(share)
    n = min(share * (1 - share) / variance, float(sizes.sum()))
    return Estimate(share, *wilson(share, n, float(stdtrit(len(sizes) - 1, 1 - LEVEL / 2))))


def difference_of_units(
    parts: np.ndarray, sizes: np.ndarray, other_parts: np.ndarray, other_sizes: np.ndarray
) -> Estimate:
    """Difference of two shares where whole units were drawn, the first less the other.

    Source:
        Linearised ratios as in `share_of_units`; Student's t with the degrees of freedom of Welch (1947), Biometrika
        34:28.
    """
    from scipy.special import stdtrit

    if sizes.sum() == 0 or other_sizes.sum() == 0:
        return Estimate()
    (share, one), (other, two) = _ratio(parts, sizes), _ratio(other_parts, other_sizes)
    if one is None or two is None or one + two == 0:
        return Estimate(share - other)
    freedom = (one + two) ** 2 / (one**2 / (len(sizes) - 1) + two**2 / (len(other_sizes) - 1))
    half = float(stdtrit(freedom, 1 - LEVEL / 2)) * (one + two) ** 0.5
    return Estimate(share - other, share - other - half, share - other + half)


def _ratio(parts: np.ndarray, sizes: np.ndarray) -> tuple[float, float | None]:
    """Σ parts ÷ Σ sizes, and its variance, which one unit alone does not tell."""
    share, k = float(parts.sum() / sizes.sum()), len(sizes)
    influence = (parts - share * sizes) / sizes.sum()
    return share, float(k / (k - 1) * (influence**2).sum()) if k > 1 else None


def spent(fraction: float) -> float:
    """The level at which a first look may call an effect when this fraction of the trial is known, 0 to 1.

    Source:
        Lan and DeMets (1983), Discrete sequential boundaries for clinical trials, Biometrika 70(3): the spending
        function of O'Brien and Fleming's kind.
    """
    from scipy.special import ndtr, ndtri

    # Half of the level on each side, as the published boundaries have it.
    return 0.0 if fraction <= 0 else float(4 * ndtr(ndtri(LEVEL / 4) / np.sqrt(min(fraction, 1.0))))
