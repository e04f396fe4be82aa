"""How a new seller grows into the work, and how often sellers leave: learnt from hire dates and departures, or stated."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import isotonic_regression
from scipy.stats import gamma

from cadran.models.staff import TENURED, Presence

#: An assumption where too few were hired: months until a new seller does the whole of a tenured one's work.
RAMP_MONTHS = 6.0
#: New sellers, and won deals that tenured ones would have carried in their place, without which no ramp is learnt.
LEAST_HIRES, LEAST_WINS = 10, 30.0
#: How much the assumed curve weighs against what is seen in each month since hiring, in deals won.
PRIOR_WINS = 10.0
#: An assumption where the book tells of nobody who left: share of the sellers who leave within a year.
YEARLY_ATTRITION = 0.12
#: Months of the past, at most, from which departures are learnt; fewer seller-months than this tell nothing.
ATTRITION_MONTHS, LEAST_SELLER_MONTHS = 36, 120.0


@dataclass(frozen=True)
class Ramp:
    """What a new seller does of a tenured one's work."""

    #: By whole months since hiring, 0 to `TENURED`: the share, and its standard error.
    shares: np.ndarray
    errors: np.ndarray
    #: "stated", "learnt" or "assumed".
    basis: str
    #: New sellers it was learnt from, and won deals they carried.
    n_hires: int = 0
    n_wins: float = 0.0

    def at(self, tenure: np.ndarray, stretch: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
        """Share and standard error at whole months since hiring; 0 before it. `stretch` 2: twice as slow."""
        grid = np.arange(len(self.shares))
        place = np.where(tenure >= TENURED, TENURED, np.clip(tenure, 0, TENURED) / max(stretch, 1e-9))
        is_there = tenure >= 0
        return np.interp(place, grid, self.shares) * is_there, np.interp(place, grid, self.errors) * is_there

    def months_to(self, share: float, stretch: float = 1.0) -> int:
        """Whole months after hiring from which a new seller does this share of a tenured one's work."""
        shares, _ = self.at(np.arange(TENURED + 1), stretch)
        return int(np.argmax(shares >= min(share, shares[-1]) - 1e-9))


def stated_ramp(shares: tuple[float, ...], months: float | None) -> Ramp:
    """The ramp a plan states: its shares month by month, then whole; or an even rise."""
    if not shares:
        return Ramp(even(RAMP_MONTHS if months is None else months), np.zeros(TENURED + 1), "stated")
    whole = np.ones(TENURED + 1)
    whole[: min(len(shares), TENURED)] = shares[:TENURED]
    return Ramp(whole, np.zeros(TENURED + 1), "stated")


def even(months: float) -> np.ndarray:
    """Shares in the middle of each month since hiring, rising evenly to 1 within so many months."""
    return np.minimum((np.arange(TENURED + 1) + 0.5) / max(months, 0.5), 1.0)


def learn_ramp(past: Presence) -> Ramp:
    """The ramp of those hired within the book's past: won deals carried by month since hiring, against those that tenured
    sellers of the same region carried in the same month.

    A won deal counts for whoever had it open, while they had it open: when the work was done, not when it was signed. Each
    month since hiring is pulled towards the assumed curve (gamma and Poisson), and the curve never falls.

    Source:
        Gelman et al. (2013), Bayesian Data Analysis, section 2.6; Barlow et al. (1972), isotonic regression.
    """
    assumed = even(RAMP_MONTHS)
    wins, expected, n_hires = _by_tenure(past)
    if n_hires < LEAST_HIRES or expected[:-1].sum() < LEAST_WINS:
        # The doubt of the assumption: it might take two months more, or less.
        return Ramp(assumed, np.abs(assumed - even(RAMP_MONTHS + 2)), "assumed", n_hires, float(wins[:-1].sum()))
    shape, rate = wins + PRIOR_WINS * assumed, expected + PRIOR_WINS
    shares = np.clip(isotonic_regression(shape / rate, weights=rate).x, 0, 1)
    shares[-1] = 1.0
    errors = np.append((np.sqrt(shape) / rate)[:-1], 0.0)
    return Ramp(shares, errors, "learnt", n_hires, float(wins[:-1].sum()))


def _by_tenure(past: Presence) -> tuple[np.ndarray, np.ndarray, int]:
    """Won deals carried by month since hiring, those expected of tenured sellers in their place, and how many were hired."""
    region = past.sellers["region"].fill_null("")
    is_tenured = past.tenure >= TENURED
    there, won = past.present * is_tenured, past.carried * is_tenured
    by_month = won.sum(axis=0) / np.maximum(there.sum(axis=0), 1e-9)
    names, place = np.unique(region.to_numpy().astype(str), return_inverse=True)
    base = there * by_month
    seen, meant = (np.bincount(place, each.sum(axis=1), len(names)) for each in (won, base))
    factor = (seen + PRIOR_WINS) / (meant + PRIOR_WINS)
    expected = past.present * by_month * factor[place][:, None]
    is_known = (past.tenure >= 0) & (past.present > 0)
    wins, due = (
        np.bincount(past.tenure[is_known], each[is_known], TENURED + 1) for each in (past.carried, expected)
    )  # fmt: skip
    return wins, due, int((is_known & ~is_tenured).any(axis=1).sum())


@dataclass(frozen=True)
class Attrition:
    """How often sellers leave."""

    #: Departures per seller and month; lower and upper end of its 95 % interval.
    monthly: float
    low: float
    high: float
    #: "stated", "learnt" or "assumed".
    basis: str
    n_left: int = 0
    seller_months: float = 0.0

    def drawn(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """(n,) rates that may be the true one."""
        if self.basis == "learnt":
            return rng.gamma(self.n_left + 0.5, 1 / self.seller_months, n)
        spread = 0.0 if self.basis == "stated" or not self.monthly else np.log(self.high / self.low) / 3.92
        return np.asarray(self.monthly * np.exp(spread * rng.standard_normal(n)))


def monthly_of(yearly: float) -> float:
    """The rate per month at which this share leaves within a year."""
    return float(-np.log1p(-yearly) / 12)


def stated_attrition(yearly: float) -> Attrition:
    """What a plan states: the share of the sellers who leave within a year."""
    rate = monthly_of(yearly)
    return Attrition(rate, rate, rate, "stated")


def learn_attrition(past: Presence) -> Attrition:
    """Departures of the last three years over the months that sellers were there, with Jeffreys' interval.

    Assumed, between half and twice the usual, where nobody is known to have left or the past is too short.
    """
    there = past.present[:, -ATTRITION_MONTHS:]
    exposure, rate = float(there.sum()), monthly_of(YEARLY_ATTRITION)
    if past.sellers["left"].is_null().all() or exposure < LEAST_SELLER_MONTHS:
        return Attrition(rate, rate / 2, rate * 2, "assumed", 0, exposure)
    since = past.months[-ATTRITION_MONTHS:][0]
    left = past.sellers["left"]
    n_left = int(((left >= since) & ~past.sellers["is_present"]).sum())
    low, high = (float(gamma.ppf(p, n_left + 0.5, scale=1 / exposure)) for p in (0.025, 0.975))
    return Attrition((n_left + 0.5) / exposure, low, high, "learnt", n_left, exposure)
