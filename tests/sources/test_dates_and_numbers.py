"""Text to values. Oracles: dates and numbers written out by hand, and the standard library's own reading."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from cadran.sources.dates import dates, day_first
from cadran.sources.parse import Writing, looks_personal, numbers, one_of, yes_no
from cadran.tables.problems import Problem


def days(texts, **how):
    return dates(pl.Series("day", texts, pl.String), "Europe/Paris", **how)["day"].to_list()


def moments(texts, zone="Europe/Paris"):
    return dates(pl.Series("at", texts, pl.String), zone)["at"].to_list()


@pytest.mark.parametrize(
    "written",
    [
        "2017-03-05", "2017/03/05", "2017-3-5", "20170305", "05.03.2017", "5.3.17", "5-Mar-17", "05-mars-2017",
        "5 mars 2017", "dimanche 5 mars 2017", "March 5, 2017", "Mar 5 2017", "5 Mar 2017", "42799",
        "2017-03-05T00:00:00", "2017-03-05 00:00:00", "2017-03-05 14:30", "05.03.2017 14:30:59", " 2017-03-05 ",
    ],
)  # fmt: skip
def test_forms_of_dates_that_tell_themselves(written):
    assert days([written]) == [date(2017, 3, 5)]


@pytest.mark.parametrize(
    ("written", "month"),
    [("1 janv. 2020", 1), ("1er févr. 2020", 2), ("01-août-20", 8), ("1 décembre 2020", 12), ("1 juil. 2020", 7),
     ("1 juin 2020", 6), ("1-Sep-20", 9), ("1 Sept 2020", 9), ("1 AVRIL 2020", 4), ("1 mai 2020", 5)],
)  # fmt: skip
def test_month_names(written, month):
    assert days([written]) == [date(2020, month, 1)]


def test_day_or_month_first_is_told_by_the_whole_column():
    assert days(["03/04/2017", "31/01/2017"]) == [date(2017, 4, 3), date(2017, 1, 31)]
    assert days(["03/04/2017", "1/31/2017"]) == [date(2017, 3, 4), date(2017, 1, 31)]
    assert days(["03/03/2017"]) == [date(2017, 3, 3)]


def test_day_or_month_first_may_be_told_by_another_column():
    assert days(["03/04/2017"], is_day_first=True) == [date(2017, 4, 3)]
    assert days(["03/04/2017"], is_day_first=False) == [date(2017, 3, 4)]


def test_what_can_be_read_two_ways_is_refused():
    with pytest.raises(Problem, match="cannot be told apart"):
        days(["03/04/2017", "05/05/2017"])
    with pytest.raises(Problem, match="mixes dates"):
        day_first(pl.Series("d", ["31/01/2017", "01/31/2017"]))


@pytest.mark.parametrize(
    "written",
    ["2017-02-29", "2017-13-01", "31.04.2017", "2017-00-10", "soon", "0017-01-01", "9999-12-31", "12", "2017"],
)
def test_no_date(written):
    assert days([written]) == [None]


@pytest.mark.parametrize(
    ("form", "written"),
    [("DD/MM/YYYY", "05/03/2017"), ("MM/DD/YYYY", "3/5/2017"), ("YY-MM-DD", "17-03-05"), ("DDMMYYYY", "05032017"),
     ("DD MMMM YYYY", "05 mars 2017"), ("DD/MM/YYYY HH:mm:ss", "05/03/2017 23:10:00"), ("excel", "42799")],
)  # fmt: skip
def test_stated_forms(form, written):
    assert days([written, "x"], forms=(form,)) == [date(2017, 3, 5), None]


def test_a_stated_form_is_the_only_one():
    assert days(["2017-03-05", "05/03/2017"], forms=("DD/MM/YYYY",)) == [None, date(2017, 3, 5)]


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("2024-07-01T12:00:00Z", datetime(2024, 7, 1, 12, tzinfo=UTC)),
        ("2024-07-01T12:00:00+02:00", datetime(2024, 7, 1, 10, tzinfo=UTC)),
        ("2024-07-01T12:00:00-0530", datetime(2024, 7, 1, 17, 30, tzinfo=UTC)),
        ("2024-07-01 12:00", datetime(2024, 7, 1, 10, tzinfo=UTC)),
        ("2024-01-01 12:00:00.250", datetime(2024, 1, 1, 11, 0, 0, 250_000, tzinfo=UTC)),
        ("1/31/2024 1:05 PM", datetime(2024, 1, 31, 12, 5, tzinfo=UTC)),
        ("1/31/2024 12:05 AM", datetime(2024, 1, 30, 23, 5, tzinfo=UTC)),
        ("2024-01-07 6:49:18", datetime(2024, 1, 7, 5, 49, 18, tzinfo=UTC)),
        ("2024-07-01", datetime(2024, 6, 30, 22, tzinfo=UTC)),  # a day is its local midnight
        ("2024-03-31 02:30:00", datetime(2024, 3, 31, 1, 30, tzinfo=UTC)),  # an hour the clock skipped
    ],
)
def test_moments_are_stored_in_utc(written, utc):
    assert moments([written]) == [utc]


def test_midnight_that_the_clock_skipped():
    assert moments(["2018-11-04"], "America/Sao_Paulo") == [datetime(2018, 11, 4, 3, tzinfo=UTC)]


def test_a_column_always_at_midnight_holds_days():
    assert dates(pl.Series(["2024-01-01 00:00:00"]), "UTC")["is_day"].to_list() == [True]
    some = pl.Series(["2024-01-01 00:00:00", "2024-01-01 08:00:00"])
    assert dates(some, "UTC")["is_day"].to_list() == [False, False]


def test_every_day_of_forty_years_reads_as_the_standard_library_writes_it():
    every = [date(1990, 1, 1) + timedelta(days=n) for n in range(0, 14_600)]
    for form in ("%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%b-%Y", "%B %d, %Y", "%Y%m%d"):
        assert days([day.strftime(form) for day in every]) == every


def figures(texts, **how):
    return numbers(pl.Series("n", texts), Writing(**how)).to_list()


@pytest.mark.parametrize(
    ("written", "value"),
    [("1234.56", 1234.56), ("1,234.56", 1234.56), ("1.234,56", 1234.56), ("1 234,56", 1234.56),
     ("1\u202f234,56 €", 1234.56), ("1\u00a0234,5", 1234.5), ("1,234,567", 1234567.0), ("1.234.567", 1234567.0),
     ("$1,234.50", 1234.5), ("EUR 12,5", 12.5), ("-12", -12.0), ("(12.50)", -12.5), ("12.50-", -12.5), ("−3", -3.0),
     ("1e3", 1000.0), ("45%", 0.45), ("12,5 %", 0.125), (".5", 0.5), ("7", 7.0), ("1'234.50", 1234.5),
     ("0.125", 0.125)],
)  # fmt: skip
def test_numbers(written, value):
    assert figures([written]) == [pytest.approx(value)]


@pytest.mark.parametrize("written", ["x", "12 k€", "1-2", "1.2.3", "", ".", "-", "12 pcs", "NaN", "inf", "%"])
def test_no_number(written):
    assert figures([written]) == [None]


def test_the_mark_of_a_column_holds_for_all_of_it():
    assert figures(["1,234", "12,5"]) == [1.234, 12.5]
    assert figures(["1,234", "1,234.5"]) == [1234.0, 1234.5]
    assert figures(["12,5", "1.5"]) == [12.5, None]  # not both
    assert figures(["1.234,50", "1,234.50"], decimal=",") == [1234.5, None]
    with pytest.raises(Problem, match=r"comma \(1\.234,50\) and a point \(1,234\.50\)"):
        figures(["1.234,50", "1,234.50"])
    assert figures(["1,234"], told_decimal=",") == [1.234]
    assert figures(["1,234"], decimal=".") == [1234.0]
    with pytest.raises(Problem, match="decimal point or part thousands"):
        figures(["1,234", "5,678", "12"])


def test_yes_no_and_one_of():
    assert yes_no(pl.Series(["Yes", "non", "1", "FALSE", "perhaps"])).to_list() == [True, False, True, False, None]
    assert one_of(pl.Series(["Best Case", "commit", "?"]), ["best_case", "commit"]).to_list() == [
        "best_case",
        "commit",
        None,
    ]


@pytest.mark.parametrize(
    ("texts", "kind"),
    [(["a@b.fr", "Ann"], "e-mail addresses"), (["+33 6 12 34 56 78"], "phone numbers"),
     (["06.12.34.56.78"], "phone numbers"), (["(555) 555-5555"], "phone numbers"),
     (["client"] * 9 + [f"c{n}" for n in range(999)] + ["Ann <ann@example.com>"], "e-mail addresses"),
     ([f"c{n}" for n in range(90)] + [f"+33 6 12 34 56 {n}" for n in range(10, 20)], "phone numbers"),
     ([f"c{n}" for n in range(99)] + ["+33 6 12 34 56 78"], None), (["@home", "a @ b.fr"], None),
     (["0612-01-15", "2024-01-15", "+12,000.50", "5550123456", "555-0123"], None),
     (["44023296", "1244495215"], None), (["0061G00000N38JZQAZ"], None), (["Ann"], None)],
)  # fmt: skip
def test_personal_data(texts, kind):
    assert looks_personal(pl.Series(texts)) == kind
