"""What a filter says: read as its column holds it, and refused rather than answered with 0."""

from datetime import UTC, date, datetime

import narwhals as nw
import pytest

from cadran.measures import MEASURES, Question
from cadran.measures.values import read_value
from cadran.tables.problems import Problem

COLUMNS = ("closed_at", "closed_date", "stage_since")


def read(text, dtype, column):
    return read_value(text, dtype, column, COLUMNS, "Europe/Paris")


@pytest.mark.parametrize(
    ("column", "text", "day"),
    [
        ("closed_date", "2024-05-03", date(2024, 5, 3)),
        ("closed_month", "2024-05", date(2024, 5, 1)),
        ("closed_month", "2024-05-01", date(2024, 5, 1)),
        ("expected_quarter", "2024-Q2", date(2024, 4, 1)),
        ("expected_quarter", "2024-T4", date(2024, 10, 1)),
        ("created_year", "2024", date(2024, 1, 1)),
        ("created_week", "2024-W18", date(2024, 4, 29)),
    ],
)
def test_a_period_is_read_as_it_is_said(column, text, day):
    assert read(text, nw.Date(), column) == day


@pytest.mark.parametrize(
    ("column", "text", "example"),
    [
        ("closed_date", "2024-05", "2026-06-30"),
        ("closed_month", "2024", "2026-05"),
        ("closed_month", "2024-05-17", "2026-05"),
        ("closed_quarter", "2024-Q5", "2026-Q2"),
        ("closed_quarter", "2024-05-01", "2026-Q2"),
        ("closed_year", "24", "2026"),
        ("closed_week", "2024-05-01", "2026-W23"),
    ],
)
def test_what_is_no_period_names_the_form_wanted(column, text, example):
    with pytest.raises(Problem, match=f"{text} is no value of {column}.\nWrite it as {example}\\."):
        read(text, nw.Date(), column)


def test_an_instant_is_of_the_time_zone_of_the_book():
    instant = nw.Datetime("us", "UTC")

    assert read("2024-05-03T14:00", instant, "closed_at") == datetime(2024, 5, 3, 12, tzinfo=UTC)
    assert read("2024-05-03T14:00Z", instant, "closed_at") == datetime(2024, 5, 3, 14, tzinfo=UTC)
    with pytest.raises(Problem, match="closed_date=2026-06-30 for a whole day"):
        read("2024-05-03", instant, "closed_at")
    with pytest.raises(Problem, match="Write it as 2026-06-30T14:00"):
        read("2024-05-03", instant, "stage_since")


def test_periods_and_instants_filter(make_book):
    book = make_book([{"status": "won", "closed": f"2026-0{month}-05T10:00"} for month in (4, 5, 5)])

    def n_closed(**where):
        rows = MEASURES["win_rate"].ask(book, Question(where={name: (text,) for name, text in where.items()}))
        return rows["n_closed"].sum()

    assert n_closed(closed_month="2026-05") == 2
    assert n_closed(closed_quarter="2026-Q2") == n_closed(closed_year="2026") == 3
    assert n_closed(closed_at="2026-04-05T10:00") == 1


def test_a_text_that_is_nowhere_is_refused_with_those_like_it(make_book):
    reps = [
        {"rep_id": "r1", "valid_from": "2026-01-01", "region": "Nord"},
        {"rep_id": "r1", "valid_from": "2026-03-01", "region": "Sud"},
    ]
    book, volumes = make_book([{"rep_id": "r1", "created": "2026-02-01"}], reps=reps), MEASURES["volumes"]

    def check(value):
        volumes.check(book, Question(where={"region": (value,)}))

    for known in ("Sud", "Nord", None):  # Nord was known once: a waterfall may still open with it
        check(known)
    with pytest.raises(Problem, match=r"No row has nor as region.\nKnown values: Nord, …\."):
        check("nor")
    with pytest.raises(Problem, match=r"No row has Atlantide as region.\nKnown values: Nord, Sud\."):
        check("Atlantide")
    assert volumes.ask(book, Question(where={"region": ("Atlantide",)}))["n_open"][0] == 0


def test_only_texts_are_held_to_what_is_known(make_book):
    MEASURES["volumes"].check(
        make_book([{"amount": 5.0}]), Question(where={"amount": ("6",), "closed_month": ("2020",)})
    )


def test_groups_are_named_once(make_book):
    book, volumes = make_book([{"loss_reason": "Price", "status": "lost"}]), MEASURES["volumes"]

    assert volumes.ask(book, Question(by=("status", "status"))).equals(volumes.ask(book, Question(by=("status",))))
    with pytest.raises(Problem, match="group on has no name"):
        volumes.ask(book, Question(by=("",)))
