"""The log of who was shown what of which named person: of its own, for a time, and reached by who asks or is forgotten."""

import json
import shutil
import sqlite3
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from cadran.access.accounts import Accounts
from cadran.access.guests import Guests
from cadran.book import Reader, forget, open_book
from cadran.book.access import held_on
from cadran.book.individual import Activation, activate
from cadran.book.lines import lines
from cadran.book.presented import RECORD, note_unmasked, over, purged
from cadran.book.viewed import noting
from cadran.book.views import FILE, KEPT, Viewer, Views
from cadran.measures.answers import Inquiry
from cadran.publish.rooms_kept import Kept, KeptRooms
from cadran.tables.problems import Problem

NOW = datetime(2026, 7, 1, 9, 40, tzinfo=UTC)
PERIOD = (date(2026, 1, 1), date(2026, 6, 30))
BOSS = Reader("boss@x.fr", "manager", frozenset({"Sud-Est"}))


@pytest.fixture
def folder(small_company, tmp_path):
    shutil.copytree(small_company, tmp_path / "book")
    return tmp_path / "book"


def seen_by(folder, reader, clock=lambda: NOW, **more):
    viewed = noting(folder, reader.id if reader else "root", reader, clock)
    return open_book(folder, reader and reader.nobody, viewed=viewed, **more)


def test_what_a_manager_is_shown_of_each_seller_is_noted_and_what_is_of_groups_is_not(folder):
    book = seen_by(folder, BOSS)

    Inquiry(book, PERIOD).ask("load", "team")
    assert not (folder / FILE).exists()
    told = Inquiry(book, PERIOD).ask("load", "seller")

    log = Views(folder).all()
    names = dict(book.collect(book.table("reps").select("name", "rep_id")).iter_rows())
    assert set(log["whom"]) == {names[each] for each in told["seller"].drop_nulls()}
    assert log.drop("whom").unique().rows() == [
        ("2026-07-01T09:00:00+00:00", "boss@x.fr", "manager", "load", "leads Sud-Est")
    ]
    assert (folder / FILE).stat().st_mode & 0o777 == 0o600


def test_a_second_reader_for_whom_nothing_is_worked_out_is_noted_too(folder):
    for name in ("one", "two"):
        Inquiry(seen_by(folder, Reader(name, "manager", frozenset({"Sud-Est"}))), PERIOD).ask("load", "seller")

    assert set(Views(folder).all()["who"]) == {"one", "two"}


def test_nobody_is_noted_for_looking_at_themselves(folder):
    book = open_book(folder)
    who = book.collect(book.table("reps"))["rep_id"].sort()[0]

    Inquiry(seen_by(folder, Reader("me", "seller", persons=frozenset({who}))), PERIOD).ask("load", "seller")

    assert not (folder / FILE).exists()


def test_ratings_carry_the_purpose_they_were_opened_for(folder):
    opened = Activation(
        "Coaching", "Legitimate interest", "no. 12", date(2026, 2, 1), date(2026, 3, 1), 24, date(2027, 3, 1)
    )
    activate(folder, opened, NOW)

    Inquiry(seen_by(folder, BOSS, on=NOW.date()), PERIOD).ask("win_rate", "seller")

    assert set(Views(folder).all().select("kind", "grounds").rows()) == {("rating", "Coaching (Legitimate interest)")}


def test_an_hour_is_noted_once_and_the_next_one_again(folder):
    hours = [NOW, NOW + timedelta(minutes=5), NOW + timedelta(minutes=30)]
    turns = iter(hours)
    book = seen_by(folder, BOSS, clock=lambda: next(turns))
    for _ in hours:
        book.note("load", ["R001", None])

    assert Views(folder).all().height == 2


def test_what_cannot_be_noted_is_not_shown(folder):
    (folder / FILE).write_text("no database" * 100)

    refused = Inquiry(seen_by(folder, BOSS), PERIOD).ask("load", "seller")
    assert isinstance(refused, Problem)
    assert "shown to nobody without a note" in str(refused)
    (folder / FILE).unlink()
    assert not isinstance(Inquiry(seen_by(folder, BOSS), PERIOD).ask("load", "seller"), Problem)


