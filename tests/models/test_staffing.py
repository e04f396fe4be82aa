"""A plan of the staff, read from TOML: what it states, what is set aside, what is refused."""

from datetime import date

import pytest

from cadran.models.staffing import MONTHS, Staffing, read_staffing
from cadran.tables.problems import Faults
from cadran.text import words_for

GROUPS = {("Nord", "Lille"): 4, ("Sud", "Lyon"): 5, ("Sud", None): 1}
PLANNED = [date(2026, 7, 1), date(2026, 8, 1), date(2026, 9, 1), date(2026, 10, 1)]


@pytest.fixture
def read(tmp_path):
    def read_it(text):
        path = tmp_path / "staffing.toml"
        path.write_text(text, "utf-8")
        return read_staffing(path, GROUPS, PLANNED)

    return read_it


def test_what_is_not_said_is_assumed_and_said_to_be(read):
    told = read("[time]\nhours_per_week = 39\n[hiring]\nmonthly_cost = 6500")

    assert (told.hours_per_week, told.monthly_cost, told.selling_share) == (39.0, 6500.0, 0.35)
    assert "hours_per_week" not in told.assumed
    assert {"selling_share", "leave_days", "notice_months", "recruiting_pace", "threshold"} <= set(told.assumed)
    assert told.past_load is None
    assert "past_load" not in told.assumed  # learnt, or told apart


def test_leave_by_month_is_said_whole(read):
    days = "\n".join(f"{name} = {number}" for number, name in enumerate(MONTHS))
    assert read(f"[leave.days]\n{days}").leave_days == tuple(float(n) for n in range(12))

    with pytest.raises(Faults, match=r"leave\.days\.december: It is missing"):
        read("[leave.days]\n" + days.rsplit("\n", 1)[0])


def test_a_pace_of_recruiting_says_only_what_differs(read):
    pace = read("[hiring.pace]\naugust = 0.1").recruiting_pace

    assert pace[7] == 0.1
    assert pace[:7] == Staffing.recruiting_pace[:7]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[time]\nhours_per_week = -1", "time.hours_per_week: -1 is below 1."),
        ("[time]\nselling_share = 35", "time.selling_share: 35 is above 1."),
        ("[time]\nselling_share = 0", "time.selling_share: 0 is below 0.01."),
        ('[hiring]\nnotice_months = "three"', "hiring.notice_months: three is no number."),
        ("[hiring]\nnotice_months = nan", "hiring.notice_months: nan is no number."),
        ("[hiring]\nnotice = 3", "hiring.notice: This is no key of the table."),
        ("[ramp]\nshares = [0.5, 0.2]", "ramp.shares: [0.5, 0.2] falls on the way."),
        ("[ramp]\nshares = [0.5, 2]", "ramp.shares: [0.5, 2] is no list of numbers from 0 to 1."),
        (
            "[hiring]\nrecruiting_days = 400\n[hiring.pace]\n" + "\n".join(f"{name} = 0.2" for name in MONTHS),
            "hiring.recruiting_days: Recruiting takes more than two years: 400 business days, and a year counts 50 of them.",
        ),
        (
            "[hiring.pace]\n" + "\n".join(f"{name} = 0" for name in MONTHS),
            "hiring.recruiting_days: Recruiting takes more than two years: 45 business days, and a year counts 0 of them.",
        ),
        ("[hirring]\n", "hirring: This is no key of the table."),
        ("joiners = 3", "joiners: 3 is no list of tables."),
        (
            "[load]\npast_load = 0.8\nhours_per_open_deal = 6",
            "load.past_load: How full sellers were and the hours of a deal",
        ),
        ("[load]\nhours_per_new_deal = 6", "load.hours_per_open_deal: It is missing."),
        ("[ramp]\nmonths = 6\nshares = [0.5]", "ramp.months: The ramp is said twice, as `shares` and as `months`."),
        ("[ramp]\nshares = []", "ramp.shares: The list is empty."),
    ],
)
def test_a_wrong_number_is_refused(read, text, said):
    with pytest.raises(Faults) as refused:
        read(text)

    assert said in str(refused.value)
    assert refused.value.told(words_for("fr")) != str(refused.value)


