"""What is proposed about open deals: gaps by hand from a model of known coefficients, the rule, the list that fits."""

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from types import SimpleNamespace

import narwhals as nw
import numpy as np
import polars as pl
import pytest
from known import Known, model_of
from scipy.stats import norm

from cadran.book import SAMPLE, open_book
from cadran.book.held import hold
from cadran.measures.signals import SIGNALS, signals
from cadran.models import actions as proposed
from cadran.models import effort
from cadran.models.actions import ASKED, Terms, actions, within
from cadran.models.card import is_told, silent
from cadran.models.effort import MINUTES, hours_left, hours_of, minutes
from cadran.models.gaps import COMMON, PULLS, Gaps, gaps, had_more
from cadran.models.hazards import Rates
from cadran.models.landmarks import N_PERIODS
from cadran.models.reasons import chances
from cadran.models.typical import looks
from cadran.models.win import open_facts
from cadran.tables.measured.actions import LEVERS, Action
from cadran.tables.problems import Problem


@pytest.fixture(scope="module")
def book():
    return hold(open_book(SAMPLE))


@pytest.fixture(scope="module")
def facts(book):
    return open_facts(book)


@pytest.fixture(scope="module")
def listed(book):
    return actions(book, model_of(Known()), Terms(margin=0.5, cost_per_hour=40))


def logistic(x):
    return 1 / (1 + math.exp(-x))


def test_a_gap_is_the_difference_the_lever_makes_by_hand(book, facts):
    model = model_of(Known())
    found = gaps(model, book, facts, chances(model, facts))
    turn, slopes = list(PULLS).index("contact"), np.random.default_rng(0).normal(0.8, 0.1, 200)

    lacks = np.flatnonzero(np.isfinite(found.raw[turn]))
    assert 100 < len(lacks) < len(facts)
    for place in lacks[:40]:
        n = facts["n_contacts"][int(place)]
        assert found.raw[turn, place] == pytest.approx(logistic(-2 + 0.8 * (n + 1)) - logistic(-2 + 0.8 * n), abs=1e-6)
        drawn = [logistic(-2 + each * (n + 1)) - logistic(-2 + each * n) for each in slopes]
        assert found.error[turn, place] == pytest.approx(np.std(drawn, ddof=1), abs=1e-6)
    others = [turn for turn, name in enumerate(PULLS) if name in ("answer", "meet")]
    assert np.nanmax(np.abs(found.raw[others])) == 0, "what the model does not look at makes no gap"


def test_a_lever_is_looked_at_where_won_deals_had_more(book, facts):
    won = looks(book).filter("is_won")
    share, n = had_more(won, facts, PULLS["contact"].has)

    had = won.select("stage", "n_contacts").drop_nulls()
    rows = facts.select("stage", "n_contacts").with_columns(share=pl.Series(share), n=pl.Series(n))
    assert rows.unique().height == rows.unique(["stage", "n_contacts"]).height > 10
    for stage, own, told, behind in rows.unique().drop_nulls().iter_rows():
        theirs = had.filter(stage=stage)["n_contacts"].to_list()
        assert behind == len(theirs)
        assert told == pytest.approx(sum(contacts > own for contacts in theirs) / len(theirs))


def test_money_is_gain_times_amount_times_margin_less_the_effort(listed, book):
    claimed = listed.filter(pl.col("gain").is_not_null(), pl.col("amount").is_not_null())

    assert claimed.height > 20
    assert {"contact"} <= set(claimed["lever"]) <= {"contact", "decision_maker"}
    for row in claimed.iter_rows(named=True):
        effort = hours_of(book)[row["lever"]]
        for end in ("", "_low", "_high"):
            assert row[f"gap{end}"] == pytest.approx(row[f"gain{end}"] * row["amount"] * 0.5 - effort * 40)
        assert row["gap_low"] <= row["gap"] <= row["gap_high"]
        assert row["gap_per_hour"] == pytest.approx(row["gap"] / effort)
        assert row["won_share"] >= COMMON
    Action.validate(listed)


