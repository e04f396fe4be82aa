"""Five years of an invented company, the last month imported day by day: the same answers as at once, day for day."""

from datetime import timedelta

import days
import pytest

from cadran.sources.sample import invent

MONTH = days.last_days(30)
BEFORE = MONTH[0] - timedelta(days=1)


@pytest.fixture(scope="module")
def company():
    """The sample that ships: its tables and settings."""
    delivery = invent()
    return delivery.tables, delivery.settings


@pytest.fixture(scope="module")
def at_once(company, tmp_path_factory):
    """Its book, imported once."""
    return days.by_history(*company, [days.LAST], tmp_path_factory.mktemp("at once"))


def test_the_whole_past_told_each_day(ledger, company, at_once, tmp_path):
    if ledger.find(told="the whole past"):
        return
    daily = days.by_history(*company, [BEFORE, *MONTH], tmp_path)
    one, other = days.rows(at_once), days.rows(daily)
    assert [name for name in one if not one[name].equals(other[name])] == []
    n = 0
    for day in MONTH:
        for corrected in (False, True) if day == days.LAST else (False,):
            asked = list(days.questions(day))
            truth = days.answers(at_once.as_of(day), asked)
            assert days.differences(truth, days.answers(daily.as_of(day, corrected=corrected), asked)) == []
            assert not [answer for answer in truth.values() if isinstance(answer, str)]
            n += len(truth)
    rows = sum(frame.height for frame in one.values())
    ledger.add(told="the whole past", imports=31, days=30, answers=n, different=0, rows=rows, rows_different=0)


@pytest.mark.parametrize("only_changes", [False, True])
def test_exports_of_one_row_per_deal(ledger, company, at_once, tmp_path, only_changes):
    key = {"told": "one row per deal" + (", only what changed" if only_changes else "")}
    if ledger.find(**key):
        return
    daily = days.by_export(company[0], [BEFORE, *MONTH], tmp_path, only_changes)
    n = 0
    for day in MONTH:
        asked = list(days.questions(day, days.PRESENT))
        truth = days.answers(at_once.as_of(day), asked)
        assert days.differences(truth, days.answers(daily.as_of(day), asked)) == [], day
        n += len(truth)
    ledger.add(**key, imports=31, days=30, measures=", ".join(days.PRESENT), answers=n, different=0)
