"""Load and results over time: what there is to do, what came of it, and how fast it grows."""

from collections.abc import Sequence
from datetime import date
from itertools import product
from statistics import NormalDist
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from cadran.book import Book
from cadran.measures.catalogue import Need, Question, measure
from cadran.measures.counting import LEAST_FILLED, count, grouped, small, total
from cadran.measures.lines import every_line
from cadran.measures.periods import last_months, seen_on, spans
from cadran.measures.trend import poisson_end
from cadran.tables.measured.resources import Growth, Load

#: Fewer whole months, or fewer deals in them, than this tell no growth; from so many months on, seasons are taken out.
LEAST_MONTHS, LEAST_DEALS, WITH_SEASONS = 12, 30, 24
_STOCK = ("open", "overdue", "new")
_CLOSED = ("won", "lost")
#: Of each quantity that may grow: how many deals it counts, and what is summed.
_GROWING = {
    "new_deals": ("n_new", "n_new"),
    "won_deals": ("n_won", "n_won"),
    "lost_deals": ("n_lost", "n_lost"),
    "signed_revenue": ("n_won", "amount_won"),
}


def over_time(book: Book, question: Question, every: str, months: int = 12) -> nw.LazyFrame:
    """Stock at the end of each period, as known then, and what closed in it, as known at the end of the last one."""
    told, by = spans(book, question, every, months), question.by
    until = told["until"][-1]
    views = []
    for span in told.rows(named=True):
        seen, days = seen_on(book, span["until"]), Question(since=span["since"], until=span["until"])
        facts = ["status", "amount", "expected_close_date", "created_date", *question.columns]
        deals = question.keeps(seen.deals(facts, question.organisation))
        is_open = nw.col("status") == "open"
        marked = deals.with_columns(
            period=nw.lit(span["period"]).cast(nw.Date),
            is_open=is_open,
            is_new=days.days("created_date"),
            is_overdue=is_open & (nw.col("expected_close_date") < span["until"]).fill_null(False),
            is_undated=is_open & nw.col("expected_close_date").is_null(),
        )
        views.append(marked.filter(nw.col("is_open") | nw.col("is_new")))
    counted = small(load(nw.concat(views), by))
    closed = small(_closed(seen_on(book, until), question, told, every))
    both = counted.join(closed, on=[*by, "period"], how="full", coalesce=True, nulls_equal=True)
    complete = every_line(both, by, told.select("period")).join(told, on="period", how="left", maintain_order="left")
    return _with_intervals(nw.from_native(complete.lazy())).select(*by, *Load.column_names())


def _closed(book: Book, question: Question, told: pl.DataFrame, every: str) -> nw.LazyFrame:
    """What was won, lost or disqualified in each period."""
    facts = ["status", "amount", "closed_date", f"closed_{every}", *question.columns]
    deals = question.keeps(book.deals(facts, question.organisation))
    ended = deals.filter(Question(since=told["since"][0], until=told["until"][-1]).days("closed_date"))
    known = ~nw.col("amount").is_null()
    ended = ended.with_columns(period=f"closed_{every}", square=nw.col("amount") * nw.col("amount"))
    sums = []
    for status in _CLOSED:
        here = nw.col("status") == status
        sums += [count(here, f"n_{status}"), count(here & ~known, f"n_{status}_unknown")]
        sums += [total(here & known, "amount", f"amount_{status}")]
    squares = total((nw.col("status") == "won") & known, "square", "squares")
    disqualified = count(nw.col("status") == "disqualified", "n_disqualified")
    return grouped(ended, [*question.by, "period"], *sums, squares, disqualified)


