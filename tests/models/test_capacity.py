"""Load against capacity, the day to hire by, how many: by hand on small staffs, and on a company of known shortage."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

import company
import numpy as np
import polars as pl
import pytest
import signed

from cadran.measures.periods import month_after
from cadran.models.capacity import Hiring, basis, plan, ramp_curve, staffing_of
from cadran.models.hiring import _fewest
from cadran.models.one_person import Seen
from cadran.models.productivity import learn_productivity
from cadran.models.ramp import stated_attrition, stated_ramp
from cadran.models.shortage import chances
from cadran.models.staff import Presence, months_between, presence, staff, tenure_of
from cadran.models.staffing import Move, Opening, Staffing
from cadran.models.workforce import Change, Workforce, workforce
from cadran.models.working_days import WorkingDays
from cadran.models.workload import Workload, worked, workload
from cadran.tables.measured.capacity import CapacityMonth, Hire, HireBy, Timing
from cadran.tables.problems import Problem

DAY, FIRST = date(2026, 6, 30), date(2026, 7, 1)
MONTHS = months_between(FIRST, date(2027, 6, 1))
GROUPS = (("Nord", "Lille"), ("Nord", None), ("Sud", "Lyon"), ("Sud", None))
SELLERS = pl.DataFrame({"rep_id": ["a", "b"], "region": ["Nord", "Sud"], "team": ["Lille", "Lyon"]})
N = 400


@dataclass(frozen=True)
class Drawn:
    """Futures in which all that is random is the plan's own."""

    bookings: np.ndarray
    opened: np.ndarray
    created: np.ndarray
    level: np.ndarray


def drawn(opened, created=0.0):
    full = np.ones((2, len(MONTHS)))
    return Drawn(np.full((N, 2, len(MONTHS)), 1000.0), full * opened, full * created, np.ones((N, len(MONTHS))))


def weekdays(since=date(2023, 1, 1), until=date(2029, 1, 1)):
    days = [since + timedelta(days=n) for n in range((until - since).days)]
    return frozenset(day for day in days if day.weekday() < 5)


def force(n=10, staffing=None, attrition=0.0, ramp=(0.0, 0.5), hired=None, hours=None, each=1.0, productivity=None):
    """`n` tenured sellers in each of two regions who have 100 hours a month each; a deal takes `each`."""
    told = staffing or Staffing()
    tenure = np.full((2 * n, len(MONTHS)), 24) if hired is None else tenure_of(pl.Series([*hired] * 2), MONTHS)
    return Workforce(
        told, DAY, MONTHS, GROUPS, np.full(len(MONTHS), 21.0), np.full(len(MONTHS), 100.0) if hours is None else hours,
        np.repeat([0, 2], n), tenure, np.full(2 * n, np.inf), stated_ramp(ramp, None), stated_attrition(attrition),
        Workload(each, 0.0, {}, 0.0, "stated hours", 0.0, 0.0, 0), productivity,
        WorkingDays(told, weekdays(), date(2023, 1, 1), date(2029, 1, 1)),
    )  # fmt: skip


def of(told, level, group=None):
    return next(n for n, row in enumerate(told.rows) if (row.level, row.group) == (level, group))


# ---- load and capacity ----


def test_load_and_capacity_by_hand():
    told = plan(force(each=2.0), SELLERS, drawn(opened=[[600], [300]]))

    assert told.load[:, of(told, "region", "Nord")].mean() == pytest.approx(1200, rel=0.01)
    assert told.load[:, of(told, "region", "Sud")].mean() == pytest.approx(600, rel=0.01)
    assert np.unique(told.capacity[:, of(told, "region", "Nord")]) == pytest.approx([1000])
    assert (told.p_shortage[of(told, "region", "Nord")] > 0.95).all()
    assert (told.p_shortage[of(told, "region", "Sud")] < 0.05).all()


