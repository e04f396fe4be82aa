"""What ended before a day goes from every version of a book, stays away, and changes nothing after it."""

import json
from datetime import date, timedelta

import crash
import days
import polars as pl
import pytest

from cadran.book import open_book, purge, purgeable, write_book
from cadran.book.folder import versions
from cadran.cli_people import first_day_kept
from cadran.measures import MEASURES, Question
from cadran.tables.delivery import SET_ASIDE, Part
from cadran.tables.problems import Problem

BEFORE = date(2025, 10, 1)
DAYS = [date(2025, 9, 15), *days.last_days(2)]
#: Measures that look at a period, or at a moment.
ASKED = ["volumes", "win_rate", "pipeline", "waterfall", "cycle", "slippage"]


@pytest.fixture(scope="module")
def company():
    """A small invented company, one of whose sellers and one of whose contacts have only old deals."""
    return days.company(40)


@pytest.fixture(scope="module")
def over(company):
    """Identifiers of the deals that closed before the day, by a plain loop."""
    tables, _ = company
    gone = set()
    for deal, rows in tables["versions"].sort("valid_from").group_by("opportunity_id"):
        rows = rows.sort("valid_from").to_dicts()
        status, since = None, None
        for row in rows:
            if row["status"] != status:
                status, since = row["status"], row["valid_from"]
        if status != "open" and since < days.end_of(BEFORE - timedelta(days=1)):
            gone.add(deal[0])
    return gone


def delivered(company, day, n):
    """What a source tells on a day, in `n` buckets, with a row set aside about each of two deals."""
    delivery = days.told(*company, day)
    deals = company[0]["opportunities"].sort("created_at")["opportunity_id"]
    aside = [
        {"table": "activities", "file": "a.csv", "row": i, "id": f"A{i}", "rule": "a rule", "repair": "a repair",
         "found": "kind = ?", "values": json.dumps({"kind": "?", "deal": deal})}
        for i, deal in enumerate([deals[0], deals[-1]])
    ]  # fmt: skip
    delivery.parts = [Part("plan", {}, pl.DataFrame(aside, schema=SET_ASIDE)), *days.in_buckets(delivery.parts, n)]
    return delivery


@pytest.fixture(scope="module", params=[1, 4], ids=["in one piece", "in buckets"])
def written(request, company, tmp_path_factory):
    """A book of three versions, the first of which was taken before the day."""
    folder = tmp_path_factory.mktemp("book")
    for day in DAYS:
        write_book(folder, delivered(company, day, request.param), days.end_of(day))
    return folder, request.param


@pytest.fixture(scope="module")
def purged(written, tmp_path_factory):
    """A copy of it, purged, with what was counted beforehand. For who reads it only: one for all."""
    folder = crash.copied(written[0], tmp_path_factory.mktemp("purged") / "book")
    counted = purgeable(folder, BEFORE)
    purge(folder, BEFORE)
    return folder, counted


def stored(folder, name):
    """Every row of a table, sorted: in which order a book holds them is its own affair."""
    book = open_book(folder)
    return book.collect(book._stored(name)).sort(pl.all())


def answers(folder, moments):
    """What measures say of periods after the day, at some moments."""
    book, told = open_book(folder), []
    for moment in moments:
        seen = book.as_of(moment)
        asked = [
            (name, type(question)(by=question.by, since=max(BEFORE + timedelta(days=1), question.since), until=moment))
            for name, question in dict(days.questions(moment, ASKED)).items()  # by region, where it has regions
        ]
        told.append(days.answers(seen, asked))
    return told


def test_what_is_measured_after_the_day_is_as_it_was(written, purged):
    moments = [BEFORE + timedelta(days=20), days.LAST]

    for one, other in zip(*(answers(folder, moments) for folder, _ in (written, purged)), strict=True):
        assert days.differences(one, other) == []
        assert any(not isinstance(answer, str) and answer.height for answer in one.values())


def test_deals_that_closed_before_are_gone_with_all_that_is_about_them(written, purged, over):
    folder, _ = purged
    assert len(over) > 20
    deals = set(stored(written[0], "opportunities")["opportunity_id"])

    assert set(stored(folder, "opportunities")["opportunity_id"]) == deals - over
    for name in ("versions", "deal_contacts", "activities", "leads"):
        assert not set(stored(folder, name)["opportunity_id"]) & over
    day = days.end_of(BEFORE - timedelta(days=1))
    alone = pl.col("opportunity_id").is_null()
    assert stored(folder, "leads").filter(alone & (pl.max_horizontal("created_at", "rejected_at") < day)).is_empty()
    assert stored(folder, "activities").filter(alone & (pl.col("at") < day)).is_empty()
    assert not any(deal.encode() in path.read_bytes() for deal in over for path in folder.rglob("*.json"))
    aside = pl.read_parquet(open_book(folder).version / "set_aside" / "*.parquet")
    assert aside.sort("row")["found"].to_list() == ["purged", "kind = ?"]


