"""What a browser remembers of a visit, and when the next one begins."""

from datetime import UTC, date, datetime, timedelta

import pytest

from cadran.book.reader import Reader
from cadran.publish.visits import LASTS, Visit, cookie_of

NOON = datetime(2026, 6, 30, 12, tzinfo=UTC)
MAY, JUNE = date(2026, 5, 31), date(2026, 6, 30)


def test_what_was_kept_is_read_again():
    for visit in (Visit(NOON, JUNE, MAY), Visit(NOON, JUNE, None)):
        assert Visit.read(str(visit)) == visit


@pytest.mark.parametrize(
    "kept", ["", "x", "1.2026-06-30", "1.2026-13-01.", "x.2026-06-30.", f"{10**30}.2026-06-30.", "1...."]
)
def test_what_is_none_is_no_visit(kept):
    assert Visit.read(kept) is None


@pytest.mark.parametrize(
    ("later", "shown", "before"),
    [
        (timedelta(minutes=5), JUNE, MAY),  # the same visit: what it is compared with stays
        (LASTS, JUNE, JUNE),  # another one, of the same data
        (timedelta(minutes=5), date(2026, 7, 31), JUNE),  # the data became newer while it went on
    ],
)
def test_a_visit_goes_on_for_a_while_and_of_the_same_data(later, shown, before):
    last = Visit(NOON, JUNE, MAY)

    assert Visit(NOON + later, shown, None).after(last) == Visit(NOON + later, shown, before)


def test_a_first_visit_has_none_before():
    assert Visit(NOON, JUNE, None).after(None) == Visit(NOON, JUNE, None)


def test_those_who_share_a_browser_do_not_share_their_visits():
    names = {cookie_of(reader) for reader in (None, Reader("ana", "analyst"), Reader("bob", "analyst"))}

    assert len(names) == 3
    assert not any("ana" in name for name in names)