def test_new_deals_take_hours_once_and_their_level_moves_what_is_open():
    busy = replace(force(), workload=Workload(1.0, 10.0, {"Nord": 1.5}, 0.0, "stated hours", 0, 0, 0))
    usual = drawn(opened=500, created=50)
    double = replace(usual, level=usual.level * 2)
    once, twice = (plan(busy, SELLERS, each).load.mean(axis=0) for each in (usual, double))
    nord, sud = (of(plan(busy, SELLERS, usual), "region", name) for name in ("Nord", "Sud"))

    assert once[sud, 0] == pytest.approx(500 + 50 * 10, rel=0.02)
    assert once[nord, 0] == pytest.approx(1.5 * once[sud, 0], rel=0.02)
    # Half of the first month's 50 more are open on average in it; of the deals open, nine in ten stay.
    assert twice[sud, 0] == pytest.approx(500 + 25 + 2 * 50 * 10, rel=0.004)
    assert twice[sud, 2] == pytest.approx(500 + 0.9 * (50 * 0.9 + 50) + 25 + 2 * 50 * 10, rel=0.004)


def test_groups_add_up_in_every_future():
    told = plan(force(attrition=0.3), SELLERS, drawn(opened=600, created=40), Change(hires=(("Sud", MONTHS[2], 3),)))
    company, regions = of(told, "company"), [n for n, row in enumerate(told.rows) if row.level == "region"]

    for values in (told.load, told.capacity, told.bookings):
        assert values[:, company] == pytest.approx(values[:, regions].sum(axis=1), rel=1e-5)


def test_sellers_leave_as_coins_fall():
    told = plan(force(n=40, attrition=0.4), SELLERS, drawn(opened=100))
    heads = told.capacity[:, of(told, "region", "Nord")] / 100
    stays = np.exp(np.log(0.6) / 12 * told.force.ahead)

    assert heads.mean(axis=0) == pytest.approx(40 * stays, rel=0.02)
    assert heads[:, 11].var() == pytest.approx(40 * stays[11] * (1 - stays[11]), rel=0.25)
    assert (np.diff(heads, axis=1) <= 0).all()
    twice = plan(told.force, SELLERS, told.drawn, Change(attrition=2.0)).n_sellers
    assert twice[of(told, "region", "Nord"), 11] == pytest.approx(40 * stays[11] ** 2, rel=0.05)


def test_who_joins_and_leaves_as_planned():
    staffing = Staffing(
        joiners=(Move("Nord", "Lille", date(2026, 10, 1), 4),), leavers=(Move("Sud", None, date(2026, 12, 31), 5),)
    )
    told = plan(force(staffing=staffing), SELLERS, drawn(opened=100))
    nord, sud = (told.capacity[:, of(told, "region", name)].mean(axis=0) / 100 for name in ("Nord", "Sud"))

    assert nord.tolist() == pytest.approx([10, 10, 10, 10, 12, *[14] * 7])  # the ramp is 0, 0.5, then whole
    assert sud.tolist() == pytest.approx([*[10] * 6, *[5] * 6])


def test_a_hire_is_worth_what_a_planned_joiner_is():
    staffing = Staffing(joiners=(Move("Nord", None, date(2026, 10, 1), 4),))
    planned = plan(force(staffing=staffing, attrition=0.2), SELLERS, drawn(opened=100))
    hired = plan(force(attrition=0.2), SELLERS, drawn(opened=100), Change(hires=(("Nord", date(2026, 10, 1), 4),)))

    assert hired.capacity == pytest.approx(planned.capacity)
    assert hired.n_sellers == pytest.approx(planned.n_sellers)


def test_who_will_be_hired_or_will_leave_is_known():
    told = force(n=2, hired=[date(2026, 9, 1), None])
    told = replace(told, leaves=np.array([np.inf, 5.0, np.inf, np.inf]))
    nord = plan(told, SELLERS, drawn(opened=100)).capacity[0, 1] / 100

    assert nord.tolist() == [1, 1, 1, 1.5, 2, 1, 1, 1, 1, 1, 1, 1]


def test_a_region_that_opens_brings_what_is_said():
    staffing = Staffing(openings=(Opening("Ouest", None, date(2026, 12, 1), 80.0),))
    told = replace(force(staffing=staffing), groups=(*GROUPS, ("Ouest", None)))
    found = plan(told, SELLERS, drawn(opened=100))
    ouest = found.load[:, of(found, "region", "Ouest")]

    assert np.unique(ouest, axis=0).tolist() == [[*[0] * 5, *[80] * 7]]


