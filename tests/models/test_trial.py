"""A trial is sized on what the book knows, drawn so that it can be drawn again, and read without favour."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from statsmodels.stats.proportion import power_proportions_2indep

from cadran.book import open_book
from cadran.book.held import hold
from cadran.measures import MEASURES, Question
from cadran.models import trial_read
from cadran.models.trial import UNITS, Cohort, Enrolment, size
from cadran.models.trial_draw import CONTROL, LEVER, balance, draw, drawn, read_assignment, write_assignment
from cadran.tables.problems import Problem

SAMPLE = Path(__file__).parent.parent.parent / "data" / "sample"
ALL = Question(where={"deal_type": ("new", "expansion", "renewal")})


@pytest.fixture(scope="module")
def book():
    return hold(open_book(SAMPLE))


@pytest.fixture(scope="module")
def before(book):
    return book.as_of(date(2025, 12, 31))


@pytest.fixture(scope="module")
def assignment(before):
    return draw(before, Question(), seed=3, planned=300, follow_up_days=180)


@pytest.fixture(scope="module")
def sized(book):
    return {unit: size(book, Question(), unit, effect=0.1, follow_up_days=180) for unit in UNITS}


def test_size_rests_on_the_win_rate_of_the_last_year(book, sized):
    question = Question(where={"deal_type": ("new",)}, since=date(2025, 6, 30))
    rate = MEASURES["win_rate"].ask(book, question).row(0, named=True)

    assert {name: sized["deal"][name] for name in rate} == rate


def test_size_is_the_least_number_with_the_power_asked(sized):
    row = sized["deal"]
    n, n_open = row["n_needed"], row["n_open"]
    assert n > n_open
    parts = np.array([n_open, n - n_open]) / n
    won = parts @ [row["open_won_share"], row["new_won_share"]]
    rise = 0.1 * parts @ [row["open_closed_share"], row["new_closed_share"]]

    assert power_proportions_2indep(rise, won, n / 2, return_results=False) == pytest.approx(0.8, abs=1e-3)
    assert row["months"] == pytest.approx((n - n_open) / row["new_per_month"] + 180 / (365.2425 / 12))


def test_what_becomes_of_open_deals_is_what_became_of_those_of_then(book, sized):
    then = book.collect(book.as_of(date(2026, 1, 1)).deals(["opportunity_id", "status", "deal_type"]))
    now = book.collect(book.deals(["opportunity_id", "status"]))
    became = then.filter(status="open", deal_type="new").join(now, on="opportunity_id")["status_right"]

    assert sized["deal"]["n_open_before"] == len(became)
    assert sized["deal"]["open_won_share"] == pytest.approx((became == "won").mean())


def test_what_becomes_of_new_deals_is_what_became_of_those_followed_to_the_end(book, sized):
    columns = ["status", "deal_type", "created_date", "cycle_days"]
    deals = book.collect(book.deals(columns)).filter(
        pl.col("deal_type") == "new", pl.col("created_date").is_between(date(2025, 1, 1), date(2026, 1, 1))
    )
    ended = deals.filter(pl.col("cycle_days") <= 180)["status"]

    assert sized["deal"]["new_won_share"] == pytest.approx((ended == "won").sum() / deals.height, abs=0.02)
    closed = ended.is_in(["won", "lost"]).sum() / deals.height
    assert sized["deal"]["new_closed_share"] == pytest.approx(closed, abs=0.03)


def test_whole_units_need_more_deals(sized):
    assert sized["account"]["n_needed"] > sized["deal"]["n_needed"]
    assert sized["team"]["n_needed"] is None or sized["team"]["n_needed"] > sized["deal"]["n_needed"]
    assert sized["rep"]["least_effect_share"] > sized["deal"]["least_effect_share"]


def test_says_what_can_be_seen_in_the_time_given(book, sized):
    row = sized["deal"]
    assert not row["is_feasible"]
    again = size(book, Question(), effect=row["least_effect_share"], follow_up_days=180)
    assert again["is_feasible"]
    assert again["n_needed"] <= row["n_in_patience"]
    assert size(book, Question(), effect=0.1, follow_up_days=180, patience_months=1)["least_effect_share"] is None
    nord = Question(where={"region": ("Nord",)})
    few = size(book.as_of(date(2022, 9, 30)), nord, follow_up_days=180, patience_months=9)
    assert few["least_effect_share"] is None, "what could be seen is a win rate above 1"


def test_so_few_teams_that_no_number_of_deals_is_enough():
    cohort = Cohort(1000, 0.2, 0.8)

    assert Enrolment(cohort, cohort, n_units=6, met=170, n_counted=1000).needed(0.5, 0.0) is None
    assert Enrolment(cohort, cohort, n_units=12, met=90, n_counted=1000).needed(0.5, 0.0)
    assert Enrolment(cohort, cohort, n_units=12, met=90, n_counted=1000).needed(0.1, 0.2) is None


def test_nobody_arrives_any_more():
    who = Enrolment(Cohort(40, 0.2, 0.8), Cohort(0, 0.2, 0.8), n_units=40)

    assert who.needed(0.05, 0) is None
    assert who.months(41) == float("inf")


@pytest.mark.parametrize(
    ("where", "options", "said"),
    [
        ({"stage": ("Proposal",)}, {}, "changes as a deal goes on"),
        ({"region": ("Atlantide",)}, {}, "No row has Atlantide as region"),
        ({}, {"effect": 0.95}, "cannot rise by 95.0 points"),
        ({}, {"effect": 0.0}, "cannot rise by 0.0 points"),
    ],
)
def test_a_size_that_cannot_be_had_is_refused(book, where, options, said):
    with pytest.raises(Problem, match=said):
        size(book, Question(where=where), **options)


def test_nobody_was_followed_that_long(book):
    with pytest.raises(Problem, match="No deal like these was followed for 3000 days"):
        size(book.as_of(date(2023, 6, 30)), Question(), follow_up_days=3000)


def test_too_few_closed_deals_to_start_from(book):
    client = book.collect(book.deals(["client"]))["client"][0]

    with pytest.raises(Problem, match=r"Closed deals like these since .*: .*, too few to know"):
        size(book, Question(where={"client": (client,)}))


def test_the_same_draw_is_the_same_to_the_byte(before, assignment, tmp_path):
    write_assignment(assignment, tmp_path / "one.csv")
    write_assignment(draw(before, Question(), seed=3, planned=300, follow_up_days=180), tmp_path / "two.csv")

    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    assert not draw(before, Question(), seed=4)["arm"].equals(assignment["arm"])
    with pytest.raises(Problem, match="drawn once"):
        write_assignment(assignment, tmp_path / "one.csv")


def test_every_open_deal_of_new_business_is_drawn_once(before, assignment):
    deals = before.collect(before.deals(["opportunity_id", "status", "deal_type"]))

    assert set(assignment["opportunity_id"]) == set(deals.filter(status="open", deal_type="new")["opportunity_id"])
    assert assignment["opportunity_id"].is_unique().all()


def test_arms_of_a_stratum_differ_by_one_at_most(before, assignment):
    counted = assignment.group_by("stratum").agg(
        ((pl.col("arm") == LEVER).sum().cast(int) * 2 - pl.len().cast(int)).alias("n")
    )

    assert counted["n"].abs().max() <= 1
    assert balance(before, assignment)["n_deals"].sum() == assignment.height


def test_chance_favours_no_unit_and_no_arm():
    strata = pl.Series(["a"] * 3 + ["b"] * 4)

    often = drawn(strata, 20_000, np.random.default_rng(1)).mean(axis=0)
    assert often == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("unit", ["account", "rep", "team"])
def test_a_unit_is_drawn_as_a_whole(before, unit):
    rows = draw(before, ALL, unit)

    assert rows.group_by("unit_id").agg(pl.col("arm").n_unique())["arm"].max() == 1
    n = rows.unique("unit_id")["arm"].value_counts(sort=True)["count"]
    assert n[0] - n[1] <= rows["stratum"].n_unique()


def test_a_draw_goes_on_without_changing_what_was_drawn(book, before):
    first = draw(before, Question(), "account", seed=1)
    second = draw(book, Question(), "account", seed=1, earlier=first)

    assert second.head(first.height).equals(first)
    assert second["opportunity_id"].is_unique().all()
    assert second.height > first.height
    assert second.group_by("unit_id").agg(pl.col("arm").n_unique())["arm"].max() == 1
    with pytest.raises(Problem, match="drawn by account, not by deal"):
        draw(book, Question(), "deal", earlier=first)
    with pytest.raises(Problem, match="drawn on 2026-06-30, after 2025-12-31"):
        draw(before, Question(), "account", earlier=second)
    with pytest.raises(Problem, match="No open deal is left"):
        draw(book, Question(), "account", earlier=second)


@pytest.fixture
def pulled(book, assignment):
    """The assignment, its arms set by what became of the deals: a lever that wins."""
    became = book.collect(book.deals(["opportunity_id", "status"]))
    known = assignment.join(became, on="opportunity_id", how="left", maintain_order="left")
    is_lever = (pl.col("status") == "won") | (pl.int_range(pl.len()) % 2 == 0)
    return known.with_columns(arm=pl.when(is_lever).then(pl.lit(LEVER)).otherwise(pl.lit(CONTROL))).drop("status")


def test_a_reading_counts_all_those_drawn(book, assignment):
    reading = trial_read.read(book, assignment, redraws=200)

    became = book.collect(book.deals(["opportunity_id", "status"]))
    arms = assignment.join(became, on="opportunity_id").group_by("arm", "status").len()
    for row in reading.arms.head(2).rows(named=True):
        theirs = dict(arms.filter(arm=row["arm"]).select("status", "len").iter_rows())
        assert {status: row[f"n_{status}"] for status in theirs} == theirs
        assert row["won_share"] == pytest.approx(theirs["won"] / sum(theirs.values()))
        assert row["win_rate"] == pytest.approx(theirs["won"] / (theirs["won"] + theirs["lost"]))
    lever, control, difference = reading.arms["won_share"]
    assert difference == pytest.approx(lever - control)
    assert reading.p_value > 0.05
    # Followed 181 days, all of them.
    assert (reading.n_known, reading.verdict) == (assignment.height, "not seen")
    within = reading.won_within.filter(days=180, arm=LEVER)["won_share"].item()
    assert within == pytest.approx(lever, abs=0.02)


def test_a_lever_that_wins_is_seen(book, pulled):
    reading = trial_read.read(book, pulled, redraws=500)

    assert reading.p_value == pytest.approx(1 / 501)
    assert reading.verdict == "seen"
    assert reading.arms["won_share_low"][2] > 0


def test_the_p_is_that_of_all_draws_listed(book, assignment):
    """Eight deals in one stratum: 70 draws, listed."""
    from itertools import combinations

    became = book.collect(book.deals(["opportunity_id", "status"]))
    known = assignment.join(became, on="opportunity_id")
    eight = pl.concat([known.filter(status="won").head(3), known.filter(pl.col("status") != "won").head(5)])
    eight = eight.with_columns(stratum=pl.lit("s"), arm=pl.Series([LEVER] * 3 + [CONTROL] * 4 + [LEVER]))
    won = (eight["status"] == "won").to_numpy()
    listed = [
        won[list(chosen)].sum() / 4 - (won.sum() - won[list(chosen)].sum()) / 4 for chosen in combinations(range(8), 4)
    ]
    exact = np.mean(np.abs(listed) >= 0.75 - 1e-12)

    assert trial_read.read(book, eight.drop("status"), redraws=20_000).p_value == pytest.approx(exact, abs=0.01)


def test_an_early_look_is_told_as_one(book, pulled):
    reading = trial_read.read(book.as_of(date(2026, 2, 15)), pulled, redraws=200)

    assert reading.n_known < 300
    assert reading.level < 0.02
    assert reading.verdict in ("too early", "seen")
    unplanned = pulled.with_columns(planned=pl.lit(None, pl.Int64))
    assert trial_read.read(book, unplanned, redraws=100).verdict == "no plan"


def test_deals_that_are_not_there_or_ended_before_are_named(book, assignment):
    closed = (
        book.collect(book.deals(["opportunity_id", "closed_date"]))
        .drop_nulls()
        .sort("closed_date")["opportunity_id"][0]
    )
    others = assignment.head(3).with_columns(opportunity_id=pl.Series(["gone", closed, "later"]))
    others = others.with_columns(drawn_on=pl.Series([date(2025, 12, 31), date(2025, 12, 31), date(2027, 1, 1)]))

    reading = trial_read.read(book, pl.concat([assignment, others]), redraws=100)
    assert (reading.missing, reading.closed_before, reading.n_later) == (["gone"], [closed], 1)
    assert reading.arms["n_deals"].sum() == assignment.height
    with pytest.raises(Problem, match="none of the 3 deals"):
        trial_read.read(book, others, redraws=100)


def test_one_arm_alone_has_no_difference(book, assignment):
    reading = trial_read.read(book, assignment.filter(arm=LEVER), redraws=100)

    assert reading.arms["won_share"].to_list()[1:] == [None, None]
    assert reading.p_value == 1


HEAD = "opportunity_id,unit,unit_id,stratum,arm,drawn_on,seed,planned,follow_up_days"
GOOD = "a,account,A,s,lever,2026-01-31,1,,"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (",account,B,s,lever,2026-01-31,1,,", "row 3: opportunity_id is empty"),
        ("b,account,B,s,treated,2026-01-31,1,,", "row 3: treated is no arm"),
        ("b,account,B,s,lever,31/01/2026,1,,", "row 3: 31/01/2026 is no drawn_on"),
        ("b,account,B,s,lever,2026-01-31,one,,", "row 3: one is no seed"),
        ("b,deal,B,s,lever,2026-01-31,1,,", "row 3: deal is no unit"),
        ("a,account,A,s,lever,2026-01-31,1,,", "row 3: the deal a is already in row 2"),
        ("b,account,A,s,control,2026-01-31,1,,", "row 3: A is drawn as a whole"),
        ("b,account", "row 3: unit_id is empty"),
    ],
)
@pytest.mark.parametrize("mark", [",", ";"])
def test_a_bad_row_is_told_and_the_others_go_on(tmp_path, row, said, mark):
    file = tmp_path / "t.csv"
    text = "\n".join([HEAD, GOOD, row, "", "c,account,C,s,control,2026-01-31,1,40,90"])
    file.write_text("\ufeff" + text.replace(",", mark), "utf-8")

    read = read_assignment(file)
    assert read.rows["opportunity_id"].to_list() == ["a", "c"]
    assert read.rows["planned"].to_list() == [None, 40]
    (problem,) = read.problems
    assert said in str(problem)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "There is no file"),
        (b"", "lacks the column"),
        (b"deal,arm\n1,lever\n", "lacks the column opportunity_id"),
        (HEAD.encode() + b"\n", "assigns no deal"),
        (HEAD.encode() + b"\n,,,,,,,,\n", "assigns no deal"),
        (HEAD.encode() + b"\nx,,,,,,,,\n", "row 2: unit is empty"),
        (b"\xff\xfe\x00\x01", "cannot be read as text"),
    ],
)
def test_a_file_that_is_no_assignment_is_told(tmp_path, content, said):
    file = tmp_path / "t.csv"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(Problem, match=said):
        read_assignment(file)
