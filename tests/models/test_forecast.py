"""The forecast told: coherent at every level, beside targets and rivals, persons closed, causes that add up to the cent."""

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
import signed
from foreseen import deals, forecast
from polars.testing import assert_frame_equal

from cadran.book import Reader
from cadran.models.forecast_changed import changed
from cadran.models.forecast_needed import needed
from cadran.models.forecast_past import Past
from cadran.models.said import said
from cadran.tables.measured import forecast as tables
from cadran.tables.problems import Problem

DAY = date(2026, 5, 31)
PAST = signed.monthly([100] * 17, date(2025, 1, 1)) + signed.monthly([40] * 17, date(2025, 1, 1), "r3")
OPEN = [
    {"amount": 1000.0, "stage": "Propose", "expected_close_date": date(2026, 6, 9), "rep_id": rep}
    for rep in signed.SELLERS
]


def goal(amount, scope="company", scope_id=None):
    span = {"start_date": date(2026, 4, 1), "end_date": date(2026, 6, 30)}
    return {"target_id": f"{scope}{scope_id}", "valid_from": signed.at(date(2025, 1, 1)), "scope": scope,
            "scope_id": scope_id, "amount": amount} | span  # fmt: skip


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    goals = [goal(900.0), goal(500.0, "region", "North")]
    return signed.book(tmp_path_factory.mktemp("forecast"), [*PAST, *OPEN], day=DAY, targets=goals)


def test_groups_add_up_to_the_company_in_mean_and_in_every_future(book):
    told = forecast(book)
    company = told.table(every="quarter", horizon=12)
    for by in ("region", "team"):
        sums = (
            told.table(by, "quarter", 12)
            .group_by("period", maintain_order=True)
            .agg(pl.col("mean", "won", "n_wins", "crm").sum())
        )
        assert_frame_equal(sums, company.select("period", "mean", "won", "n_wins", "crm"))
    assert np.allclose(told.seen.of("region").sum(axis=1), told.seen.paths.sum(axis=1))
    assert company.columns == tables.Forecast.column_names()
    assert (np.diff(company.select(list(tables.QUANTILES)).to_numpy(), axis=1) >= 0).all()


def test_a_quarter_under_way_counts_what_was_signed_in_it(book):
    row = forecast(book).table(every="quarter", horizon=1).row(0, named=True)

    assert (row["period"], row["until"], row["won"]) == (date(2026, 4, 1), date(2026, 6, 30), 280)
    assert row["n_wins"] == 4 + 4 * 0.5
    # April and May are signed, June as the CRM has it: 4 × 1000 × 50 %.
    assert row["crm"] == 280 + 2000
    assert row["run_rate"] == 3 * 140
    assert row["last_year"] == 3 * 140


def test_a_quarter_that_the_book_does_not_know_whole_has_nobody_beside_it(tmp_path):
    wins = [
        {"status": "won", "closed": day, "created": date(2026, 2, 10)} for day in (date(2026, 2, 20), date(2026, 3, 2))
    ]
    young = forecast(signed.book(tmp_path, [*wins, *OPEN], day=date(2026, 3, 10)))

    assert young.table(every="month", horizon=1)["crm"][0] == 100, "of March all is known"
    assert young.table(every="quarter", horizon=1)["crm"][0] is None, "of the quarter, not what February lacks"


def test_the_chance_to_reach_a_target_is_the_share_of_futures_that_do(book):
    paths = np.zeros((4, 4, 12))
    paths[:, 0, 0] = [100, 619, 620, 900]
    told = forecast(book, paths)

    assert told.table(every="quarter", horizon=1)["p_target"][0] == 0.5, "280 are signed of 900"
    assert told.table(every="quarter", horizon=1, target=1180.0)["p_target"][0] == 0.25
    north = told.table("region", "quarter", 1).filter(group="North").row(0, named=True)
    assert (north["target"], north["p_target"]) == (500, 0.75)
    assert told.table("region", "quarter", 1).filter(group="South")["p_target"][0] is None, "without a target, none"


