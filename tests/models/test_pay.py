"""A pay plan on a book: to whose credit, taken back when, for whose days, and who may see it."""

from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from cadran.book import Reader
from cadran.models.pay import payouts, payroll, trace
from cadran.models.pay_compared import compared
from cadran.models.pay_costs import Ahead
from cadran.models.pay_flags import flags
from cadran.models.pay_read import load_plan
from cadran.tables.problems import Problem

FLAT = """
name = "Ten per cent"
currency = "EUR"
starts = 2026-01-01
ends = 2026-12-31
notified = 2025-12-01
period = "quarter"
[[measures]]
name = "Sales"
pays = "amount"
tiers_of = "amount"
[[measures.tiers]]
from = 0
rate = 0.1
"""
QUOTA = """
name = "Quota"
currency = "EUR"
starts = 2026-01-01
ends = 2026-12-31
notified = 2025-12-01
period = "quarter"
[pay]
variable = 12000
[quota]
amount = 120000
[[measures]]
name = "Sales"
[[measures.tiers]]
from = 0
rate = 1
"""
REPS = [{"rep_id": f"r{n}", "valid_from": "2020-01-01", "name": f"Rep {n}", "team": "North" if n < 4 else "South",
         "role": "seller", "hired_date": "2020-01-01"} for n in range(1, 8)]  # fmt: skip


def won(amount, closed, rep="r1", **more):
    return {"created": "2025-11-03", "closed": closed, "status": "won", "amount": amount, "rep_id": rep, **more}


@pytest.fixture
def paid(make_book, tmp_path):
    """`paid(text, deals, …)`: a plan settled on a tiny book in which persons may be rated."""

    def made(text, deals, is_open=True, **tables):
        book = make_book(deals, reps=tables.pop("reps", REPS), histories=("versions", "reps"), **tables)
        (tmp_path / "pay.toml").write_text(text, "utf-8")
        book = replace(book, rates_persons=is_open)
        return payroll(book, load_plan(tmp_path / "pay.toml", book))

    return made


def pays(told, rep="r1"):
    """What a rep is paid by quarter, by its first month."""
    rows = payouts(told).filter(pl.col("level") == "rep", pl.col("group") == rep)
    return {period.month: pay for period, pay in rows.select("period", "pay").rows()}


def test_a_deal_is_credited_to_its_owner_at_the_closing(paid):
    told = paid(FLAT, [], opportunities=[{"opportunity_id": "d1", "created_at": "2026-01-05"}], versions=[
        {"opportunity_id": "d1", "valid_from": "2026-01-05", "rep_id": "r1", "stage": "Prospect", "status": "open"},
        {"opportunity_id": "d1", "valid_from": "2026-02-01", "rep_id": "r2", "stage": "Won", "status": "won", "amount": 1000.0},
        {"opportunity_id": "d1", "valid_from": "2026-03-01", "rep_id": "r3", "stage": "Won", "status": "won", "amount": 1000.0},
    ])  # fmt: skip

    assert [pays(told, rep)[1] for rep in ("r1", "r2", "r3")] == [0, 100, 0]
    assert [each.n for each in flags(told.book, told.plan, told) if each.kind == "territory"] == [1]


def reopened(on, **more):
    rows = [("2025-12-01", "open", "Prospect"), ("2026-02-10", "won", "Won"), (on, "lost", "Lost")]
    versions = [
        {"opportunity_id": "d1", "valid_from": day, "status": status, "stage": stage, "rep_id": "r1", "amount": 5000.0}
        for day, status, stage in rows
    ]
    return {"opportunities": [{"opportunity_id": "d1", "created_at": "2025-12-01"}], "versions": versions, **more}


CLAWBACK = FLAT + "[clawback]\nwithin_days = 90\n"


@pytest.mark.parametrize(
    ("text", "lost_on", "first", "second"),
    [
        (CLAWBACK, "2026-04-20", 500, 500),  # taken back from what the second quarter earns
        (FLAT, "2026-04-20", 500, 1000),  # no clause: it stays paid
        (CLAWBACK, "2026-06-20", 500, 1000),  # too late
        (FLAT, "2026-03-01", 0, 1000),  # in the same quarter nothing was paid yet
    ],
)
def test_what_is_lost_after_it_was_paid_is_taken_back_where_the_plan_says_so(paid, text, lost_on, first, second):
    assert pays(paid(text, [won(10_000.0, "2026-05-05")], **reopened(lost_on))) == {1: first, 4: second}


