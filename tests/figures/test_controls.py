"""Whatever a browser sends, a page computes with values it allows, and says what it changed."""

from datetime import date

import pytest

from cadran.figures.controls import Choice, Day, read_view, view_of_address
from cadran.figures.periods import chosen_period, last_months, period_controls, year_before
from cadran.text import words_for

EN = words_for("en")
FIRST, LAST = date(2022, 1, 15), date(2026, 6, 30)
CONTROLS = [
    Day("as_of", "As of", FIRST, LAST, LAST.isoformat(), slides=True),
    Choice("by", "Group by", {"region": "Region", "team": "Team"}, "region"),
    *period_controls(FIRST, LAST, EN),
]


def read(**raw):
    return read_view(raw, CONTROLS, ["region", "team"], EN)


@pytest.mark.parametrize(
    ("sent", "held", "is_said"),
    [
        ("2025-03-31", "2025-03-31", False),
        ("1066-10-14", "2022-01-15", True),
        ("9999-12-31", "2026-06-30", True),
        ("2025-02-30", "2026-06-30", True),
        ("<script>", "2026-06-30", True),
        (None, "2026-06-30", False),
        ({"a": 1}, "2026-06-30", True),
        (-500, "2026-06-30", True),
    ],
)
def test_a_day_is_held_within_the_book(sent, held, is_said):
    view = read(controls={"as_of": sent})

    assert view["as_of"] == held
    assert bool(view.said) == is_said


@pytest.mark.parametrize(
    "raw", [{}, {"controls": "x", "selection": 3, "tables": [], "behind": 9, "seq": "1", "open": 0}]
)
def test_nonsense_gives_the_view_of_the_beginning(raw):
    view = read_view(raw, CONTROLS, ["region"], EN)

    assert dict(view.controls)["by"] == "region"
    assert (view.selection, view.tables, view.behind, view.open, view.seq) == ({}, {}, frozenset(), None, 0)


def test_a_selection_is_held_to_the_dimensions_and_to_a_length():
    view = read(selection={"region": ["North"] * 9000 + ["x" * 9000], "password": ["a"], "team": "A"})

    assert view.selection == {"region": ("North",)}


def test_only_days_are_values_of_a_month():
    view = read_view({"selection": {"closed_month": ["2026-01-01", "never", ""]}}, CONTROLS, ["closed_month"], EN)

    assert view.selection == {"closed_month": ("2026-01-01",)}


def test_what_was_changed_is_said():
    assert read(controls={"by": "salary"}).said == ("Group by: “salary” is not possible here; Region is shown.",)


def test_an_address_holds_the_whole_view():
    query = {"as_of": "2025-03-31", "in.region": ["North", "South"], "in.team": "A", "deals.sort": "-amount",
             "deals.page": "3", "lang": "fr", "open": "D1"}  # fmt: skip

    view = read_view(view_of_address(query, CONTROLS), CONTROLS, ["region", "team"], EN)

    assert view["as_of"] == "2025-03-31"
    assert view.selection == {"region": ("North", "South"), "team": ("A",)}
    assert (view.tables["deals"].sort, view.tables["deals"].page, view.open) == ("-amount", 3, "D1")


@pytest.mark.parametrize("page", ["-3", "0", "1e9", "x", None, 10**12])
def test_a_page_of_a_table_is_a_number_from_one(page):
    assert read(tables={"deals": {"page": page}}).tables["deals"].page in {1, 10**6}


def test_the_slider_steps_through_month_ends():
    steps = Day("d", "", date(2024, 1, 15), date(2024, 4, 10), "2024-04-10", slides=True).steps

    assert steps == ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-10"]


@pytest.mark.parametrize(
    ("period", "since", "until"),
    [
        ("quarter", date(2025, 4, 1), date(2025, 5, 20)),
        ("last_quarter", date(2025, 1, 1), date(2025, 3, 31)),
        ("year", date(2025, 1, 1), date(2025, 5, 20)),
        ("months12", date(2024, 5, 21), date(2025, 5, 20)),
        ("all", FIRST, date(2025, 5, 20)),
        ("custom", date(2025, 6, 30), date(2026, 6, 30)),
    ],
)
def test_periods_end_when_the_book_does(period, since, until):
    as_of = LAST if period == "custom" else date(2025, 5, 20)

    assert chosen_period(read(controls={"period": period}), as_of, FIRST) == (since, until)


def test_the_year_before_keeps_month_ends():
    assert year_before((date(2024, 2, 29), date(2025, 2, 28))) == (date(2023, 2, 28), date(2024, 2, 29))
    assert year_before((date(2025, 1, 1), date(2025, 3, 31))) == (date(2024, 1, 1), date(2024, 3, 31))
    assert last_months(date(2026, 2, 10), 12) == (date(2025, 3, 1), date(2026, 2, 10))