def test_a_group_more_leaves_the_futures_of_the_others_as_they_are():
    others = force(each=2.0)
    more = replace(others, groups=(("Est", "Metz"), *GROUPS), group=others.group + 1)
    before, after_it = (plan(each, SELLERS, drawn(opened=[[500], [500]])) for each in (others, more))

    for name in ("Nord", "Sud"):
        assert 0 < before.p_shortage[of(before, "region", name)].min() < 1
        np.testing.assert_array_equal(
            before.load[:, of(before, "region", name)], after_it.load[:, of(after_it, "region", name)]
        )


def test_a_region_that_all_leave_is_short_of_whom_its_deals_need():
    staffing = Staffing(leavers=(Move("Nord", None, date(2026, 12, 31), 99),), recruiting_days=0.0, notice_months=0.0)
    found = plan(force(staffing=staffing), SELLERS, drawn(opened=500))
    nord = of(found, "region", "Nord")

    assert found.n_sellers[nord].tolist() == [10.0] * 6 + [0.0] * 6
    assert found.p_shortage[nord].tolist() == [0.0] * 6 + [1.0] * 6
    row = Hiring(found).hire_by.row(
        by_predicate=(pl.col("region") == "Nord") & (pl.col("case") == "base") & (pl.col("level") == "region"),
        named=True,
    )
    # 500 hours a month for three months, and a hire has 50, then 100 and 100.
    assert row["shortage_month"] == date(2027, 1, 1)
    assert row["n_hires"] in (6, 7)


def test_where_nobody_is_there_is_no_chance_of_shortage():
    told = plan(replace(force(), group=np.zeros(20, int)), SELLERS, drawn(opened=100))
    frame = told.frame(("region",)).filter(pl.col("group") == "Sud")

    assert frame["p_shortage"].null_count() == frame["load"].null_count() == len(MONTHS)
    assert not frame["is_short"].any()
    assert (frame["hours_load"] > 90).all()


def test_the_frame_is_what_it_says():
    told = plan(force(n=4, attrition=0.2, staffing=Staffing(threshold=0.3)), SELLERS, drawn(opened=400))
    frame = CapacityMonth.validate(told.frame())
    row = frame.filter(pl.col("level") == "region", pl.col("group") == "Nord", pl.col("month") == MONTHS[5]).row(
        0, named=True
    )
    ratio = told.load[:, 1, 5] / told.capacity[:, 1, 5]

    assert row["load"] == pytest.approx(np.median(ratio), rel=1e-5)
    assert (row["load_low"], row["load_high"]) == pytest.approx(
        tuple(np.quantile(ratio, [0.025, 0.975], method="hazen")), rel=1e-4
    )
    assert row["p_shortage"] == (ratio > 1).mean()
    assert row["hours_load"] == pytest.approx(told.load[:, 1, 5].mean(), rel=1e-5)


# ---- what counts as short ----


def test_a_single_tight_month_is_no_shortage():
    gap = np.full((N, 12), -100.0)
    gap[:, 1] = 150  # August, made up for by the autumn
    gap[:, 8:] = 50
    one, together = chances(gap)

    assert (np.minimum(one, together) >= 0.5).nonzero()[0].tolist() == [8, 9, 10, 11]


def test_a_summer_that_the_autumn_cannot_make_up_for_is_one():
    gap = np.full((N, 12), -100.0)
    gap[:, 1] = 350
    one, together = chances(gap)

    assert (np.minimum(one, together) >= 0.5).nonzero()[0].tolist() == [1]


# ---- by when, how many ----


@pytest.mark.parametrize("threshold", [0.05, 0.2, 0.5, 0.8])
def test_the_fewest_hires_against_a_slow_loop(threshold):
    rng = np.random.default_rng(3)
    gap, worth = rng.normal(300, 200, 37), rng.uniform(60, 100, 37)
    slowly = next(n for n in range(100) if np.mean(gap > n * worth + 1e-9) < threshold)

    assert _fewest(gap, worth, threshold) == slowly