def test_persons_are_closed_and_a_team_of_one_has_no_name(book):
    told = forecast(book)

    with pytest.raises(Problem, match="closed"):
        told.table("rep")
    with pytest.raises(Problem, match="closed"):
        told.rivals("rep")
    assert told.table("team", horizon=1)["group"].to_list() == ["N1", None]
    opened = replace(told, book=replace(book, rates_persons=True))
    assert opened.table("rep", horizon=1)["group"].to_list() == ["r1", "r2", "r3", "r4"]
    assert opened.table("team", horizon=1)["group"].to_list() == ["N1", "S1", "S2"]
    assert said(opened).filter(level="team")["group"].unique().to_list().count("S1") == 0, "nor in what is kept"


def test_a_reader_of_a_region_sees_theirs_alone(book):
    whole, theirs = forecast(book), forecast(book.scope(Reader("x", regions=frozenset(["North"]))))

    assert_frame_equal(
        theirs.table().select("mean", "crm"), whole.table("region").filter(group="North").select("mean", "crm")
    )
    assert theirs.table("region")["group"].unique().to_list() == ["North"]


ASKED = (
    lambda told: told.table(), lambda told: told.table("region"), lambda told: told.made(), lambda told: told.signed(),
    lambda told: told.rivals(), lambda told: needed(told, target=900.0),
    lambda told: changed(told, told, date(2026, 4, 1), date(2026, 6, 30)),
)  # fmt: skip


@pytest.mark.parametrize("ask", ASKED)
@pytest.mark.parametrize("scope", [{"teams": ["S1"]}, {"teams": ["S2"], "regions": ["East"]}])
def test_what_one_person_alone_would_sign_is_told_to_nobody(book, scope, ask):
    theirs = forecast(book.scope(Reader("x", **{of: frozenset(names) for of, names in scope.items()})), stock=deals())

    with pytest.raises(Problem, match="one person alone sells"):
        ask(theirs)
    opened = replace(theirs, book=replace(theirs.book, rates_persons=True))
    assert opened.table()["mean"].null_count() == 0


def sold_by(told, sellers):
    """The same forecast by other sellers: their rep, team and region."""
    frame = pl.DataFrame(sellers, schema=["rep_id", "team", "region"], orient="row")
    seen = replace(told.seen, sellers=frame, **{
        name: np.ones((*getattr(told.seen, name).shape[:-2], len(frame), 12)) for name in ("paths", "won", "wins")
    })  # fmt: skip
    return replace(told, seen=seen)


def test_a_company_of_one_is_told_to_who_reads_all_of_it_and_nothing_of_it_is_kept(book):
    told = sold_by(forecast(book), [("r1", "N1", "North"), (None, None, None)])

    assert told.table(horizon=1)["mean"].to_list() == [2]
    assert said(told).is_empty()
    of_a_part = replace(told, book=book.scope(Reader("x", regions=frozenset({"North"}))))
    with pytest.raises(Problem, match=r"one person alone sells.*\n.*activate individual"):
        of_a_part.table()


@pytest.mark.parametrize(
    ("sellers", "regions", "teams"),
    [
        # East is one: without the North, the smallest, what is left of the company would be theirs.
        ([("a", "N1", "North"), ("b", "N1", "North"), ("c", "S1", "South"), ("d", "S1", "South"), ("e", "S1", "South"),
          ("f", "E1", "East")], ["South", None], ["S1", None]),
        # The North less its first team would be its second: of one.
        ([("a", "N1", "North"), ("b", "N1", "North"), ("c", "N2", "North"), ("d", "S1", "South"), ("e", "S1", "South")],
         ["North", "South"], ["S1", None]),
        # Nobody's deals are no second person.
        ([("a", "N1", "North"), ("b", "N1", "North"), ("c", "S1", "South"), (None, "S1", "South")], [None], [None]),
    ],
)  # fmt: skip
def test_no_difference_of_groups_is_one_person(book, sellers, regions, teams):
    told = sold_by(forecast(book), sellers)

    assert told.table("region", horizon=1)["group"].to_list() == regions
    assert told.table("team", horizon=1)["group"].to_list() == teams
    assert told.table("team", horizon=1)["mean"].sum() == len(sellers)


