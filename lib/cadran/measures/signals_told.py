"""How much each weak signal has told in a book's own past: of the deals that showed it, how many were won."""

from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from statistics import NormalDist
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from cadran.book import Book
from cadran.measures.catalogue import Question, measure
from cadran.measures.counting import LEAST_FOR_INTERVAL, Z95, with_share
from cadran.measures.signals import SIGNALS, learnt, shown
from cadran.measures.signals_learnt import DEAL, LEAST_WON, drawn, in_polars, lives
from cadran.tables.measured.signals import SignalTold
from cadran.tables.problems import Problem

#: Past deals of which one moment is drawn, the latest to begin.
MOST_DEALS = 30_000
#: A deal counts as won if it was within as many days as this share of won deals took from beginning to end.
_IN_TIME = 0.9


@lru_cache(maxsize=8)
def past(book: Book) -> tuple[pl.DataFrame, int]:
    """What past deals showed at a moment drawn in the life of each, by the thresholds of then, and what became of them.

    A moment is at least as many days ago as nine in ten won deals took, so that the fate of all is known: a deal that
    was not won within as many days counts as not won. Thresholds are those of the deals won before the quarter of the
    moment. Disqualified deals never were opportunities: they are left out.

    Returns:
        One row per deal and signal: as `shown` gives it, with `threshold`, `shows` (null where it could not be told)
        and `is_won`; and the number of days.

    Raises:
        Problem: If the book has too few won deals, or does not reach back as far as that.
    """
    view = in_polars(book)
    deals = view.collect(view.deals([DEAL, "status", "closed_at"])).with_columns(pl.col(DEAL).cast(pl.Int64))
    fate = lives(view).join(deals.filter(pl.col("status") != "disqualified"), on=DEAL)
    won = fate.filter(status="won", ended_at=pl.col("closed_at"))
    if won.height < LEAST_WON:
        raise Problem(
            "What signals have told takes {least} won deals; the book knows {n}.",
            "Import more of the past, or wait for more deals to close.", least=LEAST_WON, n=won.height,
        )  # fmt: skip
    took = (won["ended_at"] - won["began_at"]).dt.total_seconds() / 86_400
    within = int(np.ceil(took.quantile(_IN_TIME, "higher") or 1)) or 1
    latest = book.moment - timedelta(days=within)
    spans = fate.with_columns(ended_at=pl.min_horizontal("ended_at", pl.lit(latest))).filter(
        pl.col("began_at") < latest
    )
    pairs = drawn(spans.sort("began_at", "opportunity_id").tail(MOST_DEALS))
    if pairs.is_empty():
        raise Problem(
            "What signals have told takes deals begun {days} days ago or more, as long as nine in ten won deals took.",
            "Import more of the past, or wait.", days=within,
        )  # fmt: skip
    told = shown(view, pairs).with_columns(learnt_at=pl.col("at").dt.truncate("1q"))
    begun = told["learnt_at"].unique().sort()
    levels = pl.concat(learnt(view, since).with_columns(learnt_at=pl.lit(since).cast(begun.dtype)) for since in begun)
    told = told.join(levels, on=["learnt_at", "signal", "stage"], how="left").join(fate.drop("opportunity_id"), on=DEAL)
    days = (pl.col("closed_at") - pl.col("at")).dt.total_seconds() / 86_400
    is_won = ((pl.col("status") == "won") & (days <= within)).fill_null(False)
    return told.with_columns(shows=pl.col("value") > pl.col("threshold"), is_won=is_won), within


def _answer(book: Book, question: Question) -> nw.LazyFrame:
    question.chosen()
    told, within = past(book)
    columns = [DEAL, *question.columns]
    deals = question.keeps(in_polars(book).deals(columns, question.organisation)).select(DEAL, *question.by)
    kept = told.join(in_polars(book).collect(deals).with_columns(pl.col(DEAL).cast(pl.Int64)), on=DEAL)
    return signals_told(nw.from_native(kept.with_columns(within_days=within).lazy()), question.by)


