from datetime import UTC, date, datetime

import pytest

from cadran.tables.problems import Problem
from cadran.text import LANGUAGES, UNKNOWN, pick_language, words_for

HARD, NARROW = "\u00a0", "\u202f"


@pytest.mark.parametrize(
    ("x", "english", "french"),
    [
        (0, "0", "0"),
        (5, "5", "5"),
        (999.6, f"1{HARD}k", f"1{HARD}k"),
        (1234, f"1.23{HARD}k", f"1,23{HARD}k"),
        (999_600, f"1{HARD}M", f"1{HARD}M"),
        (4_200_000, f"4.2{HARD}M", f"4,2{HARD}M"),
        (-123_456, f"−123{HARD}k", f"−123{HARD}k"),
        (2.5e9, f"2.5{HARD}bn", f"2,5{HARD}Md"),
        (0.3124, "0.312", "0,312"),
        (None, UNKNOWN, UNKNOWN),
        (float("nan"), UNKNOWN, UNKNOWN),
    ],
)
def test_compact_keeps_three_significant_digits(x, english, french):
    assert (words_for("en").compact(x), words_for("fr").compact(x)) == (english, french)


def test_money_as_each_language_writes_it():
    english, french = words_for("en"), words_for("fr")

    assert english.money(4_200_000, "EUR") == f"4.2{HARD}M€"
    assert french.money(4_200_000, "EUR") == f"4,2{HARD}M€"
    assert english.money(10_005_534, "USD") == f"US$10{HARD}M"
    assert english.money(10_005_534, "USD", compact=False) == "US$10,005,534"
    assert french.money(1_339_200, "EUR", compact=False) == f"1{NARROW}339{NARROW}200{HARD}€"
    assert french.money(None, "EUR") == UNKNOWN


def test_shares_points_and_durations():
    english, french = words_for("en"), words_for("fr")

    assert (english.percent(0.314), french.percent(0.314)) == ("31%", f"31{NARROW}%")
    assert english.percent(-0.08, 1, sign=True) == "−8.0%"
    assert french.percent(-0.0001, 0, sign=True) == f"0{NARROW}%"
    assert french.points(0.031) == f"+3{HARD}pts"
    assert [french.points(x) for x in (-0.01, 0.0, 0.019)] == [f"−1{HARD}pt", f"0{HARD}pt", f"+2{HARD}pts"]
    assert [english.points(x) for x in (-0.01, 0.0, 0.02)] == [f"−1{HARD}pt", f"0{HARD}pts", f"+2{HARD}pts"]
    assert (english.days(1), english.days(42.4), english.days(3.5)) == (
        f"1{HARD}day",
        f"42{HARD}days",
        f"3.5{HARD}days",
    )
    assert french.days(0.5) == f"12{HARD}h"
    assert [english.days(x, in_hours=False) for x in (0.04, 1.25)] == [f"0.04{HARD}days", f"1.2{HARD}days"]


def test_dates():
    day = date(2026, 6, 30)

    assert (words_for("en").date(day), words_for("fr").date(day)) == ("30 Jun 2026", "30 juin 2026")
    assert (words_for("en").quarter(day), words_for("fr").quarter(day)) == ("Q2 2026", "T2 2026")
    assert words_for("fr").month(day) == "juin 2026"
    assert words_for("en").moment(datetime(2026, 6, 30, 6, 5, tzinfo=UTC)) == "30 Jun 2026 06:05"
    assert words_for("fr").date(None) == UNKNOWN


@pytest.mark.parametrize(("n", "french"), [(0, "0 affaire"), (1, "1 affaire"), (1.5, "1,5 affaire"), (2, "2 affaires")])
def test_french_counts_from_two_in_the_plural(n, french):
    assert words_for("fr").n("{n} deal", "{n} deals", n) == french


def test_french_signs_stand_after_a_space_that_does_not_break():
    said = words_for("fr")(
        "{control}: “{value}” is not possible here; {held} is shown.", control="a", value="b", held="c"
    )

    assert said == f"a{HARD}: «{NARROW}b{NARROW}» n’est pas possible ici{NARROW}; c est affiché."


@pytest.mark.parametrize(
    ("query", "browser", "picked"),
    [
        ("fr", "en", "fr"),
        ("xx", "fr-FR,fr;q=0.9", "fr"),
        (None, "de,fr;q=0.8,en;q=0.5", "fr"),
        (None, "en;q=0.3, fr;q=0.7", "fr"),
        (None, None, "en"),
        (None, ";;q=;,,*;q=abc", "en"),
        ("", "", "en"),
    ],
)
def test_the_language_asked_for_then_that_of_the_browser(query, browser, picked):
    assert pick_language(query, browser) == picked
    assert picked in LANGUAGES


def test_a_problem_writes_its_numbers_and_dates_as_the_reader_does():
    what, values = "{n} deals, {share:.1f} %, on {day:%Y-%m-%d}, {at:%Y-%m-%d %H:%M}, {file}: {flag}", {
        "n": 6711, "share": 12.34, "day": date(2026, 6, 30), "at": datetime(2026, 6, 30, 6, tzinfo=UTC), "file": "a.csv",
        "flag": True,
    }  # fmt: skip
    problem = Problem(what, "Ask for {day:%Y-%m-%d}.", **values)

    assert str(problem).startswith("6711 deals, 12.3 %, on 2026-06-30")
    assert problem.told(words_for("en")) == (
        "6,711 deals, 12.3 %, on 30 Jun 2026, 30 Jun 2026 06:00, a.csv: True\nAsk for 30 Jun 2026."
    )
    assert problem.told(words_for("fr")) == (
        f"6{NARROW}711 deals, 12,3 %, on 30 juin 2026, 30 juin 2026 06:00, a.csv: True\nAsk for 30 juin 2026."
    )