def test_a_deal_won_again_is_paid_once(paid):
    again = reopened("2026-04-20")
    again["versions"].append({**again["versions"][1], "valid_from": "2026-05-20"})

    assert pays(paid(FLAT, [], **again)) == {1: 500, 4: 0}
    taken = paid(CLAWBACK, [], **again)
    assert pays(taken) == {1: 500, 4: 0}  # taken back and earned again
    assert taken.settled.carried.sum() == 0


def test_an_amount_corrected_later_is_made_up_for(paid):
    rows = reopened("2026-05-05")
    rows["versions"][2] |= {"status": "won", "stage": "Won", "amount": 7000.0}

    told = paid(FLAT, [], **rows)

    assert pays(told) == {1: 500, 4: 200}
    lines, deals = trace(told, "r1")
    later = lines.filter(pl.col("period") == date(2026, 4, 1)).select("step", "of_period", "pay").rows()
    assert later == [("tier", date(2026, 1, 1), 700), ("already_earned", date(2026, 1, 1), -500)]
    assert deals.select("kind", "credited_amount").rows() == [("won", 5000), ("amended", 2000)]


def test_a_split_adds_up_to_the_deal(paid):
    text = FLAT + '[splits.d1]\nr1 = "1/3"\nr2 = "1/3"\nr3 = "1/3"\n'
    told = paid(text, [won(1000.01, "2026-02-01", opportunity_id="d1")])

    assert sum(told.credits.rows["cents"]) == 100_001
    assert [pays(told, rep)[1] for rep in ("r1", "r2", "r3")] == [33.33, 33.33, 33.33]


def test_quota_and_variable_are_prorated_for_the_days_somebody_is_there(paid):
    # 28 of the 90 days of the quarter: 30,000 × 28 / 90 = 9,333.33 of quota, 3,000 × 28 / 90 = 933.33 of variable.
    reps = [*REPS[1:], {**REPS[0], "hired_date": "2026-03-04"}]
    told = paid(QUOTA, [won(9333.33, "2026-03-20")], reps=reps)
    row = payouts(told).filter(pl.col("group") == "r1").row(0, named=True)

    assert (row["quota_amount"], row["target_pay"], row["pay"]) == (9333.33, 933.33, 933.33)
    assert row["attainment"] == 1


def test_a_leap_year_has_its_day(paid, make_book):
    text = QUOTA.replace("2026-", "2028-").replace('"quarter"', '"month"').replace("2025-12-01", "2027-12-01")
    reps = [*REPS[1:], {**REPS[0], "hired_date": "2028-02-29"}]
    told = paid(text, [], reps=reps, taken="2028-03-31")
    row = payouts(told).filter(pl.col("group") == "r1").row(0, named=True)

    assert row["until"] == date(2028, 2, 29)
    assert row["quota_amount"] == round(10_000 / 29, 2)


def test_a_fiscal_year_from_april_has_its_own_quarters(paid):
    text = FLAT.replace("2026-01-01", "2025-04-01").replace("2026-12-31", "2026-03-31")
    told = paid(text, [won(1000.0, "2025-07-01"), won(2000.0, "2026-03-31")], settings={"fiscal_year_starts": 4})

    assert pays(told) == {4: 0, 7: 100, 10: 0, 1: 200}
    assert not [each for each in flags(told.book, told.plan, told) if each.kind == "calendar"]


def test_quotas_come_from_the_targets_of_reps_and_who_has_none_is_named(paid):
    text = QUOTA.replace("amount = 120000", 'from = "targets"')
    quarters = (("2026-01-01", "2026-03-31"), ("2026-04-01", "2026-06-30"))
    goals = [
        {"target_id": f"{rep} {start}", "valid_from": "2025-12-01", "scope": "rep", "scope_id": rep, "start_date": start,
         "end_date": end, "amount": 30_000.0}
        for rep in ("r1", "r2", "r3") for start, end in quarters
    ]  # fmt: skip
    told = paid(text, [won(15_000.0, "2026-02-01")], targets=goals)

    assert pays(told) == {1: 1500, 4: 0}
    assert told.staff.aside["rep_id"].to_list() == ["r4", "r5", "r6", "r7"]
    assert "Rep 4" in next(each for each in flags(told.book, told.plan, told) if each.kind == "unknown").said.told(str)