def test_the_picked_gap_is_not_the_luckiest():
    rng = np.random.default_rng(1)
    error = np.full((4, 20_000), 0.02)
    found = Gaps(rng.normal(0, error), error, error, error, error)  # no lever does anything
    best = found.shrunk.argmax(axis=0), np.arange(20_000)

    assert found.raw.max(axis=0).mean() == pytest.approx(1.029 * 0.02, rel=0.03), (
        "the best of four by luck (David, 1981)"
    )
    assert found.shrunk[best].mean() < 0.6 * found.raw.max(axis=0).mean()
    covers = np.abs(found.raw[best]) <= found.width[best]
    assert found.width[0, 0] == pytest.approx(norm.ppf(1 - 0.025 / 4) * 0.02)
    assert covers.mean() >= 0.945


LIKELY = {"probability": 0.6, "low": 0.5, "high": 0.7}
DULL = {"probability": 0.2, "low": 0.1, "high": 0.3}
SURE, UNSURE = {"gain": 0.1, "gain_low": 0.05}, {"gain": 0.02, "gain_low": -0.01}


@pytest.mark.parametrize(
    ("row", "action", "lever"),
    [
        (DULL | SURE, "push", "meet"),
        (DULL | UNSURE, "watch", None),
        (DULL | SURE | {"amount": 500.0}, "watch", None),  # 0.1 × 500 is less than an hour's 60
        (DULL | SURE | {"amount": None}, "push", "meet"),
        (LIKELY | SURE | {"signals": ["competitor"]}, "secure", "meet"),
        (LIKELY | SURE, "push", "meet"),
        (LIKELY | {"signals": ["stalled", "client_waits"], "asked": "answer"}, "secure", "answer"),
        (LIKELY, "watch", None),
        (LIKELY | {"probability": 0.49, "signals": ["stalled"], "asked": "meet"}, "watch", None),
        (DULL | {"signals": ["overdue"], "asked": "redate"}, "watch", "redate"),
        (DULL | SURE | {"amount": 399.0}, "leave", "stop"),  # 0.3 × 399 < 2 h × 60
        (DULL | {"amount": 401.0}, "watch", None),
        (DULL | {"amount": None}, "watch", None),
        (LIKELY | {"signals": ["overdue"], "amount": 0.0}, "leave", "stop"),
    ],
)
def test_the_first_rule_that_holds(row, action, lever):
    blank = {"amount": 10_000.0, "hours_left": 2.0, "cost": 60.0, "signals": [], "asked": None, "is_beyond": False}
    blank |= {"gain": None, "gain_low": None, "gain_high": 0.2, "won_share": 0.5, "n_won": 40}
    full = blank | row
    full["best"] = "meet" if full["gain"] else None
    types = {"amount": pl.Float64, "gain": pl.Float64, "gain_low": pl.Float64, "best": pl.String, "asked": pl.String}
    types["signals"] = pl.List(pl.String)

    told = proposed._decided(pl.DataFrame([full], schema_overrides=types), Terms()).row(0, named=True)

    assert (told["action"], told["lever"]) == (action, lever)
    if lever == "stop":
        for gap, of in (("gap", "probability"), ("gap_low", "high"), ("gap_high", "low")):
            assert told[gap] == pytest.approx(120 - full[of] * full["amount"]), "what stopping saves"
    elif lever != "meet" or full["amount"] is None:
        assert told["gap"] is None
        assert lever == "meet" or told["gain"] is None, "no gain is claimed"


def test_unknown_amounts_come_after_the_others_by_gain(book, monkeypatch):
    cut = open_facts(book).with_columns(amount=pl.when(pl.col("opportunity_key") % 2 == 0).then("amount"))
    monkeypatch.setattr(proposed, "open_facts", lambda _: cut)
    listed = actions(book, model_of(Known()))
    unknown = listed.filter(pl.col("amount").is_null(), pl.col("lever") == "contact")

    assert unknown["gap"].null_count() == unknown.height > 10
    assert unknown["rank"].min() > listed.filter(pl.col("gap").is_not_null())["rank"].max()
    pushed = unknown.filter(pl.col("action") == "push")
    assert pushed["gain"].to_list() == sorted(pushed["gain"], reverse=True)


def test_beyond_what_was_seen_is_said(book, facts):
    held = actions(book, model_of(Known(most=2)))
    n = dict(facts.select("opportunity_id", "n_contacts").iter_rows())
    pulled = held.filter(pl.col("lever") == "contact")

    assert pulled["extrapolates"].to_list() == [n[deal] == 2 for deal in pulled["opportunity_id"]]
    assert 0 < pulled["extrapolates"].sum() < pulled.height


