"""What won deals had at a stage and an open deal lacks, lever by lever, as the win model tells it: associations."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.stats import norm

from cadran.book import Book
from cadran.models.design import Number
from cadran.models.levers import LEVERS, reply
from cadran.models.reasons import chances, tells
from cadran.models.typical import FEW, looks
from cadran.models.win import WinModel

#: A lever is looked at where at least this share of the deals won from the same stage had more of it than the deal.
COMMON = 0.25


@dataclass(frozen=True)
class Pull:
    """One pull of a lever on a deal: what the deal has of it, as a number, and its facts once it is pulled."""

    has: pl.Expr
    pulled: Callable[[pl.DataFrame], pl.DataFrame]
    #: Whether it lasts: a person involved stays, while a meeting, or a reply, grows old.
    lasts: bool = False


def _told(fact: str, value: pl.Expr) -> pl.Expr:
    return pl.when(pl.col(fact).is_not_null()).then(value.cast(pl.Float64))


#: The levers that change what the model looks at. A date written anew, or a deal stopped, wins nothing: no gap of theirs.
PULLS = {
    "answer": Pull(_told("n_asked", pl.col("waiting_hours").is_null()), reply),
    "meet": Pull(_told("n_meetings_30", pl.col("n_meetings_30")), lambda facts: LEVERS["meetings"].applied(facts, 1)),
    "decision_maker": Pull(
        _told("has_decision_maker", pl.col("has_decision_maker")),
        lambda facts: LEVERS["decider"].applied(facts, 1),
        lasts=True,
    ),
    "contact": Pull(
        _told("n_contacts", pl.col("n_contacts")), lambda facts: LEVERS["contacts"].applied(facts, 1), lasts=True
    ),
}


@dataclass(frozen=True)
class Gaps:
    """Of each lever (rows, in the order of `PULLS`) and open deal (columns); NaN where the deal lacks nothing."""

    #: By how much the probability differs once the lever is pulled, and the standard error over models as likely.
    raw: np.ndarray
    error: np.ndarray
    #: Share of the deals won from the same stage that had more of it than the deal has, and the looks that tell.
    won_share: np.ndarray
    n_won: np.ndarray
    #: Whether the pull goes beyond what was ever seen, where the model holds it to the limit.
    is_beyond: np.ndarray

    @property
    def shrunk(self) -> np.ndarray:
        """The gap held back by its doubt: the best of several noisy gaps is too good, the more so the noisier it is.

        Source:
            James and Stein (1961), Estimation with quadratic loss, the positive part for a single gap:
            raw × (1 − error² ÷ raw²), 0 where that would change its sign.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.raw == 0, 0.0, self.raw * np.maximum(0, 1 - (self.error / self.raw) ** 2))

    @property
    def width(self) -> np.ndarray:
        """Half the 95 % interval that holds for whichever lever of the deal is picked (Bonferroni over those it has)."""
        n_levers = np.maximum(np.isfinite(self.raw).sum(axis=0), 1)
        return norm.ppf(1 - 0.025 / n_levers) * self.error


def gaps(model: WinModel, book: Book, facts: pl.DataFrame, told: np.ndarray) -> Gaps:
    """The gap of each lever on each open deal.

    Args:
        model: The simple rates know no lever: all is NaN.
        book: At its moment, whose past says what won deals had.
        facts: Of the open deals.
        told: Their `chances`.
    """
    shape = (len(PULLS), len(facts))
    raw, error, won_share = (np.full(shape, np.nan) for _ in range(3))
    n_won, is_beyond = np.zeros(shape, int), np.zeros(shape, bool)
    found = Gaps(raw, error, won_share, n_won, is_beyond)
    if not tells(model):
        return found
    won, lacks = looks(book).filter("is_won"), {}
    for turn, (name, pull) in enumerate(PULLS.items()):
        won_share[turn], n_won[turn] = had_more(won, facts, pull.has)
        lacks[name] = np.flatnonzero(won_share[turn] >= COMMON)
    # What is done once, and what lasts: each asked of the model at one go.
    for lasts in (False, True):
        names = [name for name, pull in PULLS.items() if pull.lasts is lasts]
        deal = np.concatenate([lacks[name] for name in names])
        own, pulled = facts[deal], pl.concat([PULLS[name].pulled(facts[lacks[name]]) for name in names])
        then = chances(model, own, len(told) - 1, pulled) if lasts else chances(model, pulled, len(told) - 1)
        place = np.repeat([list(PULLS).index(name) for name in names], [len(lacks[name]) for name in names]), deal
        gap = then - told[:, deal]
        raw[place], error[place] = gap[0], gap[1:].std(axis=0, ddof=1)
        is_beyond[place] = beyond(model, pulled) & ~beyond(model, own)
    return found


def had_more(won: pl.DataFrame, facts: pl.DataFrame, has: pl.Expr) -> tuple[np.ndarray, np.ndarray]:
    """Of the looks at deals since won, at the same stage, the share that had more than each deal, and their number.

    A stage with fewer than `FEW` of them is compared with those of all stages. NaN where it is not known.
    """
    known = won.select("stage", has=has).drop_nulls("has")
    parts = known.filter(pl.col("stage").is_not_null()).group_by("stage")
    had = {stage: np.sort(part["has"].to_numpy()) for (stage,), part in parts if len(part) >= FEW}
    anywhere = np.sort(known["has"].to_numpy())
    share, n = np.full(len(facts), np.nan), np.zeros(len(facts), int)
    for place, (value, stage) in enumerate(zip(facts.select(has).to_series(), facts["stage"], strict=True)):
        theirs = had.get(stage, anywhere)
        if len(theirs) and value is not None:
            share[place] = 1 - np.searchsorted(theirs, value, side="right") / len(theirs)
            n[place] = len(theirs)
    return share, n


def beyond(model: WinModel, facts: pl.DataFrame) -> np.ndarray:
    """(n,) whether a number of the deal lies above all that the model ever saw, and is held to that."""
    design = getattr(model.hazards, "design", None)
    numbers = [part for part in design.parts if isinstance(part, Number)] if design else []
    above = [(part.scaled(facts) > part.seen[1]).fill_null(False).to_numpy() for part in numbers]
    return np.any([np.zeros(len(facts), bool), *above], axis=0)