def test_a_team_measure_pays_each_by_the_result_of_all(paid):
    text = QUOTA.replace('name = "Sales"', 'name = "Sales"\nof = "team"')
    told = paid(text, [won(90_000.0, "2026-02-01", "r1")])

    assert [pays(told, rep)[1] for rep in ("r1", "r2", "r3", "r4")] == [3000, 3000, 3000, 0]


def test_who_has_left_earns_nothing_more_from_what_the_team_wins_later(paid):
    text = QUOTA.replace('name = "Sales"', 'name = "Sales"\nof = "team"')
    text = text.replace('period = "quarter"', 'period = "quarter"\nattainment = "year_to_date"')
    reps = [{**rep, "left_date": "2026-03-31"} if rep["rep_id"] == "r1" else rep for rep in REPS]
    told = paid(text, [won(45_000.0, "2026-02-01", "r2"), won(90_000.0, "2026-05-01", "r2")], reps=reps)

    # 45,000 of the team's 90,000 in the quarter: half of 3,000, and the second quarter is the others'.
    assert pays(told)[1] == 1500
    assert pays(told).get(4, 0) == 0
    assert pays(told, "r2")[4] > 1500


# ---- who may see it ----


def test_persons_are_not_shown_where_that_is_closed(paid):
    told = paid(FLAT, [won(1000.0, "2026-02-01")], is_open=False)

    assert set(payouts(told)["level"]) == {"company", "team"}
    assert set(compared(told, told.plan)["level"]) == {"company", "team"}
    with pytest.raises(Problem, match="activate individual"):
        trace(told, "r1")


def test_a_small_team_stands_with_another_and_a_company_of_one_not_at_all(paid):
    reps = [{**rep, "team": team} for rep, team in zip(REPS, ["A", "B", "B", "B", "C", "C", "C"], strict=True)]
    told = payouts(paid(FLAT, [won(1000.0, "2026-02-01")], reps=reps, is_open=False))

    assert set(told["group"]) == {None, "A + B", "C"}
    assert (
        told.filter(pl.col("level") == "team")["pay_cents"].sum()
        == told.filter(pl.col("level") == "company")["pay_cents"].sum()
    )
    assert payouts(paid(FLAT, [], reps=REPS[:1], is_open=False)).is_empty()
    assert payouts(paid(FLAT, [], reps=REPS[:1])).filter(pl.col("level") == "rep").height == 2


def test_a_reader_of_one_team_sees_its_pay_alone_by_the_results_of_all(paid):
    text = QUOTA.replace('name = "Sales"', 'name = "Sales"\nof = "team"') + "[people.r5]\nquota = 120000\n"
    told = paid(text, [won(90_000.0, "2026-02-01", "r1")])
    boss = payroll(told.book.scope(Reader("boss", "manager", teams=frozenset({"North"}))), told.plan)
    seen = payroll(told.book.scope(Reader("pia", "pay", teams=frozenset({"North"}))), told.plan)

    assert set(payouts(boss).filter(pl.col("level") != "company")["group"]) == {"North"}
    assert set(compared(boss, told.plan)["level"]) == {"company", "team"}
    with pytest.raises(Problem, match="not told to your role"):
        trace(boss, "r1")

    assert set(payouts(seen).filter(pl.col("level") != "company")["group"]) == {"North", "r1", "r2", "r3"}
    assert pays(seen, "r2")[1] == 3000
    assert set(compared(seen, told.plan).filter(pl.col("level") == "rep")["group"]) == {"r1", "r2", "r3"}
    with pytest.raises(Problem, match="does not pay r4"):
        trace(seen, "r4")


