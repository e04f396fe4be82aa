"""How many of the deals created in a period came to each stage of the pipeline, those still open told apart."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from cadran.book import Book
from cadran.measures.catalogue import Question, Rival, deals_for, measure
from cadran.measures.counting import count, grouped, small, with_share
from cadran.measures.survival import Incidence
from cadran.measures.visits import NEEDS_STAGES, open_stages, parts, visits, whole_lives
from cadran.tables.measured.audit import StageFunnel

#: Microseconds.
_DAY = 86_400_000_000
_SHARES = {"reached_share": ("n_reached", "n_deals"), "previous_share": ("n_from_previous", "n_previous")}


def lives(book: Book, question: Question) -> nw.LazyFrame:
    """The deals created in the period, one row each.

    Returns:
        The columns of `by`, `status`, `is_whole` (whether all their stages are known), `aged` (whole days from the
        first stage to closing, or to the moment) and for each open stage, by its place in the pipeline, `came_0`,
        `came_1`, … (whole days from the first stage to the first entry; null if there is none).
    """
    deals = whole_lives(book, deals_for(book, question, "created", "closed_at"))
    entries = visits(book, replace(question, by=(), since=None, until=None), "opportunity_id")
    entries = book.engine.microseconds(entries, {"came": "since"})
    came = {
        f"came_{place}": nw.when(nw.col("entered_stage") == stage).then(nw.col("came")).min()
        for place, stage in enumerate(open_stages(book)["stage"])
    }
    firsts = entries.group_by("opportunity_id").agg(nw.col("came").min().alias("began"), **came)
    dated = deals.with_columns(until=nw.coalesce(nw.col("closed_at"), nw.lit(book.moment)))
    timed = book.engine.microseconds(dated.join(firsts, on="opportunity_id", how="left"), {"aged": "until"})
    days = {name: (nw.col(name) - nw.col("began")) // _DAY for name in ("aged", *came)}
    is_whole = nw.col("is_whole") & ~nw.col("began").is_null()
    columns = dict.fromkeys((*question.by, "status", "is_whole", *days))
    return timed.with_columns(is_whole=is_whole, **days).select(*columns)


def _there_now(book: Book, question: Question) -> float | None:
    """Deals now in the last open stage or won, of all deals created in the period."""
    is_there = nw.col("stage").is_in(list(open_stages(book)["stage"].tail(1))) | (nw.col("status") == "won")
    deals = deals_for(book, question, "created", "stage").select(count(is_there, "n"), n_deals=nw.len())
    n, n_deals = book.collect(deals).row(0)
    return n / n_deals if n_deals else None


@measure(
    title="Stage funnel",
    definition=(
        "Of the deals created in the period, those that came to each open stage at least once, and those won, by the "
        "as-of date: of all, and of those that came to the stage before. Skipping a stage is no entry into it: deals "
        "that skipped it are counted apart, as are those that moved back from it, and open deals that may yet come to "
        "it. Interval of the shares so far: Wilson, 95 %. Expected share: deals still open count for as long as they "
        "were followed, closing without the stage being the other way to end; interval: Rothman's, 95 %. Disqualified "
        "deals are included; those whose first stages are not known are counted apart."
    ),
    unit="deals; share, 0 to 1",
    source=(
        "Wilson (1927), score interval for a binomial share, JASA 22(158); Aalen and Johansen (1978), Scandinavian "
        "Journal of Statistics 5(3); Rothman (1978), Journal of Chronic Diseases 31(8)"
    ),
    returns=StageFunnel,
    needs=NEEDS_STAGES,
    answer=lambda book, question: stage_funnel(
        lives(book, question), question.by, book=book, question=question, **question.chosen()
    ),
    rivals=(
        Rival(
            "At the last stage or won, now",
            "Of all deals created in the period: those that came to the last stage and were lost since are forgotten.",
            _there_now,
        ),
    ),
)
def stage_funnel(deals: nw.LazyFrame, by: Sequence[str] = (), *, book: Book, question: Question) -> nw.LazyFrame:
    """How many deals came to each open stage, of all and of those that came to the one before.

    Args:
        deals: One row per deal, from `lives`.
        by: Columns to group on. Empty gives one funnel.
        book: For the order of the stages.
        question: That of `lives`, for the moves back.

    Returns:
        One row per group and open stage, sorted by `by`, then in the order of the pipeline, then one for won, as
        `StageFunnel` has it. A share is null where there is nothing to divide by.
    """
    stages = list(open_stages(book)["stage"])
    came, whole = [f"came_{place}" for place in range(len(stages))], deals.filter(nw.col("is_whole"))
    told = list(dict.fromkeys((*by, "status")))
    is_there = whole.with_columns(*(~nw.col(name).is_null() for name in came))
    fates = small(grouped(is_there, [*told, *came], nw.len().alias("n")))
    events = {**{name: nw.col(name) for name in came}, "won": nw.when(nw.col("status") == "won").then(nw.col("aged"))}
    long = nw.concat([whole.select(*told, "aged", line=nw.lit(name), came=came_at) for name, came_at in events.items()])
    ages = small(grouped(long, [*told, "aged", "line", "came"], nw.len().alias("n")))
    groups = small(grouped(deals, by, count(~nw.col("is_whole"), "n_unknown")))
    by_fate, by_age = parts(fates, by), parts(ages, by)
    rows = []
    for group in groups.iter_rows(named=True):
        key = tuple(group[name] for name in by)
        lines = _lines(by_fate.get(key, fates.clear()), by_age.get(key, ages.clear()), stages)
        rows += [{**group, **line} for line in lines]
    counted = [name for name in StageFunnel.column_names() if not name.startswith((*_SHARES, "n_back"))]
    types = {**{name: groups.schema[name] for name in by}, **StageFunnel.create_empty().select(counted).schema}
    full = pl.DataFrame(rows, schema=types, orient="row").join(
        _back(book, question), on=[*by, "entered_stage"], how="left", nulls_equal=True, maintain_order="left"
    )
    shown = nw.from_native(full.with_columns(pl.col("n_back").fill_null(0)).lazy())
    for name, (part, of) in _SHARES.items():
        shown = with_share(shown, part, of, name)
    return shown.select(*by, *StageFunnel.column_names())


def _lines(fates: pl.DataFrame, ages: pl.DataFrame, stages: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The lines of one group, from how many deals came to which stages, and how old they were then."""
    n, status = fates["n"].to_numpy(), fates["status"].to_numpy()
    is_open, is_won = status == "open", status == "won"
    came = np.column_stack([*(fates[f"came_{place}"].to_numpy().astype(bool) for place in range(len(stages))), is_won])
    before = np.ones(len(n), bool)
    for place, stage in enumerate([*stages, None]):
        here, beyond = came[:, place], came[:, place + 1 :].any(axis=1)
        pending = is_open & ~here & ~beyond
        curve = Incidence.of(_clock(ages.filter(line=f"came_{place}" if stage else "won")))
        expected = curve.by(curve.time[-1]) if n.sum() else (None, None, None)
        yield {
            "entered_stage": stage, "to_kind": "open" if stage else "won",
            "n_deals": n.sum(), "n_reached": n[here].sum(), "n_pending": n[pending].sum(),
            **dict(zip(("expected_share", "expected_share_low", "expected_share_high"), expected, strict=True)),
            "n_previous": n[before].sum(), "n_from_previous": n[before & here].sum(),
            "n_pending_previous": n[before & pending].sum(), "n_skipped": n[~here & beyond].sum(),
        }  # fmt: skip
        before = here


