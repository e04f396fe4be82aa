"""What won deals had beside lost ones: at equal age, of each its own, with how many comparisons said."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from scipy.stats import norm
from statsmodels.duration.survfunc import CumIncidenceRight

from cadran.book import SAMPLE, open_book
from cadran.book.held import hold
from cadran.measures import MEASURES, Question
from cadran.tables.measured.process import FACTS, Reference
from cadran.tables.problems import Problem

FIRST = datetime(2026, 1, 5, 9, tzinfo=UTC)


def ask(book, **asked) -> pl.DataFrame:
    return MEASURES["reference"].ask(book, Question(**asked))


def fact(rows: pl.DataFrame, name: str, about: str | None = None) -> dict:
    return rows.filter(pl.col("about").eq_missing(about), fact=name).row(0, named=True)


def on(day: float, number: int = 0) -> datetime:
    """An instant so many days after the creation of deal `number`: one is created each day."""
    return FIRST + timedelta(days=day + number)


def deals_of(n: int, **columns) -> list[dict]:
    """`n` deals, won and lost by turns 50 days after their creation."""
    return [
        {"opportunity_id": f"d{k}", "created": on(0, k), "status": ("won", "lost")[k % 2], "closed": on(50, k),
         "account_id": f"a{k}", **columns}
        for k in range(n)
    ]  # fmt: skip


def touch(number: int, day: float, kind: str = "call", direction: str = "outbound", n: int = 0) -> dict:
    return {"activity_id": f"t{number}-{day}-{kind}-{n}", "opportunity_id": f"d{number}", "kind": kind,
            "direction": direction, "at": on(day, number)}  # fmt: skip


def people(n: int, day: float = 1) -> dict:
    """One contact a deal, from a day on: a director of finance in the won ones, a user of IT in the lost ones."""
    return {
        "contacts": [
            {"contact_id": f"c{k}", "valid_from": "2026-01-01", "account_id": f"a{k}"}
            | ({"job_function": "IT"} if k % 2 else {"job_function": "Finance", "seniority": "Director"})
            for k in range(n)
        ],
        "deal_contacts": [{"opportunity_id": f"d{k}", "contact_id": f"c{k}", "since": on(day, k)} for k in range(n)],
    }


@pytest.fixture(scope="module")
def book(make_book):
    """40 deals. Won ones have three calls by day 30, lost ones two and a meeting on day 40; a client waits a day."""
    touches = [touch(k, 2 + each) for k in range(40) for each in range(3 - k % 2)]
    touches += [touch(k, 40, "meeting") for k in range(1, 40, 2)] + [
        touch(k, 10, "email", "inbound") for k in range(40)
    ]
    touches += [touch(k, 11 + k % 2, "email") for k in range(40)]
    return make_book(deals_of(40), activities=touches, **people(40))


def test_what_came_after_the_age_does_not_count(book):
    rows = ask(book)

    calls, all_of_them = fact(rows, "n_touches", "call"), fact(rows, "n_touches")
    assert (calls["won"], calls["lost"], calls["n_won"], calls["n_lost"]) == (3, 2, 20, 20)
    assert (all_of_them["won"], all_of_them["lost"]) == (5, 4)
    assert fact(rows, "n_touches", "inbound")["won"] == 1
    assert rows.filter(about="meeting").is_empty(), "no deal had met by then"
    assert (calls["basis"], calls["at_age_days"], calls["n_open"], calls["n_early"]) == ("equal_age", 30, 0, 0)


def test_over_whole_lives_what_came_later_counts(book):
    rows = ask(book, options={"over": "whole_life"})

    meetings = fact(rows, "n_touches", "meeting")
    assert (meetings["won"], meetings["lost"], meetings["basis"], meetings["at_age_days"]) == (0, 1, "whole_life", None)
    rival = MEASURES["reference"].rivals[0]
    assert rival.value(book, Question()) == fact(rows, "pushed")["difference"] == 0


def test_waits_are_cut_at_the_age(book):
    rows = ask(book)
    assert (fact(rows, "response_hours")["won"], fact(rows, "response_hours")["lost"]) == (24, 48)
    assert (fact(rows, "response_day")["won"], fact(rows, "response_day")["lost"]) == (1, 0)

    young = ask(book, options={"age_days": 11})
    assert fact(young, "response_day")["won"] == 1
    assert fact(young, "response_hours")["lost"] is None, "after a day nobody has replied to them yet"


def test_contacts_are_those_of_the_age(book, make_book):
    rows = ask(book)
    finance = fact(rows, "has_function", "Finance")
    assert (finance["won"], finance["lost"], finance["difference"], finance["is_difference"]) == (1, 0, 1, True)
    assert fact(rows, "has_senior")["won"] == 1

    late = ask(make_book(deals_of(40), **people(40, day=35)))
    assert fact(late, "n_contacts")["won"] in (0, None)
    assert late.filter(fact="has_function").is_empty()


def test_a_deal_counts_in_each_function_it_involves(book):
    by_function = ask(book, by=("job_function",))

    counted = by_function.filter(pl.col("about").is_null(), fact="n_contacts").select("job_function", "n_won", "n_lost")
    assert counted.rows() == [("Finance", 20, 0), ("IT", 0, 20)]
    of_directors = ask(book, where={"seniority": ("Director",)})
    of_all = fact(of_directors, "n_contacts")
    assert (of_all["n_won"], of_all["n_lost"]) == (20, 0)
    assert of_directors["n_compared"].unique().to_list() == [0]


def test_deals_closed_before_the_age_and_still_open_stand_apart(make_book):
    deals = deals_of(24)
    for number in range(4):
        deals[number]["closed"] = on(20, number)
    deals[4] |= {"status": "open", "closed": None}
    deals[5] |= {"created": None}

    pushed = fact(ask(make_book(deals)), "pushed")
    cycle = fact(ask(make_book(deals)), "cycle_days")

    assert [pushed[f"n_{name}"] for name in ("won", "lost", "open", "early", "unknown")] == [9, 9, 1, 4, 1]
    assert [cycle[f"n_{name}"] for name in ("won", "lost", "open", "early", "unknown")] == [11, 11, 1, 0, 1]


@pytest.fixture(scope="module")
def sample():
    return hold(open_book(SAMPLE))


def test_the_sample_counted_in_a_slow_loop(sample):
    """Every call, and every deal, in plain Python, from the tables as the book tells them."""
    question = Question(where={"deal_type": ("renewal",)})
    row = fact(MEASURES["reference"].ask(sample, question), "n_touches", "call")
    deals = sample.collect(sample.deals(["opportunity_id", "created_at", "closed_at", "status", "deal_type"]))
    versions = sample.collect(sample.table("versions")).rows_by_key("opportunity_id", named=True)
    calls = {}
    for each in (
        sample.collect(sample.table("activities")).filter(pl.col("kind").cast(pl.String) == "call").rows(named=True)
    ):
        calls.setdefault(each["opportunity_id"], []).append(each["at"])
    time, outcome, n_calls = [], [], []
    for deal in deals.rows(named=True):
        at = deal["created_at"] + timedelta(days=30)
        was_open = any(
            v["status"] == "open" and v["valid_from"] <= at and (v["valid_to"] is None or v["valid_to"] > at)
            for v in versions[deal["opportunity_id"]]
        )
        if deal["deal_type"] == "renewal" and was_open and at <= sample.moment:
            time.append(((deal["closed_at"] or sample.moment) - at) / timedelta(days=1))
            outcome.append({"won": 1, "lost": 2, "open": 0}.get(deal["status"], 3))
            n_calls.append(sum(each <= at for each in calls.get(deal["opportunity_id"], ())))

    assert [row["n_won"], row["n_lost"], row["n_open"]] == [outcome.count(code) for code in (1, 2, 0)]
    # Each deal weighs what it adds to the incidence of Aalen and Johansen.
    theirs = CumIncidenceRight(time, outcome)
    steps = dict(zip(theirs.times, [theirs.cinc[0][0], *(theirs.cinc[0][1:] - theirs.cinc[0][:-1])], strict=True))
    won = [(steps[t], n) for t, code, n in zip(time, outcome, n_calls, strict=True) if code == 1]
    assert row["won"] == pytest.approx(sum(w * n for w, n in won) / sum(w for w, _ in won), rel=1e-6)


def test_what_is_planted_in_the_sample_is_found(sample):
    rows = ask(sample, where={"deal_type": ("new",)})

    for name in ("has_senior", "stage_reached"):
        assert rows.filter("is_difference", fact=name).height, name
    of_kinds = [fact(rows, "n_touches", kind)["is_difference"] for kind in ("meeting", "email")]
    assert of_kinds == [True, False], "an unasked e-mail does no more than keep a deal from lapsing"
    assert not rows.filter("is_difference", fact="has_function").height, "functions decide nothing there"
    assert rows["fact"].unique(maintain_order=True).to_list() == list(FACTS)


def test_groups_may_be_any_column_of_deals(book):
    clients = ask(book, by=("client", "status", "closed_month"), where={"client": ("a1", "a2")})

    assert clients.select("client", "status").unique().sort("client").rows() == [("a1", "lost"), ("a2", "won")]


def test_a_difference_is_held_to_all_that_are_looked_at(sample):
    rows = ask(sample, where={"deal_type": ("new",)})

    told = rows.filter(pl.col("difference_low").is_not_null() | pl.col("difference_high").is_not_null())
    assert rows["n_compared"].unique().to_list() == [told.height]
    assert rows["is_difference"].count() == told.height
    # Of means, with hundreds of clients, by how much the normal interval is wider: theirs, on logarithms, nearly so.
    wider = float(norm.isf(0.025 / told.height) / norm.isf(0.025))
    alone = pl.col("difference").abs() / (pl.col("difference_high") - pl.col("difference"))
    clear = told.filter(statistic="mean").filter((alone / wider - 1).abs() > 0.1)
    assert clear["is_difference"].to_list() == clear.select(is_apart=alone > wider)["is_apart"].to_list()
    assert clear.filter(alone > 1).height > clear["is_difference"].sum() > 0, "some differ taken alone only"


def test_an_age_or_basis_that_is_none_is_refused(book):
    with pytest.raises(Problem, match="whole_lives is no value of the option over"):
        ask(book, options={"over": "whole_lives"})
    with pytest.raises(Problem, match="Give 1 or more"):
        ask(book, options={"age_days": 0})


BAD = {
    "no won deal": (lambda: [deal for deal in deals_of(40) if deal["status"] == "lost"], {}),
    "no lost deal": (lambda: [deal for deal in deals_of(40) if deal["status"] == "won"], {}),
    "all open": (lambda: [deal | {"status": "open", "closed": None} for deal in deals_of(40)], {}),
    "all dates equal": (lambda: [deal | {"created": on(0), "closed": on(0)} for deal in deals_of(40)], {}),
    "twelve deals": (lambda: deals_of(12), people(12)),
    "closing before activity": (lambda: deals_of(40), {"activities": [touch(k, 70) for k in range(40)]}),
    "closing before creation": (lambda: [deal | {"created": on(60, 3)} for deal in deals_of(40)], {}),
    "no creation date": (lambda: [deal | {"created": None} for deal in deals_of(40)], people(40)),
    "no client": (lambda: [deal | {"account_id": None} for deal in deals_of(40)], {}),
    "one client": (lambda: deals_of(40, account_id="a1"), {}),
    "one stage": (
        lambda: deals_of(40), {"stages": [{"stage": s, "position": p, "kind": k, "is_qualified": True} for s, p, k in
                                          (("Prospect", 0, "open"), ("Won", 1, "won"), ("Lost", 2, "lost"))]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_told_is_not(name, make_book):
    make, tables = BAD[name]
    rows = ask(make_book(make(), **tables))

    Reference.validate(rows)
    few = (pl.col("n_won") < 10) | (pl.col("n_lost") < 10)
    assert rows.filter(few, pl.col("difference").is_not_null()).is_empty()
    assert rows.filter(pl.col("is_difference").is_null() != pl.all_horizontal(
        pl.col("difference_low", "difference_high").is_null())).is_empty()  # fmt: skip
    if name == "no creation date":
        assert rows["n_unknown"].unique().to_list() == [40]
    if name in ("twelve deals", "one client", "no creation date"):
        assert rows["n_compared"].sum() == 0
    if name == "no client":
        assert fact(rows, "cycle_days")["n_won"] == 20