def _with_intervals(rows: nw.LazyFrame) -> nw.LazyFrame:
    """Amounts that are known, and the intervals of what was won, as the measure `trend` has them."""
    won = nw.col("amount_won")
    size = nw.when(won > 0).then(nw.col("squares") / nw.when(won > 0).then(won))
    ends = {}
    for end, sign in (("low", -1), ("high", 1)):
        ends[f"n_won_{end}"] = poisson_end(nw.col("n_won"), sign)
        ends[f"amount_won_{end}"] = size * poisson_end(won / size, sign)
    unknown = {"overdue": "n_overdue_unknown"} | {name: f"n_{name}_unknown" for name in ("open", "new", *_CLOSED)}
    amounts = {
        f"amount_{name}": nw.when((nw.col(f"n_{name}") == 0) | (nw.col(column) < nw.col(f"n_{name}"))).then(
            nw.col(f"amount_{name}")
        )
        for name, column in unknown.items()
    }
    return rows.with_columns(**ends).with_columns(**amounts)


@measure(
    title="Load and results",
    definition=(
        "For each month (option every: week, quarter): deals open at its end and, of them, overdue (expected before "
        "that day), as was known then; deals created in it; deals won, lost and disqualified in it, with their known "
        "amounts. Unknown amounts are counted, never 0. Intervals, 95 %: of the expected number and amount won (Poisson, "
        "compound Poisson). Without dates: the last twelve months, the last one as far as it is known."
    ),
    unit="deals; reporting currency",
    source=(
        "Rao score interval of a Poisson mean; Fay & Feuer (1997), Statistics in Medicine 16:791, effective count of a "
        "weighted sum"
    ),
    returns=Load,
    needs=(
        Need("status"), Need("created_date"), Need("expected_close_date", ("open",)), Need("closed_date", _CLOSED),
        Need("amount"),
    ),
    answer=lambda book, question: over_time(book, question, question.chosen(every="month")["every"]),
    of_persons=True,
)  # fmt: skip
def load(stood: nw.LazyFrame, by: Sequence[str] = ()) -> nw.LazyFrame:
    """Open, overdue and new deals of each period.

    Args:
        stood: One row per deal and period at whose end it was open, or in which it was created: period, amount, is_open,
            is_overdue, is_undated, is_new and the columns of `by`.
        by: Columns to group on.

    Returns:
        One row per group and period with such a deal: counts, sums of known amounts, and how many are unknown.
    """
    known = ~nw.col("amount").is_null()
    sums = [count(nw.col("is_undated"), "n_undated")]
    for name in _STOCK:
        here = nw.col(f"is_{name}")
        sums += [count(here, f"n_{name}"), count(here & ~known, f"n_{name}_unknown")]
        sums += [total(here & known, "amount", f"amount_{name}")]
    return grouped(stood, [*by, "period"], *sums)


def _grown(book: Book, question: Question) -> nw.LazyFrame:
    """What `growth` asks for: whole months, by default the last 24 (option months)."""
    months = question.chosen(months=24)["months"]
    since, until = last_months(question.until or book.day, months)
    asked = Question(question.by, question.where, question.since or since, until, question.organisation)
    told, seen, by = spans(book, asked, "month", months), seen_on(book, until), question.by
    deals = question.keeps(seen.deals(["created_date", "created_month", *question.columns], question.organisation))
    created = deals.filter(asked.days("created_date")).with_columns(period="created_month")
    came = small(grouped(created, [*by, "period"], nw.len().cast(nw.Int64).alias("n_new")))
    closed = small(_closed(seen, asked, told, "month"))
    both = came.join(closed, on=[*by, "period"], how="full", coalesce=True, nulls_equal=True)
    return growth(every_line(both, by, told.filter("is_whole").select("period")), days_at_work(book), by)


def days_at_work(book: Book) -> dict[date, int]:
    """Business days of each month of a book's calendar."""
    days = book.table("calendar").filter(nw.col("is_business_day")).group_by("month").agg(n=nw.len())
    return dict(small(days).select("month", "n").iter_rows())


