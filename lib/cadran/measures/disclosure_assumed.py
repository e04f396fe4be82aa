"""What is guessed of few people from several waves together, by somebody who assumes that people answer as they did.

Sums over groups whose people come and go are sums over much the same answers. The best linear guess at what a few of them
answered, given all that was told exactly, and how far it is off: answers as a Gaussian process, alike from wave to wave and
independent between people. Only who stands in which group counts for it, not what they answered.

Source:
    Rasmussen, Williams (2006), Gaussian Processes for Machine Learning, chapter 2.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from scipy.sparse import csr_array, vstack

from cadran.measures.disclosure_apart import Earlier, Partition
from cadran.measures.disclosure_counts import Counted, Scale

Array = np.ndarray[Any, Any]
#: How alike two answers of one person to one question are taken to be, a wave apart: more than they are.
ALIKE = 0.99
#: A guess is sure where nine in ten lie within a tenth of the scale of what is so: that many of its standard deviations.
SURE = 0.1 / 1.6
#: Guesses are looked at in companies of up to so many, from so many of the last waves.
MOST_GUESSED, WAVES = 500, 8


class Assumed:
    """What was told exactly of one question in earlier waves, beside who answers it now."""

    def __init__(
        self, wave: Counted, partitions: Sequence[Partition], question: int, earlier: Sequence[Earlier], minimum: int
    ):
        """As `chosen` has them, of those who answered the question."""
        self.is_looked_at = wave.persons is not None and wave.n_respondents <= MOST_GUESSED
        if not self.is_looked_at or wave.persons is None:
            return
        scale = wave.scales[question]
        told = [each for each in earlier if scale.question_id in each.exact]
        days = sorted({each.closed_at for each in told})[-WAVES:]  # a wave and latest answers after it close as one
        told = [each for each in told if each.closed_at in days]
        gave = [each.gave[scale.question_id] for each in told]
        persons = [each.persons.filter(pl.Series(its)) for each, its in zip(told, gave, strict=True)]
        everybody = pl.concat([wave.persons, *persons]).unique().sort()

        def rows(of: Array, who: pl.Series, n: int) -> csr_array:
            place = everybody.search_sorted(who).to_numpy()
            return csr_array((np.ones((of >= 0).sum()), (of[of >= 0], place[of >= 0])), shape=(n, len(everybody)))

        past = [
            rows(each.of[its], who, len(each.n))[each.exact[scale.question_id]]
            for each, its, who in zip(told, gave, persons, strict=True)
        ]
        now = [rows(part.of, wave.persons, len(part.values)) for part in partitions]
        self.n_past = sum(each.shape[0] for each in past)
        waves = [len(days) - days.index(each.closed_at) for each in told]
        ago = [np.full(each.shape[0], n) for each, n in zip(past, waves, strict=True)]
        self.ago = np.concatenate([*ago, np.zeros(sum(each.shape[0] for each in now), int)])
        self.held = vstack([*past, *now], format="csr")
        self.few = vstack(
            [rows(of, wave.persons, int(of.max(initial=-1)) + 1) for of in _small(wave, minimum)], format="csr"
        )
        self.few = self.few[np.diff(self.few.indptr) > 0]
        self.width, self.spread = scale.high - scale.low, spread_of(wave.counts[question], scale)

    def guessed(self, exact: Array) -> Array:
        """(groups,) which hold somebody of a few of whom a sure guess can be made.

        Args:
            exact: (groups,) which are told exactly now.
        """
        found = np.zeros(len(exact), bool)
        if not self.is_looked_at or not exact.any():
            return found
        used = np.concatenate([np.ones(self.n_past, bool), exact])
        held, ago = self.held[used], self.ago[used]
        together = ALIKE ** np.abs(ago[:, None] - ago) * (held @ held.T).toarray()
        n = self.few.sum(1)
        values, vectors = np.linalg.eigh(together)
        kept = values > 1e-6 * values.max()
        known = (self.few @ held.T).toarray() * ALIKE**ago @ (vectors[:, kept] / np.sqrt(values[kept]))
        off = self.spread * np.sqrt(np.maximum(n - (known**2).sum(1), 0)) / n
        sure = self.few[off <= SURE * self.width]
        if sure.shape[0]:
            found = (self.held[self.n_past :] @ sure.T).sum(1) > 0
        return np.asarray(found)


def spread_of(gave: Array, scale: Scale) -> float:
    """Standard deviation of the scores of the company."""
    share = gave[: len(scale.levels)] / max(gave.sum(), 1)
    mean = share @ scale.levels
    return float(np.sqrt(share @ (scale.levels - mean) ** 2))


def _small(wave: Counted, minimum: int) -> list[Array]:
    """[respondents] each by themselves, and by each cut, or two of them crossed, those of values that few share."""
    found = [np.arange(wave.n_respondents)]
    values = [cut.values for cut in wave.cuts]
    crossed = [one * (other.max(initial=0) + 1) + other for place, one in enumerate(values) for other in values[:place]]
    for each in [*values, *crossed]:
        _, of, n = np.unique(each, return_inverse=True, return_counts=True)
        found.append(np.where(n[of] < minimum, of, -1))
    return found
