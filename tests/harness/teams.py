"""Invented teams of sellers with known effects, and what coaching tells of them."""

import numpy as np
import polars as pl

from cadran.models.funnel import beside, judged, outside

N_TEAMS = 12


def entries(seed, spread=0.15, of_sellers=0.1):
    """One row per entry of 12 teams of 4 to 12 sellers, and the true ratio of each team.

    Teams differ by `spread` (standard deviation of the ratio), sellers of a team by `of_sellers`.
    """
    rng = np.random.default_rng(seed)
    ratio = 1 + spread * rng.standard_normal(N_TEAMS)
    rows = []
    for team, n_sellers in enumerate(rng.integers(4, 13, N_TEAMS)):
        for seller in range(n_sellers):
            chance = rng.uniform(0.15, 0.5, rng.integers(6, 25))
            own = ratio[team] * (1 + of_sellers * rng.standard_normal())
            moved = rng.random(len(chance)) < np.clip(chance * own, 0, 1)
            rows += [
                (f"t{team:02}", f"t{team}s{seller}", float(m), p, p * (1 - p))
                for m, p in zip(moved, chance, strict=True)
            ]
    return pl.DataFrame(rows, schema=["team", "rep_id", "observed", "expected", "variance"], orient="row"), ratio


def told(seed, **effects):
    """Whether the interval of each team holds its true ratio, and whether it is said to be beyond chance."""
    rows, ratio = entries(seed, **effects)
    found = judged(beside(rows, ["team"], "rep_id"), ["team"], rates_persons=False).rows
    low, high = found["ratio_low"].to_numpy(), found["ratio_high"].to_numpy()
    return (low <= ratio) & (ratio <= high), outside(found["p"]).to_numpy(), found["ratio"].to_numpy(), ratio
