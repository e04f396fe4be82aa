"""Somebody is forgotten in surveys, one-to-ones and promises, sees what is held on them there, and nobody else is touched."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import ballots
import days
import polars as pl
import pytest
from ballots import NOW

from cadran.book import beside, forget, one_to_ones, promised, purge, purgeable, rewrite, write_book
from cadran.book.access import held_on
from cadran.book.ballots import Refused, ballots_of
from cadran.book.ballots_open import pseudonyms_of
from cadran.book.folder import OLD, exchange
from cadran.book.lines import added, lines
from cadran.book.pseudonyms import key_of
from cadran.book.pulse import Pulse
from cadran.book.pulse_forgotten import REMOVED
from cadran.cli_people import NOT_FOUND, meanings
from cadran.measures.disclosure import release
from cadran.tables.delivery import SET_ASIDE, Delivery, Settings
from cadran.tables.problems import Problem
from cadran.tables.pulse import Invited
from cadran.text import words_for

SETTINGS = Settings(
    name="Example", taken=NOW, time_zone="Europe/Paris", currency="EUR", fiscal_year_starts=1, holidays="FR"
)
CONFIDENTIAL = ballots.replaced(mode="confidential")
#: They answer, as p7; p50 is invited and does not.
THEIRS, SILENT = "p7@example.com", "p50@example.com"
MONTHS = ["2026-05", "2026-06"]


@pytest.fixture
def book(tmp_path):
    """A book without a deal, beside which surveys stand."""
    folder = tmp_path / "book"
    write_book(folder, Delivery.whole(SETTINGS, {}), NOW)
    return folder


def held(folder, wave, terms=CONFIDENTIAL, people=60):
    """Opens a wave of which forty answer; gives the links."""
    with ballots_of(folder) as store:
        links = store.open_wave(terms, wave, ballots.QUESTIONS, ballots.people(people), NOW, NOW + timedelta(10), "d")
        for number, token in enumerate(links["token"][:40]):
            store.answer(token, ballots.answers(number), NOW)
    return links


def closed(folder, wave="2026-05", terms=CONFIDENTIAL):
    """A wave in the book."""
    held(folder, wave, terms)
    with ballots_of(folder) as store:
        return store.close("pulse", wave, NOW + timedelta(days=int(wave[-2:])), Pulse(folder / "pulse").keep_wave)


def pulse_of(folder):
    return Pulse(folder / "pulse")


def name_of(folder, person=THEIRS):
    return pseudonyms_of(key_of(folder / "pulse", "pulse"), [person])[0]


def told(answers):
    """What answers say, of which group, whoever gave them."""
    return sorted(answers.drop("ballot").rows(), key=str)


def given(number):
    """How many scores and options somebody gave."""
    return sum(value is not None for question, value in ballots.answers(number).items() if question != "words")


def bytes_of(folder):
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_what_they_said_goes_from_a_wave_of_which_nothing_was_told(book):
    before, name = closed(book), name_of(book)

    person, n = forget(book, THEIRS)

    after = pulse_of(book).wave("pulse@2026-05")
    assert (person.kind, n) == ("employee", 0)
    assert name in before.answers["ballot"]
    assert after.answers.height == before.answers.height - given(7)
    assert told(after.answers) == told(before.answers.filter(pl.col("ballot") != name))
    # That somebody of their group was invited, and answered, is all that is left.
    assert sorted(after.invited.drop("person").rows(), key=str) == sorted(before.invited.drop("person").rows(), key=str)
    assert name not in {*after.invited["person"], *after.answers["ballot"]}
    assert len(set(after.invited["person"]) - set(before.invited["person"])) == 1
    assert after.noted == {**before.noted, REMOVED: 1}


def test_of_a_wave_that_was_told_of_every_figure_stays_and_names_nobody(book):
    before, name = closed(book), name_of(book)
    pulse = pulse_of(book)
    pulse.keep_release(kept := release(before))

    forget(book, THEIRS)

    after = pulse.wave("pulse@2026-05")
    assert told(after.answers) == told(before.answers)
    assert name not in {*after.invited["person"], *after.answers["ballot"]}
    assert REMOVED not in after.noted
    again = release(after)
    assert again.cells.equals(kept.cells)
    assert again.groups.equals(kept.groups)
    # In whose place the new pseudonym stands, no order tells.
    assert after.invited["person"].is_sorted()
    assert after.answers.equals(after.answers.sort(pl.all(), nulls_last=True))


def test_the_same_pseudonym_stands_in_waves_to_come_so_that_who_came_and_went_is_known(book):
    first = closed(book, "2026-05")
    pulse = pulse_of(book)
    pulse.keep_release(release(first))
    forget(book, THEIRS)
    closed(book, "2026-06")

    people = [set(pulse.wave(f"pulse@{month}").invited["person"]) for month in MONTHS]
    assert people[0] == people[1]
    assert name_of(book) not in people[1]
    # What they answered since is theirs to see, and goes when they ask again.
    told_since = held_on(book, THEIRS)["tables"]
    assert told_since["surveys"]["wave"].to_list() == ["2026-06"]
    assert told_since["survey_answers"].height == given(7)
    forget(book, THEIRS)
    assert pulse.wave("pulse@2026-06").noted[REMOVED] == 1
    assert set(pulse.wave("pulse@2026-06").invited["person"]) == people[0]


def test_a_wave_given_again_after_that_is_the_same(book):
    before = closed(book)
    forget(book, THEIRS)
    pulse = pulse_of(book)
    kept = bytes_of(pulse.folder / "waves")

    pulse.keep_wave(before)

    assert bytes_of(pulse.folder / "waves") == kept
    with pytest.raises(Problem, match="is there already, and is not the same"):
        pulse.keep_wave(replace(before, noted={}))


def test_an_imported_wave_forgets_who_answered(book):
    wave = closed(book)
    pulse, name = pulse_of(book), name_of(book)
    pulse.keep_wave(replace(wave, wave="2024-05", invited=Invited.create_empty(), noted={"is_imported": True}))

    forget(book, THEIRS)

    after = pulse.wave("pulse@2024-05")
    assert after.answers.height == wave.answers.height - given(7)
    assert name not in after.answers["ballot"]
    assert after.noted == {"is_imported": True, REMOVED: 1}


def test_of_an_anonymous_wave_no_answer_is_found(book):
    before = closed(book, terms=ballots.TERMS)

    tables = held_on(book, THEIRS)["tables"]
    assert tables["surveys"].rows() == [("pulse", "2026-05", "anonymous", True, True, True)]
    assert "survey_answers" not in tables
    forget(book, THEIRS)
    after = pulse_of(book).wave("pulse@2026-05")
    assert sorted(after.answers.rows(), key=str) == sorted(before.answers.rows(), key=str)
    assert name_of(book) not in after.invited["person"]


@pytest.mark.parametrize("terms", [CONFIDENTIAL, ballots.TERMS], ids=["confidential", "anonymous"])
def test_an_open_wave_forgets_an_invitation_and_what_was_said(book, terms):
    links = held(book, "2026-05", terms)
    store_file = book / "pulse" / "ballots.sqlite"
    with ballots_of(book) as store:  # as a server does that goes on meanwhile
        assert store.asked(links["token"][50], NOW)
        for who in (THEIRS, SILENT):
            forget(book, who)

        with pytest.raises(Refused) as refused:
            store.answer(links["token"][50], ballots.answers(50), NOW)
        assert refused.value.why == "unknown"
        store.answer(links["token"][51], ballots.answers(51), NOW)
        assert store.renew("pulse", "2026-05", [THEIRS, SILENT, "p52@example.com"])["person"].to_list() == [
            "p52@example.com"
        ]
        wave = store.close("pulse", "2026-05", NOW + timedelta(5), pulse_of(book).keep_wave)
    kept = pulse_of(book).wave("pulse@2026-05")
    assert (kept.invited.height, kept.invited["answered"].sum()) == (60, 41)
    assert not {name_of(book), name_of(book, SILENT)} & {*kept.invited["person"], *kept.answers["ballot"]}
    given_by = [number for number in (*range(40), 51) if number != 7 or terms.mode == "anonymous"]
    assert kept.answers.filter(pl.col("cut").is_null()).height == sum(map(given, given_by))
    assert kept.noted.get(REMOVED, 0) == (terms.mode == "confidential")
    assert wave.answers.height == kept.answers.height
    assert name_of(book).encode() not in store_file.read_bytes()


def test_rows_set_aside_that_hold_them_lose_what_stood_there(book):
    closed(book)
    path = book / "pulse" / "set_aside" / "pulse@2026-05.parquet"
    path.parent.mkdir()
    rows = [
        {"file": "a.csv", "row": n, "rule": "r", "found": found, "values": f'{{"by": "{found}"}}'}
        for n, found in enumerate([f"by {THEIRS}", "by p71@example.com"])
    ]
    pl.DataFrame(rows, SET_ASIDE).write_parquet(path)

    forget(book, THEIRS)

    assert pl.read_parquet(path).select("row", "found", "values").rows() == [
        (0, "forgotten", '"forgotten"'),
        (1, "by p71@example.com", '{"by": "by p71@example.com"}'),
    ]


def noted(folder):
    """One-to-ones of two people, and a promise of each."""
    rows = [
        {"person": person, "manager": manager, "day": day, "kind": "held", "minutes": 60, "noted_at": None}
        for person, manager, day in [
            (THEIRS, "boss", "2024-01-10"), (THEIRS, "boss", "2026-01-10"), ("p8", THEIRS, "2026-01-11"),
            ("p8", "boss", "2026-01-12"),
        ]
    ]  # fmt: skip
    added(folder / "pulse" / one_to_ones.FILE, lambda _: rows)
    promise = {
        "event": "promised",
        "promised_on": "2026-01-10",
        "due": "2026-02-10",
        "action": f"Fewer forms, says {THEIRS}",
    }
    owners = enumerate([THEIRS, "p8"], 1)
    added(
        folder / "pulse" / promised.FILE, lambda _: [{**promise, "promise_id": f"p{n}", "owner": o} for n, o in owners]
    )
    added(folder / "pulse" / promised.FILE, lambda _: [{"event": "noted", "promise_id": "p1", "done_on": "2026-01-20"}])


def test_one_to_ones_and_promises_take_the_pseudonym_of_the_book(book):
    noted(book)

    person, _ = forget(book, THEIRS)

    pseudonym = person.ids[THEIRS]
    met = [(row["person"], row["manager"]) for row in lines(book / "pulse" / one_to_ones.FILE)]
    assert met == [(pseudonym, "boss"), (pseudonym, "boss"), ("p8", pseudonym), ("p8", "boss")]
    promises = lines(book / "pulse" / promised.FILE)
    assert [row.get("owner") for row in promises] == [pseudonym, "p8", None]
    assert promises[1]["action"] == f"Fewer forms, says {pseudonym}"
    with pytest.raises(Problem, match="there is none, or they were forgotten already"):
        forget(book, THEIRS)


def test_they_see_what_is_held_on_them_and_nobody_else(book):
    noted(book)
    wave = closed(book)
    held(book, "2026-06")

    tables = held_on(book, THEIRS)["tables"]

    assert tables["surveys"].rows() == [
        ("pulse", "2026-05", "confidential", True, True, True),
        ("pulse", "2026-06", "confidential", False, True, True),
    ]
    said = tables["survey_answers"]
    for month in MONTHS:
        own = said.filter(wave=month)
        values = pl.coalesce(pl.col("score").cast(pl.String), "choice")
        assert dict(own.select("question_id", values).rows()) == {
            question: str(value) for question, value in ballots.answers(7).items() if value and question != "words"
        }
        assert own["team"].unique().to_list() == ["T0"]
    assert wave.answers.filter(ballot=name_of(book)).height == said.filter(wave="2026-05").height
    assert tables["one_to_ones"].select("person", "manager", "day").rows() == [
        (THEIRS, "boss", "2024-01-10"), (THEIRS, "boss", "2026-01-10"), (beside.OTHER, THEIRS, "2026-01-11"),
    ]  # fmt: skip
    assert tables["promises"].select("promise_id", "owner", "done_on").rows() == [("p1", THEIRS, "2026-01-20")]
    silent = held_on(book, SILENT)["tables"]
    assert silent["surveys"]["answered"].to_list() == [False, False]
    assert "survey_answers" not in silent


def with_the_old_one_beside(draft, place):
    """Stops where both are there, the new wave in its place."""
    place.rename(between := place.with_name("between"))
    draft.rename(place)
    between.rename(draft)
    raise KeyboardInterrupt


def with_none_in_its_place(draft, place):
    """Stops where neither is, as on a system that cannot exchange the two."""
    place.rename(place.with_name(OLD.format(place.name)))
    raise KeyboardInterrupt


@pytest.mark.parametrize("stop", [with_the_old_one_beside, with_none_in_its_place])
def test_what_is_interrupted_is_finished_by_who_writes_next(book, monkeypatch, stop):
    noted(book)
    closed(book)
    held(book, "2026-06")
    monkeypatch.setattr("cadran.book.pulse.exchange", stop)
    with pytest.raises(Problem, match="Give the same command again"):
        forget(book, THEIRS)
    assert (book / rewrite.JOURNAL).exists()
    monkeypatch.setattr("cadran.book.pulse.exchange", exchange)

    purge(book, date(2020, 1, 1))

    assert not (book / rewrite.JOURNAL).exists()
    assert pulse_of(book).wave("pulse@2026-05").noted[REMOVED] == 1
    found = bytes_of(book)
    assert THEIRS.encode() not in found
    with ballots_of(book) as store:
        assert store.invitations({"pulse": {name_of(book)}}) == []
    assert not list((book / "pulse" / "waves").glob(".*"))


def test_a_seller_is_forgotten_everywhere_and_a_contact_of_the_same_identifier_is_somebody_else(tmp_path):
    tables, settings = days.company(40)
    contact = tables["deal_contacts"]["contact_id"].mode().sort()[0]
    write_book(tmp_path, days.told(tables, settings, days.LAST), days.end_of(days.LAST))
    rep = tables["versions"]["rep_id"].drop_nulls().mode().sort()[0]
    people = ballots.people().with_columns(pl.col("person").replace({THEIRS: contact, SILENT: rep}))
    with ballots_of(tmp_path) as store:
        ballots.opened(store, CONFIDENTIAL, invited=people)
    met = {"person": contact, "manager": rep, "day": "2026-01-10", "kind": "held", "minutes": 60, "noted_at": None}
    added(tmp_path / "pulse" / one_to_ones.FILE, lambda _: [met])

    with pytest.raises(Problem, match="people of several kinds: contact, employee"):
        forget(tmp_path, contact)
    forget(tmp_path, contact, "contact")

    assert held_on(tmp_path, contact)["tables"].keys() == {"surveys", "one_to_ones"}
    assert {"reps", "versions", "surveys"} <= held_on(tmp_path, rep)["tables"].keys()
    assert forget(tmp_path, rep)[0].kind == "rep"
    forget(tmp_path, contact, "employee")
    for who in (contact, rep):
        with pytest.raises(Problem, match="there is none"):
            held_on(tmp_path, who)


def test_a_purge_takes_one_to_ones_and_leaves_answers_their_own_time(book):
    noted(book)
    closed(book)

    assert purgeable(book, date(2025, 1, 1))["one_to_ones"] == 1
    purge(book, date(2025, 1, 1))

    assert [row["day"] for row in lines(book / "pulse" / one_to_ones.FILE)] == [
        "2026-01-10",
        "2026-01-11",
        "2026-01-12",
    ]
    assert pulse_of(book).wave_names() == ["pulse@2026-05"]
    assert datetime(2026, 5, 6, tzinfo=UTC) < pulse_of(book).wave("pulse@2026-05").closed_at


def test_what_is_handed_over_says_in_both_languages_what_it_means_and_what_cannot_be_found(book):
    noted(book)
    closed(book)
    french = words_for("fr").catalogue

    tables = held_on(book, THEIRS)["tables"]

    said = [text for name, rows in tables.items() for text in meanings(name, rows.columns).values()]
    assert {*tables} == {"surveys", "survey_answers", "one_to_ones", "promises"}
    assert [text for text in said if not text["en"] or text["en"] not in french] == []
    assert NOT_FOUND in french