def test_who_reads_of_all_but_one_is_not_told_of_the_past_of_the_whole(book):
    judged = pl.DataFrame([{"level": "company", "origin": date(2026, 1, 31)}])
    past = Past(date(2026, 1, 1), date(2026, 3, 1), judged, {})
    told = replace(
        sold_by(forecast(book), [("a", "N1", "North"), ("b", "N1", "North"), ("c", "S1", "South")]), past=past
    )
    north = book.scope(Reader("x", regions=frozenset(["North"])))

    assert told.judged.height == 1
    with pytest.raises(Problem, match="All but one"):
        replace(told, book=north).scores()
    assert replace(told, book=replace(north, rates_persons=True)).judged.height == 1


def test_a_reader_of_regions_and_of_teams_is_told_without_a_target_of_both(book):
    both = forecast(book.scope(Reader("x", regions=frozenset(["North"]), teams=frozenset(["S1", "S2"]))))

    assert both.table(every="quarter", horizon=1)["target"].to_list() == [None]
    assert both.table("region", "quarter", 1).filter(group="North")["target"].to_list() == [500]


def test_where_nobody_sells_there_is_no_group_and_the_company_is_told(book):
    nowhere = forecast(book.scope(Reader("x", regions=frozenset(["East"]))))

    assert nowhere.table("region").is_empty()
    assert nowhere.table()["mean"].to_list() == [0.0] * 6


@pytest.mark.parametrize(
    ("asked", "says"),
    [({"every": "week"}, "week"), ({"by": "product"}, "product"), ({"horizon": 13}, "13"), ({"horizon": 0}, "0")],
)
def test_what_is_not_told_is_refused(book, asked, says):
    with pytest.raises(Problem, match=says):
        forecast(book).table(**asked)


def test_parts_add_up_to_the_mean(book):
    told = forecast(book)
    made = told.made("quarter", 12).group_by("period", maintain_order=True).agg(pl.col("bookings").sum())

    assert made["bookings"].to_list() == pytest.approx(told.table(every="quarter", horizon=12)["mean"].to_list())


def test_pipeline_needed_is_what_brings_enough_futures_there(book):
    paths = np.zeros((400, 4, 12))
    paths[200:, 0, 0] = 300  # 280 signed + 300: half of the futures lack 320, half 620
    stock = deals(*((f"o{n}", 0, 100.0) for n in range(30)))
    chances = np.zeros((30, 12))
    chances[:, 0] = 1.0
    told = needed(forecast(book, paths, stock, chances), horizon=1, wanted=(0.4, 0.5, 0.8))

    assert told.columns == tables.Needed.column_names()
    assert told["gap"].to_list() == [400, 400, 700]
    assert told["pipeline_needed"].to_list() == [3400, 3400, 3700]
    assert told["worth"].to_list() == [1, 1, 1]
    assert needed(forecast(book, paths, stock, chances), horizon=1, target=500.0)["gap"].to_list() == [0, 300]


def test_a_period_that_has_not_begun_is_as_long_as_it_is_however_late_in_the_month(book):
    stock = deals(*((f"o{n}", 0, 100.0) for n in range(30)))
    chances = np.zeros((30, 12))
    chances[:, :2] = [0.02, 0.31]
    late = forecast(book.as_of(date(2026, 5, 28)), np.zeros((400, 4, 12)), stock, chances)
    told = needed(late, every="quarter", horizon=5, target=900.0)
    months = needed(late, every="month", horizon=2, target=900.0)

    worth = dict(months.select("period", "worth").iter_rows())
    assert worth[date(2026, 5, 1)] == pytest.approx(0.02), "what is left of May"
    assert worth[date(2026, 6, 1)] == pytest.approx(0.02 + 0.31 * 28 / 31), "a whole month from today"
    assert told.filter(period=date(2026, 7, 1))["worth"][0] == pytest.approx(0.33)


