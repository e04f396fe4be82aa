"""A company imported again and again answers as if it had been imported at once. A month day by day: `tests/evidence`."""

from datetime import timedelta

import days
import pytest

from cadran.measures import MEASURES

#: A weekend on which nothing happens, and the last day, a month later.
DAYS = [days.LAST - timedelta(days=back) for back in (31, 30, 0)]


@pytest.fixture(scope="module")
def company():
    """A small invented company: its tables and settings."""
    return days.company(40)


@pytest.fixture(scope="module")
def at_once(company, tmp_path_factory):
    """Its book, imported once."""
    return days.by_history(*company, [days.LAST], tmp_path_factory.mktemp("at once"))


def test_the_whole_past_told_again_and_again_makes_the_same_book(company, at_once, tmp_path):
    daily = days.by_history(*company, DAYS, tmp_path)
    one, other = days.rows(at_once), days.rows(daily)

    assert daily.version.name == "000003"
    for name in one:
        assert one[name].equals(other[name]), name
    asked = narrow(days.LAST, [*MEASURES][::3])  # all of them: `tests/evidence`
    assert days.differences(days.answers(at_once, asked), days.answers(daily, asked)) == []


def narrow(day, names=()):
    """Of each measure the last question only: by region, where it has regions."""
    return dict(days.questions(day, names)).items()


@pytest.fixture(scope="module")
def truth(at_once):
    """What is asked of each day, and what the book that was imported once answers."""
    asked = {day: narrow(day, days.PRESENT) for day in DAYS}
    return {day: (each, days.answers(at_once.as_of(day), each)) for day, each in asked.items()}


@pytest.mark.parametrize("only_changes", [False, True], ids=["everything", "only what changed"])
def test_exports_of_one_row_per_deal_tell_each_day_as_it_was(company, truth, tmp_path, only_changes):
    tables, _ = company
    daily = days.by_export(tables, DAYS, tmp_path, only_changes)

    for day, (asked, expected) in truth.items():
        assert days.differences(expected, days.answers(daily.as_of(day), asked)) == []
        assert not [name for name, answer in expected.items() if isinstance(answer, str)]
    assert daily.manifest["n_deals"] == daily.collect(daily.deals(["status"])).height
