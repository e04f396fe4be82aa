"""What was signed by month and group: nothing before a group began, 0 after, unknown where no amount is known."""

from datetime import date

import numpy as np
import signed

from cadran.models.booked import ahead, booked, deals_known

FIRST = date(2026, 1, 1)


def test_a_group_begins_with_its_first_signature_and_is_0_afterwards(tmp_path):
    deals = signed.monthly([10, 0, 30, 0, 50, 60], FIRST) + signed.monthly([0, 0, 0, 7], FIRST, "r3")
    deals += [{"status": "lost", "closed": date(2026, 1, 2), "created": date(2025, 12, 1), "amount": 5.0}]
    told = booked(book := signed.book(tmp_path, deals), deals_known(book), "region")

    assert told.groups == ("North", "South")
    assert told.months[0] == date(2025, 12, 1)
    assert np.nan_to_num(told.amounts, nan=-1).tolist() == [
        [-1, 10, 0, 30, 0, 50, 60], [-1, -1, -1, -1, 7, 0, 0],
    ]  # fmt: skip


def test_a_month_of_wins_without_amounts_is_unknown_and_one_with_some_counts_them(tmp_path):
    deals = signed.monthly([10, 20, 30], date(2026, 4, 1))
    deals[1]["amount"] = None
    deals.append(deals[2] | {"amount": None})
    told = booked(book := signed.book(tmp_path, deals), deals_known(book))

    # The book begins on 26 March: March is no complete month.
    assert told.months[0] == date(2026, 4, 1)
    assert np.nan_to_num(told.amounts, nan=-1).tolist() == [[10, -1, 30]]
    assert told.n_unknown.tolist() == [[0, 1, 1]]


def test_the_month_under_way_is_told_and_one_that_ends_on_the_day_is_over():
    assert ahead(date(2026, 6, 29), 2) == (date(2026, 6, 1), date(2026, 7, 1))
    assert ahead(date(2026, 6, 30), 2) == (date(2026, 7, 1), date(2026, 8, 1))
    assert ahead(date(2028, 2, 28), 1) == (date(2028, 2, 1),), "a leap year has one day more"