def test_entries_go_once_they_were_kept_long_enough(folder):
    views, viewer = Views(folder), Viewer("boss", "manager", {"load": "leads"})
    views.note(viewer, "load", ["R001"], NOW)
    later = NOW + KEPT + timedelta(hours=1)

    assert views.all(later).is_empty()
    assert (views.over(later), views.over(NOW)) == (1, 0)
    assert (views.purge(later), views.all().height) == (1, 0)
    views.note(viewer, "load", ["R001"], NOW)
    views.note(viewer, "load", ["R002"], later)  # who writes lets go of the old, whether or not anybody purges
    assert views.all()["whom"].to_list() == ["R002"]


@pytest.fixture
def known(folder):
    """A book with an account of a seller, one of theirs signed in, and views on either side."""
    rep = open_book(folder).collect(open_book(folder).table("reps"))["rep_id"].sort()[0]
    accounts = Accounts(folder)
    accounts.add(Reader("zoe.kerebel@x.fr", "seller", persons=frozenset({rep})), "violet marble tractor seven", NOW)
    accounts.add(BOSS, "violet marble tractor seven", NOW)
    accounts.sign_in("zoe.kerebel@x.fr", "violet marble tractor seven", NOW)
    views = Views(folder)
    views.note(Viewer("boss@x.fr", "manager", {"load": "leads Sud-Est"}), "load", [rep, "R999"], NOW)
    views.note(Viewer("Zoe.Kerebel@x.fr", "seller", {}), "one_to_ones", ["R999"], NOW)
    return folder, rep


def test_a_person_is_told_who_looked_at_them_by_role_when_and_why_and_of_their_account(known):
    folder, rep = known

    tables = held_on(folder, rep)["tables"]

    assert tables["accounts"].row(0, named=True) | {"sessions": None} == {
        "account": "zoe.kerebel@x.fr", "role": "seller", "regions": [], "teams": [], "language": "en",
        "added_at": NOW.isoformat(), "provider": None, "subject": None, "is_blocked": None, "sessions": None,
    }  # fmt: skip
    assert tables["viewed"].rows() == [("2026-07-01T09:00:00+00:00", "manager", "load", "leads Sud-Est")]
    assert "R999" not in json.dumps(tables["views"].to_dicts())
    assert tables["views"].height == 1


def test_who_is_forgotten_has_no_account_and_no_name_anywhere_in_the_folder(known):
    folder, rep = known

    person, _ = forget(folder, rep)

    assert [each.reader.id for each in Accounts(folder).all()] == ["boss@x.fr"]
    log = Views(folder).all()
    stands = person.ids[rep]
    assert set(log.filter(pl.col("whom") == stands)["who"]) == {"boss@x.fr"}
    assert set(log["who"]) == {"boss@x.fr", stands}
    held = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
            for said in ("zoe.kerebel", "Zoe.Kerebel") if said.encode() in path.read_bytes()}  # fmt: skip
    assert held == set()
    for path in folder.glob("*.sqlite"):
        assert rep.encode() not in b"\0".join(_texts(path))


def test_whoever_has_an_account_alone_can_be_forgotten_by_its_name(known):
    folder, _ = known

    forget(folder, "boss@x.fr")

    assert [each.reader.id for each in Accounts(folder).all()] == ["zoe.kerebel@x.fr"]
    assert "boss@x.fr" not in set(Views(folder).all()["who"])


