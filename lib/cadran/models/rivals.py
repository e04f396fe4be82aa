"""What others do, fitted on the same past: the rules that a win model must beat on later deals to be worth having.

The simplest two, one rate for all and one per stage, are candidates of the model itself.
"""

from collections.abc import Callable, Mapping

import numpy as np
import polars as pl
from scipy.special import expit

Ask = Callable[[pl.DataFrame], np.ndarray]
#: From facts of closed deals as they were on past days (`facts_at`), whether each was won, and how many each stands
#: for, to what tells the win probability (n,) of later facts. Raises ValueError where it has too little to learn from.
Rival = Callable[[pl.DataFrame, np.ndarray, np.ndarray], Ask]

#: What a rule that reads one value of each category reads, the stage first.
SCORED = ("stage", "lead_source", "product", "deal_type", "sector", "segment", "country", "account_region")
#: Added to every count of a value, so that none is 0; and how near to 0 and 1 a score may come.
SMOOTHING, EXTREME = 0.1, 0.0001
#: Values of one category that boosted trees can tell apart.
MOST_VALUES = 255
#: Columns of `facts_at` that are no facts.
KEYS = ("opportunity_key", "opportunity_id", "at")
#: Stand for all teams together, and for the deals of no team: no name of a team is empty or blank.
ALL, NONE = "", " "
TEAM = pl.col("team").cast(pl.String).fill_null(NONE)
AS_TEXT = pl.col(SCORED).cast(pl.String)


def crm_probability(facts: pl.DataFrame, won: np.ndarray, weights: np.ndarray) -> Ask:
    """The chance that the CRM itself sets on a deal's stage; a stage without one gets the share won of all."""
    if not facts["stage_probability"].count():
        raise ValueError("The book has no probability of the CRM's own.")
    overall = float(np.average(won, weights=weights))
    return lambda asked: asked["stage_probability"].cast(pl.Float64).fill_null(overall).to_numpy()


def naive_bayes(facts: pl.DataFrame, won: np.ndarray, weights: np.ndarray) -> Ask:
    """The lead scoring of a well-known open-source CRM, by its published formula; it weighs every closed deal alike.

    Within each team, every closed deal counts once for each value it last had, as won or as lost, and 0.1 is added to
    every count. A won deal counts in all stages, a lost one in those up to its last. The score of a deal is the odds
    of its team times, for each of its values that the team has met, the value's share of the won over its share of the
    lost; unknown and new values say nothing, and a team never met is judged by all teams together.
    """
    if not 0 < won.sum() < len(won):
        raise ValueError("All deals that closed came to the same.")
    last = facts.with_columns(TEAM, AS_TEXT, won=pl.Series(won)).sort("at").unique("opportunity_key", keep="last")
    totals = _with_all(last.group_by("team").agg(*_counts()))
    counts = {}
    for fact in SCORED:
        met = _stages_met(last) if fact == "stage" else last.filter(pl.col(fact).is_not_null())
        counted = _with_all(met.group_by("team", pl.col(fact).alias("value")).agg(*_counts()))
        out_of = totals if fact == "stage" else counted.group_by("team").agg(pl.col("n_won", "n_lost").sum())
        counts[fact] = counted.join(out_of, on="team", suffix="_all").select(
            "team", value="value", log_odds=_log_odds()
        )

    def ask(asked: pl.DataFrame) -> np.ndarray:
        known = asked.select(TEAM, AS_TEXT).with_columns(
            pl.when(pl.col("team").is_in(totals["team"].implode())).then("team").otherwise(pl.lit(ALL))
        )
        score = known.join(totals, on="team", how="left", maintain_order="left").select(
            (pl.col("n_won") / pl.col("n_lost")).log()
        ).to_series()  # fmt: skip
        for fact, table in counts.items():
            found = known.join(
                table, left_on=["team", fact], right_on=["team", "value"], how="left", maintain_order="left"
            )
            score += found["log_odds"].fill_null(0.0)
        return np.clip(expit(score.to_numpy()), EXTREME, 1 - EXTREME)

    return ask


def boosting(facts: pl.DataFrame, won: np.ndarray, weights: np.ndarray) -> Ask:
    """Gradient boosting as it is commonly done: won or lost, on closed deals alone, all alike, as the library sets it.

    It sees every past day of a closed deal that the others see, which is kinder than its values at the end.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    if not 0 < won.sum() < len(won):
        raise ValueError("All deals that closed came to the same.")
    told = [name for name in facts.columns if name not in KEYS and facts[name].count()]
    values = {name: _frequent(facts[name]) for name in told if _is_category(facts[name].dtype)}

    def columns(rows: pl.DataFrame) -> np.ndarray:
        return rows.select(
            pl.col(name).cast(pl.String).replace_strict(values[name], default=None, return_dtype=pl.Float64)
            if name in values else pl.col(name).cast(pl.Float64)
            for name in told
        ).to_numpy()  # fmt: skip

    trees = HistGradientBoostingClassifier(categorical_features=[name in values for name in told], random_state=0)
    with threadpool_limits(1):  # beside other work, threads that wait for one another take several times as long
        trees.fit(columns(facts), won)
    return lambda asked: trees.predict_proba(columns(asked))[:, 1]


RIVALS: Mapping[str, Rival] = {
    "crm probability": crm_probability,
    "naive bayes": naive_bayes,
    "boosting on closed deals": boosting,
}


def _counts() -> tuple[pl.Expr, pl.Expr]:
    return pl.col("won").sum().add(SMOOTHING).alias("n_won"), (~pl.col("won")).sum().add(SMOOTHING).alias("n_lost")


def _with_all(counted: pl.DataFrame) -> pl.DataFrame:
    """Counts of each team, and those of all teams together."""
    by = [name for name in counted.columns if name not in ("team", "n_won", "n_lost")]
    counts = pl.col("n_won", "n_lost").sum()
    together = counted.group_by(by).agg(counts) if by else counted.select(counts)
    return pl.concat([counted, together.with_columns(team=pl.lit(ALL)).select(counted.columns)])


def _stages_met(last: pl.DataFrame) -> pl.DataFrame:
    """A row per deal and stage that it counts in."""
    stages = last.select(stage="stage", position="stage_position").drop_nulls().unique(["stage", "position"])
    reached = last.select("won", "team", reached="stage_position").join(stages, how="cross")
    return reached.filter(pl.col("won") | (pl.col("position") <= pl.col("reached")))


def _log_odds() -> pl.Expr:
    return (pl.col("n_won") / pl.col("n_won_all")).log() - (pl.col("n_lost") / pl.col("n_lost_all")).log()


def _is_category(dtype: pl.DataType) -> bool:
    return isinstance(dtype, pl.String | pl.Enum | pl.Categorical)


def _frequent(said: pl.Series) -> dict[str, int]:
    """The most frequent values, numbered; the others are as good as unknown."""
    counted = said.cast(pl.String).drop_nulls().value_counts(sort=True, name="n").head(MOST_VALUES)
    return {value: number for number, value in enumerate(sorted(counted.to_series(0)))}