def test_the_simple_rates_tell_no_chance_of_a_deal_older_than_any_that_closed(book):
    rates, facts = model_of(Rates({}, np.ones((1, N_PERIODS, 3)))), open_facts(book)
    of_age, logit = replace(rates, card=replace(rates.card, oldest=60.0)), model_of(Known())

    listed = actions(book, of_age)

    old = set(facts.filter(pl.col("age_days") > 60)["opportunity_id"])
    assert 0 < len(old) < len(facts)
    assert set(listed.filter(pl.col("probability").is_null())["opportunity_id"]) == old
    assert "60 days" in str(silent(of_age))
    assert is_told(rates, facts).all()
    assert silent(rates) is None
    unknown = facts.with_columns(age_days=pl.lit(None, pl.Float64))
    assert not is_told(of_age, unknown).any()
    assert is_told(replace(logit, card=of_age.card), unknown).all()  # it knows ages, and what an unknown one tells


def test_the_simple_rates_claim_no_lever(book):
    rates = Rates({}, np.ones((1, N_PERIODS, 3)))
    listed = actions(book, model_of(rates))
    shown = signals(book).group_by("opportunity_id").agg(pl.col("signal").sort_by(pl.col("signal")))
    shown = dict(shown.iter_rows())

    assert set(ASKED) == set(SIGNALS), "every signal asks for something"
    assert set(listed["action"]) == {"watch"}
    assert listed.select("gain", "gap", "gap_per_hour", "won_share").null_count().row(0) == (listed.height,) * 4
    for deal, lever in listed.select("opportunity_id", "lever").iter_rows():
        asked = [levers for name, levers in ASKED.items() if name in shown.get(deal, [])]
        assert lever == (asked[0] if asked else None)
    Action.validate(listed)


def test_a_model_that_sees_nothing_in_a_lever_pushes_nothing(book):
    assert "push" not in set(actions(book, model_of(Known(slope=0.0, doubt=0.01)))["action"])


@pytest.fixture(scope="module")
def stated(book):
    return actions(book, model_of(Known()), Terms(hours_left=400))


def test_deals_to_leave_come_last_and_take_no_hour(stated):
    listed, leave = stated, stated.filter(pl.col("action") == "leave")

    assert 5 < leave.height < listed.height - 5
    assert leave["rank"].to_list() == list(range(listed.height - leave.height + 1, listed.height + 1))
    assert leave["gap"].to_list() == sorted(leave["gap"], reverse=True)
    assert set(leave["hours"]) == {0.0}
    assert leave["gap_per_hour"].null_count() == leave.height
    assert within(listed, 0).filter("fits")["opportunity_id"].to_list() == leave["opportunity_id"].to_list()


def test_hours_that_a_person_states_stand_for_all_deals(stated, listed):
    assert not listed["is_assumed"].any()
    assert stated.select("hours_left", "is_assumed").unique().rows() == [(400.0, True)]
    assert (stated["action"] == "leave").sum() > (listed["action"] == "leave").sum()


@pytest.mark.parametrize(
    ("day", "soon", "later"),
    [
        (date(2025, 7, 11), date(2025, 7, 15), date(2025, 7, 21)),  # a Friday; Monday is the 14th of July
        (date(2026, 6, 27), date(2026, 6, 29), date(2026, 7, 3)),  # a Saturday
    ],
)
def test_what_is_due_is_due_on_a_business_day(book, day, soon, later):
    due = actions(book.as_of(day), model_of(Known())).group_by("lever").agg(pl.col("due_date").unique())
    told = dict(due.iter_rows())

    assert told["contact"] == told["redate"] == [later]
    assert told[None] == [None]
    answered = actions(book.as_of(day), model_of(Rates({}, np.ones((1, N_PERIODS, 3)))))
    assert answered.filter(pl.col("lever") == "answer")["due_date"].unique().to_list() == [soon]


@pytest.mark.parametrize("hours", [0, 1, 7.5, 1e6])
def test_the_list_is_what_fits(listed, hours):
    cut = within(listed, hours)
    used = cut.filter("fits")["hours"].sum()

    assert cut["rank"].to_list() == listed["rank"].to_list()
    assert used <= hours + 1e-6
    rest = cut.filter(~pl.col("fits"), pl.col("hours").is_not_null())["hours"]
    assert rest.is_empty() or rest.min() > hours - used - 1e-6, "nothing that would fit is left"


