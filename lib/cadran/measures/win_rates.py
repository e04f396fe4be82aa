"""Win rates that are no plain share of counts: by value, and by creation cohort."""

from collections.abc import Sequence

import narwhals as nw
import numpy as np
import polars as pl

from cadran.measures.catalogue import Need, measure
from cadran.measures.counting import LEAST_FILLED, LEAST_FOR_INTERVAL, count, grouped, per_group, small, total
from cadran.measures.cycle import created_in, fates
from cadran.measures.survival import Incidence
from cadran.tables.measured.win_rates import WinRateByCohort, WinRateByValue

_CLOSED = ("won", "lost")
_OF_CLIENT = [name for status in _CLOSED for name in (f"n_{status}", f"n_{status}_unknown", f"amount_{status}")]


@measure(
    title="Win rate by value",
    definition=(
        "Σ amount won ÷ (Σ amount won + Σ amount lost), among the deals closed in the period. Given where at least "
        "80 % of the won and of the lost deals have an amount above 0. Interval: bootstrap over clients, 95 %, from "
        "10 clients on."
    ),
    unit="share, 0 to 1; reporting currency",
    source="Efron (1979), Bootstrap methods, Annals of Statistics 7(1); percentile interval, whole clients redrawn",
    returns=WinRateByValue,
    needs=(
        Need("status"),
        Need("account_id", _CLOSED),
        *(Need("amount", (status,), least_share=LEAST_FILLED, zero_is_unknown=True) for status in _CLOSED),
    ),
    window="closed",
)
def win_rate_by_value(
    deals: nw.LazyFrame, by: Sequence[str] = (), *, resamples: int = 1000, seed: int = 0
) -> nw.LazyFrame:
    """Share of the closed value that was won, with its 95 % interval.

    Args:
        deals: One row per deal, from `Book.deals()`: opportunity_id, status, amount, account_id, columns of `by`.
        by: Columns to group on. Empty gives one row for all deals.
        resamples: How many times the clients are drawn again.
        seed: Seed of those draws.

    Returns:
        One row per group with a closed deal, sorted by `by`, as `WinRateByValue` has it. The rate is null where
        fewer than 80 % of the group's won, or of its lost, deals have an amount above 0; its interval also under
        10 clients. A deal without client is a client of its own.
    """
    is_won, is_known = nw.col("status") == "won", (nw.col("amount") > 0).fill_null(False)
    client = nw.coalesce(nw.col("account_id"), nw.concat_str(nw.lit("deal "), nw.col("opportunity_id")))
    closed = deals.filter(nw.col("status").is_in(_CLOSED)).with_columns(its_client=client)
    sums = [
        sum_
        for name, here in (("won", is_won), ("lost", ~is_won))
        for sum_ in (
            count(is_known & here, f"n_{name}"),
            count(~is_known & here, f"n_{name}_unknown"),
            total(is_known & here, "amount", f"amount_{name}"),
        )
    ]
    per_client = small(grouped(closed, [*by, "its_client"], *sums))
    return per_group(per_client, by, WinRateByValue, lambda group: _rated_by_value(group, resamples, seed))


def _rated_by_value(clients: pl.DataFrame, resamples: int, seed: int) -> dict[str, float | None]:
    """The row of one group, from what each of its clients won and lost."""
    sums = clients.select(_OF_CLIENT).sum().row(0, named=True)
    known = clients.filter(pl.col("amount_won") + pl.col("amount_lost") > 0)
    rate = low = high = None
    if all(sums[f"n_{name}"] >= LEAST_FILLED * (sums[f"n_{name}"] + sums[f"n_{name}_unknown"]) for name in _CLOSED):
        rate = sums["amount_won"] / (sums["amount_won"] + sums["amount_lost"])
        if known.height >= LEAST_FOR_INTERVAL and 0 < rate < 1:
            low, high = _redrawn(known.select("amount_won", "amount_lost").to_numpy(), resamples, seed)
    return {
        **{name: sums[name] for name in ("n_won", "n_lost", "amount_won", "amount_lost")},
        "n_unknown": sums["n_won_unknown"] + sums["n_lost_unknown"],
        "n_accounts": known.height,
        "win_rate_by_value": rate, "win_rate_by_value_low": low, "win_rate_by_value_high": high,
    }  # fmt: skip


def _redrawn(amounts: np.ndarray, resamples: int, seed: int) -> tuple[float, float]:
    """95 % percentile interval of Σ won ÷ (Σ won + Σ lost) when whole clients (rows: won, lost) are drawn again."""
    random, n = np.random.default_rng(seed), len(amounts)
    at_once = max(1, 1_000_000 // n)
    sums = [
        amounts[random.integers(0, n, (min(at_once, resamples - done), n))].sum(axis=1)
        for done in range(0, resamples, at_once)
    ]
    won, lost = np.concatenate(sums).T
    low, high = np.quantile(won / (won + lost), [0.025, 0.975])
    return float(low), float(high)


@measure(
    title="Win rate by cohort",
    definition=(
        "Share of the deals created in the period that were won by a given age (90 days unless said), being lost the "
        "other way to end. A deal still open counts with the age it has reached; disqualified deals are left out. "
        "Grouped by creation period, it compares cohorts at the same age. Interval: Rothman's, 95 %."
    ),
    unit="share, 0 to 1",
    source=(
        "Aalen and Johansen (1978), Scandinavian Journal of Statistics 5(3); Rothman (1978), Journal of Chronic "
        "Diseases 31(8)"
    ),
    returns=WinRateByCohort,
    needs=(Need("status"), Need("created_date")),
    answer=lambda book, question: win_rate_by_cohort(
        created_in(book, question, "status"), question.by, **question.chosen_for(win_rate_by_cohort)
    ),
)
def win_rate_by_cohort(deals: nw.LazyFrame, by: Sequence[str] = (), *, age_days: int = 90) -> nw.LazyFrame:
    """Share of the deals created in the period that were won by a given age.

    Args:
        deals: One row per deal, from `Book.deals()`: status, cycle_days, age_days and the columns of `by`.
        by: Columns to group on, such as created_quarter. Empty gives one row for all deals.
        age_days: The age, days since creation.

    Returns:
        One row per group, sorted by `by`, as `WinRateByCohort` has it. The shares are null where no deal of the
        group has been followed to that age and some are still open.
    """
    return per_group(fates(deals, by), by, WinRateByCohort, lambda fate: _won_by(fate, age_days))


def _won_by(fate: pl.DataFrame, age_days: int) -> dict[str, float | None]:
    """The row of one cohort, from how many of its deals were won, lost or still open at each age."""
    known, by_then = fate.filter(pl.col("time").is_not_null()), pl.col("time") <= age_days
    curve = Incidence.of(known.select("time", n_event="n_won", n_other="n_lost", n_censored="n_open"))
    share, low, high = curve.by(age_days)
    all_of_it = pl.sum_horizontal("n_won", "n_lost", "n_open")
    return {
        "n_deals": known.select(all_of_it.sum()).item(),
        "n_won": known.filter(by_then)["n_won"].sum(),
        "n_lost": known.filter(by_then)["n_lost"].sum(),
        "n_young": known.filter(pl.col("time") < age_days)["n_open"].sum(),
        "n_disqualified": known["n_disqualified"].sum(),
        "n_unknown": fate.filter(pl.col("time").is_null()).select(all_of_it.sum()).item(),
        "age_days": age_days,
        "win_rate": share, "win_rate_low": low, "win_rate_high": high,
        "open_share": curve.open_after(age_days),
    }  # fmt: skip
