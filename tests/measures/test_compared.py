"""Now, before, and a year ago."""

from datetime import date, timedelta
from itertools import chain

import numpy as np
import polars as pl
import pytest
from statsmodels.stats.rates import confint_poisson_2indep

from cadran.measures import MEASURES, Question
from cadran.measures.compared import _judged, compare
from cadran.tables.measured.compared import Compared
from cadran.tables.problems import Problem

MAY_2026, APRIL_2026, MAY_2025 = ("2026-05-", "2026-04-", "2025-05-")


def closed(month, won, lost, amount=10.0, **more):
    """Won and lost deals of a month, created before everything else."""
    statuses = ["won"] * won + ["lost"] * lost
    return [
        {"created": "2024-01-15", "status": s, "closed": f"{month}{n % 28 + 1:02}", "amount": amount} | more
        for n, s in enumerate(statuses)
    ]


def ask(book, name="win_rate_compared", **question):
    found = MEASURES[name].ask(book, Question(since=date(2026, 5, 1), until=date(2026, 5, 31), **question))
    Compared.validate(found.drop(question.get("by", ())))
    return found


def test_interval_of_a_share_is_newcombes_published_example(make_book):
    # Newcombe (1998), table II, example (a), method 10: 56/70 - 48/80 is 0.0524 to 0.3339.
    book = make_book(closed(MAY_2026, 56, 14) + closed(APRIL_2026, 48, 32))

    row = ask(book).row(by_predicate=pl.col("against") == "previous", named=True)

    assert [round(row[f"difference{end}"], 4) for end in ("", "_low", "_high")] == [0.2, 0.0524, 0.3339]
    assert (row["now"], row["before"], row["n_now"], row["n_before"]) == (0.8, 0.6, 70, 80)
    assert (row["before_since"], row["before_until"]) == (date(2026, 4, 1), date(2026, 4, 30))


def test_a_change_must_stand_among_all_that_are_looked_at(make_book):
    # 56/70 against 48/80 excludes zero alone, and among 2 looks; not among 12.
    months = closed(MAY_2026, 56, 14) + closed(APRIL_2026, 48, 32) + closed(MAY_2025, 48, 32)
    crowd = list(chain.from_iterable(
        closed(month, 5, 5, product=f"p{n}") for n in range(5) for month in (MAY_2026, APRIL_2026, MAY_2025)
    ))  # fmt: skip

    alone = ask(make_book(months))
    crowded = ask(make_book(months + crowd), by=("product",)).filter(pl.col("product").is_null())

    assert (alone["is_change"].to_list(), alone["n_compared"][0]) == ([True, True], 2)
    assert (crowded["is_change"].to_list(), crowded["n_compared"][0]) == ([False, False], 12)
    assert alone["difference_low"].to_list() == crowded["difference_low"].to_list()


def test_interval_of_counts_is_statsmodels(make_book):
    book = make_book(closed(MAY_2026, 30, 0) + closed(APRIL_2026, 18, 0))

    rows = ask(book, "volumes_compared").filter(against="previous")
    row = rows.row(by_predicate=pl.col("quantity") == "n_won", named=True)

    expected = confint_poisson_2indep(30, 1, 18, 1, method="mover", compare="diff", method_mover="score")
    assert (row["difference_low"], row["difference_high"]) == pytest.approx(expected)
    assert row["relative_change"] == pytest.approx(30 / 18 - 1)
    # Deals of one size: the amount's interval is that of the count, in money.
    amount = rows.row(by_predicate=pl.col("quantity") == "amount_won", named=True)
    assert (amount["difference_low"], amount["difference_high"]) == pytest.approx(tuple(10 * x for x in expected))


def test_interval_of_amounts_holds_the_truth_as_often_as_it_says():
    # 1,000 pairs of months from one process: 95 % within 0.02, about three simulation errors.
    rng = np.random.default_rng(3)

    def side():
        amounts = [rng.lognormal(0, 1, rng.poisson(40)) for _ in range(1000)]
        sums = [(a.sum(), (a**2).sum()) for a in amounts]
        return [pl.Series([s[place] for s in sums]) for place in (0, 0, 1)]

    names = ("value", "total", "base")
    both = pl.DataFrame(
        dict(zip(names, side(), strict=True)) | dict(zip([f"{n}_before" for n in names], side(), strict=True))
    )
    both = both.with_columns(
        quantity=pl.lit("amount_won"), kind=pl.lit("flow"), n=40, n_before=40, n_unknown=0, n_unknown_before=0
    )

    held = _judged(both).select((pl.col("difference_low") < 0) & (pl.col("difference_high") > 0)).to_series().mean()

    assert held == pytest.approx(0.95, abs=0.02)


def test_what_stands_open_is_compared_but_not_judged(make_book):
    deals = [{"created": f"2026-0{month}-10", "amount": 100.0} for month in (1, 4, 5, 5)]

    rows = ask(make_book([*deals, {"created": "2026-05-20"}]), "volumes_compared").filter(against="previous")

    kept = ("quantity", "now", "before", "n_unknown_now", "difference_low", "is_change")
    assert rows.filter(pl.col("quantity").str.ends_with("open")).select(kept).rows() == [
        ("n_open", 5.0, 2.0, 0, None, None),
        ("amount_open", 400.0, 200.0, 1, None, None),
    ]


def test_before_the_book_begins_nothing_is_known(make_book):
    deals = [deal | {"created": "2026-03-15"} for deal in closed(MAY_2026, 3, 1)]

    rows = ask(make_book(deals), "volumes_compared").filter(quantity="n_won")

    assert rows.select("against", "now", "before", "difference", "is_change").rows() == [
        ("previous", 3.0, 0.0, 3.0, False),
        ("last_year", 3.0, None, None, None),
    ]


def test_other_periods_and_edges(make_book, on_duckdb):
    book = make_book(closed(MAY_2026, 5, 5, product="a") + closed(APRIL_2026, 5, 5))
    week = Question(since=date(2026, 5, 8), until=date(2026, 5, 14))

    found = MEASURES["win_rate_compared"].ask(book, week)

    assert found["before_since"].to_list() == [week.since - timedelta(days=7), date(2025, 5, 8)]
    assert MEASURES["win_rate_compared"].ask(make_book(), Question()).is_empty()
    assert MEASURES["volumes_compared"].ask(make_book(), Question())["now"].sum() == 0
    with pytest.raises(Problem, match="cannot be compared"):
        compare("coverage", book, week)
    for name in ("volumes_compared", "win_rate_compared"):
        assert ask(on_duckdb(book), name, by=("product",)).equals(ask(book, name, by=("product",)))
