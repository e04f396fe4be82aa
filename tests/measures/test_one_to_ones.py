from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from cadran.book.one_to_ones import agree, agreed, forgotten, led, noted, one_to_ones, sifted
from cadran.book.reader import Reader
from cadran.measures.one_to_ones import hours, hours_per_week, people, waiting
from cadran.sources.one_to_ones import read_one_to_ones
from cadran.tables.delivery import SET_ASIDE
from cadran.tables.measured.one_to_ones import Hours, Waiting
from cadran.tables.one_to_ones import OneToOne
from cadran.tables.problems import Problem

TODAY = date(2026, 6, 30)
NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)


def member(rep_id, manager_id="m1", valid_from="2026-01-01", **more):
    return {"rep_id": rep_id, "manager_id": manager_id, "valid_from": valid_from, "team": "T", "region": "R",
            "role": "seller"} | more  # fmt: skip


@pytest.fixture
def book(make_book):
    """One of its own, to note in."""
    return staffed(make_book)


@pytest.fixture(scope="module")
def staff(make_book):
    """One to read."""
    return staffed(make_book)


def staffed(make_book):
    """Two people led by m1, who sells too; one led by m2 until April, then by m1; nobody leads m1."""
    return make_book(
        reps=[
            member("a"), member("b"), member("c", "m2"), member("c", "m1", "2026-04-01"), member("m1", None),
            member("gone", left_date="2026-02-01"),
        ]
    )  # fmt: skip


def rows(*told, file="met.csv"):
    """(person, day, kind, manager, minutes) as a file has them."""
    names = ("person", "day", "kind", "manager", "minutes")
    full = [dict(zip(names, (*each, *[None] * (5 - len(each))), strict=True)) for each in told]
    types = {"person": pl.String, "day": pl.Date, "kind": pl.String, "manager": pl.String, "minutes": pl.Int64}
    frame = pl.DataFrame([{**each, "kind": each["kind"] or "held"} for each in full], schema=types)
    return frame.with_columns(
        row=pl.int_range(1, pl.len() + 1), line=pl.int_range(2, pl.len() + 2), file=pl.lit(file),
        day_told=pl.col("day").cast(pl.String), minutes_told=pl.col("minutes").cast(pl.String),
    )  # fmt: skip


def keep(book, *told, at=None):
    kept, aside = sifted(book, rows(*told), TODAY)
    assert aside.is_empty()
    return noted(book, kept, at)


def test_a_person_is_met_by_who_led_them_on_the_day(book):
    kept, aside = sifted(
        book, rows(("c", date(2026, 3, 1)), ("c", date(2026, 4, 1)), ("c", date(2025, 1, 1)), ("a", date(2026, 5, 1), None, "m1")),
        TODAY,
    )  # fmt: skip

    OneToOne.validate(kept)
    assert aside.is_empty()
    assert kept["manager"].to_list() == ["m2", "m1", "m2", "m1"]
    assert kept["minutes"].to_list() == [60] * 4
    assert led(book).filter(person="c")["since"].to_list() == [None, date(2026, 4, 1)]


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        (("nobody", date(2026, 5, 1)), "the person is one of the staff"),
        ((None, date(2026, 5, 1)), "it says who was met"),
        (("a", None), "the day is a date"),
        (("gone", date(2026, 3, 1)), "the person was still there"),
        (("m1", date(2026, 5, 1)), "the person has a manager on that day"),
        (("a", date(2026, 5, 1), "held", "a"), "nobody meets themselves\nit is with the person's manager"),
        (("a", date(2026, 5, 1), "held", "m2"), "it is with the person's manager"),
        (("a", date(2026, 7, 1)), "what was held is not in the future"),
        (("a", date(2026, 5, 1), "talked"), "it is planned, held or cancelled"),
        (("a", date(2026, 5, 1), "held", None, 481), "it lasts 5 to 480 minutes"),
        (("a", date(2026, 5, 1), "held", None, 4), "it lasts 5 to 480 minutes"),
    ],
)
def test_rows_that_break_a_rule_are_set_aside_with_rule_and_repair(staff, row, rule):
    kept, aside = sifted(staff, rows(("b", date(2026, 5, 4)), row), TODAY)

    assert kept["person"].to_list() == ["b"]
    assert aside.schema == SET_ASIDE
    assert aside.select("file", "row", "line", "rule").row(0) == ("met.csv", 2, 3, rule)
    assert len(aside["repair"].item().split("\n")) == len(rule.split("\n"))


