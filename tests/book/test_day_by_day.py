"""A company imported again and again answers as if it had been imported at once. A month day by day: `tests/evidence`."""

from datetime import timedelta

import days
import pytest

#: A weekend on which nothing happens, and the last day, a month later.
DAYS = [days.LAST - timedelta(days=back) for back in (31, 30, 0)]


@pytest.fixture(scope="module")
def company():
    """A small invented company: its tables and settings."""
    return days.company(60)


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
    asked = list(days.questions(days.LAST))
    assert days.differences(days.answers(at_once, asked), days.answers(daily, asked)) == []


@pytest.mark.parametrize("only_changes", [False, True], ids=["everything", "only what changed"])
def test_exports_of_one_row_per_deal_tell_each_day_as_it_was(company, at_once, tmp_path, only_changes):
    tables, _ = company
    daily = days.by_export(tables, DAYS, tmp_path, only_changes)

    for day in DAYS:
        asked = list(days.questions(day, days.PRESENT))
        truth = days.answers(at_once.as_of(day), asked)
        assert days.differences(truth, days.answers(daily.as_of(day), asked)) == []
        assert not [name for name, answer in truth.items() if isinstance(answer, str)]
    assert daily.manifest["n_deals"] == daily.collect(daily.deals(["status"])).height