def test_two_plans_are_compared_rep_by_rep(paid, tmp_path):
    told = paid(FLAT, [won(1000.0, "2026-02-01", "r1"), won(3000.0, "2026-02-01", "r4")])
    tiers = "rate = 0.1", "to = 2000\nrate = 0.05\n[[measures.tiers]]\nfrom = 2000\nrate = 0.3"
    other = FLAT.replace(*tiers).replace("2026-", "2027-").replace('"quarter"', '"month"')
    (tmp_path / "other.toml").write_text(other, "utf-8")
    rows = compared(told, load_plan(tmp_path / "other.toml", told.book))

    assert rows.row(0, named=True) | {"pay_a": 400, "pay_b": 450, "difference_pay": 50, "n_gain": 1, "n_lose": 1, "n_same": 5,
                                      "gain_pay": 100, "lose_pay": -50, "reason": None} == rows.row(0, named=True)  # fmt: skip
    reps = rows.filter(pl.col("level") == "rep").select("group", "difference_pay").rows()
    assert dict(reps) | {"r1": -50, "r4": 100, "r2": 0} == dict(reps)


TELLS = ("n_gain", "n_lose", "n_same", "gain_pay", "lose_pay")


@pytest.mark.parametrize(
    ("won_by", "told"),
    [
        ([1], {None: 0, "North": 0, "South": 5}),  # one gains, nobody loses; of the South, nobody
        ([1, 2, 4, 5], {None: 5, "North": 0, "South": 0}),  # two and two are four
        ([1, 2, 3, 4], {None: 5, "North": 0, "South": 0}),  # four less three would leave one
        ([1, 2, 3], {None: 5, "North": 5, "South": 5}),
        ([1, 2, 3, 4, 5, 6], {None: 5, "North": 5, "South": 5}),
    ],
)
def test_what_one_or_two_gain_is_left_out_whatever_is_taken_off(paid, tmp_path, won_by, told):
    closed = paid(FLAT, [won(1000.0, "2026-02-01", f"r{n}") for n in won_by], is_open=False)
    (tmp_path / "other.toml").write_text(FLAT.replace("rate = 0.1", "rate = 0.2"), "utf-8")
    rows = compared(closed, load_plan(tmp_path / "other.toml", closed.book))

    assert {row["group"]: sum(row[name] is not None for name in TELLS) for row in rows.iter_rows(named=True)} == told
    assert (rows["reason"].is_not_null() == rows["n_gain"].is_null()).all()
    assert rows["difference_pay"].null_count() == 0, "of three sellers or more"


@pytest.mark.parametrize(
    ("of_other", "groups"),
    [
        (["r1"], []),  # what the other plan pays in all would be what one gets
        (["r1", "r2", "r4", "r5"], [None]),  # in each team, what two get
        (["r1", "r2", "r3"], [None, "North", "South"]),  # in the South it pays nobody
    ],
)
def test_a_plan_for_a_few_tells_nothing_of_them(paid, tmp_path, of_other, groups):
    closed = paid(FLAT, [won(1000.0, "2026-02-01", f"r{n}") for n in range(1, 8)], is_open=False)
    (tmp_path / "other.toml").write_text(f"{FLAT}[who]\nreps = {of_other}\n", "utf-8")
    rows = compared(closed, load_plan(tmp_path / "other.toml", closed.book))

    assert rows["group"].to_list() == groups


def test_how_many_gain_and_lose_is_told_where_what_they_gain_and_lose_is_not(paid, tmp_path):
    deals = [won(amount, "2026-02-01", f"r{n}") for n, amount in ((1, 500.0), (2, 4000.0), (3, 4000.0), (5, 4000.0))]
    told = paid(FLAT, [*deals, *(won(500.0, "2026-02-01", f"r{n}") for n in (6, 7))], is_open=False)
    tiers = "rate = 0.1", "to = 2000\nrate = 0.05\n[[measures.tiers]]\nfrom = 2000\nrate = 0.3"
    (tmp_path / "other.toml").write_text(FLAT.replace(*tiers), "utf-8")
    rows = compared(told, load_plan(tmp_path / "other.toml", told.book))

    assert rows.select("group", "n_gain", "n_lose", "gain_pay").rows() == [
        (None, 3, 3, 900), ("North", 2, 1, None), ("South", 1, 2, None)
    ]  # fmt: skip
    assert rows["reason"].is_not_null().to_list() == [False, True, True]


def test_a_plan_that_has_not_begun_and_one_that_pays_nobody_say_so(paid):
    with pytest.raises(Problem, match="begins on"):
        paid(FLAT.replace("2026-", "2027-"), [])
    with pytest.raises(Problem, match="pays nobody"):
        paid(QUOTA.replace("amount = 120000", 'from = "targets"'), [])


