"""What changed on open deals between two views of a book."""

from datetime import date

import pytest

from cadran.measures.changed import changed_since
from cadran.tables.problems import Problem


@pytest.fixture(scope="module")
def book(make_book):
    first = {"status": "open", "valid_from": "2026-05-01", "stage": "Prospect", "rep_id": "r"}
    first |= {"amount": 100.0, "expected_close_date": "2026-07-31"}
    told = {
        "moved": {"stage": "Propose", "amount": 250.0},
        "pushed": {"expected_close_date": "2026-09-30"},
        "rival": {"competitor": "Acme", "amount": None},
        "won": {"status": "won", "stage": "Won"},
        "back": {"status": "lost", "stage": "Lost", "valid_from": "2026-05-10"},
    }
    versions = [{"opportunity_id": name, **first} for name in (*told, "same")]
    versions += [{"opportunity_id": name, **first, "valid_from": "2026-06-20", **later} for name, later in told.items()]
    versions += [{"opportunity_id": "back", **first, "valid_from": "2026-06-25"}]
    versions += [{"opportunity_id": "young", **first, "valid_from": "2026-06-22"}]
    touch = {"kind": "email", "direction": "inbound"}
    return make_book(
        versions=versions,
        opportunities=[
            {"opportunity_id": name, "created_at": "2026-06-22" if name == "young" else "2026-05-01"}
            for name in (*told, "same", "young")
        ],
        deal_contacts=[
            {"opportunity_id": "same", "contact_id": "c1", "since": "2026-05-02"},
            {"opportunity_id": "same", "contact_id": "c2", "since": "2026-06-21"},
        ],
        activities=[
            touch | {"activity_id": at, "opportunity_id": "same", "at": at} for at in ("2026-05-03", "2026-06-26")
        ],
    )  # fmt: skip


def test_each_change_is_a_row(book):
    changes = changed_since(book, book.as_of(date(2026, 6, 15)))

    assert changes.rows() == [
        ("back", "reopened", None, "Prospect"),
        ("moved", "stage", "Prospect", "Propose"),
        ("moved", "amount", "100.0", "250.0"),
        ("pushed", "expected_close_date", "2026-07-31", "2026-09-30"),
        ("rival", "amount", "100.0", None),
        ("rival", "competitor", None, "Acme"),
        ("same", "n_contacts", "1", "2"),
        ("same", "n_touches", "1", "2"),
        ("young", "new", None, "Prospect"),
    ]


def test_nothing_changed_since_now_and_a_day_later_is_refused(book):
    assert changed_since(book, book).is_empty()
    with pytest.raises(Problem, match="2026-06-30 of another book, or of a later day"):
        changed_since(book.as_of(date(2026, 6, 15)), book)


def test_an_empty_book_changes_nothing(make_book):
    empty = make_book()
    assert changed_since(empty, empty).is_empty()
