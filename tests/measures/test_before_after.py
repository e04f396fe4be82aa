"""What an action changed, or why that cannot be told."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from scipy.stats import t
from statsmodels.regression.linear_model import OLS

from cadran.book import Reader
from cadran.measures import MEASURES, Question
from cadran.measures import before_after as told
from cadran.tables.measured.trend import BeforeAfter
from cadran.tables.problems import Problem

SELLERS = [f"{region[0]}{n}" for region in ("North", "South") for n in range(6)]
REPS = [
    {"rep_id": s, "valid_from": "2024-01-01", "region": "North" if s[0] == "N" else "South", "hired_date": "2024-01-01"}
    for s in SELLERS
]
DAY = date(2025, 12, 1)
STARTS = [date(2024, 12, 1), date(2025, 6, 1), DAY]
#: By span: what each of six sellers wins more or less than their region's rate.
LUCK = [(-1, 0, 1, -1, 0, 1), (0, 1, -1, 1, -1, 0), (1, -1, 0, 0, 1, -1)]
TRAINING = {"action_id": "t", "date": "2025-12-01", "label": "Training", "scope": "region", "scope_id": "North"}


def deals(rates, per_span=12, sellers=SELLERS):
    """Closed deals of each seller in the six months from each date, won at the rate of region and date, give or take."""
    made = []
    for (region, start), rate in rates.items():
        luck = LUCK[STARTS.index(start)]
        for number, seller in enumerate(s for s in sellers if s[0] == region[0]):
            n_won = round(rate * per_span) + luck[number]
            deal = {"created": "2024-06-01", "rep_id": seller, "amount": 100.0 + 10 * number}
            made += [
                deal | {"status": "won" if n < n_won else "lost", "closed": start + timedelta(days=14 * n % 175)}
                for n in range(per_span)
            ]
    return made


def story(north, south, **more):
    rates = {("North", s): r for s, r in zip(STARTS, north, strict=True)}
    return deals(rates | {("South", s): r for s, r in zip(STARTS, south, strict=True)}, **more)


def ask(book, **options):
    found = MEASURES["before_after"].ask(book, Question(options=options))
    BeforeAfter.validate(found)
    return found


def test_estimate_is_the_clustered_regression_of_statsmodels():
    rng = np.random.default_rng(5)
    rows = [
        (seller, seller % 2, after, float(rng.random() < 0.3 + 0.1 * after + 0.2 * after * (seller % 2) + 0.02 * seller))
        for seller in range(16) for after in (0, 1) for _ in range(10 + seller)
    ]  # fmt: skip
    frame = pl.DataFrame(rows, schema=["seller", "treated", "after", "won"], orient="row")
    sums = frame.group_by("seller", "treated").agg(
        *(pl.col("won").filter(after=a).sum().alias(f"part_{n}") for a, n in enumerate(("before", "after"))),
        *(pl.col("won").filter(after=a).len().alias(f"whole_{n}") for a, n in enumerate(("before", "after"))),
    )

    estimate, (low, high), _ = told.difference_in_differences(
        sums.with_columns(is_treated=pl.col("treated") == 1), "before", "after"
    )

    treated, after = frame["treated"].to_numpy(), frame["after"].to_numpy()
    design = np.column_stack([np.ones(frame.height), treated, after, treated * after])
    fit = OLS(frame["won"].to_numpy(), design).fit(
        cov_type="cluster", cov_kwds={"groups": frame["seller"].to_numpy(), "use_correction": False}
    )
    error = fit.bse[3] * (8 / 7) ** 0.5
    assert estimate == pytest.approx(fit.params[3])
    # Between 7 and 14 degrees of freedom, as Welch has it.
    assert t.ppf(0.975, 14) * error <= (high - low) / 2 <= t.ppf(0.975, 7) * error


def test_a_planted_effect_is_found(make_book):
    book = make_book(story(north=(0.4, 0.4, 0.7), south=(0.5, 0.5, 0.5)), reps=REPS, actions=[TRAINING])

    row = ask(book).row(by_predicate=pl.col("quantity") == "win_rate", named=True)

    assert (row["verdict"], row["reason"], row["is_change"]) == (told.SEPARABLE, None, True)
    assert (row["since"], row["until"]) == (date(2025, 6, 1), date(2026, 5, 31))
    assert [row[f"n_{g}_{s}"] for g in ("treated", "others") for s in ("before", "after")] == [72] * 4
    planted = round(0.7 * 12) / 12 - round(0.4 * 12) / 12
    assert row["effect"] == pytest.approx(planted)
    assert row["effect_low"] <= planted <= row["effect_high"]
    assert row["placebo"] == pytest.approx(0)


def test_who_moves_on_the_day_after_was_there_on_the_day(make_book):
    # Midnight in Paris, which is still the day of the action in UTC.
    after = {"rep_id": "N0", "region": "South", "valid_from": "2025-12-01T23:00:00"}
    book = make_book(
        story(north=(0.4, 0.4, 0.7), south=(0.5, 0.5, 0.5)), reps=[*REPS, REPS[0] | after], actions=[TRAINING],
        settings={"time_zone": "Europe/Paris"},
    )  # fmt: skip

    assert ask(book).row(0, named=True)["n_treated_before"] == 72


def test_money_is_per_seller_and_month_of_presence(make_book):
    reps = [
        rep | ({"hired_date": "2025-03-01", "left_date": "2026-03-01"} if rep["rep_id"] == "N0" else {}) for rep in REPS
    ]
    book = make_book(story(north=(0.4, 0.4, 0.7), south=(0.5, 0.5, 0.5)), reps=reps, actions=[TRAINING])

    row = ask(book).row(by_predicate=pl.col("quantity") == "won_per_seller_month", named=True)

    # Five sellers for 182 days, N0 until 1 March: 91 days.
    won = {n: round(0.7 * 12) + LUCK[2][n] for n in range(6)}
    money = sum(won[n] * (100 + 10 * n) for n in won)
    assert row["treated_after"] == pytest.approx(money / ((5 * 182 + 91) / (365.2425 / 12)))


@pytest.mark.parametrize(
    ("north", "south", "actions", "reason"),
    [
        ((0.4, 0.4, 0.6), (0.4, 0.4, 0.4), [TRAINING | {"scope": "company", "scope_id": None}], told.EVERYBODY),
        ((0.4, 0.4, 0.6), (0.4, 0.4, 0.4), [TRAINING | {"scope": "rep", "scope_id": "N0"}], told.ONE_PERSON),
        ((0.4, 0.4, 0.6), (0.4, 0.4, 0.4), [TRAINING | {"date": "2026-02-01"}], told.TOO_EARLY),
        ((0.2, 0.6, 0.9), (0.5, 0.5, 0.5), [TRAINING], told.APART),
        (
            (0.4, 0.4, 0.6), (0.4, 0.4, 0.4),
            [TRAINING, {"action_id": "p", "date": "2026-01-20", "label": "Prices", "scope": "company"}], told.OVERLAP,
        ),
    ],
)  # fmt: skip
def test_says_why_it_cannot_be_separated(make_book, north, south, actions, reason):
    book = make_book(story(north, south), reps=REPS, actions=actions)

    row = ask(book, action="t").row(0, named=True)

    assert (row["verdict"], row["reason"], row["effect"]) == (told.INSEPARABLE, reason, None)
    assert row["overlaps"] == ("Prices" if reason == told.OVERLAP else None)


def test_too_little_is_said(make_book):
    few = make_book(story((0.4, 0.4, 0.6), (0.4, 0.4, 0.4), per_span=4), reps=REPS, actions=[TRAINING])
    short = make_book(
        [d for d in story((0.4, 0.4, 0.6), (0.4, 0.4, 0.4)) if d["closed"] >= STARTS[1]] , reps=REPS, actions=[TRAINING]
    )  # fmt: skip
    unpriced = make_book(
        [d | {"amount": None} for d in story((0.4, 0.4, 0.6), (0.4, 0.4, 0.4))], reps=REPS, actions=[TRAINING]
    )

    assert ask(few)["reason"].to_list() == [told.TOO_FEW] * 2
    assert ask(short)["reason"].to_list() == [told.NO_HISTORY] * 2
    assert ask(unpriced)["reason"].to_list() == [None, told.UNKNOWN_AMOUNTS]


def test_a_reader_of_the_treated_region_has_nobody_to_compare_with(make_book):
    book = make_book(story((0.4, 0.4, 0.7), (0.5, 0.5, 0.5)), reps=REPS, actions=[TRAINING])

    assert ask(book.scope(Reader("m", regions=frozenset(["North"]))))["reason"][0] == told.EVERYBODY


def test_edges(make_book, on_duckdb):
    book = make_book(story((0.4, 0.4, 0.7), (0.5, 0.5, 0.5)), reps=REPS, actions=[TRAINING])

    for nothing_done in (make_book(), book.as_of(DAY - timedelta(days=1))):
        with pytest.raises(Problem, match=r"date \(actions\)"):
            ask(nothing_done)
    assert MEASURES["before_after"].ask(book, Question(until=DAY - timedelta(days=1))).is_empty()
    assert ask(make_book(actions=[TRAINING]))["reason"].to_list() == [told.EVERYBODY] * 2
    with pytest.raises(Problem, match="no action x"):
        ask(book, action="x")
    with pytest.raises(Problem, match="cannot be split"):
        MEASURES["before_after"].ask(book, Question(by=("region",)))
    assert ask(on_duckdb(book)).equals(ask(book))
