"""Entries of deals into the stages of the pipeline: what became of each in time, and of how many like ones it does.

What is like is told by facts that no seller brings about: what is sold to whom, how large it is, how old the deal is, and
when. What a team does with a deal (contacts, meetings, answers) is not among them: it is what may help. Neither is where
the client is: teams and territories go together, so that a hard market stays in what is told of its team.
"""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import polars as pl

from cadran.book import Book
from cadran.book.known import kept_from
from cadran.book.landmarks import facts_at
from cadran.book.moments import latest, rows
from cadran.book.whole import whole_of
from cadran.measures.catalogue import MEASURES, Question
from cadran.measures.counting import small
from cadran.measures.signals_learnt import in_polars
from cadran.measures.survival import Incidence
from cadran.measures.visits import open_stages, visits
from cadran.models import logit
from cadran.models.design import learn
from cadran.tables.problems import Problem

#: The facts that make deals alike.
CASE_MIX = (
    "deal_type", "product", "lead_source", "sector", "segment", "employees", "annual_revenue", "amount", "age_days",
    "n_won_before", "n_lost_before", "n_back",
)  # fmt: skip
#: Months looked back, and of the entries of a stage that were followed the latest so many; share of stays over by
#: `within`, and its limits.
MONTHS, MOST_ENTRIES = 24, 20_000
OVER, LEAST_DAYS, MOST_DAYS, MOST_LIFE_DAYS = 0.8, 14, 180, 365
#: A normal prior on the change in log-odds per spread of a fact, with standard deviation 1 / √RIDGE.
RIDGE = 10.0
_DEAL, _DAY = "opportunity_key", 86_400_000_000


@dataclass(frozen=True)
class Entries:
    """Entries into a stage that were followed for `within` days."""

    #: None: deals created, until signature.
    stage: str | None
    within: int
    #: Years in which they entered.
    years: float
    #: One row per entry: opportunity_id, rep_id, account_id, team, region (as they were then), `moved` (on to a later
    #: stage, or won, in time), `stay_days` (at most `within`), and the chance and stay of like deals: `chance`,
    #: `like_days`.
    rows: pl.DataFrame


def entries(book: Book) -> tuple[list[Entries], Problem | None]:
    """Those of the whole company, whoever reads: stage by stage, first from creation to signature.

    Returns:
        The entries, in the order of the pipeline, and why stages are not told where they are not.

    Raises:
        Problem: If no deal was followed long enough.
    """
    view = in_polars(whole_of(book, __name__))
    found, problem = _found(view)
    told = []
    for stage in [None, *open_stages(view)["stage"]]:
        here = found.filter(pl.col("stage").eq_missing(pl.lit(stage, pl.String)))
        within = _within(here, MOST_LIFE_DAYS if stage is None else MOST_DAYS)
        followed = here.filter(pl.col("followed_days") >= within) if within else here.clear()
        if followed.height > MOST_ENTRIES:
            latest_ones = followed.sort("at", _DEAL).tail(MOST_ENTRIES)
            followed = latest_ones.with_columns(first=pl.col("at").min())
        if followed.height and within:
            told.append(_followed(view, stage, within, followed))
    if not told:
        raise Problem(
            "No deal was followed long enough to tell how it moves on.",
            "Import a longer history, or wait until deals have closed.",
        )
    return told, problem


def _found(view: Book) -> tuple[pl.DataFrame, Problem | None]:
    """Every entry of the latest months: its deal, stage, `at`, `stay_days`, `has_ended`, `is_on`, `followed_days`."""
    deals = small(view.deals([_DEAL, "opportunity_id", "account_id", "status", "created_at", "closed_at"]))
    deals = deals.with_columns(pl.col(_DEAL).cast(pl.Int64))
    created = deals.filter(pl.col("created_at").is_not_null()).select(
        _DEAL, "opportunity_id", "account_id", stage=pl.lit(None, pl.String), at="created_at", ended="closed_at",
        is_on=pl.col("status").cast(pl.String) == "won",
    )  # fmt: skip
    try:
        MEASURES["stage_conversion"].refuse_if_impossible(view)
        parts, problem = [created, _visited(view, deals).select(created.columns)], None
    except Problem as refused:
        parts, problem = [created], refused
    both = pl.concat([part.with_columns(pl.col("at", "ended").dt.cast_time_unit("us")) for part in parts])
    moment = pl.lit(view.moment).cast(pl.Datetime("us", "UTC"))
    timed = both.with_columns(
        stay_days=(pl.coalesce("ended", moment) - pl.col("at")).dt.total_microseconds().clip(0) / _DAY,
        followed_days=(moment - pl.col("at")).dt.total_microseconds() / _DAY,
        has_ended=pl.col("ended").is_not_null(),
        is_on=pl.col("is_on").fill_null(False),
    )
    return _latest(view, timed), problem


