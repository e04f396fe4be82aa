"""How long until something happens, when for some it has not happened yet: cumulative incidence and its quantiles.

Own code, checked against statsmodels: its `CumIncidenceRight` gives no standard error for counts per day, which is
the form in which every engine hands over millions of deals, and takes seconds to import.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from cadran.book import Book
from cadran.measures.catalogue import Question
from cadran.measures.counting import Z95, count, grouped, small

Estimate = tuple[float | None, float | None, float | None]
UNKNOWN: Estimate = (None, None, None)


@dataclass(frozen=True)
class Incidence:
    """Share of a group to whom the event has happened by each time, with its variance.

    Source:
        Aalen and Johansen (1978), Scandinavian Journal of Statistics 5(3); without other outcomes, Kaplan and Meier
        (1958), JASA 53(282). Variance by the delta method: Marubini and Valsecchi (1995), section 10.2.
    """

    time: np.ndarray
    share: np.ndarray
    #: To whom neither the event nor another outcome has happened.
    still_open: np.ndarray
    variance: np.ndarray
    #: Whose fate at that time is known; of them, those followed no longer.
    n_known: np.ndarray
    n_censored: np.ndarray
    #: Quantile of the two-sided 95 % interval: Student's, with as many clusters as there are less one.
    quantile_95: float = Z95

    @classmethod
    def of(cls, counted: pl.DataFrame) -> "Incidence":
        """From one row per time: `time` (0 or more, none null), `n_event`, `n_other` (outcome) and `n_censored`."""
        columns = (counted.sort("time")[name] for name in ("time", "n_event", "n_other", "n_censored"))
        time, event, other, censored = (np.concatenate([[0.0], column.to_numpy()]) for column in columns)
        ended = event + other
        followed = (ended + censored)[::-1].cumsum()[::-1]
        at_risk = np.maximum(followed, 1)
        still_open = np.cumprod(1 - ended / at_risk)
        step = np.concatenate([[1.0], still_open[:-1]]) / at_risk
        share = np.cumsum(step * event)
        # Nobody is left after the last outcome: its term has no weight, as share(t) = share(u) there.
        left = np.where(at_risk > ended, at_risk - ended, np.inf)
        both, own = ended / (at_risk * left), step * event / at_risk
        variance = (
            share**2 * np.cumsum(both) - 2 * share * np.cumsum(both * share) + np.cumsum(both * share**2)
            + np.cumsum(step**2 * event * (at_risk - event) / at_risk)
            - 2 * share * np.cumsum(own) + 2 * np.cumsum(own * share)
        )  # fmt: skip
        known = np.cumsum(ended) + followed - ended
        return cls(time, share, still_open, np.clip(variance, 0, None), known, censored)

    def clustered(self, rows: pl.DataFrame) -> "Incidence":
        """The same shares, with the variance they have where what is followed comes in clusters, alike within each.

        Without other outcomes only. Where the share is still 0, or has come to 1, each cluster counts once.

        Args:
            rows: What the counts were of, one row each: `cluster`, `time` and `is_event`. Two clusters or more.

        Source:
            Williams (1995), Product-limit survival functions with correlated survival times, Lifetime Data Analysis
            1(2): the sum over clusters of squared influences, times n / (n - 1). With one row a cluster and without
            that factor it is Greenwood's variance.
        """
        rows = rows.sort("cluster", "time")
        cluster, is_event = rows["cluster"].to_numpy(), rows["is_event"].to_numpy()
        place = np.searchsorted(self.time, rows["time"].to_numpy())
        sums = partial(np.bincount, place, minlength=len(self.time))
        ended = sums(weights=is_event)
        followed = sums()[::-1].cumsum()[::-1]
        left = np.where(followed > ended, followed - ended, np.inf)
        drawn = np.cumsum(ended / (np.maximum(followed, 1) * left))
        # Of each cluster: what its ended rows have added, and how many are still at risk, before and after each row.
        first = np.concatenate([[True], cluster[1:] != cluster[:-1]])
        starts, which = np.flatnonzero(first), np.cumsum(first) - 1
        size = np.diff(np.append(starts, len(cluster)))
        influence = is_event / left[place] - drawn[place]
        added = np.cumsum(influence)
        added -= (added - influence)[starts][which]
        before, still = added - influence, (size + starts)[which] - np.arange(1.0, len(cluster) + 1)
        n_clusters = len(starts)
        squares, products, counts = (
            np.cumsum(sums(weights=change))
            for change in (added**2 - before**2, still * added - (still + 1) * before, still**2 - (still + 1) ** 2)
        )
        spread = squares - 2 * drawn * products + drawn**2 * (counts + (size**2).sum())
        variance = self.still_open**2 * np.clip(spread, 0, None) * n_clusters / (n_clusters - 1)
        scale = n_clusters / rows.height
        # Student's quantile, within 0.004 from 9 degrees of freedom on (expansion of Cornish and Fisher).
        second, third = Z95**3 + Z95, 5 * Z95**5 + 16 * Z95**3 + 3 * Z95
        student = Z95 + second / (4 * (n_clusters - 1)) + third / (96 * (n_clusters - 1) ** 2)
        known, censored = self.n_known * scale, self.n_censored * scale
        return replace(self, variance=variance, n_known=known, n_censored=censored, quantile_95=student)

    def by(self, time: float) -> Estimate:
        """The share by a time, with its 95 % interval; unknown where nobody was followed that long."""
        place = self._place(time)
        if place is None:
            return UNKNOWN
        low, high = self._interval(place, self.n_known[place] - (time > self.time[place]) * self.n_censored[place])
        return float(self.share[place]), float(low), float(high)

    def open_after(self, time: float) -> float | None:
        """The share to whom nothing has happened by a time; unknown where nobody was followed that long."""
        place = self._place(time)
        return None if place is None else float(self.still_open[place])

    def quantile(self, share: float) -> Estimate:
        """The time by which the event has happened to a share of all, with its 95 % interval.

        Each end is unknown where the share, or the end of its interval, has not been reached yet.

        Source:
            Brookmeyer and Crowley (1982), A confidence interval for the median survival time, Biometrics 38(1).
        """
        if self.n_known[0] == 0:
            return UNKNOWN
        low, high = self._interval(slice(None), self.n_known)
        return self._first(self.share, share), self._first(high, share), self._first(low, share)

    def _place(self, time: float) -> int | None:
        """The last outcome or end of follow-up up to a time; None beyond what was followed."""
        if time > self.time[-1] and self.still_open[-1] > 0:
            return None
        return int(np.searchsorted(self.time, time, side="right")) - 1

    def _interval(self, places: int | slice, n_known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Wilson's interval with the number of fully followed that would have the same variance.

        Source:
            Rothman (1978), Estimation of confidence limits for the cumulative probability of survival in life table
            analysis, Journal of Chronic Diseases 31(8).
        """
        share, variance = self.share[places], self.variance[places]
        spread = share * (1 - share)
        is_spread = (spread > 1e-12) & (variance > 1e-15)
        n = np.where(is_spread, spread / np.where(is_spread, variance, 1), np.maximum(n_known, 1e-9))
        z = self.quantile_95
        middle, width = share + z**2 / (2 * n), z * np.sqrt(spread / n + z**2 / (4 * n * n))
        scale = 1 + z**2 / n
        return np.clip((middle - width) / scale, 0, 1), np.clip((middle + width) / scale, 0, 1)

    def _first(self, reached: np.ndarray, share: float) -> float | None:
        places = np.flatnonzero(reached >= share - 1e-12)
        return float(self.time[places[0]]) if len(places) else None


