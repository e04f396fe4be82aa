"""Whom a plan's rows tell of: a reader's own, and no revenue of one person."""

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from cadran.book import Reader
from cadran.models.one_person import check_whole, seen_of
from cadran.models.workforce import Row
from cadran.tables.problems import Problem

#: A team of two and one of one in the North, one of three in the South, one of one in the East.
SELLERS = pl.DataFrame(
    [("a", "N1", "North"), ("b", "N1", "North"), ("c", "N2", "North"), ("d", "S1", "South"), ("e", "S1", "South"),
     ("f", "S1", "South"), ("g", "E1", "East")],
    schema=["rep_id", "team", "region"], orient="row",
)  # fmt: skip
ROWS = [Row("company", None, None)]
ROWS += [Row("region", name, name) for name in ("North", "South", "East")]
ROWS += [
    Row("team", team, region) for team, region in (("N1", "North"), ("N2", "North"), ("S1", "South"), ("E1", "East"))
]
HOLDS = np.array(
    [[row.level == "company" or {"region": region, "team": team}[row.level] == row.group
      for _, team, region in SELLERS.iter_rows()] for row in ROWS]
)  # fmt: skip
WHOLE = SimpleNamespace(reader=None, rates_persons=False)


def shown(book, sellers=SELLERS, holds=HOLDS):
    """Names of the rows that are seen, and of those whose revenue is."""
    seen = seen_of(book, ROWS, holds, sellers)
    names = np.array([row.group or "all" for row in ROWS])
    return names[seen.rows].tolist(), names[seen.revenue].tolist()


def reader(**scope):
    return SimpleNamespace(
        reader=Reader("x", **{of: frozenset(names) for of, names in scope.items()}), rates_persons=False
    )


def test_no_revenue_of_one_person_nor_what_would_leave_it():
    seen, revenue = shown(WHOLE)

    assert seen == ["all", "North", "South", "East", "N1", "N2", "S1", "E1"]
    # The East is one: without another region it would be left. Then the rest, N2 and E1, are two.
    assert revenue == ["all", "South", "N1", "S1"]


def test_where_persons_may_be_rated_all_is_shown():
    assert shown(SimpleNamespace(reader=None, rates_persons=True))[1] == [row.group or "all" for row in ROWS]


def test_a_reader_sees_the_rows_of_their_own_and_the_sum():
    assert shown(reader(regions=["South"])) == (["all", "South", "S1"],) * 2
    assert shown(reader(teams=["N1"])) == (["all", "N1"],) * 2
    assert shown(reader(regions=["North"])) == (["all", "North", "N1", "N2"], ["all", "North"])


def test_what_is_told_of_the_company_less_what_a_reader_is_forecast_is_nobody():
    rest = SELLERS.filter(pl.col("rep_id") != "c")  # all but one are in the North and the South
    holds = HOLDS[:, [place for place, rep in enumerate(SELLERS["rep_id"]) if rep != "c"]]
    theirs = reader(regions=["North", "South"])

    assert "all" not in shown(theirs, rest, holds)[1]
    with pytest.raises(Problem, match="All but one"):
        check_whole(rest, theirs)
    check_whole(SELLERS, reader(regions=["North"]))
    check_whole(SELLERS.head(1), WHOLE)
    with pytest.raises(Problem, match="one person alone"):
        check_whole(SELLERS.head(1), reader(regions=["North"]))


def test_a_team_that_the_forecast_tells_in_one_is_not_told_in_parts_that_leave_one():
    # S1 holds d and e of the South and f of the East; the forecast names it, and of the regions the North.
    places = {"a": "North", "b": "North", "c": "North", "d": "South", "e": "South", "f": "East"}
    sellers = pl.DataFrame({"rep_id": list(places), "region": list(places.values()), "team": ["N1"] * 3 + ["S1"] * 3})
    rows = [Row("company", None, None), *(Row("team", team, region) for team, region in
                                          (("N1", "North"), ("S1", "South"), ("S1", "East")))]  # fmt: skip
    holds = np.array([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 0], [0, 0, 0, 0, 0, 1]], bool)

    assert seen_of(WHOLE, rows, holds, sellers).revenue.tolist() == [True, True, False, False]


def test_a_seller_with_two_places_is_one_person():
    twice = SELLERS.with_columns(pl.col("rep_id").replace({"e": "d", "f": "d"}))

    assert "S1" not in shown(WHOLE, twice)[1]