def test_the_day_to_hire_by():
    # Nord falls short for good in January: ten leave at the end of December.
    staffing = Staffing(
        leavers=(Move("Nord", None, date(2026, 12, 31), 5),), recruiting_days=20.0, recruiting_pace=(1.0,) * 12
    )
    told = Hiring(plan(force(staffing=staffing), SELLERS, drawn(opened=[[900], [500]])))
    rows = HireBy.validate(told.hire_by).filter(pl.col("level") == "region", pl.col("case") == "base")
    nord, sud = rows.rows(named=True)

    assert told.useful == 1  # half of a tenured seller's work from the second month on
    assert nord["shortage_month"] == date(2027, 1, 1)
    assert nord["start_month"] == date(2026, 12, 1)
    # Three months of notice: 1 September; 20 weekdays before that: 4 August.
    assert nord["hire_by"] == date(2026, 8, 4)
    assert nord["days_late"] is None
    assert (sud["shortage_month"], sud["hire_by"], sud["n_hires"]) == (None, None, 0)
    # 400 hours are missing in January, when one who starts in December has 50.
    (hire,) = Hire.validate(told.hires).filter(pl.col("level") == "region").rows(named=True)
    assert (hire["start_month"], hire["hire_by"]) == (date(2026, 12, 1), date(2026, 8, 4))
    assert hire["n"] in (4, 5)  # January to March together lack 1,200 hours, of which one brings 250


def test_a_shortage_that_is_there_already_is_told_late():
    told = Hiring(plan(force(), SELLERS, drawn(opened=[[1300], [500]])))
    row = told.hire_by.filter(pl.col("group") == "Nord", pl.col("case") == "base").row(0, named=True)

    assert row["shortage_month"] == FIRST
    assert row["days_late"] == (DAY - row["hire_by"]).days > 0
    assert told.ready == told.plan.force.calendar.ready(DAY)
    assert row["help_month"] == month_after(told.ready, 1)
    assert row["n_hires"] in (3, 4)  # once grown, each has 100 of the 300 hours


def test_worse_cases_come_sooner_and_need_more():
    staffing = Staffing(leavers=(Move("Nord", None, date(2026, 12, 31), 3),))
    told = Hiring(
        plan(replace(force(staffing=staffing, attrition=0.25), months=MONTHS), SELLERS, drawn(opened=[[700], [100]]))
    )
    rows = {row["case"]: row for row in told.hire_by.filter(pl.col("group") == "Nord").rows(named=True)}

    assert rows["worst"]["shortage_month"] <= rows["base"]["shortage_month"] <= rows["best"]["shortage_month"]
    assert told.n_hires(case="worst") == rows["worst"]["n_hires"]
    assert rows["worst"]["n_hires"] >= rows["base"]["n_hires"] >= rows["best"]["n_hires"] > 0


def test_the_hires_told_end_the_shortage():
    told = Hiring(plan(force(attrition=0.4), SELLERS, drawn(opened=[[850], [500]])))
    listed = told.hires.filter(pl.col("level") == "region", pl.col("group") == "Nord")
    hires = tuple(("Nord", row["start_month"], row["n"]) for row in listed.rows(named=True))
    after_them = plan(told.plan.force, SELLERS, told.plan.drawn, Change(hires=hires))

    nord = of(after_them, "region", "Nord")
    assert hires
    assert told.plan.is_short[nord].any()
    helps = month_after(told.ready, told.useful)
    assert told.plan.is_short[nord, -3:].all()
    assert not after_them.is_short[nord, MONTHS.index(helps) :].any()


def test_what_early_and_late_cost():
    staffing = Staffing(leavers=(Move("Nord", None, date(2026, 12, 31), 5),), monthly_cost=5000.0, margin=0.4,
                        recruiting_days=0.0, notice_months=0.0)  # fmt: skip
    told = Hiring(plan(force(staffing=staffing), SELLERS, drawn(opened=[[900], [500]])))
    rows = Timing.validate(told.timing).filter(pl.col("level") == "region")
    n = told.hires.filter(pl.col("level") == "region")["n"].sum()
    of_shift = {row["shift_months"]: row for row in rows.rows(named=True)}

    assert (rows["hours_short"].diff().drop_nulls() >= 0).all()
    assert of_shift[0]["more"] == 0
    assert of_shift[0]["seller_months"] == 7 * n  # December to June
    assert of_shift[-2]["salary"] == 5000 * 9 * n
    assert of_shift[-2]["seller_months_idle"] == 3 * n  # October to December
    lost = of_shift[3]["revenue_short"] - of_shift[0]["revenue_short"]
    assert of_shift[3]["more"] == pytest.approx(-5000 * 3 * n + 0.4 * lost, rel=1e-6)
    assert not of_shift[-6]["is_possible"]