def test_what_a_file_says_twice_is_set_aside_and_what_is_kept_already_is_not_kept_again(book):
    kept, aside = sifted(book, rows(("a", date(2026, 5, 1)), ("a", date(2026, 5, 1))), TODAY)

    assert aside["rule"].to_list() == ["it is told once"]
    assert (noted(book, kept, None), noted(book, kept, None)) == (1, 0)
    assert keep(book, ("a", date(2026, 5, 1), "held", None, 30)) == 1
    assert one_to_ones(book, TODAY)["minutes"].to_list() == [30]


def test_a_file_is_read_with_its_own_names_and_other_columns_are_not(book, tmp_path):
    path = tmp_path / "entretiens.csv"
    path.write_text(
        "Personne;Jour;Statut;Durée;Notes\na;13/05/2026;fait;45;ce qui fut dit\nb;2026-07-02;prévu;;\na;;x;y;\n",
        "utf-8",
    )

    told, unread = read_one_to_ones(path)
    kept, aside = sifted(book, told, TODAY)

    assert unread == ["Notes"]
    assert kept.select("person", "day", "kind", "minutes").rows() == [
        ("a", date(2026, 5, 13), "held", 45), ("b", date(2026, 7, 2), "planned", 60),
    ]  # fmt: skip
    assert aside.select("row", "rule").rows() == [
        (3, "the day is a date\nit is planned, held or cancelled\nit lasts 5 to 480 minutes")
    ]
    assert "fut dit" not in str(aside.rows())
    (tmp_path / "other.csv").write_text("who,when\na,2026-05-01\n")
    with pytest.raises(Problem, match="no column person"):
        read_one_to_ones(tmp_path / "other.csv")
    (tmp_path / "mixed.csv").write_text("person,day\na,13/05/2026\na,05/13/2026\n")
    with pytest.raises(Problem, match=r"mixed\.csv"):
        read_one_to_ones(tmp_path / "mixed.csv")


def test_plans_stand_until_cancelled_and_nothing_is_known_before_its_time(book):
    keep(book, ("a", date(2026, 7, 3), "planned"), ("b", date(2026, 7, 4), "planned"), at=NOW)
    keep(book, ("b", date(2026, 7, 4), "cancelled"), at=NOW)
    keep(book, ("a", date(2026, 5, 1)), ("a", date(2026, 6, 1)))

    assert one_to_ones(book, TODAY).select("person", "day", "kind").rows() == [
        ("a", date(2026, 5, 1), "held"), ("a", date(2026, 6, 1), "held"), ("a", date(2026, 7, 3), "planned"),
    ]  # fmt: skip
    assert one_to_ones(book, date(2026, 5, 31))["day"].to_list() == [date(2026, 5, 1), date(2026, 7, 3)]
    may = book.as_of(date(2026, 5, 15))
    assert one_to_ones(may, may.day)["day"].to_list() == [date(2026, 5, 1)]


