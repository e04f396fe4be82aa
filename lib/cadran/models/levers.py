"""Levers: what a team can do on a deal, each as the change of raw facts it would make. What goes together, no proof."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import log1p

import polars as pl


@dataclass(frozen=True)
class Lever:
    """Something a team can pull, by how much, and what it does to the facts of deals."""

    #: Values it can be set to, from the least to the most.
    values: tuple[float, ...]
    pull: Callable[[pl.DataFrame, float], pl.DataFrame]

    def applied(self, facts: pl.DataFrame, value: float | None) -> pl.DataFrame:
        """The facts with the lever at a value; None leaves them as they are."""
        return facts if value is None else self.pull(facts, value)


def kept_up(facts: pl.DataFrame, pulls: Mapping[str, float]) -> pl.DataFrame | None:
    """The facts with levers pulled from now on, and held there; None where none is."""
    otherwise = facts
    for name, value in pulls.items():
        otherwise = LEVERS[name].applied(otherwise, value)
    return otherwise if pulls else None


def _answer(facts: pl.DataFrame, hours: float) -> pl.DataFrame:
    """Every client is answered within so many hours: past waits count as no longer, and who waits beyond has a reply."""
    is_late = pl.col("waiting_hours") > hours
    replied = reply(facts)
    answered = facts.with_columns(
        pl.when(is_late).then(replied[name]).otherwise(name).alias(name)
        for name in ("n_outbound_30", "n_touches", "days_since_outbound", "waiting_hours")
    )
    at_most = pl.col("n_asked_90") * log1p(hours)
    return answered.with_columns(
        waited_90=pl.min_horizontal("waited_90", pl.when(pl.col("waited_90").is_not_null()).then(at_most))
    )


def reply(facts: pl.DataFrame) -> pl.DataFrame:
    """The client who waits is answered now: that wait ends as long as it was, and past waits stay what they were."""
    waits = pl.col("waiting_hours").is_not_null()
    once = (
        pl.when(waits).then(pl.col(name) + 1).otherwise(name).alias(name) for name in ("n_outbound_30", "n_touches")
    )
    return facts.with_columns(
        *once,
        days_since_outbound=pl.when(waits).then(0.0).otherwise("days_since_outbound"),
        waiting_hours=pl.lit(None, pl.Float64),
    )


def _contacts(facts: pl.DataFrame, more: float) -> pl.DataFrame:
    """So many more people at the client are involved."""
    return facts.with_columns(pl.col("n_contacts") + int(more))


def _meetings(facts: pl.DataFrame, more: float) -> pl.DataFrame:
    """So many more meetings were held, the last of them today."""
    since = pl.col("days_since_meeting")
    is_told = pl.col("n_meetings").is_not_null()
    return facts.with_columns(
        *(pl.col(name) + int(more) for name in ("n_meetings", "n_meetings_30", "n_touches")),
        days_since_meeting=pl.when(is_told).then(pl.lit(0.0)).otherwise(since) if more else since,
    )


def _decider(facts: pl.DataFrame, reached: float) -> pl.DataFrame:
    """Somebody who decides, and directs, is involved: one more person where nobody was."""
    has_both = (pl.col("has_decision_maker") & pl.col("has_senior")).fill_null(True)
    known = ("has_decision_maker", "has_senior")
    return facts.with_columns(
        n_contacts=pl.col("n_contacts") + (~has_both).cast(pl.Int64) * int(reached),
        **{name: pl.when(pl.col(name).is_not_null()).then(pl.col(name) | bool(reached)) for name in known},
    )


LEVERS = {
    "answer": Lever((72, 48, 24, 8, 4, 1), _answer),
    "contacts": Lever((1, 2, 3), _contacts),
    "meetings": Lever((1, 2, 3), _meetings),
    "decider": Lever((1,), _decider),
}
