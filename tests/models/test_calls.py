"""Forecasts that were told are kept once, whatever is imported, purged or forgotten later, and judged by what came."""

import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
import signed

from cadran.book import Reader, forget, open_book, purge
from cadran.models.calls import FOLDER, SAID, calls, is_call, keep_call, scored_calls
from cadran.tables.measured.forecast import Called
from cadran.tables.problems import Problem

FIRST, DAY = date(2025, 1, 1), date(2026, 6, 30)
PAST = signed.monthly([100] * 12 + [100, 110, 120, 130, 140, 150], FIRST)


@pytest.fixture
def book(tmp_path):
    return signed.book(tmp_path / "book", PAST, day=DAY)


def said(day, middle=100.0, **more):
    """A call of the company, its first region, and a person, for the two months after a day."""
    rows = []
    for level, group in (("company", None), ("region", "North"), ("rep", "r1")):
        for turn in (1, 2):
            month = (day.replace(day=1) + timedelta(days=31 * turn)).replace(day=1)
            until = (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
            rows.append({"candidate": "blend", "level": level, "group": group, "period": month, "until": until,
                         "mean": middle, "q50": middle, "q10": middle - 15, "q90": middle + 15, "low": middle - 35,
                         "high": middle + 35, "target": None} | more)  # fmt: skip
    schema = {name: kind for name, kind in SAID.items() if name not in ("called_date", "version")}
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema, orient="row")


def as_if_known(book, day):
    """The book as it would be, had it been imported on a day."""
    settings = replace(book.settings, taken=datetime(day.year, day.month, day.day, 23, tzinfo=UTC))
    seen = book.as_of(day)
    object.__setattr__(seen, "settings", settings)
    return seen


def test_a_call_is_kept_once_and_holds_no_person(book):
    assert keep_call(book, lambda: said(DAY)) is None
    assert keep_call(book, lambda: 1 / 0) is None, "the same question of the same version is not even asked again"
    kept = calls(book)

    assert kept.columns == Called.column_names()
    assert kept["level"].unique().sort().to_list() == ["company", "region"]
    assert kept.height == 4
    assert kept["actual"].null_count() == 4, "nothing of it is over"
    assert [path.suffix for path in (book.version.parent / FOLDER).iterdir()] == [".parquet"]


def test_a_call_that_says_nothing_is_not_kept(book):
    assert keep_call(book, lambda: said(DAY).clear()) is None
    assert list((book.version.parent / FOLDER).iterdir()) == []


def test_what_came_is_set_beside_it_and_judged(book):
    keep_call(as_if_known(book, date(2026, 3, 31)), lambda: said(date(2026, 3, 31), 140.0))
    told = calls(book).filter(level="company")

    assert told["actual"].to_list() == [130, 140]
    assert told["error"].to_list() == [10, 0]
    assert told["horizon_months"].to_list() == [1, 2]
    assert told["is_within_80"].to_list() == [True, True]
    row = scored_calls(book, calls(book)).filter(name="blend").row(0, named=True)
    assert row["wape"] == pytest.approx(20 / 540), "company and region alike"
    assert (row["n"], row["coverage_95"]) == (4, 1.0)


def test_a_forecast_of_an_earlier_day_or_of_a_part_is_no_call(book):
    assert is_call(book)
    assert not is_call(book.as_of(date(2026, 5, 1)))
    assert not is_call(book.scope(Reader("x", regions=frozenset(["North"]))))


def test_a_reader_of_a_region_sees_the_calls_of_theirs(book):
    keep_call(book, lambda: said(DAY))

    assert calls(book.scope(Reader("x", regions=frozenset(["North"]))))["group"].to_list() == ["North"] * 2
    assert calls(book.scope(Reader("x", regions=frozenset(["South"])))).is_empty()


def test_a_day_before_sees_no_later_call(book):
    keep_call(book, lambda: said(DAY))

    assert calls(book.as_of(date(2026, 5, 1))).is_empty()


def test_imports_purges_and_forgetting_leave_calls_and_what_was_purged_is_not_judged(book):
    keep_call(as_if_known(book, date(2025, 3, 31)), lambda: said(date(2025, 3, 31)))
    folder = book.version.parent
    assert calls(book)["actual"].null_count() == 0
    purge(folder, date(2025, 9, 1))
    forget(folder, "r1")

    told = calls(open_book(folder))
    assert told.height == 4
    assert told["actual"].null_count() == 4


def test_a_book_that_cannot_be_written_says_so(book, monkeypatch):
    (book.version.parent / FOLDER).write_text("a file stands where the folder would")
    problem = keep_call(book, lambda: said(DAY))

    assert "is not kept" in str(problem)


def test_a_damaged_call_is_named(book):
    keep_call(book, lambda: said(DAY))
    (path,) = (book.version.parent / FOLDER).iterdir()
    path.write_bytes(b"PAR1 no more")

    with pytest.raises(Problem, match=path.name):
        calls(book)


def test_a_book_without_calls_has_none(book):
    shutil.rmtree(book.version.parent / FOLDER, ignore_errors=True)

    assert calls(book).is_empty()
    assert scored_calls(book, calls(book))["n"].sum() == 0


def test_what_has_no_name_or_no_amount_is_not_judged(tmp_path):
    """A forecast's groups without a name hold teams of one seller: another month's may be others."""
    wins = [*signed.monthly([40] * 18, FIRST, "r3"), {"status": "won", "closed": date(2026, 6, 5), "rep_id": "r1",
                                                      "amount": None}]  # fmt: skip
    book = signed.book(tmp_path / "book", wins, day=DAY)
    month = {"period": date(2026, 6, 1), "until": DAY}
    rows = pl.concat([said(date(2026, 5, 31), level="team", group=None, **month).head(1),
                      said(date(2026, 5, 31), level="region", group="North", **month).head(1),
                      said(date(2026, 5, 31), level="region", group="South", **month).head(1)])  # fmt: skip
    keep_call(as_if_known(book, date(2026, 5, 31)), lambda: rows)
    told = {(level, group): came for level, group, came in calls(book).select("level", "group", "actual").iter_rows()}

    assert told == {("team", None): None, ("region", "North"): None, ("region", "South"): 40}
