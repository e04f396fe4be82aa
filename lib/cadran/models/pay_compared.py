"""Two pay plans on the same deals: who gains, who loses, and what it costs."""

from dataclasses import replace

import numpy as np
import polars as pl

from cadran.book.individual import is_active
from cadran.models.pay import Payroll, payroll
from cadran.models.pay_plan import PayPlan
from cadran.models.pay_shown import LEAST, shown_as, typed
from cadran.tables.measured.pay import LEVELS, PayCompared
from cadran.tables.problems import Problem


def compared(paid: Payroll, other: PayPlan) -> pl.DataFrame:
    """Two plans on the same deals, the other's rules applied to the days of the first: who gains, who loses, how much.

    Returns:
        Rows as `PayCompared`: the company, the teams and, only where that is open, the reps. Until then how many gain and
        lose, and how much, is left out where it would tell what one or two of them get; so are all teams if a plan pays
        one or two of some, and the company if it does of all.

    Raises:
        Problem: If the other plan pays nobody, or its periods do not fit into those days.
    """
    against = payroll(paid.book, on_days_of(paid.plan, other))
    totals = [
        each.staff.people.select("rep_id", "seller", "team")
        .with_columns(pl.Series(name, each.settled.pay.sum(-1)))
        .filter(each.sees())
        for name, each in (("a", paid), ("b", against))
    ]
    both = totals[0].join(totals[1], on="rep_id", how="full", coalesce=True)
    both = both.with_columns(
        pl.col("a", "b").fill_null(0),
        *(pl.coalesce(name, f"{name}_right") for name in ("seller", "team")),
        of_a=pl.col("a").is_not_null(),
        of_b=pl.col("b").is_not_null(),
    ).with_columns(more=pl.col("b") - pl.col("a"))
    both = both.with_columns(shown=pl.col("team").replace_strict(shown_as(both), default="", return_dtype=pl.String))
    teams = both.filter(pl.col("shown") != "")
    if not is_active(paid.book, "pay"):
        if _is_of_few(both, pl.lit("")):
            return PayCompared.create_empty()
        told = [_differences(both, None), *([] if _is_of_few(teams, "shown") else [_differences(teams, "shown")])]
        return typed(PayCompared, [_guarded(pl.concat(told))])
    reps = both.group_by("rep_id", "seller", maintain_order=True).agg(_DIFFERENCES).rename({"rep_id": "group"})
    reps = reps.with_columns(_NO_REASON, level=pl.lit("rep")).sort("difference_pay", "group")
    told = [_differences(both, None), *([_differences(teams, "shown")] if both.height >= LEAST else []), reps]
    paid.book.note("pay", reps["group"])
    return typed(PayCompared, told)


def _is_of_few(rows: pl.DataFrame, by: str | pl.Expr) -> bool:
    """Whether a plan pays one or two of some group: what it pays in all would tell what they get."""
    paid = rows.group_by(by).agg(pl.col("of_a", "of_b").sum())
    return (
        rows.height < LEAST
        or paid.select(pl.any_horizontal(pl.col("of_a", "of_b").is_between(1, LEAST - 1)).any()).item()
    )


def on_days_of(plan: PayPlan, other: PayPlan) -> PayPlan:
    """The other plan's rules on the days of a plan.

    Raises:
        Problem: If its periods do not fit into them.
    """
    moved = replace(other, starts=plan.starts, ends=plan.ends)
    if (moved.period != "year" and moved.months % moved.period_months) or (
        moved.seasons and len(moved.seasons) != len(moved.periods())
    ):
        raise Problem(
            "The periods of {other} do not fit into the {n} months of {plan}.", "Compare plans of the same length.",
            other=other.name, plan=plan.name, n=plan.months,
        )  # fmt: skip
    return moved


_DIFFERENCES = [
    pl.len().alias("n_sellers"),
    (pl.col("a").sum() / 100).round(2).alias("pay_a"),
    (pl.col("b").sum() / 100).round(2).alias("pay_b"),
    (pl.col("more").sum() / 100).round(2).alias("difference_pay"),
    (pl.col("more") > 0).sum().alias("n_gain"),
    (pl.col("more") < 0).sum().alias("n_lose"),
    (pl.col("more") == 0).sum().alias("n_same"),
    (pl.col("more").clip(lower_bound=0).sum() / 100).round(2).alias("gain_pay"),
    (pl.col("more").clip(upper_bound=0).sum() / 100).round(2).alias("lose_pay"),
]


_NO_REASON = pl.lit(None, pl.String).alias("reason")
#: Why something is left out, a sentence of the catalogue.
TOO_FEW = "How many gain or lose, or how much, would tell what one or two of them are paid."
#: What is told of those who gain and lose, and what of it may be of one or two: how many change, how many gain or lose.
_GUARDED = (
    (("n_gain", "n_lose", "n_same"), [pl.col("n_gain") + pl.col("n_lose")]),
    (("gain_pay", "lose_pay"), [pl.col("n_gain"), pl.col("n_lose")]),
)


def _differences(both: pl.DataFrame, by: str | None) -> pl.DataFrame:
    keys = pl.lit(None, pl.String).alias("group") if by is None else pl.col(by).alias("group")
    summed = both.group_by(keys, maintain_order=True).agg(_DIFFERENCES).sort("group", nulls_last=True)
    level = LEVELS[0 if by is None else 1]
    return summed.with_columns(_NO_REASON, level=pl.lit(level), seller=pl.lit(None, pl.String))


def _guarded(rows: pl.DataFrame) -> pl.DataFrame:
    """The company and its teams, without what would tell of one or two sellers."""
    left_out = [(names, pl.Series(_left_out(rows.select(n).to_numpy()))) for names, n in _GUARDED]
    return rows.with_columns(
        *(pl.when(~gone).then(name).alias(name) for names, gone in left_out for name in names),
        reason=pl.when(left_out[0][1] | left_out[1][1]).then(pl.lit(TOO_FEW)),
    )


def _left_out(n: np.ndarray) -> np.ndarray:
    """Of which rows, the company first, numbers are left out: where they are of one or two; and of so many more teams that
    what is told of the company, less what is told of teams, is of nobody or of `LEAST` sellers."""

    def is_few(each: np.ndarray) -> np.ndarray:
        return np.asarray(((each > 0) & (each < LEAST)).any(axis=-1))

    gone, teams = is_few(n), n[1:]
    while not gone[0] and is_few(teams[gone[1:]].sum(axis=0)):
        rest = np.flatnonzero(~gone[1:] & (teams.sum(axis=1) > 0))
        gone[1 + rest[teams[rest].sum(axis=1).argmin()]] = True
    return gone