def test_of_a_guest_of_a_provider_nothing_is_left_and_all_of_it_is_told_before(known):
    folder, rep = known
    guests = Guests(Accounts(folder), "https://login.example", "terms")
    for subject, name in (("sub-zoe", "Zoe@corp.fr"), ("sub-eve", "eve@corp.fr")):
        guests.enter(subject, Reader(name, "seller", persons=frozenset({rep})), NOW, "sid", f"token of {subject}")
    Accounts(folder).remove("zoe@corp.fr")
    guests.enter("sub-ann", Reader("Ann@corp.fr", "presenter"), NOW, "sid", "token of sub-ann")
    KeptRooms(folder).put(Kept(b"code", b"key", "ann@corp.fr", 0.0, 0.0))
    note_unmasked(folder, lambda: NOW, "Ann@corp.fr", "Pulse")
    note_unmasked(folder, lambda: NOW, None, "Pulse")

    told = held_on(folder, rep)["tables"]["accounts"]
    assert told.filter(account="Zoe@corp.fr").select("provider", "subject", "is_blocked").row(0) == (
        "https://login.example", "sub-zoe", True,
    )  # fmt: skip
    told = held_on(folder, "ann@corp.fr")["tables"]
    assert {name: rows.height for name, rows in told.items()} == {"accounts": 1, "rooms": 1, "unmasked": 1}
    person, _ = forget(folder, "ann@corp.fr")
    forget(folder, rep)

    assert [row["who"] for row in lines(folder / RECORD)] == [*person.ids.values(), None]
    said = [
        each.encode() for who in ("zoe", "eve", "ann") for each in (f"sub-{who}", f"{who}@corp", f"{who.title()}@corp")
    ]
    assert [path for path in folder.rglob("*") if path.is_file() for each in said if each in path.read_bytes()] == []
    for path in folder.glob("*.sqlite"):
        assert not [text for text in _texts(path) for each in said if each in text]


def test_whoever_has_no_account_any_more_is_forgotten_in_the_logs(known):
    folder, _ = known
    note_unmasked(folder, lambda: NOW, "boss@x.fr", "Pulse")
    Accounts(folder).remove("boss@x.fr")

    forget(folder, "boss@x.fr")

    assert "boss@x.fr" not in {*Views(folder).all()["who"], *(row["who"] for row in lines(folder / RECORD))}
    with pytest.raises(Problem, match="No version"):
        forget(folder, "boss@x.fr")


def test_names_shown_again_are_kept_no_longer_than_views(known):
    folder, _ = known
    note_unmasked(folder, lambda: NOW, "boss@x.fr", "Pulse")
    later = NOW + KEPT + timedelta(hours=1)

    assert (over(folder, NOW), over(folder, later)) == (0, 1)
    assert (purged(folder, NOW), purged(folder, later)) == (0, 1)
    assert lines(folder / RECORD) == []


def _texts(path):
    run = sqlite3.connect(path)
    tables = [row[0] for row in run.execute("select name from sqlite_master where type = 'table'")]
    for table in tables:
        for row in run.execute(f"select * from {table}"):
            yield from (str(each).encode() for each in row)


def test_what_was_written_by_hand_is_named_for_somebody_to_correct(known, run):
    folder, rep = known
    (folder / "plans" / "pay.toml").write_text(f'name = "Sales"\n[people.{rep}]\nquota = 1\n', "utf-8")

    status, _, complaint = run("forget", rep, "--book", folder)

    assert status == 0
    assert "plans/pay.toml says a name or identifier of theirs" in complaint
    assert "staffing.toml" not in complaint


def test_the_command_reads_the_log_and_purging_lets_go_of_what_is_old(known, run, monkeypatch):
    folder, rep = known
    monkeypatch.setattr("cadran.cli_audit_views.now", lambda: NOW)
    monkeypatch.setattr("cadran.cli_people.now", lambda: NOW + KEPT + timedelta(days=1))

    rows = json.loads(run("audit", "views", "--of", rep, "--book", folder, "--format", "json")[1])
    assert [(row["who"], row["kind"]) for row in rows] == [("boss@x.fr", "load")]
    assert json.loads(run("audit", "views", "--by", "nobody", "--book", folder, "--format", "json")[1]) == []
    counted = json.loads(run("purge", "--older-than", "2000-01-01", "--book", folder, "--format", "json")[1])
    assert counted == [{"what": "views", "n": 3}]
    assert Views(folder).all().height == 3
    run("purge", "--older-than", "2000-01-01", "--yes", "--book", folder)
    assert Views(folder).all().is_empty()
