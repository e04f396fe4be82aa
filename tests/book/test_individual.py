"""Named persons are rated only while what the law asks for is on record."""

from datetime import UTC, date, datetime

import days
import pytest

from cadran.book import individual, open_book, write_book
from cadran.tables.problems import Problem

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
WHOLE = {
    "purpose": "Coaching",
    "legal_basis": "Legitimate interest",
    "impact_assessment": "Register, 12",
    "works_council": date(2026, 2, 1),
    "notice_date": date(2026, 3, 1),
    "retention_months": 24,
    "until": date(2027, 3, 1),
}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("book")
    write_book(folder, days.told(*days.company(5), days.LAST), days.end_of(days.LAST))
    return folder


@pytest.fixture
def folder(written):
    yield written
    (written / individual.RECORD).unlink(missing_ok=True)


def activation(**other):
    return individual.Activation(**WHOLE | other)


@pytest.mark.parametrize(
    ("on", "is_open"),
    [
        (date(2026, 3, 2), True),
        (date(2027, 3, 1), True),
        (date(2027, 3, 2), False),
        (date(2026, 2, 28), False),
        (None, False),
    ],
)
def test_it_holds_until_its_last_day(folder, on, is_open):
    individual.activate(folder, activation(), AT)

    assert individual.is_active(open_book(folder, on=on)) is is_open


def test_closed_before_and_after(folder):
    assert not open_book(folder, on=AT.date()).rates_persons
    individual.activate(folder, activation(works_council="Under 11 employees"), AT)
    assert individual.activation_of(folder, AT.date()).works_council == "Under 11 employees"
    individual.end(folder, AT)

    with pytest.raises(Problem, match="finest group"):
        individual.check_active(open_book(folder, on=AT.date()))
    assert len((folder / individual.RECORD).read_text().splitlines()) == 2


@pytest.mark.parametrize(
    "other",
    [
        {"purpose": " "}, {"works_council": ""}, {"works_council": date(2026, 4, 1)}, {"notice_date": date(2026, 3, 3)},
        {"until": date(2026, 3, 2)}, {"until": date(2036, 3, 2)}, {"retention_months": 0},
    ],
)  # fmt: skip
def test_what_is_missing_keeps_it_closed(folder, other):
    with pytest.raises(Problem):
        individual.activate(folder, activation(**other), AT)

    assert not (folder / individual.RECORD).exists()


def test_a_damaged_record_is_told(folder):
    (folder / individual.RECORD).write_text("{}x\n")

    with pytest.raises(Problem, match="cannot be read"):
        open_book(folder, on=AT.date())
