"""Groups beside like deals: sums by hand, limits and shrinking of known cases, a planted weak team, what is withheld."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from scipy.stats import norm
from statsmodels.stats.multitest import multipletests
from teams import entries as invented
from teams import told

from cadran.book import Reader
from cadran.models import coaching as coached
from cadran.models.coaching import coach
from cadran.models.entries import Entries, entries
from cadran.models.funnel import FEW_ENTRIES, FEW_GROUPS, FEW_SELLERS, NOBODY, beside, judged, limits, outside
from cadran.models.worth import Worth
from cadran.tables.measured.coaching import Dwell, Funnel, Help, Limits, Practice
from cadran.tables.problems import Problem
from cadran.text import words_for

FIRST = datetime(2024, 9, 2, 9, tzinfo=UTC)
#: Sellers of each team, deals of each that come to the second stage of 15, and of these signed.
TEAMS = {
    "Alpha": (4, 12, 8),
    "Beta": (4, 12, 8),
    "Gamma": (4, 12, 8),
    "Delta": (4, 12, 8),
    "Weak": (4, 12, 2),
    "Solo": (1, 12, 8),
}


def tables(until=None):
    """Deals that stay 10 days in the first stage and 25 to 27 in the second."""
    opportunities, versions, touches = [], [], []
    for team, (n_sellers, n_on, n_won) in TEAMS.items():
        for seller in range(n_sellers):
            for n in range(15):
                deal = f"{team}{seller}-{n:02}"
                begins = FIRST + timedelta(days=30 * n + 7 * seller + len(opportunities) % 5)
                ends = begins + timedelta(days=10), begins + timedelta(days=35 + n % 3)
                place = n * 7 % 15  # which deals go on is spread over time
                steps = [(begins, "Prospect", "open")]
                if place >= n_on:
                    steps.append((ends[0], "Lost", "lost"))
                else:
                    won = place < n_won
                    steps += [
                        (ends[0], "Propose", "open"),
                        (ends[1], "Won" if won else "Lost", "won" if won else "lost"),
                    ]
                opportunities.append({"opportunity_id": deal, "created_at": begins, "account_id": f"c{deal}",
                                      "deal_type": "new" if n % (3 if team == "Alpha" else 2) else "renewal"})  # fmt: skip
                common = {"opportunity_id": deal, "amount": 1000.0, "rep_id": f"{team}{seller}"}
                versions += [common | {"valid_from": at, "stage": s, "status": status} for at, s, status in steps]
                kind = "meeting" if (n % 4 == 0) != (team == "Alpha") else "email"
                touches += [{"activity_id": f"t{deal}", "opportunity_id": deal, "kind": kind, "direction": "outbound",
                             "at": begins + timedelta(days=3)}]  # fmt: skip
    reps = [{"rep_id": f"{team}{n}", "valid_from": "2024-01-01", "team": team, "region": "N" if team < "C" else "S"}
            for team, (sellers, _, _) in TEAMS.items() for n in range(sellers)]  # fmt: skip
    if until:
        opportunities = [each for each in opportunities if each["created_at"].date() <= until]
        versions = [each for each in versions if each["valid_from"].date() <= until]
        touches = [each for each in touches if each["at"].date() <= until]
    return {"opportunities": opportunities, "versions": versions, "reps": reps, "activities": touches}


@pytest.fixture(scope="module")
def book(make_book):
    return make_book(**tables(), taken="2026-06-30T12:00")


@pytest.fixture(scope="module")
def found(book):
    return coach(book, "team", None)


def test_frames_are_as_said_and_in_order_of_name(found):
    for schema, frame in ((Funnel, found.funnel), (Dwell, found.dwell), (Help, found.help), (Limits, found.limits),
                          (Practice, found.practices)):  # fmt: skip
        schema.validate(frame)
    overall = found.funnel.filter(pl.col("stage").is_null())
    assert overall["team"].to_list() == ["Alpha", "Beta", "Delta", "Gamma", "Solo", "Weak"]
    assert "rank" not in {*found.funnel.columns, *found.help.columns}


def test_the_weak_team_is_seen_where_it_is_weak(found):
    row = found.funnel.filter(team="Weak", stage="Propose").row(0, named=True)

    assert (row["n"], row["n_sellers"], row["n_moved"], row["within_days"]) == (48, 4, 8, 27)
    assert row["observed_share"] == pytest.approx(8 / 48)
    # Like deals: of 252 entries of all teams, 144 signed.
    assert row["expected_share"] == pytest.approx(144 / 252, abs=0.03)
    assert row["observed_ratio"] < row["ratio"] < row["ratio_high"] < 0.75
    assert found.funnel.filter("is_outside").select("team", "stage").rows() == [("Weak", None), ("Weak", "Propose")]
    first = found.funnel.filter(team="Weak", stage="Prospect").row(0, named=True)
    assert first["ratio_low"] < 1 < first["ratio_high"]
    assert found.dwell.filter("is_outside").is_empty()
    assert found.dwell.filter(team="Beta", stage="Propose")["observed_days"][0] == pytest.approx(26, abs=0.3)


def test_help_pays_where_the_team_is_weak(found):
    most = found.help.filter("pays_most", team="Weak").row(0, named=True)

    funnel = found.funnel.filter(team="Weak", stage="Propose").row(0, named=True)
    assert most["stage"] == "Propose"
    assert most["gap_share"] == pytest.approx((1 - funnel["ratio"]) * funnel["expected_share"])
    assert most["entries_per_year"] == pytest.approx(48 / 1.7498, rel=1e-3)  # until 27 days before the end
    # Who moves on from the second stage has signed: a win each, of 1,000 each.
    assert most["wins"] == pytest.approx(most["gap_share"] * most["entries_per_year"], rel=0.01)
    assert most["revenue"] == pytest.approx(1000 * most["wins"])
    assert 0 < most["revenue_low"] < most["revenue"] < most["revenue_high"]
    total = found.help.filter(pl.col("team").is_null(), pl.col("region").is_null(), stage="Propose").row(0, named=True)
    assert total["wins"] == pytest.approx(most["wins"], rel=0.2)


def test_a_team_of_one_is_withheld_unless_persons_are_rated(found, book):
    solo = found.funnel.filter(team="Solo")

    assert solo["reason"].to_list() == [FEW_SELLERS] * 3
    assert solo.select("n_moved", "n_expected", "ratio", "is_outside").null_count().row(0) == (3, 3, 3, 3)
    assert found.help.filter(team="Solo")["wins"].is_null().all()
    with pytest.raises(Problem, match="named person"):
        coach(book, "rep", None)
    with pytest.raises(Problem, match="named person"):
        coached.coaching(book, "rep")
    reps = coach(replace(book, rates_persons=True), "rep", None)
    assert reps.funnel["reason"].unique().to_list() == [FEW_ENTRIES]  # 15 deals each: too few of anybody
    assert reps.funnel["rep_id"].n_unique() == 21


def test_what_is_told_on_a_past_day_is_what_was_known_then(book, make_book):
    day = date(2025, 9, 30)
    then = coach(make_book(**tables(until=day), taken="2025-09-30T23:59:59.999999"), "team", None)

    now = coach(book.as_of(day), "team", None)

    for name in ("funnel", "dwell", "help"):
        assert_frame_equal(getattr(now, name), getattr(then, name), rel_tol=1e-4)


def test_a_reader_sees_their_own_groups_held_to_the_whole_company(book, found, monkeypatch):
    monkeypatch.setattr(coached, "chances", lambda book: None)
    south = coached.coaching(book.scope(Reader("m", teams=frozenset(["Weak"]))))

    assert south.funnel["team"].unique().to_list() == ["Weak"]
    assert south.help["team"].unique().to_list() == ["Weak"]
    assert_frame_equal(south.funnel, found.funnel.filter(team="Weak"))


def test_what_goes_with_doing_well_is_weighed_alike(book):
    told_of = coached.practices(book, "team", ["Alpha"])

    # Slow loop: at 30 days the deals of the second stage are open; the mean of each type, weighed by its share of all.
    types = {each["opportunity_id"]: each["deal_type"] for each in tables()["opportunities"]}
    met = {each["opportunity_id"]: float(each["kind"] == "meeting") for each in tables()["activities"]}
    there = [deal for deal in met if int(deal[-2:]) * 7 % 15 < 12]
    sides = {side: [deal for deal in there if deal.startswith("Alpha") == side] for side in (True, False)}
    means = {
        side: sum(
            np.mean([met[deal] for deal in deals if types[deal] == kind]) * sum(types[deal] == kind for deal in there)
            for kind in ("new", "renewal")
        ) / len(there) for side, deals in sides.items()
    }  # fmt: skip
    row = told_of.filter(fact="n_meetings").row(0, named=True)
    assert (row["n_well"], row["n_others"]) == (48, 204)
    assert (row["well"], row["others"]) == pytest.approx((means[True], means[False]))
    assert row["difference"] == pytest.approx(means[True] - means[False])
    assert row["n_compared"] == 1  # of four sellers of Alpha no interval is told
    assert row["is_difference"] is None


def test_entries_count_in_time_and_only_those_followed_as_long(make_book):
    stays = [10 + n for n in range(40)]
    begins = [date(2026, 1, 1) + timedelta(days=4 * n) for n in range(40)]
    deals = [
        {"created": f"{begin}", "status": "won", "closed": f"{begin + timedelta(days=stay)}", "rep_id": f"r{n % 3}"}
        if begin + timedelta(days=stay) < date(2026, 6, 30) else {"created": f"{begin}", "rep_id": f"r{n % 3}"}
        for n, (begin, stay) in enumerate(zip(begins, stays, strict=True))
    ]  # fmt: skip
    (overall, *_), _ = entries(make_book(deals))

    ended = [begin + timedelta(days=stay) < date(2026, 6, 30) for begin, stay in zip(begins, stays, strict=True)]
    followed = [(date(2026, 6, 30) - begin).days for begin in begins]
    assert overall.stage is None
    assert overall.within == 40  # Kaplan and Meier: four in five are over by then
    kept = [n for n in range(40) if followed[n] >= overall.within]
    assert overall.rows.height == len(kept) < 40
    assert overall.rows["moved"].sum() == sum(ended[n] and stays[n] <= overall.within for n in kept) < sum(ended)
    assert overall.rows["stay_days"].max() == overall.within


def test_moving_on_is_worth_nothing_where_better_deals_move_on_and_win_alike():
    rng = np.random.default_rng(0)
    chance = np.repeat([0.2, 0.8], 2000)
    rows = pl.DataFrame(
        {"opportunity_id": [f"d{n}" for n in range(4000)], "moved": rng.random(4000) < chance, "chance": chance}
    )
    won = pl.DataFrame({"opportunity_id": rows["opportunity_id"], "status": "won", "won": chance, "amount": 10.0})

    wins, size = Worth(won).drawn(Entries("Propose", 30, 1.0, rows), rng)

    assert abs(wins.mean()) < 0.01  # without regard to how good they were: 0.36
    assert size.tolist() == [10.0] * len(size)


def test_chance_is_as_wide_as_sellers_scatter():
    rows, _ = invented(4, spread=0, of_sellers=0.6)
    sums = beside(rows, ["team"], "rep_id")

    seen = chance = 0.0
    for team in rows.partition_by("team"):
        o, e, v = (team[name].sum() for name in ("observed", "expected", "variance"))
        for seller in team.partition_by("rep_id"):
            share = seller["expected"].sum() / e
            seen += (seller["observed"].sum() - share * o) ** 2
            chance += seller["variance"].sum() * (1 - 2 * share) + share**2 * v
    plain = rows.group_by("team").agg(pl.col("variance").sum()).sort("team")
    assert seen / chance > 1.1
    assert (sums["variance"] / plain["variance"]).to_list() == pytest.approx([seen / chance] * sums.height)


def test_limits_are_spiegelhalters_and_luck_is_benjamini_and_hochbergs():
    # Of 40 expected with chance 0.5 each: 1 ± 1.96 √20 / 40, and ± 3.09.
    ends = pl.DataFrame({"e": [40.0], "v": [20.0]}).select(**limits(pl.col("e"), pl.col("v"))).row(0, named=True)
    half = 20**0.5 / 40
    assert ends == pytest.approx({
        "limit_low95": 1 - norm.ppf(0.975) * half, "limit_high95": 1 + norm.ppf(0.975) * half,
        "limit_low998": 1 - 3.0902 * half, "limit_high998": 1 + 3.0902 * half,
    }, rel=1e-4)  # fmt: skip
    assert pl.DataFrame({"e": [2.0], "v": [9.0]}).select(**limits(pl.col("e"), pl.col("v")))["limit_low998"][0] == 0
    p = [0.001, 0.02, 0.03, 0.2, 0.04, 0.9]
    assert outside(pl.Series([*p[:2], None, *p[2:]])).to_list() == [
        *(said := multipletests(p, method="fdr_bh")[0].tolist())[:2], None, *said[2:]
    ]  # fmt: skip


def test_groups_of_whom_nothing_can_be_told_say_why():
    rows, _ = invented(1)
    few = rows.with_columns(team=pl.when(pl.col("team") < "t02").then("team"))
    found = judged(beside(few, ["team"], "rep_id"), ["team"], rates_persons=False).rows

    assert found.select("team", "reason").rows() == [(None, NOBODY), ("t00", FEW_GROUPS), ("t01", FEW_GROUPS)]
    french = words_for("fr").catalogue
    assert all(reason in french for reason in (NOBODY, FEW_GROUPS, FEW_ENTRIES, FEW_SELLERS))


def test_intervals_of_teams_hold_the_truth():
    # The small twin of tests/evidence/test_coaching.py.
    held = np.concatenate([told(seed, spread=0.15, of_sellers=0.1)[0] for seed in range(20)])

    assert held.mean() >= 0.9


def test_a_book_without_deals_tells_nothing(make_book):
    with pytest.raises(Problem, match="No deal was followed long enough"):
        coach(make_book(), "team", None)
