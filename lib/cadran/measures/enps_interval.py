"""The interval of an eNPS, chosen by benchmark (`docs/enps.md`), and of shares and means beside it."""

from statistics import NormalDist
from typing import Any

import numpy as np

#: What is added to the promoters, to the detractors, and to the passives before the interval is taken: of all that hold
#: the demands of `docs/enps.md`, these make the narrowest.
AT_THE_ENDS, BETWEEN = 0.25, 0.7
#: What is added to both ends of a scale before the interval of a mean is taken: scores that are all alike have no spread.
AT_EACH_END = 0.25
#: Halvings: ends are exact to 2⁻⁴⁰.
_HALVINGS = 40
#: Room for the rounding of floating point, in persons.
_DUST = 1e-6

Numbers = Any
Interval = tuple[np.ndarray, np.ndarray]


def enps_interval(promoters: Numbers, passives: Numbers, detractors: Numbers, level: float = 0.95) -> Interval:
    """Interval of the eNPS that answers like these are drawn from: profile likelihood, with 1.2 answers added.

    Args:
        promoters: Counts, 0 or more: a number or an array, as the next two.
        passives: Counts.
        detractors: Counts.
        level: Confidence; 0.95 unless changes are looked at together.

    Returns:
        Lower and upper ends, −100 to 100; nan where nobody answered.

    Source:
        Profile likelihood of a linear function of multinomial shares: Venzon & Moolgavkar (1988), Applied Statistics
        37:87; the constrained estimate in closed form: Tango (1998), Statistics in Medicine 17:891. What is added:
        `benchmarks/enps.py`.
    """
    given = (np.asarray(each, float) for each in (promoters, passives, detractors))
    high, middle, low = np.broadcast_arrays(*given)
    return _interval(high, middle, low, np.ones(high.shape), level)


def enps_interval_of_all(
    promoters: Numbers, passives: Numbers, detractors: Numbers, invited: Numbers, level: float = 0.95
) -> Interval:
    """Interval of the eNPS of all who were invited, supposing that those who answered are as those who did not.

    Ends are among the scores that so many people can have with these answers given, the next ones outwards: 95 % held
    at least in every company of 10 to 50 that was tried. It is the score itself where all answered.

    Args:
        promoters: Counts, as for `enps_interval`.
        passives: Counts.
        detractors: Counts.
        invited: How many were invited, no fewer than answered; nan where not known.
        level: Confidence.

    Returns:
        Lower and upper ends, −100 to 100; nan where nobody answered, or the invited are not known.
    """
    given = (np.asarray(each, float) for each in (promoters, passives, detractors, invited))
    high, middle, low, people = np.broadcast_arrays(*given)
    n = high + middle + low
    lower, upper = _interval(high, middle, low, _left_to_draw(n, people), level)
    silent = people - n
    with np.errstate(invalid="ignore"):
        lower = np.maximum(np.floor(lower * people / 100 + _DUST), high - low - silent)
        upper = np.minimum(np.ceil(upper * people / 100 - _DUST), high - low + silent)
        return 100 * lower / people + 0.0, 100 * upper / people + 0.0  # no score is −0


def share_interval(part: Numbers, whole: Numbers, level: float = 0.95) -> Interval:
    """Wilson's interval of a share, 0 to 1; nan where the whole is 0.

    Source:
        Wilson (1927), score interval for a binomial share, JASA 22(158).
    """
    z = NormalDist().inv_cdf(0.5 + level / 2)
    return _wilson(np.asarray(part, float), np.asarray(whole, float), np.asarray(z))


def share_interval_of_all(part: Numbers, whole: Numbers, invited: Numbers, level: float = 0.95) -> Interval:
    """The same for all who were invited, with ends among the shares that they can have, as `enps_interval_of_all`."""
    k, n, people = np.broadcast_arrays(*(np.asarray(each, float) for each in (part, whole, invited)))
    z = NormalDist().inv_cdf(0.5 + level / 2) * np.sqrt(_left_to_draw(n, people))
    lower, upper = _wilson(k, n, z)
    with np.errstate(invalid="ignore"):
        lower = np.maximum(np.floor(lower * people + _DUST), k)
        return lower / people, np.minimum(np.ceil(upper * people - _DUST), k + people - n) / people


