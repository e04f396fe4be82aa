"""Anchors on a real CRM export, counted apart in its raw file."""

import csv
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight
from statsmodels.stats.proportion import proportion_confint

from cadran.book import Book, open_book, write_book
from cadran.measures import MEASURES, Question, availability
from cadran.sources import deliver
from cadran.sources.mapping import load_mapping
from cadran.tables.problems import Problem

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "maven_crm"
pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="the export is not beside this checkout")


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Book:
    folder = tmp_path_factory.mktemp("maven")
    delivery = deliver(load_mapping("maven_crm"), FOLDER)
    write_book(folder, delivery, written_at=delivery.settings.taken)
    return open_book(folder)


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with (FOLDER / "sales_pipeline.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def days(row: dict[str, str], until: date | None = None) -> int:
    end = date.fromisoformat(row["close_date"]) if row["close_date"] else until
    return (end - date.fromisoformat(row["engage_date"])).days


def test_volumes_and_revenue(book):
    volumes = MEASURES["volumes"].ask(book, Question()).row(0, named=True)
    revenue = MEASURES["revenue"].ask(book, Question()).row(0, named=True)

    assert (volumes["n_open"], volumes["n_won"], volumes["n_lost"]) == (2089, 4238, 2473)
    assert (volumes["amount_won"], volumes["amount_open"], volumes["amount_lost"]) == (10_005_534, None, None)
    assert revenue == {"n_won": 4238, "n_won_unknown": 0, "revenue": 10_005_534}


def test_win_rate(book):
    rate = MEASURES["win_rate"].ask(book, Question()).row(0, named=True)

    assert rate["win_rate"] == pytest.approx(4238 / 6711)
    assert (rate["win_rate_low"], rate["win_rate_high"]) == pytest.approx(
        proportion_confint(4238, 6711, method="wilson")
    )
    rivals = {rival.name: rival.value(book, Question()) for rival in MEASURES["win_rate"].rivals}
    assert rivals["With open deals"] == pytest.approx(4238 / 8800)


def test_win_rate_by_value_is_refused(book):
    assert availability(book, [MEASURES["win_rate_by_value"]])["available"].to_list() == ["impossible"]
    with pytest.raises(Problem, match="0/2473"):
        MEASURES["win_rate_by_value"].ask(book, Question())


def test_sizes_and_cycles_equal_numpy(book, rows):
    for name, status in (("won", "Won"), ("lost", "Lost")):
        closed = [row for row in rows if row["deal_stage"] == status]
        cycle = MEASURES["cycle"].ask(book, Question()).filter(outcome=name).row(0, named=True)
        cycles = [days(row) for row in closed]
        expected = (len(closed), np.mean(cycles), np.median(cycles), np.quantile(cycles, 0.9))
        assert (cycle["n"], cycle["mean_days"], cycle["median_days"], cycle["p90_days"]) == pytest.approx(expected)
    won = [float(row["close_value"]) for row in rows if row["deal_stage"] == "Won"]
    size = MEASURES["deal_size"].ask(book, Question()).filter(outcome="won").row(0, named=True)
    assert (size["n"], size["mean"], size["median"]) == pytest.approx((4238, np.mean(won), np.median(won)))
    assert size["mean_low"] < size["mean"] < size["mean_high"]


def test_time_to_close_equals_statsmodels(book, rows):
    known = [row for row in rows if row["engage_date"]]
    time = np.array([days(row, book.day) for row in known])
    theirs = SurvfuncRight(time, np.array([bool(row["close_date"]) for row in known]).astype(int))

    ours = MEASURES["time_to_close"].ask(book, Question()).row(0, named=True)

    assert (ours["n_open"], ours["n_unknown"]) == (1589, 500)
    assert [ours[f"{name}_days"] for name in ("p25", "median", "p75")] == [
        theirs.quantile(share) for share in (0.25, 0.5, 0.75)
    ]


def test_reference_of_one_row_a_deal(book, rows):
    """No history, no touch, no contact: only the cycle is told, weighed for the deals still open."""
    known = [row for row in rows if row["engage_date"]]
    # An open deal is followed to the end of the last day.
    time = np.array([days(row, book.day) + (0 if row["close_date"] else 0.9) for row in known])
    theirs = CumIncidenceRight(time, [{"Won": 1, "Lost": 2}.get(row["deal_stage"], 0) for row in known])
    half = [theirs.times[np.argmax(incidence >= incidence[-1] / 2)] for incidence in theirs.cinc]

    told = MEASURES["reference"].ask(book, Question())

    cycle = told.filter(fact="cycle_days").row(0, named=True)
    assert (cycle["n_won"], cycle["n_lost"], cycle["n_open"], cycle["n_unknown"]) == (4238, 2473, 1589, 0)
    assert [cycle["won"], cycle["lost"]] == half == [59, 15]
    others = told.filter(told["fact"] != "cycle_days")
    assert others.filter(others["won"].is_not_null() | others["lost"].is_not_null()).is_empty()


def test_clients(book, rows):
    won = {}
    for row in rows:
        if row["deal_stage"] == "Won":
            won[row["account"]] = won.get(row["account"], 0.0) + float(row["close_value"])

    concerned = MEASURES["clients_concerned"].ask(book, Question()).row(0, named=True)

    assert concerned["n_clients"] == len({row["account"] for row in rows if row["account"]})
    assert concerned["n_clients_won"] == len(won)
    assert concerned["n_unknown"] == sum(not row["account"] for row in rows)
    index = MEASURES["concentration_index"].ask(book, Question()).row(0, named=True)
    ranking = MEASURES["client_concentration"].ask(book, Question())
    with (FOLDER / "accounts.csv").open(encoding="utf-8") as file:
        parent = {row["account"]: row["subsidiary_of"] or row["account"] for row in csv.DictReader(file)}
    groups = {}
    for account, amount in won.items():
        groups[parent[account]] = groups.get(parent[account], 0.0) + amount
    shares = sorted((amount / 10_005_534 for amount in groups.values()), reverse=True)
    assert (index["n_clients"], index["herfindahl"]) == pytest.approx((len(groups), sum(share**2 for share in shares)))
    assert index["top_share"] == pytest.approx(sum(shares[:10]))
    assert ranking["revenue_share"].to_list() == pytest.approx(shares)
