"""The rules to beat, against their formulas in plain loops."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from cadran.models.rivals import KEYS, RIVALS, SCORED

STAGES = ["Prospect", "Qualify", "Propose"]


def facts(n=400, seed=1):
    """Past days of deals: their facts, whether each was won, weights. Won more often late in the pipeline and in `A`."""
    random = np.random.default_rng(seed)
    place, product = random.integers(0, 3, n), random.choice(["A", "B", "C"], n)
    won = random.random(n) < 0.15 + 0.2 * place + 0.2 * (product == "A")
    key = np.arange(n)
    team, source = (random.choice([*names, None], n).tolist() for names in (["North", "South"], ["Web", "Fair"]))
    rows = pl.DataFrame({
        "opportunity_key": key, "opportunity_id": [f"d{each}" for each in key],
        "at": [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=int(each)) for each in key],
        "stage": [STAGES[each] for each in place], "stage_position": place, "product": product,
        "stage_probability": [[0.1, None, 0.6][each] for each in place],
        "team": team, "lead_source": source,
        "deal_type": pl.Series(random.choice(["new", "renewal"], n), dtype=pl.Enum(["new", "expansion", "renewal"])),
        "has_senior": random.random(n) < 0.5, "amount": random.lognormal(9, 1, n),
        **{name: pl.Series([None] * n, dtype=pl.String) for name in ("sector", "segment", "country", "account_region")},
    })  # fmt: skip
    return rows, won, np.ones(n)


def plain_bayes(rows, won, asked):
    """The formula, deal by deal."""
    rows, teams = rows.to_dicts(), {row["team"] for row in rows.to_dicts()}

    def counts(team, fact, value):
        total = [0.0, 0.0]
        for each in [team] if team in teams else teams:
            found = [0, 0]
            for row, is_won in zip(rows, won, strict=True):
                if row["team"] != each:
                    continue
                reached = STAGES.index(row["stage"]) >= STAGES.index(value) if fact == "stage" else row[fact] == value
                found[not is_won] += reached or (fact == "stage" and is_won)
            if fact == "stage" or sum(found):
                total = [total[0] + found[0] + 0.1, total[1] + found[1] + 0.1]
        return total

    odds = 1.0
    team_won, team_lost = counts(asked["team"], "stage", STAGES[0])
    odds = team_won / team_lost
    for fact in ("stage", "product", "lead_source", "deal_type"):
        if asked[fact] is None:
            continue
        n_won, n_lost = counts(asked["team"], fact, asked[fact])
        if n_won == 0:
            continue
        values = {row[fact] for row in rows} - {None}
        every = [counts(asked["team"], fact, value) for value in values]
        all_won, all_lost = (team_won, team_lost) if fact == "stage" else np.sum(every, axis=0)
        odds *= (n_won / all_won) / (n_lost / all_lost)
    return odds / (1 + odds)


def test_naive_bayes_is_the_published_formula():
    rows, won, weights = facts()
    asked = facts(40, seed=2)[0].with_columns(
        team=pl.Series(["North", None, "South", "Elsewhere"] * 10), product=pl.Series(["A", "B", "C", "Z"] * 10)
    )
    said = RIVALS["naive bayes"](rows, won, weights)(asked)

    assert said == pytest.approx([plain_bayes(rows, won, row) for row in asked.to_dicts()])
    assert said.std() > 0.05


def test_naive_bayes_counts_a_deal_once_as_it_last_was():
    rows, won, weights = facts()
    earlier = rows.with_columns(at=pl.col("at") - pl.duration(days=900), product=pl.lit("C"), stage=pl.lit("Prospect"))
    both = pl.concat([rows, earlier])

    said = RIVALS["naive bayes"](both, np.tile(won, 2), np.tile(weights, 2))(rows)

    assert said == pytest.approx(RIVALS["naive bayes"](rows, won, weights)(rows))


def test_the_crm_is_taken_at_its_word():
    rows, won, weights = facts()
    weights[won] = 2
    said = RIVALS["crm probability"](rows, won, weights)(rows[:9])

    overall = 2 * won.sum() / (won.sum() + len(won))
    assert said.tolist() == [overall if each is None else each for each in rows["stage_probability"][:9]]
    with pytest.raises(ValueError, match="no probability"):
        RIVALS["crm probability"](rows.with_columns(stage_probability=None), won, weights)


def test_boosting_is_the_librarys_own_on_what_it_is_given():
    rows, won, weights = facts()
    said = RIVALS["boosting on closed deals"](rows, won, weights)(rows)

    told = [name for name in rows.columns if name not in KEYS and rows[name].count()]
    codes = pl.Enum([*STAGES, "A", "B", "C", "Fair", "North", "South", "Web"])
    known = rows.select(told).with_columns(pl.col(pl.String).cast(codes))
    names = [name for name in told if known[name].dtype in (codes, rows["deal_type"].dtype)]
    ready = known.select(pl.col(name).to_physical() if name in names else pl.col(name).cast(float) for name in told)
    theirs = HistGradientBoostingClassifier(categorical_features=[name in names for name in told], random_state=0)
    with threadpool_limits(1):
        theirs.fit(ready.to_numpy(), won)
    assert said == pytest.approx(theirs.predict_proba(ready.to_numpy())[:, 1])


@pytest.mark.parametrize("name", RIVALS)
def test_what_was_never_met_and_what_is_unknown_are_ordinary(name):
    rows, won, weights = facts()
    strange = rows[:6].with_columns(
        *(pl.lit(None, rows[fact].dtype).alias(fact) for fact in (*SCORED, "team", "amount", "stage_probability"))
    )
    renamed = rows[:6].with_columns(
        stage=pl.lit("Négociation"), stage_position=pl.lit(7, pl.Int64), team=pl.lit("New team")
    )

    said = RIVALS[name](rows, won, weights)(pl.concat([strange, renamed]))

    assert said.shape == (12,)
    assert ((said > 0) & (said < 1)).all()


def test_more_values_than_trees_can_tell_apart():
    rows, won, weights = facts()
    many = rows.with_columns(country=pl.Series([f"country {each}" for each in range(400)]))

    assert np.isfinite(RIVALS["boosting on closed deals"](many, won, weights)(many)).all()


@pytest.mark.parametrize("name", ["naive bayes", "boosting on closed deals"])
def test_one_outcome_alone_teaches_nothing(name):
    rows, won, weights = facts()

    with pytest.raises(ValueError, match="came to the same"):
        RIVALS[name](rows, np.zeros_like(won), weights)