def test_greedy_loses_less_than_the_first_task_passed_over():
    rng = np.random.default_rng(3)
    for _ in range(20):
        hours, worth = rng.uniform(0.3, 2, 8).round(2), rng.uniform(1, 100, 8)
        order = np.argsort(-worth / hours)
        frame = pl.DataFrame({"rank": range(1, 9), "hours": hours[order], "gap": worth[order]})
        cut = within(frame, 4)
        best = max(
            worth[list(some)].sum()
            for n in range(9)
            for some in combinations(range(8), n)
            if hours[list(some)].sum() <= 4
        )
        passed = cut.filter(~pl.col("fits"))["gap"]
        assert cut.filter("fits")["gap"].sum() >= best - (passed[0] if len(passed) else 0) - 1e-9


@pytest.mark.parametrize(
    "asked",
    [
        lambda: Terms(margin=0),
        lambda: Terms(margin=30),
        lambda: Terms(margin=float("nan")),
        lambda: Terms(cost_per_hour=-1),
        lambda: Terms(cost_per_hour=float("inf")),
        lambda: Terms(hours_left=-1),
        lambda: within(pl.DataFrame({"rank": [1], "hours": [1.0]}), -1),
        lambda: within(pl.DataFrame({"rank": [1], "hours": [1.0]}), float("nan")),
    ],
)
def test_what_cannot_be_is_refused(asked):
    with pytest.raises(Problem):
        asked()


def test_hours_come_from_the_book(book):
    timed = book.collect(book.table("activities").select("kind", "at", "duration_minutes")).drop_nulls()
    recent = timed.filter(pl.col("at").dt.date() > pl.date(2024, 7, 2), pl.col("kind").cast(pl.String) == "call")
    told = minutes(book).filter(kind="call").row(0, named=True)

    assert told["minutes"] == pytest.approx(recent["duration_minutes"].mean(), rel=0.002)
    assert minutes(book).filter(kind="email").rows() == [("email", MINUTES["email"], 0, True)]
    assert set(hours_of(book)) == set(LEVERS)


def test_what_a_machine_timed_is_nobodys_time(monkeypatch):
    at = datetime(2026, 6, 1, tzinfo=UTC)
    rows = pl.DataFrame({
        "kind": ["email"] * 80, "at": [at] * 80, "duration_minutes": [2.0] * 40 + [50.0] * 40,
        "is_automatic": [None] * 40 + [True] * 40,
    })  # fmt: skip
    book = SimpleNamespace(
        table=lambda name: nw.from_native(rows.lazy()), moment=at, collect=lambda plan: plan.collect().to_native()
    )
    monkeypatch.setattr(effort, "in_polars", lambda book: book)

    assert effort.minutes.__wrapped__(book).filter(kind="email").row(0) == ("email", 2.0, 40, False)


def test_the_hours_left_are_those_after_a_moment_drawn_in_the_stay(book):
    told = {row["stage"]: row for row in hours_left(book).iter_rows(named=True)}
    each = dict(minutes(book).select("kind", "minutes").iter_rows())
    deals = book.collect(book.deals(["opportunity_key", "status", "closed_at"])).filter(status="won")
    recent = deals.filter(pl.col("closed_at") > book.moment - timedelta(days=728))["opportunity_key"]
    versions = book.collect(book.table("versions")).filter(pl.col("opportunity_key").is_in(recent.implode()))
    stays = versions.filter(stage="Negotiation", status="open").group_by("opportunity_key", "stage_since")
    touches = book.collect(book.table("activities")).filter(~pl.col("is_automatic").fill_null(False))
    own = touches.partition_by("opportunity_key", as_dict=True)

    spent, n = 0.0, 0
    for (deal, since), stay in stays:
        ended, n = stay["valid_to"].max(), n + 1
        for row in own.get((deal,), touches.clear()).select("at", "kind", "duration_minutes").iter_rows(named=True):
            share = min(max((row["at"] - since) / (ended - since), 0), 1)
            spent += share * (row["duration_minutes"] or each[row["kind"]]) / 60
    assert told["Negotiation"]["hours_left"] == pytest.approx(spent / n, rel=1e-6)
    assert (
        told["Negotiation"]["n_won"]
        == versions.filter(stage="Negotiation", status="open")["opportunity_key"].n_unique()
    )
    assert told["Qualification"]["hours_left"] > told["Negotiation"]["hours_left"]
    assert not any(row["is_stated"] for row in told.values())