def _visited(view: Book, deals: pl.DataFrame) -> pl.DataFrame:
    """Visits to open stages, and whether they ended in a later one, or signed."""
    stages = small(view.table("stages"))
    places = dict(stages.select("stage", "position").iter_rows())
    open_places = dict(stages.filter(kind="open").select("stage", "position").iter_rows())
    came = small(visits(view, Question(), _DEAL)).with_columns(pl.col(_DEAL).cast(pl.Int64))
    here, there = (
        pl.col(name).replace_strict(known, default=None, return_dtype=pl.Int64)
        for name, known in (("entered_stage", places), ("to_stage", open_places))
    )
    is_on = (pl.col("closed_as") == "won").fill_null(False) | (pl.col("closed_as").is_null() & (there > here))
    told = came.select(_DEAL, stage="entered_stage", at="since", ended="ended", is_on=is_on)
    return told.join(deals.select(_DEAL, "opportunity_id", "account_id"), on=_DEAL)


def _latest(view: Book, timed: pl.DataFrame) -> pl.DataFrame:
    kept, since = kept_from(view), view.moment - timedelta(days=round(MONTHS * 365.2425 / 12))
    recent = timed.filter(pl.col("at") > max(since, kept or since))
    return recent.with_columns(
        first=pl.max_horizontal(pl.lit(since).cast(pl.Datetime("us", "UTC")), pl.col("at").min())
    )


def _within(here: pl.DataFrame, most: int) -> int | None:
    """Days by which most stays are over, so that few entries are too recent to tell."""
    if here.is_empty():
        return None
    days = here.with_columns(time=pl.col("stay_days").ceil())
    clock = days.group_by("time").agg(
        n_event=pl.col("has_ended").sum(), n_other=pl.lit(0), n_censored=(~pl.col("has_ended")).sum()
    )
    over = Incidence.of(clock).quantile(OVER)[0]
    return most if over is None else int(np.clip(over, LEAST_DAYS, most))


def _followed(view: Book, stage: str | None, within: int, found: pl.DataFrame) -> Entries:
    """The entries with whose they were, and what like deals do."""
    facts = facts_at(view, found.select(_DEAL, "at"))
    versions = rows(view, "versions", _DEAL, "valid_from", "rep_id")
    asked = found.select(_DEAL, "at").with_row_index("row")
    whose = asked.select("row").join(latest(asked, versions, _DEAL).select("row", "rep_id"), on="row", how="left",
                                     maintain_order="left")  # fmt: skip
    both = pl.concat([
        found.with_columns(whose["rep_id"], in_time=pl.col("is_on") & (pl.col("stay_days") <= within)),
        facts.select("team", "region", *CASE_MIX), facts.select(is_known=pl.col("opportunity_id").is_not_null()),
    ], how="horizontal").filter("is_known")  # fmt: skip
    stay = pl.col("stay_days").clip(upper_bound=within)
    both = both.select(pl.exclude("stay_days"), stay_days=stay).rename({"in_time": "moved"})
    chance, like = _like(both)
    told = both.select("opportunity_id", "rep_id", "account_id", "team", "region", "moved", "stay_days").with_columns(
        chance=pl.Series(chance, dtype=pl.Float64), like_days=pl.Series(like, dtype=pl.Float64)
    )
    first = found["first"][0]
    years = (view.moment - first) / timedelta(days=365.2425) - within / 365.2425
    return Entries(stage, within, max(years, 1 / 365), told)


def _like(both: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """(n,) the chance of like deals to move on in time, and their mean stay."""
    moved, stay = both["moved"].to_numpy(), both["stay_days"].to_numpy()
    design = learn(both.select(CASE_MIX), both[_DEAL].to_numpy())
    days = both["at"].cast(pl.Int64).to_numpy() / _DAY
    angle, spread = 2 * np.pi * days / 365.2425, max(float(days.std()), 1.0)
    time = np.column_stack([(days - days.mean()) / spread, np.sin(angle), np.cos(angle)])
    features = np.hstack([design.encode(both.select(CASE_MIX)), time]).astype(np.float32)
    like = _ridge(features, stay)
    if moved.all() or not moved.any() or len(moved) < 2:
        return np.full(len(moved), moved.mean()), like
    fitted = logit.fit(features, moved.astype(int), ridge=RIDGE, n_outcomes=2)
    return fitted.probabilities(features)[:, 1].astype(float), like


def _ridge(features: np.ndarray, value: np.ndarray) -> np.ndarray:
    """(n,) fitted means, held back as the chances are; days are counted in their own spread."""
    x = features.astype(float) - features.mean(axis=0)
    fitted = value.mean() + x @ np.linalg.solve(x.T @ x + RIDGE * np.eye(x.shape[1]), x.T @ (value - value.mean()))
    return np.maximum(fitted, 0.05 * max(float(value.mean()), 1e-9))