def test_what_is_counted_beforehand_is_what_goes(written, purged):
    folder, counted = purged
    beside = ("set_aside", "books", "one_to_ones")
    before = {name: stored(written[0], name).height for name in counted if name not in beside}

    assert {name: n - stored(folder, name).height for name, n in before.items()} == {
        name: counted[name] for name in before
    }
    assert counted["set_aside"] == 1
    assert counted["books"] == 1
    assert [version.name for version in versions(folder)] == ["000002", "000003"]
    opened = open_book(folder)
    assert opened.manifest["n_deals"] == opened.collect(opened.deals(["status"])).height
    manifest = open_book(folder).manifest
    assert {name: manifest["rows"][name] for name in before} == {name: stored(folder, name).height for name in before}
    assert set(purgeable(folder, BEFORE).values()) == {0}


def test_people_whom_nothing_kept_names_are_gone(purged):
    folder, _ = purged
    contacts, named = stored(folder, "contacts"), {*stored(folder, "deal_contacts")["contact_id"]}
    named |= {*stored(folder, "activities")["contact_id"]}
    old = contacts.filter(pl.col("valid_from") < days.end_of(BEFORE - timedelta(days=1)))
    assert set(old["contact_id"]) <= named
    reps = stored(folder, "reps")
    left = set(reps.filter(pl.col("left_date") < BEFORE)["rep_id"])
    owners = {*stored(folder, "versions")["rep_id"], *stored(folder, "leads")["rep_id"], *reps["manager_id"]}
    assert left <= owners | {*stored(folder, "activities")["rep_id"]}


def test_the_next_import_does_not_bring_it_back(written, purged, company, over, tmp_path):
    folder, n = crash.copied(purged[0], tmp_path / "book"), written[1]
    before = {name: stored(folder, name) for name in ("opportunities", "versions", "leads", "contacts", "reps")}

    write_book(folder, delivered(company, days.LAST, n), days.end_of(days.LAST))

    for name, rows in before.items():
        assert stored(folder, name).equals(rows), name
    manifest = open_book(folder).manifest
    assert manifest["purged_before"] == BEFORE.isoformat()
    noted = {(row["table"], row["n"]) for row in manifest["noted"] if row["found"] == BEFORE.isoformat()}
    assert ("opportunities", len(over)) in noted


def test_a_deal_of_the_book_that_is_told_to_have_closed_before_is_not_said_to_have_vanished(company, tmp_path):
    tables, settings = company
    write_book(tmp_path, days.told(tables, settings, DAYS[1]), days.end_of(DAYS[1]))
    purge(tmp_path, BEFORE)
    versions_told = tables["versions"]
    kept = stored(tmp_path, "versions").sort("valid_from")
    deal = kept.filter(pl.col("valid_to").is_null() & (pl.col("status") == "open"))["opportunity_id"][0]
    begun = versions_told.filter(opportunity_id=deal)["valid_from"].min()
    assert begun < days.end_of(BEFORE - timedelta(days=3))
    lost = pl.col("opportunity_id") == deal
    first = versions_told.filter(lost).sort("valid_from").head(1)
    told = pl.concat(
        [
            versions_told.filter(~lost),
            first,
            first.with_columns(
                valid_from=pl.lit(begun + timedelta(days=1)).cast(pl.Datetime("us", "UTC")),
                status=pl.lit("lost").cast(first.schema["status"]),
                stage=pl.lit(versions_told.filter(pl.col("status") == "lost")["stage"][0]),
            ),
        ]
    )

    write_book(tmp_path, days.told({**tables, "versions": told}, settings, days.LAST), days.end_of(days.LAST))

    assert deal not in set(stored(tmp_path, "opportunities")["opportunity_id"])
    assert open_book(tmp_path).manifest["import"]["versions"]["n_ended"] == 0


def test_the_past_before_the_day_is_not_told(purged):
    folder, _ = purged

    assert open_book(folder).as_of(BEFORE).day == BEFORE
    with pytest.raises(Problem, match="before 2025-10-01 was purged"):
        open_book(folder).as_of(BEFORE - timedelta(days=1))


def test_a_period_that_begins_before_the_day_is_not_counted_in_part(purged):
    volumes, opened = MEASURES["volumes"], open_book(purged[0])

    assert volumes.ask(opened, Question(since=BEFORE)).height == 1
    with pytest.raises(Problem, match="before 2025-10-01 was purged"):
        volumes.ask(opened, Question(since=BEFORE - timedelta(days=1)))


def test_a_day_after_the_book_is_refused(written):
    with pytest.raises(Problem, match="nothing of it would be left"):
        purge(written[0], days.LAST + timedelta(days=1))


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("5y", date(2019, 2, 28)),
        ("36m", date(2021, 2, 28)),
        ("1m", date(2024, 1, 29)),
        ("2020-01-01", date(2020, 1, 1)),
    ],
)
def test_an_age_means_a_day(text, day):
    assert first_day_kept(text, date(2024, 2, 29)) == day


@pytest.mark.parametrize("text", ["", "5", "y", "five years", "-3y", "2020-13-01", "999y0"])
def test_what_is_no_age_is_refused(text):
    with pytest.raises(Problem, match="no age and no day"):
        first_day_kept(text, date(2024, 2, 29))