NORTH = FLAT + '[who]\nteams = ["North"]\n'


@pytest.mark.parametrize(
    ("text", "reps", "cause", "repair"),
    [
        (QUOTA.replace("amount = 120000", 'from = "targets"'), REPS, "no quota for any of those who are there: 7",
         "targets of scope rep"),
        (QUOTA.replace("[quota]\namount = 120000", "[people.r9]\nquota = 1"),
         [*REPS, {**REPS[0], "rep_id": "r9", "left_date": "2024-12-31"}], "no quota for any of those who are there: 7",
         "quota.amount"),
        (NORTH.replace("[who]", '[who]\nroles = ["boss"]'), [*REPS, {**REPS[6], "rep_id": "r9", "role": "boss"}],
         "nobody is in all the groups it names: roles boss, teams North", "Write under [who]"),
        (NORTH, [{**rep, "left_date": "2025-06-30"} for rep in REPS], "those it is for (3) are not there between 2026-01-01",
         "left_date"),
        (FLAT, [], "the book knows no seller", "rep_id"),
        (FLAT, [{**rep, "role": None} for rep in REPS], "nobody has owned a deal since 2026-01-01", "[who]"),
    ],
)  # fmt: skip
def test_a_plan_that_pays_nobody_says_why(paid, text, reps, cause, repair):
    with pytest.raises(Problem, match="pays nobody") as told:
        paid(text, [], reps=reps)

    assert cause in str(told.value)
    assert repair in str(told.value)


def test_what_a_plan_may_cost_that_pays_nobody_says_why_too(paid, tmp_path):
    reps = [{**rep, "left_date": "2025-06-30"} for rep in REPS]
    book = paid(FLAT, [], reps=[*REPS[1:], reps[0]]).book
    (tmp_path / "pay.toml").write_text(FLAT + '[who]\nreps = ["r1"]\n', "utf-8")
    plan = load_plan(tmp_path / "pay.toml", book)

    with pytest.raises(Problem, match=r"pays nobody: those it is for \(1\)"):
        Ahead(book, plan, ["r1"], [date(2026, 7, 1)])


def test_what_a_payout_counts_is_told(paid):
    deals = [won(60_000.0, "2026-02-01"), won(60_000.0, "2026-05-01")]
    spans = {}
    for attainment in ("period", "year_to_date", "year"):
        told = paid(QUOTA.replace('period = "quarter"', f'period = "quarter"\nattainment = "{attainment}"'), deals)
        row = payouts(told).filter(pl.col("group") == "r1", pl.col("period") == date(2026, 4, 1)).row(0, named=True)
        spans[attainment] = [row[name] for name in ("counted_from", "quota_until", "quota_amount", "credited_amount")]
        lines, _ = trace(told, "r1")
        tier = lines.filter(pl.col("step") == "tier", pl.col("period") == date(2026, 4, 1)).row(0, named=True)
        assert (tier["counted_from"], tier["quota_amount"]) == (row["counted_from"], row["quota_amount"])

    assert spans == {
        "period": [date(2026, 4, 1), date(2026, 6, 30), 30_000, 60_000],
        "year_to_date": [date(2026, 1, 1), date(2026, 6, 30), 60_000, 120_000],
        "year": [date(2026, 1, 1), date(2026, 12, 31), 120_000, 120_000],
    }


@pytest.mark.parametrize(
    ("notified", "kinds"),
    [
        ("notified = 2025-12-01", []),
        ("notified = 2026-01-01", []),
        ("notified = 2026-02-01", ["late"]),
        ("notified = 2026-05-01", ["retroactive", "late"]),
        ("", ["late"]),
    ],
)
def test_a_plan_told_late_is_flagged(paid, notified, kinds):
    told = paid(FLAT.replace("notified = 2025-12-01", notified), [])

    assert [each.kind for each in flags(told.book, told.plan)] == kinds


def test_clauses_that_deduct_are_flagged(paid):
    told = paid(CLAWBACK + "[draw]\namount = 500\nrecoverable = true\n", [])

    assert ["Counsel decides." in each.said.told(str) for each in flags(told.book, told.plan)] == [True, True]