def test_who_has_been_waiting_longest_is_told_to_their_manager_alone(book):
    keep(book, ("a", date(2026, 6, 20)), ("b", date(2026, 5, 1)), ("b", date(2026, 7, 3), "planned"))

    found = waiting(book, "m1", TODAY)

    Waiting.validate(found)
    assert found.select("person", "waiting_days", "is_late", "next_planned").rows() == [
        ("b", 60, True, date(2026, 7, 3)), ("c", 60, True, None), ("a", 10, False, None),
    ]  # fmt: skip
    own = replace(book, reader=Reader("m1", role="manager", teams=frozenset({"T"})))
    assert waiting(own, "m1", TODAY).equals(found)
    for reader in (Reader("m2", role="manager"), Reader("m1", role="hr"), Reader("boss", role="analyst")):
        with pytest.raises(Problem, match="manager alone"):
            waiting(replace(book, reader=reader), "m1", TODAY)
    with pytest.raises(Problem, match="led by m9"):
        waiting(book, "m9", TODAY)


def test_nobody_waits_since_before_one_was_noted(book):
    with pytest.raises(Problem, match="nobody knows who waits"):
        waiting(book, "m1", TODAY)
    assert people(book, TODAY)["is_on_rhythm"].null_count() == 3
    keep(book, ("a", date(2026, 6, 25)))

    told = waiting(book, "m1", TODAY)

    assert dict(told.select("person", "waiting_days").iter_rows()) == {"a": 5, "b": 5, "c": 5}


def test_a_quarter_more_than_agreed_is_still_on_rhythm(book):
    keep(book, ("a", TODAY - timedelta(days=35)), ("b", TODAY - timedelta(days=36)), ("c", TODAY - timedelta(days=99)))

    told = people(book, TODAY)

    assert dict(told.select("person", "is_on_rhythm").iter_rows()) == {"a": True, "b": False, "c": False}
    agree(book, 30, 45, NOW)
    agree(book, 14, 30, NOW, "m1")
    assert (agreed(book, "m1").days, agreed(book, "m2").days) == (14, 30)
    assert not people(book, TODAY)["is_on_rhythm"].any()
    assert people(book, TODAY)["rhythm_days"].unique().to_list() == [14]
    assert sifted(book, rows(("a", TODAY)), TODAY)[0]["minutes"].to_list() == [30]
    for days, minutes in ((0, 60), (28, 1)):
        with pytest.raises(Problem, match="no rhythm"):
            agree(book, days, minutes, NOW)


def test_hours_of_a_manager_by_week(book):
    keep(
        book, ("a", date(2026, 6, 22)), ("b", date(2026, 6, 28), "held", None, 30), ("a", date(2026, 6, 29), "planned"),
        ("b", date(2026, 6, 29), "planned"), ("b", date(2026, 6, 29)),
    )  # fmt: skip

    found = hours(book, date(2026, 6, 1), date(2026, 7, 5))

    Hours.validate(found)
    assert found.rows() == [("m1", date(2026, 6, 22), 2, 1.5, 0, 0.0), ("m1", date(2026, 6, 29), 1, 1.0, 1, 1.0)]
    with pytest.raises(Problem, match="told to the manager"):
        hours(replace(book, reader=Reader("m2", role="manager")), date(2026, 6, 1), TODAY, "m1")


def test_hours_a_week_are_those_held_lately_or_those_agreed(book):
    assert hours_per_week(book) == {}
    keep(book, ("a", date(2026, 6, 22)), ("b", date(2026, 6, 22)), ("a", date(2026, 1, 5)))
    assert hours_per_week(book) == {"m1": pytest.approx(2 / 13)}

    agree(book, 14, 45, NOW)

    assert hours_per_week(book) == {"m1": pytest.approx(3 * 0.5 * 0.75)}


def test_who_asks_to_be_forgotten_is_in_no_line(book):
    keep(book, ("a", date(2026, 6, 22)), ("b", date(2026, 6, 22)))
    folder = book.version.parent

    assert forgotten(folder, "a", "forgotten-1") == 1
    assert forgotten(folder, "m1", "forgotten-2") == 2

    text = (folder / "pulse" / "one_to_ones.jsonl").read_text()
    assert '"a"' not in text
    assert '"m1"' not in text