def test_without_a_monthly_cost_no_money_is_told_of_salaries():
    told = Hiring(plan(force(), SELLERS, drawn(opened=[[1300], [500]]))).timing

    assert told["salary"].null_count() == told["more"].null_count() == told.height > 0


# ---- the calendar ----


def test_august_counts_as_what_it_is(make_book):
    book = make_book([], taken="2026-06-30T12:00", settings={"holidays": "FR", "time_zone": "Europe/Paris"})
    days = WorkingDays.of(book, Staffing(), date(2026, 1, 1), date(2026, 12, 1))

    # France, 2026: 21 business days in August (the 15th is a Saturday), 22 in July (the 14th is off).
    assert (days.business(date(2026, 8, 1)), days.business(date(2026, 7, 1))) == (21, 22)
    assert days.selling_hours(date(2026, 8, 1)) == pytest.approx((21 - 7.5) * 7 * 0.35)
    assert days.business(date(2026, 6, 1), date(2026, 6, 25)) == 3
    assert days.selling_hours(date(2026, 6, 1), date(2026, 6, 30)) == 0


def test_recruiting_against_a_slow_walk_backwards():
    told = Staffing(recruiting_days=30.0)
    days = WorkingDays(told, weekdays(), date(2023, 1, 1), date(2029, 1, 1))
    day, left = date(2026, 7, 1), 30.0  # 1 October less three months
    while left > 0:
        day -= timedelta(days=1)
        left -= told.recruiting_pace[day.month - 1] if day.weekday() < 5 else 0

    assert days.recruit_by(date(2026, 10, 1)) == day
    assert days.recruit_by(date(2026, 12, 1)) < date(2026, 7, 10)  # through August, of which a day counts a third
    ready = days.ready(date(2026, 7, 1))
    assert days.recruit_by(ready) >= date(2026, 7, 1) > days.recruit_by(month_after(ready, -1))


# ---- what is learnt from a book ----

OWNED = [
    {"created": "2025-07-01", "rep_id": "a", "status": "open"},
    {"created": "2026-01-01", "rep_id": "b", "status": "won", "closed": "2026-04-01", "amount": 900},
]
C = {"rep_id": "c", "valid_from": "2020-01-01", "region": "Sud", "role": "seller", "hired_date": "2020-01-01"}
A = C | {"rep_id": "a", "region": "Nord", "team": "Lille", "role": "Seller"}
B = C | {"rep_id": "b", "valid_from": "2026-01-01", "role": "director", "hired_date": "2026-01-01"}
REPS = [A, B, C, C | {"valid_from": "2026-03-31", "left_date": "2026-03-31"}, C | {"rep_id": "d", "role": "support"}]


def test_who_sells_and_what_they_carried(make_book):
    book = make_book(OWNED, taken="2026-06-30T12:00", reps=REPS, histories=("versions", "reps"))
    told = staff(book)
    past = presence(book, told)

    assert told.select("rep_id", "is_present").rows() == [("a", True), ("b", True), ("c", False)]
    assert past.months == months_between(date(2025, 7, 1), date(2026, 6, 1))
    assert past.present[2].sum() == 9
    assert past.tenure[1, 6:].tolist() == [0, 1, 2, 3, 4, 5]
    assert past.carried[1].tolist() == pytest.approx([*[0] * 6, 31 / 90, 28 / 90, 31 / 90, 0, 0, 0])
    assert past.revenue[1, 9] == 900
    earlier = staff(book.as_of(date(2026, 2, 28)))
    assert earlier.filter(pl.col("rep_id") == "c")["is_present"].item()


