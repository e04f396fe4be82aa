"""How long sellers have been there, and what groups of like tenure win: never told of a person."""

from datetime import date
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from cadran.book import Book
from cadran.measures.catalogue import Need, Question, measure
from cadran.measures.clustered import UNKNOWN, Values
from cadran.measures.counting import LEAST_FILLED, count, grouped, small, total
from cadran.measures.lines import every_line
from cadran.measures.periods import last_months, seen_on, spans
from cadran.measures.staff import LEAST_PERSONS, SELLERS, Staff, check_places
from cadran.tables.measured.resources import Tenure

#: Days since hiring at which each band of tenure begins; the last one is open.
BANDS = {
    "under_3_months": 0,
    "months_3_6": 91,
    "months_6_12": 183,
    "years_1_2": 365,
    "years_2_5": 730,
    "over_5_years": 1826,
}
UNTOLD = "tenure_unknown"
_MONTH_DAYS = 365.2425 / 12


@measure(
    title="Tenure and ramp",
    definition=(
        "Sellers present on the last day (as Sellers present counts them) by time since hiring; and, over whole months, "
        "what sellers of that tenure won a month of presence: deals and signed revenue. A month counts at the tenure of its "
        "middle. Never told of fewer than five sellers. Interval: 95 %, sellers as clusters, from ten on. The longer-serving "
        "are also those who stayed: a band is no forecast of a person. Without dates: the last twelve whole months."
    ),
    unit="people; deals a month; reporting currency a month",
    source="Liang & Zeger (1986), Biometrika 73:13: a ratio of sums with sellers as clusters, on the logarithm",
    returns=Tenure,
    needs=(Need("hired_date", table="reps", least_share=0.01), Need("closed_date", ("won",))),
    subject=SELLERS,
    answer=lambda book, question: tenure(book, question),
)
def tenure(book: Book, question: Question) -> nw.LazyFrame:
    """Sellers by tenure, and what each band wins a month.

    Args:
        book: At its moment; on the last day of the question, as known then.
        question: Groups and filter are of people: region, team, where they are at the end of each month.

    Returns:
        One row per group and band, as `Tenure` has it, the band of unknown hiring dates last and only if it has anybody.
    """
    question.chosen()
    check_places(question)
    by = list(question.by)
    since, until = question.since, question.until or (last_months(book.day)[1] if question.since is None else book.day)
    seen = seen_on(book, until)
    told = spans(seen, Question(since=since, until=until), "month", 12)
    staff = Staff.of(seen, question.organisation)
    months = [
        _presence(staff.sellers(span["until"], question.where), span["since"], span["until"], staff)
        for span in told.rows(named=True)
    ]
    won = small(_won(seen, told["since"][0], until))
    spent = pl.concat(months).join(won, on=["rep_id", "period"], how="left").with_columns(
        pl.col("n_won", "n_won_unknown", "amount_won").fill_null(0)
    )  # fmt: skip
    present = staff.sellers(until, question.where).with_columns(tenure=_band("tenure_days"))
    bands = [*BANDS, *([UNTOLD] if UNTOLD in {*present["tenure"], *spent["tenure"]} else [])]
    groups = pl.concat([present.select(*by, "tenure"), spent.select(*by, "tenure")]).unique()
    lines = every_line(groups, by, pl.DataFrame({"tenure": bands}))
    rows: list[dict[str, Any]] = []
    for line in lines.rows(named=True):
        kept = [pl.col(name).eq_missing(pl.lit(line[name])) for name in by]
        there, theirs = present.filter(True, *kept), spent.filter(*kept, pl.col("tenure") == line["tenure"])
        n_heads = there.filter(pl.col("tenure") == line["tenure"]).height
        share = n_heads / there.height if there.height else None
        rows.append(line | {"n_heads": n_heads, "heads_share": share} | _won_by(theirs))
    types = {**{name: present.schema[name] for name in by}, **Tenure.create_empty().schema}
    return nw.from_native(pl.DataFrame(rows, schema=types, orient="row").lazy()).select(*by, *Tenure.column_names())


def _band(days: str) -> pl.Expr:
    place = pl.sum_horizontal(pl.col(days) >= edge for edge in list(BANDS.values())[1:])
    named = place.replace_strict(dict(enumerate(BANDS)), return_dtype=pl.String)
    return pl.when(pl.col(days).is_null()).then(pl.lit(UNTOLD)).otherwise(named)


def _presence(sellers: pl.DataFrame, first: date, last: date, staff: Staff) -> pl.DataFrame:
    """The sellers of a month with the months (0 to 1) they were present in it, and their tenure at its middle."""
    middle = first + (last - first) / 2
    begins = pl.max_horizontal(pl.lit(first), "joined")
    days = (pl.lit(last) - begins).dt.total_days() + 1
    then = pl.col("tenure_days") - (last - middle).days
    return sellers.with_columns(period=pl.lit(first.replace(day=1)), months=days / _MONTH_DAYS).with_columns(
        then=then.clip(0)
    ).with_columns(tenure=_band("then"))  # fmt: skip


def _won(book: Book, since: date, until: date) -> nw.LazyFrame:
    """What each seller won in each month."""
    deals = book.deals(["rep_id", "status", "amount", "closed_date", "closed_month"])
    won = deals.filter(nw.col("status") == "won", nw.col("closed_date") >= since, nw.col("closed_date") <= until)
    known = ~nw.col("amount").is_null()
    return grouped(
        won.with_columns(period="closed_month").filter(~nw.col("rep_id").is_null()),
        ["rep_id", "period"],
        nw.len().cast(nw.Int64).alias("n_won"),
        count(~known, "n_won_unknown"),
        total(known, "amount", "amount_won"),
    )


def _won_by(spent: pl.DataFrame) -> dict[str, Any]:
    """What the sellers of one band won, a month of presence."""
    each = spent.group_by("rep_id", maintain_order=True).agg(
        pl.col("months", "n_won", "n_won_unknown", "amount_won").sum()
    )
    row: dict[str, Any] = {"n_sellers": each.height, "seller_months": float(each["months"].sum())}
    if each.height < LEAST_PERSONS:
        return row
    n_won, n_unknown = int(each["n_won"].sum()), int(each["n_won_unknown"].sum())
    row |= {"n_won": n_won, "n_won_unknown": n_unknown}
    for name, column in {"won_per_month": "n_won", "amount_per_month": "amount_won"}.items():
        if column == "amount_won" and n_unknown > (1 - LEAST_FILLED) * n_won:
            continue
        months = each["months"].to_numpy()
        values = each[column].to_numpy() / months
        found = Values(values, months, np.arange(len(months)), len(months)).mean
        low, high = found.limits(0.05) if found else UNKNOWN
        row |= {name: float(each[column].sum() / months.sum()), f"{name}_low": low, f"{name}_high": high}
    return row