@measure(
    title="Growth",
    definition=(
        "How much more, or less, within a year: deals created, won and lost a month, and signed revenue, per business "
        "day. Fitted over whole months (option months: 24) from the first one with such a deal, with a yearly season "
        "from 24 months on. Interval: 95 %, months as independent, their scatter as wide as seen. Called a change if the "
        "interval, widened for how many are looked at, excludes none. From 12 months and 30 deals on."
    ),
    unit="share of a year: 0.1 is 10 % more",
    source="McCullagh & Nelder (1989), Generalized Linear Models, ch. 6: Poisson regression with dispersion; Bonferroni",
    returns=Growth,
    needs=(Need("created_date"), Need("closed_date", _CLOSED), Need("amount", ("won",))),
    answer=_grown,
)
def growth(rows: pl.DataFrame, days: dict[date, int], by: Sequence[str] = ()) -> nw.LazyFrame:
    """How fast each flow of deals grows.

    Args:
        rows: One row per group and whole month: period, n_new, n_won, n_lost, amount_won, n_won_unknown.
        days: Business days of each month.
        by: Columns to group on.

    Returns:
        One row per group and quantity, as `Growth` has it.
    """
    groups = rows.partition_by(by, maintain_order=True) if by else [rows]
    # A book that begins with open deals has none that closed yet: its first months are no growth.
    begins = {each: rows.filter(pl.col(counted) > 0)["period"] for each, (counted, _) in _GROWING.items()}
    told = []
    for group, quantity in product((each for each in groups if each.height), _GROWING):
        known = group.filter(pl.col("period") >= pl.lit(begins[quantity].min(), pl.Date)).sort("period")
        names = {name: group[name][0] for name in by}
        told.append(names | {"quantity": quantity} | _fitted(known, quantity, days))
    types: dict[str, Any] = {name: rows.schema[name] for name in by} | dict(Growth.create_empty().schema)
    types["error"] = pl.Float64
    frame = pl.DataFrame([{"error": None, "growth": None} | row for row in told], schema=types, orient="row")
    n = max(frame["growth"].count(), 1)
    wider = NormalDist().inv_cdf(1 - 0.025 / n) / NormalDist().inv_cdf(0.975)
    judged = frame.with_columns(
        n_compared=pl.lit(frame["growth"].count(), pl.Int64),
        is_change=(pl.col("growth").log1p().abs() > pl.col("error") * wider),
    )
    return nw.from_native(judged.lazy()).select(*by, *Growth.column_names())


def _fitted(rows: pl.DataFrame, quantity: str, days: dict[date, int]) -> dict[str, Any]:
    """One quantity of one group: its level, and its growth where enough is known."""
    counted, summed = _GROWING[quantity]
    n, n_unknown = int(rows[counted].sum()), int(rows["n_won_unknown"].sum())
    is_told = summed != "amount_won" or n_unknown <= (1 - LEAST_FILLED) * n
    values = rows[summed].fill_null(0).cast(pl.Float64).to_numpy()
    row: dict[str, Any] = {"n_periods": rows.height, "n": n}
    row["per_month"] = float(values.mean()) if is_told and rows.height else None
    if not is_told or rows.height < LEAST_MONTHS or n < LEAST_DEALS:
        return row
    import statsmodels.api as sm

    first = rows["period"][0]
    months = np.array([(day.year - first.year) * 12 + day.month - first.month for day in rows["period"]])
    angles = 2 * np.pi * (months + first.month) / 12
    seasons = [each for k in (1, 2) for each in (np.sin(k * angles), np.cos(k * angles))]
    design = np.column_stack([np.ones(len(months)), months / 12, *(seasons if len(months) >= WITH_SEASONS else [])])
    offset = np.log([days.get(day, 21) for day in rows["period"]])
    found = sm.GLM(values, design, family=sm.families.Poisson(), offset=offset).fit()
    # Counts scatter at least as chance does; amounts have no such floor.
    scatter = found.pearson_chi2 / found.df_resid
    scatter = scatter if summed == "amount_won" else max(scatter, 1.0)
    from scipy.stats import t

    slope = float(found.params[1])
    half = float(t.ppf(0.975, found.df_resid) * np.sqrt(scatter * found.normalized_cov_params[1, 1]))
    low, high = np.expm1(slope - half), np.expm1(slope + half)
    return row | {"growth": float(np.expm1(slope)), "growth_low": float(low), "growth_high": float(high), "error": half}
