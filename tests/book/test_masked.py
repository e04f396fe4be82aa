"""A book whose reader sees groups alone: no name reaches them, and every number stays what it is."""

import shutil
from datetime import UTC, date, datetime

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from cadran.access.scopes import ROLES
from cadran.book import SAMPLE, open_book
from cadran.book.held import hold
from cadran.book.individual import Activation, activate
from cadran.book.masked import MASKED, names_to_hide
from cadran.book.reader import Reader
from cadran.measures import MEASURES, Question
from cadran.models.pay import payouts, payroll
from cadran.models.pay_read import plans_of
from cadran.tables import STORED

NORTH = frozenset({"Nord"})
#: Columns that name somebody or something, or say words of the team's own.
NAMING = {"client", "group_id", "account_id", "seller", "rep_id", "label", "actions"}


@pytest.fixture(scope="module")
def books(small_company):
    """The book as a manager of a region sees it, and as its presenter does."""
    return [open_book(small_company, Reader("p", role, NORTH)) for role in ("manager", "presenter")]


@pytest.fixture(scope="module")
def named(small_company):
    """What the source calls clients and people."""
    book = open_book(small_company)
    reps = book.collect(book.table("reps").select("rep_id", "name", "manager_id"))
    accounts = book.collect(book.table("accounts").select("account_id", "name", "parent_account_id"))
    return {text for frame in (reps, accounts) for each in frame for text in each.drop_nulls()}


def texts(frame):
    """Every text that stands in a frame."""
    return {text for each in frame.select(pl.col(pl.String)) for text in each.drop_nulls().unique()}


def test_a_role_is_masked():
    assert set(ROLES) & MASKED == {"presenter"}


def test_no_table_and_no_deal_names_anybody(books, named):
    whole, masked = books
    for name in STORED:
        known, told = (book.collect(book.table(name)) for book in (whole, masked))
        assert known.height == told.height
        assert texts(told) & named == set()
    for organisation in ("as_was", "today"):
        known, told = (book.collect(book.deals(organisation=organisation)) for book in (whole, masked))
        assert texts(known) & named
        assert texts(told) & named == set()
        assert known.height == told.height


@pytest.mark.parametrize("name", MEASURES)
def test_every_measure_is_the_same_number(books, name):
    def asked(book):
        try:
            return MEASURES[name].ask(book, Question())
        except Exception as refused:  # the same for both
            return str(refused)

    known, told = map(asked, books)
    if isinstance(known, str):
        assert known == told
    else:
        kept = [column for column in known.columns if column not in NAMING]
        assert_frame_equal(known.select(kept), told.select(kept), rel_tol=1e-9)


def test_groups_are_paid_what_they_are_paid_for_a_manager():
    folder, paid = SAMPLE, []
    for role in ("manager", "presenter"):
        book = open_book(folder, Reader("p", role, NORTH))
        plans, _ = plans_of(book)
        paid.append(payouts(payroll(book, plans["pay"])))

    assert set(paid[0]["level"]) == {"company", "team"}
    assert_frame_equal(*paid)


def test_who_sells_and_buys_is_told_apart_as_before(books):
    known, told = (book.collect(book.deals(["opportunity_id", "rep_id", "account_id", "group_id"])) for book in books)
    both = known.join(told, on="opportunity_id", suffix="_told")

    for column in ("rep_id", "account_id", "group_id"):
        pairs = both.select(column, f"{column}_told").unique()
        assert pairs.height == pairs[column].n_unique() == pairs[f"{column}_told"].n_unique() > 5


def test_a_book_in_memory_gives_a_manager_s_rows_to_no_presenter(books, named):
    columns = ("client", "seller")
    whole, masked = (hold(book, columns) for book in books)

    assert texts(whole.collect(whole.deals(columns))) & named
    assert texts(masked.collect(masked.deals(columns))) & named == set()


def test_a_page_learns_which_groups_bear_a_name_of_its_reader_s_scope_alone(books, named):
    _, masked = books
    told = names_to_hide(masked, ("name", "region"))

    assert set(told["name"]) <= named
    assert set(told["region"]) == {"Nord"}


def test_named_persons_are_never_rated_for_a_presenter(tmp_path, small_company):
    folder = tmp_path / "book"
    shutil.copytree(small_company, folder)
    day = date(2026, 6, 30)
    open_until = Activation(
        "Help sellers", "legitimate interest", "dpia.pdf", date(2026, 5, 1), day, 12, date(2027, 6, 30)
    )
    activate(folder, open_until, datetime(2026, 6, 30, 12, tzinfo=UTC))

    rated = [open_book(folder, Reader("p", role, NORTH), on=day).rates_persons for role in ("manager", "presenter")]
    assert rated == [True, False]
