"""Open deals: when each may be won, for how much, and how sure the model is of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from threading import RLock
from typing import Any

import numpy as np
import polars as pl
from scipy.special import logit, ndtri

from cadran.models import win
from cadran.models.hazards import won_within
from cadran.models.horizon import Horizon
from cadran.models.ladder import SIMPLE
from cadran.models.landmarks import ENDED, LENGTHS, N_PERIODS, OPEN, WON
from cadran.models.levers import LEVERS, kept_up
from cadran.models.pulls import MOST

#: Days after the moment at which the chances are kept: between them they are read along a line.
DAYS = np.concatenate([np.arange(0.0, 371.0, 7.0), np.arange(385.0, 366.0 * MOST + 60, 30.0)])
#: Models drawn for the doubt about the chances, and the days within which they are compared.
DRAWS, WITHIN = 100, 182.0
#: Chances are held this far from certainty where their normal quantile is asked.
SURE = 1e-6


@dataclass(frozen=True)
class OpenStock:
    """The open deals of which a chance can be told; arrays have one entry per deal."""

    model: win.WinModel
    facts: pl.DataFrame
    #: Place of each deal's seller.
    seller: np.ndarray
    #: Known amounts; NaN where unknown.
    amounts: np.ndarray
    #: Place of the law of amounts for each deal, by its type and segment.
    law: np.ndarray
    horizon: Horizon
    _kept: dict[tuple[str, float | None], Any] = field(default_factory=dict, compare=False, repr=False)
    _lock: Any = field(default_factory=RLock, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.seller)

    def won(self, cycle: float = 1.0, answer: float | None = None) -> np.ndarray:
        """(deals, months) chance to be won by the end of each month."""
        return self._at(self._table("won", answer), self._paced(self.horizon.ends) / cycle)

    def ever(self, answer: float | None = None) -> np.ndarray:
        """(deals,) chance to be won at all."""
        told: np.ndarray = self._table("ever", answer)
        return told

    def is_open(self, cycle: float = 1.0) -> np.ndarray:
        """(deals, months) chance to be open, on average over each month (Simpson's rule on its two ends and middle)."""
        starts, ends = self.horizon.starts, self.horizon.ends
        parts = ((starts, 1 / 6), ((starts + ends) / 2, 4 / 6), (ends, 1 / 6))
        table = self._table("open", None)
        return sum(
            (weight * self._at(table, self._paced(days) / cycle) for days, weight in parts), np.zeros((len(self), 1))
        )

    def _paced(self, days: np.ndarray) -> np.ndarray:
        return self.horizon.paced_in_periods(days, self._table("rates", None)[0])

    def tells_of_answers(self) -> bool:
        """Whether the model can tell what answering sooner would change."""
        return self.model.chosen not in SIMPLE and "waited_90" not in {s.fact for s in self.model.card.suspects}

    def _table(self, what: str, answer: float | None) -> np.ndarray:
        values = sorted(LEVERS["answer"].values)
        if answer is None or answer in values:
            return self._exactly(what, answer)
        # Between two values that the model was asked of, by the logarithm of the hours.
        place = np.searchsorted(values, answer)
        low, high = values[place - 1], values[place]
        share = np.log(answer / low) / np.log(high / low)
        told: np.ndarray = (1 - share) * self._exactly(what, low) + share * self._exactly(what, high)
        return told

    def _exactly(self, what: str, answer: float | None) -> np.ndarray:
        with self._lock:
            if (what, answer) not in self._kept:
                made = self._drawn(answer) if what in ("latent", "odds") else self._tables(answer)
                self._kept.update({(name, answer): table for name, table in made.items()})
            told: np.ndarray = self._kept[what, answer]
            return told

    def _tables(self, answer: float | None) -> dict[str, np.ndarray]:
        """Chances on `DAYS`: won by then, open then; won ever; and of all, won a day of those open in each period."""
        instead = _answered(self.facts, answer)
        told = in_parts(self.facts, lambda part: self._of_part(part, None if instead is None else instead[part]))
        ends = np.cumsum([len(DAYS), 1, len(DAYS), N_PERIODS])
        won, ever, is_open, is_won, was_open = np.split(told, ends, axis=1)
        rates = is_won.sum(axis=0) / np.maximum(was_open.sum(axis=0), 1e-9) / LENGTHS
        return {"won": won, "ever": ever[:, 0], "open": is_open, "rates": np.atleast_2d(rates)}

    def _of_part(self, part: slice, instead: pl.DataFrame | None) -> np.ndarray:
        shares = self.model.hazards.shares(self.facts[part], self.model.day, instead)
        won = won_within(shares, [*DAYS, np.inf])
        otherwise = won_within(shares[..., [OPEN, ENDED, WON]], list(DAYS))
        was_open = np.column_stack([np.ones(len(won)), np.cumprod(shares[:, :-1, OPEN], axis=1)])
        parts = [won, 1 - won[:, :-1] - otherwise, was_open * shares[..., WON], was_open]
        return np.hstack(parts).astype(np.float32)

    def _at(self, table: np.ndarray, days: np.ndarray) -> np.ndarray:
        """(deals, days) the table between its days."""
        days = np.minimum(days, DAYS[-1] - 1e-6)
        low = np.searchsorted(DAYS, days, side="right") - 1
        share = ((days - DAYS[low]) / (DAYS[low + 1] - DAYS[low])).astype(np.float32)
        told: np.ndarray = table[:, low] * (1 - share) + table[:, low + 1] * share
        return told

    def doubt(self, answer: float | None = None) -> np.ndarray:
        """(draws, deals) how far the normal quantile of each chance moves under models as likely as this one.

        With clients answered within so many hours: and how far each of these models moves what that changes, by the end
        of the months told, where most of it has come.
        """
        with self._lock:
            if ("doubt", None) not in self._kept:
                self._kept["doubt", None] = in_parts(self.facts, self._doubt_of, axis=1)
            told: np.ndarray = self._kept["doubt", None]
        if answer is None:
            return told
        moved = self._table("latent", answer) - self._table("latent", None)
        return told + moved - moved.mean(axis=0)

    def drawn_odds(self, answer: float | None = None) -> np.ndarray:
        """(draws, kinds + 1) mean log-odds to be won at all, under each model drawn, as `by_kind`."""
        return self._table("odds", answer)

    @cached_property
    def kinds(self) -> tuple[str | None, ...]:
        """Deal types there are."""
        return tuple(dict.fromkeys(self.facts["deal_type"]))

    def by_kind(self, of_deals: np.ndarray) -> np.ndarray:
        """(..., kinds + 1) means over the deals (..., deals) of each type, and over all."""
        kind = np.array([self.kinds.index(each) for each in self.facts["deal_type"]])
        parts = [of_deals[..., kind == place] for place in range(len(self.kinds))]
        return np.stack([each.mean(axis=-1, dtype=float) for each in (*parts, of_deals)], axis=-1)

    def _drawn(self, answer: float | None) -> dict[str, np.ndarray]:
        """Under each model drawn: normal quantiles of the chances by the end of the months told, and log-odds."""
        instead, days = _answered(self.facts, answer), [float(self.horizon.ends[-1]), np.inf]

        def of_part(part: slice) -> np.ndarray:
            otherwise = None if instead is None else instead[part]
            shares = self.model.hazards.drawn(self.facts[part], self.model.day, DRAWS, otherwise)
            chance = np.clip(won_within(shares, days), SURE, 1 - SURE)
            return np.stack([ndtri(chance[..., 0]), logit(chance[..., 1])]).astype(np.float32)

        latent, odds = in_parts(self.facts, of_part, axis=2)
        return {"latent": latent, "odds": self.by_kind(odds)}

    def _doubt_of(self, part: slice) -> np.ndarray:
        drawn = won_within(self.model.hazards.drawn(self.facts[part], self.model.day, DRAWS), [WITHIN])[..., 0]
        moved = ndtri(np.clip(drawn, SURE, 1 - SURE))
        centred: np.ndarray = (moved - moved.mean(axis=0)).astype(np.float32)
        return centred


def _answered(facts: pl.DataFrame, answer: float | None) -> pl.DataFrame | None:
    return kept_up(facts, {"answer": answer} if answer is not None else {})


def in_parts(facts: pl.DataFrame, of_part: Callable[[slice], np.ndarray], axis: int = 0) -> np.ndarray:
    """Work something out for so many deals at a time as fit in memory."""
    parts = [slice(start, start + win.CHUNK) for start in range(0, max(len(facts), 1), win.CHUNK)]
    return np.concatenate([of_part(part) for part in parts], axis=axis)