def _clock(ages: pl.DataFrame) -> pl.DataFrame:
    """How many deals came to a stage (or won), closed without it, or are still without it, at each age."""
    is_event = pl.col("came").is_not_null()
    is_open = ~is_event & (pl.col("status") == "open")
    kinds = {"n_event": is_event, "n_other": ~is_event & ~is_open, "n_censored": is_open}
    counts = {name: pl.col("n").filter(kind).sum().cast(pl.Int64) for name, kind in kinds.items()}
    return ages.group_by(time=pl.coalesce("came", "aged")).agg(**counts)


def _back(book: Book, question: Question) -> pl.DataFrame:
    """How many deals moved back from each stage, by group."""
    stages = book.table("stages")
    deals = whole_lives(book, deals_for(book, question, "created")).filter(nw.col("is_whole"))
    moves = (
        visits(book, replace(question, by=(), since=None, until=None), "opportunity_id")
        .join(stages.select(entered_stage="stage", place="position"), on="entered_stage")
        .join(stages.filter(nw.col("kind") == "open").select(to_stage="stage", to_place="position"), on="to_stage")
    )
    is_back = (nw.col("to_place") <= nw.col("place")) & nw.col("closed_as").is_null()
    back = moves.filter(is_back).select("opportunity_id", "entered_stage").unique()
    told = back.join(deals.select(*dict.fromkeys((*question.by, "opportunity_id"))), on="opportunity_id")
    return small(grouped(told, [*question.by, "entered_stage"], nw.len().cast(nw.Int64).alias("n_back")))
