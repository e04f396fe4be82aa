"""Groups beside what is expected of them: shrunk ratios and the limits of a funnel plot. Nobody is ranked."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.stats import false_discovery_control, norm

from cadran.measures.pace import Shrunk

#: Fewer sellers in a group, and a rate would be one of persons; fewer entries, or expected among them, and it tells
#: nothing; fewer groups, and none can be held to the others.
LEAST_SELLERS, LEAST_ENTRIES, LEAST_EXPECTED, LEAST_GROUPS = 3, 20, 5.0, 3
#: Draws for intervals, and of 1000 shares the groups taken for chance.
DRAWS = 2000
LIMITS = {"95": norm.ppf(0.975), "998": norm.ppf(0.999)}
FEW_SELLERS = "Fewer than three sellers: a rate would be one of persons."
FEW_ENTRIES = "Too little to tell: 20 entries followed long enough are needed, with 5 expected to move on."
FEW_GROUPS = "Fewer than three groups can be held beside each other."
NOBODY = "Whose these deals were is unknown."
ALIKE = "All went alike: there is nothing to tell apart."


def beside(rows: pl.DataFrame, by: list[str], cluster: str) -> pl.DataFrame:
    """Sums of each group, and how far chance may take them from what is expected.

    Args:
        rows: One row per entry: `observed`, `expected`, `variance` (of the first about the second), rep_id, the columns
            of `by` and that of the cluster.
        by: The columns of the groups.
        cluster: Entries of one value resemble each other: sellers of a team, or clients of a seller.

    Returns:
        One row per group in order of name: n, n_sellers, observed, expected, variance: as wide as entries of one cluster
        scatter together, and never narrower than chance.

    Source:
        Spiegelhalter (2005), Funnel plots for comparing institutional performance, Statistics in Medicine 24:1185:
        limits widened by overdispersion, here that within groups, so that true differences between them do not widen it.
    """
    sums = {name: pl.col(name).sum() for name in ("observed", "expected", "variance")}
    n_sellers = pl.col("rep_id").drop_nulls().n_unique().cast(pl.Int64)
    groups = rows.group_by(by).agg(n=pl.len().cast(pl.Int64), n_sellers=n_sellers, **sums).sort(by)
    parts = rows.group_by(*by, cluster).agg(**sums) if cluster not in by else groups
    whole = groups.rename({name: f"all_{name}" for name in sums})
    parts = parts.join(whole, on=by, nulls_equal=True).filter(pl.col("all_expected") > 0)
    share = pl.col("expected") / pl.col("all_expected")
    rest = pl.col("observed") - share * pl.col("all_observed")
    scatter = pl.col("variance") * (1 - 2 * share) + share**2 * pl.col("all_variance")
    seen, chance = parts.select((rest**2).sum().alias("seen"), scatter.sum().alias("chance")).row(0)
    wider = max(seen / chance, 1.0) if chance else 1.0
    return groups.with_columns(pl.col("variance") * wider)


@dataclass(frozen=True)
class Judged:
    """Groups with their ratios, and draws of these as likely as they are."""

    #: As `beside`, with `reason` (null where the group is told of), `ratio` (shrunk) with its interval, `p` (how often
    #: chance takes a group as far).
    rows: pl.DataFrame
    #: (draws, told groups) in the order of the rows without a reason.
    draws: np.ndarray


def judged(groups: pl.DataFrame, by: list[str], rates_persons: bool, seed: int = 0) -> Judged:
    """Pull each ratio towards the others by how little is known of it, and say how far chance would take it.

    Source:
        Gelman et al. (2013), Bayesian Data Analysis, section 5.4, as `cadran.measures.pace.Shrunk`.
    """
    is_known = pl.any_horizontal(pl.col(name).is_not_null() for name in by)
    is_group = pl.lit(rates_persons) | (pl.col("n_sellers") >= LEAST_SELLERS)
    is_enough = (pl.col("n") >= LEAST_ENTRIES) & (pl.col("expected") >= LEAST_EXPECTED)
    reason = (
        pl.when(~is_known).then(pl.lit(NOBODY))
        .when(~is_group).then(pl.lit(FEW_SELLERS))
        .when(~is_enough).then(pl.lit(FEW_ENTRIES))
        .when(pl.col("variance") <= 1e-9 * pl.col("expected")).then(pl.lit(ALIKE))
    )  # fmt: skip
    rows = groups.with_columns(reason=reason, observed_ratio=pl.col("observed") / pl.col("expected"))
    told = rows.filter(pl.col("reason").is_null())
    ends = ("ratio", "ratio_low", "ratio_high", "p")
    if told.height < LEAST_GROUPS:
        few = pl.col("reason").fill_null(pl.lit(FEW_GROUPS))
        return Judged(rows.with_columns(few, *(pl.lit(None, pl.Float64).alias(e) for e in ends)), np.empty((DRAWS, 0)))
    error = told["variance"].sqrt() / told["expected"]
    shrunk = Shrunk.of(told["observed_ratio"].to_numpy(), (error**2).to_numpy())
    draws = drawn(shrunk, seed)
    low, high = np.quantile(draws, (0.025, 0.975), axis=0)
    z = (told["observed_ratio"] - 1) / error
    values = {"ratio": np.maximum(shrunk.values, 0), "ratio_low": low, "ratio_high": high,
              "p": 2 * norm.sf(np.abs(z.to_numpy()))}  # fmt: skip
    placed = told.select(by).with_columns(pl.Series(name, value) for name, value in values.items())
    return Judged(rows.join(placed, on=by, how="left", nulls_equal=True, maintain_order="left"), draws)


def drawn(shrunk: Shrunk, seed: int) -> np.ndarray:
    """(DRAWS, groups) ratios as likely as those shrunk, 0 or more."""
    rng = np.random.default_rng(seed)
    step = rng.choice(len(shrunk.weight), DRAWS, p=shrunk.weight)
    common, own = rng.standard_normal((DRAWS, 1)), rng.standard_normal((DRAWS, shrunk.means.shape[1]))
    together = shrunk.pulls[step] * np.sqrt(shrunk.mean_variance[step])[:, None] * common
    return np.maximum(shrunk.means[step] + together + np.sqrt(shrunk.own_variances[step]) * own, 0)


def outside(p: pl.Series) -> pl.Series:
    """Whether each group lies beyond chance, one in twenty of those said to being there by luck.

    Source:
        Jones, Ohlssen & Spiegelhalter (2008), Use of the false discovery rate when comparing multiple health care
        providers, Journal of Clinical Epidemiology 61:232.
    """
    known = p.drop_nulls()
    adjusted = false_discovery_control(known.to_numpy()) if len(known) else np.empty(0)
    is_outside = dict(zip(np.flatnonzero(p.is_not_null().to_numpy()), adjusted <= 0.05, strict=True))
    return pl.Series([is_outside.get(place) for place in range(len(p))], dtype=pl.Boolean)


def limits(expected: pl.Expr, variance: pl.Expr) -> dict[str, pl.Expr]:
    """The limits of a ratio around 1, for so many expected."""
    error = variance.sqrt() / expected
    ends: dict[str, pl.Expr] = {}
    for name, z in LIMITS.items():
        ends |= {f"limit_low{name}": (1 - z * error).clip(0), f"limit_high{name}": 1 + z * error}
    return ends


def funnel(rows: pl.DataFrame) -> pl.DataFrame:
    """The curve of a stage's limits, from the groups told of: `n_expected` and the four limits."""
    told = rows.filter(pl.col("reason").is_null())
    if told.is_empty():
        return pl.DataFrame(schema=dict.fromkeys(("n_expected", *limits(pl.lit(1.0), pl.lit(1.0))), pl.Float64))
    expected = told["expected"].to_numpy()
    grid = pl.DataFrame({"n_expected": np.geomspace(0.8 * expected.min(), 1.1 * expected.max(), 40)})
    each = float(told["variance"].sum()) / float(told["expected"].sum())
    return grid.with_columns(**limits(pl.col("n_expected"), pl.col("n_expected") * each))