def test_half_as_sure_deals_take_about_twice_as_many(book):
    stock = deals(*((f"o{n}", 0, 100.0) for n in range(30)))
    chances = np.zeros((30, 12))
    chances[:, 0] = 0.5
    told = needed(forecast(book, np.zeros((4000, 4, 12)), stock, chances), horizon=1, wanted=(0.5, 0.8))

    # 620 are lacking: 7 wins. With n deals, P(Binomial(n, 0.5) >= 7) passes 0.5 at n = 13 (0.5 exactly), 0.8 at 17.
    assert told["gap"].to_list() in ([1300, 1700], [1400, 1700])


def test_what_no_pipeline_brings_is_said(book):
    stock = deals(("o", 0, 100.0))
    told = needed(forecast(book, np.zeros((10, 4, 12)), stock), horizon=1)

    assert told["gap"].null_count() == 2
    assert "No open deal says" in told["reason"][0]


def test_the_causes_of_a_change_add_up_to_the_cent(book, monkeypatch):
    ratios = pl.DataFrame({"opportunity_id": ["a"], "ratio": [1.1]})
    monkeypatch.setattr("cadran.models.forecast_changed._ratios", lambda now, before, until: ratios)
    earlier = book.as_of(date(2026, 5, 12))
    before, now = forecast(earlier, np.full((5, 4, 12), 100.333)), forecast(book, np.full((5, 4, 12), 150.777))
    for told, stock, coming in (
        (before, deals(("a", 0, 100.0), ("b", 0, 200.0), ("c", 2, 300.0), ("d", 3, 50.0)), 10.0),
        (now, deals(("a", 0, 100.0), ("b", 0, 400.0), ("e", 1, 80.0)), 7.0),
    ):
        chances = np.zeros((len(stock), 12))
        chances[:, told.seen.months.index(date(2026, 6, 1))] = [0.5, 0.25, 0.5, 1.0][: len(stock)]
        told.seen.__dict__.update(stock=stock, chances=chances, coming=np.full((4, 12), coming))
    told = changed(now, before, date(2026, 4, 1), date(2026, 6, 30))
    found = {cause: (value, n) for cause, value, n in told.iter_rows()}

    assert told.columns == tables.Changed.column_names()
    assert told["cause"].to_list() == ["opening", *tables.CAUSES, "closing"]
    assert found["opening"] == (942.66, None), "April's 140, and 4 × 100.333 in May and in June"
    assert found["won"] == (140, 2), "signed on 15 May; nothing was expected of them by name"
    assert found["lost"] == (-200, 2)
    assert found["new"] == (40, 1)
    assert found["win_model"] == (5, None), "today's model would have told a tenth more of a"
    assert found["chance_down"] == (-5, 1)
    assert found["amount"] == (50, 1), "b is twice as large, at a chance that stayed"
    assert found["arrivals"] == (4 * 7 - 8 * 10, None)
    cents = [round(100 * value) for value in told["bookings"]]
    assert sum(cents[:-1]) == cents[-1]


def test_a_day_after_the_book_or_without_deals_tells_no_change(book):
    told = forecast(book, stock=deals())
    with pytest.raises(Problem, match="after the book's day"):
        changed(forecast(book.as_of(date(2026, 5, 12))), told, date(2026, 4, 1), date(2026, 6, 30))
    silent = forecast(book, stock=deals(), silent={"bookings": Problem("No chance.", "Wait.")})
    with pytest.raises(Problem, match="No chance"):
        changed(silent, told, date(2026, 4, 1), date(2026, 6, 30))


def test_a_forecast_of_long_ago_that_did_not_reach_the_period_tells_no_change(book):
    then = forecast(book.as_of(date(2025, 6, 12)), stock=deals())
    with pytest.raises(Problem, match="2025-06-12 does not reach"):
        changed(forecast(book, stock=deals()), then, date(2026, 4, 1), date(2026, 6, 30))
