"""A book as it was known at one moment."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from cadran.book import Reader, open_book, write_book
from cadran.tables import TABLES
from cadran.tables.delivery import Delivery, Settings
from cadran.tables.problems import Problem


def at(*parts):
    return datetime(*parts, tzinfo=UTC)


def table(name, *rows):
    schema = TABLES[name].create_empty().schema
    return pl.DataFrame([{column: row.get(column) for column in schema} for row in rows], schema=schema)


def version(opportunity_id, valid_from, status="open", **more):
    stage = {"open": "Talk", "won": "Won", "lost": "Lost"}[status]
    return {"opportunity_id": opportunity_id, "valid_from": valid_from, "stage": stage, "status": status} | more


def touch(activity_id, kind, when, **more):
    return {"activity_id": activity_id, "opportunity_id": "won", "kind": kind, "at": when} | more


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """One deal won, one open, one of unknown creation; their seller moves from North to South on 1 April."""
    stages = [
        {"stage": name, "position": place, "kind": kind, "is_qualified": True}
        for place, (name, kind) in enumerate([("Talk", "open"), ("Won", "won"), ("Lost", "lost")])
    ]
    reps = [
        {"rep_id": "ann", "valid_from": at(2024, 1, 1), "name": "Ann", "team": "Red", "region": "North"},
        {"rep_id": "ann", "valid_from": at(2024, 4, 1), "name": "Ann", "team": "Red", "region": "South"},
    ]
    versions = [
        version("won", at(2024, 1, 2), rep_id="ann", amount=10.0, expected_close_date=date(2024, 2, 1)),
        version("won", at(2024, 2, 2), rep_id="ann", amount=12.0, expected_close_date=date(2024, 3, 1)),
        version("won", at(2024, 3, 2), "won", rep_id="ann", amount=12.0, expected_close_date=date(2024, 3, 1)),
        version("open", at(2024, 2, 2), rep_id="ann", competitor="Rival"),
        version("undated", at(2024, 6, 30), amount=7.0),
        version("back", at(2024, 1, 5), rep_id="ann", amount=1.0),
        version("back", at(2024, 1, 6), "lost", rep_id="ann", amount=1.0, competitor="Rival"),
        version("back", at(2024, 5, 6), rep_id="ann", amount=1.0),
        version("back", at(2024, 5, 9), "lost", rep_id="ann", amount=1.0, competitor="Rival"),
    ]
    lead = {"lead_id": "1", "created_at": at(2024, 1, 1), "opportunity_id": "back"}
    lead |= {"first_response_at": at(2024, 1, 3), "qualified_at": at(2024, 1, 5)}
    tables = {
        "stages": table("stages", *stages),
        "reps": table("reps", *reps),
        "accounts": table("accounts", {"account_id": "acme", "valid_from": at(2024, 1, 1), "name": "Acme"}),
        "opportunities": table(
            "opportunities",
            {"opportunity_id": "won", "account_id": "acme", "created_at": at(2024, 1, 2)},
            {"opportunity_id": "open", "created_at": at(2024, 2, 2)},
            {"opportunity_id": "undated"},
            {"opportunity_id": "back", "account_id": "c7", "created_at": at(2024, 1, 5)},
        ),
        "versions": table("versions", *versions),
        "leads": table("leads", lead),
        "activities": table(
            "activities",
            touch("1", "email", at(2024, 1, 3), direction="inbound"),
            touch("2", "email", at(2024, 1, 4), direction="outbound", is_automatic=True),
            touch("3", "call", at(2024, 1, 9), direction="outbound"),
        ),
    }
    settings = Settings("Test", at(2024, 6, 30, 21, 59, 59), "Europe/Paris", known_at_close=("competitor",))
    folder = tmp_path_factory.mktemp("book")
    write_book(folder, Delivery.whole(settings, tables), at(2024, 7, 1))
    return open_book(folder)


def deals(book, *columns, **options):
    frame = book.collect(book.deals(["opportunity_id", *columns], **options))
    assert frame["opportunity_id"].is_unique().all()
    return {row[0]: row[1] if len(columns) == 1 else row[1:] for row in frame.iter_rows()}


@pytest.mark.parametrize(
    ("day", "known"),
    [
        (date(2024, 1, 1), {}),
        (date(2024, 2, 1), {"won": ("open", 10.0), "back": ("lost", 1.0)}),
        (date(2024, 2, 2), {"won": ("open", 12.0), "back": ("lost", 1.0), "open": ("open", None)}),
        (date(2024, 3, 2), {"won": ("won", 12.0), "back": ("lost", 1.0), "open": ("open", None)}),
        (date(2024, 5, 7), {"won": ("won", 12.0), "back": ("open", 1.0), "open": ("open", None)}),
    ],
)
def test_knows_what_was_known_and_nothing_later(book, day, known):
    assert deals(book.as_of(day), "status", "amount") == known


def test_at_the_instant_of_a_change_the_new_version_holds(book):
    assert deals(book.as_of(at(2024, 2, 2)), "amount")["won"] == 12.0


def test_a_day_ends_at_midnight_in_the_time_zone_of_the_book(book):
    # The deal is lost at 00:00 UTC on 6 January, which is 01:00 that day in Paris.
    assert deals(book.as_of(date(2024, 1, 5)), "status")["back"] == "open"
    assert deals(book.as_of(at(2024, 1, 5, 23, 59)), "status")["back"] == "open"
    assert book.as_of(date(2024, 1, 5)).moment == at(2024, 1, 5, 22, 59, 59, 999999)


def test_refuses_to_know_the_future(book):
    with pytest.raises(Problem, match="knows nothing after 2024-06-30"):
        book.as_of(date(2024, 7, 1))


def test_a_reopened_deal_counts_from_creation_to_its_last_closing(book):
    assert deals(book, "n_reopened", "closed_date", "cycle_days")["back"] == (1, date(2024, 5, 9), 125)
    assert deals(book.as_of(date(2024, 2, 1)), "n_reopened", "cycle_days")["back"] == (0, 1)


def test_counts_pushes_to_a_later_month(book):
    assert deals(book, "n_pushes")["won"] == 1
    assert deals(book.as_of(date(2024, 2, 1)), "n_pushes")["won"] == 0


def test_what_is_known_at_close_is_null_while_open(book):
    assert deals(book, "competitor") == {"won": None, "open": None, "undated": None, "back": "Rival"}
    assert deals(book.as_of(date(2024, 5, 7)), "competitor")["back"] is None


def test_a_client_without_a_name_goes_by_its_identifier(book):
    assert deals(book, "client") == {"won": "Acme", "open": None, "undated": None, "back": "c7"}


def test_a_reorganisation_does_not_rewrite_the_past(book):
    assert deals(book, "region") == {"won": "North", "open": "South", "undated": None, "back": "South"}
    assert deals(book, "region", organisation="today")["won"] == "South"


def test_a_reader_sees_the_deals_owned_in_their_regions_at_the_moment(book):
    south = book.scope(Reader("m", regions=frozenset({"South"})))

    assert set(deals(south, "status")) == {"won", "open", "back"}
    assert deals(south.as_of(date(2024, 3, 3)), "status") == {}
    assert deals(south.as_of(date(2024, 3, 3)), "in_scope") == {"won": False, "open": False, "back": False}
    assert south.collect(south.table("accounts"))["account_id"].to_list() == ["acme"]


def test_a_reader_without_deals_sees_no_row_of_any_scoped_table(book):
    west = book.scope(Reader("m", regions=frozenset({"West"})))

    seen = {name for name in TABLES if not west.collect(west.table(name)).is_empty()}
    assert seen == {"calendar", "stages"}


@pytest.mark.parametrize(
    ("theirs", "seen"),
    [({"regions": {"Nord"}}, {None}), ({"regions": {"Grand Ouest"}}, {None, "Grand Ouest", "Toulouse"}),
     ({"teams": {"Toulouse"}}, {None, "Grand Ouest", "Toulouse"})],
)  # fmt: skip
def test_a_reader_sees_what_was_done_to_all_or_to_their_own(theirs, seen):
    whole = open_book()
    part = whole.scope(Reader("m", **{name: frozenset(each) for name, each in theirs.items()}))

    assert len(set(whole.collect(whole.table("actions"))["scope_id"])) == 5
    assert set(part.collect(part.table("actions"))["scope_id"]) == seen


def test_history_has_no_end_that_is_still_to_come(book):
    before = book.as_of(date(2024, 2, 20))
    history = before.collect(before.table("versions")).filter(pl.col("opportunity_id") == "won")

    assert history["valid_to"].to_list() == [at(2024, 2, 2), None]
    assert history["next_stage"].to_list() == [None, None]
    whole = book.collect(book.table("versions")).filter(pl.col("opportunity_id") == "won")
    assert whole["next_stage"].to_list() == [None, "Won", None]


def test_answers_still_to_come_are_hidden(book):
    early = book.as_of(at(2024, 1, 3, 12))

    lead = early.collect(early.table("leads")).row(0, named=True)
    assert (lead["first_response_at"], lead["qualified_at"], lead["opportunity_id"]) == (at(2024, 1, 3), None, None)
    assert early.collect(early.table("activities"))["answered_at"].to_list() == [None]


def test_only_a_human_answers(book):
    touches = book.collect(book.table("activities").select("activity_id", "answered_at"))

    assert dict(touches.iter_rows())["1"] == at(2024, 1, 9)


def test_the_calendar_knows_holidays_and_fiscal_years(tmp_path):
    settings = Settings("Test", at(2024, 6, 30), holidays="FR", fiscal_year_starts=4)
    write_book(tmp_path, Delivery.whole(settings, {}), at(2024, 7, 1))

    book = open_book(tmp_path)
    days = {row["date"]: row for row in book.collect(book.table("calendar")).iter_rows(named=True)}
    # 1 and 8 May are holidays, 9 May is Ascension Day; the year named 2025 begins in April 2024.
    assert [d for d in range(6, 11) if not days[date(2024, 5, d)]["is_business_day"]] == [8, 9]
    assert days[date(2024, 5, 10)]["business_day"] == 5
    assert (days[date(2024, 3, 31)]["fiscal_year"], days[date(2024, 4, 1)]["fiscal_year"]) == (2024, 2025)
    assert days[date(2024, 3, 31)]["fiscal_period"] == 12