def logged(n=40, minutes=60):
    """Touches of the deal that stays open, evenly over the last year, after its first 30 days."""
    since = date(2025, 8, 15)
    return [
        {"activity_id": f"t{k}", "opportunity_id": "d1", "at": str(since + timedelta(days=7 * k)), "kind": "call",
         "direction": "out", "duration_minutes": minutes}
        for k in range(n)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def worked_year(make_book):
    deal = {"opportunity_id": "d1", "created": "2025-07-01", "rep_id": "a", "status": "open"}
    book = make_book([deal], taken="2026-06-30T12:00", reps=REPS[:1], activities=logged())
    return worked(
        book, staff(book).select("rep_id", "region"), dict.fromkeys(months_between(date(2025, 7, 1), FIRST), 20.0)
    )


def test_hours_are_learnt_from_what_was_logged(worked_year):
    assert worked_year.n_open.sum(axis=0) == pytest.approx([1.0] * 12)
    assert worked_year.hours.sum() == pytest.approx(40)
    told = workload(worked_year, np.full(12, 4.0), Staffing())

    # 40 hours on a deal open for 12 months of 20 business days; a new one takes no more.
    assert told.basis == "logged"
    assert (told.open_hours, told.new_hours) == (pytest.approx(40 / 12 * 21 / 20), 0.0)
    assert told.logged_share == pytest.approx(40 / 48, rel=0.1)


def test_new_deals_take_more(make_book):
    deals = [{"opportunity_id": f"n{k}", "created": str(date(2025, 7, 1) + timedelta(days=7 * k)), "rep_id": "a", "status": "open"}
             for k in range(44)]  # fmt: skip
    touches = [
        {"activity_id": f"{deal['opportunity_id']}-{day}", "opportunity_id": deal["opportunity_id"], "kind": "call",
         "at": str(date.fromisoformat(deal["created"]) + timedelta(days=day)), "duration_minutes": minutes}
        for deal in deals for day, minutes in ((10, 300), (40, 60), (70, 60), (100, 60), (130, 60))
    ]  # fmt: skip
    known = [touch for touch in touches if touch["at"] < "2026-06-30"]
    book = make_book(deals, taken="2026-06-30T12:00", reps=REPS[:1], activities=known)
    calendar = dict.fromkeys(months_between(date(2025, 7, 1), FIRST), 21.0)
    told = workload(worked(book, staff(book).select("rep_id", "region"), calendar), np.full(12, 40.0), Staffing())

    # An hour every 30 days while open (for some 130 days here), and five hours in the first 30.
    assert told.basis == "logged"
    assert 3.5 < told.new_hours < 5
    assert 0.2 < told.open_hours < 1.0


def test_a_log_that_tells_too_little_is_not_taken_for_all_the_work(worked_year):
    told = workload(worked_year, np.full(12, 40.0), Staffing())
    stated = workload(worked_year, np.full(12, 40.0), Staffing(past_load=0.6))

    assert (told.basis, stated.basis) == ("assumed load", "stated load")
    assert (told.n_touches, told.past_load) == (40, 0.85)
    for each in (told, stated):
        took = worked_year.n_open * 20 / 21 * each.open_hours + worked_year.created * each.new_hours
        assert took.sum() == pytest.approx(each.past_load * 480)
    assert told.error > stated.error > 0


def test_stated_hours_stand(worked_year):
    told = workload(worked_year, np.full(12, 40.0), Staffing(hours_per_open_deal=8.0, other_share=0.2))

    assert (told.basis, told.open_hours, told.error) == ("stated hours", 10.0, 0.0)


def test_a_book_too_young_to_tell_hours_says_so(make_book):
    book = make_book(
        [{"created": "2026-06-10", "rep_id": "a", "status": "open"}], taken="2026-06-20T12:00", reps=REPS[:1]
    )
    told = staff(book).select("rep_id", "region", "team")

    with pytest.raises(Problem, match="How many hours deals take cannot be told"):
        workforce(book, Staffing(), told, MONTHS)
    assert workforce(book, Staffing(hours_per_open_deal=5.0), told, MONTHS).workload.open_hours == 5.0


def test_what_a_seller_signs_a_month():
    months = months_between(date(2024, 7, 1), date(2026, 6, 1))
    sellers = pl.DataFrame({"region": ["Nord"] * 6 + ["Sud"] * 6 + ["Est"] * 6})
    revenue = np.repeat([[100.0], [60.0], [50.0]], 6, axis=0) * np.where([m.month == 8 for m in months], 0.25, 1.0)
    there = np.ones(revenue.shape)
    told = learn_productivity(Presence(sellers, months, there, there, there, revenue), there)

    assert told.season[7] == pytest.approx(told.season[0] * 0.5, rel=0.1)  # 0.25, pulled a third of the way to 1
    assert told.regions["Nord"] > told.monthly > told.regions["Sud"] > told.regions["Est"]
    few = learn_productivity(Presence(sellers[:7], months, there[:7], there[:7], there[:7], revenue[:7]), there[:7])
    assert few.regions == {}  # a region of one seller would be that seller


def test_bookings_capacity_by_hand():
    months = months_between(date(2025, 7, 1), date(2026, 6, 1))
    there = np.ones((6, 12))
    pace = learn_productivity(
        Presence(pl.DataFrame({"region": ["Nord"] * 6}), months, there, there, there, there * 70.0), there
    )
    told = plan(force(productivity=pace), SELLERS, drawn(opened=100))

    assert told.bookings_capacity[:, 0] == pytest.approx(np.full((N, 12), 20 * 70.0), rel=1e-5)


def test_nobody_sells(make_book):
    with pytest.raises(Problem, match="Nobody sells in this book"):
        staffing_of(make_book([{"created": "2026-01-01", "status": "open"}]))
    with pytest.raises(Problem, match="The horizon asked for is 19 months"):
        staffing_of(make_book([]), 19)


# ---- a company whose shortage is known ----


@pytest.mark.parametrize("seed", [2, 6])
def test_hire_by_within_a_month_of_the_truth(tmp_path, seed):
    made = company.company(tmp_path / "book", seed, size=0.25)
    told = made.hiring()
    rows = told.hire_by.filter(pl.col("level") == "region", pl.col("group") == made.region)
    by = dict(rows.select("case", "hire_by").iter_rows())["base"]

    assert abs((by - made.hire_by(told)).days) <= 31
    assert told.plan.force.workload.basis == "logged"
    assert told.plan.force.workload.open_hours == pytest.approx(company.TOUCHES * company.HOURS, rel=0.1)
    assert basis(told.plan.force).filter(pl.col("name") == "yearly_attrition_share")["basis"].item() == "learnt"
    assert ramp_curve(told.plan.force)["productivity_share"].is_sorted()


# ---- who sees what ----


def test_rows_that_are_not_shown_and_revenue_of_one_person_are_left_out():
    staffing = Staffing(monthly_cost=5000.0, stated=frozenset({"monthly_cost"}))
    made = plan(force(each=2.0, staffing=staffing), SELLERS, drawn(opened=[[600], [600]]))
    shown = [row.group in (None, "Nord") for row in made.rows]
    revenue = [row.level == "company" for row in made.rows]
    told = Hiring(replace(made, seen=Seen(np.array(shown), np.array(revenue))))
    frame = told.plan.frame()

    assert set(frame["group"]) == {None, "Nord"}
    assert frame.filter(pl.col("bookings").is_not_null())["level"].unique().to_list() == ["company"]
    assert frame["hours_load"].null_count() == 0, "work is told of anybody"
    CapacityMonth.validate(frame)
    assert set(told.hire_by["group"]) == set(told.hires["group"]) == set(told.timing["group"]) == {"Nord"}
    timing = Timing.validate(told.timing)
    assert timing["revenue_short"].null_count() == timing["more"].null_count() == timing.height > 0
    assert timing["salary"].null_count() == 0
    assert Hiring(made).timing["revenue_short"].null_count() == 0
    assert told.n_hires() == Hiring(made).n_hires(), "the company's hires are those of all its regions"


def test_the_pace_of_one_person_is_told_where_persons_may_be_rated_alone(tmp_path):
    one, two = (signed.monthly([100] * 18, date(2025, 1, 1), rep) for rep in ("r1", "r3"))
    books = signed.book(tmp_path / "one", one), signed.book(tmp_path / "two", [*one, *two])
    everybody = pl.DataFrame({"rep_id": ["r1", "r3"], "region": ["North", "South"], "team": ["N1", "S1"]})

    alone, both = (workforce(book, Staffing(), everybody, MONTHS) for book in books)
    opened = workforce(replace(books[0], rates_persons=True), Staffing(), everybody, MONTHS)

    assert [each.productivity is None for each in (alone, both, opened)] == [True, False, False]
    assert "revenue_per_seller_month" not in basis(alone)["name"]