def mean_interval(total: Numbers, counts: Numbers, bands: Numbers, level: float = 0.95) -> Interval:
    """Student's interval of the mean of scores of which only their sum and the numbers in three bands are told.

    The spread is the greatest that what is told allows, so that the interval is never too narrow for want of more, and
    a quarter of an answer is added at each end of the scale: of 3 to 40 simulated answers, from evenly spread to nine in
    ten alike, 93.8 % at the least of such intervals held the mean, and 27 % without.

    Args:
        total: Sum of the scores, one per row.
        counts: How many scores are low, middle and high: an array (rows, 3).
        bands: Lowest and highest score of each band: an array (rows, 3, 2).
        level: Confidence.

    Returns:
        Lower and upper ends, within the scale; nan under 2 scores.
    """
    from scipy.stats import t as student

    total, counts, bands = np.asarray(total, float), np.asarray(counts, float), np.asarray(bands, float)
    least, most = bands[..., 0], bands[..., 1]
    squares, left = (counts * least**2).sum(axis=1), total - (counts * least).sum(axis=1)
    # What the sum holds beyond the least of each band makes the most of squares at the top of the highest bands.
    for band in (2, 1, 0):
        moved = np.clip(left, 0, counts[:, band] * (most - least)[:, band])
        squares, left = squares + moved * (least + most)[:, band], left - moved
    bottom, top, given = least[:, 0], most[:, 2], counts.sum(axis=1)
    n, squares = given + 2 * AT_EACH_END, squares + AT_EACH_END * (bottom**2 + top**2)
    middle = (total + AT_EACH_END * (bottom + top)) / n
    freedom = np.where(given > 1, given - 1, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.sqrt(np.maximum(squares - n * middle**2, 0) / (n - 1) / n)
        half, mean = student.ppf(0.5 + level / 2, freedom) * error, total / given
    return np.clip(middle - half, bottom, mean), np.clip(middle + half, mean, top)


def _left_to_draw(n: np.ndarray, people: np.ndarray) -> np.ndarray:
    """Of the variance of a sample, how much is left when it is drawn from so few people: 0 where all were drawn."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(people > n, (people - n) / (people - 1), np.where(people == n, 0.0, np.nan))


def _wilson(k: np.ndarray, n: np.ndarray, z: np.ndarray) -> Interval:
    with np.errstate(invalid="ignore", divide="ignore"):
        share = k / np.where(n > 0, n, np.nan)
        middle, half = share + z * z / (2 * n), z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
        scale = 1 + z * z / n
        return np.maximum((middle - half) / scale, 0.0), np.minimum((middle + half) / scale, 1.0)


def _interval(high: np.ndarray, middle: np.ndarray, low: np.ndarray, left: np.ndarray, level: float) -> Interval:
    """Scores at which twice the log of the likelihood ratio, of what is `left` to draw, is the normal quantile squared."""
    with np.errstate(invalid="ignore", divide="ignore"):
        limit = NormalDist().inv_cdf(0.5 + level / 2) ** 2 * left
        is_known = (high + middle + low > 0) & ~np.isnan(left)
        is_open, score = is_known & (left > 0), 100 * (high - low) / (high + middle + low)
        added = [each + left * more for each, more in ((high, AT_THE_ENDS), (middle, BETWEEN), (low, AT_THE_ENDS))]
        high, middle, low = (np.where(is_open, each, 1.0) for each in added)
        best = (high - low) / (high + middle + low)
        ends = [_where(high, middle, low, best, np.full(best.shape, end), limit) for end in (-1.0, 1.0)]
    exact = np.where(is_known, score, np.nan)
    lower, upper = (np.where(is_open, 100 * end, exact) for end in ends)
    # A score of 100, as one of −100, is itself within.
    return np.fmin(lower, exact), np.fmax(upper, exact)


def _where(
    high: np.ndarray, middle: np.ndarray, low: np.ndarray, inside: np.ndarray, outside: np.ndarray, limit: np.ndarray
) -> np.ndarray:
    for _ in range(_HALVINGS):
        at = (inside + outside) / 2
        is_inside = _distance(high, middle, low, at) <= limit
        inside, outside = np.where(is_inside, at, inside), np.where(is_inside, outside, at)
    return (inside + outside) / 2


def _distance(high: np.ndarray, middle: np.ndarray, low: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Twice the log of the likelihood ratio, of the shares that are best of all to the best that have a score, −1 to 1."""
    n = high + middle + low
    # The share of detractors solves a quadratic equation: a q² + b q + c = 0.
    a, c = 2 * n, -low * score * (1 - score)
    b = -high - low + (2 * n - high + low) * score
    detract = np.clip((np.sqrt(np.maximum(b * b - 4 * a * c, 0)) - b) / (2 * a), 1e-300, 1)
    promote = np.maximum(detract + score, 1e-300)
    rest = np.maximum(1 - promote - detract, 1e-300)
    terms = ((high, promote), (middle, rest), (low, detract))
    return 2 * sum(count * np.log(count / (n * share)) for count, share in terms)
