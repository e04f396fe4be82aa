"""What each question tells of an outcome, with its interval; the same by the order of scores alone; where to act first."""

import numpy as np
import polars as pl

from cadran.models.dominance import correlations, dominance, drawn
from cadran.models.ordinal import fit_ordinal
from cadran.tables.measured.drivers import Priority
from cadran.tables.pulse import COMPANY, Release

#: Samples of people drawn anew.
DRAWS = 1000


def estimates(whole: np.ndarray, seed: int, together: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """Estimates and intervals, in the order of the questions.

    Args:
        whole: (people, questions + 1) scores, the outcome last; no question answered alike by all.
        seed: Of the draws.
        together: (groups, questions) which questions rise together; each alone by default.

    Returns:
        `r2`: adjusted R² and its interval; by group `together`, the sum of its slopes, with `_low` and `_high`; by question
        `first_share`, and `dominance`, `r2_share`, `correlation`, `slope` with `_low` and `_high`. R² and dominance are
        less what chance adds; draws less twice that, as each adds it again. In simulations of 100 to 300 people intervals
        held the truth 92 to 95 times in a hundred, and those of a question that tells nothing as often; unadjusted ones
        held that one in none.
    """
    n, k = len(whole), whole.shape[1] - 1
    groups = np.eye(k) if together is None else together
    spread = whole.std(axis=0)
    values = (whole - whole.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    at = correlations(_moments(values)[None])
    lost = (n - 1) / (n - k - 1)
    raw = dominance(at)[0]
    found = _less(raw[None], lost)[0]
    draws, slopes, pairs = [], [], []
    for moments in drawn(values, DRAWS, np.random.default_rng([seed, 20])):
        each = correlations(moments)
        draws.append(dominance(each))
        slopes.append(_slopes(moments))
        pairs.append(each[:, :-1, -1])
    again = np.concatenate(draws)
    twice, scale = _less(again, lost**2), spread[-1] / spread[:-1]
    r2 = 1 - (1 - again.sum(axis=1)) * lost**2
    low, high = np.clip(np.quantile(r2, (0.025, 0.975)), 0, 1)
    at_all = max(1 - (1 - raw.sum()) * lost, 0.0)
    first = np.bincount(again.argmax(axis=1), minlength=k) / len(again)
    slope, slopes_again = _slopes(_moments(values)[None])[0] * scale, np.concatenate(slopes) * scale
    return {
        **_between("together", groups @ slope, slopes_again @ groups.T),
        "r2": np.array([at_all, min(low, at_all), max(high, at_all)]), "first_share": first,
        **_between("dominance", found, twice), **_between("r2_share", _shares(found), _shares(twice)),
        **_between("correlation", at[0, :-1, -1], np.concatenate(pairs)),
        **_between("slope", slope, slopes_again),
    }  # fmt: skip


def _moments(values: np.ndarray) -> np.ndarray:
    each = np.hstack([np.ones((len(values), 1)), values])
    return each.T @ each / len(each)


def _less(raw: np.ndarray, lost: float) -> np.ndarray:
    """Dominance less what chance adds, which each question has an equal part of: it sums to the adjusted R²."""
    return raw - (1 - raw.sum(axis=1, keepdims=True)) * (lost - 1) / raw.shape[1]


def _shares(told: np.ndarray) -> np.ndarray:
    """What is above 0, as shares of its sum; even shares where nothing is."""
    above = np.maximum(told, 0.0)
    total = above.sum(axis=-1, keepdims=True)
    return np.asarray(np.where(total > 0, above / np.where(total > 0, total, 1.0), 1 / told.shape[-1]))


def _slopes(moments: np.ndarray) -> np.ndarray:
    """(..., k) least-squares slopes; of questions that are one, each has an even part."""
    means = moments[..., 0, 1:]
    covariance = moments[..., 1:, 1:] - means[..., :, None] * means[..., None, :]
    inverse = np.linalg.pinv(covariance[..., :-1, :-1], rcond=1e-9, hermitian=True)
    return np.asarray(np.einsum("...ij,...j->...i", inverse, covariance[..., :-1, -1]))


def _between(name: str, value: np.ndarray, draws: np.ndarray) -> dict[str, np.ndarray]:
    low, high = np.quantile(draws, (0.025, 0.975), axis=0)
    return {name: value, f"{name}_low": np.minimum(low, value), f"{name}_high": np.maximum(high, value)}


def by_order(whole: np.ndarray, shares: np.ndarray) -> tuple[np.ndarray | None, float | None]:
    """Shares of what the questions tell of the order of scores, and whether their order is that of `shares`.

    What a subset tells is how much of the likelihood is lost without the others, to the second order around the model
    with all: one fit instead of 2^k, and exact general dominance of its squares.
    """
    spread = whole.std(axis=0)
    model = fit_ordinal((whole[:, :-1] - whole[:, :-1].mean(axis=0)) / spread[:-1], whole[:, -1])
    if model is None:
        return None, None
    told = model.information @ model.slopes
    products = np.block([[model.information, told[:, None]], [told[None], np.array([[model.slopes @ told]])]])
    found = _shares(dominance(products))
    if len(found) < 2:
        return found, None
    one, other = (each.argsort().argsort() for each in (found, shares))
    return found, float(np.corrcoef(one, other)[0, 1])


def by_pairs(values: pl.DataFrame) -> np.ndarray | None:
    """Shares of R² from all pairs of answers given, the outcome last; none where such pairs contradict one another."""
    matrix = np.array([[values.select(pl.corr(a, b)).item() for b in values.columns] for a in values.columns])
    if not np.isfinite(matrix).all() or np.linalg.eigvalsh(matrix).min() <= 0:
        return None
    return _shares(dominance(matrix))


def priorities(rows: pl.DataFrame, release: Release | None) -> pl.DataFrame:
    """Low shares beside strong questions: where to act first."""
    types = dict(Priority.create_empty().schema)
    told = rows.filter(pl.col("rank").is_not_null())
    if release is None or told.is_empty():
        return Priority.create_empty()
    cells = release.cells.filter(pl.col("cut") == COMPANY)
    exact = pl.col("n_high") / pl.col("n")
    known = cells.select(
        "question_id",
        favourable_low=pl.when(pl.col("told") == "exact").then(exact).when(pl.col("told") == "band").then("band_low"),
        favourable_high=pl.when(pl.col("told") == "exact").then(exact).when(pl.col("told") == "band").then("band_high"),
    )
    both = told.select("question_id", "dimension", "r2_share", "r2_share_low", "r2_share_high").join(
        known, on="question_id", how="left", maintain_order="left"
    )
    middle = (pl.col("favourable_low") + pl.col("favourable_high")) / 2
    both = both.with_columns(favourable_share=middle, r2_cut=pl.lit(1 / told.height))
    both = both.with_columns(favourable_cut=pl.col("favourable_share").mean())
    low = pl.when(pl.col("favourable_high") < pl.col("favourable_cut")).then(True).when(
        pl.col("favourable_low") >= pl.col("favourable_cut")).then(False)  # fmt: skip
    both = both.with_columns(is_low=low, is_strong=pl.col("r2_share") > pl.col("r2_cut"))
    quadrant = (
        pl.when(pl.col("is_low").is_null()).then(None)
        .when("is_low", "is_strong").then(pl.lit("act")).when("is_strong").then(pl.lit("keep"))
        .when("is_low").then(pl.lit("watch")).otherwise(pl.lit("leave"))
    )  # fmt: skip
    is_sure = (pl.col("r2_share_low") > pl.col("r2_cut")) | (pl.col("r2_share_high") < pl.col("r2_cut"))
    both = both.with_columns(quadrant=quadrant, is_sure=is_sure)
    return both.select(pl.col(name).cast(each) for name, each in types.items())