def test_all_that_is_wrong_is_told_together(read):
    with pytest.raises(Faults) as refused:
        read("[time]\nhours_per_week = 0\n[hiring]\nmargin = 2\nthreshold = true")

    assert len(refused.value.faults) == 3


JOINER = '[[joiners]]\nregion = "{}"\nfirst_day = {}\nn = {}\n'


def test_who_joins_and_leaves(read):
    told = read(
        JOINER.format("Nord", "2026-09-01", 2) + '[[leavers]]\nregion = "Sud"\nteam = "Lyon"\nlast_day = 2026-08-31\n'
    )

    assert told.set_aside == ()
    assert [(each.region, each.team, each.day, each.n) for each in (*told.joiners, *told.leavers)] == [
        ("Nord", None, date(2026, 9, 1), 2),
        ("Sud", "Lyon", date(2026, 8, 31), 1),
    ]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (JOINER.format("Nrod", "2026-09-01", 2), "joiners[2].region: Nrod is unknown here.\nWrite one of: Nord, "),
        (JOINER.format("Nord", "2026-09-01", -2), "joiners[2].n: -2 is below 1."),
        (JOINER.format("Nord", "2026-09-01", 1.5), "joiners[2].n: 1.5 is no whole number."),
        (JOINER.format("Nord", "2027-09-01", 1), "joiners[2].first_day: 2027-09-01 lies outside the months planned"),
        (
            JOINER.format("Nord", "2025-09-01", 1),
            "joiners[2].first_day: 2025-09-01 lies outside the months planned, 2026-07-01 to 2026-10-31.",
        ),
        ('[[leavers]]\nregion = "Sud"\nlast_day = 2026-08-31\nn = 7\n', "7 leave where 6 are."),
        (JOINER.format("Nord", '"2026-09-01"', 1), "joiners[2].first_day: 2026-09-01 is no day."),
        (JOINER.format("Ouest", "2026-08-01", 1), "joiners[2].first_day: Ouest begins only on 2026-09-01."),
        (JOINER.format("Nord", "2026-09-01", 1) + 'team = "Lyon"\n', "joiners[2].team: Lyon is unknown here."),
        ('[[openings]]\nregion = "Nord"\nfirst_day = 2026-09-01\n', "openings[2].region: Nord is there already."),
        ('[[openings]]\nregion = "Ouest"\nfirst_day = 2026-10-01\n', "openings[2].region: Ouest begins twice."),
        (
            '[[openings]]\nregion = "Est"\nfirst_day = 2020-10-01\n',
            "openings[2].first_day: 2020-10-01 lies outside the months",
        ),
        (
            '[[openings]]\nregion = "Est"\nfirst_day = 2027-10-01\n',
            "openings[2].first_day: 2027-10-01 lies outside the months",
        ),
    ],
)
def test_a_move_that_cannot_be_is_set_aside_and_the_others_go_on(read, row, said):
    told = read(
        JOINER.format("Nord", "2026-09-01", 1)
        + '[[openings]]\nregion = "Ouest"\nfirst_day = 2026-09-01\nhours_per_month = 200\n'
        + row
    )

    assert [each.region for each in told.joiners] == ["Nord"]
    assert [each.hours for each in told.openings] == [200.0]
    (problem,) = told.set_aside
    assert said in str(problem)


def test_a_region_that_opens_takes_joiners_from_its_day_on(read):
    told = read('[[openings]]\nregion = "Ouest"\nfirst_day = 2026-09-01\n' + JOINER.format("Ouest", "2026-09-15", 3))

    assert [each.n for each in told.joiners] == [3]


def test_where_the_book_knows_no_region_none_is_named(tmp_path):
    path = tmp_path / "staffing.toml"
    path.write_text("[[joiners]]\nfirst_day = 2026-09-01\n" + JOINER.format("Nord", "2026-09-01", 1), "utf-8")
    told = read_staffing(path, {(None, None): 1}, PLANNED)

    assert [each.region for each in told.joiners] == [None]
    assert "joiners[2].region: The book knows none." in str(told.set_aside[0])