@measure(
    title="What signals have told",
    definition=(
        "For each weak signal, of the past deals that showed it and of those that did not, how many were won. One "
        "moment is drawn in the life of each deal, among those at least as many days ago as nine in ten won deals took "
        "from beginning to end; a deal counts as won if it was within as many days of its moment. What was known then "
        "and the thresholds of the deals won before that quarter decide whether a deal showed the signal. The "
        "difference is between deals that were in the same stage, and is told from none only if its 95 % interval, "
        "widened for the number of signals looked at (Bonferroni), has no zero in it; none under ten deals on a side. "
        "It is no proof that the signal causes anything. Disqualified deals are left out. A period plays no part."
    ),
    unit="share, 0 to 1",
    source=(
        "Wilson (1927), JASA 22(158); Greenland & Robins (1985), Estimation of a common effect parameter from sparse "
        "follow-up data, Biometrics 41(1)"
    ),
    returns=SignalTold,
    answer=_answer,
)
def signals_told(told: nw.LazyFrame, by: Sequence[str] = ()) -> nw.LazyFrame:
    """How many deals were won with each signal, and without.

    Args:
        told: One row per deal and signal, as `past` gives them: `signal`, `of_stage`, `shows`, `is_won`, `within_days`
            and the columns of `by`.
        by: Columns to group on. Empty gives all deals together.

    Returns:
        One row per group and signal, sorted by `by`, then as `SIGNALS` are, as `SignalTold` has it.
    """
    rows = told.collect("polars").to_native()
    groups = rows.partition_by(by, maintain_order=True) if by else [rows]
    found = [
        {name: group[name][0] for name in by} | _of_signal(name_of, group.filter(signal=name_of))
        for group in groups
        if not group.is_empty()
        for name_of in SIGNALS
    ]
    types = {**{column: rows.schema[column] for column in by}, **SignalTold.create_empty().schema}
    order = pl.col("signal").replace_strict({name: place for place, name in enumerate(SIGNALS)}, default=None)
    counted = pl.DataFrame(found, schema={**types}, orient="row", strict=False)
    full = nw.from_native(counted.sort(*by, order).lazy())
    for side in ("with", "without"):
        full = with_share(full, f"n_won_{side}", f"n_{side}", f"won_{side}_share")
    return full.select(*by, *SignalTold.column_names())


def _of_signal(name: str, rows: pl.DataFrame) -> dict[str, Any]:
    won = pl.col("is_won")
    sides = {"with": rows.filter("shows"), "without": rows.filter(~pl.col("shows"))}
    counts = {f"n_{side}": frame.height for side, frame in sides.items()}
    counts |= {f"n_won_{side}": frame.filter(won).height for side, frame in sides.items()}
    row = {"signal": name, "within_days": rows["within_days"][0], "n_untold": rows["shows"].null_count()}
    row |= counts | {"n_compared": len(SIGNALS)}
    if min(counts["n_with"], counts["n_without"]) < LEAST_FOR_INTERVAL:
        return row
    strata = rows.drop_nulls("shows").group_by("of_stage").agg(
        n1=pl.col("shows").sum(), n0=(~pl.col("shows")).sum(),
        a=(pl.col("shows") & won).sum(), b=(~pl.col("shows") & won).sum(),
    )  # fmt: skip
    difference, error = at_equal(*(strata[name].to_numpy().astype(float) for name in ("n1", "n0", "a", "b")))
    if difference is None or error is None:
        return row
    ends = {end: float(np.clip(difference + way * Z95 * error, -1, 1)) for end, way in (("low", -1), ("high", 1))}
    wide = _quantile(len(SIGNALS)) * error
    return row | {
        "difference": difference, "difference_low": ends["low"], "difference_high": ends["high"],
        "is_telling": abs(difference) > wide,
    }  # fmt: skip


def at_equal(n1: np.ndarray, n0: np.ndarray, a: np.ndarray, b: np.ndarray) -> tuple[float | None, float | None]:
    """Difference of two shares, a of n1 less b of n0, averaged over strata with Mantel and Haenszel's weights.

    Returns:
        The difference and its standard error; None where no stratum has rows on both sides.

    Source:
        Greenland & Robins (1985), Biometrics 41(1), the Mantel-Haenszel risk difference and its variance.
    """
    both = (n1 > 0) & (n0 > 0)
    n1, n0, a, b = n1[both], n0[both], a[both], b[both]
    weight = n1 * n0 / (n1 + n0)
    if not len(weight):
        return None, None
    difference = (weight * (a / n1 - b / n0)).sum() / weight.sum()
    variance = (weight**2 * (a * (n1 - a) / n1**3 + b * (n0 - b) / n0**3)).sum() / weight.sum() ** 2
    return float(difference), float(np.sqrt(variance))


def _quantile(n: int) -> float:
    """Normal quantile of a 95 % interval widened for n looked at (Bonferroni)."""
    return NormalDist().inv_cdf(1 - 0.05 / (2 * n))
