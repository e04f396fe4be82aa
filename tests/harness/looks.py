"""Looks at invented deals, as `cadran.models.landmarks.take` gives them, without a book."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from sklearn import ensemble

from cadran.models.landmarks import ENDED, OPEN, WON, Snapshots

UNTIL = 20_000.0
EVERY = 7.0


def lives(n: int = 600, seed: int = 0, effect: float = 1.0) -> pl.DataFrame:
    """Deals begun over three years; those with a high `tells` are won the oftener, by so many log-odds a unit."""
    random = np.random.default_rng(seed)
    tells = random.normal(0, 1, n)
    wins = 0.005 * np.exp(effect * tells)
    lived = random.exponential(1 / (wins + 0.008))
    begun = UNTIL - random.uniform(3, 1_100, n)
    is_won = random.random(n) < wins / (wins + 0.008)
    end = np.minimum(begun + lived, UNTIL)
    fate = np.where(begun + lived > UNTIL, OPEN, np.where(is_won, WON, ENDED))
    stage = np.where(random.random(n) < 0.5, "Prospect", "Propose")
    kind = random.choice(["new", "renewal"], n)
    return pl.DataFrame(
        {"deal": np.arange(n), "tells": tells, "begun": begun, "end": end, "fate": fate, "stage": stage, "kind": kind}
    )


def looked_at(told: pl.DataFrame, seed: int = 0, until: float = UNTIL, most: int = 2) -> Snapshots:
    """A look or two at each deal while it was open, weekly."""
    random = np.random.default_rng(seed)
    rows = []
    for life in told.iter_rows(named=True):
        days = [day for day in np.arange(until - EVERY, life["begun"], -EVERY) if day < life["end"]]
        taken = random.choice(days, min(most, len(days)), replace=False) if days else []
        rows += [life | {"at": day, "weight": len(days) / len(taken)} for day in taken]
    frame = pl.DataFrame(rows, schema=told.schema | {"at": pl.Float64, "weight": pl.Float64}, orient="row")
    return snapshots(frame, until)


def snapshots(frame: pl.DataFrame, until: float = UNTIL) -> Snapshots:
    """From a row per look: deal, at, end, fate, and what else there is as facts."""
    deal, at, end, fate = (frame[name].to_numpy().copy() for name in ("deal", "at", "end", "fate"))
    instants = [datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in at]
    stage = frame["stage"] if "stage" in frame.columns else pl.Series(["Prospect"] * len(frame), dtype=pl.String)
    facts = pl.DataFrame({
        "opportunity_key": deal, "opportunity_id": [f"d{each}" for each in deal],
        "at": pl.Series(instants, dtype=pl.Datetime("us", "UTC")), "stage": stage,
        "age_days": at - frame["begun"].to_numpy() if "begun" in frame.columns else np.zeros(len(at)),
        "n_meetings": np.expm1(np.abs(frame["tells"].to_numpy())) if "tells" in frame.columns else np.zeros(len(at)),
        "amount_change": (
            np.sign(frame["tells"].to_numpy()) * np.expm1(np.abs(frame["tells"].to_numpy()))
            if "tells" in frame.columns else np.zeros(len(at))
        ),
        "deal_type": frame["kind"] if "kind" in frame.columns else pl.Series(["new"] * len(frame), dtype=pl.String),
        "competitor": pl.Series([None] * len(frame), dtype=pl.String),
    })  # fmt: skip
    weight = frame["weight"].to_numpy().copy() if "weight" in frame.columns else np.ones(len(at))
    return Snapshots(facts, deal, weight, at, end, fate.astype(int), end, until)


def few_trees() -> pytest.MonkeyPatch:
    """Let boosting make 20 trees instead of 150, each counting for more, until undone."""
    patch, whole = pytest.MonkeyPatch(), ensemble.HistGradientBoostingClassifier
    patch.setattr(
        ensemble, "HistGradientBoostingClassifier", lambda **how: whole(**how | {"max_iter": 20, "learning_rate": 0.3})
    )
    return patch