def clocks(rows: nw.LazyFrame, by: Sequence[str], event: str, *others: str) -> pl.DataFrame:
    """How many rows saw the event, or one of the others instead, or neither yet, after so many hours.

    Args:
        rows: One row per thing followed: the columns of `by`, and hours until the event and the others, null where
            not seen yet, and until the end of follow-up, `age_hours`.
        by: Columns to group on.
        event: Name of the column of the event.
        others: Those of other outcomes.

    Returns:
        One row per group and time, sorted so, as `Incidence.of` takes them.
    """
    seen = nw.col(event), *(nw.col(other) for other in others)
    timed = rows.with_columns(
        time=nw.coalesce(*seen, nw.col("age_hours")),
        is_event=~seen[0].is_null(),
        is_censored=nw.coalesce(*seen).is_null(),
    )
    is_other = ~nw.col("is_event") & ~nw.col("is_censored")
    counts = (
        count(nw.col("is_event"), "n_event"), count(is_other, "n_other"), count(nw.col("is_censored"), "n_censored")
    )  # fmt: skip
    return small(grouped(timed, [*by, "time"], *counts))


def waited(
    clock: pl.DataFrame, n: str, curve: Incidence | None = None, day_hours: float = 24, has_interval: bool = True
) -> dict[str, Any]:
    """What is told of the time until an answer, from how many were answered, or still wait, after so many hours.

    Args:
        clock: One row per time, as `Incidence.of` takes them.
        n: Name of the number of all.
        curve: Their incidence, where it is not simply that of the counts.
        day_hours: Hours in a day.
        has_interval: Whether there is enough behind the shares for the ends of their intervals.

    Returns:
        The number of all under the name `n`, `n_answered`, and with the ends of their 95 % intervals `median_hours`,
        `p90_hours`, `within_hour_share` and `within_day_share`: None where not reached, or not followed that long.
    """
    curve = curve or Incidence.of(clock)
    estimates = {
        "median_hours": curve.quantile(0.5), "p90_hours": curve.quantile(0.9),
        "within_hour_share": curve.by(1), "within_day_share": curve.by(day_hours),
    }  # fmt: skip
    counts = (
        pl.col("n_event").sum().alias("n_answered"),
        pl.sum_horizontal("n_event", "n_censored").sum().alias(n),
    )
    row: dict[str, Any] = clock.select(counts).row(0, named=True)
    for name, estimate in estimates.items():
        known = estimate if has_interval else (estimate[0], None, None)
        row |= dict(zip((name, f"{name}_low", f"{name}_high"), known, strict=True))
    return row


def of_answered(rows: Callable[[Book, Question], nw.LazyFrame], name: str) -> Callable[[Book, Question], float | None]:
    """The rivals that leave out who still waits: "median" or "mean" of the `response_hours` of `rows`."""

    def value(book: Book, question: Question) -> float | None:
        asked = getattr(nw.col("response_hours"), name)()
        found: float | None = book.collect(rows(book, question).select(asked))["response_hours"][0]
        return found

    return value
